//! `store backup`: a copy of the store while runs go on.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::{at_once, names, nothing_is_left_over};
use crate::common::{Nobody, World, can_be_another_user, day, mode, until};
use crate::common::{cannot_mount, lacking, skip};

fn copy(world: &World) -> String {
    world.path("copy.db").to_str().unwrap().to_owned()
}

fn events(path: &str) -> i64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    let verdict: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap()
}

#[test]
fn it_is_written_whole_for_its_owner_and_says_what_is_not_in_it() {
    let world = World::with_brand("");
    let size = fs::metadata(world.path("metatoken.db")).unwrap().len();
    world
        .run(&["store", "backup", &copy(&world)])
        .code(0)
        .stderr("")
        .stdout(&format!(
            "[DIR]/copy.db: {size} bytes, without the store key: keep a copy of `[DIR]/metatoken.key` apart from it\n"
        ));
    assert_eq!(mode(&world.path("copy.db")), 0o600);
    assert_eq!(events(&copy(&world)), 1);
    nothing_is_left_over(&world);
    let key = fs::read_to_string(world.path("metatoken.key")).unwrap();
    let bytes = fs::read(world.path("copy.db")).unwrap();
    assert!(!bytes.windows(32).any(|window| window == &key.as_bytes()[..32]));

    let other = world.path("other.db");
    let other = other.to_str().unwrap();
    world.run(&["store", "backup", "--quiet", other]).code(0).silent();
    fs::remove_file(other).unwrap();
    let said = world.run(&["store", "backup", "--json", other]).code(0).json();
    assert_eq!(said["backup"]["bytes"], size);
    assert_eq!(said["backup"]["key_included"], false);
    assert_eq!(said["version"], 1);
}

#[test]
fn it_needs_no_key_no_secret_and_no_lock_and_changes_nothing() {
    let world = World::with_brand("");
    fs::remove_file(world.path("metatoken.key")).unwrap();
    let folder = crate::common::folder();
    let file = folder.path().join("copy.db");
    let before = world.snapshot();
    world.run(&["store", "backup", file.to_str().unwrap()]).code(0);
    assert!(world.snapshot() == before);
}

#[test]
fn a_run_at_work_is_not_waited_for_and_the_copy_is_of_one_moment() {
    let mut world = World::with_brand("");
    world.at(day(45));
    world.graph.latency(Duration::from_secs(20));
    let before = world.graph.connections();
    let mut run = world.spawn(&["refresh"]);
    until("the run asks Graph", || world.graph.connections() > before);
    at_once("the backup", || world.run(&["store", "backup", &copy(&world)])).code(0);
    let announced: i64 = rusqlite::Connection::open(copy(&world))
        .unwrap()
        .query_row("SELECT count(*) FROM attempt WHERE closed_at IS NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(announced, 1, "what the run has written so far is in it");
    run.kill().unwrap();
    assert_eq!(world.finish(run).signal, Some(9));
}

#[test]
fn it_overwrites_nothing_and_is_never_a_file_of_the_store() {
    let world = World::with_brand("");
    world.write("copy.db", "somebody's");
    world.run(&["store", "backup", &copy(&world)]).code(64).stdout("").stderr(
        "
error: [DIR]/copy.db: the file exists, and a backup overwrites nothing
hint: name a new file
",
    );
    assert_eq!(fs::read(world.path("copy.db")).unwrap(), b"somebody's");
    let before = world.snapshot();
    std::os::unix::fs::symlink(world.path("."), world.path("way")).unwrap();
    for ending in ["", "-wal", "-shm", "-journal", "-failed-run", ".lock"] {
        for way in ["", "way/"] {
            let file = world.path(&format!("{way}metatoken.db{ending}"));
            let ran = world.run(&["store", "backup", file.to_str().unwrap()]).code(64);
            assert!(ran.stderr.contains("belongs to the store itself"), "{}", ran.stderr);
        }
    }
    world.run(&["store", "backup", ".metatoken.db.metatoken-tmp"]).code(64);
    let key = world.path("metatoken.key");
    fs::rename(&key, world.path("away")).unwrap();
    world.run(&["store", "backup", key.to_str().unwrap()]).code(64);
    fs::rename(world.path("away"), key).unwrap();
    fs::remove_file(world.path("way")).unwrap();
    assert!(world.snapshot() == before);
}

#[test]
fn without_a_store_there_is_nothing_to_copy() {
    let world = World::new().config(crate::common::BRAND);
    world.run(&["store", "backup", &copy(&world)]).code(74).stdout("").stderr(
        "
error: [DIR]/metatoken.db: there is no store yet, so there is nothing to back up
hint: `metatoken refresh` makes it
",
    );
    assert_eq!(names(&world, |name| name != "metatoken.toml"), Vec::<String>::new());
}

#[test]
fn a_damaged_store_is_not_handed_out_as_a_backup() {
    let world = World::with_brand("");
    let mut bytes = fs::read(world.path("metatoken.db")).unwrap();
    for page in bytes.chunks_mut(4096).skip(4) {
        page.fill(0xaa);
    }
    world.write("metatoken.db", &bytes);
    world.run(&["store", "backup", &copy(&world)]).code(74);
    assert!(!world.path("copy.db").exists());
    nothing_is_left_over(&world);
}

#[cfg(debug_assertions)]
#[test]
fn a_kill_leaves_nothing_for_good_whatever_the_next_file_is_called() {
    let world = World::with_brand("");
    for place in ["temp-written", "temp-synced"] {
        world.killed_at(place, &["store", "backup", &copy(&world)], "");
        assert!(!world.path("copy.db").exists(), "{place}");
        let next = world.path(&format!("{place}.db"));
        world.run(&["store", "backup", next.to_str().unwrap()]).code(0);
        nothing_is_left_over(&world);
    }
    world.killed_at("renamed", &["store", "backup", &copy(&world)], "");
    assert_eq!(events(&copy(&world)), 1);
}

#[test]
fn whoever_may_read_the_store_may_copy_it() {
    if !can_be_another_user() {
        return;
    }
    let world = World::with_brand("");
    let somebody = Nobody::let_in(&world);
    let folder = crate::common::folder();
    std::os::unix::fs::chown(folder.path(), Some(65534), None).unwrap();
    let file = folder.path().join("copy.db");
    somebody.run(&world, &["store", "backup", file.to_str().unwrap()]).code(0);
    assert_eq!(events(file.to_str().unwrap()), 1);
    let ran = somebody.run(&world, &["store", "backup", &copy(&world)]).code(74);
    assert!(ran.stderr.contains("caused by: ") && ran.stderr.contains("hint: "), "{}", ran.stderr);
    let shut = crate::common::folder();
    let file = shut.path().join("copy.db").display().to_string();
    let folder = shut.path().display();
    somebody.run(&world, &["store", "backup", &file]).code(74).stdout("").stderr(&format!(
        "error: {file}: the backup cannot be written\n  caused by: Permission denied (os error 13)\n\
         hint: name a file in a folder that you can write; who may write in this one: \
         `ls -ld {folder}`\n"
    ));
}

#[test]
fn a_full_disk_is_named_and_keeps_no_half() {
    const NAME: &str = "store_opening::backup::a_full_disk_is_named_and_keeps_no_half";
    if let Some(why) = lacking(&["unshare"]).or_else(cannot_mount) {
        return skip(NAME, &why);
    }
    let world = World::with_brand("");
    fs::create_dir(world.path("disk")).unwrap();
    let usual = world.command(&["store", "backup", "disk/copy.db"]);
    let script = "mount -t tmpfs -o size=32k full disk && \"$@\"; code=$?; ls -A disk; exit $code";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(usual.get_program())
        .args(usual.get_args())
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(world.path("."))
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    world.finish(command.spawn().unwrap()).code(74).stdout("").stderr(
        "
error: disk/copy.db: the backup cannot be written
  caused by: No space left on device (os error 28)
hint: make room there, or name a file on another disk
",
    );
}

#[test]
fn where_it_cannot_be_written_the_remedy_works_as_it_is_printed() {
    let world = World::with_brand("");
    let file = world.path("no such folder/copy.db");
    let ran = world.run(&["store", "backup", file.to_str().unwrap()]).code(74);
    super::type_in(&super::remedy(&world, &ran, "`mkdir -p"));
    world.run(&["store", "backup", file.to_str().unwrap()]).code(0);
    world.run(&["store", "backup", "-"]).stdout("").code(64).stderr(
        "
error: -: a backup is written to a file, not to standard output
hint: name a file: `metatoken store backup FILE`
",
    );
    for (place, cause) in [(".", "it is a folder, not a file"), ("/dev/null", "it is a device")] {
        let ran = world.run(&["store", "backup", place]).code(74);
        assert!(ran.stderr.contains(cause), "{}", ran.stderr);
        assert!(ran.stderr.ends_with("hint: name a new file\n"), "{}", ran.stderr);
    }
}

/// `SQLite` keeps its log beside the file, and not beside a link to it.
#[test]
fn a_store_behind_a_link_is_restored_with_its_own_log_gone() {
    let mut world = World::with_brand("");
    fs::create_dir(world.path("real")).unwrap();
    for ending in ["", "-wal", "-shm"] {
        let name = format!("metatoken.db{ending}");
        fs::rename(world.path(&name), world.path(&format!("real/{name}"))).unwrap();
    }
    std::os::unix::fs::symlink("real/metatoken.db", world.path("metatoken.db")).unwrap();
    world.run(&["store", "backup", &copy(&world)]).code(0);
    world.at(day(45));
    world.run(&["refresh"]).code(0);
    world.write("real/metatoken.db-wal", [7; 4096]);
    let file = fs::File::options().write(true).open(world.path("real/metatoken.db")).unwrap();
    file.set_len(20_000).unwrap();
    let ran = world.run(&["refresh"]).code(74);
    let restore = super::remedy(&world, &ran, "restore a backup").replace("BACKUP", &copy(&world));
    super::type_in(&restore);
    assert!(!world.path("real/metatoken.db-wal").exists(), "{restore}");
    assert!(fs::symlink_metadata(world.path("metatoken.db")).unwrap().is_symlink());
    world.run(&["refresh"]).code(0);
}

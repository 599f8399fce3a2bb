//! A log beside the store that holds nothing, or something else: it locks nobody out.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::Command;

use super::at_once;
use crate::common::{Nobody, World, can_be_another_user, day};
use crate::common::{lacking, skip};

const NOBODY: u32 = 65534;

/// A log, and what it is.
type Log = (&'static str, Vec<u8>);

/// A world whose writer was killed, so that its log holds what the file does not.
fn killed() -> World {
    let mut world = World::with_brand("");
    world.lives_until(35);
    world.at(day(45));
    world.killed_at("sealed", &["refresh"], "");
    world
}

fn logs(world: &World) -> Vec<Log> {
    let whole = fs::read(world.path("metatoken.db-wal")).unwrap();
    assert!(whole.len() > 3 * 4096, "{}", whole.len());
    let noise = |length: usize| -> Vec<u8> {
        (0..length).map(|n| u8::try_from(n * 31 % 251).unwrap()).collect()
    };
    let flipped = |at: usize| {
        let mut log = whole.clone();
        log[at] ^= 0x40;
        log
    };
    let other = World::with_brand("").with_the_log_of_a_killed_run();
    vec![
        ("none", Vec::new()),
        ("31 bytes", whole[..31].to_vec()),
        ("32 bytes", whole[..32].to_vec()),
        ("33 bytes", whole[..33].to_vec()),
        ("noise", noise(4096)),
        ("noise of a whole log's length", noise(whole.len())),
        ("half", whole[..whole.len() / 2].to_vec()),
        ("all but the last byte", whole[..whole.len() - 1].to_vec()),
        ("a flipped magic", flipped(2)),
        ("a flipped checksum of the header", flipped(25)),
        ("a flipped salt", flipped(17)),
        ("a flipped frame", flipped(whole.len() / 2)),
        ("whole", whole),
        ("another store's", other),
    ]
}

impl World {
    fn with_the_log_of_a_killed_run(mut self) -> Vec<u8> {
        self.lives_until(35);
        self.at(day(45));
        self.killed_at("planned", &["refresh"], "");
        fs::read(self.path("metatoken.db-wal")).unwrap()
    }

    fn put_for_the_group(&self, name: &str, bytes: &[u8]) {
        self.write(name, bytes);
        chown(self.path(name), None, Some(NOBODY)).unwrap();
        fs::set_permissions(self.path(name), Permissions::from_mode(0o640)).unwrap();
    }
}

/// How many events and generations `SQLite` finds when the owner opens the two files to write.
fn by_the_owner(store: &[u8], log: &[u8]) -> Option<(i64, i64)> {
    let folder = crate::common::folder();
    let path = folder.path().join("metatoken.db");
    for (ending, bytes) in [("", store), ("-wal", log)] {
        let mut name = path.clone().into_os_string();
        name.push(ending);
        let mut file = fs::File::create(name).unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
    }
    let connection = rusqlite::Connection::open(path).unwrap();
    let integrity: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).ok()?;
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).ok();
    (integrity == "ok")
        .then(|| {
            Some((count("SELECT count(*) FROM event")?, count("SELECT count(*) FROM generation")?))
        })
        .flatten()
}

#[test]
fn another_user_reads_the_store_whatever_its_log_is() {
    if !can_be_another_user() {
        return;
    }
    let world = killed();
    let somebody = Nobody::let_in(&world);
    let store = fs::read(world.path("metatoken.db")).unwrap();
    let index = fs::read(world.path("metatoken.db-shm")).unwrap();
    let mut answers = std::collections::BTreeSet::new();
    for (what, log) in logs(&world) {
        let expected = by_the_owner(&store, &log);
        for with_index in [true, false] {
            world.put_for_the_group("metatoken.db-wal", &log);
            if with_index {
                world.put_for_the_group("metatoken.db-shm", &index);
            } else {
                fs::remove_file(world.path("metatoken.db-shm")).unwrap();
            }
            let before = world.snapshot();
            let what = format!("{what}, with an index: {with_index}");
            let history =
                at_once(&what, || somebody.run(&world, &["history", "--json", "--limit", "999"]));
            let check = at_once(&what, || somebody.run(&world, &["check"]));
            if let Some((events, _)) = expected {
                let history = history.code(0).json();
                let seen = history["events"].as_array().unwrap().len();
                assert_eq!(seen, usize::try_from(events).unwrap(), "{what}");
                assert!(check.stdout.contains("brand"), "{what}: {}", check.stdout);
                assert!(check.code == Some(0) || check.code == Some(2), "{what}");
            } else {
                history.code(74);
                check.code(2);
            }
            assert!(world.snapshot() == before, "{what}: nothing is changed");
        }
        answers.insert(expected);
    }
    assert!(answers.len() > 1, "the logs differ in what they hold: {answers:?}");
}

#[test]
fn another_user_reads_the_store_beside_a_living_writer() {
    if !can_be_another_user() {
        return;
    }
    let world = World::with_brand("");
    let somebody = Nobody::let_in(&world);
    let writer = world.sql();
    let seen = || {
        let ran = at_once("history", || somebody.run(&world, &["history", "--json"]));
        ran.code(0).json()["events"].as_array().unwrap().len()
    };
    let events: u32 = writer.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap();
    let events = usize::try_from(events).unwrap();
    assert_eq!(fs::metadata(world.path("metatoken.db-wal")).unwrap().len(), 0);
    assert_eq!(seen(), events, "the writer has read, and written nothing");
    for n in 1..4 {
        writer
            .execute_batch(
                "INSERT INTO event (run, token, kind, at) SELECT run, token, kind, at FROM event LIMIT 1",
            )
            .unwrap();
        assert_eq!(seen(), events + n, "the writer has written");
    }
    drop(writer);
    world.run(&["check"]).code(0);
}

#[test]
fn a_log_of_a_header_alone_holds_nobody_up() {
    let mut world = World::with_brand("");
    world.lives_until(35);
    world.at(day(45));
    world.killed_at("sealed", &["refresh"], "");
    let header = fs::read(world.path("metatoken.db-wal")).unwrap()[..32].to_vec();
    for length in [1, 31, 32] {
        world.write("metatoken.db-wal", &header[..length]);
        for arguments in [&["check"][..], &["status", "--offline"], &["history"]] {
            let ran = at_once("a reader", || world.run(arguments));
            assert!(!ran.stderr.contains("error"), "{arguments:?}: {}", ran.stderr);
        }
        at_once("status", || world.run(&["status", "--live"])).code(0);
        world.write("metatoken.db-wal", &header[..length]);
        at_once("a run", || world.run(&["refresh"])).code(0);
    }
}

#[test]
fn a_kill_at_any_sync_of_a_run_holds_nobody_up() {
    const NAME: &str = "store_opening::logs::a_kill_at_any_sync_of_a_run_holds_nobody_up";
    if let Some(why) = lacking(&["strace"]) {
        return skip(NAME, &why);
    }
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if traced.map_or(true, |output| !output.status.success()) {
        return skip(NAME, "this machine lets nobody trace a process");
    }
    for kill in 1..=4 {
        let mut world = World::with_brand("");
        world.lives_until(35);
        world.at(day(45));
        let usual = world.command(&["refresh"]);
        let inject = format!("inject=fsync,fdatasync:signal=SIGKILL:when={kill}");
        let mut traced = Command::new("strace");
        traced
            .args(["-f", "-qq", "-o", "/dev/null", "-P"])
            .arg(world.path("metatoken.db-wal"))
            .args(["-e", "trace=fsync,fdatasync", "-e", &inject])
            .arg(usual.get_program())
            .args(usual.get_args())
            .env_clear()
            .envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ended = traced.output().unwrap();
        assert!(!ended.status.success(), "kill {kill}: {ended:?}");
        at_once("check", || world.run(&["check"])).code(2);
        let ran = at_once("the next run", || world.run(&["refresh", "--json"]));
        ran.code(0);
        world.run(&["check"]).code(0);
        let whole: String =
            world.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
    }
}

#[test]
fn a_store_that_is_newer_or_another_applications_keeps_its_log() {
    for (pragma, code) in
        [("user_version = 99", "store_newer"), ("application_id = 7", "store_foreign")]
    {
        for with_log in [true, false] {
            let world = World::with_brand("");
            let writer = world.sql();
            writer.execute_batch(&format!("PRAGMA {pragma}")).unwrap();
            if with_log {
                // As a writer leaves it that was killed.
                for name in ["metatoken.db", "metatoken.db-wal"] {
                    fs::copy(world.path(name), world.path(&format!("{name}.kept"))).unwrap();
                }
            }
            drop(writer);
            for ending in ["-wal", "-shm"] {
                let path = world.path(&format!("metatoken.db{ending}"));
                if path.exists() {
                    fs::remove_file(path).unwrap();
                }
            }
            if with_log {
                for name in ["metatoken.db", "metatoken.db-wal"] {
                    fs::rename(world.path(&format!("{name}.kept")), world.path(name)).unwrap();
                }
                assert!(fs::metadata(world.path("metatoken.db-wal")).unwrap().len() > 32);
            }
            let files = || {
                let mut files = world.snapshot();
                files.retain(|path, _| !path.ends_with("metatoken.db.lock"));
                // The memory that the processes share is theirs, and made anew.
                files.retain(|path, _| !(with_log && path.ends_with("metatoken.db-shm")));
                files
            };
            let before = files();
            for arguments in [&["refresh"][..], &["status", "--live"], &["history"], &["deliver"]] {
                let error = &world.run(&[arguments, &["--json"]].concat()).code(74).json()["error"];
                assert_eq!(error["code"], code, "{arguments:?}");
                assert!(files() == before, "{pragma}, with a log: {with_log}, {arguments:?}");
            }
        }
    }
}

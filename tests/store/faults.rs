//! A store, a key or a config that cannot be used: it is said clearly, and nothing is changed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::common::{
    ANNA, APP, APP_SECRET, BRAND, Nobody, Snapshot, World, can_be_another_user, day, mode,
};
use metatoken::sandbox::TokenFixture;

/// Every command that needs the store, and whether it needs the key too.
const COMMANDS: [(&[&str], bool); 8] = [
    (&["refresh"], true),
    (&["refresh", "-n"], true),
    (&["refresh", "--force", "brand"], true),
    (&["exchange", "brand"], true),
    (&["token", "brand"], true),
    (&["status", "--live"], true),
    (&["status", "--offline"], false),
    (&["history"], false),
];

/// Runs every command against a broken store; each must fail so, and change nothing on the disk.
#[track_caller]
fn all_refuse(world: &World, code: &str, words: &[&str]) {
    refuse(world, COMMANDS.map(|(arguments, _)| arguments), code, words);
    let ran = world.run(&["check"]).code(2);
    assert!(ran.stdout.starts_with("METATOKEN CRITICAL - "), "{}", ran.stdout);
}

#[track_caller]
fn refuse<'a>(
    world: &World,
    commands: impl IntoIterator<Item = &'a [&'a str]>,
    code: &str,
    words: &[&str],
) {
    let before = world.snapshot();
    for arguments in commands {
        let ran = world.run_with_input(arguments, "EAAFAKEPasted1").code(74);
        for word in words.iter().chain(&["error: ", "hint: "]) {
            assert!(ran.stderr.contains(word), "{arguments:?}: no `{word}` in {}", ran.stderr);
        }
        assert_eq!(ran.stdout, "", "{arguments:?}");
        if arguments[0] != "token" {
            let json = [arguments, &["--json"]].concat();
            let error = &world.run_with_input(&json, "EAAFAKEPasted1").code(74).json()["error"];
            assert_eq!(error["code"], code, "{arguments:?}: {error:#}");
            assert_eq!(error["exit_code"], 74, "{arguments:?}: {error:#}");
        }
    }
    unchanged(world, &before);
}

/// All files are what they were, but for who last held the lock, and for the log's index: that is
/// the memory which the processes share.
#[track_caller]
fn unchanged(world: &World, before: &Snapshot) {
    let theirs = ["metatoken.db.lock", "metatoken.db-shm"].map(|name| world.path(name));
    let after = world.snapshot();
    let names = |files: &Snapshot| {
        files.keys().filter(|path| !theirs.contains(path)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(&after), names(before), "no file came or went");
    for path in names(before) {
        assert!(after[&path] == before[&path], "{} was changed", path.display());
    }
}

#[test]
fn a_folder_where_the_store_should_be() {
    let world = World::with_brand("");
    for ending in ["", "-wal", "-shm"] {
        fs::remove_file(world.path(&format!("metatoken.db{ending}"))).unwrap();
    }
    fs::create_dir(world.path("metatoken.db")).unwrap();
    all_refuse(&world, "store_unreadable", &["metatoken.db", "it is a folder"]);
}

#[test]
fn bytes_that_are_no_store() {
    let noise: Vec<u8> = (0..8192_u32).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect();
    for bytes in [b"hello".as_slice(), &noise] {
        let world = World::with_brand("");
        world.write("metatoken.db", bytes);
        for ending in ["-wal", "-shm"] {
            fs::remove_file(world.path(&format!("metatoken.db{ending}"))).unwrap();
        }
        all_refuse(&world, "store_foreign", &["metatoken.db", "is not a metatoken store"]);
    }
}

#[test]
fn a_store_that_rotted() {
    let world = World::with_brand("");
    let path = world.path("metatoken.db");
    let mut bytes = fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        page.fill(0xaa);
    }
    world.write("metatoken.db", &bytes);
    for (arguments, _) in COMMANDS {
        let ran = world.run_with_input(arguments, "EAAFAKEPasted1").code(74);
        assert!(ran.stderr.contains("damaged") && ran.stderr.contains("backup"), "{}", ran.stderr);
    }
    world.run(&["check"]).code(2);
    assert!(fs::read(&path).unwrap() == bytes, "nothing is written into a damaged store");
}

#[test]
fn a_newer_store() {
    let world = World::with_brand("");
    world.sql().pragma_update(None, "user_version", 99).unwrap();
    all_refuse(&world, "store_newer", &["metatoken.db", "newer metatoken", "99"]);
}

#[test]
fn a_store_of_another_application() {
    let world = World::with_brand("");
    world.sql().pragma_update(None, "application_id", 7).unwrap();
    all_refuse(&world, "store_foreign", &["metatoken.db", "is not a metatoken store"]);
}

#[test]
fn a_key_that_is_lost_wrong_or_malformed() {
    let key = "metatoken.key";
    let wrong = "ab".repeat(32);
    for (found, code, words) in [
        (None, "key_missing", "is missing"),
        (Some(wrong.as_str()), "key_wrong", "not the one"),
        (Some("xyz"), "key_malformed", "malformed"),
        (Some(""), "key_malformed", "malformed"),
    ] {
        let world = World::with_brand("");
        match found {
            None => fs::remove_file(world.path(key)).unwrap(),
            Some(text) => world.write(key, text),
        }
        let with_key = COMMANDS.iter().filter(|(_, needs)| *needs).map(|(arguments, _)| *arguments);
        refuse(&world, with_key, code, &[key, words]);
        let before = world.snapshot();
        world.run(&["status", "--offline"]).code(0);
        world.run(&["history"]).code(0);
        world.run(&["check"]).code(2);
        unchanged(&world, &before);
    }
}

#[test]
fn a_config_that_others_can_write_or_that_shows_them_a_secret() {
    let literal = format!("secret = \"{APP_SECRET}\"");
    for (bits, text, word) in
        [(0o662, None, "write"), (0o620, None, "write"), (0o604, Some(&literal), "secret")]
    {
        let world = World::with_brand("");
        let path = world.path("metatoken.toml");
        if let Some(text) = text {
            let config = fs::read_to_string(&path).unwrap();
            world
                .write("metatoken.toml", config.replace("secret = { env = \"APP_SECRET\" }", text));
        }
        fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
        let before = world.snapshot();
        let calls = world.calls_to("");
        for arguments in [&["refresh"][..], &["status"], &["token", "brand"], &["config", "check"]]
        {
            let ran = world.run(arguments).code(78).stdout("");
            assert!(ran.stderr.contains(word) && ran.stderr.contains("chmod"), "{}", ran.stderr);
            assert!(!ran.stderr.contains(APP_SECRET), "{}", ran.stderr);
        }
        world.run(&["check"]).code(3);
        unchanged(&world, &before);
        assert_eq!(world.calls_to(""), calls);
    }
}

#[test]
fn everything_that_is_made_is_its_owners_alone() {
    let world = World::new()
        .config(&format!("[store]\npath = \"state/deep/metatoken.db\"\n{BRAND}"))
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    let run = |arguments: &[&str]| {
        let mut shell = std::process::Command::new("sh");
        let command = world.command(arguments);
        shell.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(command.get_program());
        shell.args(command.get_args()).env_clear();
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.current_dir(world.path(".")).output().unwrap()
    };
    let output = run(&["refresh"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((mode(&world.path("state")), mode(&world.path("state/deep"))), (0o700, 0o700));
    let mut made = 0;
    for entry in fs::read_dir(world.path("state/deep")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        made += 1;
    }
    assert_eq!(made, 5, "store, log, index, lock and key");
}

#[test]
fn another_user_may_look_and_changes_nothing() {
    if !can_be_another_user() {
        return;
    }
    let mut world = World::with_brand("");
    let somebody = Nobody::let_in(&world);
    somebody.run(&world, &["check"]).code(0);
    let before = world.snapshot();
    somebody.run(&world, &["check"]).code(0);
    somebody.run(&world, &["status", "--offline"]).code(0);
    somebody.run(&world, &["history"]).code(0);
    somebody.run(&world, &["config", "show"]).code(0);
    for arguments in [&["refresh"][..], &["token", "brand"], &["status", "--live"]] {
        let ran = somebody.run(&world, arguments).code(74).stdout("");
        assert!(ran.stderr.contains("hint: "), "{arguments:?}: {}", ran.stderr);
    }
    unchanged(&world, &before);

    world.lives_until(35);
    world.at(day(45));
    world.killed_at("sealed", &["refresh"], "");
    let before = world.snapshot();
    let ran = somebody.run(&world, &["check"]).code(2);
    assert!(ran.stdout.contains("brand"), "{}", ran.stdout);
    somebody.run(&world, &["status", "--offline"]).code(0);
    somebody.run(&world, &["history"]).code(0);
    unchanged(&world, &before);
    world.run(&["refresh"]).code(0);
    somebody.run(&world, &["check"]).code(0);
}

#[test]
fn another_user_meets_files_that_are_not_theirs() {
    if !can_be_another_user() {
        return;
    }
    let world = World::with_brand("");
    let somebody = Nobody::new();
    let folder = Permissions::from_mode(0o755);
    fs::set_permissions(world.path("."), folder).unwrap();
    fs::set_permissions(world.path("metatoken.toml"), Permissions::from_mode(0o644)).unwrap();
    somebody.run(&world, &["config", "check"]).code(74);
    let before = world.snapshot();
    let ran = somebody.run(&world, &["check"]).code(2);
    assert!(ran.stdout.contains("cannot be read"), "{}", ran.stdout);
    for arguments in [&["status"][..], &["refresh"], &["history"], &["token", "brand"]] {
        let ran = somebody.run(&world, arguments).code(74).stdout("");
        assert!(
            ran.stderr.contains("belongs to root: run metatoken as root"),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    unchanged(&world, &before);
}

#[test]
fn a_folder_that_cannot_be_written() {
    if !can_be_another_user() {
        return;
    }
    let world =
        World::new().config(BRAND).token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    let somebody = Nobody::new();
    fs::set_permissions(world.path("."), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(world.path("metatoken.toml"), Permissions::from_mode(0o644)).unwrap();
    somebody.run(&world, &["check"]).code(3);
    let before = world.snapshot();
    let ran = somebody.run(&world, &["refresh"]).code(74).stdout("");
    assert!(ran.stderr.contains("metatoken.db") && ran.stderr.contains("hint: "), "{}", ran.stderr);
    somebody.run(&world, &["status", "--live"]).code(0);
    somebody.run(&world, &["refresh", "-n"]).code(0);
    unchanged(&world, &before);
    assert!(!Path::new(&world.path("metatoken.db")).exists());
}

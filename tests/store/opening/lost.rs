//! A store that lived and is gone: it is said, and never begun anew in silence.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::{at_once, names, nothing_is_left_over, remedy, type_in};
use crate::common::{BRAND, World, day};

const STORE: &str = "metatoken.db";

/// What can become of a store: its name, what does it, and how the error is told.
type Fate = (&'static str, fn(&World), &'static str, &'static str);

const FATES: [Fate; 7] = [
    ("deleted", |world| remove(world, &["", "-wal", "-shm"]), "store_lost", "the store is missing"),
    ("deleted alone", |world| remove(world, &[""]), "store_lost", "the store is missing"),
    ("emptied", |world| world.write(STORE, ""), "store_lost", "the store is empty"),
    ("cut in half", |world| cut(world, |length| length / 2), "store_damaged", "is damaged"),
    ("cut by ten bytes", |world| cut(world, |length| length - 10), "store_damaged", "is damaged"),
    (
        "overwritten",
        |world| world.write(STORE, "restored from the wrong tape\n"),
        "store_foreign",
        "the file is not a metatoken store",
    ),
    (
        "replaced by another application's",
        |world| {
            remove(world, &["", "-wal", "-shm"]);
            let other = rusqlite::Connection::open(world.path(STORE)).unwrap();
            other
                .execute_batch("CREATE TABLE orders (n INTEGER); PRAGMA user_version = 7")
                .unwrap();
        },
        "store_foreign",
        "the file is not a metatoken store",
    ),
];

const COMMANDS: [&[&str]; 9] = [
    &["refresh"],
    &["refresh", "-n"],
    &["exchange", "brand"],
    &["deliver"],
    &["status"],
    &["status", "--offline"],
    &["history"],
    &["token", "brand"],
    &["store", "backup", "/nowhere/copy.db"],
];

fn remove(world: &World, endings: &[&str]) {
    for ending in endings {
        fs::remove_file(world.path(&format!("{STORE}{ending}"))).unwrap();
    }
}

fn cut(world: &World, length: fn(u64) -> u64) {
    let file = fs::File::options().write(true).open(world.path(STORE)).unwrap();
    file.set_len(length(file.metadata().unwrap().len())).unwrap();
}

#[test]
fn every_command_says_so_and_changes_nothing() {
    for (fate, befall, code, words) in FATES {
        let world = World::with_brand("");
        befall(&world);
        let content = fs::read(world.path(STORE)).ok();
        for arguments in COMMANDS {
            let ran = world.run_with_input(arguments, "EAAFAKEPasted1").code(74).stdout("");
            assert!(ran.stderr.contains(words), "{fate}, {arguments:?}: {}", ran.stderr);
            for hint in ["hint: restore a backup", "hint: without a backup, start over"] {
                assert!(ran.stderr.contains(hint), "{fate}, {arguments:?}: {}", ran.stderr);
            }
            assert_eq!(fs::read(world.path(STORE)).ok(), content, "{fate}, {arguments:?}");
        }
        let error = &world.run(&["refresh", "--json"]).code(74).json()["error"];
        assert_eq!(error["code"], code, "{fate}: {error:#}");
        for arguments in [&["check"][..], &["check", "--system"], &["check", "--notify"]] {
            let ran = world.run(arguments).code(2);
            let first = "METATOKEN CRITICAL - [DIR]/metatoken.db: ";
            assert!(ran.stdout.starts_with(first), "{fate}: {}", ran.stdout);
        }
        nothing_is_left_over(&world);
    }
}

#[test]
fn what_is_said_of_a_store_that_was_deleted() {
    let world = World::with_brand("");
    remove(&world, &["", "-wal", "-shm"]);
    world.run(&["refresh"]).code(74).stdout("").stderr(
        "
error: [DIR]/metatoken.db: the store is missing: it was last used 2026-01-01 00:00 UTC
hint: restore a backup (`metatoken store backup` makes them): `rm -f [DIR]/metatoken.db-wal [DIR]/metatoken.db-shm && cp BACKUP [DIR]/metatoken.db`
hint: without a backup, start over and paste every access token again: `mv [DIR]/metatoken.db.lock [DIR]/metatoken.key \"$(mktemp -d [DIR]/metatoken.db-lost.XXXXXX)\"`
",
    );
}

#[test]
fn the_remedy_that_begins_anew_is_one() {
    for (fate, befall, ..) in FATES {
        let world = World::with_brand("");
        let key = fs::read(world.path("metatoken.key")).unwrap();
        befall(&world);
        let ran = world.run(&["refresh"]).code(74);
        type_in(&remedy(&world, &ran, "without a backup, start over"));
        world.run(&["refresh"]).code(0);
        assert_eq!(world.in_use("brand"), "EAAFAKEBrand1", "{fate}");
        assert_ne!(fs::read(world.path("metatoken.key")).unwrap(), key, "{fate}: a new key");
        let aside = names(&world, |name| name.contains("-lost."));
        assert_eq!(aside.len(), 1, "{fate}: what was there is put aside, and not removed");
        let kept = world.path(&aside[0]).join("metatoken.key");
        assert_eq!(fs::read(kept).unwrap(), key, "{fate}");
    }
}

#[test]
fn the_remedy_that_restores_is_one() {
    for (fate, befall, ..) in FATES {
        let mut world = World::with_brand("");
        world.run(&["store", "backup", world.path("copy.db").to_str().unwrap()]).code(0);
        befall(&world);
        let ran = world.run(&["refresh"]).code(74);
        let command = remedy(&world, &ran, "restore a backup");
        type_in(&command.replace("BACKUP", world.path("copy.db").to_str().unwrap()));
        world.at(day(1));
        world.run(&["refresh"]).code(0);
        assert_eq!(world.in_use("brand"), "EAAFAKEBrand1", "{fate}");
        let adopted = world
            .events("brand")
            .iter()
            .filter(|it| it.0 == "adopted" || it.1 == "adopted")
            .count();
        assert_eq!(adopted, 1, "{fate}: its history is there");
        world.run(&["check"]).code(0);
    }
}

#[test]
fn any_trace_of_a_life_is_enough() {
    for (left, gone) in [
        ("the lock", &["metatoken.key"][..]),
        ("the key", &["metatoken.db.lock"]),
        ("nothing", &["metatoken.key", "metatoken.db.lock"]),
    ] {
        let world = World::with_brand("");
        remove(&world, &["", "-wal", "-shm"]);
        for name in gone {
            fs::remove_file(world.path(name)).unwrap();
        }
        if left == "nothing" {
            world.run(&["check"]).code(3);
            world.run(&["refresh"]).code(0);
            continue;
        }
        world.run(&["check"]).code(2);
        let ran = world.run(&["refresh"]).code(74);
        world.run(&["refresh"]).code(74);
        type_in(&remedy(&world, &ran, "without a backup, start over"));
        world.run(&["refresh"]).code(0);
    }
}

#[test]
fn a_key_that_an_operator_brings_is_named_and_waits_for_its_store() {
    let world = World::new().config(BRAND).token("BRAND", brand());
    world.write("metatoken.key", "07".repeat(32));
    let ran = world.run(&["refresh"]).code(74);
    assert!(ran.stderr.contains("is missing, but its key `[DIR]/metatoken.key` is there"));
    let setting = remedy(&world, &ran, "to make a new store with that key");
    assert_eq!(
        setting,
        format!("key = {{ file = \"{}\" }}", world.path("metatoken.key").display())
    );
    fs::set_permissions(
        world.path("metatoken.key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    world.reconfigure(&format!("[store]\n{setting}\n{BRAND}"));
    world.run(&["refresh"]).code(0);
    assert_eq!(fs::read(world.path("metatoken.key")).unwrap(), "07".repeat(32).as_bytes());
}

pub fn brand() -> metatoken::sandbox::TokenFixture {
    metatoken::sandbox::TokenFixture::user(crate::common::APP, crate::common::ANNA).named("brand")
}

#[test]
fn files_that_an_earlier_installation_made_empty_are_no_life() {
    let world = World::new().config(BRAND).token("BRAND", brand());
    for name in ["metatoken.db", "metatoken.db.lock", "metatoken.key"] {
        world.write(name, "");
        fs::set_permissions(world.path(name), std::os::unix::fs::PermissionsExt::from_mode(0o640))
            .unwrap();
    }
    world.run(&["check"]).code(3);
    world.run(&["refresh"]).code(0);
    assert_eq!(crate::common::mode(&world.path("metatoken.db")), 0o640, "what was chosen stays");
    world.run(&["check"]).code(0);
}

#[test]
fn a_link_that_leads_to_nothing_is_no_first_run() {
    let world = World::new().config(BRAND).token("BRAND", brand());
    std::os::unix::fs::symlink("/mnt/unmounted/metatoken.db", world.path("metatoken.db")).unwrap();
    for arguments in [&["refresh"][..], &["status"], &["history"]] {
        let ran = world.run(arguments).code(74);
        assert!(ran.stderr.contains("a link to `/mnt/unmounted/metatoken.db`"), "{}", ran.stderr);
    }
    world.run(&["check"]).code(2);
    assert!(world.path("metatoken.db").is_symlink());
}

/// Makes something that is no file.
type Make = fn(&Path);

/// To open a pipe waits for ever, and a link leads to what is not ours.
#[test]
fn what_is_not_a_file_is_named_at_once_and_can_be_put_aside() {
    let folder = |path: &Path| fs::create_dir(path).unwrap();
    let pipe = |path: &Path| {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    let link = |path: &Path| symlink("/dev/null", path).unwrap();
    let kinds: [(Make, &str); 3] =
        [(folder, "it is a folder"), (pipe, "it is not a file"), (link, "it is a link")];
    for (make, words) in kinds {
        for ending in ["", "-wal", "-shm"] {
            let world = World::with_brand("");
            let path = world.path(&format!("{STORE}{ending}"));
            fs::remove_file(&path).unwrap();
            make(&path);
            for arguments in COMMANDS {
                let ran = at_once(words, || world.run_with_input(arguments, "EAAFAKEPasted1"));
                let ran = ran.code(74).stdout("");
                assert!(ran.stderr.contains(words), "{ending} {arguments:?}: {}", ran.stderr);
            }
            let ran = world.run(&["refresh"]).code(74);
            type_in(&remedy(&world, &ran, "find out who made it"));
            let after = world.run(&["refresh"]);
            let lost = after.stderr.contains("the store is missing: it was last used");
            assert_eq!(
                (after.code, lost),
                if ending.is_empty() { (Some(74), true) } else { (Some(0), false) }
            );
        }
    }
}

#[test]
fn a_lock_a_key_and_a_mark_that_are_no_files_are_put_aside_too() {
    for (name, code) in [("metatoken.db.lock", 0), ("metatoken.key", 74)] {
        let world = World::with_brand("");
        fs::remove_file(world.path(name)).unwrap();
        fs::create_dir(world.path(name)).unwrap();
        let ran = world.run(&["refresh"]).code(74);
        type_in(&remedy(&world, &ran, "find out who made it"));
        world.run(&["refresh"]).code(code);
    }
    let world = World::with_brand("");
    let mark = world.path("metatoken.db-failed-run");
    assert!(Command::new("mkfifo").arg(mark).status().unwrap().success());
    at_once("a pipe as a mark", || world.run(&["check"]).code(0));
}

//! What runs metatoken: a timer that stopped, a key that is gone, a run that could not begin.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use chrono::TimeDelta;

use super::user;
use crate::common::{BRAND, Nobody, World, can_be_another_user, day, mode};

const MARK: &str = "metatoken.db-failed-run";

/// A world in which one token was adopted on day 0, with more in its config.
fn kept(tables: &str) -> World {
    let world = World::new().config(&format!("{BRAND}{tables}")).token("BRAND", user("brand"));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world
}

/// What `check` says of the machinery, with its code.
#[track_caller]
fn said(world: &World, code: u8) -> String {
    world.run(&["check", "--system"]).code(code).stderr("").stdout
}

#[test]
fn a_timer_that_stopped_is_told_to_the_second() {
    let every = |span| format!("[alerts]\nrun_every = \"{span}\"\n");
    let hours = TimeDelta::hours;
    for (tables, warning, critical) in [
        (String::new(), hours(26), hours(72)),
        (every("5m"), TimeDelta::minutes(15), hours(24)),
        (every("1h"), hours(3), hours(24)),
        (every("6h"), hours(18), hours(72)),
        (every("1d"), hours(72), hours(240)),
        (format!("refresh_within = \"4d\"\n{}", every("1h")), hours(3), hours(24)),
        (format!("refresh_within = \"1d\"\n{}", every("1h")), hours(3), hours(12)),
    ] {
        let mut world = kept(&tables);
        for (age, code) in [(warning, 0), (critical, 1)] {
            for (more, code) in [(0, code), (1, code + 1)] {
                world.at(day(0) + age + TimeDelta::seconds(more));
                let ran = world.run(&["check", "--system", "--json"]).code(code).json();
                let codes: Vec<_> = ran["system"].as_array().unwrap().iter().collect();
                let told = codes.iter().any(|reason| reason["code"] == "no_recent_run");
                assert_eq!(told, code > 0, "{tables} {age} {more}: {ran:#}");
            }
        }
    }
    let mut world = kept(&every("1h"));
    world.at(day(0) + TimeDelta::hours(3) + TimeDelta::seconds(1));
    world.run(&["check"]).code(1).stderr("").verdict(
        "
METATOKEN WARNING - no run since 2026-01-01 00:00 UTC, 3 hours ago; operator: metatoken refresh
WARNING: no run since 2026-01-01 00:00 UTC, 3 hours ago
  run `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check --system`
",
    );
    world.at(day(1) + TimeDelta::seconds(1));
    world.run(&["check"]).code(2).stderr("").verdict(
        "
METATOKEN CRITICAL - no run since 2026-01-01 00:00 UTC, 24 hours ago; operator: metatoken refresh
CRITICAL: no run since 2026-01-01 00:00 UTC, 24 hours ago
  run `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check --system`
",
    );
}

#[test]
fn a_key_that_is_gone_or_another_is_critical_at_once() {
    let world = kept("");
    fs::remove_file(world.path("metatoken.key")).unwrap();
    world.run(&["check"]).code(2).stderr("").verdict(
        "
METATOKEN CRITICAL - [DIR]/metatoken.key: the store key is missing, and the store is sealed with it
CRITICAL: [DIR]/metatoken.key: the store key is missing, and the store is sealed with it
  put back the copy of it that you keep, to `[DIR]/metatoken.key`, or say where it is with `key` in `[store]`; a new key could not open this store
",
    );
    let status = world.run(&["status", "--offline", "--json"]).code(0).json();
    assert_eq!(status["system"][0]["code"], "key_missing", "{status:#}");
    for (key, code) in [("0".repeat(64), "key_wrong"), ("x".into(), "key_malformed")] {
        world.write("metatoken.key", key);
        let check = world.run(&["check", "--json"]).code(2).json();
        assert_eq!(check["system"][0]["code"], code, "{check:#}");
    }
}

#[test]
fn a_key_file_of_the_config_is_looked_at_too() {
    let key = "ab".repeat(32);
    let world = World::new()
        .config(&format!("{BRAND}[store]\nkey = {{ file = \"secret/key\" }}\n"))
        .token("BRAND", user("brand"));
    world.write("secret/key", &key);
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.run(&["check"]).code(0);
    fs::remove_file(world.path("secret/key")).unwrap();
    world.run(&["check"]).code(2).stderr("").verdict(
        "
METATOKEN CRITICAL - the store key: cannot be read: the file [DIR]/secret/key is missing
CRITICAL: the store key: cannot be read: the file `[DIR]/secret/key` is missing
  write the copy of the store key that you keep into the file `[DIR]/secret/key` (mode 0600)
",
    );
    world.write("secret/key", "cd".repeat(32));
    assert!(said(&world, 2).contains("the store key"));
    world.write("secret/key", &key);
    world.run(&["check"]).code(0);
    // What no file holds is for the run to find.
    let given = World::new()
        .config(&format!("{BRAND}[store]\nkey = {{ env = \"KEY\" }}\n"))
        .token("BRAND", user("brand"))
        .with("KEY", &key);
    given.run(&["refresh", "--quiet"]).silent().code(0);
    let given = given.with("KEY", "");
    given.run(&["check"]).code(0);
}

#[test]
fn a_scheduled_run_that_could_not_begin_is_critical_until_one_does_its_work() {
    let mut world = kept("");
    let config = fs::read_to_string(world.path("metatoken.toml")).unwrap();
    world.at(day(0) + TimeDelta::hours(1));
    // Whoever types it sees it.
    world.run(&["refresh", "nobody"]).code(64);
    world.run(&["refresh", "--scheduled", "--dry-run", "nobody"]).code(64);
    world.run(&["check"]).code(0);

    world.run(&["refresh", "--scheduled", "nobody"]).code(64);
    world.at(day(0) + TimeDelta::hours(2));
    world.run(&["check"]).code(2).stderr("").verdict(
        "
METATOKEN CRITICAL - the last scheduled run failed, 2026-01-01 01:00 UTC, 60 minutes ago: nobody…; operator: metatoken refresh
CRITICAL: the last scheduled run failed, 2026-01-01 01:00 UTC, 60 minutes ago: nobody: matches no token (exit code 64)
  the labels are `brand`; then run `metatoken refresh`. Proof: `metatoken check --system`
",
    );
    let status = world.run(&["status", "--offline", "--json"]).code(0).json();
    assert_eq!(status["system"][0]["code"], "scheduled_run_failed", "{status:#}");
    // One that only looks takes nothing back; one that works does, whoever starts it.
    world.run(&["refresh", "--dry-run"]).code(0);
    assert!(world.path(MARK).exists());
    world.run(&["refresh"]).code(0);
    assert!(!world.path(MARK).exists());
    world.run(&["check"]).code(0);

    // A config that is broken is the same error in `check`; mended, the run is still to be made up.
    world.write("metatoken.toml", format!("{config}\n[broken"));
    world.run(&["refresh", "--scheduled"]).code(78);
    world.run(&["check"]).code(3);
    world.write("metatoken.toml", &config);
    assert!(said(&world, 2).contains("(exit code 78)"));
    world.run(&["refresh", "--scheduled"]).code(0);
    world.run(&["check"]).code(0);

    // A line that cannot be read is no run either.
    world.run(&["refresh", "--scheduled", "--nonsense"]).code(64);
    let told = said(&world, 2);
    assert!(told.contains("unexpected argument '--nonsense' found (exit code 64)"), "{told}");
    world.run(&["deliver", "--scheduled"]).code(0);
    assert!(world.path(MARK).exists(), "a delivery renews nothing");
    world.run(&["refresh"]).code(0);

    // The store cannot be opened.
    let key = fs::read(world.path("metatoken.key")).unwrap();
    fs::remove_file(world.path("metatoken.key")).unwrap();
    world.run(&["refresh", "--scheduled"]).code(74);
    world.write("metatoken.key", key);
    let told = said(&world, 2);
    assert!(told.contains("the store key is missing, and the store is sealed"), "{told}");
    // What cannot be read as a mark says nothing.
    world.write(MARK, "{");
    world.run(&["check"]).code(0);
    world.run(&["refresh", "--scheduled"]).code(0);
    assert!(!world.path(MARK).exists());
}

#[test]
fn the_mark_is_for_whoever_may_read_the_store_and_of_one_config() {
    let world = kept("");
    let fail = || drop(world.run(&["refresh", "--scheduled", "nobody"]).code(64));
    for (store, mark) in [(0o600, 0o600), (0o640, 0o640), (0o644, 0o644)] {
        let store = fs::Permissions::from_mode(store);
        fs::set_permissions(world.path("metatoken.db"), store).unwrap();
        fail();
        assert_eq!(mode(&world.path(MARK)), mark);
    }
    let other = fs::read_to_string(world.path(MARK)).unwrap().replace("metatoken.toml", "o.toml");
    world.write(MARK, other);
    world.run(&["check"]).code(0);
    fail();
    assert!(can_be_another_user() || said(&world, 2).contains("(exit code 64)"));
    if can_be_another_user() {
        let somebody = Nobody::let_in(&world);
        let told = somebody.run_without_secrets(&world, &["check", "--system"]).code(2).stdout;
        assert!(told.contains("(exit code 64)"), "{told}");
    }
}

#[test]
fn before_the_first_store_the_mark_lies_where_the_store_will() {
    let world = World::new().config(BRAND).token("BRAND", user("brand"));
    world.run(&["refresh", "--scheduled", "nobody"]).code(64);
    let told = world.run(&["check"]).code(2).stdout;
    assert!(told.starts_with("METATOKEN CRITICAL - the last scheduled run failed"), "{told}");
    world.run(&["refresh", "--scheduled"]).code(0);
    world.run(&["check"]).code(0);
}

/// Cron tells nobody: what such a line asks for is not done, run after run.
#[test]
fn a_scheduled_line_that_cannot_be_used_leaves_a_mark_whatever_is_wrong_with_it() {
    let world = kept("");
    let secret = "EAABfakeZBfake0ZCfake1fakefakefakefakeZD";
    let config = world.path("metatoken.toml").display().to_string();
    let glued = format!("-qc{config}");
    for (line, told) in [
        (&["refresh", "--scheduled", secret][..], "argument 7 looks like an access token"),
        (&["deliver", "--scheduled", "--format", "csv"], "invalid value 'csv' for '--format"),
        (&["refresh", "--scheduled", "--scenario", "troubles"], "`--scenario` is for the sandbox"),
        (&["refresh", "--scheduled", "--no-such-option"], "unexpected argument '--no-such-option'"),
    ] {
        world.run(line).code(64);
        let critical = said(&world, 2);
        assert!(critical.contains(told), "{line:?}: {critical}");
        assert!(critical.contains("(exit code 64)"), "{line:?}: {critical}");
        assert!(!critical.contains(&secret[4..]), "{line:?}: {critical}");
        world.run(&["refresh", "--scheduled", "--quiet"]).silent().code(0);
    }
    world.run(&["refresh", "--scheduled", secret]).code(64);
    let mark = fs::read_to_string(world.path(MARK)).unwrap();
    assert!(
        mark.contains("remove it from the command that the timer or the cron job runs"),
        "{mark}"
    );
    fs::remove_file(world.path(MARK)).unwrap();
    // The config is found however it was typed; one that is a secret is written nowhere.
    for (given, marked) in [(glued.as_str(), true), ("-cEAABfakeZBfake0ZC", false)] {
        let status = Command::new(env!("CARGO_BIN_EXE_metatoken"))
            .env_clear()
            .current_dir(world.path("."))
            .args([given, "refresh", "--scheduled", secret])
            .output()
            .unwrap()
            .status;
        assert_eq!((status.code(), world.path(MARK).exists()), (Some(64), marked), "{given}");
        let _ = fs::remove_file(world.path(MARK));
    }
    // A rehearsal and a person at the terminal see it themselves.
    world.run(&["refresh", "--scheduled", "--dry-run", secret]).code(64);
    world.run(&["refresh", secret]).code(64);
    assert!(!world.path(MARK).exists());
}

#[test]
fn where_nothing_can_lie_beside_the_store_the_mark_lies_beside_the_config() {
    let nowhere = "[store]\npath = \"/proc/metatoken/metatoken.db\"\n";
    let world = World::new().config(&format!("{BRAND}{nowhere}")).token("BRAND", user("brand"));
    let ran = world.run(&["refresh", "--scheduled"]).code(74).stdout("");
    let hint = "hint: name another place with `path` in `[store]`\n";
    assert!(ran.stderr.ends_with(hint), "{}", ran.stderr);
    let told = said(&world, 2);
    assert!(told.contains("/proc/metatoken/metatoken.db.lock: the lock cannot be taken"), "{told}");
    world.reconfigure(BRAND);
    world.run(&["refresh", "--scheduled"]).code(0);
    world.run(&["check"]).code(0);
}

#[test]
fn a_run_whose_report_cannot_be_printed_has_done_its_work() {
    let world = kept("");
    world.run(&["refresh", "--scheduled", "nobody"]).code(64);
    assert!(world.path(MARK).exists());
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut printing = world.command(&["refresh", "--scheduled"]);
    assert_eq!(printing.stdout(full).status().unwrap().code(), Some(74));
    assert!(!world.path(MARK).exists());
    world.run(&["check"]).code(0);
}

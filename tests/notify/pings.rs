//! The ping of a whole run: that it began, and how it ended.

use std::time::Duration;

use metatoken::sandbox::{FaultInjection, Rule};
use rustix::process::Signal;

use super::{DEAD, dead, kill, logs_in_again, well};
use crate::common::{BRAND, Reply, day, signal, until};

const PING: &str = "[[notify]]\nname = \"watch\"\nping = \"[HOOK]/ping/fakefake?create=1\"\n";

const START: &str = "GET /ping/fakefake/start?create=1";
const SUCCESS: &str = "GET /ping/fakefake?create=1";
const FAIL: &str = "GET /ping/fakefake/fail?create=1";

#[test]
fn a_run_says_that_it_begins_and_how_it_ends() {
    let (mut world, hook) = well(PING);
    assert_eq!(hook.lines(), [START, SUCCESS]);
    // What is tried again while there is time is no failure.
    world.graph.misbehave(Rule::any(), FaultInjection::CloseBeforeAnswer);
    world.at(day(2));
    world.run(&["refresh", "--force", "brand", "--quiet"]).code(69).silent();
    assert_eq!(hook.lines(), [""; 0], "somebody typed that");
    world.run(&["refresh"]).code(69);
    assert_eq!(hook.lines(), [START, SUCCESS]);
    world.graph.behave();
    kill(&world);
    for _ in 0..2 {
        world.run(&["refresh"]).code(77);
        assert_eq!(hook.lines(), [START, FAIL], "on every run while a person is needed");
    }
    logs_in_again(&world);
    assert_eq!(hook.lines(), [""; 0]);
    world.run(&["refresh"]).code(0);
    assert_eq!(hook.lines(), [START, SUCCESS]);
    assert!(hook.everything().iter().all(|request| request.body.is_empty()));
}

#[test]
fn only_whole_runs_that_are_meant_say_anything() {
    let (world, hook) = well(PING);
    hook.lines();
    for arguments in [
        &["refresh", "brand"][..],
        &["refresh", "-n"],
        &["exchange", "--stored"],
        &["check"],
        &["check", "--notify"],
        &["status"],
        &["history"],
        &["deliver"],
    ] {
        let _ = world.run(arguments);
        assert_eq!(hook.lines(), [""; 0], "{arguments:?}");
    }
}

#[test]
fn who_finds_the_lock_taken_says_nothing() {
    let (mut world, hook) = well(PING);
    world.at(day(45));
    hook.lines();
    world.graph.latency(Duration::from_secs(20));
    let child = world.spawn(&["refresh"]);
    until("it has begun", || !hook.everything().iter().skip(2).collect::<Vec<_>>().is_empty());
    world.run(&["refresh"]).code(75);
    world.graph.latency(Duration::ZERO);
    world.finish(child).code(0);
    assert_eq!(hook.lines(), [START, SUCCESS]);
}

#[test]
fn a_run_that_cannot_even_begin_has_failed() {
    let (world, hook) = well(PING);
    hook.lines();
    let key = std::fs::read(world.path("metatoken.key")).unwrap();
    world.write("metatoken.key", "not a key");
    world.run(&["refresh"]).code(74);
    assert_eq!(hook.lines(), [FAIL]);
    world.write("metatoken.key", key);
    world.write("metatoken.db", "not a store");
    world.run(&["refresh"]).code(74);
    assert_eq!(hook.lines(), [FAIL]);
    // Nor does it matter that the watcher is deaf, but it is said.
    hook.reply("/ping", Reply::Status(404, "not found"));
    let ran = world.run(&["refresh", "-v"]).code(74);
    assert!(
        ran.stderr.contains("watch: the check behind the ping is gone: HTTP 404"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_run_that_somebody_ends_is_missed() {
    let (mut world, hook) = well(PING);
    world.at(day(45));
    hook.lines();
    world.graph.latency(Duration::from_secs(1));
    let connections = world.graph.connections();
    let child = world.spawn(&["refresh"]);
    until("it asks", || world.graph.connections() > connections);
    signal(&child, Signal::TERM);
    world.finish(child).code(143);
    assert_eq!(hook.lines(), [START]);
}

#[test]
fn a_watcher_that_is_deaf_is_a_warning_until_it_hears() {
    let chat = "[[notify]]\nname = \"chat\"\nwebhook = \"[HOOK]/chat\"\n";
    let (world, hook) = well(&format!("{PING}{chat}"));
    hook.lines();
    hook.reply("/ping", Reply::Status(500, "overloaded"));
    let ran = world.run(&["refresh", "--json"]).code(0);
    let warning = "notifications to `watch` fail since 2026-01-02 00:00 UTC, now: HTTP 500 of `127.0.0.1`: overloaded";
    assert_eq!(ran.json()["system"][0]["message"], warning);
    assert_eq!(hook.lines(), [START, START, SUCCESS, SUCCESS]);
    world.run(&["check"]).code(1);
    // The others hear of it.
    world.run(&["refresh"]).code(0);
    let said = hook.heard().into_iter().find(|it| it.line == "POST /chat").unwrap();
    let begins = "WARNING: notifications to watch fail since 2026-01-02 00:00 UTC, now: HTTP";
    assert!(said.text().starts_with(begins), "{}", said.text());
    hook.reply("/ping", Reply::Status(200, "ok"));
    let ran = world.run(&["refresh", "--json"]).code(0);
    assert_eq!(ran.json()["system"], serde_json::json!([]));
    hook.lines();
    world.run(&["check"]).code(0);
    world.run(&["refresh"]).code(0);
    let said = hook.heard().into_iter().find(|it| it.line == "POST /chat").unwrap();
    assert!(said.text().starts_with("RECOVERED: recovered, was: notifications to watch fail"));
}

#[test]
fn a_secret_that_cannot_be_read_stops_no_run() {
    let (world, hook) = dead("[[notify]]\nname = \"chat\"\nwebhook = \"[HOOK]/chat\"\n");
    hook.lines();
    let config = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
    assert!(config.contains(BRAND));
    let more =
        "[[notify]]\nping = { env = \"NOT_SET\" }\n[[notify]]\nwebhook = { env = \"NEITHER\" }\n";
    world.write("metatoken.toml", format!("{config}{more}"));
    let ran = world.run(&["refresh"]).code(77);
    assert_eq!(hook.said()[0], DEAD);
    for channel in ["ping NOT_SET", "webhook NEITHER"] {
        let told = format!(
            "notifications to `{channel}` fail since 2026-01-02 00:00 UTC, now: its secret cannot be read: "
        );
        assert!(ran.stdout.contains(&told), "{}", ran.stdout);
    }
}

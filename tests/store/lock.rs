//! One run at a time, and everybody else may look.

use std::time::{Duration, Instant};

use crate::common::{World, day, until};

/// Longer than any test: a run that waits for Graph goes on when the test lets it.
const HELD: Duration = Duration::from_secs(20);

/// A world in which `brand` is due, Graph is slow, and a run has just asked it for a renewal.
fn busy(latency: Duration) -> (World, std::process::Child) {
    let mut world = World::with_brand("");
    world.at(day(45));
    world.graph.latency(latency);
    let before = world.graph.connections();
    let child = world.spawn(&["refresh", "--json"]);
    until("the run asks Graph", || world.graph.connections() > before);
    (world, child)
}

#[test]
fn the_second_run_is_told_who_holds_the_lock() {
    let (world, child) = busy(HELD);
    let pid = child.id().to_string();
    let began = Instant::now();
    let ran = world.run(&["refresh"]).code(75).stdout("");
    assert!(began.elapsed() < HELD / 2, "it does not wait unless it is told to");
    for word in [&format!("pid {pid}"), "metatoken refresh", "2026-02-15 00:00 UTC"] {
        assert!(ran.stderr.contains(word), "{word} is missing: {}", ran.stderr);
    }
    let error = world.run(&["refresh", "--json"]).code(75).json()["error"].clone();
    assert_eq!((&error["code"], &error["exit_code"]), (&"busy".into(), &75.into()));
    assert!(error["message"].as_str().unwrap().contains(&pid), "{error}");
    world.graph.latency(Duration::ZERO);
    assert_eq!(world.finish(child).code(0).outcomes()["brand"], "refreshed");
    assert_eq!(world.exchanges(), 1);
}

#[test]
fn who_waits_for_the_lock_then_finds_nothing_due() {
    let (world, child) = busy(Duration::from_millis(250));
    let waited = world.run(&["refresh", "--json", "--lock-wait", "20s"]).code(0);
    assert_eq!(waited.outcomes()["brand"], "not_due");
    assert_eq!(world.finish(child).code(0).outcomes()["brand"], "refreshed");
    assert_eq!(world.exchanges(), 1);
}

#[test]
fn two_runs_at_once_renew_once() {
    let mut world = World::with_brand("");
    world.at(day(45));
    world.graph.latency(Duration::from_millis(50));
    let runs = [(); 4].map(|()| world.spawn(&["refresh", "--json", "--lock-wait", "20s"]));
    let mut outcomes: Vec<_> =
        runs.map(|run| world.finish(run).code(0).outcomes()["brand"].clone()).into();
    outcomes.sort();
    assert_eq!(outcomes, ["not_due", "not_due", "not_due", "refreshed"]);
    assert_eq!(world.exchanges(), 1);
}

#[test]
fn two_first_runs_at_once_make_one_store() {
    let world = World::new().config(crate::common::BRAND).token(
        "BRAND",
        metatoken::sandbox::TokenFixture::user(crate::common::APP, crate::common::ANNA),
    );
    let runs = [(); 4].map(|()| world.spawn(&["refresh", "--json", "--lock-wait", "20s"]));
    let adopted = runs
        .map(|run| world.finish(run).code(0).outcomes()["brand"].clone())
        .iter()
        .filter(|outcome| *outcome == "adopted")
        .count();
    assert_eq!(adopted, 1);
    assert_eq!(world.events("brand").len(), 1);
}

#[test]
fn waiting_ends_when_the_time_is_over() {
    let (world, child) = busy(HELD);
    let began = Instant::now();
    world.run(&["refresh", "--lock-wait", "1s"]).code(75).stdout("");
    assert!((1..10).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    end(&world, child);
}

/// A run that hung for days kept every later one from the lock, and cron's mail stayed empty until the
/// token had expired.
#[test]
fn quiet_speaks_of_the_lock_once_time_is_short() {
    let (mut world, child) = busy(HELD);
    for command in ["refresh", "deliver"] {
        world.run(&[command, "-q", "--lock-wait", "0s"]).code(75).silent();
    }
    world.our_clock_at(day(51));
    for command in ["refresh", "deliver"] {
        let ran = world.run(&[command, "-q", "--lock-wait", "0s"]).code(75).stdout("");
        let hint = "hint: expired, or expiring within `warn_within`: `brand`\n";
        assert!(ran.stderr.ends_with(hint), "{}", ran.stderr);
    }
    end(&world, child);
}

#[test]
fn a_killed_holder_leaves_no_lock() {
    let (world, child) = busy(HELD);
    end(&world, child);
    world.graph.latency(Duration::ZERO);
    let ran = world.run(&["refresh", "--json"]).code(0);
    assert_eq!(ran.outcomes()["brand"], "refreshed");
}

#[test]
fn everybody_may_look_while_a_run_works() {
    let (world, child) = busy(HELD);
    let began = Instant::now();
    world.run(&["check"]).code(2);
    world.run(&["status", "--offline"]).code(0);
    world.run(&["history"]).code(0);
    world.run(&["config", "show"]).code(0);
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand1");
    assert!(began.elapsed() < HELD / 2, "nobody waited for the run");
    end(&world, child);
}

/// Ends a run that nobody waits for any more.
fn end(world: &World, mut child: std::process::Child) {
    child.kill().unwrap();
    assert_eq!(world.finish(child).signal, Some(9));
}

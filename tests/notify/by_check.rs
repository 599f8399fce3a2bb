//! `check --notify`: what no run can say.

use std::time::Duration;

use super::{CHAT, DEAD, dead, kill, logs_in_again, well};
use crate::common::{BRAND, World, day, until};

const STOPPED: &str = "no run since 2026-01-01 00:00 UTC";

#[test]
fn a_timer_that_stopped_is_told_by_whoever_looks() {
    let (mut world, hook) = well(CHAT);
    world.set("APP_SECRET", "");
    for (today, code, said) in [
        (1, 0, vec![]),
        (2, 1, vec![format!("WARNING: {STOPPED}, 2 days ago; operator: metatoken refresh")]),
        (3, 1, vec![]),
        (
            4,
            2,
            vec![format!("CRITICAL: brand: {STOPPED}, 4 days ago; operator: metatoken refresh")],
        ),
        (6, 2, vec![]),
        (12, 2, vec![]),
    ] {
        world.at(day(today));
        world.run(&["check", "--notify"]).code(code).stderr("");
        assert_eq!(hook.said(), said, "day {today}");
    }
}

#[test]
fn the_next_run_takes_it_back() {
    let (mut world, hook) = well(CHAT);
    world.at(day(2));
    world.run(&["check", "--notify"]).code(1);
    assert_eq!(hook.said().len(), 1);
    world.run(&["refresh"]).code(0);
    assert_eq!(hook.said(), [format!("RECOVERED: recovered, was: {STOPPED}, 2 days ago")]);
    world.run(&["check", "--notify"]).code(0);
    assert_eq!(hook.said(), [""; 0]);
}

#[test]
fn what_a_run_has_told_is_not_told_again_and_what_it_has_not_is() {
    let (world, hook) = dead(CHAT);
    world.run(&["refresh"]).code(77);
    assert_eq!(hook.said(), [DEAD]);
    world.run(&["check", "--notify"]).code(2).stderr("");
    assert_eq!(hook.said(), [""; 0]);
    // A run that told nobody: the channel came later.
    let (world, hook) = dead("");
    world.run(&["refresh"]).code(77);
    let chat = CHAT.replace("[HOOK]", &hook.origin);
    world.reconfigure(&format!("{BRAND}{chat}"));
    let plain = world.run(&["check"]).code(2);
    assert_eq!(hook.said(), [""; 0]);
    world.run(&["check", "--notify"]).code(2).stdout(&plain.stdout).stderr("");
    assert_eq!(hook.said(), [DEAD]);
    world.run(&["refresh"]).code(77);
    assert_eq!(hook.said(), [""; 0]);
}

#[test]
fn a_live_answer_is_told_as_well() {
    let (world, hook) = well(CHAT);
    kill(&world);
    world.run(&["check", "--live", "--notify"]).code(2);
    assert_eq!(hook.said(), [DEAD]);
    logs_in_again(&world);
    world.run(&["check", "--notify"]).code(0);
    let back = "RECOVERED: brand: recovered, was: password changed";
    assert_eq!(hook.said(), [back]);
}

#[test]
fn while_a_run_is_under_way_it_tells_nobody_and_ends_as_usual() {
    let (mut world, hook) = well(CHAT);
    world.at(day(45));
    world.graph.latency(Duration::from_secs(20));
    let before = world.graph.connections();
    let child = world.spawn(&["refresh"]);
    until("the run asks Graph", || world.graph.connections() > before);
    world.run(&["check", "--notify"]).code(2).stderr("");
    assert_eq!(hook.said(), [""; 0]);
    world.graph.latency(Duration::ZERO);
    world.finish(child).code(0);
}

#[test]
fn without_a_store_nobody_is_told() {
    let (world, hook) = World::new().told_through(&format!("{BRAND}{CHAT}"));
    let plain = world.run(&["check"]).code(3).stderr("");
    let ran = world.run(&["check", "--notify"]).code(3).stdout(&plain.stdout);
    assert!(ran.stderr.contains("nothing is sent"), "{}", ran.stderr);
    assert!(!world.path("metatoken.db").exists());
    assert_eq!(hook.said(), [""; 0]);
}

#[test]
fn a_part_of_the_verdict_tells_nobody() {
    let (world, hook) = dead(CHAT);
    for part in ["--tokens", "--system", "brand"] {
        world.run(&["check", "--notify", part]).code(3);
    }
    assert_eq!(hook.said(), [""; 0]);
}

#[test]
fn run_every_says_when_a_timer_has_stopped() {
    let every = |span: &str| format!("{CHAT}[alerts]\nrun_every = \"{span}\"\n");
    let (world, hook) = World::new().told_through(&format!("{BRAND}{}", every("1h")));
    world.run(&["check"]).code(1).verdict(
        "
METATOKEN WARNING - no run has finished yet; operator: metatoken refresh (and 1 more)
WARNING: no run has finished yet
  run `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check --system`
UNKNOWN: `brand`: no access token yet
  run `metatoken refresh brand`. Without an `access_token` in the config run `metatoken exchange brand` and paste one. Proof: `metatoken check brand`
",
    );
    drop(hook);
    let (mut world, hook) = well(&every("1d"));
    for (today, code, said) in [
        (2, 0, vec![]),
        (3, 0, vec![]),
        (4, 1, vec![format!("WARNING: brand: {STOPPED}, 4 days ago; operator: metatoken refresh")]),
        // Half of the narrowest window.
        (10, 1, vec![]),
        (
            11,
            2,
            vec![format!("CRITICAL: brand: {STOPPED}, 11 days ago; operator: metatoken refresh")],
        ),
    ] {
        world.at(day(today));
        world.run(&["check", "--system"]).code(code);
        let _ = world.run(&["check", "--notify"]);
        let timers: Vec<_> = hook.said().into_iter().filter(|it| it.contains(STOPPED)).collect();
        assert_eq!(timers, said, "day {today}");
    }
}

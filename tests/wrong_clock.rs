//! A machine whose clock is wrong: it is told, and nothing is called expired or due by it.

use chrono::TimeDelta;
use serde_json::Value;

use crate::world::{World, day};

/// Whether this list of reasons has one of that code.
fn has(reasons: &Value, code: &str) -> bool {
    reasons.as_array().unwrap().iter().any(|reason| reason["code"] == code)
}

/// On day `n` by Graph's clock, and so much later by ours.
fn off_by(world: &mut World, n: i64, skew: TimeDelta) {
    world.at(day(n));
    world.our_clock_at(day(n) + skew);
}

#[test]
fn nothing_is_expired_or_due_by_a_clock_that_is_far_off() {
    let skews = [TimeDelta::days(365), TimeDelta::days(-365), TimeDelta::hours(2)];
    for skew in skews {
        let mut world = World::with_brand("");
        off_by(&mut world, 10, skew);
        for _ in 0..2 {
            let ran = world.run(&["refresh", "brand", "--json"]).code(0);
            assert!(has(&ran.json()["system"], "clock_skew"), "{skew}: {}", ran.stdout);
            assert_eq!(ran.outcomes()["brand"], "verified", "{skew}");
            assert_eq!(world.exchanges(), 0, "{skew}");
        }
        let ran = world.run(&["check", "--json"]).code(1);
        let json = ran.json();
        assert!(has(&json["system"], "clock_skew"), "{skew}: {json:#}");
        let token = &json["tokens"][0];
        assert_eq!(
            (&token["state"], &token["health"]),
            (&"valid".into(), &"ok".into()),
            "{skew}: {token:#}"
        );
        assert_eq!(token["refresh"]["due"], false, "{skew}: {token:#}");
        assert_eq!(world.offline("brand")["state"], "valid", "{skew}");
        let live = world.run(&["status", "--live", "--json"]).code(0).json();
        assert_eq!(live["tokens"][0]["state"], "valid", "{skew}: {live:#}");

        // Somebody sets the clock.
        world.at(day(12));
        let ran = world.run(&["refresh", "--json"]).code(0);
        assert!(!has(&ran.json()["system"], "clock_skew"), "{skew}: {}", ran.stdout);
        assert_eq!(ran.outcomes()["brand"], "verified", "{skew}: {}", ran.stdout);
        world.run(&["check"]).code(0);
    }
}

#[test]
fn a_token_is_renewed_by_graphs_clock_when_ours_is_not_believed() {
    let mut world = World::with_brand("");
    off_by(&mut world, 45, TimeDelta::days(-300));
    let ran = world.run(&["refresh", "--json"]).code(0);
    assert_eq!(ran.outcomes()["brand"], "refreshed", "{}", ran.stdout);
    assert_eq!(ran.result("brand")["new_expires_at"], "2026-04-16T00:00:00Z");
    world.run(&["refresh", "--json"]).code(0);
    assert_eq!(world.exchanges(), 1);
}

#[test]
fn a_clock_that_runs_weeks_ahead_does_not_renew_again_and_again() {
    let mut world = World::with_brand("");
    for n in 10..16 {
        off_by(&mut world, n, TimeDelta::days(45));
        let ran = world.run(&["refresh", "--json"]).code(0);
        assert!(has(&ran.json()["system"], "clock_skew"), "{}", ran.stdout);
    }
    // The first of these runs could not know better before it asked.
    assert!(world.exchanges() <= 1, "{} renewals", world.exchanges());
    off_by(&mut world, 16, TimeDelta::days(45));
    world.run(&["check"]).code(1);
    assert_eq!(world.offline("brand")["state"], "valid");

    world.at(day(51));
    let ran = world.run(&["refresh", "--json"]).code(0);
    assert!(!has(&ran.json()["system"], "clock_skew"), "{}", ran.stdout);
    assert_eq!(ran.outcomes()["brand"], "refreshed", "due by the right clock: {}", ran.stdout);
}

#[test]
fn ten_minutes_are_told_and_change_nothing() {
    for skew in [TimeDelta::minutes(10), TimeDelta::minutes(-10)] {
        let mut world = World::with_brand("");
        off_by(&mut world, 45, skew);
        let ran = world.run(&["refresh", "--json"]).code(0);
        assert_eq!(ran.outcomes()["brand"], "refreshed", "{}", ran.stdout);
        assert!(has(&ran.json()["system"], "clock_skew"), "{}", ran.stdout);
        let check = world.run(&["check", "--json"]).code(1).json();
        assert!(has(&check["system"], "clock_skew"), "{check:#}");
    }
    let mut world = World::with_brand("");
    off_by(&mut world, 45, TimeDelta::minutes(4));
    let ran = world.run(&["refresh", "--json"]).code(0);
    assert!(!has(&ran.json()["system"], "clock_skew"), "{}", ran.stdout);
}

#[test]
fn an_expired_token_is_no_victim_of_the_clock() {
    let mut world = World::with_brand("");
    off_by(&mut world, 61, TimeDelta::days(-40));
    let ran = world.run(&["refresh", "--json"]).code(77);
    assert_eq!(ran.result("brand")["problem"]["kind"], "expired", "{}", ran.stdout);
    world.run(&["check"]).code(2);
}

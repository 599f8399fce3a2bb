//! Meta's own pauses: kept for as long as it said, whoever insists and whatever our clock shows.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Renewal, Rule};

use crate::common::brand::{INSTA, answer, brand, creator, hour, minute, user};
use crate::common::{World, day};

/// A limit that is one business's, met on day 45: Graph answers again in five hours.
fn five_hours() -> FaultInjection {
    let usage =
        r#"{"77":[{"type":"pages","call_count":100,"estimated_time_to_regain_access":300}]}"#;
    let body = r#"{"error":{"message":"There have been too many calls","type":"OAuthException","code":80001}}"#;
    FaultInjection::Raw {
        status: 400,
        headers: vec![
            ("Content-Type", "application/json".to_owned()),
            ("X-Business-Use-Case-Usage", usage.to_owned()),
            ("Date", day(45).format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ],
        body: body.as_bytes().to_vec(),
    }
}

/// Meta named five hours, and was asked again after a quarter of one, twice in every run.
#[test]
fn a_wait_that_meta_names_is_kept() {
    let mut world = brand(user());
    world.graph.misbehave(Rule::any(), five_hours());
    world.at(day(45));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  failed   2026-03-02  rate limited (80001)

critical: `brand`: not checked since 2026-01-01, no answer from Graph for more than 7 days (`checked_within`)
  hint: run `metatoken refresh -v` to see why Graph was not reached

1 token: 1 failed
",
        )
        .exit(Exit::Unavailable);
    assert_eq!(world.calls(), ["oauth/access_token Brand"]);
    for minutes in [20, 60, 240, 299] {
        world.at(minute(45, minutes));
        for arguments in [&["refresh"][..], &["refresh", "--force", "brand"]] {
            let ran = world.run(arguments).exit(Exit::Ok);
            let next = "the last try failed; the next is 2026-02-15 05:00 UTC";
            assert!(ran.stdout.contains(next), "+{minutes} min: {}", ran.stdout);
            assert_eq!(world.calls(), [""; 0], "+{minutes} min, {arguments:?}");
        }
    }
    world.graph.behave();
    world.at(hour(45, 5));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["brand"], "refreshed");
}

/// A pause was written by Graph's clock and read by ours: days too long, or over before it began.
#[test]
fn a_pause_is_as_long_where_our_clock_is_wrong() {
    for skew in [3, -48, -24 * 40] {
        let mut world = brand(user());
        world.graph.misbehave(Rule::any().once(), FaultInjection::Throttled);
        for (minutes, exit, calls) in
            [(0, Exit::Unavailable, 1), (5, Exit::Unavailable, 0), (49, Exit::Unavailable, 0)]
        {
            both_clocks(&mut world, minutes, skew);
            world.run(&["refresh"]).exit(exit);
            assert_eq!(world.calls().len(), calls, "{skew} h off, +{minutes} min");
        }
        both_clocks(&mut world, 51, skew);
        let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
        assert_eq!(ran.outcomes()["brand"], "refreshed", "{skew} h off: {}", ran.stdout);
    }
}

/// The same for the pause of one token, of which Meta names the length.
#[test]
fn a_tokens_own_pause_is_as_long_where_our_clock_is_wrong() {
    for skew in [3, -48] {
        let mut world = brand(user());
        world.graph.misbehave(Rule::any().once(), five_hours());
        both_clocks(&mut world, 0, skew);
        world.run(&["refresh"]).exit(Exit::Unavailable);
        world.calls();
        for minutes in [5, 150, 295] {
            both_clocks(&mut world, minutes, skew);
            world.run(&["refresh"]).exit(Exit::Ok);
            assert_eq!(world.calls(), [""; 0], "{skew} h off, +{minutes} min");
        }
        both_clocks(&mut world, 305, skew);
        let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
        assert_eq!(ran.outcomes()["brand"], "refreshed", "{skew} h off: {}", ran.stdout);
    }
}

/// So many minutes into day 45 by Graph's clock, and so many hours later by ours.
fn both_clocks(world: &mut World, minutes: i64, skew: i64) {
    world.at(minute(45, minutes));
    world.our_clock_at(minute(45, minutes) + TimeDelta::hours(skew));
}

/// The day counted from when the string was first given, so an hour after a renewal Meta was asked.
#[test]
fn a_day_counts_from_the_last_extension() {
    let spec = creator().aged(TimeDelta::days(3)).renewal(Renewal::ExtendsInPlace);
    let mut world = World::new().config(INSTA).token("CREATOR", spec);
    world.run(&["refresh"]).exit(Exit::Ok);
    world.at(day(45));
    world.run(&["refresh"]).exit(Exit::Ok);
    world.calls();
    world.at(hour(45, 1));
    world.run(&["refresh", "--force", "creator"]).stdout("
TOKEN    OUTCOME    EXPIRES     REASON
creator  too young  2026-04-16  less than a day old, too young to renew: next 2026-02-16 00:00 UTC, in 23 hours

1 token: 1 too young
").stderr("").exit(Exit::Ok);
    assert_eq!(world.calls(), ["instagram/me Creator"]);
    world.at(hour(46, 1));
    let ran = world.run(&["refresh", "--force", "creator", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["creator"], "refreshed");
}

/// An app that was disabled for a moment made the run forget that the string was too young.
#[test]
fn a_passing_trouble_of_the_app_does_not_end_metas_pause() {
    let mut world = World::new().config(INSTA).token("CREATOR", creator());
    world.run(&["refresh"]).exit(Exit::Ok);
    world.at(hour(0, 1));
    let disabled = r#"{"error":{"message":"API access deactivated. To reactivate, go to the app dashboard","type":"OAuthException","code":200}}"#;
    world.graph.misbehave(Rule::on("/me").once(), answer(400, disabled));
    world.run(&["refresh", "creator"]).exit(Exit::PersonNeeded);
    world.calls();
    world.at(hour(0, 2));
    world.run(&["refresh", "--force", "creator"]).stdout("
TOKEN    OUTCOME    EXPIRES  REASON
creator  too young  unknown  less than a day old, too young to renew: next 2026-01-02 00:00 UTC, in 22 hours

unknown: `creator`: works, Meta reports no expiry, known when it is renewed, in 22 hours (2026-01-02 00:00 UTC)
  hint: nothing to do yet: it is renewed then

1 token: 1 too young
").stderr("").exit(Exit::Ok);
    assert_eq!(world.calls(), ["instagram/me Creator"]);
}

//! A machine whose clock is wrong: it is told, and nothing is called expired or due by it.

use chrono::TimeDelta;
use metatoken::sandbox::TokenFixture;
use serde_json::Value;

use crate::common::{ANNA, APP, BRAND, World, day, ends, is_long};

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
        for outcome in ["verified", "not_due"] {
            let ran = world.run(&["refresh", "--json"]).code(0);
            assert!(has(&ran.json()["system"], "clock_skew"), "{skew}: {}", ran.stdout);
            assert_eq!(ran.outcomes()["brand"], outcome, "{skew}");
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
    assert_eq!(world.exchanges(), 0, "the first of these runs asked Graph for the time first");
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

/// One that is renewed, and one with little time left that only a person can renew.
const TWO: &str = r#"
[token.other]
type = "user"
access_token = { env = "OTHER" }
auto_refresh = false
"#;

/// How far a clock can be off: a battery that is empty, a typing error, a day, an hour; in short
/// some of each kind.
fn offsets() -> impl Iterator<Item = TimeDelta> {
    const SOME: [i64; 5] = [-20_700, -31, 1, 58, 4_000];
    let days = [-20_700, -800, -400, -31, -1, 1, 30, 58, 400, 4_000];
    let days = days.into_iter().filter(|days| is_long() || SOME.contains(days));
    let hours = [-2, 2].into_iter().filter(|hours| is_long() || *hours < 0);
    days.map(TimeDelta::days).chain(hours.map(TimeDelta::hours))
}

/// A world in which two tokens were adopted on day 0; one ends on day 12. It remembers a week.
fn two() -> World {
    let user = || TokenFixture::user(APP, ANNA);
    let world = World::new()
        .config(&format!("{BRAND}{TWO}[store]\nkeep_events = \"7d\"\n"))
        .token("BRAND", user().named("brand"))
        .token("OTHER", user().named("other").ending(ends(12)));
    world.run(&["refresh"]).code(0);
    world
}

/// What a program and a person learn: the verdicts, and what is known of the tokens.
fn learnt(world: &World) -> [String; 3] {
    let told = |arguments: &[&str]| world.run(arguments).stdout;
    [
        told(&["check", "--json"]),
        told(&["status", "--offline", "--json"]),
        told(&["history", "--json"]).replace("\"run\"", ""),
    ]
}

/// How many strings are sealed, runs remembered and renewals asked for.
fn kept(world: &World) -> (i64, i64, usize) {
    let count = |sql: &str| world.sql().query_row(sql, [], |row| row.get(0)).unwrap();
    let sealed = count("SELECT count(*) FROM generation WHERE sealed IS NOT NULL");
    (sealed, count("SELECT count(*) FROM run"), world.exchanges())
}

/// What came of two tokens whose clock was so far off on day 10 and was set right then.
#[derive(Debug, PartialEq)]
struct Life {
    kept: [(i64, i64, usize); 2],
    while_it_was_wrong: Value,
    /// Before, at and after each run: what is learnt, how the run ended, what is learnt then.
    since: Vec<([String; 3], Option<i32>, [String; 3])>,
}

fn life(skew: TimeDelta) -> Life {
    let mut world = two();
    off_by(&mut world, 10, skew);
    let _ = world.run(&["refresh", "--json"]).code(77);
    let before = kept(&world);
    let json = world.run(&["check", "--json"]).code(2).json();
    assert_eq!(has(&json["system"], "clock_skew"), !skew.is_zero(), "{skew}: {json:#}");
    // Set right, before any run; and with every run from then on.
    let since = [0, 1, 26].map(|hours| {
        world.at(day(10) + TimeDelta::hours(hours));
        let (at_once, code) = (learnt(&world), world.run(&["refresh"]).code);
        let check = world.run(&["check", "--json"]).json();
        assert!(!has(&check["system"], "window_too_narrow"), "{skew}: {check:#}");
        (at_once, code, learnt(&world))
    });
    Life {
        kept: [before, kept(&world)],
        while_it_was_wrong: json["tokens"].clone(),
        since: since.into(),
    }
}

#[test]
fn a_clock_that_was_wrong_once_leaves_nothing_behind() {
    let right = life(TimeDelta::zero());
    for skew in offsets() {
        assert_eq!(life(skew), right, "{skew}");
    }
}

#[test]
fn a_clock_that_was_wrong_while_graph_was_away_leaves_nothing_behind() {
    for skew in offsets() {
        let (mut wrong, mut right) = (two(), two());
        let config = std::fs::read_to_string(wrong.path("metatoken.toml")).unwrap();
        let port = wrong.graph.url().rsplit(':').next().unwrap().to_owned();
        // Nobody listens there.
        wrong.write("metatoken.toml", config.replace(&port, "9"));
        off_by(&mut wrong, 10, skew);
        let before = kept(&wrong);
        for arguments in
            [&["refresh"][..], &["deliver"], &["check"], &["refresh", "--force", "brand"]]
        {
            let code = wrong.run(arguments).code;
            assert!(code.is_some_and(|code| code < 70 || code == 77), "{skew}: {code:?}");
        }
        assert_eq!(kept(&wrong).0, before.0, "{skew}: nothing is deleted by a clock alone");
        assert!(kept(&wrong).1 > before.1, "{skew}");
        wrong.write("metatoken.toml", &config);
        for hour in [1, 2, 30] {
            for world in [&mut wrong, &mut right] {
                world.at(day(10) + TimeDelta::hours(hour));
                let _ = world.run(&["refresh"]);
            }
            let verdicts = [&wrong, &right].map(|world| {
                let json = world.run(&["check", "--json"]).json();
                (json["health"].clone(), json["system"].clone(), json["tokens"].clone())
            });
            assert_eq!(verdicts[0].0, verdicts[1].0, "{skew}, hour {hour}");
            assert_eq!(verdicts[0].1, verdicts[1].1, "{skew}, hour {hour}");
            for (wrong, right) in
                verdicts[0].2.as_array().unwrap().iter().zip(verdicts[1].2.as_array().unwrap())
            {
                for field in ["health", "state", "reasons", "valid", "expires_at", "verified_at"] {
                    assert_eq!(wrong[field], right[field], "{skew}, hour {hour}: {wrong:#}");
                }
            }
        }
        // It is renewed when it is due, and not later.
        wrong.at(day(41));
        let ran = wrong.run(&["refresh", "brand", "--json"]).code(0);
        assert_eq!(ran.outcomes()["brand"], "refreshed", "{skew}: {}", ran.stdout);
        let dates = "SELECT max(started_at, coalesce(finished_at, 0)) FROM run ORDER BY 1 DESC";
        let last: i64 = wrong.sql().query_row(dates, [], |row| row.get(0)).unwrap();
        assert_eq!(last, day(41).timestamp(), "{skew}: no run lies ahead");
    }
}

#[test]
fn a_run_does_not_delete_itself() {
    let mut world = two();
    // Nothing is due and nobody is asked: field notes, 58.
    for now in ["1970-01-01T00:10:00Z", "2025-01-01T00:00:00Z"] {
        world.our_clock_at(now.parse().unwrap());
        world.run(&["refresh"]).code(0);
        world.run(&["check"]).code(1);
        assert_eq!(world.last_run(), (true, Some(0)));
    }
}

/// A machine may be set up while its battery is empty.
#[test]
fn a_first_run_by_a_wrong_clock_leaves_nothing_behind() {
    let after = |offset: TimeDelta| {
        let user = || TokenFixture::user(APP, ANNA);
        let mut world = World::new()
            .config(&format!("{BRAND}rotate_after = \"90d\"\n{TWO}"))
            .token("BRAND", user().named("brand"))
            .token("OTHER", user().named("other").ending(ends(12)));
        off_by(&mut world, 0, offset);
        world.run(&["refresh"]).code(0);
        world.run(&["status", "--live"]).code(0);
        world.at(day(1));
        world.run(&["refresh"]).code(0);
        let check = world.run(&["check"]);
        let offline = world.run(&["status", "--offline"]);
        world.at(day(1) + TimeDelta::hours(20));
        let later = world.run(&["check"]);
        world.at(day(41));
        let renewed = world.run(&["refresh", "brand", "--json"]).outcomes()["brand"].clone();
        (check.stdout, check.code, offline.stdout, later.stdout, later.code, renewed)
    };
    let right = after(TimeDelta::zero());
    for offset in offsets() {
        assert_eq!(after(offset), right, "{offset}");
    }
}

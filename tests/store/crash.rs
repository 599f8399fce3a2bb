//! Kills at every step of a renewal, with a Graph that keeps the old string alive and with one
//! that kills it.
//!
//! A grant that was sealed is never lost. One that was lost before that is named by the next run;
//! if Meta has ended the old string meanwhile, a person is called.

use std::fmt::Write as _;
use std::time::Duration;

use metatoken::exit::Exit;
use metatoken::sandbox::{OldString, TokenFixture, UserFixture};

use crate::common::{ANNA, APP, BAKERY, BRAND, World, day, ends};

const ONE: &str = "EAAFAKEBrand1";
const TWO: &str = "EAAFAKEBrand2";
const THREE: &str = "EAAFAKEBrand3";

/// What is to be true after a kill and the run that follows it.
struct After {
    /// How many grants Meta had given when the process died.
    granted: usize,
    /// What `token` prints between the two runs.
    between: &'static str,
    /// What it prints after the second.
    at_last: &'static str,
    /// How the second run ends.
    code: u8,
    /// How many grants there are then.
    granted_at_last: usize,
    /// Whether the second run names the renewal that was cut short.
    named: bool,
}

/// Nothing was asked of Meta yet: the next run simply does it.
const UNASKED: After =
    After { granted: 0, between: ONE, at_last: TWO, code: 0, granted_at_last: 1, named: true };
/// The grant is lost; the old string lives and is renewed again.
const LOST: After =
    After { granted: 1, between: ONE, at_last: THREE, code: 0, granted_at_last: 2, named: true };
/// The grant is lost and the old string with it.
const LOST_FOR_GOOD: After =
    After { granted: 1, between: ONE, at_last: ONE, code: 77, granted_at_last: 1, named: true };
/// The grant is sealed: the next run examines it and uses it.
const SEALED: After =
    After { granted: 1, between: ONE, at_last: TWO, code: 0, granted_at_last: 1, named: false };
/// It is in use already.
const DONE: After =
    After { granted: 1, between: TWO, at_last: TWO, code: 0, granted_at_last: 1, named: false };

fn kill_a_renewal(place: &str, fate: OldString, after: &After) {
    let what = format!("{place}, the old string {fate:?}");
    let mut world = World::with_brand("");
    world.graph.with(|graph| graph.set_old_string(fate));
    world.at(day(45));
    world.killed_at(place, &["refresh"], "");
    assert_eq!(world.exchanges(), after.granted, "{what}");
    assert_eq!(world.in_use("brand"), after.between, "{what}");
    assert_eq!(world.last_run(), (false, None), "{what}");

    let ran = world.run(&["refresh", "--json"]).code(after.code);
    assert_eq!(world.exchanges(), after.granted_at_last, "{what}");
    assert_eq!(world.in_use("brand"), after.at_last, "{what}");
    let told = world.events("brand").iter().any(|(_, why)| why.contains("cut short"));
    assert_eq!(told, after.named, "{what}: {:?}", world.events("brand"));
    if after.code == 77 {
        let result = ran.result("brand");
        assert_eq!(result["outcome"], "invalid", "{what}");
        assert_eq!(result["problem"]["action"], "reauthenticate", "{what}");
    }
    quiet_from_now_on(&world, after.code, &what);
}

/// Two further runs ask for no grant, change nothing and say nothing new.
fn quiet_from_now_on(world: &World, code: u8, what: &str) {
    let (exchanges, events) = (world.exchanges(), world.events("brand"));
    for _ in 0..2 {
        let ran = world.run(&["refresh", "--quiet"]).code(code);
        assert_eq!(ran.stdout.is_empty(), code == 0, "{what}: {}", ran.stdout);
        assert_eq!(world.last_run(), (true, Some(i64::from(code))), "{what}");
    }
    assert_eq!(world.exchanges(), exchanges, "{what}");
    assert_eq!(world.events("brand"), events, "{what}");
}

#[test]
fn a_kill_before_the_request_costs_nothing() {
    for place in ["planned", "announced", "before-request"] {
        for fate in [OldString::Lives, OldString::Dies] {
            kill_a_renewal(place, fate, &UNASKED);
        }
    }
}

#[test]
fn a_kill_before_the_seal_loses_the_grant_and_says_so() {
    for place in ["granted", "before-seal"] {
        kill_a_renewal(place, OldString::Lives, &LOST);
    }
}

#[test]
fn a_grant_that_is_lost_together_with_the_old_string_calls_a_person() {
    for place in ["granted", "before-seal"] {
        kill_a_renewal(place, OldString::Dies, &LOST_FOR_GOOD);
    }
}

#[test]
fn a_kill_after_the_seal_loses_nothing() {
    for fate in [OldString::Lives, OldString::Dies] {
        kill_a_renewal("sealed", fate, &SEALED);
        kill_a_renewal("promoted", fate, &DONE);
    }
}

/// A world of so many user tokens, each of a person of its own.
fn world_of(labels: &[&str], calls: usize) -> World {
    let mut config = format!("[http]\nconcurrency = {calls}\n");
    let mut world = World::new();
    for (number, label) in labels.iter().enumerate() {
        let (person, variable) = (format!("30000000000001{number:02}"), label.to_uppercase());
        let _ = write!(
            config,
            "[token.{label}]\ntype = \"user\"\naccess_token = {{ env = \"{variable}\" }}\n"
        );
        world.graph.with(|graph| graph.add_user(UserFixture::new(&person, label)));
        world = world.token(&variable, TokenFixture::user(APP, &person).named(label));
    }
    world.config(&config)
}

/// How many access tokens Graph has given out for a label that the store has no row of.
fn not_stored(world: &World, label: &str) -> usize {
    let words = format!("EAAFAKE{}{}", label[..1].to_uppercase(), &label[1..]);
    let given =
        world.graph.with(|graph| graph.strings().filter(|it| it.starts_with(&words)).count());
    let count = "SELECT count(*) FROM generation
                 WHERE token = (SELECT id FROM token WHERE label = ?1)";
    let stored: i64 = world.sql().query_row(count, [label], |row| row.get(0)).unwrap();
    given - usize::try_from(stored).unwrap()
}

#[test]
fn a_kill_among_many_renewals_loses_no_sealed_grant_and_each_that_is_lost_is_named() {
    const CALLS: usize = 4;
    const WORKERS: usize = 5;
    let labels = [
        "brand", "bert", "cleo", "dina", "emil", "fred", "gina", "hans", "ines", "jens", "karl",
        "lisa",
    ];
    for (place, at_least) in [("granted:6", 1), ("sealed:6", 0), ("promoted:6", 0)] {
        let mut world = world_of(&labels, CALLS);
        world.run(&["refresh"]).code(0);
        world.at(day(45));
        world.graph.latency(Duration::from_millis(20));
        world.killed_at(place, &["refresh"], "");
        world.run(&["refresh"]).code(0);
        let lost = |label: &&&str| not_stored(&world, label) > 0;
        let lost: Vec<&&str> = labels.iter().filter(lost).collect();
        assert!((at_least..=WORKERS).contains(&lost.len()), "{place}: {lost:?}");
        for label in &lost {
            let events = world.events(label);
            assert!(events.iter().any(|(_, why)| why.contains("cut short")), "{place}: {events:?}");
        }
        world.graph.latency(Duration::ZERO);
        quiet_from_now_on(&world, 0, place);
    }
}

/// The short-lived string that a person hands over on day 10.
fn handed_over(place: &str, fate: OldString) -> World {
    let mut world = World::new().config(&BRAND.replace("access_token = { env = \"BRAND\" }\n", ""));
    world.at(day(10));
    world.graph.with(|graph| graph.set_old_string(fate));
    let ends = metatoken::token::Expiry::At(day(10) + chrono::TimeDelta::hours(1));
    let string = world.mint(TokenFixture::user(APP, ANNA).named("brand").ending(ends));
    world.killed_at(place, &["exchange", "brand"], &string);
    world
}

#[test]
fn an_exchange_that_is_killed_after_the_seal_is_finished_by_the_next_run() {
    for fate in [OldString::Lives, OldString::Dies] {
        for place in ["sealed", "promoted"] {
            let world = handed_over(place, fate);
            world.run(&["refresh"]).code(0);
            assert_eq!((world.in_use("brand"), world.exchanges()), (TWO.to_owned(), 1));
            quiet_from_now_on(&world, 0, place);
        }
    }
}

#[test]
fn an_exchange_that_is_killed_before_the_seal_stores_nothing_and_is_named() {
    for fate in [OldString::Lives, OldString::Dies] {
        for place in ["before-request", "granted", "before-seal"] {
            let world = handed_over(place, fate);
            world.run(&["token", "brand"]).code(1).stdout("");
            let ran = world.run(&["refresh", "--json"]).code(77);
            let result = ran.result("brand");
            assert_eq!(result["outcome"], "invalid", "{place}: {result:#}");
            let told = world.events("brand").iter().any(|(_, why)| why.contains("cut short"));
            assert!(told, "{place}: {:?}", world.events("brand"));
            quiet_from_now_on(&world, 77, place);
        }
    }
}

#[test]
fn pages_get_their_strings_although_the_run_that_renewed_their_parent_was_killed() {
    let page = format!(
        "{BRAND}\n[token.page]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"{BAKERY}\"\n"
    );
    for place in ["sealed", "promoted"] {
        let mut world =
            World::new().config(&page).token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
        world.run(&["refresh"]).code(0);
        let before = world.in_use("page");
        world.at(day(45));
        world.killed_at(place, &["refresh"], "");
        assert_eq!(world.in_use("page"), before, "{place}");
        world.run(&["refresh"]).code(0);
        assert_eq!(world.in_use("brand"), TWO, "{place}");
        let parent: (i64, i64) = world
            .sql()
            .query_row(
                "SELECT p.parent, b.id FROM generation p, generation b
                 WHERE p.state = 'current' AND b.state = 'current'
                   AND p.token = (SELECT id FROM token WHERE label = 'page')
                   AND b.token = (SELECT id FROM token WHERE label = 'brand')",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!(parent.0, parent.1, "{place}: the Page hangs on its parent's new string");
    }
}

#[test]
fn a_kill_while_the_store_is_made_leaves_one_that_opens() {
    let mut world = World::new().config(BRAND).token(
        "BRAND",
        TokenFixture::user(APP, ANNA)
            .named("brand")
            .aged(chrono::TimeDelta::days(50))
            .ending(ends(10)),
    );
    for place in ["before-seal", "sealed", "promoted", "announced"] {
        world.killed_at(place, &["refresh"], "");
        let _ = world.run(&["check"]);
        world.run(&["history"]).code(0);
    }
    world.at(day(1));
    world.run(&["refresh"]).exit(Exit::Ok);
    quiet_from_now_on(&world, 0, "at last");
}

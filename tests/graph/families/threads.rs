//! Threads: it may tell when a string ends or may not let us ask; either way renewal needs no
//! secret, and a wrong id or secret says nothing against a string.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{Invalidation, OldString, Renewal, Rule, ThreadsInspection, TokenFixture};
use metatoken::token::Expiry;
use serde_json::json;

use super::{NOTES_CONFIG, hours, notes};
use crate::common::brand::answer;
use crate::common::{APP, CREATOR, World, day};

const ASKED: &str = "threads/debug_token Notes";
const RENEWED: &str = "threads/refresh_access_token Notes";

/// Two tokens of one app.
const TWO: &str = r#"
[token.other]
type = "threads"
access_token = { env = "OTHER" }
"#;

fn world(spec: TokenFixture) -> World {
    World::new().config(NOTES_CONFIG).token("NOTES", spec)
}

#[test]
fn where_threads_tells_the_end_a_token_rests_until_its_window() {
    let mut world = world(notes());
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
notes  adopted  2026-03-02  found in the environment variable `NOTES`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), [ASKED]);
    world.lives_until(30);
    world.at(day(40));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
notes  refreshed  2026-04-11  expires in 20 days (renewal window: 20 days)

1 token: 1 refreshed
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), [RENEWED, ASKED]);
    assert_eq!(world.in_use("notes"), "THFAKENotes2");
    world
        .run(&["status", "notes", "--offline"])
        .stdout(
            "
notes: threads token of 17841400000000001, app threads

  state         works
  checked       2026-02-10 00:00 UTC
  expires       2026-04-11 00:00 UTC
  data access   2026-04-01 00:00 UTC
  next          due 2026-03-22 00:00 UTC, in 40 days
  renewed       2026-02-10 00:00 UTC
  issued        2026-02-10 00:00 UTC
  generation    2, fingerprint fingerprint1
  owner         dora@creator.example
  application   Threads App
  permissions   threads_basic
  earlier       generation 1, previous, from 2026-01-01 00:00 UTC, expires 2026-03-02 00:00 UTC

  2026-01-01 00:00  adopted, expires 2026-03-02 (manual)
  2026-02-10 00:00  refreshed, expires 2026-04-11 (was 2026-03-02) (manual)
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_short_lived_string_is_exchanged() {
    let world = world(notes().ending(Expiry::At(day(0) + hours(1))));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
notes  exchanged  2026-03-02  short-lived, expires 2026-01-01 01:00 UTC, in 60 minutes

1 token: 1 exchanged
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), [ASKED, "threads/access_token Notes", ASKED]);
}

#[test]
fn force_does_not_shorten_metas_day() {
    let mut world = world(notes());
    world.run(&["refresh"]).exit(Exit::Ok).stderr("");
    world.calls();
    world.at(day(0) + hours(23));
    world.run(&["refresh", "--force", "notes"]).stdout("
TOKEN  OUTCOME    EXPIRES     REASON
notes  too young  2026-03-02  less than a day old, too young to renew: next 2026-01-02 00:00 UTC, in 60 minutes

1 token: 1 too young
").stderr("").exit(Exit::Ok);
    assert_eq!(world.calls(), [ASKED]);
    world.at(day(1));
    let ran = world.run(&["refresh", "--force", "notes", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["notes"], "refreshed");
}

#[test]
fn where_threads_does_not_let_us_ask_that_is_found_out_once_a_run() {
    let config = format!("{NOTES_CONFIG}{TWO}");
    let mut world = World::new()
        .config(&format!("[http]\nconcurrency = 1\n{config}"))
        .token("NOTES", notes().aged(TimeDelta::days(30)))
        .token("OTHER", notes().named("other").aged(TimeDelta::days(30)));
    world.graph.with(|graph| graph.set_threads_inspection(ThreadsInspection::ForTestersOnly));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
notes  refreshed  2026-03-02  Meta does not report when it expires; it may live only an hour
other  refreshed  2026-03-02  Meta does not report when it expires; it may live only an hour

2 tokens: 2 refreshed
",
        )
        .stderr("")
        .exit(Exit::Ok);
    let asked = |world: &World| {
        let calls = world.calls();
        let count = |place: &str| calls.iter().filter(|call| call.starts_with(place)).count();
        (count("threads/debug_token"), count("threads/me"))
    };
    // Two questions that are refused, to the token and to its app, and `/me` before and after each
    // renewal.
    assert_eq!(asked(&world), (2, 4));
    world.at(day(1));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
notes  verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
other  verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days

2 tokens: 2 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(asked(&world), (2, 2));
}

/// The token is asked first, then its app, and the profile is left; a dead token is asked about to
/// the end, and says nothing of the next one.
#[test]
fn the_token_is_asked_first_then_its_app_and_then_the_profile() {
    use ThreadsInspection::{ForTestersOnly, ForTheApp, ForTheToken};
    let me = "threads/me Notes";
    let config = format!("[http]\nconcurrency = 1\n{NOTES_CONFIG}{TWO}");
    for (inspection, first, next) in [
        (ForTheToken, vec![ASKED], vec!["threads/debug_token Other"]),
        (ForTheApp, vec![ASKED, ASKED], vec!["threads/debug_token Other"]),
        (ForTestersOnly, vec![ASKED, ASKED, me], vec!["threads/me Other"]),
    ] {
        let mut world = World::new()
            .config(&config)
            .token("NOTES", notes().aged(TimeDelta::days(3)))
            .token("OTHER", notes().named("other").aged(TimeDelta::days(2)));
        // What the profile leaves open is learnt by a renewal.
        world.run(&["refresh"]).exit(Exit::Ok);
        world.graph.with(|graph| graph.set_threads_inspection(inspection));
        world.at(day(1));
        world.calls();
        world.run(&["refresh"]).exit(Exit::Ok);
        assert_eq!(world.calls(), [first.clone(), next.clone()].concat(), "{inspection:?}");
        let string = world.in_use("notes");
        world.graph.with(|graph| graph.invalidate(&string, Invalidation::PasswordChanged));
        world.at(day(2));
        world.run(&["refresh"]).exit(Exit::PersonNeeded);
        assert_eq!(world.offline("notes")["valid"], false, "{inspection:?}");
        assert_eq!(world.offline("other")["valid"], true, "{inspection:?}");
    }
}

/// Meta documents the answers in an envelope, and gives them flat.
#[test]
fn an_answer_is_read_in_an_envelope_and_without() {
    let me = format!(r#"{{"id":"{CREATOR}","username":"dora.creates"}}"#);
    let inspection =
        r#"{"is_valid":true,"type":"USER","expires_at":1772409600,"user_id":"17841400000000001"}"#;
    for (endpoint, flat) in [("/debug_token", inspection), ("/v1.0/me", &me)] {
        for body in
            [flat.to_owned(), format!(r#"{{"data":{flat}}}"#), format!(r#"{{"data":[{flat}]}}"#)]
        {
            let world = world(notes().aged(TimeDelta::days(3)));
            world.graph.with(|graph| {
                graph.set_threads_inspection(ThreadsInspection::ForTestersOnly);
            });
            world.graph.misbehave(Rule::on(endpoint), answer(200, &body));
            let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
            assert_ne!(ran.result("notes")["generation"], json!(null), "{endpoint} {body}");
            assert_eq!(world.offline("notes")["user_id"], CREATOR, "{endpoint} {body}");
        }
    }
}

#[test]
fn an_unknown_end_is_learnt_from_the_first_renewal() {
    let mut world = world(notes());
    world.graph.with(|graph| graph.set_threads_inspection(ThreadsInspection::ForTestersOnly));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
notes  adopted  unknown  found in the environment variable `NOTES`

unknown: `notes`: works, Meta reports no expiry, known when it is renewed, in 24 hours (2026-01-02 00:00 UTC)
  hint: nothing to do yet: it is renewed then

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.at(day(0) + hours(1));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME    EXPIRES  REASON
notes  too young  unknown  less than a day old, too young to renew: next 2026-01-02 00:00 UTC, in 23 hours

unknown: `notes`: works, Meta reports no expiry, known when it is renewed, in 23 hours (2026-01-02 00:00 UTC)
  hint: nothing to do yet: it is renewed then

1 token: 1 too young
").stderr("").exit(Exit::Ok);
    world.at(day(1));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
notes  refreshed  2026-03-03  Meta does not report when it expires; renewed to learn it

1 token: 1 refreshed
",
        )
        .stderr("")
        .exit(Exit::Ok);
    // Threads changes its mind: what it tells from now on is taken.
    world.graph.with(|graph| graph.set_threads_inspection(ThreadsInspection::ForTheApp));
    world.at(day(2));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
notes  verified  2026-03-03  due 2026-02-11 00:00 UTC, in 39 days

1 token: 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_ne!(world.offline("notes")["data_access_expires_at"], json!(null));
}

#[test]
fn the_same_string_or_a_new_one_that_kills_the_old() {
    for (renewal, fate, in_use) in [
        (Renewal::ExtendsInPlace, OldString::Lives, "THFAKENotes1"),
        (Renewal::Extends, OldString::Dies, "THFAKENotes2"),
    ] {
        let mut world = world(notes().renewal(renewal.clone()));
        world.graph.with(|graph| graph.set_old_string(fate));
        world.run(&["refresh"]).exit(Exit::Ok).stderr("");
        world.at(day(45));
        let result = world.run(&["refresh", "--json"]).exit(Exit::Ok).result("notes");
        assert_eq!(result["outcome"], "refreshed", "{renewal:?}");
        assert_eq!(result["new_expires_at"], "2026-04-16T00:00:00Z", "{renewal:?}");
        assert_eq!(world.in_use("notes"), in_use);
    }
}

/// A config in which the app has the id that it has at Facebook, or another app's secret.
fn mistaken() -> [(&'static str, String); 2] {
    [
        ("id", NOTES_CONFIG.replace("1000000000000012", APP)),
        ("secret", NOTES_CONFIG.replace("THREADS_SECRET", "APP_SECRET")),
    ]
}

#[test]
fn a_wrong_id_or_secret_says_nothing_against_a_string() {
    for (what, config) in mistaken() {
        let mut world =
            World::new().config(&config).token("NOTES", notes().aged(TimeDelta::days(30)));
        world.graph.with(|graph| graph.set_threads_inspection(ThreadsInspection::ForTheApp));
        let ran = world.run(&["refresh", "--json"]);
        assert_eq!(ran.code, Some(0), "{what}: {}", ran.stdout);
        assert_eq!(ran.outcomes()["notes"], "refreshed", "{what}");
        for (at, outcome) in [(1, "verified"), (40, "refreshed")] {
            world.at(day(at));
            let ran = world.run(&["refresh", "--json"]);
            assert_eq!(ran.outcomes()["notes"], outcome, "{what}, day {at}: {}", ran.stdout);
            assert_eq!(world.offline("notes")["valid"], true, "{what}, day {at}");
        }
    }
}

#[test]
fn a_string_of_an_hour_needs_the_right_secret() {
    let (_, config) = mistaken()[1].clone();
    let spec = notes().ending(Expiry::At(day(0) + hours(1)));
    let world = World::new().config(&config).token("NOTES", spec);
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES               REASON
notes  invalid  2026-01-01 01:00 UTC  bad app credentials (100)

critical: `notes`: works, expires in 60 minutes (2026-01-01 01:00 UTC), short-lived, renewal failed: wrong id or secret of app `threads`
  hint: compare `id` (1000000000000012) and `secret` of `[app.threads]` in [DIR]/metatoken.toml with the app's dashboard (App settings, Basic, Threads app ID); then run `metatoken refresh`. It lives a day or less, like what the login hands out before it is exchanged
  Meta: \"Error validating client secret\" (100)

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
}

#[test]
fn a_string_of_another_provider_is_refused() {
    for (words, spec, why) in [
        ("Creator", super::creator(), "it belongs to Instagram (it begins with `IG`)"),
        (
            "Brand",
            TokenFixture::user(APP, crate::common::ANNA).named("brand"),
            "it belongs to Facebook (it begins with `EAA`)",
        ),
    ] {
        for inspection in [ThreadsInspection::ForTheApp, ThreadsInspection::ForTestersOnly] {
            let world = World::new().config(NOTES_CONFIG).token("NOTES", spec.clone());
            world.graph.with(|graph| graph.set_threads_inspection(inspection));
            let ran = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
            assert_eq!(ran.outcomes()["notes"], "failed", "{words} {inspection:?}");
            let reason = ran.result("notes")["reason"].as_str().unwrap().to_owned();
            assert!(reason.contains(why), "{reason}");
            assert_eq!(world.calls(), [""; 0]);
        }
    }
}

//! Instagram: nobody says when a string ends, none is renewed in its first day, and only `/me`
//! tells whether it lives.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{
    DeadRefusal, FaultInjection, Invalidation, OldString, Renewal, Rule, TokenFixture, YoungRefusal,
};
use metatoken::token::Expiry;
use serde_json::json;

use super::{CREATOR_CONFIG, creator, hours};
use crate::common::brand::answer;
use crate::common::{CREATOR, World, day};

/// The calls of a run that finds out whether a string is short-lived, too young, or neither.
const TRIED: [&str; 4] = [
    "instagram/me Creator",
    "instagram/access_token Creator",
    "instagram/refresh_access_token Creator",
    "instagram/me Creator",
];
const RENEWED: [&str; 2] = ["instagram/refresh_access_token Creator", "instagram/me Creator"];

fn world(spec: TokenFixture) -> World {
    World::new().config(CREATOR_CONFIG).token("CREATOR", spec)
}

/// A world in which a string of thirty days was adopted and renewed on day 0: its end is known.
fn renewed(spec: TokenFixture) -> World {
    let world = world(spec.aged(TimeDelta::days(30)));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["creator"], "refreshed");
    world.calls();
    world
}

#[test]
fn a_string_fresh_from_the_dashboard_waits_a_day_and_is_renewed() {
    let mut world = world(creator());
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN    OUTCOME  EXPIRES  REASON
creator  adopted  unknown  found in the environment variable `CREATOR`

unknown: `creator`: works, Meta reports no expiry, known when it is renewed, in 24 hours (2026-01-02 00:00 UTC)
  hint: nothing to do yet: it is renewed then

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), TRIED);
    world.run(&["status", "--offline"]).stdout("
1 token: 1 unknown                                          2026-01-01 00:00 UTC

TOKEN    TYPE       STATE           EXPIRES  NEXT
creator  instagram  works, unknown  unknown  renew 2026-01-02 00:00 UTC

unknown: `creator`: works, Meta reports no expiry, known when it is renewed, in 24 hours (2026-01-02 00:00 UTC)
  hint: nothing to do yet: it is renewed then
").stderr("").exit(Exit::Ok);

    world.at(day(0) + hours(1));
    world.run(&["refresh"]).stdout("
TOKEN    OUTCOME    EXPIRES  REASON
creator  too young  unknown  less than a day old, too young to renew: next 2026-01-02 00:00 UTC, in 23 hours

unknown: `creator`: works, Meta reports no expiry, known when it is renewed, in 23 hours (2026-01-02 00:00 UTC)
  hint: nothing to do yet: it is renewed then

1 token: 1 too young
").stderr("").exit(Exit::Ok);
    assert_eq!(world.calls(), [""; 0]);
    let result = world.run(&["refresh", "--json"]).exit(Exit::Ok).result("creator");
    assert_eq!((&result["outcome"], &result["problem"]), (&json!("too_young"), &json!(null)));

    world.at(day(1));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN    OUTCOME    EXPIRES     REASON
creator  refreshed  2026-03-03  Meta does not report when it expires; renewed to learn it

1 token: 1 refreshed
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), RENEWED);
    world.run(&["token", "creator"]).stdout("\nIGFAKECreator2\n").stderr("").exit(Exit::Ok);
    world
        .run(&["status", "--offline"])
        .stdout(
            "
1 token: 1 ok                                               2026-01-02 00:00 UTC

TOKEN    TYPE       STATE  EXPIRES     DATA ACCESS  CHECKED   NEXT
creator  instagram  works  2026-03-03  unknown      just now  renew 2026-02-11
",
        )
        .stderr("")
        .exit(Exit::Ok);
    // Instagram tells no permissions, which is not to have none.
    let token = world.run(&["status", "--offline", "--json"]).token("creator");
    assert_eq!((&token["scopes"], &token["granular_scopes"]), (&json!(null), &json!(null)));
    world
        .run(&["history"])
        .stdout(
            "
AT (UTC)          TOKEN    EVENT      TRIGGER  GENERATION  DETAIL
2026-01-01 00:00  creator  adopted    manual   1           -
2026-01-02 00:00  creator  refreshed  manual   2           expires 2026-03-03

1 attempt: 1 succeeded, 0 failed (100%)
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn force_does_not_shorten_metas_day() {
    let mut world = world(creator());
    world.run(&["refresh"]).exit(Exit::Ok).stderr("");
    world.calls();
    world.at(day(0) + hours(23));
    world.run(&["refresh", "--force", "creator"]).stdout("
TOKEN    OUTCOME    EXPIRES  REASON
creator  too young  unknown  less than a day old, too young to renew: next 2026-01-02 00:00 UTC, in 60 minutes

unknown: `creator`: works, Meta reports no expiry, known when it is renewed, in 60 minutes (2026-01-02 00:00 UTC)
  hint: nothing to do yet: it is renewed then

1 token: 1 too young
").stderr("").exit(Exit::Ok);
    assert_eq!(world.calls(), ["instagram/me Creator"]);

    // Of a string that was granted to us the day is known without asking for a refusal.
    let mut world = renewed(creator());
    world.at(day(0) + hours(23));
    world.run(&["refresh", "--force", "creator"]).stdout("
TOKEN    OUTCOME    EXPIRES     REASON
creator  too young  2026-03-02  less than a day old, too young to renew: next 2026-01-02 00:00 UTC, in 60 minutes

1 token: 1 too young
").stderr("").exit(Exit::Ok);
    assert_eq!(world.calls(), ["instagram/me Creator"]);
    world.at(day(1));
    world
        .run(&["refresh", "--force", "creator"])
        .stdout(
            "
TOKEN    OUTCOME    EXPIRES     REASON
creator  refreshed  2026-03-03  `--force`

1 token: 1 refreshed
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["instagram/me Creator", RENEWED[0], RENEWED[1]]);
}

#[test]
fn a_refusal_of_the_young_may_have_any_number() {
    for (refusal, code) in [(YoungRefusal::SessionKey, 452), (YoungRefusal::Unsupported, 100)] {
        let mut world = world(creator());
        world.graph.with(|graph| graph.set_young_refusal(refusal));
        world.run(&["refresh"]).exit(Exit::Ok).stderr("");
        world.at(day(0) + hours(2));
        let result = world.run(&["refresh", "--json"]).exit(Exit::Ok).result("creator");
        assert_eq!(result["outcome"], "too_young", "{refusal:?}");
        let stored = world.offline("creator");
        assert_eq!(stored["problem"]["kind"], "too_young", "{refusal:?}");
        assert_eq!(stored["problem"]["action"], "wait", "{refusal:?}");
        assert_eq!(stored["problem"]["code"], code, "{refusal:?}");
        assert_eq!(stored["refresh"]["due_at"], "2026-01-02T00:00:00Z", "{refusal:?}");
        assert_eq!(stored["health"], "unknown", "{refusal:?}");
        assert_eq!(stored["reasons"][0]["code"], "expiry_unknown", "{refusal:?}");
        assert_eq!(stored["refresh"]["consecutive_failures"], 0, "{refusal:?}");
        let history = world.run(&["history", "--json"]).exit(Exit::Ok).json();
        assert_eq!(history["summary"]["failed"], 0, "{refusal:?}: nothing has failed");
        world.at(day(1));
        let result = world.run(&["refresh", "--json"]).exit(Exit::Ok).result("creator");
        assert_eq!(result["outcome"], "refreshed", "{refusal:?}");
        assert_eq!(result["new_expires_at"], "2026-03-03T00:00:00Z", "{refusal:?}");
    }
}

#[test]
fn an_old_enough_string_is_renewed_in_the_run_that_adopts_it() {
    let mut world = world(creator().aged(TimeDelta::days(48)));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN    OUTCOME    EXPIRES     REASON
creator  refreshed  2026-03-02  Meta does not report when it expires; it may live only an hour

1 token: 1 refreshed
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.calls();
    // The end is known from now on: the token rests, and is renewed in its window.
    world.lives_until(30);
    for (at, outcome) in [(39, "verified"), (40, "refreshed")] {
        world.at(day(at));
        let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
        assert_eq!(ran.outcomes()["creator"], outcome, "day {at}");
    }
    world
        .run(&["status", "--offline"])
        .stdout(
            "
1 token: 1 ok                                               2026-02-10 00:00 UTC

TOKEN    TYPE       STATE  EXPIRES     DATA ACCESS  CHECKED   NEXT
creator  instagram  works  2026-04-11  unknown      just now  renew 2026-03-22
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn the_same_string_may_come_back_with_a_later_end() {
    let mut world = renewed(creator().renewal(Renewal::ExtendsInPlace));
    assert_eq!(world.in_use("creator"), "IGFAKECreator1");
    world.at(day(45));
    let result = world.run(&["refresh", "--json"]).exit(Exit::Ok).result("creator");
    assert_eq!(result["outcome"], "refreshed");
    assert_eq!(result["old_expires_at"], "2026-03-02T00:00:00Z");
    assert_eq!(result["new_expires_at"], "2026-04-16T00:00:00Z");
    assert_eq!(result["generation"], 1);
    assert_eq!(world.in_use("creator"), "IGFAKECreator1");
}

#[test]
fn a_new_string_takes_the_place_of_an_old_one_that_dies_of_it() {
    let mut world = renewed(creator());
    world.graph.with(|graph| graph.set_old_string(OldString::Dies));
    world.at(day(45));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN    OUTCOME    EXPIRES     REASON
creator  refreshed  2026-04-16  expires in 15 days (renewal window: 20 days)

1 token: 1 refreshed
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), RENEWED);
    assert_eq!(world.in_use("creator"), "IGFAKECreator3");
    world.graph.with(|graph| {
        assert!(graph.invalidation("IGFAKECreator2").is_some());
        assert_eq!(graph.invalidation("IGFAKECreator3"), None);
    });
}

/// A renewal that Meta accepted and that moved nothing was called a failure in the token's first day.
#[test]
fn a_renewal_that_moves_nothing_in_the_first_day_is_no_failure() {
    let spec = creator().aged(TimeDelta::days(30)).withholding_expires_in();
    let mut world = world(spec.renewal(Renewal::ExtendsInPlace));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN    OUTCOME  EXPIRES  REASON
creator  adopted  unknown  found in the environment variable `CREATOR`

unknown: `creator`: works, Meta reports no expiry, known when it is renewed, in 24 hours (2026-01-02 00:00 UTC)
  hint: nothing to do yet: it is renewed then

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    let rate = |world: &World| {
        let summary = world.run(&["history", "--json"]).exit(Exit::Ok).json()["summary"].clone();
        (summary["attempts"].clone(), summary["failed"].clone())
    };
    assert_eq!(rate(&world), (json!(0), json!(0)));
    assert_eq!(world.offline("creator")["refresh"]["due_at"], "2026-01-02T00:00:00Z");
    // From then on it is one.
    world.at(day(1));
    world.run(&["refresh", "--json"]).exit(Exit::Failed);
    assert_eq!(rate(&world), (json!(1), json!(1)));
}

#[test]
fn where_the_grant_tells_no_end_it_is_renewed_daily() {
    let mut world = world(creator().aged(TimeDelta::days(30)).withholding_expires_in());
    world.run(&["refresh"]).stdout("
TOKEN    OUTCOME    EXPIRES  REASON
creator  refreshed  unknown  Meta does not report when it expires; it may live only an hour

unknown: `creator`: works, Meta reports no expiry, known when it is renewed, in 24 hours (2026-01-02 00:00 UTC)
  hint: nothing to do yet: it is renewed then

1 token: 1 refreshed
").stderr("").exit(Exit::Ok);
    for (at, outcome) in [(hours(12), "too_young"), (hours(24), "refreshed")] {
        world.at(day(0) + at);
        let result = world.run(&["refresh", "--json"]).exit(Exit::Ok).result("creator");
        assert_eq!(result["outcome"], outcome, "{at}");
        assert_eq!(result["new_expires_at"], json!(null));
        assert_eq!(result["never_expires"], false, "what is not told is not «never»");
    }
    world.run(&["status", "--offline"]).stdout("
1 token: 1 unknown                                          2026-01-02 00:00 UTC

TOKEN    TYPE       STATE           EXPIRES  NEXT
creator  instagram  works, unknown  unknown  renew 2026-01-03 00:00 UTC

unknown: `creator`: works, Meta reports no expiry, known when it is renewed, in 24 hours (2026-01-03 00:00 UTC)
  hint: nothing to do yet: it is renewed then
").stderr("").exit(Exit::Ok);
    world
        .run(&["check"])
        .verdict(
            "
METATOKEN UNKNOWN - creator: works, Meta reports no expiry, known when it is renewed, in 24 hours (2026-01-03 00:00 UTC)
UNKNOWN: `creator`: works, Meta reports no expiry, known when it is renewed, in 24 hours (2026-01-03 00:00 UTC)
  nothing to do yet: it is renewed then
",
        )
        .stderr("")
        .code(3);
}

/// A token died while Instagram granted a new access token every day, because none told when it expires.
#[test]
fn a_grant_that_tells_no_end_is_held_until_the_current_one_is_about_to_expire() {
    let mut world = renewed(creator());
    let granted = |world: &World, name: &str| {
        let string = world.mint(creator().named(name));
        let body = format!(r#"{{"access_token":"{string}","token_type":"bearer"}}"#);
        world.graph.misbehave(Rule::on("/refresh_access_token").once(), answer(200, &body));
        string
    };
    for at in [45, 46] {
        world.at(day(at));
        granted(&world, &format!("held{at}"));
        let ran = world.run(&["refresh", "--json"]).exit(Exit::Failed);
        assert_eq!(ran.outcomes()["creator"], "not_extended", "day {at}");
        assert_eq!(world.in_use("creator"), "IGFAKECreator2", "day {at}");
    }
    world.at(day(58));
    let last = granted(&world, "last");
    world.run(&["refresh"]).stdout("
TOKEN    OUTCOME    EXPIRES  REASON
creator  refreshed  unknown  the new access token is worth less, but the one it replaces is dead or about to expire

unknown: `creator`: works, Meta reports no expiry, known when it is renewed, in 24 hours (2026-03-01 00:00 UTC)
  hint: nothing to do yet: it is renewed then

1 token: 1 refreshed
").stderr("").exit(Exit::Ok);
    assert_eq!(world.in_use("creator"), last);
}

/// Instagram has two ids for a person. The one in the place of the other made the next access token
/// another person's, and it was rejected.
#[test]
fn the_id_that_only_the_app_knows_is_nobodys() {
    let mut world = renewed(creator());
    world.graph.misbehave(Rule::on("/me").once(), answer(200, r#"{"id":"9","username":"x"}"#));
    world.at(day(2));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(world.offline("creator")["user_id"], CREATOR);
    world.at(day(45));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["creator"], "refreshed");
}

#[test]
fn a_short_lived_string_is_exchanged_in_the_run_that_adopts_it() {
    let world = world(creator().ending(Expiry::At(day(0) + hours(1))));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN    OUTCOME    EXPIRES     REASON
creator  exchanged  2026-03-02  Meta does not report when it expires; it may live only an hour

1 token: 1 exchanged
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(
        world.calls(),
        ["instagram/me Creator", "instagram/access_token Creator", "instagram/me Creator"]
    );
}

/// The app without its secret, which renewal does not need.
fn without_a_secret() -> String {
    CREATOR_CONFIG.replace("secret = { env = \"INSTA_SECRET\" }\n", "")
}

#[test]
fn without_a_secret_a_long_lived_string_is_kept_all_the_same() {
    let mut world = World::new().config(&without_a_secret()).token("CREATOR", creator());
    world.run(&["refresh"]).stdout("
TOKEN    OUTCOME  EXPIRES  REASON
creator  adopted  unknown  found in the environment variable `CREATOR`

warning: `creator`: works, app `insta` has no `secret`, may expire within 1 hour
  hint: copy the app's secret (Instagram, API setup with Instagram login) into `secret` of `[app.insta]` in [DIR]/metatoken.toml; then run `metatoken refresh --force creator`. A token that is generated in the app's dashboard lives sixty days without it
  Meta: \"Session key invalid. This could be because the session key has an incorrect format, or…\" (452)

1 token: 1 adopted
").stderr("").exit(Exit::Ok);
    world.at(day(0) + hours(1));
    world.run(&["refresh"]).stdout("
TOKEN    OUTCOME    EXPIRES  REASON
creator  too young  unknown  less than a day old, too young to renew: next 2026-01-02 00:00 UTC, in 23 hours

warning: `creator`: works, app `insta` has no `secret`, may expire within 1 hour
  hint: copy the app's secret (Instagram, API setup with Instagram login) into `secret` of `[app.insta]` in [DIR]/metatoken.toml; then run `metatoken refresh --force creator`. A token that is generated in the app's dashboard lives sixty days without it
  Meta: \"Session key invalid. This could be because the session key has an incorrect format, or…\" (452)

1 token: 1 too young
").stderr("").exit(Exit::Ok);
    world.at(day(1));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN    OUTCOME    EXPIRES     REASON
creator  refreshed  2026-03-03  Meta does not report when it expires; renewed to learn it

1 token: 1 refreshed
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn without_a_secret_a_string_of_an_hour_is_lost_and_the_cure_is_named() {
    let spec = creator().ending(Expiry::At(day(0) + hours(1)));
    let mut world = World::new().config(&without_a_secret()).token("CREATOR", spec);
    world.run(&["refresh"]).stdout("
TOKEN    OUTCOME  EXPIRES  REASON
creator  adopted  unknown  found in the environment variable `CREATOR`

warning: `creator`: works, app `insta` has no `secret`, may expire within 1 hour
  hint: copy the app's secret (Instagram, API setup with Instagram login) into `secret` of `[app.insta]` in [DIR]/metatoken.toml; then run `metatoken refresh --force creator`. A token that is generated in the app's dashboard lives sixty days without it
  Meta: \"Session key invalid. This could be because the session key has an incorrect format, or…\" (452)

1 token: 1 adopted
").stderr("").exit(Exit::Ok);
    // It waits for a person, so it is asked about in every run.
    world.at(day(0) + hours(2));
    world.run(&["refresh"]).stdout("
TOKEN    OUTCOME  EXPIRES  REASON
creator  invalid  unknown  expired (190)

critical: `creator`: down since 2026-01-01, expired
  hint: copy the app's secret (Instagram, API setup with Instagram login), which a login needs, into `secret` of `[app.insta]` in [DIR]/metatoken.toml; then dora@creator.example logs in to the app again: run `metatoken login creator`
  Meta: \"Session has expired on Wednesday, 31-Dec-25 17:00:00 PST. The current time is Wednesday…\" (190)

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
}

#[test]
fn once_the_secret_is_there_a_string_of_an_hour_is_exchanged() {
    let spec = creator().ending(Expiry::At(day(0) + hours(1)));
    let mut world = World::new().config(&without_a_secret()).token("CREATOR", spec);
    world.run(&["refresh"]).exit(Exit::Ok).stderr("");
    world.reconfigure(CREATOR_CONFIG);
    world.at(day(0) + TimeDelta::minutes(30));
    world
        .run(&["refresh", "--force", "creator"])
        .stdout(
            "
TOKEN    OUTCOME    EXPIRES     REASON
creator  exchanged  2026-03-02  Meta does not report when it expires; it may live only an hour

1 token: 1 exchanged
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_dead_string_is_a_persons_though_instagram_says_no_subcode() {
    for (refusal, kind) in
        [(DeadRefusal::Sentence, "expired"), (DeadRefusal::NoResource, "object_not_found")]
    {
        let mut world = renewed(creator());
        world.graph.with(|graph| graph.set_dead_refusal(refusal));
        world.at(day(60));
        let ran = world.run(&["refresh"]).exit(Exit::PersonNeeded);
        match refusal {
            DeadRefusal::Sentence => ran.stdout("
TOKEN    OUTCOME  EXPIRES               REASON
creator  invalid  2026-03-02 00:00 UTC  expired (190)

critical: `creator`: down since 2026-03-02, expired
  hint: dora@creator.example logs in to the app again: run `metatoken login creator`
  Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190)

1 token: 1 invalid
").stderr(""),
            DeadRefusal::NoResource => ran.stdout("
TOKEN    OUTCOME  EXPIRES               REASON
creator  invalid  2026-03-02 00:00 UTC  object not found (100)

critical: `creator`: not checked since 2026-03-02, Meta does not find the account for this app
  hint: if the account's settings (Website permissions) no longer list the app, dora@creator.example logs in to the app again: run `metatoken login creator`
  Meta: \"The requested resource does not exist\" (100)

1 token: 1 invalid
").stderr(""),
        };
        // Where the current one is dead the config's is asked about too; none is renewed.
        let asked = if refusal == DeadRefusal::Sentence { 2 } else { 1 };
        assert_eq!(world.calls(), vec!["instagram/me Creator"; asked], "{refusal:?}");
        let stored = world.offline("creator");
        assert_ne!(stored["valid"], true, "{refusal:?}");
        assert_eq!(stored["health"], "critical", "{refusal:?}");
        assert_eq!(stored["problem"]["kind"], kind, "{refusal:?}");
        assert_eq!(stored["problem"]["subcode"], json!(null), "{refusal:?}");
        // A person pastes another, and all is well.
        let pasted = world.mint(creator());
        let ran = world.run_with_input(&["exchange", "creator", "--json"], &pasted);
        assert_eq!(ran.exit(Exit::Ok).outcomes()["creator"], "adopted", "{refusal:?}");
        assert_eq!(world.offline("creator")["valid"], true, "{refusal:?}");
    }
}

#[test]
fn a_removed_app_is_told_by_its_sentence() {
    let mut world = renewed(creator());
    world.graph.with(|graph| graph.invalidate("IGFAKECreator2", Invalidation::AppRemoved));
    world.at(day(1));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN    OUTCOME  EXPIRES     REASON
creator  invalid  2026-03-02  app not authorized (190)

critical: `creator`: down, app removed
  hint: dora@creator.example logs in to the app again: run `metatoken login creator`
  Meta: \"The user has not authorized application 1000000000000011\" (190)

1 token: 1 invalid
",
        )
        .stderr("")
        .exit(Exit::PersonNeeded);
}

#[test]
fn an_outage_is_never_death() {
    for misbehaviour in [
        FaultInjection::CloseBeforeAnswer,
        FaultInjection::Status(500),
        FaultInjection::Html,
        FaultInjection::Nothing,
        FaultInjection::Code2Transient,
    ] {
        let quick = format!("[http]\nattempts = 1\n{CREATOR_CONFIG}");
        let mut world = renewed(creator());
        world.reconfigure(&quick);
        for at in [41, 59] {
            world.at(day(at));
            world.graph.misbehave(Rule::any(), misbehaviour.clone());
            let ran = world.run(&["refresh", "--json"]);
            assert_ne!(ran.code, Some(77), "{misbehaviour:?}: {}", ran.stdout);
            assert_ne!(ran.code, Some(0), "{misbehaviour:?}: {}", ran.stdout);
            assert_eq!(world.offline("creator")["valid"], true, "{misbehaviour:?}");
        }
        world.graph.behave();
        world.at(day(59) + hours(7));
        let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
        assert_eq!(ran.outcomes()["creator"], "refreshed", "{misbehaviour:?}");
    }
}

#[test]
fn an_unsupported_request_is_no_verdict() {
    let refusal = json!({ "error": {
        "message": "Unsupported request - method type: get", "type": "IGApiException", "code": 100,
    }});
    let refusal = FaultInjection::Raw {
        status: 400,
        headers: vec![],
        body: refusal.to_string().into_bytes(),
    };
    let mut world = renewed(creator());
    world.at(day(1));
    world.graph.misbehave(Rule::on("/me"), refusal);
    let ran = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
    let problem = &ran.result("creator")["problem"];
    assert_eq!((&problem["kind"], &problem["code"]), (&json!("wrong_host_or_type"), &json!(100)));
    let stored = world.offline("creator");
    assert_eq!((&stored["valid"], &stored["state"]), (&json!(null), &json!("unverified")));
    // Somebody links the app anew; the string was good all the time.
    world.graph.behave();
    world.at(day(1) + hours(1));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["creator"], "verified");
    assert_eq!(world.offline("creator")["valid"], true);
}

#[test]
fn an_access_token_of_facebooks_is_refused_before_it_is_sent() {
    let world = World::new().config(CREATOR_CONFIG).token(
        "CREATOR",
        TokenFixture::user(crate::common::APP, crate::common::ANNA).named("brand"),
    );
    world.run(&["refresh"]).stdout("
TOKEN    OUTCOME  EXPIRES  REASON
creator  failed   -        no access token in the environment variable `CREATOR`: it belongs to Facebook (it begins with `EAA`), not to an instagram token

critical: `creator`: never worked, no access token in the environment variable `CREATOR`: it belongs to Facebook (it begins with `EAA`), not to an instagram token
  hint: in the environment variable `CREATOR`, use an instagram token, or correct `type`; then run `metatoken refresh creator`

1 token: 1 failed
").stderr("").exit(Exit::PersonNeeded);
    assert_eq!(world.calls(), [""; 0]);
    let ran = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
    assert_eq!(ran.outcomes()["creator"], "failed");
    assert_eq!(world.calls(), [""; 0]);
    let world = world.token("CREATOR", creator().aged(TimeDelta::days(2)));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["creator"], "refreshed");
}

/// Whoever hands the same one over again is told that Meta may have ended it by the exchange.
#[test]
fn a_lost_answer_to_an_exchange_is_named_when_the_same_one_comes_again() {
    let world = World::new().config(CREATOR_CONFIG);
    let hour = Expiry::At(day(0) + hours(1));
    let pasted = world.mint(creator().ending(hour));
    world.graph.with(|graph| graph.set_old_string(OldString::Dies));
    world.graph.misbehave(Rule::on("/access_token").once(), FaultInjection::CloseAfterEffect);
    world.run_with_input(&["exchange", "creator"], &pasted).code(69);
    let ran = world.run_with_input(&["exchange", "creator"], &pasted).code(65);
    let lost = "the answer to an exchange sent 2026-01-01 00:00 UTC was lost, which may be why";
    assert!(ran.stderr.contains(lost), "{}", ran.stderr);
}

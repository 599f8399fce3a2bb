//! Strings that are sealed and not yet in use: none is lost, and none stands in another's way.

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, Renewal, Rule};
use metatoken::token::Expiry;
use serde_json::json;

use crate::common::brand::{
    INSTA, answer, brand, creator, hour, losing_a_scope, minute, renewals_kill, user,
};
use crate::common::{World, day};

/// A string from outside that nobody could judge stopped every renewal until the one in use died.
#[test]
fn a_newcomer_that_waits_holds_back_no_renewal() {
    let mut world = brand(user());
    world.at(day(10));
    let newcomer = world.mint(user());
    world.graph.with(|graph| graph.invalidate(&newcomer, Invalidation::Checkpoint));
    world.set("BRAND", &newcomer);
    world.run(&["refresh"]).exit(Exit::PersonNeeded);
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand1");

    world.at(day(41));
    world.calls();
    let ran = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
    assert_eq!(ran.result("brand")["new_expires_at"], "2026-04-12T00:00:00Z");
    assert_eq!(world.calls()[..2], ["debug_token Brand", "oauth/access_token Brand"]);
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand3");
    world.at(day(58));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
brand  verified  2026-04-12  due 2026-03-23 00:00 UTC, in 23 days

1 token: 1 verified
",
        )
        .exit(Exit::Ok);
}

/// The proof from before the renewal was believed, and the string that the renewal had killed kept.
#[test]
fn beside_a_grant_the_current_string_is_asked_about_again() {
    let mut world = brand(user().renewal(Renewal::KeepsEnd));
    renewals_kill(&world);
    world.at(day(45));
    world.run(&["refresh", "brand"]).stdout("
TOKEN  OUTCOME    EXPIRES     REASON
brand  refreshed  2026-03-02  the new access token is worth less, but the one it replaces is dead or about to expire

1 token: 1 refreshed
").exit(Exit::Ok);
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand2");
    let asked = world.calls();
    let granted = asked.iter().position(|call| call == "oauth/access_token Brand").unwrap();
    assert_eq!(asked[granted + 1..], ["debug_token Brand"; 3]);
}

/// Graph did not know the grant yet, the old string was dead already, and the grant was thrown away.
#[test]
fn a_grant_called_dead_beside_a_dead_string_stays_a_candidate() {
    let mut world = brand(user());
    renewals_kill(&world);
    world.at(day(45));
    let unknown = r#"{"data":{"error":{"code":190,"message":"The access token could not be decrypted"},"is_valid":false,"scopes":[]}}"#;
    world.graph.misbehave(Rule::on("/debug_token").once(), answer(200, unknown));
    world.run(&["refresh"]).exit(Exit::PersonNeeded);
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand1");

    world.at(hour(45, 1));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["brand"], "refreshed");
    assert_eq!(ran.result("brand")["new_expires_at"], "2026-04-16T00:00:00Z");
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand2");
    assert_eq!(world.exchanges(), 1);
}

/// A string from the config took the candidate's place, and with it the only grant there was.
#[test]
fn a_newcomer_does_not_push_out_a_grant_that_nobody_examined() {
    let mut world = brand(user());
    renewals_kill(&world);
    world.at(day(45));
    let silence = || FaultInjection::CloseBeforeAnswer;
    world.graph.misbehave(Rule::on("/debug_token").times(2), silence());
    world.run(&["refresh"]).exit(Exit::Unavailable);
    world.at(hour(45, 1));
    let newcomer = world.mint(user().ending(Expiry::At(hour(45, 2))));
    world.set("BRAND", &newcomer);
    world.run(&["refresh"]).exit(Exit::Unavailable);
    world.graph.with(|graph| graph.invalidate(&newcomer, Invalidation::Revoked));
    world.at(hour(45, 3));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  failed   2026-04-16  refused: revoked (190/466)

warning: `brand`: works, the new access token was rejected: revoked
  hint: the person behind the token logs in to the app again: run `metatoken login brand`
  Meta: \"The session was invalidated explicitly using an API call\" (190/466)

1 token: 1 failed
",
        )
        .exit(Exit::InputRefused);
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand2");
}

/// For a day a dead string stayed in use beside a living candidate that was held.
#[test]
fn a_held_candidate_is_examined_once_the_current_string_is_not_known_to_live() {
    let mut world = losing_a_scope();
    renewals_kill(&world);
    world.at(day(45));
    // Graph speaks of the grant, and is silent about the string in use.
    world
        .graph
        .misbehave(Rule::on("/debug_token").sparing(1).once(), FaultInjection::CloseBeforeAnswer);
    world.run(&["refresh"]).exit(Exit::Unavailable);
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand1");
    world.at(hour(45, 1));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME    EXPIRES     REASON
brand  refreshed  2026-04-16  the new access token is worth less, but the one it replaces is dead or about to expire

1 token: 1 refreshed
").exit(Exit::Ok);
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand2");
}

/// The run that found the current string dead sent for a person, with a living candidate at hand.
#[test]
fn a_held_candidate_is_taken_by_the_run_that_finds_the_current_string_dead() {
    let mut world = losing_a_scope();
    world.at(day(40));
    world.run(&["refresh"]).exit(Exit::PersonNeeded);
    let string = world.in_use("brand");
    world.graph.with(|graph| graph.invalidate(&string, Invalidation::Revoked));
    world.at(hour(40, 1));
    let ran = world.run(&["refresh", "brand", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["brand"], "refreshed", "{}", ran.stdout);
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand2");
}

/// The exit was 77 when the candidate was examined and 0 in the hours between.
#[test]
fn a_held_candidate_wants_a_person_on_every_run() {
    let mut world = losing_a_scope();
    for (hours, calls) in [(0, 3), (1, 0), (2, 0), (23, 0), (24, 2), (25, 0)] {
        world.at(hour(40, hours));
        world.run(&["refresh"]).exit(Exit::PersonNeeded);
        let asked = world.calls();
        assert_eq!(asked.len(), calls, "+{hours} h: {asked:?}");
    }
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  permission missing

warning: `brand`: works, the new access token lacks `pages_show_list`
  hint: the person behind the token logs in to the app again and grants it, ticking every Page: run `metatoken login brand`

1 token: 1 invalid
").exit(Exit::PersonNeeded);
}

/// Meta moved the end, the profile did not answer, and the new end was lost with it.
#[test]
fn the_end_that_was_granted_is_kept_though_the_profile_is_silent() {
    let spec = creator().aged(chrono::TimeDelta::days(3)).renewal(Renewal::ExtendsInPlace);
    let mut world = World::new().config(INSTA).token("CREATOR", spec);
    world.run(&["refresh"]).exit(Exit::Ok);
    world.at(day(41));
    world.graph.misbehave(Rule::on("/me").once(), FaultInjection::CloseBeforeAnswer);
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Unavailable);
    assert_eq!(ran.result("creator")["new_expires_at"], "2026-04-12T00:00:00Z");
    world.run(&["history"]).stdout(
        "
AT (UTC)          TOKEN    EVENT      TRIGGER  DETAIL
2026-01-01 00:00  creator  adopted    manual   -
2026-01-01 00:00  creator  refreshed  manual   expires 2026-03-02
2026-02-11 00:00  creator  refreshed  manual   expires 2026-04-12 (was 2026-03-02)

2 attempts: 2 succeeded, 0 failed (100%)
",
    );
    world.calls();
    world.at(hour(41, 1));
    world.run(&["refresh"]).exit(Exit::Ok);
    assert_eq!(world.calls(), ["instagram/me Creator"]);
}

/// Meta answered an exchange with the string in use, and that ended in an error.
#[test]
fn an_exchange_that_gives_the_string_in_use_is_a_verification() {
    let mut world = brand(user());
    world.at(day(10));
    let short = world.mint(user().ending(Expiry::At(minute(10, 60))));
    let body = json!({"access_token": world.in_use("brand"), "token_type": "bearer", "expires_in": 4_320_000});
    world.graph.misbehave(Rule::on("/oauth/access_token"), answer(200, &body.to_string()));
    world
        .run_with_input(&["exchange", "brand"], &short)
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
brand  verified  2026-03-02  Meta gave the current access token again

1 token: 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand1");
    world.graph.behave();
    world.run(&["refresh"]).exit(Exit::Ok);
    assert_eq!(world.events("brand"), [("adopted".to_owned(), String::new())]);
}

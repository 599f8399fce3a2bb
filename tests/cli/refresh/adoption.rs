//! How a string from outside becomes the current one, and when it does not.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{
    AppFixture, FaultInjection, Invalidation, Rule, TokenFixture, UserFixture,
};
use metatoken::token::{DataAccess, Expiry};

use crate::common::{ANNA, APP, BAKERY, ROBOT, World, day, ends};

const CONFIG: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
"#;

/// The beginning of a refused candidate's event.
const REFUSED: &str = "adoption_refused";

fn brand() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand")
}

/// A world in which Anna's token was adopted on day 0, and which is now on day 10.
fn adopted(spec: TokenFixture) -> World {
    let mut world = World::new().config(CONFIG).token("BRAND", spec);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.at(day(10));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.at(day(10) + TimeDelta::hours(1));
    world.calls();
    world
}

/// Pastes a new string where the config points.
fn paste(world: &mut World, spec: TokenFixture) -> String {
    let string = world.mint(spec);
    world.set("BRAND", &string);
    string
}

fn current(world: &World) -> String {
    world.run(&["token", "brand"]).exit(Exit::Ok).stdout
}

fn last_event(world: &World) -> serde_json::Value {
    let history = world.run(&["history", "--json", "--limit", "1"]).exit(Exit::Ok).json();
    history["events"][0]["event"].clone()
}

#[test]
fn a_string_that_ends_later_takes_the_place_of_the_current_one() {
    let mut world = adopted(brand());
    let string = paste(&mut world, brand());
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-12  found in the environment variable `BRAND`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Brand"]);
    assert_eq!(current(&world), format!("{string}\n"));
}

#[test]
fn a_string_without_an_end_takes_the_place_of_a_dated_one() {
    let mut world = adopted(brand());
    paste(&mut world, brand().ending(Expiry::Never));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
brand  adopted  never    found in the environment variable `BRAND`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_string_that_ends_no_later_is_refused_while_the_current_one_lives() {
    let mut world = adopted(brand());
    paste(&mut world, brand().ending(ends(50)));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  failed   2026-03-02  refused: no later expiry

warning: `brand`: works, the new access token was rejected: it expires no later than the current access token, which works

1 token: 1 failed
",
        )
        .stderr("")
        .exit(Exit::InputRefused);
    // Both are asked about: the current one might have died since.
    assert_eq!(world.calls(), ["debug_token Brand", "debug_token Brand"]);
    assert_eq!(current(&world), "EAAFAKEBrand1\n");
    assert_eq!(last_event(&world), REFUSED);

    // It is not asked about again until the string changes, and no longer counts.
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  due 2026-02-10 00:00 UTC, in 29 days

warning: `brand`: works, unused access token in the environment variable `BRAND`: it expires no later than the current access token, which works
  hint: remove it from the environment variable `BRAND`; then run `metatoken refresh brand`. If it is the one to use, run `metatoken exchange brand --replace` and paste it first

1 token: 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), [""; 0]);
    paste(&mut world, brand());
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(current(&world), "EAAFAKEBrand3\n");
}

#[test]
fn a_dated_string_never_takes_the_place_of_one_without_an_end() {
    let mut world = adopted(brand().ending(Expiry::Never).data_access(DataAccess::NotApplicable));
    paste(&mut world, brand());
    world
        .run(&["refresh", "--quiet"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
brand  failed   never    refused: no later expiry

warning: `brand`: works, the new access token was rejected: it expires no later than the current access token, which works

1 token: 1 failed
",
        )
        .stderr("")
        .exit(Exit::InputRefused);
}

#[test]
fn a_string_that_ends_earlier_is_taken_when_the_current_one_turns_out_dead() {
    let mut world = adopted(brand());
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::Revoked));
    paste(&mut world, brand().ending(ends(50)));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-02-20  found in the environment variable `BRAND`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Brand", "debug_token Brand"]);
}

#[test]
fn a_short_lived_string_for_a_dead_token_is_adopted_and_exchanged_at_once() {
    let mut world = adopted(brand());
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::Revoked));
    world.run(&["refresh", "brand", "--json"]).exit(Exit::PersonNeeded).stderr("");
    paste(&mut world, brand().ending(Expiry::At(day(10) + TimeDelta::hours(2))));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
brand  exchanged  2026-03-12  short-lived, expires 2026-01-11 02:00 UTC, in 60 minutes

1 token: 1 exchanged
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["history", "--format", "csv"]).stdout("
at,run,label,event,trigger,success,old_expires_at,new_expires_at,generation,fingerprint,problem,target,old_never_expires,new_never_expires
2026-01-01T00:00:00Z,1,brand,adopted,manual,,,2026-03-02T00:00:00Z,1,fingerprint1,,,false,false
2026-01-11T01:00:00Z,3,brand,invalid,manual,,2026-03-02T00:00:00Z,2026-03-02T00:00:00Z,1,fingerprint1,revoked,,false,false
2026-01-11T01:00:00Z,4,brand,adopted,manual,,2026-03-02T00:00:00Z,2026-01-11T02:00:00Z,2,fingerprint2,,,false,false
2026-01-11T01:00:00Z,4,brand,exchanged,manual,true,2026-01-11T02:00:00Z,2026-03-12T01:00:00Z,3,fingerprint3,,,false,false
").stderr("").exit(Exit::Ok);
}

#[test]
fn a_string_of_another_type_is_refused() {
    let mut world = adopted(brand());
    paste(&mut world, TokenFixture::page(APP, ANNA, BAKERY));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  failed   2026-03-02  refused: wrong type

warning: `brand`: works, the new access token was rejected: a page token, not a user token
  hint: paste a user token: run `metatoken exchange brand`. If the token is the right one, correct `type` of `[token.brand]` in [DIR]/metatoken.toml

1 token: 1 failed
").stderr("").exit(Exit::InputRefused);
    assert_eq!(last_event(&world), REFUSED);
}

#[test]
fn a_string_of_another_app_is_refused() {
    let mut world = adopted(brand());
    let other = AppFixture::new("1000000000000002", "fakesecretofanotherapp", "Other App");
    world.graph.with(|graph| graph.add_app(other));
    paste(&mut world, TokenFixture::user("1000000000000002", ANNA));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  failed   2026-03-02  refused: wrong identity (100)

warning: `brand`: works, the new access token was rejected: token of another app than `main`
  hint: paste a token of app `main`: run `metatoken exchange brand`. If the token is the right one, correct `app` of `[token.brand]`, or `id` of `[app.main]`, in [DIR]/metatoken.toml
  Meta: code 100

1 token: 1 failed
").stderr("").exit(Exit::InputRefused);
}

#[test]
fn a_string_of_another_person_is_refused_even_if_the_current_one_is_dead() {
    let mut world = adopted(brand());
    world.graph.with(|graph| {
        graph.add_user(UserFixture::new("3000000000000002", "Ben"));
        graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged);
    });
    paste(&mut world, TokenFixture::user(APP, "3000000000000002"));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  failed   2026-03-02  refused: wrong identity

warning: `brand`: works, the new access token was rejected: the token belongs to user 3000000000000002, not to 3000000000000001
  hint: the person behind the token logs in to the app again: run `metatoken login brand`

1 token: 1 failed
").stderr("").exit(Exit::InputRefused);
    // From the next run on it is the dead token that counts.
    world.at(day(11));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  password changed (190/460)

critical: `brand`: down, password changed
  hint: the person behind the token logs in to the app again: run `metatoken login brand`
  Meta: \"The session has been invalidated because the user changed their password or Facebook has…\" (190/460)

1 token: 1 invalid
",
        )
        .stderr("")
        .exit(Exit::PersonNeeded);
}

#[test]
fn a_first_string_that_is_refused_leaves_the_label_without_one() {
    let world = World::new().config(CONFIG).token("BRAND", TokenFixture::system_user(APP, ROBOT));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES  REASON
brand  invalid  -        refused: wrong type

critical: `brand`: never worked, a system-user token, not a user token, found in the environment variable `BRAND`
  hint: paste a user token: run `metatoken exchange brand`. If the token is the right one, correct `type` of `[token.brand]` in [DIR]/metatoken.toml

1 token: 1 invalid
").stderr("").exit(Exit::InputRefused);
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES  REASON
brand  invalid  -        wrong type

critical: `brand`: never worked, a system-user token, not a user token, found in the environment variable `BRAND`
  hint: paste a user token: run `metatoken exchange brand`. If the token is the right one, correct `type` of `[token.brand]` in [DIR]/metatoken.toml

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    world
        .run(&["token", "brand"])
        .stdout("")
        .stderr(
            "
error: brand: has no access token: a system-user token, not a user token, found in the environment variable `BRAND`
hint: paste a user token: run `metatoken exchange brand`. If the token is the right one, correct `type` of `[token.brand]` in [DIR]/metatoken.toml
",
        )
        .exit(Exit::PersonNeeded);
    world.run(&["status"]).stdout("
1 token: 1 critical                                         2026-01-01 00:00 UTC

TOKEN  TYPE  STATE         EXPIRES  DATA ACCESS  CHECKED  NEXT
brand  user  never worked  -        -            never    fix config

critical: `brand`: never worked, a system-user token, not a user token, found in the environment variable `BRAND`
  hint: paste a user token: run `metatoken exchange brand`. If the token is the right one, correct `type` of `[token.brand]` in [DIR]/metatoken.toml
").stderr("").exit(Exit::Ok);
}

#[test]
fn a_dead_string_is_not_adopted() {
    let mut world = adopted(brand());
    let dead = paste(&mut world, brand());
    world.graph.with(|graph| graph.invalidate(&dead, Invalidation::SessionInvalid));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  failed   2026-03-02  refused: session invalid (190/467)

warning: `brand`: works, the new access token was rejected: logged out
  hint: the person behind the token logs in to the app again: run `metatoken login brand`
  Meta: \"The session is invalid. This may be because the user logged out or may be due to…\" (190/467)

1 token: 1 failed
").stderr("").exit(Exit::InputRefused);
    assert_eq!(current(&world), "EAAFAKEBrand1\n");
}

#[test]
fn a_string_that_this_label_has_had_is_ignored() {
    let mut world = adopted(brand());
    let first = "EAAFAKEBrand1".to_owned();
    let second = paste(&mut world, brand());
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.calls();
    for string in [&first, &second, &first] {
        world.set("BRAND", string);
        world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
        assert_eq!(current(&world), format!("{second}\n"));
    }
    assert_eq!(world.calls(), [""; 0]);
}

/// Two users, each with a source.
const TWO: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
[token.shop]
type = "user"
access_token = { env = "SHOP" }
"#;

#[test]
fn one_access_token_under_two_labels_is_the_trouble_of_the_second_alone() {
    let mut world = World::new().config(TWO).token("BRAND", brand());
    world.set("SHOP", "EAAFAKEBrand1");
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  found in the environment variable `BRAND`
shop   invalid  -           `access_token` is that of `brand`

critical: `shop`: never worked, `access_token` is that of `brand`
  hint: set `access_token` of `[token.shop]` in [DIR]/metatoken.toml to an access token of its own, or remove the table; then run `metatoken refresh`

2 tokens: 1 adopted, 1 invalid
",
        )
        .stderr("")
        .exit(Exit::Config);
    assert_eq!(world.calls(), ["debug_token Brand"]);
    // It is said on every run while it stands, and by those who only look.
    let ran = world.run(&["refresh", "--json"]).stderr("").exit(Exit::Config);
    assert_eq!(ran.result("brand")["outcome"], "not_due");
    assert_eq!(ran.result("shop")["outcome"], "invalid");
    assert_eq!(ran.result("shop")["problem"], serde_json::Value::Null);
    world.run(&["refresh", "brand", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["check"]).verdict("
METATOKEN CRITICAL - shop: never worked, access_token is that of brand; operator sets its own: metatoken refresh
CRITICAL: `shop`: never worked, `access_token` is that of `brand`
  set `access_token` of `[token.shop]` in [DIR]/metatoken.toml to an access token of its own, or remove the table; then run `metatoken refresh`. Proof: `metatoken check shop`
").stderr("").code(2);
    let status = world.run(&["status", "--offline", "--json"]).code(0).token("shop");
    assert_eq!(status["reasons"][0]["code"], "shared_token");
    assert_eq!((&status["state"], &status["health"]), (&"missing".into(), &"critical".into()));

    // Its own access token ends it.
    let own = world.mint(brand());
    world.set("SHOP", &own);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["token", "shop"]).stdout(&format!("\n{own}\n")).code(0);
    world.run(&["check", "--tokens"]).code(0);

    // One that keeps an access token of its own is kept alive all the same.
    world.set("SHOP", "EAAFAKEBrand1");
    world.at(day(45));
    let ran = world.run(&["refresh", "--json"]).stderr("").exit(Exit::Config);
    assert_eq!(ran.result("brand")["outcome"], "refreshed");
    assert_eq!(ran.result("shop")["outcome"], "refreshed");
    let shop = world.run(&["status", "--offline", "--json"]).code(0).token("shop");
    assert_eq!((&shop["state"], &shop["health"]), (&"valid".into(), &"critical".into()));
    // All others were kept, so the timer is not called stopped.
    let check = world.run(&["check", "--json"]).code(2).json();
    assert_eq!(check["runs"]["finished_at"], "2026-02-15T00:00:00Z");
    assert_eq!(check["runs"]["exit_code"], 78);
    let codes = check["system"].as_array().unwrap().iter().map(|reason| &reason["code"]);
    assert!(!codes.clone().any(|code| code == "no_recent_run"), "{:#}", check["system"]);
    // A source that says nothing any more names no other token's.
    world.set("SHOP", "");
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
}

#[test]
fn an_access_token_of_a_label_that_is_gone_is_told_with_was_and_forget() {
    let mut world = World::new().config(TWO).token("BRAND", brand());
    world.run(&["refresh", "brand", "--quiet"]).silent().exit(Exit::Ok);
    world.reconfigure(&TWO.replace("brand", "label"));
    world.set("SHOP", "");
    world.run(&["refresh", "--quiet"]).exit(Exit::Config);
    world.run(&["refresh", "label"]).stdout("
TOKEN  OUTCOME  EXPIRES  REASON
label  invalid  -        `access_token` is that of `brand`, no longer declared

critical: `label`: never worked, `access_token` is that of `brand`, no longer declared
  hint: set `was = \"brand\"` in `[token.label]` in [DIR]/metatoken.toml; then run `metatoken refresh label`. If it is not the new name of `brand`, run `metatoken forget brand` first

1 token: 1 invalid
").stderr("").exit(Exit::Config);
}

#[test]
fn while_graph_is_out_of_reach_a_new_string_waits() {
    let world = World::new().config(CONFIG).token("BRAND", brand());
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
brand  failed   -        graph unavailable (1)

unknown: `brand`: not checked yet, Graph is unavailable
  hint: nothing to do yet: it is tried again by itself
  Meta: \"An unknown error occurred\" (1)

1 token: 1 failed
",
        )
        .stderr("")
        .exit(Exit::Unavailable);
    world
        .run(&["check"])
        .verdict(
            "
METATOKEN UNKNOWN - brand: not checked yet, Graph has not answered about the new access token; operator: metatoken refresh
UNKNOWN: `brand`: not checked yet, Graph has not answered about the new access token
  run `metatoken refresh`. Proof: `metatoken check brand`
",
        )
        .stderr("")
        .code(3);
    world.graph.behave();
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  sealed by an earlier run, and checked now

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["history"])
        .stdout(
            "
AT (UTC)          TOKEN  EVENT    TRIGGER  GENERATION  DETAIL
2026-01-01 00:00  brand  adopted  manual   1           expires 2026-03-02

no attempts yet
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_string_that_waits_is_examined_even_if_its_source_is_gone() {
    let mut world = adopted(brand());
    paste(&mut world, brand());
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    // The one in use has time left: nobody is told.
    world.run(&["refresh", "--quiet"]).exit(Exit::Unavailable).silent();
    world.graph.behave();
    world.set("BRAND", "");
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-12  sealed by an earlier run, and checked now

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(current(&world), "EAAFAKEBrand2\n");
}

#[test]
fn a_source_that_says_nothing_is_an_error_only_without_a_string() {
    let world = World::new().config(CONFIG);
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
brand  failed   -        the environment variable `BRAND` is not set

critical: `brand`: never worked, the environment variable `BRAND` is not set
  hint: set the variable `BRAND` to the access token; then run `metatoken refresh brand`

1 token: 1 failed
",
        )
        .stderr("")
        .exit(Exit::PersonNeeded);
    // Meta was asked for nothing: no refresh has failed, however often a timer runs.
    let _ = world.run(&["refresh"]).exit(Exit::PersonNeeded);
    assert_eq!(world.events("brand"), []);
    assert_eq!(world.offline("brand")["refresh"]["consecutive_failures"], 0);
    world.run(&["history", "--summary"]).stdout("\nno attempts yet\n").code(0);

    let mut world = adopted(brand());
    world.set("BRAND", "");
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  due 2026-02-10 00:00 UTC, in 29 days

1 token: 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.reconfigure(&CONFIG.replace("env = \"BRAND\"", "file = \"app.env\", key = \"BRAND\""));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();

    let world = World::new()
        .config(&CONFIG.replace("env = \"BRAND\"", "file = \"app.env\", key = \"BRAND\""));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
brand  failed   -        `BRAND` in `[DIR]/app.env` is missing

critical: `brand`: never worked, `BRAND` in `[DIR]/app.env` is missing
  hint: set `BRAND` in `[DIR]/app.env` to the access token; then run `metatoken refresh brand`

1 token: 1 failed
",
        )
        .stderr("")
        .exit(Exit::PersonNeeded);
}

#[test]
fn a_string_out_of_an_applications_file_is_adopted() {
    let config = CONFIG.replace("env = \"BRAND\"", "file = \"app.env\", key = \"FB_TOKEN\"");
    let world = World::new().config(&config);
    let string = world.mint(brand());
    world.write("app.env", format!("# the shop\nDEBUG=0\nFB_TOKEN=\"{string}\"\n"));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(current(&world), format!("{string}\n"));
}

#[test]
fn what_cannot_be_a_token_is_never_sent() {
    for (string, why) in [
        ("EAAfake one", "it has a blank inside"),
        ("EAAfake\nEAAother", "it has 2 lines"),
        ("\"EAAfake\"", "it has quotes around it"),
        ("BRAND=EAAfake", "it begins with `NAME=`"),
        ("EAAfake...", "it ends in `…`: it was cut off"),
        ("IGAAfake", "it belongs to Instagram (it begins with `IG`), not to a user token"),
        ("1|fake", "it is an app's token, not a user token"),
    ] {
        let world = World::new().config(CONFIG).with("BRAND", string);
        let ran = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
        let result = ran.result("brand");
        assert_eq!(result["outcome"], "failed");
        assert_eq!(
            result["problem"]["message"],
            format!("no access token in the environment variable `BRAND`: {why}")
        );
        assert_eq!(world.calls(), [""; 0]);
    }
}

#[test]
fn a_token_can_be_renamed() {
    let world = adopted(brand());
    world.reconfigure(
        "[token.label]\nwas = \"brand\"\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n",
    );
    // Readers know it by the new name before a run has written it down.
    world.run(&["token", "label"]).stdout("\nEAAFAKEBrand1\n").stderr("").exit(Exit::Ok);
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
label  not due  2026-03-02  due 2026-02-10 00:00 UTC, in 29 days

1 token: 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.run(&["token", "label"]).stdout("\nEAAFAKEBrand1\n").stderr("").exit(Exit::Ok);
    world
        .run(&["token", "brand"])
        .stdout("")
        .stderr(
            "
error: brand: matches no token
hint: the labels are `label`
",
        )
        .exit(Exit::Usage);
    world
        .run(&["history", "label", "--format", "csv"])
        .stdout(
            "
at,run,label,event,trigger,success,old_expires_at,new_expires_at,generation,fingerprint,problem,target,old_never_expires,new_never_expires
2026-01-01T00:00:00Z,1,label,adopted,manual,,,2026-03-02T00:00:00Z,1,fingerprint1,,,false,false
2026-01-11T01:00:00Z,3,label,renamed,manual,,,,,,,,false,false
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_label_that_left_the_config_is_kept_and_no_longer_judged() {
    let mut world = adopted(brand());
    world.reconfigure(&CONFIG.replace("brand", "shop"));
    let string = world.mint(brand().named("shop"));
    world.set("BRAND", &string);
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::Revoked));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
shop   adopted  2026-03-12  found in the environment variable `BRAND`

critical: `brand`: no longer declared, not renewed, expires in 49 days (2026-03-02 00:00 UTC)
  hint: declare it again, or set `was = \"brand\"` under its new name; then run `metatoken refresh`. If not needed any more, run `metatoken forget brand`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["status", "--offline"]).stdout("
1 token: 1 ok                                               2026-01-11 01:00 UTC

TOKEN  TYPE  STATE  EXPIRES     DATA ACCESS  CHECKED   NEXT
shop   user  works  2026-03-12  2026-04-11   just now  renew 2026-02-20

critical: `brand`: no longer declared, not renewed, expires in 49 days (2026-03-02 00:00 UTC)
  hint: declare it again, or set `was = \"brand\"` under its new name; then run `metatoken refresh`. If not needed any more, run `metatoken forget brand`
").stderr("").exit(Exit::Ok);
    world.run(&["status", "--offline", "-v"]).stdout("
1 token: 1 ok                                               2026-01-11 01:00 UTC

TOKEN  TYPE  STATE  EXPIRES     DATA ACCESS  CHECKED   NEXT
shop   user  works  2026-03-12  2026-04-11   just now  renew 2026-02-20

critical: `brand`: no longer declared, not renewed, expires in 49 days (2026-03-02 00:00 UTC)
  hint: declare it again, or set `was = \"brand\"` under its new name; then run `metatoken refresh`. If not needed any more, run `metatoken forget brand`

shop: user token of 3000000000000001, app main (1000000000000001)

  state         works
  checked       2026-01-11 01:00 UTC
  expires       2026-03-12 01:00 UTC
  data access   2026-04-11 01:00 UTC
  next          due 2026-02-20 01:00 UTC, in 40 days
  issued        2026-01-11 01:00 UTC
  generation    1, fingerprint fingerprint1
  application   Main App
  permissions   public_profile

  2026-01-11 01:00  adopted, expires 2026-03-12 (manual)

in the store but not in the config, neither renewed nor judged: `brand`
").stderr("").exit(Exit::Ok);
    world
        .run(&["refresh", "brand"])
        .stdout("")
        .stderr(
            "
error: brand: the config no longer declares it
hint: declare it again, or set `was = \"brand\"` under its new name; `metatoken history brand` shows what it was
",
        )
        .exit(Exit::Usage);
    world.run(&["check", "--tokens"]).verdict("\nMETATOKEN OK - 1 token, all well\n").code(0);
    world.run(&["check"]).code(2);
    // Its past is still to be read.
    world
        .run(&["history", "brand"])
        .stdout(
            "
AT (UTC)          TOKEN  EVENT    TRIGGER  GENERATION  DETAIL
2026-01-01 00:00  brand  adopted  manual   1           expires 2026-03-02

no attempts yet
",
        )
        .stderr("")
        .exit(Exit::Ok);

    // Back in the config, it goes on with the string that it had.
    world.reconfigure(&CONFIG.replace("access_token = { env = \"BRAND\" }\n", ""));
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand1\n").stderr("").exit(Exit::Ok);
}

//! A cause that many tokens share is found once, stops the calls that must fail, and is told once
//! with all that it holds back.

use std::fmt::Write as _;

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, Listing, PageFixture, Rule, TokenFixture};
use serde_json::json;

use super::{CREATOR_CONFIG, creator};
use crate::common::{ANNA, APP, World, day};

const FIVE: [&str; 5] = ["one", "two", "three", "four", "five"];

/// Five tokens of one app, kept one after the other, and one of another app's.
fn five() -> World {
    let mut config = format!("[http]\nconcurrency = 1\nattempts = 1\n{CREATOR_CONFIG}");
    // Each has twenty days and an hour left, so it is due on the next day.
    let nearly = TimeDelta::days(39) + TimeDelta::hours(23);
    let mut world = World::new().token("CREATOR", creator().aged(TimeDelta::days(2)));
    for label in FIVE {
        let variable = label.to_uppercase();
        let _ = write!(
            config,
            "\n[token.{label}]\ntype = \"user\"\napp = \"main\"\naccess_token = {{ env = \"{variable}\" }}\n"
        );
        world = world.token(&variable, TokenFixture::user(APP, ANNA).named(label).aged(nearly));
    }
    world = world.config(&config);
    world.run(&["refresh", "--json"]).exit(Exit::Ok).stderr("");
    world.calls();
    world.at(day(1));
    world
}

/// The calls that went to Facebook.
fn at_facebook(world: &World) -> Vec<String> {
    world.calls().into_iter().filter(|call| !call.starts_with("instagram/")).collect()
}

#[test]
fn a_wrong_secret_is_found_by_one_call() {
    let world = five().with("APP_SECRET", "fakewrong");
    world.run(&["refresh"]).stdout("
TOKEN    OUTCOME   EXPIRES     REASON
creator  verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
one      skipped   2026-01-21  bad app credentials (1)
two      skipped   2026-01-21  bad app credentials (1)
three    skipped   2026-01-21  bad app credentials (1)
four     skipped   2026-01-21  bad app credentials (1)
five     invalid   2026-01-21  bad app credentials (1)

warning: `one`, `two`, `three`, `four` and `five`: works, wrong id or secret of app `main`
  hint: compare `id` (1000000000000001) and `secret` of `[app.main]` in [DIR]/metatoken.toml with the app's dashboard (App settings, Basic); then run `metatoken refresh`
  Meta: \"Error validating client secret\" (1)

6 tokens: 1 verified, 4 skipped, 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    assert_eq!(at_facebook(&world).len(), 1);
    let json = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).json();
    let system = json["system"].as_array().unwrap();
    assert_eq!(system.len(), 1, "{system:#?}");
    assert_eq!(system[0]["labels"], json!(FIVE));
    assert_eq!(system[0]["code"], "bad_app_credentials");
    world.run(&["status", "--offline"]).stdout("
6 tokens: 5 warning, 1 ok                                   2026-01-02 00:00 UTC

TOKEN    TYPE       STATE           EXPIRES     DATA ACCESS  NEXT
one      user       works, warning  2026-01-21  2026-02-20   fix config
two      user       works, warning  2026-01-21  2026-02-20   fix config
three    user       works, warning  2026-01-21  2026-02-20   fix config
four     user       works, warning  2026-01-21  2026-02-20   fix config
five     user       works, warning  2026-01-21  2026-02-20   fix config
creator  instagram  works           2026-03-02  unknown      renew 2026-02-10

warning: `one`, `two`, `three`, `four` and `five`: works, wrong id or secret of app `main`
  hint: compare `id` (1000000000000001) and `secret` of `[app.main]` in [DIR]/metatoken.toml with the app's dashboard (App settings, Basic); then run `metatoken refresh`
  Meta: \"Invalid OAuth access token signature\" (190)
").stderr("").exit(Exit::Ok);
    world.run(&["check"]).verdict("
METATOKEN WARNING - one and 4 more: works, wrong id or…; operator corrects [DIR]/metatoken.toml: metatoken refresh
WARNING: `one`, `two`, `three`, `four` and `five`: works, wrong id or secret of app `main`
  compare `id` (1000000000000001) and `secret` of `[app.main]` in [DIR]/metatoken.toml with the app's dashboard (App settings, Basic); then run `metatoken refresh`. Proof: `metatoken check one`. Meta: \"Invalid OAuth access token signature\" (190)
").stderr("").code(1);
}

#[test]
fn a_disabled_app_is_found_by_one_call() {
    let world = five();
    world.graph.with(|graph| graph.app_mut(APP).unwrap().disabled = true);
    world.run(&["refresh"]).stdout("
TOKEN    OUTCOME   EXPIRES     REASON
creator  verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
one      skipped   2026-01-21  app disabled (200)
two      skipped   2026-01-21  app disabled (200)
three    skipped   2026-01-21  app disabled (200)
four     skipped   2026-01-21  app disabled (200)
five     invalid   2026-01-21  app disabled (200)

warning: `one`, `two`, `three`, `four` and `five`: works, app `main` is disabled
  hint: open the dashboard of app `main` (1000000000000001) and follow its alerts until the app is live again; then run `metatoken refresh`
  Meta: \"API access deactivated. To reactivate, go to the app dashboard\" (200)

6 tokens: 1 verified, 4 skipped, 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    assert_eq!(at_facebook(&world).len(), 1);
    for label in FIVE {
        assert_eq!(world.offline(label)["valid"], true, "{label}: no death");
    }
    let json = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).json();
    assert_eq!(json["system"].as_array().unwrap().len(), 1);
    assert_eq!(json["system"][0]["labels"], json!(FIVE));
    world.graph.with(|graph| graph.app_mut(APP).unwrap().disabled = false);
    let mut world = world;
    world.at(day(2));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert!(FIVE.iter().all(|label| ran.outcomes()[*label] == "refreshed"));
}

#[test]
fn graph_out_of_reach_is_one_cause_for_all() {
    let world = five();
    world.graph.misbehave(Rule::any(), FaultInjection::CloseBeforeAnswer);
    world.run(&["refresh"]).stdout("
TOKEN    OUTCOME  EXPIRES     REASON
creator  failed   2026-03-02  network
one      skipped  2026-01-21  network
two      skipped  2026-01-21  network
three    skipped  2026-01-21  network
four     skipped  2026-01-21  network
five     failed   2026-01-21  network

warning: `creator`, `one`, `two`, `three`, `four` and `five`: works, the connection to `127.0.0.1` broke: connection closed before message completed
  hint: nothing to do yet: it is tried again by itself

6 tokens: 4 skipped, 2 failed
").stderr("").exit(Exit::Unavailable);
    // One a host: that one is out of reach says nothing of the other.
    assert_eq!(world.calls().len(), 2);
    for label in FIVE {
        assert_eq!(world.offline(label)["state"], "valid", "{label}");
    }
    let json = world.run(&["refresh", "--json"]).exit(Exit::Unavailable).json();
    assert_eq!(json["system"].as_array().unwrap().len(), 1, "{:#}", json["system"]);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Unavailable);
}

#[test]
fn graph_down_is_believed_after_three_answers() {
    let world = five();
    world.graph.misbehave(Rule::any(), FaultInjection::Code2Transient);
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN    OUTCOME  EXPIRES     REASON
creator  failed   2026-03-02  graph unavailable (2)
one      skipped  2026-01-21  graph unavailable (2)
two      skipped  2026-01-21  graph unavailable (2)
three    skipped  2026-01-21  graph unavailable (2)
four     failed   2026-01-21  graph unavailable (2)
five     failed   2026-01-21  graph unavailable (2)

warning: `creator`, `one`, `two`, `three`, `four` and `five`: works, Graph is unavailable
  hint: nothing to do yet: it is tried again by itself
  Meta: \"(#2) Service temporarily unavailable\" (2)

6 tokens: 3 skipped, 3 failed
",
        )
        .stderr("")
        .exit(Exit::Unavailable);
    // Three at one host, and one at the other.
    assert_eq!(world.calls().len(), 4);
}

/// Each of five tokens had an alarm of its own, whose command checked that one alone.
#[test]
fn a_secret_that_is_gone_is_told_once_for_the_app() {
    let (without_it, said, how) = (
        "[app.main]\nid = \"1000000000000001\"\n",
        "app `main` has no `secret`, which is needed to ask Graph about a token",
        "copy the app's secret (App settings, Basic) into `secret` of `[app.main]` in [DIR]/metatoken.toml",
    );
    for (app, said, how) in [
        (
            "[app.main]\nid = \"1000000000000001\"\nsecret = { file = \"gone\" }\n",
            "no secret of app `main`: the file `[DIR]/gone` is missing",
            "write the secret into the file `[DIR]/gone` (mode 0600)",
        ),
        (without_it, said, how),
    ] {
        let world = five();
        let config = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
        let (_, rest) = config.split_once("secret = { env = \"APP_SECRET\" }\n").unwrap();
        world.write("metatoken.toml", format!("{app}{rest}"));
        let ran = world.run(&["refresh"]).stderr("").exit(Exit::PersonNeeded);
        let told = format!(
            "warning: `one`, `two`, `three`, `four` and `five`: works, {said}\n  hint: {how}; then run \
             `metatoken refresh`\n"
        );
        assert!(ran.stdout.contains(&told), "{}", ran.stdout);
        world.write("metatoken.toml", &config);
        // The command of the hint, typed.
        world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
        world.run(&["check", "--tokens", "--quiet"]).silent().code(0);
    }
}

/// The chat got a message for each Page of a person whose account Facebook held.
#[test]
fn an_account_that_is_held_is_told_once_with_its_pages() {
    let config = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\npages = \"all\"\nowner = \"anna@client.example\"\n";
    let scopes = ["public_profile", "pages_show_list"];
    let spec = TokenFixture::user(APP, ANNA).named("brand").scopes(scopes);
    for held in [Invalidation::Checkpoint, Invalidation::Unconfirmed, Invalidation::Blocking] {
        let mut world = World::new().config(config).token("BRAND", spec.clone());
        world.run(&["refresh", "--json"]).exit(Exit::Ok);
        world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", held));
        world.at(day(1));
        let json = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).json();
        let system = json["system"].as_array().unwrap();
        assert_eq!(system.len(), 1, "{system:#?}");
        assert_eq!(system[0]["labels"].as_array().unwrap().len(), 3);
        let first = world.run(&["check"]).code(2).stdout;
        let first = first.split(" | ").next().unwrap();
        assert!(
            first.starts_with("METATOKEN CRITICAL - brand and 2 more: down, account "),
            "{first}"
        );
        let command = "; anna@client.example logs in at facebook.com: metatoken refresh brand";
        assert!(first.ends_with(command), "{first}");
        // Anna does what Facebook asks, and the command is typed.
        world.graph.with(|graph| graph.revive("EAAFAKEBrand1"));
        world.at(day(1) + TimeDelta::minutes(5));
        world.run(&["refresh", "brand", "--quiet"]).silent().exit(Exit::Ok);
        world.run(&["check", "--quiet"]).silent().code(0);
    }
}

#[test]
fn a_dead_parent_is_told_once_with_its_pages() {
    let config = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\npages = \"all\"\nowner = \"anna@client.example\"\n";
    let world = World::new().config(config);
    world.graph.with(|graph| {
        graph.add_page(PageFixture::new("2000000000000003", "Shop"));
        graph.list(ANNA, "2000000000000003", Listing::Listed);
    });
    let scopes = ["public_profile", "pages_show_list"];
    let mut world =
        world.token("BRAND", TokenFixture::user(APP, ANNA).named("brand").scopes(scopes));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes().len(), 4, "{:?}", ran.outcomes());
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    world.at(day(1));
    world.run(&["refresh"]).stdout("
TOKEN                   OUTCOME  EXPIRES     REASON
brand                   invalid  2026-03-02  password changed (190/460)
brand/2000000000000001  invalid  never       password changed (190/460)
brand/2000000000000002  invalid  never       password changed (190/460)
brand/2000000000000003  invalid  never       password changed (190/460)

critical: `brand`, `brand/2000000000000001`, `brand/2000000000000002` and `brand/2000000000000003`: down, password changed
  hint: anna@client.example logs in to the app again: run `metatoken login brand`
  Meta: \"The session has been invalidated because the user changed their password or Facebook has…\" (190/460)

4 tokens: 4 invalid
").stderr("").exit(Exit::PersonNeeded);
    let json = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).json();
    let system = json["system"].as_array().unwrap();
    assert_eq!(system.len(), 1, "{system:#?}");
    assert_eq!(system[0]["labels"].as_array().unwrap().len(), 4);
    world.run(&["check"]).verdict("
METATOKEN CRITICAL - brand and 3 more: down, password changed; anna@client.example logs in: metatoken login brand
CRITICAL: `brand`, `brand/2000000000000001`, `brand/2000000000000002` and `brand/2000000000000003`: down, password changed
  anna@client.example logs in to the app again: run `metatoken login brand`. Proof: `metatoken check brand`. Meta: \"The session has been invalidated because the user changed their password or Facebook has…\" (190/460)
").stderr("").code(2);
}

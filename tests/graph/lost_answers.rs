//! Renewals that were sent and not answered: Meta may have ended the access token when it granted
//! the one that never arrived, and the person who is called hears of it.

use metatoken::sandbox::{Death, Misbehaviour, OldString, Rule, TokenSpec};

use crate::common::{ANNA, APP, BRAND, World, day};

const LOST: &str =
    "the answer to a renewal sent 2026-02-15 00:00 UTC was lost, which may be why; Meta says: ";

/// A world on day 45, when `brand` is due, whose Graph ends the old string with each renewal.
fn due(fate: OldString) -> World {
    let mut world = World::with_brand("[http]\nattempts = 1\n");
    world.graph.with(|graph| graph.set_old_string(fate));
    world.at(day(45));
    world
}

/// What the next runs say of `brand`: `refresh`, `status`, `check`.
#[track_caller]
fn said(world: &World) -> [String; 3] {
    let refresh = world.run(&["refresh", "--json"]);
    let message = refresh.result("brand")["problem"]["message"].as_str().unwrap_or("").to_owned();
    let status = world.run(&["status", "--offline", "--json"]).token("brand");
    let status = status["reasons"][0]["message"].as_str().unwrap_or("").to_owned();
    let check = world.run(&["check"]).stdout;
    [message, status, check]
}

#[test]
fn a_lost_answer_is_named_when_a_person_is_called() {
    let mut world = due(OldString::Dies);
    world.graph.misbehave(Rule::on("/oauth/access_token").once(), Misbehaviour::CloseAfterEffect);
    world.run(&["refresh", "--quiet"]).code(69);
    world.at(day(46));
    for text in said(&world) {
        assert!(text.contains(LOST), "{text}");
    }
    world.run(&["refresh", "--quiet"]).code(77);
    let live = world.run(&["status", "--live", "--json"]).token("brand");
    let reason = live["reasons"][0]["message"].as_str().unwrap();
    assert_eq!(reason.matches(LOST).count(), 1, "{reason}");
    // A new access token ends the story.
    let string = world.mint(TokenSpec::user(APP, ANNA).named("brand"));
    world.run_with_input(&["exchange", "brand"], &string).code(0);
    let in_use = world.in_use("brand");
    world.graph.with(|graph| graph.kill(&in_use, Death::PasswordChanged));
    for text in said(&world) {
        assert!(!text.contains("was lost"), "{text}");
    }
}

#[test]
fn a_kill_before_the_seal_is_named_as_long_as_a_person_is_called() {
    let mut world = due(OldString::Dies);
    world.killed_at("granted", &["refresh"], "");
    for n in [45, 46, 47] {
        world.at(day(n));
        for text in said(&world) {
            assert!(text.contains(LOST), "day {n}: {text}");
        }
    }
}

#[test]
fn what_was_not_sent_is_not_blamed() {
    let mut world = due(OldString::Lives);
    let stopped = world.graph.endpoint(metatoken::token::Provider::Facebook);
    let config = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
    world.write("metatoken.toml", config.replace(&stopped, "http://127.0.0.1:1"));
    world.run(&["refresh", "--quiet"]).code(69);
    world.write("metatoken.toml", config);
    world.graph.with(|graph| graph.kill("EAAFAKEBrand1", Death::PasswordChanged));
    world.at(day(46));
    for text in said(&world) {
        assert!(!text.contains("was lost"), "{text}");
    }
}

#[test]
fn graphs_own_refusal_is_an_answer() {
    let mut world = due(OldString::Lives);
    world.graph.misbehave(Rule::on("/oauth/access_token").once(), Misbehaviour::Code2Transient);
    world.run(&["refresh", "--quiet"]).code(69);
    world.graph.with(|graph| graph.kill("EAAFAKEBrand1", Death::PasswordChanged));
    world.at(day(46));
    for text in said(&world) {
        assert!(!text.contains("was lost"), "{text}");
    }
}

#[test]
fn what_is_alive_afterwards_did_not_die_of_it() {
    let mut world = due(OldString::Lives);
    world.graph.misbehave(Rule::on("/oauth/access_token").once(), Misbehaviour::CloseAfterEffect);
    world.run(&["refresh", "--quiet"]).code(69);
    world.at(day(46));
    world.run(&["status", "--live"]).code(0);
    world.graph.with(|graph| graph.kill("EAAFAKEBrand1", Death::PasswordChanged));
    for text in said(&world) {
        assert!(!text.contains("was lost"), "{text}");
    }
}

/// The user, and a Page that is taken from it and delivered.
const WITH_A_PAGE: &str = r#"
[token.bakery]
type = "page"
parent = "brand"
page_id = "2000000000000001"

[[token.bakery.deliver]]
file = "app.env"
key = "TOKEN"
create = true
"#;

/// After an older store was put back the file holds an access token that this store has never had.
/// It is refused, for the older one works; then the parent gives the same one, and it is used: there
/// is nothing for a person to do.
#[test]
fn a_refused_string_that_is_used_a_second_later_is_no_refusal() {
    let (older, newer) = ("EAAFAKEPageBakery1", "EAAFAKEPageBakery2");
    let mut world = World::new()
        .config(&format!("{BRAND}{WITH_A_PAGE}"))
        .token("BRAND", TokenSpec::user(APP, ANNA).named("brand"));
    world.run(&["refresh", "--quiet"]).code(0);
    let copy = world.snapshot();
    world.at(day(45));
    world.graph.with(|graph| graph.kill(older, Death::SessionInvalid));
    world.run(&["refresh", "--quiet"]).code(0);
    assert_eq!(world.in_use("bakery"), newer);
    world.graph.with(|graph| graph.revive(older));
    for name in ["metatoken.db", "metatoken.db-wal", "metatoken.db-shm"] {
        match copy.iter().find(|(path, _)| path.ends_with(name)) {
            Some((_, (_, bytes))) => world.write(name, bytes),
            None => drop(std::fs::remove_file(world.path(name))),
        }
    }
    assert_eq!(world.in_use("bakery"), older);
    let ran = world.run(&["refresh", "--json"]).code(0);
    let refused = world.events("bakery").iter().any(|(event, _)| event == "adoption_refused");
    assert!(refused, "the test is about a refusal: {:?}", world.events("bakery"));
    assert_eq!(world.in_use("bakery"), newer);
    let result = ran.result("bakery");
    assert_eq!((&result["outcome"], &result["problem"]), (&"derived".into(), &().into()));
    assert_eq!(result["reason"], "its parent has a newer string");
    assert_eq!(std::fs::read_to_string(world.path("app.env")).unwrap(), format!("TOKEN={newer}\n"));
    world.run(&["refresh", "--quiet"]).silent().code(0);
}

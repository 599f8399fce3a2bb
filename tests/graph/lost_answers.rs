//! Renewals that were sent and not answered: Meta may have ended the access token when it granted
//! the one that never arrived, and the person who is called hears of it.

use chrono::TimeDelta;
use metatoken::sandbox::{FaultInjection, Invalidation, OldString, Rule, TokenFixture};
use metatoken::token::Expiry;

use crate::common::{ANNA, APP, BRAND, World, day};

const LOST: &str = "the answer to a renewal sent 2026-02-15 00:00 UTC was lost, which may be why";

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
    world.graph.misbehave(Rule::on("/oauth/access_token").once(), FaultInjection::CloseAfterEffect);
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
    let string = world.mint(TokenFixture::user(APP, ANNA).named("brand"));
    world.run_with_input(&["exchange", "brand"], &string).code(0);
    let in_use = world.in_use("brand");
    world.graph.with(|graph| graph.invalidate(&in_use, Invalidation::PasswordChanged));
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
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    world.at(day(46));
    for text in said(&world) {
        assert!(!text.contains("was lost"), "{text}");
    }
}

#[test]
fn graphs_own_refusal_is_an_answer() {
    let mut world = due(OldString::Lives);
    world.graph.misbehave(Rule::on("/oauth/access_token").once(), FaultInjection::Code2Transient);
    world.run(&["refresh", "--quiet"]).code(69);
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    world.at(day(46));
    for text in said(&world) {
        assert!(!text.contains("was lost"), "{text}");
    }
}

#[test]
fn what_is_alive_afterwards_did_not_die_of_it() {
    let mut world = due(OldString::Lives);
    world.graph.misbehave(Rule::on("/oauth/access_token").once(), FaultInjection::CloseAfterEffect);
    world.run(&["refresh", "--quiet"]).code(69);
    world.at(day(46));
    world.run(&["status", "--live"]).code(0);
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    for text in said(&world) {
        assert!(!text.contains("was lost"), "{text}");
    }
}

/// Whatever takes the place of a token whose renewal was lost tells of that, as `exchange` does.
#[test]
fn a_lost_renewal_is_named_by_what_replaces_its_token() {
    const SAID: &str = "warning: brand: a renewal that began 2026-02-15 00:00 UTC was cut short; what \
                        Meta answered is lost\n";
    let backed = "backup = \"spare\"\n[[token.brand.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\n\
                  [token.spare]\ntype = \"user\"\naccess_token = { env = \"SPARE\" }\n";
    for (typed, is_said) in [
        (&["rollback", "brand"][..], true),
        (&["promote", "brand"], true),
        (&["refresh"], true),
        (&["refresh", "--quiet"], false),
    ] {
        let mut world = World::new().config(&format!("[http]\nattempts = 1\n{BRAND}{backed}"));
        world.write("app.env", "TOKEN=\n");
        let user = |name: &str, end: i64| {
            TokenFixture::user(APP, ANNA).named(name).ending(Expiry::At(day(end)))
        };
        let first = world.mint(user("brand", 60));
        world.set("BRAND", &first);
        world.set("SPARE", &world.mint(user("spare", 90)));
        world.run(&["refresh", "--quiet"]).code(0);
        let second = world.mint(user("second", 61));
        world.run_with_input(&["exchange", "brand", "--quiet"], &second).code(0);
        world.at(day(45));
        world.killed_at("granted", &["refresh", "brand"], "");
        if typed[0] == "refresh" {
            let third = world.mint(user("third", 100));
            world.write("app.env", format!("TOKEN={third}\n"));
        }
        let ran = world.run(typed).code(0);
        assert_eq!(ran.stderr.contains(SAID), is_said, "{typed:?}: {}", ran.stderr);
        assert_ne!(world.in_use("brand"), second, "{typed:?}");
        let told = world.events("brand").into_iter().filter(|(event, _)| event == "refresh_failed");
        assert_eq!(told.count(), 1, "{typed:?}");
        let ran = world.run(&["refresh"]);
        assert!(!ran.stderr.contains(SAID), "{typed:?}: {}", ran.stderr);
    }
}

/// A plain renewal after it says so too, once, and no line where quiet is asked for.
#[test]
fn a_lost_renewal_is_named_by_the_run_that_renews() {
    let said = "warning: brand: a renewal that began 2026-02-15 00:00 UTC was cut short; what Meta \
                answered is lost\n";
    for (typed, expected) in [(&["refresh"][..], said), (&["refresh", "--quiet"], "")] {
        let mut world = due(OldString::Lives);
        world.killed_at("granted", &["refresh"], "");
        let ran = world.run(typed).code(0);
        assert_eq!(ran.stderr, expected, "{typed:?}");
        let told = world.events("brand").into_iter().filter(|(event, _)| event == "refresh_failed");
        assert_eq!(told.count(), 1, "{typed:?}");
        world.at(day(46));
        assert_eq!(world.run(&["refresh"]).code(0).stderr, "", "{typed:?}");
    }
}

/// A rollback that is refused does not hide why the access token in use may be dead.
#[test]
fn a_lost_renewal_is_blamed_after_a_rollback_that_was_refused() {
    let mut world = due(OldString::Dies);
    world.killed_at("granted", &["refresh"], "");
    let ran = world.run(&["rollback", "brand"]).code(65);
    assert!(ran.stderr.starts_with("warning: brand: a renewal that began "), "{}", ran.stderr);
    world.at(day(46));
    for text in said(&world) {
        assert!(text.contains(LOST), "{text}");
    }
}

const LOST_EXCHANGE: &str =
    "the answer to an exchange sent 2026-01-01 00:00 UTC was lost, which may be why";

/// A world without a token, and a new short-lived access token that Graph ends with its exchange.
fn handed_over() -> (World, String) {
    let world = World::new().config(&format!("[http]\nattempts = 1\n{BRAND}"));
    world.graph.with(|graph| graph.set_old_string(OldString::Dies));
    let string = world.mint(
        TokenFixture::user(APP, ANNA)
            .named("brand")
            .ending(Expiry::At(day(0) + TimeDelta::hours(1))),
    );
    (world, string)
}

/// Loses the answer to the exchange of that access token, by the network or by a kill.
fn lose_the_answer(world: &World, string: &str, killed: bool) {
    if killed {
        world.killed_at("granted", &["exchange", "brand"], string);
        return;
    }
    world.graph.misbehave(Rule::on("/oauth/access_token").once(), FaultInjection::CloseAfterEffect);
    world.run_with_input(&["exchange", "brand"], string).code(69);
}

/// Whoever hands the same one over again is not told that he changed his password.
#[test]
fn a_lost_answer_to_an_exchange_is_named_when_the_same_one_comes_again() {
    for killed in [false, true] {
        let (mut world, string) = handed_over();
        lose_the_answer(&world, &string, killed);
        world.at(day(0) + TimeDelta::minutes(5));
        for _ in 0..2 {
            let ran = world.run_with_input(&["exchange", "brand"], &string).stdout("").code(65);
            assert!(ran.stderr.contains(LOST_EXCHANGE), "{}", ran.stderr);
        }
        // Found where the config points, it says the same.
        world.set("BRAND", &string);
        let refused = world.run(&["refresh", "--json"]).code(65).result("brand");
        let message = refused["problem"]["message"].as_str().unwrap();
        assert_eq!(message.matches(LOST_EXCHANGE).count(), 1, "{message}");
        // Another one has died of something else, and a new one is taken.
        let other = world.mint(
            TokenFixture::user(APP, ANNA)
                .named("other")
                .ending(Expiry::At(day(0) + TimeDelta::hours(1))),
        );
        world.graph.with(|graph| graph.invalidate(&other, Invalidation::PasswordChanged));
        let ran = world.run_with_input(&["exchange", "brand"], &other).code(65);
        assert!(!ran.stderr.contains("was lost"), "{}", ran.stderr);
        let third = world.mint(
            TokenFixture::user(APP, ANNA)
                .named("third")
                .ending(Expiry::At(day(0) + TimeDelta::hours(1))),
        );
        world.run_with_input(&["exchange", "brand", "--quiet"], &third).silent().code(0);
        // That one was answered: its death is explained by it.
        let ran = world.run_with_input(&["exchange", "brand"], &third).code(65);
        assert!(!ran.stderr.contains("was lost"), "{}", ran.stderr);
    }
}

#[test]
fn a_lost_exchange_does_not_blame_the_access_token_in_use() {
    for killed in [false, true] {
        let mut world = World::with_brand("[http]\nattempts = 1\n");
        world.graph.with(|graph| graph.set_old_string(OldString::Dies));
        let string = world.mint(
            TokenFixture::user(APP, ANNA)
                .named("new")
                .ending(Expiry::At(day(0) + TimeDelta::hours(1))),
        );
        lose_the_answer(&world, &string, killed);
        world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
        world.at(day(1));
        for text in said(&world) {
            assert!(!text.contains("was lost"), "{text}");
        }
        let ran = world.run_with_input(&["exchange", "brand"], &string).code(65);
        assert!(ran.stderr.contains(LOST_EXCHANGE), "{}", ran.stderr);
    }
}

#[test]
fn an_exchange_that_was_not_sent_or_was_refused_is_not_blamed() {
    let (mut world, string) = handed_over();
    world.graph.with(|graph| graph.set_old_string(OldString::Lives));
    world.graph.misbehave(Rule::on("/oauth/access_token").once(), FaultInjection::Code2Transient);
    world.run_with_input(&["exchange", "brand"], &string).code(69);
    world.graph.with(|graph| graph.invalidate(&string, Invalidation::PasswordChanged));
    world.at(day(0) + TimeDelta::minutes(5));
    let ran = world.run_with_input(&["exchange", "brand"], &string).code(65);
    assert!(!ran.stderr.contains("was lost"), "{}", ran.stderr);
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

/// An older store was put back: the file holds a Page's access token that this store never had, and
/// that the Page's parent gives in the same run. What Meta does not date is refused where it is found.
#[test]
fn a_refused_access_token_that_is_derived_a_second_later_is_no_refusal() {
    let (older, newer) = ("EAAFAKEPageBakery1", "EAAFAKEPageBakery2");
    let in_config = WITH_A_PAGE.replace("page_id", "access_token = { env = \"BAKERY\" }\npage_id");
    // What the config names is refused in the history; what only a file holds is never called refused.
    for (config, refusals) in [(WITH_A_PAGE, 0), (&in_config, 1)] {
        let mut world = World::new()
            .config(&format!("{BRAND}{WITH_A_PAGE}"))
            .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
        world.run(&["refresh", "--quiet"]).code(0);
        let copy = world.snapshot();
        world.at(day(45));
        world.graph.with(|graph| graph.invalidate(older, Invalidation::SessionInvalid));
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
        world.set("BAKERY", newer);
        world.reconfigure(&format!("{BRAND}{config}"));
        let ran = world.run(&["refresh", "--json"]).code(0);
        let events = world.events("bakery");
        let refused = events.iter().filter(|(event, _)| event == "adoption_refused").count();
        assert_eq!(refused, refusals, "{events:?}");
        assert_eq!(world.in_use("bakery"), newer);
        let result = ran.result("bakery");
        assert_eq!((&result["outcome"], &result["problem"]), (&"derived".into(), &().into()));
        assert_eq!(result["reason"], "its parent has a newer access token");
        let held = std::fs::read_to_string(world.path("app.env")).unwrap();
        assert_eq!(held, format!("TOKEN={newer}\n"));
        world.run(&["refresh", "--quiet"]).silent().code(0);
    }
}

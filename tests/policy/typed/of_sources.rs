//! Causes that stand in what the config finds an access token in: a value that is none, that belongs
//! elsewhere, or that is no better than the current one.

use chrono::TimeDelta;
use metatoken::sandbox::{AppFixture, Rule, TokenFixture};
use metatoken::token::TokenType;
use serde_json::json;

use super::of_the_config::ended;
use super::{FAMILIES, Family, OTHER_APP, Told, codes, error, told, type_it};
use crate::common::brand::answer;
use crate::common::{ANNA, APP, BAKERY, ROBOT, World, day, ends};

/// All cases.
pub(super) const CASES: [fn() -> Vec<Told>; 8] = [
    of_a_value_of_another_type,
    of_a_value_that_is_no_better,
    of_a_value_that_was_cut,
    of_a_first_value_of_another_type,
    of_a_first_value_of_another_app,
    of_an_app_with_a_value,
    of_a_variable_that_is_not_set,
    of_another_program_that_renews,
];

/// A System User whose access token is found in an application's file.
const CONFIG: &str = "[token.ads]\ntype = \"system-user\"\n\
                      access_token = { file = \"app.env\", key = \"TOKEN\" }\n";

const USER: &str = "[token.it]\ntype = \"user\"\naccess_token = { env = \"IT\" }\n";

/// The same with another app in it.
fn of_another_app(world: World) -> World {
    let other = AppFixture::new(OTHER_APP, "othersecret", "Other App");
    world.graph.with(|graph| graph.add_app(other));
    world
}

fn ads() -> TokenFixture {
    TokenFixture::system_user(APP, ROBOT).named("ads")
}

fn user() -> TokenFixture {
    TokenFixture::user(APP, ANNA)
}

fn put(world: &World, access_token: &str) {
    world.write("app.env", format!("TOKEN={access_token}\n"));
}

/// What is there after one that works is in use; removed again, nothing is said of it.
fn of_a_value(spec: TokenFixture) -> Vec<Told> {
    let mut world = World::new().config(CONFIG);
    for spec in [ads(), spec] {
        put(&world, &world.mint(spec));
        let _ = world.run(&["refresh"]);
    }
    ended(&mut world, day(0), "stale_source", |world| put(world, ""))
}

fn of_a_value_of_another_type() -> Vec<Told> {
    of_a_value(user())
}

fn of_a_value_that_is_no_better() -> Vec<Told> {
    of_a_value(ads().ending(ends(60)))
}

/// A first value that is refused; the right one, pasted, is taken. What is left in the source is a
/// cause of its own.
fn of_a_first_value(mut world: World, right: impl Fn() -> TokenFixture) -> Vec<Told> {
    let _ = world.run(&["refresh"]);
    let first = told(&world, "it");
    type_it(&mut world, &first, day(0), right);
    let mut typed = vec![first];
    if codes(&world, "it") == ["stale_source"] {
        typed.extend(ended(&mut world, day(1), "stale_source", |world| world.set("IT", "")));
    }
    assert_eq!(codes(&world, "it"), [""; 0], "{typed:?}");
    typed
}

fn of_a_value_that_was_cut() -> Vec<Told> {
    of_a_first_value(World::new().config(USER).with("IT", "EAAFAKEcutinthemiddleofit"), user)
}

/// A value of another type; of Instagram and Threads, where Meta tells no type, one that cannot be
/// read there.
fn of_a_first_value_of_another_type() -> Vec<Told> {
    let of = |family: &Family| {
        let world = World::new().config(family.config);
        let world = match family.token_type {
            TokenType::User => world.token("IT", TokenFixture::page(APP, ANNA, BAKERY)),
            TokenType::Page | TokenType::SystemUser | TokenType::App => world.token("IT", user()),
            TokenType::Instagram | TokenType::Threads => {
                let value = world.mint(family.fixture().named("odd"));
                let refused = error(190, None, "Cannot parse access token", "error_subcode");
                let refused = json!({"error": refused}).to_string();
                world.graph.misbehave(Rule::any().about(&value), answer(400, &refused));
                world.with("IT", &value)
            }
        };
        of_a_first_value(world, || family.fixture().aged(TimeDelta::days(2)))
    };
    FAMILIES.iter().flat_map(of).collect()
}

fn of_an_app_with_a_value() -> Vec<Told> {
    let config = "[token.it]\ntype = \"app\"\n";
    let source = format!("{config}access_token = {{ env = \"IT\" }}\n");
    let mut world = of_another_app(World::new().config(&source));
    world.set("IT", &format!("{OTHER_APP}|othersecret"));
    let found = Told::below(&world.run(&["refresh"]).stdout, "the new access token was rejected");
    world.reconfigure(config);
    type_it(&mut world, &found, day(0), user);
    assert_eq!(codes(&world, "it"), [""; 0], "{found:?}");
    vec![found]
}

fn of_a_first_value_of_another_app() -> Vec<Told> {
    let world = of_another_app(World::new().config(USER));
    of_a_first_value(world.token("IT", TokenFixture::user(OTHER_APP, ANNA)), user)
}

fn of_a_variable_that_is_not_set() -> Vec<Told> {
    let mut world = World::new().config(USER);
    let _ = world.run(&["refresh"]);
    let unset = told(&world, "it");
    let world_token = world.mint(user());
    world.set("IT", &world_token);
    type_it(&mut world, &unset, day(0), user);
    assert_eq!(codes(&world, "it"), [""; 0]);
    vec![unset]
}

/// The command shows when it wrote; stopped, it is over in time.
fn of_another_program_that_renews() -> Vec<Told> {
    let mut world = World::new().config(CONFIG);
    for at in 0..4 {
        world.at(day(at));
        put(&world, &world.mint(ads().ending(ends(30 + at))));
        let _ = world.run(&["refresh"]);
    }
    let found = told(&world, "ads");
    assert_eq!(found.code, "another_renewer");
    type_it(&mut world, &found, day(3), ads);
    vec![found]
}

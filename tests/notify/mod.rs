//! How people learn of something: what each way shows them, when, and that nothing is told twice.

mod bodies;
mod by_check;
mod failures;
mod files;
mod filters;
mod kills;
mod lives;
mod owners;
mod pings;
mod recipes;
mod test_messages;
mod ways;

use metatoken::sandbox::{Invalidation, TokenFixture};

use crate::common::{ANNA, APP, BRAND, Hook, World, day};

/// What a person grants whose Pages are looked after.
const SCOPES: [&str; 2] = ["public_profile", "pages_show_list"];

/// One chat.
const CHAT: &str = "[[notify]]\nname = \"chat\"\nwebhook = \"[HOOK]/chat\"\n";

/// A world in which `brand` was adopted and all is well, on day 1.
fn well(config: &str) -> (World, Hook) {
    let user = |words: &str| TokenFixture::user(APP, ANNA).named(words).scopes(SCOPES);
    let world = World::new().token("BRAND", user("brand")).token("OTHER", user("other"));
    let (mut world, hook) = world.told_through(&format!("{BRAND}{config}"));
    world.run(&["refresh"]).code(0).stderr("");
    world.at(day(1));
    (world, hook)
}

/// Another token of Anna's.
const OTHER: &str = "[token.other]\ntype = \"user\"\naccess_token = { env = \"OTHER\" }\n";

/// The same, in which Anna has changed her password since.
fn dead(config: &str) -> (World, Hook) {
    let (world, hook) = well(config);
    kill(&world);
    (world, hook)
}

fn kill(world: &World) {
    let string = world.in_use("brand");
    world.graph.with(|graph| graph.invalidate(&string, Invalidation::PasswordChanged));
}

/// Anna logs in again and somebody pastes what she got.
#[track_caller]
fn logs_in_again(world: &World) {
    let string = world.mint(TokenFixture::user(APP, ANNA).named("brand").scopes(SCOPES));
    world.run_with_input(&["exchange", "brand"], &string).code(0);
}

/// What was said of Anna's new password, by the first line of each message.
const DEAD: &str =
    "CRITICAL: brand: down, password changed; its owner logs in: metatoken login brand";

//! What once went wrong in a run, each provoked again.
//!
//! The line above each test says what an operator met. What must come instead is asserted to the
//! letter where it is read, and call by call where Graph was asked too often or not at all.

mod hosts;
mod page;
mod pauses;
mod sealed;
mod verdicts;

use chrono::TimeDelta;
use metatoken::sandbox::{FaultInjection, OldString, Renewal, TokenFixture};
use metatoken::token::Time;

use crate::world::{ANNA, APP, BRAND, CREATOR, INSTA_APP, World, day};

/// One call is one try, so that a misbehaviour hits as often as it says.
const ONE_TRY: &str = "[http]\nattempts = 1\n";

/// An Instagram token and its app.
const INSTA: &str = r#"
[http]
attempts = 1

[app.insta]
kind = "instagram"
id = "1000000000000011"
secret = { env = "INSTA_SECRET" }

[token.creator]
type = "instagram"
access_token = { env = "CREATOR" }
"#;

fn user() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand")
}

fn creator() -> TokenFixture {
    TokenFixture::instagram(INSTA_APP, CREATOR).named("creator")
}

/// So many hours into day `n`.
fn hour(n: i64, hours: i64) -> Time {
    day(n) + TimeDelta::hours(hours)
}

/// So many minutes into day `n`.
fn minute(n: i64, minutes: i64) -> Time {
    day(n) + TimeDelta::minutes(minutes)
}

/// `brand`, adopted on day 0, under an app of one try.
fn brand(spec: TokenFixture) -> World {
    let world = World::new().config(&format!("{ONE_TRY}{BRAND}")).token("BRAND", spec);
    world.run(&["refresh"]).code(0);
    world.calls();
    world
}

/// `brand` with a Page permission that every renewal loses.
fn losing_a_scope() -> World {
    let spec = user().scopes(["public_profile", "pages_show_list"]);
    brand(spec.renewal(Renewal::LosesScope("pages_show_list".to_owned())))
}

/// From now on a renewal is the death of the string that it is given for.
fn renewals_kill(world: &World) {
    world.graph.with(|graph| graph.set_old_string(OldString::Dies));
}

/// This answer to the letter.
fn answer(status: u16, body: &str) -> FaultInjection {
    let headers = vec![("Content-Type", "application/json".to_owned())];
    FaultInjection::Raw { status, headers, body: body.as_bytes().to_vec() }
}

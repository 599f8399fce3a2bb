//! A user token under the label `brand` and what tests provoke with it, each call tried once.

use chrono::TimeDelta;
use metatoken::sandbox::{FaultInjection, OldString, Renewal, TokenFixture};
use metatoken::token::Time;

use super::{ANNA, APP, BRAND, CREATOR, INSTA_APP, World, day};

/// One call is one try, so that a misbehaviour hits as often as it says.
pub(crate) const ONE_TRY: &str = "[http]\nattempts = 1\n";

/// An Instagram token and its app.
pub(crate) const INSTA: &str = r#"
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

pub(crate) fn user() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand")
}

pub(crate) fn creator() -> TokenFixture {
    TokenFixture::instagram(INSTA_APP, CREATOR).named("creator")
}

/// So many hours into day `n`.
pub(crate) fn hour(n: i64, hours: i64) -> Time {
    day(n) + TimeDelta::hours(hours)
}

/// So many minutes into day `n`.
pub(crate) fn minute(n: i64, minutes: i64) -> Time {
    day(n) + TimeDelta::minutes(minutes)
}

/// `brand`, adopted on day 0, under an app of one try.
pub(crate) fn brand(spec: TokenFixture) -> World {
    let world = World::new().config(&format!("{ONE_TRY}{BRAND}")).token("BRAND", spec);
    world.run(&["refresh"]).code(0);
    world.calls();
    world
}

/// `brand` with a Page permission that every renewal loses.
pub(crate) fn losing_a_scope() -> World {
    let spec = user().scopes(["public_profile", "pages_show_list"]);
    brand(spec.renewal(Renewal::LosesScope("pages_show_list".to_owned())))
}

/// From now on a renewal is the death of the string that it is given for.
pub(crate) fn renewals_kill(world: &World) {
    world.graph.with(|graph| graph.set_old_string(OldString::Dies));
}

/// This answer to the letter.
pub(crate) fn answer(status: u16, body: &str) -> FaultInjection {
    let headers = vec![("Content-Type", "application/json".to_owned())];
    FaultInjection::Raw { status, headers, body: body.as_bytes().to_vec() }
}

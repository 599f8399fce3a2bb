//! The simulated Graph, tried from outside.

mod admins;
mod apps;
mod dialogs;
mod hosts;
mod rules;
mod sixty_days;
mod strictness;
mod threads;
mod wire;

use chrono::{DateTime, TimeDelta};
use serde_json::Value;

use crate::token::{Expiry, Provider, Time};

use super::{AppFixture, Call, Listing, PageFixture, Simulation, TokenFixture, UserFixture};

const APP: &str = "1000000000000001";
const OTHER: &str = "1000000000000002";
const SECRET: &str = "fakefakefakefakefakefakefakefake";
const INSTA: &str = "1000000000000011";
const THREADS: &str = "1000000000000012";
const OWN_SECRET: &str = "fakefakefakefakefakefakefakeself";
const ANNA: &str = "3000000000000001";
const PAGE: &str = "2000000000000001";

fn start() -> Time {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

/// Two apps at Facebook and one each at Instagram and Threads, and Anna, who has a role on one
/// Page.
fn world() -> Simulation {
    let mut sim = Simulation::new(start());
    sim.add_app(AppFixture::new(APP, SECRET, "Example Publisher"));
    sim.add_app(AppFixture::new(OTHER, SECRET, "Example Rival"));
    sim.add_app(AppFixture::new(INSTA, OWN_SECRET, "Example Stories").of(Provider::Instagram));
    sim.add_app(AppFixture::new(THREADS, OWN_SECRET, "Example Notes").of(Provider::Threads));
    sim.add_page(PageFixture::new(PAGE, "Example Bakery"));
    sim.add_user(UserFixture::new(ANNA, "Anna Example").with_page(PAGE, Listing::Listed));
    sim
}

/// Anna's long-lived token, a month old.
fn anna() -> TokenFixture {
    TokenFixture::user(APP, ANNA)
        .named("anna")
        .scopes(["public_profile", "pages_show_list"])
        .aged(TimeDelta::days(30))
}

/// Anna's token as it comes from a log-in.
fn anna_in_haste() -> TokenFixture {
    anna().aged(TimeDelta::zero()).ending(Expiry::At(start() + TimeDelta::hours(1)))
}

/// Asks with a `Bearer` token, or without one when it is empty.
fn ask(sim: &mut Simulation, bearer: &str, target: &str) -> (u16, Value) {
    let bearer = format!("Bearer {bearer}");
    let headers = [("Authorization", bearer.as_str()), ("Host", "127.0.0.1:1")];
    let carried = if bearer == "Bearer " { &headers[1..] } else { &headers[..] };
    let answer = sim.answer(&Call::new("GET", target, carried.iter().copied()));
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn as_app() -> String {
    format!("{APP}|{SECRET}")
}

fn exchange_target(string: &str) -> String {
    format!(
        "/v25.0/oauth/access_token?grant_type=fb_exchange_token&client_id={APP}\
         &client_secret={SECRET}&fb_exchange_token={string}"
    )
}

fn inspect(sim: &mut Simulation, string: &str) -> Value {
    let (status, body) = ask(
        sim,
        &as_app(),
        &format!("/v25.0/debug_token?input_token={}", string.replace('|', "%7C")),
    );
    assert_eq!(status, 200, "{body}");
    body["data"].clone()
}

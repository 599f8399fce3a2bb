//! What Threads says of an access token, and to whom.

use chrono::TimeDelta;
use serde_json::json;

use crate::sandbox::{AppFixture, Invalidation, ThreadsInspection, TokenFixture};
use crate::token::Provider;

use super::{ANNA, OWN_SECRET, SECRET, THREADS, ask, start, world};

/// Anna's long-lived token, a month old.
fn notes() -> TokenFixture {
    TokenFixture::threads(THREADS, ANNA).aged(TimeDelta::days(30))
}

fn inspection(string: &str) -> String {
    format!("/threads/v1.0/debug_token?input_token={string}")
}

#[test]
fn threads_says_what_a_string_is_worth_but_not_whose_app_it_is() {
    let mut sim = world();
    sim.set_threads_inspection(ThreadsInspection::ForTheApp);
    let app = format!("TH|{THREADS}|{OWN_SECRET}");
    let token = sim.mint(notes());
    let (now, month) = (start().timestamp(), 30 * 86_400);
    let (status, body) = ask(&mut sim, &app, &inspection(&token));
    assert_eq!(
        (status, &body["data"]),
        (
            200,
            &json!({
                "type": "USER", "application": "Example Notes",
                "data_access_expires_at": now + 2 * month, "expires_at": now + month,
                "is_valid": true, "issued_at": now - month, "scopes": ["threads_basic"],
                "user_id": ANNA,
            })
        )
    );
    sim.invalidate(&token, Invalidation::Checkpoint);
    let (status, body) = ask(&mut sim, &app, &inspection(&token));
    assert_eq!((status, &body["data"]["is_valid"]), (200, &json!(false)));
    assert_eq!(body["data"]["error"]["subcode"], 459);
    let (status, body) = ask(&mut sim, &app, &inspection("THFAKENone1"));
    assert_eq!((status, &body["data"]["scopes"]), (200, &json!([])));
    assert_eq!(body["data"]["is_valid"], false);
}

#[test]
fn threads_answers_the_token_itself_or_the_app_or_nobody() {
    let mut sim = world();
    let token = sim.mint(notes());
    let other = sim.mint(notes());
    assert_eq!(ask(&mut sim, &token, &inspection(&token)).0, 200, "about itself");
    assert_eq!(ask(&mut sim, &other, &inspection(&token)).0, 400, "about another");
    let app = format!("TH|{THREADS}|{OWN_SECRET}");
    assert_eq!(ask(&mut sim, &app, &inspection(&token)).0, 400, "the app");
    sim.invalidate(&token, Invalidation::PasswordChanged);
    let (status, body) = ask(&mut sim, &token, &inspection(&token));
    assert_eq!((status, &body["data"]["is_valid"]), (200, &json!(false)), "dead, about itself");

    let mut sim = world();
    sim.set_threads_inspection(ThreadsInspection::ForTheApp);
    sim.add_app(AppFixture::new("7", OWN_SECRET, "Example Rival").of(Provider::Threads));
    let token = sim.mint(notes());
    let app = format!("TH|{THREADS}|{OWN_SECRET}");
    let nobody = "(#100) You must provide an app access token";
    for (bearer, code, message) in [
        ("", 100, nobody),
        (&token, 100, nobody),
        (&format!("TH|{THREADS}|{SECRET}"), 190, "Invalid OAuth access token signature."),
        (&format!("TH|{}|{SECRET}", super::APP), 190, "Error validating application."),
        (&super::as_app(), 190, "Cannot parse access token"),
        (&format!("TH|7|{OWN_SECRET}"), 100, "(#100) The App_id in the input_token did not"),
    ] {
        let (status, body) = ask(&mut sim, bearer, &inspection(&token));
        let error = &body["error"];
        assert_eq!((status, &error["type"]), (400, &json!("THApiException")), "{body}");
        assert_eq!(error["code"], code, "{body}");
        assert!(error["message"].as_str().unwrap().starts_with(message), "{body}");
    }
    assert_eq!(ask(&mut sim, &app, &format!("{}&x=1", inspection(&token))).0, 400);
    assert_eq!(ask(&mut sim, &app, &inspection(&token)).0, 200);
    sim.set_threads_inspection(ThreadsInspection::ForTestersOnly);
    let (status, body) = ask(&mut sim, &app, &inspection(&token));
    assert_eq!((status, &body["error"]["code"]), (400, &json!(100)));
    let facebooks = sim.mint(super::anna());
    assert_eq!(super::inspect(&mut sim, &facebooks)["is_valid"], true, "Facebook is not asked");
    assert_eq!(ask(&mut sim, &token, "/threads/v1.0/me").0, 200, "the profile is left");
}

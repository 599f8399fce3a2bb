//! Each refusal with its answer.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::crypto;
use crate::sandbox::{AppFixture, Call, Invalidation, TokenFixture};
use crate::token::Expiry;

use super::{APP, OTHER, PAGE, SECRET, anna, anna_in_haste, ask, exchange_target, start, world};

/// What a refusal says, without its trace: status, code, subcode, and how its message begins.
fn refused(answer: &(u16, Value), wanted: (u16, i64, Option<i64>, &str), target: &str) {
    let (status, body) = answer;
    let error = &body["error"];
    let (expected, code, subcode, message) = wanted;
    assert_eq!((*status, error["code"].as_i64()), (expected, Some(code)), "{target}\n{body}");
    assert_eq!(error["error_subcode"].as_i64(), subcode, "{target}\n{body}");
    let said = error["message"].as_str().unwrap();
    assert!(said.starts_with(message), "{target}\n{said}");
    assert!(error["fbtrace_id"].as_str().is_some_and(|trace| trace.starts_with("AFake")));
    assert!(error["type"].is_string());
}

#[test]
fn an_exchange_is_refused_unless_all_of_it_is_right() {
    let mut sim = world();
    let token = sim.mint(anna());
    let page = sim.mint(TokenFixture::page(APP, super::ANNA, PAGE));
    let foreign = sim.mint(TokenFixture::user(OTHER, super::ANNA));
    let robot = sim.mint(TokenFixture::system_user(APP, super::ANNA));
    let dated = Expiry::At(start() + TimeDelta::days(9));
    let dated = sim.mint(TokenFixture::system_user(APP, super::ANNA).named("dated").ending(dated));
    let whole = exchange_target(&token);
    for (target, wanted) in [
        (whole.replace("grant_type=fb_exchange_token&", ""), (400, 100, None, "(#100) The par")),
        (whole.replace("=fb_exchange", "=xx_exchange"), (400, 100, None, "(#100) The grant_type")),
        (whole.replace("client_id", "client"), (400, 100, None, "(#100) The parameter client ")),
        (whole.replace(APP, ""), (400, 101, None, "Missing client_id")),
        (whole.replace(APP, "9"), (400, 101, None, "Error validating application.")),
        (whole.replace(SECRET, ""), (400, 1, None, "Missing client_secret")),
        (whole.replace(SECRET, "wrong"), (400, 1, None, "Error validating client secret.")),
        (exchange_target(""), (400, 100, None, "(#100) The parameter fb_exchange_token is")),
        (exchange_target("EAAFAKENone1"), (400, 190, None, "Invalid OAuth access token.")),
        (exchange_target(&page), (400, 100, None, "(#100) A Page's token")),
        (exchange_target(&foreign), (400, 190, None, "Error validating access token: The access")),
        (exchange_target(&robot), (400, 100, None, "(#100) set_token_expires_in_60_days must")),
        (
            format!("{}&set_token_expires_in_60_days=true", exchange_target(&robot)),
            (400, 100, None, "(#100) The token of this system user never expires"),
        ),
        (
            format!("{}&set_token_expires_in_60_days=1", exchange_target(&dated)),
            (400, 100, None, "(#100) set_token_expires_in_60_days must"),
        ),
        (
            format!("{whole}&set_token_expires_in_60_days=true"),
            (400, 100, None, "(#100) set_token_expires_in_60_days is for system users"),
        ),
        (format!("{whole}&pretty=1"), (400, 100, None, "(#100) The parameter pretty is not")),
        (
            format!("{whole}&client_id={APP}"),
            (400, 100, None, "(#100) The parameter client_id is given twice"),
        ),
        (whole.replace("/v25.0", ""), (400, 2635, None, "(#2635)")),
        (whole.replace("/v25.0", "/v99.0"), (400, 2500, None, "Unknown path components")),
        (whole.replace("oauth/", ""), (400, 2500, None, "Unknown path components")),
    ] {
        refused(&ask(&mut sim, "", &target), wanted, &target);
    }
    assert_eq!(ask(&mut sim, "", &whole).0, 200, "and the whole of it is right");
    let dated = format!("{}&set_token_expires_in_60_days=true", exchange_target(&dated));
    let (status, grant) = ask(&mut sim, "", &dated);
    assert_eq!((status, &grant["expires_in"]), (200, &json!(60 * 86_400)));
}

#[test]
fn a_dead_string_is_exchanged_for_nothing() {
    for invalidation in Invalidation::ALL {
        let mut sim = world();
        let token = sim.mint(anna());
        sim.invalidate(&token, invalidation);
        let target = exchange_target(&token);
        let wanted = (400, 190, Some(invalidation.subcode()), "");
        refused(&ask(&mut sim, "", &target), wanted, &target);
    }
    let mut sim = world();
    let token = sim.mint(anna());
    sim.set_now(start() + TimeDelta::days(40));
    let (_, body) = ask(&mut sim, "", &exchange_target(&token));
    assert_eq!(
        body["error"]["message"],
        "Error validating access token: Session has expired on Friday, 30-Jan-26 16:00:00 PST. \
         The current time is Monday, 09-Feb-26 16:00:00 PST."
    );
}

#[test]
fn an_inspection_is_the_apps_own() {
    let mut sim = world();
    let token = sim.mint(anna());
    let foreign = sim.mint(TokenFixture::user(OTHER, super::ANNA));
    let app = super::as_app();
    let about = |string: &str| format!("/v25.0/debug_token?input_token={string}");
    let must = "(#100) You must provide an app access token";
    let mismatch = "(#100) The App_id in the input_token did not match the Viewing App";
    for (bearer, target, wanted) in [
        ("", about(&token), (400, 100, None, must)),
        (token.as_str(), about(&token), (400, 100, None, must)),
        (&format!("{APP}|x"), about(&token), (400, 190, None, "Invalid OAuth access token sig")),
        ("9|x", about(&token), (400, 190, None, "Error validating application.")),
        ("EAAFAKENone1", about(&token), (400, 190, None, "Invalid OAuth access token.")),
        (&app, about(&foreign), (400, 100, None, mismatch)),
        (&app, about(&format!("{OTHER}%7C{SECRET}")), (400, 100, None, mismatch)),
        (&app, about(""), (400, 100, None, "(#100) The parameter input_token is required")),
        (
            &app,
            format!("{}&access_token={APP}%7C{SECRET}", about(&token)),
            (400, 100, None, "(#100) The access token is given twice"),
        ),
        (&app, format!("{}&ids=1", about(&token)), (400, 100, None, "(#100) The parameter ids")),
    ] {
        refused(&ask(&mut sim, bearer, &target), wanted, &target);
    }
    let by_parameter = format!("{}&access_token={APP}%7C{SECRET}", about(&token));
    assert_eq!(ask(&mut sim, "", &by_parameter).0, 200);
}

#[test]
fn objects_are_read_with_a_living_token_and_a_right_proof() {
    let mut sim = world();
    let token = sim.mint(anna());
    let page = sim.mint(TokenFixture::page(APP, super::ANNA, PAGE).named("page"));
    let proof = |text: &str| crypto::hex(&crypto::keyed_hash(SECRET.as_bytes(), text.as_bytes()));
    let app = super::as_app();
    let invalid = "Invalid appsecret_proof provided in the API argument";
    let now = start().timestamp();
    for (bearer, target, wanted) in [
        ("", "/v25.0/me".to_owned(), (400, 2500, None, "An active access token")),
        (app.as_str(), "/v25.0/me".to_owned(), (400, 2500, None, "An active access token")),
        ("", "/v25.0/me/accounts".to_owned(), (400, 2500, None, "An active access token")),
        ("", format!("/v25.0/{PAGE}"), (400, 104, None, "An access token is required")),
        (&page, "/v25.0/me/accounts".to_owned(), (400, 100, None, "(#100) Tried accessing non")),
        (&token, "/v25.0/me?fields=id,mail".to_owned(), (400, 100, None, "(#100) Tried access")),
        (&token, "/v25.0/me/accounts?limit=0".to_owned(), (400, 100, None, "(#100) The param")),
        (&token, "/v25.0/me/accounts?limit=x".to_owned(), (400, 100, None, "(#100) The param")),
        (&token, "/v25.0/me/accounts?after=x".to_owned(), (400, 100, None, "(#100) Invalid cur")),
        (&token, "/v25.0/2999".to_owned(), (400, 100, Some(33), "Unsupported get request.")),
        (&token, "/v25.0/me?appsecret_proof=00".to_owned(), (400, 100, None, invalid)),
        (&token, format!("/v25.0/me?appsecret_proof={}", proof(&page)), (400, 100, None, invalid)),
        (
            &token,
            format!(
                "/v25.0/me?appsecret_proof={}&appsecret_time={}",
                proof(&format!("{token}|{}", now - 301)),
                now - 301
            ),
            (400, 100, None, invalid),
        ),
    ] {
        refused(&ask(&mut sim, bearer, &target), wanted, &target);
    }
    let timed = format!(
        "/v25.0/me?appsecret_proof={}&appsecret_time={now}",
        proof(&format!("{token}|{now}"))
    );
    let plain = format!("/v25.0/me?appsecret_proof={}", proof(&token));
    for target in [timed, plain.clone(), "/v25.0/me".to_owned()] {
        assert_eq!(ask(&mut sim, &token, &target).0, 200, "{target}");
    }
    sim.add_app(AppFixture::new(APP, SECRET, "Example Publisher").requiring_proof());
    let missing = (400, 100, None, "API calls from the server require an appsecret_proof");
    refused(&ask(&mut sim, &token, "/v25.0/me"), missing, "no proof");
    let (_, body) = ask(&mut sim, &token, "/v25.0/me/accounts");
    assert_eq!(body["error"]["type"], "GraphMethodException");
    assert_eq!(ask(&mut sim, &token, &plain).0, 200);
}

#[test]
fn an_app_can_be_shut_or_throttled() {
    let mut sim = world();
    let token = sim.mint(anna());
    sim.add_app(AppFixture::new(APP, SECRET, "Example Publisher").disabled());
    let targets = [exchange_target(&token), "/v25.0/me".to_owned()];
    for target in &targets {
        let answer = ask(&mut sim, &token, target);
        refused(&answer, (400, 200, None, "API access deactivated."), target);
    }
    sim.add_app(AppFixture::new(APP, SECRET, "Example Publisher").throttled());
    for target in &targets {
        let answer = ask(&mut sim, &token, target);
        refused(&answer, (400, 4, None, "(#4) Application request limit reached"), target);
        assert_eq!(answer.1["error"]["is_transient"], true);
    }
    let answer = sim.answer(&Call::new("GET", &targets[0], []));
    assert!(answer.header("x-app-usage").unwrap().contains("\"call_count\":100"));
}

#[test]
fn a_post_is_taken_where_meta_takes_one() {
    let mut sim = world();
    for (method, target) in [
        ("POST", "/v25.0/me"),
        ("POST", "/v25.0/debug_token"),
        ("POST", "/v25.0/me/accounts"),
        ("POST", "/instagram/access_token"),
        ("POST", "/instagram/refresh_access_token"),
        ("POST", "/threads/access_token"),
        ("POST", "/threads/refresh_access_token"),
        ("DELETE", "/v25.0/me"),
        ("PUT", "/v25.0/oauth/access_token"),
        ("HEAD", "/v25.0/oauth/access_token"),
    ] {
        let answer = sim.answer(&Call::new(method, target, []));
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let message = format!("Unsupported request - method type: {}", method.to_lowercase());
        refused(&(answer.status, body), (400, 100, None, &message), &format!("{method} {target}"));
    }
    let token = sim.mint(anna_in_haste());
    let target = exchange_target(&token);
    let (path, form) = target.split_once('?').unwrap();
    for call in [
        Call::new("GET", &target, []),
        Call::new("POST", &target, []),
        Call::new("POST", path, []).with_form(form),
    ] {
        let answer = sim.answer(&call);
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }
    let twice = Call::new("POST", &target, []).with_form("grant_type=fb_exchange_token");
    assert_eq!(sim.answer(&twice).status, 400, "a parameter in both places is given twice");
}

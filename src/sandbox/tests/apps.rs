//! What belongs to an app: its own access tokens, its secret, its limits and its version; and the
//! system user's sixty days, which only its app can begin again.

use chrono::TimeDelta;
use serde_json::json;

use crate::sandbox::{AppFixture, Call, Simulation, TokenFixture};
use crate::token::Expiry;

use super::{
    ANNA, APP, INSTA, OTHER, OWN_SECRET, SECRET, THREADS, anna, as_app, ask, exchange_target,
    inspect, start, world,
};

const NEW_SECRET: &str = "fakefakefakefakefakefakefakeanew";

fn credentials(app: &str, secret: &str) -> String {
    format!(
        "/v25.0/oauth/access_token?grant_type=client_credentials&client_id={app}\
         &client_secret={secret}"
    )
}

fn taken(sim: &mut Simulation) -> String {
    let (status, grant) = ask(sim, "", &credentials(APP, SECRET));
    assert_eq!((status, &grant["token_type"]), (200, &json!("bearer")));
    assert_eq!(grant.get("expires_in"), None);
    grant["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn an_app_is_given_a_string_of_its_own() {
    let mut sim = world();
    let string = taken(&mut sim);
    assert!(string.starts_with(&format!("{APP}|FAKE")) && !string.contains(SECRET), "{string}");
    assert_eq!(taken(&mut sim), string, "the same each time");
    assert_eq!(sim.app_token(APP).as_deref(), Some(string.as_str()));
    assert_ne!(sim.app_token(OTHER).as_deref(), Some(string.as_str()));
    assert_eq!([sim.app_token(INSTA), sim.app_token(THREADS)], [None, None]);
    assert_eq!(
        inspect(&mut sim, &string),
        json!({
            "app_id": APP, "type": "APP", "application": "Example Publisher",
            "is_valid": true, "scopes": [],
        })
    );
    let token = sim.mint(anna());
    let target = format!("/v25.0/debug_token?input_token={token}");
    let (status, body) = ask(&mut sim, &string, &target);
    assert_eq!((status, &body["data"]["is_valid"]), (200, &json!(true)), "it calls like the plain");
    let foreign = sim.app_token(OTHER).unwrap();
    assert_eq!(ask(&mut sim, &foreign, &target).1["error"]["code"], 100);
}

#[test]
fn an_app_shows_its_id_and_secret_and_nothing_else() {
    let mut sim = world();
    let whole = credentials(APP, SECRET);
    for (target, code, message) in [
        (credentials(APP, "wrong"), 1, "Error validating client secret."),
        (credentials(APP, ""), 1, "Missing client_secret parameter."),
        (credentials("", SECRET), 101, "Missing client_id parameter."),
        (credentials("9", SECRET), 101, "Error validating application. Cannot get application"),
        (credentials(INSTA, OWN_SECRET), 101, "Error validating application. Cannot get appli"),
        (format!("{whole}&fb_exchange_token=x"), 100, "(#100) The parameter fb_exchange_token is"),
        (whole.replace("client_cred", "cred"), 100, "(#100) The grant_type is not supported"),
    ] {
        let (status, body) = ask(&mut sim, "", &target);
        assert_eq!((status, &body["error"]["code"]), (400, &json!(code)), "{target}");
        assert!(body["error"]["message"].as_str().unwrap().starts_with(message), "{body}");
    }
}

#[test]
fn a_reset_secret_ends_what_stands_for_the_app_and_nothing_else() {
    let mut sim = world();
    let token = sim.mint(anna());
    let opaque = taken(&mut sim);
    let foreign = sim.app_token(OTHER);
    let before = sim.revision();
    sim.reset_secret(APP, NEW_SECRET);
    assert_ne!(sim.revision(), before);
    let now = format!("{APP}|{NEW_SECRET}");
    for dead in [opaque.as_str(), &as_app()] {
        let target = format!("/v25.0/debug_token?input_token={}", dead.replace('|', "%7C"));
        let (status, body) = ask(&mut sim, &now, &target);
        let message = "Invalid OAuth access token signature.";
        let error = json!({ "code": 190, "message": message });
        assert_eq!((status, &body["data"]["error"]), (200, &error));
        assert_eq!(body["data"]["is_valid"], false);
        let (_, body) = ask(&mut sim, dead, &target);
        let error = &body["error"];
        assert_eq!((&error["code"], &error["message"]), (&json!(190), &json!(message)));
    }
    for target in [exchange_target(&token), credentials(APP, SECRET)] {
        let (_, body) = ask(&mut sim, "", &target);
        assert_eq!(body["error"]["message"], "Error validating client secret.", "{target}");
        let (status, _) = ask(&mut sim, "", &target.replace(SECRET, NEW_SECRET));
        assert_eq!(status, 200, "{target}");
    }
    assert_eq!(ask(&mut sim, &token, "/v25.0/me").0, 200, "a person's token lives on");
    assert_ne!(sim.app_token(APP), Some(opaque));
    assert_eq!(sim.app_token(OTHER), foreign, "another app is another app");
    let kept = Simulation::from_json(&sim.to_json()).unwrap();
    assert_eq!(kept.app_token(APP), sim.app_token(APP));
}

#[test]
fn a_system_users_sixty_days_begin_again_and_the_old_string_keeps_its_end() {
    let mut sim = world();
    let end = Expiry::At(start() + TimeDelta::days(15));
    let robot = TokenFixture::system_user(APP, ANNA).named("robot").aged(TimeDelta::days(45));
    let old = sim.mint(robot.ending(end));
    let target = format!("{}&set_token_expires_in_60_days=true", exchange_target(&old));
    let (status, grant) = ask(&mut sim, "", &target);
    assert_eq!((status, &grant["expires_in"]), (200, &json!(60 * 86_400)));
    assert_eq!(grant["access_token"], "EAAFAKERobot2");
    assert_eq!((sim.expiry(&old), sim.invalidation(&old)), (Some(end), None));
    let data = inspect(&mut sim, "EAAFAKERobot2");
    assert_eq!(
        (&data["type"], &data["data_access_expires_at"]),
        (&json!("SYSTEM_USER"), &json!(0))
    );
    sim.set_now(start() + TimeDelta::days(15));
    let (_, body) = ask(&mut sim, "", &target);
    assert_eq!(body["error"]["error_subcode"], 463, "past its end it is forfeited");
}

#[test]
fn the_headers_say_how_busy_each_account_is() {
    let mut sim = world();
    let token = sim.mint(anna());
    let app = AppFixture::new(APP, SECRET, "Example Publisher");
    sim.add_app(app.busy(95).busy_businesses(104, 12).busy_ad_account(9.67, 100));
    let answer = sim.answer(&Call::new("GET", &exchange_target(&token), []));
    let header = |name: &str| -> serde_json::Value {
        serde_json::from_str(answer.header(name).unwrap()).unwrap()
    };
    assert_eq!(
        header("X-App-Usage"),
        json!({ "call_count": 95, "total_cputime": 23, "total_time": 47 })
    );
    let businesses = header("X-Business-Use-Case-Usage");
    let busy = &businesses["4000000000000002"][0];
    assert_eq!(businesses.as_object().unwrap().len(), 2);
    assert_eq!((&busy["type"], &busy["total_cputime"]), (&json!("pages"), &json!(104)));
    assert_eq!(busy["estimated_time_to_regain_access"], 12);
    assert_eq!(
        header("X-Ad-Account-Usage"),
        json!({
            "acc_id_util_pct": 9.67, "reset_time_duration": 100,
            "ads_api_access_tier": "standard_access",
        })
    );
    let other = sim.mint(TokenFixture::user(OTHER, ANNA));
    let answer = sim.answer(&Call::new("GET", &format!("/v25.0/me?access_token={other}"), []));
    assert_eq!(answer.header("x-business-use-case-usage"), None, "another app is not busy");
}

#[test]
fn an_app_can_be_answered_by_an_older_version() {
    let mut sim = world();
    let token = sim.mint(anna());
    let instagram = sim.mint(TokenFixture::instagram(INSTA, ANNA));
    let threads = sim.mint(TokenFixture::threads(THREADS, ANNA));
    sim.add_app(AppFixture::new(APP, SECRET, "Example Publisher").answered_as("v24.0"));
    for (string, path, answered) in [
        (&token, "/v26.0/me", Some("v24.0")),
        (&instagram, "/instagram/v26.0/me", Some("v26.0")),
        (&threads, "/threads/v1.0/me", None),
    ] {
        let answer = sim.answer(&Call::new("GET", &format!("{path}?access_token={string}"), []));
        assert_eq!((answer.status, answer.header("facebook-api-version")), (200, answered));
    }
    let (_, body) = ask(&mut sim, &token, "/v99.0/me");
    assert_eq!(body["error"]["code"], 2500, "a version that never was is none");
}

//! Three hosts behind one server: what each has, and what it makes of the others' access tokens.

use serde_json::{Value, json};

use crate::sandbox::{Simulation, TokenFixture};

use super::{ANNA, APP, INSTA, OWN_SECRET, SECRET, THREADS, anna, as_app, ask, inspect, world};

/// Type, code and message of a refusal.
fn refusal(answer: &(u16, Value)) -> (&str, i64, &str) {
    let (status, body) = answer;
    assert_eq!(*status, 400, "{body}");
    let error = &body["error"];
    let text = |name: &str| error[name].as_str().unwrap();
    assert_eq!(error.get("error_subcode"), None, "{body}");
    (text("type"), error["code"].as_i64().unwrap(), text("message"))
}

/// One living access token of each provider.
fn strings(sim: &mut Simulation) -> [String; 3] {
    [anna(), TokenFixture::instagram(INSTA, ANNA), TokenFixture::threads(THREADS, ANNA)]
        .map(|spec| sim.mint(spec))
}

#[test]
fn a_string_names_its_host_and_is_read_there_only() {
    let mut sim = world();
    let [facebook, instagram, threads] = strings(&mut sim);
    assert_eq!([&facebook[..7], &instagram[..6], &threads[..6]], ["EAAFAKE", "IGFAKE", "THFAKE"]);
    let lost = "Invalid OAuth access token - Cannot parse access token";
    let small = "Cannot parse access token";
    for (own, path, kind, message) in [
        (&facebook, "/v25.0/me", "OAuthException", lost),
        (&instagram, "/instagram/v25.0/me", "IGApiException", small),
        (&threads, "/threads/v1.0/me", "THApiException", small),
    ] {
        for string in [&facebook, &instagram, &threads] {
            let answer = ask(&mut sim, string, path);
            if string == own {
                assert_eq!(answer.0, 200, "{path}: {}", answer.1);
            } else {
                assert_eq!(refusal(&answer), (kind, 190, message), "{path} with {string}");
            }
        }
        let answer = ask(&mut sim, "garbage", path);
        assert_eq!(refusal(&answer), (kind, 190, "Invalid OAuth access token."), "{path}");
    }
    for string in [&facebook, &instagram, &threads] {
        assert_eq!(sim.invalidation(string), None, "a wrong address is no invalidation");
    }
}

#[test]
fn strings_that_stand_for_an_app_are_read_at_its_host_only() {
    let mut sim = world();
    let [_, instagram, threads] = strings(&mut sim);
    for (bearer, path) in [
        (as_app(), "/instagram/v25.0/me"),
        (as_app(), "/threads/v1.0/me"),
        (format!("TH|{THREADS}|{OWN_SECRET}"), "/instagram/v25.0/me"),
        (format!("TH|{THREADS}|{OWN_SECRET}"), "/v25.0/me"),
    ] {
        let answer = ask(&mut sim, &bearer, path);
        let (_, code, message) = refusal(&answer);
        assert!(code == 190 && message.ends_with("Cannot parse access token"), "{path}: {message}");
    }
    for string in [&instagram, &threads, &format!("TH|{THREADS}|{OWN_SECRET}")] {
        let data = inspect(&mut sim, string);
        let message = "Invalid OAuth access token - Cannot parse access token";
        assert_eq!(
            data,
            json!({
                "error": { "code": 190, "message": message }, "is_valid": false, "scopes": [],
            })
        );
    }
    let target = format!(
        "/v25.0/oauth/access_token?grant_type=fb_exchange_token&client_id={APP}\
         &client_secret={SECRET}&fb_exchange_token={instagram}"
    );
    let answer = ask(&mut sim, "", &target);
    assert_eq!(refusal(&answer).1, 190);
    let foreign = target.replace(APP, INSTA).replace(SECRET, OWN_SECRET);
    let answer = ask(&mut sim, "", &foreign);
    assert_eq!(refusal(&answer).1, 101, "Facebook knows no app of Instagram's");
}

#[test]
fn a_host_has_its_own_endpoints_and_no_other() {
    let mut sim = world();
    let [facebook, instagram, threads] = strings(&mut sim);
    for (bearer, target, kind, code) in [
        (&instagram, "/instagram/v25.0/debug_token?input_token=x", "IGApiException", 100),
        (&instagram, "/instagram/v25.0/me/accounts", "IGApiException", 100),
        (&instagram, "/instagram/v25.0/3000000000000001", "IGApiException", 100),
        (&instagram, "/instagram/v25.0/oauth/access_token", "IGApiException", 100),
        (&instagram, "/instagram/v25.0/refresh_access_token", "IGApiException", 100),
        (&instagram, "/instagram/v99.0/me", "IGApiException", 100),
        (&instagram, "/instagram/me", "IGApiException", 100),
        (&instagram, "/instagram", "IGApiException", 100),
        (&threads, "/threads/v25.0/me", "THApiException", 100),
        (&threads, "/threads/v1.0/access_token", "THApiException", 100),
        (&threads, "/threads/debug_token?input_token=x", "THApiException", 100),
        (&threads, "/threads/v1.0/me/accounts", "THApiException", 100),
    ] {
        let answer = ask(&mut sim, bearer, target);
        let message = "Unsupported request - method type: get";
        assert_eq!(refusal(&answer), (kind, code, message), "{target}");
    }
    for (target, code) in [
        ("/v25.0/refresh_access_token?grant_type=ig_refresh_token", 2500),
        ("/refresh_access_token?grant_type=ig_refresh_token", 2635),
        ("/v25.0/access_token", 2500),
        ("/v1.0/instagram/me", 2500),
    ] {
        let answer = ask(&mut sim, &facebook, target);
        assert_eq!(refusal(&answer).1, code, "{target}");
    }
}

#[test]
fn a_profile_tells_whose_string_it_is() {
    let mut sim = world();
    let [_, instagram, threads] = strings(&mut sim);
    for (bearer, target, wanted) in [
        (
            &instagram,
            "/instagram/v25.0/me?fields=user_id,username",
            json!({ "user_id": ANNA, "username": "anna.example", "id": format!("9{ANNA}") }),
        ),
        (&instagram, "/instagram/v25.0/me", json!({ "id": format!("9{ANNA}") })),
        (
            &threads,
            "/threads/v1.0/me?fields=id,username",
            json!({ "id": ANNA, "username": "anna.example" }),
        ),
    ] {
        assert_eq!(ask(&mut sim, bearer, target), (200, wanted.clone()), "{target}");
        let separator = if target.contains('?') { '&' } else { '?' };
        let by_parameter = format!("{target}{separator}access_token={bearer}");
        assert_eq!(ask(&mut sim, "", &by_parameter), (200, wanted), "{target}");
    }
    for (bearer, target, code) in [
        ("", "/instagram/v25.0/me", 104),
        (&format!("TH|{THREADS}|{OWN_SECRET}"), "/threads/v1.0/me", 104),
        (&threads, "/threads/v1.0/me?fields=user_id", 100),
        (&instagram, "/instagram/v25.0/me?appsecret_proof=00", 100),
        (&instagram, "/instagram/v25.0/me?fields=id,mail", 100),
    ] {
        assert_eq!(refusal(&ask(&mut sim, bearer, target)).1, code, "{target}");
    }
}

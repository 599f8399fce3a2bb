//! What Graph grants and says.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::sandbox::{
    AppFixture, Call, Invalidation, Listing, OldString, PageFixture, Renewal, Simulation,
    TokenFixture, UserFixture,
};
use crate::token::Expiry;

use super::{
    ANNA, APP, PAGE, SECRET, anna, anna_in_haste, ask, exchange_target, inspect, start, world,
};

const SIXTY_DAYS: i64 = 60 * 86_400;

fn exchange(sim: &mut Simulation, string: &str) -> Value {
    let (status, grant) = ask(sim, "", &exchange_target(string));
    assert_eq!(status, 200, "{grant}");
    grant
}

#[test]
fn a_renewal_gives_what_the_token_was_made_to_give() {
    let (same, new) = ("EAAFAKEAnna1", "EAAFAKEAnna2");
    let month = 30 * 86_400;
    for (spec, string, expires_in, lives_until) in [
        (anna_in_haste(), new, Some(SIXTY_DAYS), SIXTY_DAYS),
        (anna(), new, Some(SIXTY_DAYS), SIXTY_DAYS),
        (anna().withholding_expires_in(), new, None, SIXTY_DAYS),
        (anna().renewal(Renewal::ExtendsInPlace), same, Some(SIXTY_DAYS), SIXTY_DAYS),
        (anna().renewal(Renewal::KeepsString), same, Some(month), month),
        (anna().renewal(Renewal::KeepsEnd), new, Some(month), month),
        (anna_in_haste().renewal(Renewal::KeepsEnd), new, Some(SIXTY_DAYS), SIXTY_DAYS),
    ] {
        let mut sim = world();
        let renewal = spec.renewal.clone();
        let old = sim.mint(spec);
        let grant = exchange(&mut sim, &old);
        assert_eq!(grant["access_token"], string, "{renewal:?}");
        assert_eq!(grant["token_type"], "bearer");
        assert_eq!(grant["expires_in"].as_i64(), expires_in, "{renewal:?}");
        let end = Expiry::At(start() + TimeDelta::seconds(lives_until));
        assert_eq!(sim.expiry(string), Some(end), "{renewal:?}");
        assert_eq!(sim.invalidation(&old), None, "the old string lives on");
        assert_eq!(inspect(&mut sim, string)["is_valid"], true);
    }
}

#[test]
fn a_renewal_can_lose_a_scope_or_change_the_person() {
    let mut sim = world();
    sim.add_user(UserFixture::new("3000000000000009", "Somebody Else"));
    let old = sim.mint(anna().renewal(Renewal::LosesScope("pages_show_list".to_owned())));
    let new = exchange(&mut sim, &old)["access_token"].as_str().unwrap().to_owned();
    assert_eq!(inspect(&mut sim, &new)["scopes"], json!(["public_profile"]));
    let old = sim.mint(anna().renewal(Renewal::BecomesSomeoneElse("3000000000000009".to_owned())));
    let new = exchange(&mut sim, &old)["access_token"].as_str().unwrap().to_owned();
    assert_eq!(inspect(&mut sim, &new)["user_id"], "3000000000000009");
}

#[test]
fn the_old_string_may_die_of_its_renewal() {
    let mut sim = world();
    sim.set_old_string(OldString::Dies);
    let old = sim.mint(anna());
    let new = exchange(&mut sim, &old)["access_token"].as_str().unwrap().to_owned();
    assert_eq!(sim.invalidation(&old), Some(Invalidation::SessionInvalid));
    assert_eq!(sim.invalidation(&new), None);
    let still = sim.mint(anna().renewal(Renewal::KeepsString));
    exchange(&mut sim, &still);
    assert_eq!(sim.invalidation(&still), None, "a string does not die of itself");
}

#[test]
fn an_inspection_says_what_meta_says() {
    let mut sim = world();
    let now = start().timestamp();
    let month = 30 * 86_400;
    let user = sim.mint(anna());
    assert_eq!(
        inspect(&mut sim, &user),
        json!({
            "app_id": APP, "type": "USER", "application": "Example Publisher",
            "data_access_expires_at": now + 2 * month, "expires_at": now + month,
            "is_valid": true, "issued_at": now - month,
            "scopes": ["public_profile", "pages_show_list"],
            "granular_scopes": [{ "scope": "pages_show_list", "target_ids": [PAGE] }],
            "user_id": ANNA,
        })
    );
    let hasty = sim.mint(anna_in_haste());
    assert_eq!(inspect(&mut sim, &hasty).get("issued_at"), None);
    let robot = sim.mint(TokenFixture::system_user(APP, ANNA).scopes(["ads_read"]));
    let robot = inspect(&mut sim, &robot);
    assert_eq!(robot["type"], "SYSTEM_USER");
    assert_eq!((&robot["expires_at"], &robot["data_access_expires_at"]), (&json!(0), &json!(0)));
    assert_eq!(robot["granular_scopes"], json!([{ "scope": "ads_read" }]));
    let page = sim.mint(TokenFixture::page(APP, ANNA, PAGE));
    let page = inspect(&mut sim, &page);
    assert_eq!((&page["type"], &page["profile_id"]), (&json!("PAGE"), &json!(PAGE)));
    assert_eq!(
        inspect(&mut sim, &super::as_app()),
        json!({
            "app_id": APP, "type": "APP", "application": "Example Publisher",
            "is_valid": true, "scopes": [],
        })
    );
    for (input, message) in [
        ("EAAFAKENone1", "Invalid OAuth access token."),
        (&format!("{APP}|wrong"), "Invalid OAuth access token signature."),
    ] {
        assert_eq!(
            inspect(&mut sim, input),
            json!({
                "error": { "code": 190, "message": message }, "is_valid": false, "scopes": [],
            })
        );
    }
}

#[test]
fn an_inspection_tells_how_a_string_died() {
    for invalidation in Invalidation::ALL {
        let mut sim = world();
        let token = sim.mint(anna());
        sim.invalidate(&token, invalidation);
        let data = inspect(&mut sim, &token);
        assert_eq!(data["is_valid"], false);
        assert_eq!(data["error"]["code"], 190);
        assert_eq!(data["error"]["subcode"], invalidation.subcode());
        assert_eq!(data.get("issued_at"), None);
        let bare = matches!(invalidation, Invalidation::Revoked | Invalidation::AppRemoved);
        assert_eq!(data["scopes"].as_array().unwrap().is_empty(), bare, "{invalidation:?}");
        assert_eq!(
            data["expires_at"] == 0,
            invalidation == Invalidation::PasswordChanged,
            "{invalidation:?}"
        );
    }
}

#[test]
fn pages_have_the_token_that_their_parent_deserves() {
    let mut sim = world();
    let target = "/v25.0/me/accounts?fields=id,name,access_token";
    let given = |sim: &mut Simulation, user: &str| {
        let (_, list) = ask(sim, user, target);
        list["data"][0]["access_token"].as_str().unwrap().to_owned()
    };
    let hasty = sim.mint(anna_in_haste());
    let short = given(&mut sim, &hasty);
    assert_eq!(sim.expiry(&short), sim.expiry(&hasty), "it dies with its parent");
    assert_eq!(given(&mut sim, &hasty), short, "the same each time");

    let lasting = exchange(&mut sim, &hasty)["access_token"].as_str().unwrap().to_owned();
    let page = given(&mut sim, &lasting);
    assert_eq!(sim.expiry(&page), Some(Expiry::Never));
    assert_ne!(page, short);
    let renewed = exchange(&mut sim, &lasting)["access_token"].as_str().unwrap().to_owned();
    assert_eq!(given(&mut sim, &renewed), page, "the same log-in");
    let (_, one) = ask(&mut sim, &renewed, &format!("/v25.0/{PAGE}?fields=access_token"));
    assert_eq!(one, json!({ "access_token": page, "id": PAGE }));
    let (_, own) = ask(&mut sim, &page, &format!("/v25.0/{PAGE}?fields=id,access_token"));
    assert_eq!(own["access_token"], page.as_str());
    let (_, me) = ask(&mut sim, &page, "/v25.0/me?fields=id,name");
    assert_eq!(me, json!({ "id": PAGE, "name": "Example Bakery" }));

    let again = sim.mint(anna());
    assert_ne!(given(&mut sim, &again), page, "another log-in");
    sim.invalidate(&renewed, Invalidation::PasswordChanged);
    assert_eq!(sim.invalidation(&page), Some(Invalidation::PasswordChanged));
    let theirs = given(&mut sim, &again);
    sim.invalidate(&theirs, Invalidation::RoleLost);
    let (_, list) = ask(&mut sim, &again, target);
    assert_eq!(list, json!({ "data": [] }), "neither a Page nor paging");
}

#[test]
fn a_page_shows_as_its_listing_says() {
    let mut sim = world();
    let token = sim.mint(anna());
    let list = "/v25.0/me/accounts?fields=id,access_token";
    let page = format!("/v25.0/{PAGE}?fields=id,access_token");
    sim.list(ANNA, PAGE, Listing::WithoutToken);
    assert_eq!(ask(&mut sim, &token, list).1["data"], json!([{ "id": PAGE }]));
    assert_eq!(ask(&mut sim, &token, &page), (200, json!({ "id": PAGE })));
    sim.list(ANNA, PAGE, Listing::Unlisted);
    assert_eq!(ask(&mut sim, &token, list).1, json!({ "data": [] }));
    assert_eq!(ask(&mut sim, &token, &page).1["error"]["error_subcode"], 33);
    sim.list(ANNA, PAGE, Listing::Listed);
    let blind = sim.mint(anna().scopes(["public_profile"]));
    assert_eq!(ask(&mut sim, &blind, list).1, json!({ "data": [] }), "no pages_show_list");
    let plain = ask(&mut sim, &token, "/v25.0/me/accounts").1;
    assert_eq!(plain["data"][0].get("access_token"), None, "nobody asked for it");
}

#[test]
fn a_list_is_paged_and_its_last_page_has_a_cursor_too() {
    let mut sim = world();
    let mut user = UserFixture::new(ANNA, "Anna Example");
    for number in 0..130 {
        let id = format!("20000000000{number:05}");
        sim.add_page(PageFixture::new(&id, "Example Page"));
        user = user.with_page(&id, Listing::Listed);
    }
    sim.add_user(user);
    let token = sim.mint(anna());
    for (asked, shown) in [("", 25), ("&limit=3", 3), ("&limit=100", 100), ("&limit=999", 100)] {
        let target = format!("/v25.0/me/accounts?fields=id{asked}");
        assert_eq!(ask(&mut sim, &token, &target).1["data"].as_array().unwrap().len(), shown);
    }
    let first = ask(&mut sim, &token, "/v25.0/me/accounts?fields=id&limit=100").1;
    let next = first["paging"]["next"].as_str().unwrap();
    assert!(next.contains(&token), "as Meta does");
    let rest = ask(&mut sim, "", next.strip_prefix("http://127.0.0.1:1").unwrap()).1;
    assert_eq!(rest["data"].as_array().unwrap().len(), 30);
    assert_eq!(rest["data"][0]["id"], "2000000000000100");
    assert!(rest["paging"]["cursors"]["after"].is_string());
    assert_eq!(rest["paging"].get("next"), None);
}

#[test]
fn an_answer_is_dated_and_names_its_version() {
    let mut sim = world();
    let token = sim.mint(anna());
    for (asked, answered) in [("v25.0", "v25.0"), ("v26.0", "v26.0"), ("v3.0", "v19.0")] {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let answer = sim.answer(&Call::new("GET", &format!("/{asked}/me"), headers));
        assert_eq!(answer.header("facebook-api-version"), Some(answered));
        assert_eq!(answer.header("date"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
        assert_eq!(answer.header("content-type"), Some("application/json; charset=UTF-8"));
        assert_eq!(answer.header("x-app-usage"), None);
    }
    sim.add_app(AppFixture::new(APP, SECRET, "Example Publisher").busy(40));
    let answer = sim.answer(&Call::new("GET", &exchange_target(&token), []));
    assert_eq!(
        answer.header("x-app-usage"),
        Some(r#"{"call_count":40,"total_cputime":10,"total_time":20}"#)
    );
}

#[test]
fn only_an_answer_that_changes_something_moves_the_revision() {
    let mut sim = world();
    let token = sim.mint(anna());
    let before = sim.revision();
    inspect(&mut sim, &token);
    ask(&mut sim, &token, "/v25.0/me/accounts?fields=id");
    ask(&mut sim, "", &exchange_target("EAAFAKENone1"));
    assert_eq!(sim.revision(), before);
    ask(&mut sim, &token, "/v25.0/me/accounts?fields=access_token");
    assert_eq!(sim.revision(), before + 1);
    exchange(&mut sim, &token);
    assert_eq!(sim.revision(), before + 2);
}

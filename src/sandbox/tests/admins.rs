//! What is revoked and given out by API.

use serde_json::{Value, json};

use crate::crypto;
use crate::sandbox::{
    Call, Invalidation, Listing, NeverExpiring, Revocations, Simulation, TokenFixture, UserFixture,
};
use crate::token::Expiry;

use super::{ANNA, APP, INSTA, OTHER, PAGE, SECRET, THREADS, anna, as_app, inspect, world};

const ROBOT: &str = "3000000000000004";
const ADMIN: &str = "3000000000000005";

/// The world with a System User, and another that is an admin.
fn business() -> Simulation {
    let mut sim = world();
    sim.add_user(UserFixture::new(ROBOT, "Robot"));
    sim.add_user(UserFixture::new(ADMIN, "Keeper").admin());
    sim
}

fn robot(sim: &mut Simulation) -> String {
    sim.mint(TokenFixture::system_user(APP, ROBOT).named("robot").scopes(["ads_read"]))
}

fn admin() -> TokenFixture {
    TokenFixture::system_user(APP, ADMIN).named("keeper").scopes(["business_management"])
}

fn proof(string: &str) -> String {
    crypto::hex(&crypto::keyed_hash(SECRET.as_bytes(), string.as_bytes()))
}

/// Asks with a `Bearer` token, or without one when it is empty; in the body, where there is one.
fn call(
    sim: &mut Simulation,
    method: &str,
    bearer: &str,
    target: &str,
    form: &str,
) -> (u16, Value) {
    let bearer = format!("Bearer {bearer}");
    let headers =
        if bearer == "Bearer " { vec![] } else { vec![("Authorization", bearer.as_str())] };
    let answer = sim.answer(&Call::new(method, target, headers).with_form(form));
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[track_caller]
fn refused(answer: &(u16, Value), code: i64, subcode: Option<i64>, message: &str) {
    let error = &answer.1["error"];
    assert_eq!(answer.0, 400, "{}", answer.1);
    assert_eq!((error["code"].as_i64(), error["error_subcode"].as_i64()), (Some(code), subcode));
    assert!(error["message"].as_str().unwrap().contains(message), "{error}");
}

fn revoke(string: &str, asker: &str) -> String {
    format!(
        "/v25.0/oauth/revoke?client_id={APP}&client_secret={SECRET}&revoke_token={string}\
         &access_token={asker}"
    )
}

#[test]
fn one_of_a_system_user_is_revoked_by_another() {
    let mut sim = business();
    let (old, new) = (robot(&mut sim), robot(&mut sim));
    let user = sim.mint(anna());
    let foreign = sim.mint(TokenFixture::system_user(OTHER, ROBOT));
    for (target, code, message) in [
        (revoke(&old, &old), 100, "cannot revoke itself"),
        (revoke(&user, &new), 100, "not one of a system user"),
        (revoke(&foreign, &new), 100, "does not belong to this application"),
        (revoke(&old, &foreign), 100, "does not belong to this application"),
        (revoke("EAAFAKENone1", &new), 190, "Invalid OAuth"),
        (revoke(&old, "EAAFAKENone1"), 190, "Invalid OAuth"),
        (revoke(&old, ""), 104, "An access token is required"),
        (revoke(&old, &new).replace(SECRET, "wrong"), 1, "client secret"),
        (format!("{}&x=1", revoke(&old, &new)), 100, "x is not known here"),
    ] {
        refused(&call(&mut sim, "GET", "", &target, ""), code, None, message);
    }
    refused(&call(&mut sim, "POST", "", &revoke(&old, &new), ""), 100, None, "method type: post");
    assert_eq!(call(&mut sim, "GET", "", &revoke(&old, &new), "").1, json!({ "success": true }));
    assert_eq!(sim.invalidation(&old), Some(Invalidation::Revoked));
    assert_eq!(inspect(&mut sim, &old)["error"]["subcode"], 466);
    assert_eq!(sim.invalidation(&new), None);
    // A dead one neither asks nor dies again.
    refused(&call(&mut sim, "GET", "", &revoke(&new, &old), ""), 190, Some(466), "explicitly");
    refused(&call(&mut sim, "GET", "", &revoke(&old, &new), ""), 190, Some(466), "explicitly");
}

#[test]
fn all_of_a_system_user_die_at_once() {
    let mut sim = business();
    let (one, two) = (robot(&mut sim), robot(&mut sim));
    let page = sim.mint(TokenFixture::page(APP, ROBOT, PAGE));
    let (keeper, user) = (sim.mint(admin()), sim.mint(anna()));
    let other = sim.mint(TokenFixture::system_user(APP, "3000000000000006"));
    let target = format!("/v25.0/{ROBOT}/access_tokens");
    refused(&call(&mut sim, "DELETE", "", &target, ""), 104, None, "is required");
    refused(&call(&mut sim, "DELETE", &other, &target, ""), 200, None, "Permissions error");
    refused(&call(&mut sim, "GET", &one, &target, ""), 100, None, "method type: get");
    let none = format!("/v25.0/{ANNA}/access_tokens");
    refused(&call(&mut sim, "DELETE", &keeper, &none, ""), 100, Some(33), "does not exist");
    let wrong = format!("{target}?appsecret_proof=00");
    refused(&call(&mut sim, "DELETE", &one, &wrong, ""), 100, None, "Invalid appsecret_proof");
    let right = format!("{target}?appsecret_proof={}", proof(&one));
    assert_eq!(call(&mut sim, "DELETE", &one, &right, ""), (200, json!({ "success": true })));
    for dead in [&one, &two, &page] {
        assert_eq!(sim.invalidation(dead), Some(Invalidation::Revoked), "{dead}");
    }
    assert_eq!((sim.invalidation(&keeper), sim.invalidation(&user)), (None, None));
}

#[test]
fn what_a_person_granted_is_taken_back() {
    let mut sim = business();
    let (one, two) = (sim.mint(anna()), sim.mint(anna()));
    let page = sim.mint(TokenFixture::page(APP, ANNA, PAGE));
    let foreign = sim.mint(TokenFixture::user(OTHER, ANNA));
    let robot = robot(&mut sim);
    let target = format!("/v25.0/{ANNA}/permissions");
    refused(&call(&mut sim, "DELETE", &page, &target, ""), 100, Some(33), "does not exist");
    let nobody = format!("/v25.0/{ROBOT}/permissions");
    refused(&call(&mut sim, "DELETE", &as_app(), &nobody, ""), 100, Some(33), "does not exist");
    refused(&call(&mut sim, "DELETE", "", &target, ""), 104, None, "is required");
    assert_eq!(call(&mut sim, "DELETE", &as_app(), &target, ""), (200, json!(true)));
    for dead in [&one, &two, &page] {
        assert_eq!(sim.invalidation(dead), Some(Invalidation::AppRemoved), "{dead}");
    }
    assert_eq!(inspect(&mut sim, &one)["error"]["subcode"], 458);
    assert_eq!((sim.invalidation(&foreign), sim.invalidation(&robot)), (None, None));
    // A person's own access token may ask too.
    let again = sim.mint(anna());
    assert_eq!(call(&mut sim, "DELETE", &again, &target, ""), (200, json!(true)));
    assert_eq!(sim.invalidation(&again), Some(Invalidation::AppRemoved));
}

#[test]
fn instagram_and_threads_know_of_no_revocation() {
    for (token, target) in [
        (TokenFixture::instagram(INSTA, ANNA), "/instagram/v25.0/me/permissions"),
        (TokenFixture::threads(THREADS, ANNA), "/threads/v1.0/me/permissions"),
    ] {
        let mut sim = business();
        let string = sim.mint(token);
        refused(&call(&mut sim, "DELETE", &string, target, ""), 100, None, "method type: delete");
        sim.set_revocations(Revocations::InVain);
        assert_eq!(call(&mut sim, "DELETE", &string, target, "").0, 200);
        assert_eq!(sim.invalidation(&string), None);
        sim.set_revocations(Revocations::Everywhere);
        assert_eq!(call(&mut sim, "DELETE", &string, target, "").0, 200);
        assert_eq!(sim.invalidation(&string), Some(Invalidation::AppRemoved));
    }
}

#[test]
fn what_is_accepted_may_change_nothing() {
    let mut sim = business();
    sim.set_revocations(Revocations::InVain);
    let (one, two, user) = (robot(&mut sim), robot(&mut sim), sim.mint(anna()));
    for (method, bearer, target) in [
        ("GET", String::new(), revoke(&one, &two)),
        ("DELETE", one.clone(), format!("/v25.0/{ROBOT}/access_tokens")),
        ("DELETE", as_app(), format!("/v25.0/{ANNA}/permissions")),
    ] {
        assert_eq!(call(&mut sim, method, &bearer, &target, "").0, 200, "{target}");
    }
    assert_eq!([&one, &two, &user].map(|it| sim.invalidation(it)), [None; 3]);
}

#[test]
fn an_access_token_is_given_out_to_an_admin_who_asks_for_all_of_it() {
    let mut sim = business();
    let (known, keeper, user) = (robot(&mut sim), sim.mint(admin()), sim.mint(anna()));
    let poor = sim.mint(admin().scopes(["ads_read"]));
    let target = format!("/v25.0/{ROBOT}/access_tokens");
    let form = |string: &str, scope: &str| {
        format!("business_app={APP}&scope={scope}&appsecret_proof={}", proof(string))
    };
    let whole = form(&keeper, "ads_read,ads_management");
    for (bearer, form, code, subcode, message) in [
        ("", whole.clone(), 104, None, "is required"),
        (&*known, form(&known, "ads_read"), 200, None, "Permissions error"),
        (&*poor, form(&poor, "ads_read"), 200, None, "Permissions error"),
        (&*user, form(&user, "ads_read"), 200, None, "Permissions error"),
        (&*keeper, whole.replace(&proof(&keeper), ""), 100, None, "require an appsecret_proof"),
        (&*keeper, whole.replace(&proof(&keeper), "00"), 100, None, "Invalid appsecret_proof"),
        (&*keeper, whole.replace("ads_read", "ads"), 3962, None, "Invalid permission: ads"),
        (&*keeper, whole.replace("scope=", "scope=pages_show_list,"), 10, Some(1_341_012), "Page"),
        (&*keeper, whole.replace(APP, OTHER), 100, None, "business_app"),
        (&*keeper, whole.replace("scope", "scopes"), 100, None, "scopes is not known here"),
        (&*keeper, format!("{whole}&set_token_expires_in_60_days=1"), 100, None, "must be true"),
    ] {
        refused(&call(&mut sim, "POST", bearer, &target, &form), code, subcode, message);
    }
    let of_nobody = format!("/v25.0/{ANNA}/access_tokens");
    refused(&call(&mut sim, "POST", &keeper, &of_nobody, &whole), 100, Some(33), "does not exist");
    let in_address = format!("{target}?{whole}");
    refused(&call(&mut sim, "POST", &keeper, &in_address, ""), 100, None, "into the address");

    let (status, minted) = call(&mut sim, "POST", &keeper, &target, &whole);
    assert_eq!((status, minted.get("expires_in")), (200, None), "{minted}");
    let minted = minted["access_token"].as_str().unwrap().to_owned();
    assert_eq!(sim.expiry(&minted), Some(Expiry::Never));
    assert_eq!(inspect(&mut sim, &minted)["scopes"], json!(["ads_read", "ads_management"]));
    assert_eq!(sim.invalidation(&known), None, "the earlier ones live on");
    let dated = format!("{whole}&set_token_expires_in_60_days=true");
    let (_, minted) = call(&mut sim, "POST", &keeper, &target, &dated);
    let minted = minted["access_token"].as_str().unwrap();
    assert!(matches!(sim.expiry(minted), Some(Expiry::At(_))));

    sim.set_never_expiring(NeverExpiring::Refused);
    refused(&call(&mut sim, "POST", &keeper, &target, &whole), 100, None, "must be true");
    sim.add_user(UserFixture::new(ROBOT, "Robot").with_page(PAGE, Listing::Listed));
    let of_pages = dated.replace("scope=", "scope=pages_show_list,");
    assert_eq!(call(&mut sim, "POST", &keeper, &target, &of_pages).0, 200);
    sim.invalidate(&keeper, Invalidation::Revoked);
    refused(&call(&mut sim, "POST", &keeper, &target, &whole), 452, None, "Session key invalid");
}

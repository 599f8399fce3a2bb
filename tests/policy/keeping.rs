//! What stands against how a token is kept, in words: proofs, window, scopes, rotation.

use chrono::TimeDelta;
use metatoken::policy::{Moment, Policy};
use metatoken::token::{Expiry, ProblemKind, TokenType};

use super::{LOG_IN, credential, day, lifeless, page, plain, string, subject, told, user};

#[test]
fn how_it_is_kept() {
    let moment = Moment::at(day(10));
    assert_eq!(
        plain(&user(Expiry::Never, day(5)), day(10)),
        [
            "warning unchecked: no answer from Graph for more than 3 days (`checked_within`) | run `metatoken refresh -v` to see why Graph was not reached"
        ]
    );
    let wide = Policy { refresh_within: TimeDelta::days(90), ..Policy::default() };
    assert_eq!(
        told(&subject(&user(Expiry::At(day(60)), day(2)), &wide), Moment::at(day(2))),
        [
            "warning window_clipped: `refresh_within` is 90d, but it lives only 60 days: renewed 59 days before it expires | set `refresh_within` of `[token.brand]` to 59d or less; then run `metatoken config check`"
        ]
    );
    let fits = Policy { refresh_within: TimeDelta::days(59), ..Policy::default() };
    assert_eq!(
        told(&subject(&user(Expiry::At(day(60)), day(2)), &fits), Moment::at(day(2))),
        [""; 0]
    );
    let lone = credential("page", TokenType::Page, Some(string(Expiry::At(day(60)), day(10))));
    assert_eq!(
        plain(&lone, day(10)),
        [
            "warning short_parent: taken from a short-lived user token, expires in 50 days (2026-03-02 00:00 UTC) | the person behind the token takes a new Page token from a long-lived user token; then run `metatoken exchange page` and paste it. If that user token is kept here, set it as `parent` of `[token.page]` instead"
        ]
    );
    let scopes = Policy { required_scopes: vec!["a".into(), "b".into()], ..Policy::default() };
    assert_eq!(
        told(&subject(&user(Expiry::Never, day(10)), &scopes), moment),
        [
            "critical permission_missing: permission missing: `a` and `b` | the person behind the token logs in to the app again and grants it, ticking every Page: run `metatoken login brand --replace`"
        ]
    );
}

#[test]
fn rotation_tells_how_a_string_that_works_is_replaced() {
    let policy = Policy { rotate_after: Some(TimeDelta::days(5)), ..Policy::default() };
    let old = |token_type| credential("it", token_type, Some(string(Expiry::Never, day(10))));
    let said = "warning rotation_due: 10 days old, `rotate_after` is 5d";
    for (token_type, remedy) in [
        (
            TokenType::SystemUser,
            "an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange it --replace` and paste it",
        ),
        (
            TokenType::App,
            "reset the app's secret in its dashboard (App settings, Basic) and set it as `secret` of `[app.main]` in metatoken.toml; then run `metatoken refresh it`",
        ),
    ] {
        let found = told(&subject(&old(token_type), &policy), Moment::at(day(10)));
        assert_eq!(found, [format!("{said} | {remedy}")]);
    }
    let (child, parent) = (old(TokenType::Page), user(Expiry::Never, day(10)));
    assert_eq!(
        told(&page(&child, &policy, &parent), Moment::at(day(10))),
        [format!(
            "{said} | the person behind the token logs in to the app again: run `metatoken login brand --replace`"
        )]
    );
    // Nobody replaces for its age what is dead.
    let dead = lifeless(string(Expiry::Never, day(10)), ProblemKind::Revoked);
    let dead = credential("brand", TokenType::User, Some(dead));
    let found = told(&subject(&dead, &policy), Moment::at(day(10)));
    assert_eq!(found, [format!("critical revoked: dead | {LOG_IN}")]);
}

//! Every cause for concern with its code, its severity, its sentence and its remedy.

use metatoken::policy::{Moment, Policy, judge_inspection};
use metatoken::token::{
    Credential, DataAccess, Expiry, Identity, Inspection, Problem, ProblemKind, TokenType,
};

use super::{
    LOG_IN, SECOND, credential, day, hours, label, lifeless, page, plain, string, subject, told,
    user, with_answer,
};

fn waiting(credential: &Credential) -> Credential {
    Credential { candidate: Some(string(Expiry::Unknown, day(0))), ..credential.clone() }
}

fn troubled(credential: &Credential, problem: Problem) -> Credential {
    let mut credential = credential.clone();
    credential.attempts.problem = Some(problem);
    credential
}

#[test]
fn no_string() {
    let user = credential("brand", TokenType::User, None);
    let app = credential("main", TokenType::App, None);
    let mut unexamined = waiting(&user);
    unexamined.candidate.as_mut().unwrap().proof = None;
    let refused = lifeless(string(Expiry::Unknown, day(0)), ProblemKind::Checkpoint);
    let refused = Credential { candidate: Some(refused), ..user.clone() };
    let secret =
        troubled(&user, Problem::new(ProblemKind::BadAppCredentials, "app `main` has no secret"));
    let network = troubled(&user, Problem::new(ProblemKind::Network, "no route"));
    for (credential, expected) in [
        (
            &user,
            "unknown missing: no access token yet | run `metatoken refresh brand`. Without an `access_token` in the config run `metatoken exchange brand` and paste one",
        ),
        (
            &app,
            "unknown missing: no access token yet, taken from the app's id and secret | run `metatoken refresh`",
        ),
        (
            &unexamined,
            "unknown unverified: Graph has not answered about the new access token | run `metatoken refresh`",
        ),
        (
            &refused,
            "critical checkpoint: dead | the person behind the token opens facebook.com, logs in and does what it asks; then run `metatoken refresh brand`. No other person can do it; the token is kept and may work again",
        ),
        (
            &secret,
            "critical bad_app_credentials: app `main` has no secret | copy the app's secret (App settings, Basic) into `secret` of `[app.main]` in metatoken.toml; then run `metatoken refresh`",
        ),
        (&network, "unknown network: no route | nothing to do yet: it is tried again by itself"),
    ] {
        assert_eq!(plain(credential, day(1)), [expected]);
    }
    let policy = Policy::default();
    let child = credential("brand-page", TokenType::Page, None);
    let lively = super::user(Expiry::Never, day(1));
    let dead = lifeless(string(Expiry::Never, day(1)), ProblemKind::Revoked);
    let dead = credential("brand", TokenType::User, Some(dead));
    for (parent, expected) in [
        (
            &lively,
            "unknown missing: no access token yet, derived from brand | run `metatoken refresh`",
        ),
        (
            &dead,
            "unknown parent_dead: its parent brand is down | the person behind the token logs in to the app again: run `metatoken login brand`",
        ),
    ] {
        assert_eq!(told(&page(&child, &policy, parent), Moment::at(day(1))), [expected]);
    }
}

#[test]
fn no_verdict() {
    let mut unchecked = user(Expiry::Unknown, day(0));
    unchecked.current.as_mut().unwrap().proof = None;
    assert_eq!(
        plain(&unchecked, day(0)),
        ["unknown unverified: Graph was not asked about it yet | run `metatoken refresh brand`"]
    );
    let silent = |problem: Option<Problem>| {
        let current = with_answer(string(Expiry::Never, day(0)), |answer| {
            answer.valid = None;
            answer.problem = problem;
        });
        plain(&credential("brand", TokenType::User, Some(current)), day(0))
    };
    assert_eq!(
        silent(Some(Problem::new(ProblemKind::UnconfirmedUser, "confirm your account"))),
        [
            "critical unconfirmed_user: confirm your account | the person behind the token opens facebook.com, logs in and does what it asks; then run `metatoken refresh brand`. No other person can do it; the token is kept and may work again"
        ]
    );
    assert_eq!(
        silent(None),
        ["unknown unknown: Graph gave no verdict and no reason | nothing to do yet: it is tried \
          again by itself"]
    );
}

#[test]
fn a_verdict_of_death_has_the_code_of_its_cause() {
    for kind in ProblemKind::ALL {
        let dead = lifeless(string(Expiry::Never, day(0)), *kind);
        let found = plain(&credential("brand", TokenType::User, Some(dead)), day(0));
        assert_eq!(found.len(), 1, "{kind}");
        // What may pass without a person is no verdict, whatever Graph calls it.
        let critical = kind.is_verdict() || kind.action().needs_a_person();
        let severity = if critical { "critical" } else { "unknown" };
        assert!(found[0].starts_with(&format!("{severity} {kind}: dead | ")), "{found:?}");
    }
    let policy = Policy::default();
    let dead = lifeless(string(Expiry::Never, day(0)), ProblemKind::Revoked);
    let child = credential("brand-page", TokenType::Page, Some(dead.clone()));
    let refused = troubled(&child, Problem::new(ProblemKind::PermissionMissing, "not ticked"));
    let parent = user(Expiry::At(day(60)), day(0));
    let gone = credential("brand", TokenType::User, Some(dead));
    let log_in = LOG_IN;
    let grant = "the person behind the token logs in to the app again and grants it, ticking every \
                 Page: run `metatoken login brand`";
    for (child, parent, expected) in [
        (&child, &parent, vec!["critical revoked: dead | run `metatoken refresh brand-page`. Its parent works and gives it a new access token".to_owned()]),
        (&child, &gone, vec![format!("critical parent_dead: its parent brand is down | {log_in}")]),
        (&refused, &parent, vec![format!("critical revoked: dead, not ticked | {grant}")]),
    ] {
        assert_eq!(told(&page(child, &policy, parent), Moment::at(day(0))), expected);
    }
}

#[test]
fn an_end() {
    let now = day(52);
    let fine = user(Expiry::At(day(60)), now);
    let mut stopped = fine.clone();
    (stopped.attempts.misses, stopped.attempts.first_miss_at) = (3, Some(day(49)));
    stopped.attempts.last_attempt_at = Some(day(51));
    let problem = |kind| Problem { code: Some(2), ..Problem::new(kind, "service down") };
    let failed = troubled(&fine, problem(ProblemKind::GraphUnavailable));
    let lost = troubled(&fine, problem(ProblemKind::BadProof));
    for (credential, expected) in [
        (
            &fine,
            "not renewed yet | run `metatoken refresh brand`. A timer should have done so: see that \
             it runs `metatoken refresh`"
                .to_owned(),
        ),
        (&stopped, format!("no longer extended | {LOG_IN}")),
        (
            &failed,
            format!(
                "renewal failed: Graph is unavailable | no action tonight: it is retried by each \
                 run until 2026-02-27. If this is still here then, {LOG_IN}"
            ),
        ),
        (
            &lost,
            "renewal failed: wrong secret of app `main` | set `secret` of `[app.main]` in \
             metatoken.toml to the secret of the app that the token belongs to (App settings, \
             Basic); then run `metatoken refresh`"
                .to_owned(),
        ),
    ] {
        assert_eq!(plain(credential, now), [format!("warning expiring: {expected}")]);
    }
    let off = Policy { auto_refresh: false, ..Policy::default() };
    assert_eq!(
        told(&subject(&fine, &off), Moment::at(now)),
        [format!("warning expiring: `auto_refresh` is off | {LOG_IN}")]
    );
    assert_eq!(
        plain(&user(Expiry::At(day(60)), day(60)), day(60)),
        [format!("critical expired: expired | {LOG_IN}")]
    );
    let policy = Policy::default();
    let over = credential("brand-page", TokenType::Page, Some(string(Expiry::At(now), now)));
    assert_eq!(
        told(&page(&over, &policy, &fine), Moment::at(now + hours(3))),
        [
            "critical expired: expired | run `metatoken refresh brand-page`. Its parent works and gives \
          it a new access token"
        ]
    );
}

#[test]
fn a_short_life_is_named_with_where_it_comes_from() {
    let run = "run `metatoken refresh it`";
    let facebook = "It lives a day or less, like what the login dialog, the Graph API Explorer and \
                    WhatsApp's API setup page hand out";
    let others = "It lives a day or less, like what the login hands out before it is exchanged";
    for (token_type, where_from) in [
        (TokenType::User, facebook),
        (TokenType::SystemUser, facebook),
        (TokenType::Instagram, others),
        (TokenType::Threads, others),
    ] {
        for (life, named) in [(hours(1), true), (hours(48), true), (hours(48) + SECOND, false)] {
            let short = string(Expiry::At(day(0) + life), day(0));
            let found = plain(&credential("it", token_type, Some(short)), day(0));
            let (begins, ends) = if named {
                ("short-lived, not", where_from)
            } else {
                ("not", "`metatoken refresh`")
            };
            let expected = format!("critical expiring: {begins} renewed yet | {run}. ");
            assert!(found[0].starts_with(&expected), "{token_type}: {found:?}");
            assert!(found[0].ends_with(ends), "{token_type}: {found:?}");
            assert_eq!(found[0].contains("a day or less"), named, "{token_type}, {life}");
        }
    }
}

#[test]
fn data_access() {
    let reading = |until| {
        let current = with_answer(string(Expiry::At(day(60)), day(10)), |it| {
            it.data_access = DataAccess::Until(until);
        });
        credential("brand", TokenType::User, Some(current))
    };
    assert_eq!(
        plain(&reading(day(20)), day(10)),
        [format!(
            "warning data_access_expiring: data access expires in 10 days (2026-01-21 00:00 UTC) | {LOG_IN}"
        )]
    );
    assert_eq!(
        plain(&reading(day(8)), day(10)),
        [format!(
            "critical data_access_expired: data access expired 2 days ago (2026-01-09 00:00 UTC) | {LOG_IN}"
        )]
    );
    let policy = Policy::default();
    let mut child = reading(day(8));
    (child.label, child.token_type) = (label("brand-page"), TokenType::Page);
    assert_eq!(
        told(&page(&child, &policy, &reading(day(8))), Moment::at(day(10))),
        [
            "warning data_access_expired: data access expired 2 days ago (2026-01-09 00:00 UTC) | fix its parent first: run `metatoken status brand`"
        ]
    );
}

#[test]
fn a_string_that_is_not_stored_is_judged_by_the_answer() {
    let policy = Policy::default();
    let none = credential("brand", TokenType::User, None);
    let expected = Identity { user_id: Some("7".into()), ..Identity::default() };
    let answer = Inspection {
        expiry: Expiry::At(day(10) + hours(1)),
        identity: Identity { user_id: Some("8".into()), ..Identity::default() },
        ..Inspection::bare(Some(true), None)
    };
    let judgement =
        judge_inspection(&subject(&none, &policy), &answer, &expected, Moment::at(day(10)));
    let found: Vec<_> =
        judgement.reasons.iter().map(|it| format!("{}: {}", it.code, it.message)).collect();
    assert_eq!(
        found,
        [
            "identity_changed: the token belongs to user 8, not to 7",
            "expiring: short-lived, not renewed yet",
        ]
    );
}

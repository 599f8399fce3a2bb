//! What a person's insistence changes, and what nobody's does.

use metatoken::policy::{
    Decision, Derive, Insistence, Moment, Policy, Renew, Skip, Subject, Verify, decide,
};
use metatoken::token::{Credential, Expiry, Generation, Origin, Problem, ProblemKind, TokenType};

use super::{credential, day, hidden, hours, lifeless, page, string, subject, user};

/// The three decisions at day 10 on a token that this run has asked about already.
fn decisions(subject: &Subject<'_>) -> [Decision; 3] {
    [Insistence::None, Insistence::Named, Insistence::Forced]
        .map(|insistence| decide(subject, insistence, Moment::at(day(10))))
}

#[test]
fn the_named_are_asked_about_first() {
    let policy = Policy::default();
    let verify = Decision::Verify(Verify::Asked);
    for token_type in TokenType::ALL {
        let current = string(Expiry::Never, day(10) - hours(1));
        let credential = credential("brand", *token_type, Some(current));
        let [nobody, named, forced] = decisions(&subject(&credential, &policy));
        assert_eq!(nobody, Decision::Skip(Skip::NeverExpires), "{token_type}");
        assert_eq!((&named, &forced), (&verify, &verify), "{token_type}");
    }
}

#[test]
fn force_overrides_window_backoff_and_auto_refresh() {
    let on = Policy::default();
    let off = Policy { auto_refresh: false, ..Policy::default() };
    let far = user(Expiry::At(day(60)), day(10));
    let mut backs_off = user(Expiry::At(day(20)), day(10));
    backs_off.attempts.not_before = Some(day(11));
    let not_due = Skip::NotDue { due_at: day(40) };
    for (what, credential, policy, otherwise) in [
        ("window", &far, &on, not_due),
        ("backoff", &backs_off, &on, Skip::BackingOff { until: day(11) }),
        ("auto_refresh", &far, &off, Skip::AutoRefreshOff),
    ] {
        let rest = Decision::Skip(otherwise);
        let forced = Decision::Renew(Renew::Forced);
        assert_eq!(decisions(&subject(credential, policy)), [rest.clone(), rest, forced], "{what}");
    }
}

#[test]
fn force_takes_strings_from_where_they_come_from() {
    let policy = Policy::default();
    let parent = user(Expiry::At(day(60)), day(10));
    let mut child = string(Expiry::Never, day(10));
    child.parent = Some(parent.current.as_ref().unwrap().id);
    let child = credential("page", TokenType::Page, Some(child));
    let never = Decision::Skip(Skip::NeverExpires);
    let forced = Decision::Derive(Derive::Forced);
    assert_eq!(decisions(&page(&child, &policy, &parent)), [never.clone(), never.clone(), forced]);

    // An unready parent is named, for a person has asked.
    let gone = credential("brand", TokenType::User, None);
    let why = "its parent `brand` has no access token yet".to_owned();
    let [nobody, _, forced] = decisions(&page(&child, &policy, &gone));
    assert_eq!(nobody, never);
    assert_eq!(forced, Decision::Skip(Skip::ParentNotReady { why }));

    let backs_off = Decision::Skip(Skip::BackingOff { until: day(11) });
    for token_type in [TokenType::App, TokenType::Page] {
        let mut none = credential("it", token_type, None);
        none.attempts.not_before = Some(day(11));
        none.attempts.refused_by = parent.current.as_ref().map(|current| current.id);
        assert_eq!(
            decisions(&page(&none, &policy, &parent)),
            [backs_off.clone(), backs_off.clone(), Decision::Derive(Derive::NoString)],
            "{token_type}"
        );
    }
}

fn paused(kind: ProblemKind) -> Credential {
    let mut credential = user(Expiry::At(day(20)), day(10));
    credential.attempts.not_before = Some(day(11));
    credential.attempts.problem = Some(Problem::new(kind, "x"));
    credential
}

#[test]
fn some_things_nobody_can_force() {
    let policy = Policy::default();
    let mut young = hidden(Expiry::Unknown, day(10));
    (young.origin, young.obtained_at) = (Origin::Refreshed, day(10) - hours(1));
    let candidates = {
        let mut credential = user(Expiry::At(day(20)), day(10));
        let granted = string(Expiry::At(day(80)), day(10));
        credential.candidate = Some(Generation { origin: Origin::Refreshed, ..granted });
        credential
    };
    let dead = lifeless(string(Expiry::At(day(60)), day(10)), ProblemKind::Revoked);
    let verdict = Problem::new(ProblemKind::Revoked, "dead");
    let until = day(11);
    for (what, credential, expected) in vec![
        ("never ends", user(Expiry::Never, day(10)), Skip::NeverExpires),
        (
            "a System User's unknown end",
            credential("wa", TokenType::SystemUser, Some(string(Expiry::Unknown, day(10)))),
            Skip::EndUnknown,
        ),
        ("a user's unknown end", user(Expiry::Unknown, day(10)), Skip::EndUnknown),
        (
            "Meta's 24 hours, known",
            credential("ig", TokenType::Instagram, Some(young)),
            Skip::TooYoung { eligible: day(11) - hours(1) },
        ),
        ("Meta's 24 hours, learnt", paused(ProblemKind::TooYoung), Skip::BackingOff { until }),
        ("throttled", paused(ProblemKind::RateLimited), Skip::BackingOff { until }),
        ("blocked", paused(ProblemKind::PolicyBlock), Skip::BackingOff { until }),
        ("dead", credential("brand", TokenType::User, Some(dead)), Skip::Dead(verdict)),
        ("a new string waits", candidates, Skip::CandidateWaits),
    ] {
        let [_, _, forced] = decisions(&subject(&credential, &policy));
        assert_eq!(forced, Decision::Skip(expected), "{what}");
    }
    // The same pauses hold for what is taken from a parent or an app.
    let mut none = credential("app", TokenType::App, None);
    none.attempts = paused(ProblemKind::PolicyBlock).attempts;
    let [_, _, forced] = decisions(&subject(&none, &policy));
    assert_eq!(forced, Decision::Skip(Skip::BackingOff { until }));
}

//! What differs between the types: who hides the end, and who renews nothing in its first day.

use metatoken::policy::{Decision, Derive, Insistence, Moment, Policy, Renew, Skip, decide};
use metatoken::token::{Expiry, Origin, Problem, ProblemKind, TokenType};

use super::{
    SECOND, credential, day, hidden, hours, lifeless, string, subject, unasked, with_answer,
};

#[test]
fn an_unknown_end_is_renewed_only_where_nobody_can_be_asked() {
    for (token_type, expected) in [
        (TokenType::User, Decision::Skip(Skip::EndUnknown)),
        (TokenType::Page, Decision::Skip(Skip::EndUnknown)),
        (TokenType::SystemUser, Decision::Skip(Skip::EndUnknown)),
        (TokenType::App, Decision::Skip(Skip::EndUnknown)),
        (TokenType::Instagram, Decision::Renew(Renew::EndUnknown)),
        (TokenType::Threads, Decision::Renew(Renew::EndUnknown)),
    ] {
        let credential = credential("brand", token_type, Some(hidden(Expiry::Unknown, day(10))));
        assert_eq!(unasked(&credential, day(10)), expected, "{token_type}");
    }
}

#[test]
fn a_string_of_unknown_end_may_be_short_lived_for_a_day() {
    for token_type in [TokenType::Instagram, TokenType::Threads] {
        for (now, expected) in [
            (day(0), Renew::PerhapsShortLived),
            (day(1) - SECOND, Renew::PerhapsShortLived),
            (day(1), Renew::EndUnknown),
            (day(1) + SECOND, Renew::EndUnknown),
        ] {
            let credential = credential("ig", token_type, Some(hidden(Expiry::Unknown, now)));
            assert_eq!(unasked(&credential, now), Decision::Renew(expected), "{token_type} {now}");
        }
    }
}

#[test]
fn meta_renews_nothing_in_its_first_day_where_its_birth_is_known() {
    for token_type in [TokenType::Instagram, TokenType::Threads] {
        for origin in [Origin::Exchanged, Origin::Refreshed] {
            for (now, young) in [(day(0), true), (day(1) - SECOND, true), (day(1), false)] {
                let mut granted = hidden(Expiry::Unknown, now);
                granted.origin = origin;
                let credential = credential("ig", token_type, Some(granted));
                let expected = if young {
                    Decision::Skip(Skip::TooYoung { eligible: day(1) })
                } else {
                    Decision::Renew(Renew::EndUnknown)
                };
                assert_eq!(unasked(&credential, now), expected, "{token_type} {origin} {now}");
            }
        }
        // Threads may tell when a string that a person brought was issued.
        let brought = with_answer(hidden(Expiry::Unknown, day(0) + hours(1)), |answer| {
            answer.issued_at = Some(day(0) + SECOND);
        });
        let credential = credential("ig", token_type, Some(brought));
        assert_eq!(
            unasked(&credential, day(0) + hours(1)),
            Decision::Skip(Skip::TooYoung { eligible: day(1) + SECOND }),
            "{token_type}"
        );
    }
    for token_type in [TokenType::User, TokenType::SystemUser] {
        let mut young = string(Expiry::At(day(15)), day(0));
        young.origin = Origin::Refreshed;
        let decision = unasked(&credential("brand", token_type, Some(young)), day(0));
        assert_eq!(decision, Decision::Skip(Skip::NotDue { due_at: day(1) }), "{token_type}");
    }
}

#[test]
fn an_age_that_a_refusal_taught_holds_for_everybody() {
    let policy = Policy::default();
    let mut ig = credential("ig", TokenType::Instagram, Some(hidden(Expiry::Unknown, day(3))));
    let eligible = day(3) + hours(5);
    ig.attempts.not_before = Some(eligible);
    ig.attempts.problem = Some(Problem::new(ProblemKind::TooYoung, "too young"));
    for insistence in [Insistence::None, Insistence::Forced] {
        let at = |now, proven| {
            let mut ig = ig.clone();
            ig.current = Some(hidden(Expiry::Unknown, proven));
            let moment = Moment { run_started: proven, ..Moment::at(now) };
            decide(&subject(&ig, &policy), insistence, moment)
        };
        let early = at(eligible - SECOND, eligible - SECOND);
        assert_eq!(early, Decision::Skip(Skip::BackingOff { until: eligible }), "{insistence:?}");
        assert_eq!(at(eligible, eligible).name(), "renew", "{insistence:?}");
    }
}

#[test]
fn the_other_types_that_end_can_be_short_lived_too() {
    for token_type in
        [TokenType::User, TokenType::SystemUser, TokenType::Instagram, TokenType::Threads]
    {
        let ends = day(0) + hours(1);
        let short = with_answer(string(Expiry::At(ends), day(0)), |answer| answer.issued_at = None);
        let credential = credential("brand", token_type, Some(short));
        assert_eq!(
            unasked(&credential, day(0)),
            Decision::Renew(Renew::ShortLived { ends }),
            "{token_type}"
        );
    }
}

#[test]
fn an_apps_token_has_no_end_and_dies_with_the_secret() {
    let policy = Policy::default();
    let off = Policy { auto_refresh: false, ..Policy::default() };
    let alive = credential("app", TokenType::App, Some(string(Expiry::Never, day(1))));
    assert_eq!(unasked(&alive, day(1)), Decision::Skip(Skip::NeverExpires));

    let dead = lifeless(string(Expiry::Never, day(1)), ProblemKind::SessionInvalid);
    let dead = credential("app", TokenType::App, Some(dead));
    let verdict = Problem::new(ProblemKind::SessionInvalid, "dead");
    let paused = |problem: Option<Problem>| {
        let mut credential = dead.clone();
        credential.attempts.not_before = Some(day(1) + hours(1));
        credential.attempts.problem = problem;
        credential
    };
    let until = day(1) + hours(1);
    let passing = paused(Some(Problem::new(ProblemKind::Unknown, "x")));
    let wrong_secret = paused(Some(Problem::new(ProblemKind::BadAppCredentials, "x")));
    for (what, credential, policy, expected) in [
        ("the secret gives another", &dead, &policy, Decision::Derive(Derive::SecretReset)),
        ("auto_refresh off", &dead, &off, Decision::Skip(Skip::Dead(verdict.clone()))),
        ("tried lately", &passing, &policy, Decision::Skip(Skip::BackingOff { until })),
        ("the secret is wrong", &wrong_secret, &policy, Decision::Skip(Skip::Dead(verdict))),
    ] {
        let decision = decide(&subject(credential, policy), Insistence::None, Moment::at(day(1)));
        assert_eq!(decision, expected, "{what}");
    }
}

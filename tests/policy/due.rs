//! When a token is renewed, verified or left alone, one second around each threshold.

use chrono::TimeDelta;
use metatoken::policy::{
    Dates, Decision, Insistence, Moment, Policy, Renew, Skip, Subject, Verify, decide,
};
use metatoken::token::{Expiry, Generation, Origin, Problem, ProblemKind, TokenType};

use super::{
    SECOND, credential, day, hidden, hours, renewal, string, subject, unasked, user, with_answer,
};

/// The types whose strings end and are renewed.
const RENEWABLE: [TokenType; 4] =
    [TokenType::User, TokenType::SystemUser, TokenType::Instagram, TokenType::Threads];

#[test]
fn the_window_opens_on_the_second_for_every_type_that_is_renewed() {
    let (ends, opens) = (day(60), day(40));
    let not_due = Decision::Skip(Skip::NotDue { due_at: opens });
    let open = Decision::Renew(Renew::WindowOpen { ends, window: TimeDelta::days(20) });
    for token_type in RENEWABLE {
        for (now, expected) in [
            (opens - SECOND, &not_due),
            (opens, &open),
            (opens + SECOND, &open),
            (ends - SECOND, &open),
        ] {
            for current in [string(Expiry::At(ends), now), hidden(Expiry::At(ends), now)] {
                let credential = credential("brand", token_type, Some(current));
                assert_eq!(&unasked(&credential, now), expected, "{token_type} at {now}");
            }
        }
    }
    // A Page's token without a parent is tried, until Meta has answered.
    let tried = Decision::Renew(Renew::WithoutParent { ends });
    let alone = Decision::Skip(Skip::NotRenewable);
    let problem = |kind| Some(Problem::new(kind, "x"));
    for (now, problem, misses, expected) in [
        (opens - SECOND, None, 0, &alone),
        (opens, None, 0, &tried),
        (ends - SECOND, None, 0, &tried),
        (opens, problem(ProblemKind::Network), 0, &tried),
        (opens, problem(ProblemKind::NotExtended), 0, &alone),
        (opens, problem(ProblemKind::Unknown), 0, &alone),
        (opens, None, 1, &alone),
    ] {
        let mut lone = credential("page", TokenType::Page, Some(string(Expiry::At(ends), now)));
        (lone.attempts.problem, lone.attempts.misses) = (problem.clone(), misses);
        assert_eq!(&unasked(&lone, now), expected, "{now} {problem:?} {misses}");
    }
}

#[test]
fn a_window_wider_than_the_life_is_clipped_to_the_life_less_a_day() {
    let policy = Policy { refresh_within: TimeDelta::days(90), ..Policy::default() };
    let window = TimeDelta::days(59);
    for (now, expected) in [
        (day(1) - SECOND, Decision::Skip(Skip::NotDue { due_at: day(1) })),
        (day(1), Decision::Renew(Renew::WindowOpen { ends: day(60), window })),
    ] {
        let credential = user(Expiry::At(day(60)), now);
        let decision = decide(&subject(&credential, &policy), Insistence::None, Moment::at(now));
        assert_eq!(decision, expected, "at {now}");
    }
}

#[test]
fn a_life_of_two_days_or_less_is_short() {
    let short = |life| {
        let told = string(Expiry::At(day(0) + life), day(0));
        let untold = with_answer(told.clone(), |answer| answer.issued_at = None);
        [told, untold].map(|current| {
            let credential = credential("brand", TokenType::User, Some(current));
            matches!(unasked(&credential, day(0)), Decision::Renew(Renew::ShortLived { .. }))
        })
    };
    assert_eq!(short(hours(1)), [true, true]);
    assert_eq!(short(hours(48) - SECOND), [true, true]);
    assert_eq!(short(hours(48)), [true, true]);
    assert_eq!(short(hours(48) + SECOND), [false, false]);
    // Issued long ago by Meta's word and found just now: it is old, not short-lived.
    let mut found_late = user(Expiry::At(day(60)), day(59));
    found_late.current.as_mut().unwrap().obtained_at = day(59);
    let decision = unasked(&found_late, day(59));
    assert!(matches!(decision, Decision::Renew(Renew::WindowOpen { .. })), "{decision:?}");
}

#[test]
fn a_proof_is_due_again_after_a_day_whatever_else_is_decided() {
    let rest = |due_at| Decision::Skip(Skip::NotDue { due_at });
    let stale = Decision::Verify(Verify::Stale { last: day(10) });
    let mut waits = user(Expiry::At(day(20)), day(10));
    let granted = Generation { origin: Origin::Refreshed, ..string(Expiry::At(day(80)), day(10)) };
    waits.candidate = Some(granted);
    let far = user(Expiry::At(day(60)), day(10));
    let never = user(Expiry::Never, day(10));
    let unknown = user(Expiry::Unknown, day(10));
    let lone = credential("page", TokenType::Page, Some(string(Expiry::At(day(60)), day(10))));
    for (what, credential, meanwhile) in [
        ("not due", &far, rest(day(40))),
        ("never", &never, Decision::Skip(Skip::NeverExpires)),
        ("unknown", &unknown, Decision::Skip(Skip::EndUnknown)),
        ("a Page alone", &lone, Decision::Skip(Skip::NotRenewable)),
        ("a new string waits", &waits, Decision::Skip(Skip::CandidateWaits)),
    ] {
        assert_eq!(unasked(credential, day(11) - SECOND), meanwhile, "{what}");
        assert_eq!(unasked(credential, day(11)), stale, "{what}");
        assert_eq!(unasked(credential, day(11) + SECOND), stale, "{what}");
    }
    // A string from outside that has not proven itself costs the one in use no renewal.
    waits.candidate = Some(string(Expiry::At(day(80)), day(10)));
    assert!(matches!(unasked(&waits, day(10)), Decision::Renew(Renew::WindowOpen { .. })));
    // Some clock was wrong: a proof from the future is worth nothing.
    assert_eq!(unasked(&far, day(10) - SECOND), stale);
    let mut unchecked = far.clone();
    unchecked.current.as_mut().unwrap().proof = None;
    assert_eq!(unasked(&unchecked, day(10)), Decision::Verify(Verify::NeverChecked));
}

#[test]
fn a_failed_try_is_repeated_when_its_pause_is_over() {
    let until = day(50);
    for token_type in RENEWABLE {
        let mut credential =
            credential("brand", token_type, Some(string(Expiry::At(day(60)), until)));
        credential.attempts.not_before = Some(until);
        for (now, backs_off) in [(until - SECOND, true), (until, false), (until + SECOND, false)] {
            let proven = string(Expiry::At(day(60)), now);
            credential.current = Some(proven);
            let expected = if backs_off {
                Decision::Skip(Skip::BackingOff { until })
            } else {
                let window = TimeDelta::days(20);
                Decision::Renew(Renew::WindowOpen { ends: day(60), window })
            };
            assert_eq!(unasked(&credential, now), expected, "{token_type} at {now}");
        }
    }
}

#[test]
fn a_throttled_app_is_left_alone_to_the_second() {
    let policy = Policy::default();
    let until = day(50);
    let due = user(Expiry::At(day(60)), day(50) - hours(1));
    let stale = user(Expiry::Never, day(48));
    let fine = user(Expiry::Never, day(50) - hours(1));
    let none = credential("app", TokenType::App, None);
    for (what, credential, acts) in
        [("due", &due, "renew"), ("stale", &stale, "verify"), ("no string", &none, "derive")]
    {
        let throttled = Subject { throttled_until: Some(until), ..subject(credential, &policy) };
        for insistence in [Insistence::None, Insistence::Named, Insistence::Forced] {
            assert_eq!(
                decide(&throttled, insistence, Moment::at(until - SECOND)),
                Decision::Skip(Skip::AppThrottled { until }),
                "{what} {insistence:?}"
            );
        }
        let after = decide(&throttled, Insistence::None, Moment::at(until));
        assert_eq!(after.name(), acts, "{what}");
    }
    // What rests anyway keeps its own reason.
    let throttled = Subject { throttled_until: Some(until), ..subject(&fine, &policy) };
    let decision = decide(&throttled, Insistence::None, Moment::at(until - SECOND));
    assert_eq!(decision, Decision::Skip(Skip::NeverExpires));
}

#[test]
fn a_clock_that_is_not_believed_makes_nothing_due_but_the_short_lived() {
    let policy = Policy::default();
    let doubted = |now| Moment { dates: Dates::Doubted, ..Moment::at(now) };
    let due = user(Expiry::At(day(60)), day(50));
    let parent = user(Expiry::At(day(60)), day(50));
    let mut dated = string(Expiry::At(day(60)), day(50));
    dated.parent = Some(parent.current.as_ref().unwrap().id);
    let dated = credential("page", TokenType::Page, Some(dated));
    let instagram = credential("ig", TokenType::Instagram, Some(hidden(Expiry::Unknown, day(50))));
    let short = user(Expiry::At(day(0) + hours(2)), day(0));
    let short_ends = day(0) + hours(2);
    let clock = Decision::Skip(Skip::ClockDoubted);
    for (what, subject, now, expected) in [
        ("due", subject(&due, &policy), day(50), clock.clone()),
        ("a dated Page", super::page(&dated, &policy, &parent), day(50), clock),
        (
            "no end to compare",
            subject(&instagram, &policy),
            day(50),
            Decision::Renew(Renew::EndUnknown),
        ),
        (
            "short-lived",
            subject(&short, &policy),
            day(0),
            Decision::Renew(Renew::ShortLived { ends: short_ends }),
        ),
    ] {
        assert_eq!(decide(&subject, Insistence::None, doubted(now)), expected, "{what}");
    }
}

#[test]
fn a_renewal_that_was_cut_short_is_asked_about_first() {
    let mut credential = user(Expiry::At(day(60)), day(49));
    let attempt = renewal(day(49) + hours(1));
    credential.attempts.open_attempt = Some(attempt);
    assert_eq!(
        unasked(&credential, day(49) + hours(2)),
        Decision::Verify(Verify::CutShort(attempt))
    );
}

#[test]
fn without_auto_refresh_nothing_is_renewed_and_all_is_verified() {
    let off = Policy { auto_refresh: false, ..Policy::default() };
    for token_type in RENEWABLE {
        let credential =
            credential("brand", token_type, Some(string(Expiry::At(day(60)), day(50))));
        for (now, expected) in [
            (day(51) - SECOND, Decision::Skip(Skip::AutoRefreshOff)),
            (day(51), Decision::Verify(Verify::Stale { last: day(50) })),
        ] {
            let decision = decide(&subject(&credential, &off), Insistence::None, Moment::at(now));
            assert_eq!(decision, expected, "{token_type}");
        }
    }
}

#[test]
fn an_answer_without_a_verdict_stops_only_what_a_person_must_clear() {
    let answered = |kind| {
        let mut credential = user(Expiry::At(day(60)), day(50));
        credential.current = credential.current.map(|current| {
            with_answer(current, |answer| {
                answer.valid = None;
                answer.problem = Some(Problem::new(kind, "no verdict"));
            })
        });
        credential
    };
    let blocked = answered(ProblemKind::Checkpoint);
    let problem = Problem::new(ProblemKind::Checkpoint, "no verdict");
    assert_eq!(unasked(&blocked, day(50)), Decision::Skip(Skip::AccountBlocked(problem)));
    assert_eq!(unasked(&blocked, day(50) + SECOND), Decision::Verify(Verify::PersonAwaited));
    // Graph's own trouble says nothing of the token: it is renewed all the same.
    let garbled = answered(ProblemKind::MalformedResponse);
    let window = TimeDelta::days(20);
    assert_eq!(
        unasked(&garbled, day(50)),
        Decision::Renew(Renew::WindowOpen { ends: day(60), window })
    );
    assert_eq!(
        unasked(&garbled, day(50) + SECOND),
        Decision::Verify(Verify::Stale { last: day(50) })
    );
}

#[test]
fn without_a_string_it_depends_on_where_one_comes_from() {
    for (token_type, expected) in [
        (TokenType::User, "no access token"),
        (TokenType::Page, "no access token"),
        (TokenType::SystemUser, "no access token"),
        (TokenType::Instagram, "no access token"),
        (TokenType::Threads, "no access token"),
        (TokenType::App, "no access token yet"),
    ] {
        let decision = unasked(&credential("brand", token_type, None), day(0));
        assert_eq!(decision.sentence(day(0)), expected, "{token_type}");
        assert_eq!(decision.name() == "derive", token_type == TokenType::App, "{token_type}");
    }
}

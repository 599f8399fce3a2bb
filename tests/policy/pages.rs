//! When a Page's string is taken from its parent, and when the Pages are listed.

use metatoken::policy::{
    Decision, Derive, Insistence, Moment, Policy, Skip, Verify, decide, listing_is_due,
};
use metatoken::token::{Credential, Expiry, GenerationId, Problem, ProblemKind, TokenType};

use super::{SECOND, credential, day, hours, lifeless, page, string, subject, user, with_answer};

fn child(expiry: Expiry) -> Credential {
    let mut current = string(expiry, day(10));
    (current.id, current.parent) = (GenerationId(2), Some(GenerationId(1)));
    credential("page", TokenType::Page, Some(current))
}

fn dead_child() -> Credential {
    let mut child = child(Expiry::Never);
    child.current = child.current.map(|current| lifeless(current, ProblemKind::Revoked));
    child
}

fn renewed() -> Credential {
    let mut parent = user(Expiry::At(day(60)), day(10));
    parent.current.as_mut().unwrap().id = GenerationId(9);
    parent
}

/// Parents that can give nothing now, each with the reason.
fn unready() -> Vec<(Credential, &'static str)> {
    let short = with_answer(string(Expiry::At(day(1)), day(10)), |answer| answer.issued_at = None);
    let mut short = credential("brand", TokenType::User, Some(short));
    let current = short.current.as_mut().unwrap();
    (current.obtained_at, current.expiry) = (day(10), Expiry::At(day(10) + hours(1)));
    let dead = lifeless(string(Expiry::At(day(60)), day(10)), ProblemKind::Revoked);
    let mut unchecked = string(Expiry::At(day(60)), day(10));
    unchecked.proof = None;
    let user = |current| credential("brand", TokenType::User, current);
    vec![
        (short, "its parent `brand` is short-lived"),
        (user(Some(dead)), "its parent `brand` is not known to work"),
        (user(Some(unchecked)), "its parent `brand` is not known to work"),
        (user(Some(string(Expiry::At(day(10)), day(9)))), "its parent `brand` has expired"),
        (user(None), "its parent `brand` has no access token yet"),
    ]
}

#[test]
fn a_page_is_derived_when_its_parent_can_give_it_a_string() {
    let policy = Policy::default();
    let now = Moment::at(day(10));
    let parent = user(Expiry::At(day(60)), day(10));
    let none = credential("page", TokenType::Page, None);
    let dated = |ends| child(Expiry::At(ends));
    let (edge, past) = (day(30), day(10));
    for (what, credential, parent, expected) in [
        ("as it should be", &child(Expiry::Never), &parent, Decision::Skip(Skip::NeverExpires)),
        ("no string", &none, &parent, Decision::Derive(Derive::NoString)),
        ("dead", &dead_child(), &parent, Decision::Derive(Derive::Dead)),
        (
            "a new parent string",
            &child(Expiry::Never),
            &renewed(),
            Decision::Derive(Derive::ParentRenewed),
        ),
        (
            "a second before its window",
            &dated(edge + SECOND),
            &parent,
            Decision::Skip(Skip::NotDue { due_at: day(10) + SECOND }),
        ),
        (
            "as its window opens",
            &dated(edge),
            &parent,
            Decision::Derive(Derive::WindowOpen { ends: edge }),
        ),
        (
            "past its date",
            &dated(past),
            &parent,
            Decision::Derive(Derive::WindowOpen { ends: past }),
        ),
        // What presses more is the reason: it may not wait for calls to spare.
        ("both", &dated(edge), &renewed(), Decision::Derive(Derive::WindowOpen { ends: edge })),
    ] {
        let decision = decide(&page(credential, &policy, parent), Insistence::None, now);
        assert_eq!(decision, expected, "{what}");
    }
}

#[test]
fn a_clipped_window_is_kept_for_pages_too() {
    let policy = Policy { refresh_within: hours(24 * 90), ..Policy::default() };
    let parent = user(Expiry::At(day(60)), day(10));
    let current = child(Expiry::At(day(30)));
    let derived = |now| {
        let mut current = current.clone();
        current.current.as_mut().unwrap().proof.as_mut().unwrap().at = now;
        decide(&page(&current, &policy, &parent), Insistence::None, Moment::at(now))
    };
    assert_eq!(derived(day(1) - SECOND), Decision::Skip(Skip::NotDue { due_at: day(1) }));
    assert_eq!(derived(day(1)), Decision::Derive(Derive::WindowOpen { ends: day(30) }));
}

#[test]
fn nothing_is_taken_from_a_parent_that_is_not_ready() {
    let policy = Policy::default();
    let now = Moment::at(day(10));
    let none = credential("page", TokenType::Page, None);
    let revoked = Problem::new(ProblemKind::Revoked, "dead");
    for (parent, why) in unready() {
        let not_ready = Decision::Skip(Skip::ParentNotReady { why: why.to_owned() });
        for (what, child, expected) in [
            ("no string", &none, &not_ready),
            ("due", &child(Expiry::At(day(20))), &not_ready),
            ("fine", &child(Expiry::Never), &Decision::Skip(Skip::NeverExpires)),
            ("dead", &dead_child(), &Decision::Skip(Skip::Dead(revoked.clone()))),
        ] {
            let decision = decide(&page(child, &policy, &parent), Insistence::None, now);
            assert_eq!(&decision, expected, "{what}, {why}");
        }
        // What cannot be taken is verified daily all the same.
        let later = Moment::at(day(11));
        let due = child(Expiry::At(day(20)));
        let decision = decide(&page(&due, &policy, &parent), Insistence::None, later);
        assert_eq!(decision, Decision::Verify(Verify::Stale { last: day(10) }), "{why}");
    }
}

#[test]
fn a_derivation_that_failed_is_tried_again_later() {
    let policy = Policy::default();
    let now = Moment::at(day(10));
    let parent = user(Expiry::At(day(60)), day(10));
    let until = day(10) + hours(1);
    let backing_off = Decision::Skip(Skip::BackingOff { until });
    let never = Decision::Skip(Skip::NeverExpires);
    let none = credential("page", TokenType::Page, None);
    let revoked = Decision::Skip(Skip::Dead(Problem::new(ProblemKind::Revoked, "dead")));
    let (passing, persons) = (ProblemKind::Unknown, ProblemKind::PermissionMissing);
    for (what, child, parent, kind, expected) in [
        ("no string", &none, &parent, passing, &backing_off),
        ("dead", &dead_child(), &parent, passing, &backing_off),
        ("dead, and a person is needed", &dead_child(), &parent, persons, &revoked),
        ("due", &child(Expiry::At(day(20))), &parent, passing, &backing_off),
        ("fine", &child(Expiry::Never), &renewed(), passing, &never),
    ] {
        let mut child = child.clone();
        child.attempts.not_before = Some(until);
        child.attempts.refused_by = parent.current.as_ref().map(|current| current.id);
        child.attempts.problem = Some(Problem::new(kind, "x"));
        let decision = decide(&page(&child, &policy, parent), Insistence::None, now);
        assert_eq!(&decision, expected, "{what}");
        child.attempts.not_before = Some(day(10));
        let decision = decide(&page(&child, &policy, parent), Insistence::None, now);
        assert_eq!(decision.name(), "derive", "{what}, its pause over");
    }
}

#[test]
fn a_pause_is_about_the_parent_s_generation_that_was_asked() {
    let policy = Policy::default();
    let now = Moment::at(day(10));
    let (asked, until) = (GenerationId(1), day(10) + hours(1));
    let none = credential("page", TokenType::Page, None);
    let paused = Decision::Skip(Skip::BackingOff { until });
    let edge = day(30);
    let fault = Problem::new(ProblemKind::Unknown, "x");
    let limit = Problem::new(ProblemKind::RateLimited, "x");
    let ticked_off = Problem::new(ProblemKind::PermissionMissing, "x");
    for (what, child, problem, now_it_is) in [
        ("no access token", &none, &fault, &Decision::Derive(Derive::NoString)),
        ("none, for a person", &none, &ticked_off, &Decision::Derive(Derive::NoString)),
        ("dead", &dead_child(), &fault, &Decision::Derive(Derive::Dead)),
        ("dead, for a person", &dead_child(), &ticked_off, &Decision::Derive(Derive::Dead)),
        ("fine", &child(Expiry::Never), &fault, &Decision::Derive(Derive::ParentRenewed)),
        (
            "due",
            &child(Expiry::At(edge)),
            &fault,
            &Decision::Derive(Derive::WindowOpen { ends: edge }),
        ),
        // Meta's own pause is about the token, whoever asks.
        ("throttled, without one", &none, &limit, &paused),
        ("throttled, and dead", &dead_child(), &limit, &paused),
    ] {
        let mut child = child.clone();
        child.attempts.not_before = Some(until);
        child.attempts.refused_by = Some(asked);
        child.attempts.problem = Some(problem.clone());
        let decision = decide(&page(&child, &policy, &renewed()), Insistence::None, now);
        assert_eq!(&decision, now_it_is, "{what}");
        // The new one refused it too.
        child.attempts.refused_by = renewed().current.map(|current| current.id);
        let decision = decide(&page(&child, &policy, &renewed()), Insistence::None, now);
        assert_ne!(decision.name(), "derive", "{what}, asked already");
    }
}

#[test]
fn pages_are_listed_for_a_new_parent_string_for_a_lifeless_page_or_by_force() {
    let policy = Policy::default();
    let now = Moment::at(day(10));
    let mut parent = user(Expiry::At(day(60)), day(10));
    let lively = child(Expiry::Never);
    let lifeless = credential("brand/1", TokenType::Page, None);
    let mut retired = lifeless.clone();
    retired.retired_at = Some(day(9));
    let paused = |until| {
        let mut page = dead_child();
        page.attempts.not_before = Some(until);
        page
    };
    let due = |parent: &Credential, pages: &[&Credential], insistence| {
        listing_is_due(&subject(parent, &policy), pages, insistence, now)
    };
    assert!(due(&parent, &[&lively], Insistence::None), "never listed");
    parent.listed = Some(GenerationId(1));
    for (what, pages, insistence, expected) in [
        ("all alive", vec![&lively], Insistence::None, false),
        ("none", vec![], Insistence::None, false),
        ("one without a string", vec![&lively, &lifeless], Insistence::None, true),
        ("one dead", vec![&dead_child()], Insistence::None, true),
        ("one dead, tried lately", vec![&paused(day(10) + SECOND)], Insistence::None, false),
        ("one dead, its pause over", vec![&paused(day(10))], Insistence::None, true),
        ("one retired", vec![&lively, &retired], Insistence::None, false),
        ("named", vec![&lively], Insistence::Named, false),
        ("forced", vec![&lively], Insistence::Forced, true),
    ] {
        assert_eq!(due(&parent, &pages, insistence), expected, "{what}");
    }
    for (parent, why) in unready() {
        assert!(!due(&parent, &[&lifeless], Insistence::Forced), "{why}");
    }
}

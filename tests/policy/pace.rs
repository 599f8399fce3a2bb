//! What waits while an app's calls run short, and when a failed try is repeated.

use chrono::TimeDelta;
use metatoken::policy::{
    Decision, Derive, Insistence, Moment, Policy, Renew, Skip, Verify, next_try, paced,
};
use metatoken::token::{Expiry, Problem, ProblemKind};

use super::{SECOND, day, hours, lifeless, renewal, string, subject, user};

#[test]
fn only_what_can_wait_waits_for_calls_to_spare() {
    let policy = Policy::default();
    let window = policy.refresh_within;
    let now = day(50);
    let renew = |left| Decision::Renew(Renew::WindowOpen { ends: now + left, window });
    let derive = |left| Decision::Derive(Derive::WindowOpen { ends: now + left });
    let stale = |age| Decision::Verify(Verify::Stale { last: now - age });
    let (ten, three) = (TimeDelta::days(10), TimeDelta::days(3));
    for (what, decision, waits) in [
        ("more than ten days left", renew(ten + SECOND), true),
        ("ten days left", renew(ten), false),
        ("less than ten days left", renew(ten - SECOND), false),
        ("short-lived", Decision::Renew(Renew::ShortLived { ends: now + hours(1) }), false),
        ("perhaps short-lived", Decision::Renew(Renew::PerhapsShortLived), false),
        ("unknown", Decision::Renew(Renew::EndUnknown), false),
        ("a dated Page, more left", derive(ten + SECOND), true),
        ("a dated Page, ten days left", derive(ten), false),
        ("a Page whose parent was renewed", Decision::Derive(Derive::ParentRenewed), true),
        ("a Page without a string", Decision::Derive(Derive::NoString), false),
        ("a dead Page", Decision::Derive(Derive::Dead), false),
        ("a dead app token", Decision::Derive(Derive::SecretReset), false),
        ("proven less than three days ago", stale(three - SECOND), true),
        ("proven three days ago", stale(three), false),
        ("proven in the future", stale(-SECOND), false),
        ("never proven", Decision::Verify(Verify::NeverChecked), false),
        ("past its date", Decision::Verify(Verify::PastItsDate { ended: now }), false),
        ("cut short", Decision::Verify(Verify::CutShort(renewal(now))), false),
    ] {
        let credential = user(Expiry::At(day(60)), now);
        let subject = subject(&credential, &policy);
        for (used, short) in [(None, false), (Some(90), false), (Some(91), true)] {
            for insistence in [Insistence::None, Insistence::Named, Insistence::Forced] {
                let done = paced(decision.clone(), &subject, used, insistence, Moment::at(now));
                let expected = match used {
                    Some(used) if short && waits && insistence == Insistence::None => {
                        Decision::Skip(Skip::BudgetSpent { used })
                    }
                    _ => decision.clone(),
                };
                assert_eq!(done, expected, "{what}, {used:?} used, {insistence:?}");
            }
        }
    }
}

#[test]
fn who_waits_for_a_person_can_wait_for_calls_while_the_verdict_is_fresh() {
    let policy = Policy::default();
    for (age, waits) in [(TimeDelta::days(3) - SECOND, true), (TimeDelta::days(3), false)] {
        let mut credential = user(Expiry::Never, day(0));
        let dead = lifeless(string(Expiry::Never, day(50) - age), ProblemKind::Revoked);
        credential.current = Some(dead);
        let decision = paced(
            Decision::Verify(Verify::PersonAwaited),
            &subject(&credential, &policy),
            Some(95),
            Insistence::None,
            Moment::at(day(50)),
        );
        assert_eq!(decision.name() == "rest", waits, "proven {age} ago");
    }
}

#[test]
fn pauses_double_are_capped_and_shorten_near_the_end() {
    let now = day(50);
    let far = Expiry::At(now + TimeDelta::days(10));
    let left = |minutes| Expiry::At(now + TimeDelta::minutes(minutes));
    for (kind, failures, expiry, seconds) in [
        (ProblemKind::Unknown, 0, far, 15 * 60),
        (ProblemKind::Unknown, 1, far, 15 * 60),
        (ProblemKind::Unknown, 2, far, 30 * 60),
        (ProblemKind::Unknown, 3, far, 3_600),
        (ProblemKind::Unknown, 4, far, 2 * 3_600),
        (ProblemKind::Unknown, 5, far, 4 * 3_600),
        (ProblemKind::Unknown, 6, far, 6 * 3_600),
        (ProblemKind::Unknown, u32::MAX, far, 6 * 3_600),
        // Without a date there is nothing to come near to.
        (ProblemKind::Unknown, 6, Expiry::Never, 6 * 3_600),
        (ProblemKind::Unknown, 6, Expiry::Unknown, 6 * 3_600),
        // A tenth of what is left, as soon as that is less than the pause.
        (ProblemKind::Unknown, 6, left(3_601), 6 * 3_600),
        (ProblemKind::Unknown, 6, left(3_600), 6 * 3_600),
        (ProblemKind::Unknown, 6, left(3_590), 359 * 60),
        (ProblemKind::Unknown, 1, left(151), 15 * 60),
        (ProblemKind::Unknown, 1, left(149), 149 * 6),
        // Never faster than once a minute, and not at all faster once it is over.
        (ProblemKind::Unknown, 6, left(10), 60),
        (ProblemKind::Unknown, 6, left(9), 60),
        (ProblemKind::Unknown, 6, left(0), 6 * 3_600),
        (ProblemKind::Unknown, 6, left(-1), 6 * 3_600),
        // What Meta accepts without extending, and what is too young, is tried daily.
        (ProblemKind::NotExtended, 1, far, 86_400),
        (ProblemKind::NotExtended, 9, far, 86_400),
        (ProblemKind::TooYoung, 1, far, 86_400),
        (ProblemKind::NotExtended, 1, Expiry::Unknown, 86_400),
        (ProblemKind::NotExtended, 1, left(600), 3_600),
    ] {
        let pause = next_try(&Problem::new(kind, "x"), failures, expiry, now) - now;
        assert_eq!(pause.num_seconds(), seconds, "{kind}, {failures} failures, {expiry:?}");
    }
}

//! Every reason for every decision, in the words that people read.

use chrono::TimeDelta;
use metatoken::policy::{Decision, Derive, Renew, Skip, Verify};
use metatoken::token::{Expiry, Problem, ProblemKind};

use super::{day, hours, renewal};

#[test]
fn every_reason_to_act_has_its_sentence() {
    let ends = day(20);
    for (decision, name, sentence) in [
        (
            Decision::Renew(Renew::WindowOpen { ends, window: TimeDelta::days(20) }),
            "renew",
            "expires in 10 days (renewal window: 20 days)",
        ),
        (
            Decision::Renew(Renew::ShortLived { ends: day(10) + hours(1) }),
            "renew",
            "short-lived, expires 2026-01-11 01:00 UTC, in 60 minutes",
        ),
        (
            Decision::Renew(Renew::PerhapsShortLived),
            "renew",
            "Meta does not report when it expires; it may live only an hour",
        ),
        (
            Decision::Renew(Renew::EndUnknown),
            "renew",
            "Meta does not report when it expires; renewed to learn it",
        ),
        (Decision::Renew(Renew::Forced), "renew", "`--force`"),
        (Decision::Derive(Derive::NoString), "derive", "no access token yet"),
        (Decision::Derive(Derive::Dead), "derive", "down, and its parent works"),
        (
            Decision::Derive(Derive::SecretReset),
            "derive",
            "down, and the app's secret gives another",
        ),
        (Decision::Derive(Derive::ParentRenewed), "derive", "its parent has a newer access token"),
        (
            Decision::Derive(Derive::WindowOpen { ends }),
            "derive",
            "expires 2026-01-21 00:00 UTC, in 10 days",
        ),
        (Decision::Derive(Derive::Forced), "derive", "`--force`"),
        (Decision::Verify(Verify::NeverChecked), "verify", "never checked"),
        (
            Decision::Verify(Verify::Stale { last: day(9) }),
            "verify",
            "last checked 2026-01-10 00:00 UTC, 24 hours ago",
        ),
        (
            Decision::Verify(Verify::PastItsDate { ended: day(10) }),
            "verify",
            "was to expire 2026-01-11 00:00 UTC, now",
        ),
        (Decision::Verify(Verify::PersonAwaited), "verify", "waits for a person"),
        (
            Decision::Verify(Verify::CutShort(renewal(day(9)))),
            "verify",
            "a renewal that began 2026-01-10 00:00 UTC was cut short; what Meta answered is lost",
        ),
        (Decision::Verify(Verify::Asked), "verify", "named"),
    ] {
        assert_eq!((decision.name(), decision.sentence(day(10)).as_str()), (name, sentence));
    }
}

#[test]
fn every_reason_to_rest_has_its_sentence() {
    let expired = Problem {
        code: Some(190),
        subcode: Some(463),
        ..Problem::new(ProblemKind::Expired, "Session has expired")
    };
    let blocked = Problem::new(ProblemKind::Checkpoint, "blocked");
    let ends = day(20);
    for (rest, sentence) in [
        (Skip::NoString, "no access token"),
        (Skip::Dead(expired), "expired (190/463)"),
        (Skip::AccountBlocked(blocked), "checkpoint"),
        (Skip::NeverExpires, "never expires"),
        (Skip::NotDue { due_at: ends }, "due 2026-01-21 00:00 UTC, in 10 days"),
        (Skip::EndUnknown, "Meta does not report when it expires"),
        (Skip::AutoRefreshOff, "`auto_refresh` is off"),
        (Skip::NotRenewable, "only a person can renew it"),
        (
            Skip::TooYoung { eligible: day(10) + hours(5) },
            "less than a day old, too young to renew: next \
             2026-01-11 05:00 UTC, in 5 hours",
        ),
        (
            Skip::BackingOff { until: day(10) + hours(6) },
            "the last try failed; the next is 2026-01-11 06:00 UTC, in 6 hours",
        ),
        (
            Skip::AppThrottled { until: day(10) + hours(2) },
            "Meta throttles its app until 2026-01-11 02:00 UTC, in 2 hours",
        ),
        (
            Skip::BudgetSpent { used: 93 },
            "left for the next run: 93% of its app's calls are used up",
        ),
        (
            Skip::ParentNotReady { why: "its parent `brand` is dead".into() },
            "its parent `brand` is dead",
        ),
        (Skip::ClockDoubted, "the clock of this machine is wrong"),
        (Skip::CandidateWaits, "a new access token waits to be checked"),
        (Skip::LongLived { expiry: Expiry::Never }, "never expires"),
        (
            Skip::LongLived { expiry: Expiry::Unknown },
            "Meta does not report when it expires, and it is too old to be short-lived",
        ),
        (
            Skip::LongLived { expiry: Expiry::At(ends) },
            "long-lived, expires 2026-01-21 00:00 UTC, in 10 days",
        ),
        (
            Skip::NoExchange { ends: day(10) + hours(1) },
            "expires 2026-01-11 01:00 UTC, in 60 minutes, and Meta exchanges no access token \
             of its type",
        ),
        (Skip::NotDerivedYet, "no access token yet; `metatoken refresh` derives one"),
        (
            Skip::LeftAlone { ends: Some(day(10) + hours(1)) },
            "expires 2026-01-11 01:00 UTC, in 60 minutes, but `auto_refresh` is off: name it to \
             exchange it",
        ),
        (Skip::LeftAlone { ends: None }, "`auto_refresh` is off: name it to exchange it"),
    ] {
        let decision = Decision::Skip(rest);
        assert_eq!((decision.name(), decision.sentence(day(10)).as_str()), ("rest", sentence));
    }
}

//! When a failed renewal is tried again.

use chrono::TimeDelta;

use crate::token::{Expiry, Problem, ProblemKind, Time};

/// The first pause after a failure; doubled by each further one.
const FIRST: TimeDelta = TimeDelta::minutes(15);
/// No pause is longer, so that a token in its window is tried at least four times a day.
const LONGEST: TimeDelta = TimeDelta::hours(6);
/// Near its end a token is tried at least this many times more before it dies.
const TRIES_LEFT: i32 = 10;

/// No new try before this instant.
///
/// Doubles from a quarter of an hour to six hours, and shortens as the end nears, so that at
/// least ten tries remain. What Meta accepts but does not extend is tried daily, and so is a
/// token that is too young.
pub fn next_try(problem: &Problem, failures: u32, expiry: Expiry, now: Time) -> Time {
    let pause = match problem.kind {
        ProblemKind::NotExtended | ProblemKind::TooYoung => TimeDelta::hours(24),
        _ => FIRST * 2_i32.pow(failures.saturating_sub(1).min(10)),
    };
    let longest = match problem.kind {
        ProblemKind::NotExtended | ProblemKind::TooYoung => pause,
        _ => LONGEST,
    };
    let near_its_end = expiry
        .remaining(now)
        .filter(|left| *left > TimeDelta::zero())
        .map_or(longest, |left| left / TRIES_LEFT);
    now + pause.min(longest).min(near_its_end.max(TimeDelta::minutes(1)))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn pauses_double_to_six_hours_and_shorten_near_the_end() {
        let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let fault = Problem::new(ProblemKind::Unknown, "x");
        let miss = Problem::new(ProblemKind::NotExtended, "x");
        let far = Expiry::At(now + TimeDelta::days(20));
        let near = Expiry::At(now + TimeDelta::hours(5));
        for (problem, failures, expiry, minutes) in [
            (&fault, 1, far, 15),
            (&fault, 2, far, 30),
            (&fault, 5, far, 240),
            (&fault, 6, far, 360),
            (&fault, 4_000_000_000, far, 360),
            (&fault, 6, near, 30),
            (&fault, 1, near, 15),
            (&fault, 1, Expiry::Never, 15),
            (&miss, 1, far, 1440),
        ] {
            assert_eq!(
                next_try(problem, failures, expiry, now) - now,
                TimeDelta::minutes(minutes),
                "{failures} failures"
            );
        }
    }
}

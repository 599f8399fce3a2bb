//! Decides what to do after an attempt that failed.
//!
//! One try returns what to do next and the caller waits, so the schedule is a table in a test.
//! Waits are drawn between nothing and a cap that doubles: many clients that failed together must
//! not come back together.

use std::time::Duration;

use chrono::TimeDelta;

use crate::token::{Problem, ProblemKind};

use super::problem::asks_for_less;
use super::request::Idempotence;

/// How far a try got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// No connection was made: nothing was sent.
    NotConnected,
    /// It was sent, and no answer of Graph's own came back whole.
    Unanswered,
    /// Graph itself answered; after the given time, if it named one, it wants to be asked again.
    Answered(Option<Duration>),
}

/// A try that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    pub problem: Problem,
    pub reach: Reached,
}

impl FailedAttempt {
    /// How long Graph, throttling or down, wants to be left alone.
    pub fn wait(&self) -> Option<TimeDelta> {
        match (self.problem.kind, self.reach) {
            (
                ProblemKind::RateLimited | ProblemKind::GraphUnavailable,
                Reached::Answered(Some(wait)),
            ) => TimeDelta::from_std(wait).ok().filter(|wait| !wait.is_zero()),
            _ => None,
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDecision {
    /// The same again after a wait.
    Again(Duration),
    /// No more.
    GiveUp,
}

/// How often a call may be tried, and how it waits in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    pub attempts: u32,
    pub pause: Duration,
}

impl RetryPolicy {
    /// No wait within a call is longer: other tokens wait for their turn.
    const LONGEST: Duration = Duration::from_secs(10);

    /// Says what follows on the `attempt`th try (from 1); `jitter` is any random number.
    pub fn next(
        self,
        attempt: u32,
        failure: &FailedAttempt,
        idempotence: Idempotence,
        jitter: u32,
    ) -> RetryDecision {
        if attempt >= self.attempts || !may_be_asked_again(failure, idempotence) {
            return RetryDecision::GiveUp;
        }
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let cap = self.pause.saturating_mul(doubled).min(Self::LONGEST);
        let drawn = cap.mul_f64(f64::from(jitter) / f64::from(u32::MAX));
        match failure.reach {
            Reached::Answered(Some(wanted)) if wanted > Self::LONGEST => RetryDecision::GiveUp,
            Reached::Answered(Some(wanted)) => RetryDecision::Again(drawn.max(wanted)),
            _ => RetryDecision::Again(drawn),
        }
    }
}

fn may_be_asked_again(failure: &FailedAttempt, idempotence: Idempotence) -> bool {
    let transient = match failure.problem.kind {
        // The same question has the same answer, and a certificate that is not trusted stays so.
        _ if failure.problem.action.needs_a_person() || asks_for_less(&failure.problem) => false,
        ProblemKind::Network | ProblemKind::GraphUnavailable => true,
        // Calling while throttled lengthens the block, unless Graph itself names the moment.
        ProblemKind::RateLimited => matches!(failure.reach, Reached::Answered(Some(_))),
        _ => false,
    };
    // A lost answer to an exchange may have held a grant: asking again could lose a second one.
    let harmless = match idempotence {
        Idempotence::Repeatable => true,
        Idempotence::Minting => failure.reach != Reached::Unanswered,
        // What arrived is spent, also where it was refused.
        Idempotence::Spending => failure.reach == Reached::NotConnected,
    };
    transient && harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy { attempts: 4, pause: Duration::from_secs(2) };

    fn next(
        attempt: u32,
        kind: ProblemKind,
        reach: Reached,
        idempotence: Idempotence,
    ) -> RetryDecision {
        let failure = FailedAttempt { problem: Problem::new(kind, "it failed"), reach };
        POLICY.next(attempt, &failure, idempotence, u32::MAX)
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        use Idempotence::{Minting, Repeatable, Spending};
        use ProblemKind as Kind;
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let again = |seconds| RetryDecision::Again(Duration::from_secs(seconds));
        for (attempt, kind, reach, idempotence, expected) in [
            (1, Kind::Network, Reached::NotConnected, Repeatable, again(2)),
            (2, Kind::Network, Reached::NotConnected, Repeatable, again(4)),
            (3, Kind::Network, Reached::NotConnected, Repeatable, again(8)),
            (4, Kind::Network, Reached::NotConnected, Repeatable, RetryDecision::GiveUp),
            (1, Kind::Network, Reached::Unanswered, Repeatable, again(2)),
            (1, Kind::GraphUnavailable, Reached::Answered(None), Repeatable, again(2)),
            (1, Kind::GraphUnavailable, Reached::Answered(seconds(9)), Repeatable, again(9)),
            (
                1,
                Kind::GraphUnavailable,
                Reached::Answered(seconds(11)),
                Repeatable,
                RetryDecision::GiveUp,
            ),
            (1, Kind::RateLimited, Reached::Answered(None), Repeatable, RetryDecision::GiveUp),
            (1, Kind::RateLimited, Reached::Answered(seconds(10)), Repeatable, again(10)),
            (
                1,
                Kind::RateLimited,
                Reached::Answered(seconds(60)),
                Repeatable,
                RetryDecision::GiveUp,
            ),
            (1, Kind::RateLimited, Reached::Answered(seconds(10)), Minting, again(10)),
            (1, Kind::PolicyBlock, Reached::Answered(None), Repeatable, RetryDecision::GiveUp),
            (
                1,
                Kind::PolicyBlock,
                Reached::Answered(seconds(1)),
                Repeatable,
                RetryDecision::GiveUp,
            ),
            (1, Kind::Unknown, Reached::Answered(None), Repeatable, RetryDecision::GiveUp),
            (
                1,
                Kind::BadAppCredentials,
                Reached::Answered(None),
                Repeatable,
                RetryDecision::GiveUp,
            ),
            (1, Kind::Expired, Reached::Answered(None), Repeatable, RetryDecision::GiveUp),
            (1, Kind::MalformedResponse, Reached::Unanswered, Repeatable, RetryDecision::GiveUp),
            (1, Kind::Network, Reached::NotConnected, Minting, again(2)),
            (1, Kind::Network, Reached::NotConnected, Spending, again(2)),
            (1, Kind::Network, Reached::Unanswered, Spending, RetryDecision::GiveUp),
            (1, Kind::GraphUnavailable, Reached::Answered(None), Spending, RetryDecision::GiveUp),
            (1, Kind::Network, Reached::Unanswered, Minting, RetryDecision::GiveUp),
            (1, Kind::GraphUnavailable, Reached::Unanswered, Minting, RetryDecision::GiveUp),
            (1, Kind::GraphUnavailable, Reached::Answered(None), Minting, again(2)),
        ] {
            assert_eq!(
                next(attempt, kind, reach, idempotence),
                expected,
                "{attempt} {kind} {reach:?} {idempotence:?}"
            );
        }
    }

    #[test]
    fn only_graph_throttling_or_down_names_a_wait() {
        let minute = Reached::Answered(Some(Duration::from_mins(1)));
        for (kind, reach, wait) in [
            (ProblemKind::RateLimited, minute, Some(TimeDelta::minutes(1))),
            (ProblemKind::RateLimited, Reached::Answered(None), None),
            (ProblemKind::RateLimited, Reached::Unanswered, None),
            (ProblemKind::GraphUnavailable, minute, Some(TimeDelta::minutes(1))),
            (ProblemKind::GraphUnavailable, Reached::Answered(None), None),
            (ProblemKind::Network, minute, None),
        ] {
            let failure = FailedAttempt { problem: Problem::new(kind, "it failed"), reach };
            assert_eq!(failure.wait(), wait, "{kind} {reach:?}");
        }
    }

    #[test]
    fn waits_lie_between_nothing_and_ten_seconds() {
        let problem = Problem::new(ProblemKind::Network, "it failed");
        let failure = FailedAttempt { problem, reach: Reached::NotConnected };
        let patient = RetryPolicy { attempts: u32::MAX, pause: Duration::from_secs(2) };
        let wait =
            |attempt, jitter| patient.next(attempt, &failure, Idempotence::Repeatable, jitter);
        assert_eq!(wait(1, 0), RetryDecision::Again(Duration::ZERO));
        assert_eq!(wait(1_000_000, u32::MAX), RetryDecision::Again(Duration::from_secs(10)));
        assert_eq!(wait(1, u32::MAX / 2 + 1), RetryDecision::Again(Duration::from_secs(1)));
    }
}

//! What to do after a try that failed.
//!
//! One try returns what to do next and the caller waits, so the schedule is a table in a test.
//! Waits are drawn between nothing and a cap that doubles: many clients that failed together must
//! not come back together.

use std::time::Duration;

use chrono::TimeDelta;

use crate::token::{Problem, ProblemKind};

use super::request::Idempotence;

/// How far a try got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// No connection was made: nothing was sent.
    NotConnected,
    /// It was sent, and no answer of Graph's own came back whole.
    Unanswered,
    /// Graph itself answered; after the given time, if it named one, it wants to be asked again.
    Answered(Option<Duration>),
}

/// A try that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) problem: Problem,
    pub(super) reach: Reach,
}

impl Failure {
    /// How long Graph, throttling, wants to be left alone.
    pub(super) fn wait(&self) -> Option<TimeDelta> {
        match (self.problem.kind, self.reach) {
            (ProblemKind::RateLimited, Reach::Answered(Some(wait))) => {
                TimeDelta::from_std(wait).ok()
            }
            _ => None,
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The same again after a wait.
    Again(Duration),
    /// No more.
    GiveUp,
}

/// How often a call may be tried, and how it waits in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    pub(super) attempts: u32,
    pub(super) pause: Duration,
}

impl Patience {
    /// No wait within a call is longer: other tokens wait for their turn.
    const LONGEST: Duration = Duration::from_secs(10);

    /// Says what follows on the `attempt`th try (from 1); `jitter` is any random number.
    pub(super) fn next(
        self,
        attempt: u32,
        failure: &Failure,
        idempotence: Idempotence,
        jitter: u32,
    ) -> Next {
        if attempt >= self.attempts || !may_be_asked_again(failure, idempotence) {
            return Next::GiveUp;
        }
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let cap = self.pause.saturating_mul(doubled).min(Self::LONGEST);
        let drawn = cap.mul_f64(f64::from(jitter) / f64::from(u32::MAX));
        match failure.reach {
            Reach::Answered(Some(wanted)) if wanted > Self::LONGEST => Next::GiveUp,
            Reach::Answered(Some(wanted)) => Next::Again(drawn.max(wanted)),
            _ => Next::Again(drawn),
        }
    }
}

fn may_be_asked_again(failure: &Failure, idempotence: Idempotence) -> bool {
    let transient = match failure.problem.kind {
        ProblemKind::Network | ProblemKind::GraphUnavailable => true,
        // Calling while throttled lengthens the block, unless Graph itself names the moment.
        ProblemKind::RateLimited => matches!(failure.reach, Reach::Answered(Some(_))),
        _ => false,
    };
    // A lost answer to an exchange may have held a grant: asking again could lose a second one.
    let harmless = idempotence == Idempotence::Repeatable || failure.reach != Reach::Unanswered;
    transient && harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { attempts: 4, pause: Duration::from_secs(2) };

    fn next(attempt: u32, kind: ProblemKind, reach: Reach, idempotence: Idempotence) -> Next {
        let failure = Failure { problem: Problem::new(kind, "it failed"), reach };
        PATIENCE.next(attempt, &failure, idempotence, u32::MAX)
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        use Idempotence::{Minting, Repeatable};
        use ProblemKind as Kind;
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let again = |seconds| Next::Again(Duration::from_secs(seconds));
        for (attempt, kind, reach, idempotence, expected) in [
            (1, Kind::Network, Reach::NotConnected, Repeatable, again(2)),
            (2, Kind::Network, Reach::NotConnected, Repeatable, again(4)),
            (3, Kind::Network, Reach::NotConnected, Repeatable, again(8)),
            (4, Kind::Network, Reach::NotConnected, Repeatable, Next::GiveUp),
            (1, Kind::Network, Reach::Unanswered, Repeatable, again(2)),
            (1, Kind::GraphUnavailable, Reach::Answered(None), Repeatable, again(2)),
            (1, Kind::GraphUnavailable, Reach::Answered(seconds(9)), Repeatable, again(9)),
            (1, Kind::GraphUnavailable, Reach::Answered(seconds(11)), Repeatable, Next::GiveUp),
            (1, Kind::RateLimited, Reach::Answered(None), Repeatable, Next::GiveUp),
            (1, Kind::RateLimited, Reach::Answered(seconds(10)), Repeatable, again(10)),
            (1, Kind::RateLimited, Reach::Answered(seconds(60)), Repeatable, Next::GiveUp),
            (1, Kind::RateLimited, Reach::Answered(seconds(10)), Minting, again(10)),
            (1, Kind::PolicyBlock, Reach::Answered(None), Repeatable, Next::GiveUp),
            (1, Kind::PolicyBlock, Reach::Answered(seconds(1)), Repeatable, Next::GiveUp),
            (1, Kind::Unknown, Reach::Answered(None), Repeatable, Next::GiveUp),
            (1, Kind::BadAppCredentials, Reach::Answered(None), Repeatable, Next::GiveUp),
            (1, Kind::Expired, Reach::Answered(None), Repeatable, Next::GiveUp),
            (1, Kind::MalformedResponse, Reach::Unanswered, Repeatable, Next::GiveUp),
            (1, Kind::Network, Reach::NotConnected, Minting, again(2)),
            (1, Kind::Network, Reach::Unanswered, Minting, Next::GiveUp),
            (1, Kind::GraphUnavailable, Reach::Unanswered, Minting, Next::GiveUp),
            (1, Kind::GraphUnavailable, Reach::Answered(None), Minting, again(2)),
        ] {
            assert_eq!(
                next(attempt, kind, reach, idempotence),
                expected,
                "{attempt} {kind} {reach:?} {idempotence:?}"
            );
        }
    }

    #[test]
    fn only_a_throttling_graph_names_a_wait() {
        let minute = Reach::Answered(Some(Duration::from_mins(1)));
        for (kind, reach, wait) in [
            (ProblemKind::RateLimited, minute, Some(TimeDelta::minutes(1))),
            (ProblemKind::RateLimited, Reach::Answered(None), None),
            (ProblemKind::RateLimited, Reach::Unanswered, None),
            (ProblemKind::GraphUnavailable, minute, None),
        ] {
            let failure = Failure { problem: Problem::new(kind, "it failed"), reach };
            assert_eq!(failure.wait(), wait, "{kind} {reach:?}");
        }
    }

    #[test]
    fn waits_lie_between_nothing_and_ten_seconds() {
        let problem = Problem::new(ProblemKind::Network, "it failed");
        let failure = Failure { problem, reach: Reach::NotConnected };
        let patient = Patience { attempts: u32::MAX, pause: Duration::from_secs(2) };
        let wait =
            |attempt, jitter| patient.next(attempt, &failure, Idempotence::Repeatable, jitter);
        assert_eq!(wait(1, 0), Next::Again(Duration::ZERO));
        assert_eq!(wait(1_000_000, u32::MAX), Next::Again(Duration::from_secs(10)));
        assert_eq!(wait(1, u32::MAX / 2 + 1), Next::Again(Duration::from_secs(1)));
    }
}

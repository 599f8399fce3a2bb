//! A renewal that was due and did not happen.
//!
//! It is said while there is time to find out why; and of a string whose end nobody knows it is
//! the only warning there is.

use chrono::TimeDelta;

use super::checks::{Checks, Step};
use super::clocks::throttle;
use super::{Dates, Health, humanize, is_short_lived};
use crate::token::{Action, Expiry, Generation, Ledger, Problem, Time};

/// A renewal that is due may fail for so long before that is a fault.
const MOST_DELAY: TimeDelta = TimeDelta::days(3);

/// A string of unknown end is due this long after it came, when Meta certainly renews it.
const FIRST_DAY: TimeDelta = TimeDelta::hours(24);

/// The code of what is said of a renewal that did not happen.
pub(super) const OVERDUE: &str = "refresh_overdue";

impl Checks<'_> {
    /// Says that a renewal is overdue, unless what keeps it is said already.
    pub(super) fn overdue(&mut self, current: &Generation) {
        let Some((due, delay)) = self.due_since(current) else { return };
        if self.moment.dates == Dates::Doubted || self.moment.now - due <= delay {
            return;
        }
        let ledger = self.subject.credential.map(|credential| &credential.ledger);
        let problem = ledger.and_then(|ledger| ledger.problem.as_ref());
        // What only a person can clear out of the way is said by itself.
        if problem.is_some_and(|problem| problem.action.needs_a_person()) {
            return;
        }
        let message = format!(
            "its renewal is due since {}{}",
            humanize::when(due, self.moment.now),
            self.what_happened(ledger, problem, due)
        );
        let step = self.against_delay();
        self.add(OVERDUE, Health::Warning, message, step);
    }

    /// Since when a renewal is due, and how long it may take.
    fn due_since(&self, current: &Generation) -> Option<(Time, TimeDelta)> {
        let spec = self.subject.token_type.spec();
        if !spec.is_renewable() || !self.subject.policy.auto_refresh || is_short_lived(current) {
            return None;
        }
        let window = self.subject.window(current).span;
        match current.expiry {
            Expiry::At(_) if self.subject.has_stopped_extending() => None,
            Expiry::At(end) => {
                Some(((end - window).max(current.obtained_at), MOST_DELAY.min(window / 4)))
            }
            Expiry::Unknown if spec.may_hide_the_end() => {
                Some((current.obtained_at + FIRST_DAY, MOST_DELAY))
            }
            Expiry::Unknown | Expiry::Never => None,
        }
    }

    fn what_happened(
        &self,
        ledger: Option<&Ledger>,
        problem: Option<&Problem>,
        due: Time,
    ) -> String {
        let now = self.moment.now;
        if self.subject.has_stopped_extending() {
            return ", and Meta no longer extends it".to_owned();
        }
        if let Some(until) = self.subject.throttled_until.and_then(|until| throttle(until, now)) {
            return format!(", and Meta throttles its app until {}", humanize::when(until, now));
        }
        match (problem, ledger.and_then(|ledger| ledger.last_attempt_at)) {
            (Some(problem), _) => format!(", and the last one failed: {problem}"),
            (None, Some(last)) if last > due => {
                format!("; last tried {}", humanize::when(last, now))
            }
            _ => ", and none was tried".to_owned(),
        }
    }

    fn against_delay(&self) -> Step {
        if self.subject.has_stopped_extending() {
            return self.log_in_again();
        }
        let label = self.subject.label;
        Step::new(
            Action::Retry,
            format!("run `metatoken refresh {label} -v`, and see that the timer runs"),
        )
    }
}

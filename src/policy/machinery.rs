//! Whether the machinery that keeps the tokens still runs.
//!
//! A timer that stopped is the fault that no run can report; the run rows tell it to whoever
//! looks at the store.

use chrono::TimeDelta;

use super::{Health, Reason, words};
use crate::token::{Action, Time};

/// No finished run for this long is a warning, however often runs are meant to happen.
const WARNING_AFTER: TimeDelta = TimeDelta::hours(26);
/// No finished run for this long is critical.
const CRITICAL_AFTER: TimeDelta = TimeDelta::days(3);

/// What is to be said of the last finished run; nothing where none ever finished.
pub fn judge_runs(last_finished: Option<Time>, now: Time) -> Option<Reason> {
    let last = last_finished?;
    let age = now - last;
    let severity = if age > CRITICAL_AFTER {
        Health::Critical
    } else if age > WARNING_AFTER {
        Health::Warning
    } else {
        return None;
    };
    Some(Reason {
        code: "no_recent_run",
        severity,
        message: format!("the last run finished {}", words::when(last, now)),
        remedy: "see that the timer or the cron job runs `metatoken refresh`, and run it now"
            .to_owned(),
        action: Action::FixConfiguration,
        labels: Vec::new(),
        held_by: None,
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_timer_that_stopped_is_noticed() {
        let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        for (hours, severity) in [
            (0, None),
            (26, None),
            (27, Some(Health::Warning)),
            (72, Some(Health::Warning)),
            (73, Some(Health::Critical)),
        ] {
            let last = now - TimeDelta::hours(hours);
            assert_eq!(judge_runs(Some(last), now).map(|reason| reason.severity), severity);
        }
        assert_eq!(judge_runs(None, now), None);
    }
}

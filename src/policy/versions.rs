//! Knows Graph's versions and when each ends, and judges the one that an app asks for.
//!
//! A version works until two years after the next one came out. Calls that name a dead one are
//! answered by the oldest that still works, without a word, so the operator is told in time.

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use super::{Health, Reason, humanize};
use crate::token::{Action, Label, Time};

/// The newest version that was out when this was written, and so the default.
pub const NEWEST: &str = "v26.0";

/// The end of a version is said this long before it.
const NOTICE: TimeDelta = TimeDelta::days(60);

/// When each version ends, at midnight UTC, the oldest first. The newest has no date yet.
/// Source: Meta, Graph API changelog, read on 2026-11-20.
const ENDS: [(u32, i32, u32, u32); 7] = [
    (19, 2026, 5, 21),
    (20, 2026, 9, 24),
    (21, 2027, 1, 21),
    (22, 2027, 5, 20),
    (23, 2027, 10, 8),
    (24, 2028, 2, 18),
    (25, 2028, 7, 29),
];

/// Where a version stands at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VersionState {
    /// It works, and for a while yet.
    Lives,
    EndsSoon(Time),
    /// It has ended; the time is not known of the very old ones.
    Ended(Option<Time>),
}

fn version_state(version: &str, now: Time) -> VersionState {
    let Some(major) = major(version) else { return VersionState::Lives };
    let oldest = ENDS[0].0;
    match ENDS.iter().find(|(known, ..)| *known == major) {
        None if major < oldest => VersionState::Ended(None),
        None => VersionState::Lives,
        Some((_, year, month, day)) => {
            let Some(date) = NaiveDate::from_ymd_opt(*year, *month, *day) else {
                return VersionState::Lives;
            };
            let end = date.and_time(NaiveTime::MIN).and_utc();
            match end - now {
                left if left <= TimeDelta::zero() => VersionState::Ended(Some(end)),
                left if left <= NOTICE => VersionState::EndsSoon(end),
                _ => VersionState::Lives,
            }
        }
    }
}

fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The code of what is said of an app that another version answers: known only to who asked.
pub const FALLBACK: &str = "graph_version_fallback";

/// What is to be said of the version that an app of the config asks for.
pub fn judge_version(app: &str, version: &str, labels: Vec<Label>, now: Time) -> Option<Reason> {
    let fate = match version_state(version, now) {
        VersionState::Lives => return None,
        VersionState::EndsSoon(end) => format!("which ends {}", humanize::when(end, now)),
        VersionState::Ended(Some(end)) => format!("which ended {}", humanize::when(end, now)),
        VersionState::Ended(None) => "which has ended".to_owned(),
    };
    let message = format!("app `{app}` asks for Graph {version}, {fate}");
    Some(reason("graph_version_ends", message, app, labels))
}

/// What is to be said when another version answered than the one that an app asked for.
pub fn judge_fallback(app: &str, asked: &str, answered: &str, labels: Vec<Label>) -> Reason {
    let message = format!("app `{app}` asks for Graph {asked}, and {answered} answers");
    reason(FALLBACK, message, app, labels)
}

fn reason(code: &'static str, message: String, app: &str, labels: Vec<Label>) -> Reason {
    Reason {
        code,
        severity: Health::Warning,
        message,
        remedy: format!("set `graph_version = \"{NEWEST}\"` in `[app.{app}]`, or leave it out"),
        action: Action::FixConfiguration,
        about: Some(app.to_owned()),
        labels,
        held_by: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i32, month: u32, day: u32) -> Time {
        NaiveDate::from_ymd_opt(year, month, day).unwrap().and_time(NaiveTime::MIN).and_utc()
    }

    #[test]
    fn an_end_is_announced_sixty_days_ahead() {
        let second = TimeDelta::seconds(1);
        let end = at(2027, 1, 21);
        for (version, now, expected) in [
            ("v21.0", end - NOTICE - second, VersionState::Lives),
            ("v21.0", end - NOTICE, VersionState::EndsSoon(end)),
            ("v21.0", end - second, VersionState::EndsSoon(end)),
            ("v21.0", end, VersionState::Ended(Some(end))),
            ("v19.0", end, VersionState::Ended(Some(at(2026, 5, 21)))),
            ("v2.12", end, VersionState::Ended(None)),
            (NEWEST, at(2030, 1, 1), VersionState::Lives),
            ("v99.0", end, VersionState::Lives),
            ("odd", end, VersionState::Lives),
        ] {
            assert_eq!(version_state(version, now), expected, "{version} at {now}");
        }
    }

    #[test]
    fn the_newer_one_is_named() {
        let reason = judge_version("main", "v21.0", Vec::new(), at(2026, 12, 22)).unwrap();
        assert_eq!(
            reason.message,
            "app `main` asks for Graph v21.0, which ends 2027-01-21 00:00 UTC, in 30 days"
        );
        assert_eq!(
            reason.remedy,
            "set `graph_version = \"v26.0\"` in `[app.main]`, or leave it out"
        );
        assert_eq!(judge_version("main", NEWEST, Vec::new(), at(2026, 12, 22)), None);
    }

    #[test]
    fn the_table_ends_where_the_default_begins() {
        let last = ENDS.last().map(|(major, ..)| *major);
        assert_eq!(major(NEWEST), last.map(|major| major + 1));
        assert!(ENDS.is_sorted_by_key(|(_, year, month, day)| (*year, *month, *day)));
    }
}

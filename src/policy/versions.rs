//! Knows Graph's versions and when each ends, and judges the one that an app asks for.
//!
//! A version works until two years after the next one came out. Calls that name a dead one are
//! answered by the oldest that still works, without a word, so the operator is told in time.

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use super::{Dates, Health, Moment, Reason, humanize};
use crate::token::{Label, Time, VersionAnswer, VersionCheck};

/// The version that an app asks for by default. A newer one came out on 2026-11-04; until Graph is
/// seen to answer by its name, the default stays.
pub const NEWEST: &str = "v26.0";

/// The version before it.
const BEFORE_NEWEST: &str = "v25.0";

/// The end of a version is said this long before it.
const NOTICE: TimeDelta = TimeDelta::days(60);

/// When each version ends, at midnight UTC, the oldest first: two years after the next one came out.
/// Source: Meta, Graph API changelog, read on 2026-11-28.
const ENDS: [(u32, i32, u32, u32); 8] = [
    (19, 2026, 5, 21),
    (20, 2026, 9, 24),
    (21, 2027, 1, 21),
    (22, 2027, 5, 20),
    (23, 2027, 10, 8),
    (24, 2028, 2, 18),
    (25, 2028, 7, 29),
    (26, 2028, 11, 4),
];

/// Where a version stands at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
enum VersionState {
    /// It works, and for a while yet.
    Works,
    EndsSoon(Time),
    /// It has ended; the time is not known of the very old ones.
    Ended(Option<Time>),
    /// Graph says that it has ended.
    Replaced {
        by: String,
    },
    /// Graph says that there is no such version.
    Unknown,
}

/// By what Graph said, and else by the table: so that need not be complete.
fn version_state(version: &str, check: Option<&VersionCheck>, moment: Moment) -> VersionState {
    let by_date = match moment.dates {
        Dates::Trusted => by_the_table(version, moment.now),
        Dates::Doubted => VersionState::Works,
    };
    let told = check.and_then(|check| Some((check.answer.as_ref()?, check.at)));
    match (told, by_date) {
        (Some((VersionAnswer::Works, at)), VersionState::Ended(Some(end))) if at >= end => {
            VersionState::Works
        }
        (Some((VersionAnswer::Unknown, _)), _) => VersionState::Unknown,
        // The day of its end says more than that it has ended.
        (_, VersionState::Ended(Some(end))) => VersionState::Ended(Some(end)),
        (Some((VersionAnswer::Replaced { by }, _)), _) => VersionState::Replaced { by: by.clone() },
        (Some((VersionAnswer::Works, _)) | None, by_date) => by_date,
    }
}

fn by_the_table(version: &str, now: Time) -> VersionState {
    let Some(major) = major(version) else { return VersionState::Works };
    let oldest = ENDS[0].0;
    match ENDS.iter().find(|(known, ..)| *known == major) {
        None if major < oldest => VersionState::Ended(None),
        None => VersionState::Works,
        Some((_, year, month, day)) => {
            let Some(date) = NaiveDate::from_ymd_opt(*year, *month, *day) else {
                return VersionState::Works;
            };
            let end = date.and_time(NaiveTime::MIN).and_utc();
            match end - now {
                left if left <= TimeDelta::zero() => VersionState::Ended(Some(end)),
                left if left <= NOTICE => VersionState::EndsSoon(end),
                _ => VersionState::Works,
            }
        }
    }
}

fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The version to ask for in the place of `version`: the newest that is known, or the one before it
/// where Graph does not know that.
fn another(version: &str) -> &'static str {
    if version == NEWEST { BEFORE_NEWEST } else { NEWEST }
}

/// The code of what is said of an app that another version answers: known only to who asked.
pub const FALLBACK: &str = "graph_version_fallback";

/// The version that an app of the config asks for, and what Graph said of it.
#[derive(Debug, Clone, Copy)]
pub struct AskedVersion<'a> {
    pub app: &'a str,
    pub version: &'a str,
    /// What Graph said when it was last asked.
    pub check: Option<&'a VersionCheck>,
}

/// What is to be said of the version that an app of the config asks for.
pub fn judge_version(
    asked: AskedVersion<'_>,
    labels: Vec<Label>,
    moment: Moment,
) -> Option<Reason> {
    let AskedVersion { app, version, check } = asked;
    let when = |end| humanize::when(end, moment.now);
    let state = version_state(version, check, moment);
    let is_over = matches!(
        state,
        VersionState::EndsSoon(_) | VersionState::Ended(_) | VersionState::Replaced { .. }
    );
    let fate = match state {
        VersionState::Works => return None,
        VersionState::EndsSoon(end) => format!("which expires {}", when(end)),
        VersionState::Ended(Some(end)) => format!("which expired {}", when(end)),
        VersionState::Ended(None) => "which has expired".to_owned(),
        VersionState::Replaced { by } => replaced(&by),
        VersionState::Unknown => UNKNOWN_TO_GRAPH.to_owned(),
    };
    let message = format!("app `{app}` asks for Graph {version}, {fate}");
    let reason = reason("graph_version_ends", message, asked, labels);
    if is_over && version == NEWEST {
        return Some(Reason {
            about: reason.about,
            labels: reason.labels,
            ..Reason::of_the_system(reason.code, reason.severity, reason.message, newer(app))
        });
    }
    Some(reason)
}

/// What to do when no version that is known here lives longer.
fn newer(app: &str) -> String {
    format!(
        "set `graph_version` of `[app.{app}]` to a newer version of Graph \
         (https://developers.facebook.com/docs/graph-api/changelog), or update metatoken; then run \
         `metatoken config check`"
    )
}

/// What is to be said of what Graph answered just now about the version that an app asks for.
pub fn judge_answer(app: &str, version: &str, told: &VersionAnswer) -> Option<Reason> {
    let fate = match told {
        VersionAnswer::Works => return None,
        VersionAnswer::Replaced { by } => replaced(by),
        VersionAnswer::Unknown => UNKNOWN_TO_GRAPH.to_owned(),
    };
    let message = format!("app `{app}` asks for Graph {version}, {fate}");
    let asked = AskedVersion { app, version, check: None };
    Some(reason("graph_version_ends", message, asked, Vec::new()))
}

const UNKNOWN_TO_GRAPH: &str = "which Graph does not know";

fn replaced(by: &str) -> String {
    format!("which has expired: {by} answers in its place")
}

/// What is to be said when another version answered than the one that an app asked for.
pub fn judge_fallback(app: &str, asked: &str, answered: &str, labels: Vec<Label>) -> Reason {
    let message = format!("app `{app}` asks for Graph {asked}, and {answered} answers");
    reason(FALLBACK, message, AskedVersion { app, version: asked, check: None }, labels)
}

fn reason(
    code: &'static str,
    message: String,
    asked: AskedVersion<'_>,
    labels: Vec<Label>,
) -> Reason {
    let AskedVersion { app, version, .. } = asked;
    let other = another(version);
    let or_none = if other == NEWEST { ", or leave it out" } else { "" };
    let step = format!(
        "set `graph_version = \"{other}\"` in `[app.{app}]`{or_none}; then run `metatoken config check`"
    );
    Reason {
        about: Some(app.to_owned()),
        labels,
        ..Reason::of_the_system(code, Health::Warning, message, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i32, month: u32, day: u32) -> Time {
        NaiveDate::from_ymd_opt(year, month, day).unwrap().and_time(NaiveTime::MIN).and_utc()
    }

    fn said(version: &str, answer: VersionAnswer, at: Time) -> VersionCheck {
        VersionCheck { version: version.to_owned(), at, answer: Some(answer) }
    }

    #[test]
    fn an_end_is_announced_sixty_days_ahead() {
        let second = TimeDelta::seconds(1);
        let end = at(2027, 1, 21);
        let of_the_newest = at(2028, 11, 4);
        for (version, now, expected) in [
            ("v21.0", end - NOTICE - second, VersionState::Works),
            ("v21.0", end - NOTICE, VersionState::EndsSoon(end)),
            ("v21.0", end - second, VersionState::EndsSoon(end)),
            ("v21.0", end, VersionState::Ended(Some(end))),
            ("v19.0", end, VersionState::Ended(Some(at(2026, 5, 21)))),
            ("v2.12", end, VersionState::Ended(None)),
            (NEWEST, of_the_newest - NOTICE - second, VersionState::Works),
            (NEWEST, of_the_newest - NOTICE, VersionState::EndsSoon(of_the_newest)),
            (NEWEST, of_the_newest, VersionState::Ended(Some(of_the_newest))),
            ("v99.0", end, VersionState::Works),
            ("odd", end, VersionState::Works),
        ] {
            let state = version_state(version, None, Moment::at(now));
            assert_eq!(state, expected, "{version} at {now}");
        }
    }

    #[test]
    fn graph_has_the_last_word() {
        let by = |by: &str| VersionAnswer::Replaced { by: by.to_owned() };
        let ended = at(2027, 1, 22);
        for (version, told, now, expected) in [
            // The table was wrong.
            ("v21.0", VersionAnswer::Works, ended, VersionState::Works),
            ("v25.0", VersionAnswer::Works, ended, VersionState::Works),
            ("v25.0", by("v26.0"), ended, VersionState::Replaced { by: "v26.0".to_owned() }),
            ("v27.0", by("v28.0"), ended, VersionState::Replaced { by: "v28.0".to_owned() }),
            ("v27.0", VersionAnswer::Works, ended, VersionState::Works),
            ("v27.0", VersionAnswer::Unknown, ended, VersionState::Unknown),
            (NEWEST, VersionAnswer::Unknown, ended, VersionState::Unknown),
        ] {
            let check = said(version, told, now);
            let state = version_state(version, Some(&check), Moment::at(now));
            assert_eq!(state, expected, "{check:?}");
        }
        let before = said("v21.0", VersionAnswer::Works, at(2027, 1, 20));
        assert_eq!(
            version_state("v21.0", Some(&before), Moment::at(ended)),
            VersionState::Ended(Some(at(2027, 1, 21))),
            "that it worked was said before its end"
        );
        let doubted = Moment { dates: Dates::Doubted, ..Moment::at(ended) };
        assert_eq!(version_state("v21.0", None, doubted), VersionState::Works);
    }

    #[test]
    fn another_version_is_named() {
        let judged = |version: &'static str, told: Option<VersionAnswer>, now| {
            let check = told.map(|told| said(version, told, now));
            let asked = AskedVersion { app: "main", version, check: check.as_ref() };
            judge_version(asked, Vec::new(), Moment::at(now)).map(|it| (it.message, it.remedy.step))
        };
        let now = at(2026, 12, 22);
        let then = "; then run `metatoken config check`";
        let newest =
            format!("set `graph_version = \"v26.0\"` in `[app.main]`, or leave it out{then}");
        let message =
            "app `main` asks for Graph v21.0, which expires 2027-01-21 00:00 UTC, in 30 days";
        assert_eq!(judged("v21.0", None, now), Some((message.to_owned(), newest.clone())));
        let unknown = Some(VersionAnswer::Unknown);
        let message = "app `main` asks for Graph v99.0, which Graph does not know".to_owned();
        assert_eq!(judged("v99.0", unknown.clone(), now), Some((message, newest)));
        let message = "app `main` asks for Graph v26.0, which Graph does not know".to_owned();
        let before = format!("set `graph_version = \"v25.0\"` in `[app.main]`{then}");
        assert_eq!(judged(NEWEST, unknown, now), Some((message, before)));
        assert_eq!(judged(NEWEST, None, now), None);
    }

    #[test]
    fn no_older_version_is_named_once_the_newest_ends() {
        let asked = AskedVersion { app: "main", version: NEWEST, check: None };
        let judged = judge_version(asked, Vec::new(), Moment::at(at(2099, 1, 1))).unwrap();
        assert_eq!(judged.remedy.step, newer("main"));
    }

    #[test]
    fn the_table_holds_the_default_and_the_one_before_it() {
        let majors: Vec<u32> = ENDS.iter().map(|(major, ..)| *major).collect();
        let [.., before, newest] = majors[..] else { panic!("{majors:?}") };
        assert_eq!((major(BEFORE_NEWEST), major(NEWEST)), (Some(before), Some(newest)));
        assert!(ENDS.is_sorted_by_key(|(_, year, month, day)| (*year, *month, *day)));
    }
}

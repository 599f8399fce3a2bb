//! Judges the timer, the store, the files and the channels.
//!
//! No run can report a timer that stopped, and one that runs too rarely is not noticed before a token
//! has expired; the rows of the runs tell both.

use std::path::Path;

use chrono::TimeDelta;

use super::reason::{CHANNEL_FAILS, NO_RECENT_RUN, STORE_FULL};
use super::{Health, Limits, Reason, Subject, humanize, is_short_lived};
use crate::shell::quoted;
use crate::token::{ChannelId, Expiry, Label, Time};

/// How long no run may have finished, where it is not said how often runs are meant to happen.
const USUAL: Limits = Limits { warning: TimeDelta::hours(26), critical: TimeDelta::days(3) };

/// So many runs in a row that did not finish are a warning, and so many critical.
const MISSED_RUNS: (i32, i32) = (3, 12);

/// But a timer that runs often is critical no sooner.
const SOONEST_CRITICAL: TimeDelta = TimeDelta::days(1);

/// What the run rows and the config say of the timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Runs {
    /// How often runs are meant to happen.
    pub every: Option<TimeDelta>,
    /// The narrowest `refresh_within` of a declared token.
    pub narrowest_window: Option<TimeDelta>,
    /// When the oldest known run began.
    pub first_began: Option<Time>,
    /// When the last run that did its work ended.
    pub last_finished: Option<Time>,
    /// The longest time between two such runs, lately.
    pub longest_gap: Option<TimeDelta>,
}

impl Runs {
    /// How long no run may have finished. Half of the narrowest window must be left in any case.
    fn limits(&self) -> Limits {
        let times = |every: TimeDelta, count| every.checked_mul(count).unwrap_or(TimeDelta::MAX);
        let limits = self.every.map_or(USUAL, |every| Limits {
            warning: times(every, MISSED_RUNS.0),
            critical: times(every, MISSED_RUNS.1).max(SOONEST_CRITICAL),
        });
        let most = self.narrowest_window.map_or(TimeDelta::MAX, |window| window / 2);
        Limits { warning: limits.warning.min(most), critical: limits.critical.min(most) }
    }
}

/// What is to be said of a timer whose last run is too long ago.
///
/// Without `run_every` a store without a finished run is a first try, and nothing is said.
pub fn judge_runs(runs: &Runs, now: Time) -> Option<Reason> {
    let limits = runs.limits();
    let (since, message) = match (runs.last_finished, runs.every) {
        (Some(last), _) => (Some(last), format!("no run since {}", humanize::when(last, now))),
        (None, Some(_)) => (runs.first_began, "no run has finished yet".to_owned()),
        (None, None) => return None,
    };
    let age = since.map(|since| now - since);
    let severity = if age.is_some_and(|age| age > limits.critical) {
        Health::Critical
    } else if runs.last_finished.is_none() || age.is_some_and(|age| age > limits.warning) {
        Health::Warning
    } else {
        return None;
    };
    let reason = Reason::of_the_system(NO_RECENT_RUN, severity, message, "run `metatoken refresh`");
    let remedy = reason.remedy.clone();
    let note = "Then see why the timer or the cron job does not run it";
    Some(Reason { remedy: remedy.with_note(note), ..reason })
}

/// What is to be said of a token whose window a timer may miss: one run that fails must leave time
/// for another.
pub fn judge_window(subject: &Subject<'_>, runs: &Runs) -> Option<Reason> {
    let current = subject.current()?;
    let renewed = subject.token_type.spec().is_renewable()
        && !subject.only_a_person_can_renew()
        && !is_short_lived(current)
        && current.proof.as_ref().is_none_or(|proof| proof.inspection.verdict() != Some(false))
        && matches!(current.expiry, Expiry::At(_));
    let gap = runs.longest_gap.max(runs.every)?;
    let window = subject.window(current).span;
    if !renewed || window >= gap * 2 {
        return None;
    }
    let gap = match runs.every {
        Some(every) if every == gap => format!("`run_every` is {}", humanize::duration(every)),
        _ => format!("two runs were {} apart lately", humanize::span(gap)),
    };
    let message = format!(
        "renewal window {} is too narrow: {gap}, one failed run may be the last chance",
        humanize::span(window)
    );
    let remedy = "have the timer run `metatoken refresh` hourly, or set `refresh_within` to more; then run `metatoken refresh`";
    let labels = vec![subject.label.clone()];
    Some(Reason {
        labels,
        ..Reason::of_the_system("window_too_narrow", Health::Warning, message, remedy)
    })
}

/// What is to be said of a scheduled run that ended `at` with `code` before its work was done.
pub fn judge_failed_run(at: Time, code: u64, error: &str, hints: &[&str], now: Time) -> Reason {
    let message = format!(
        "the last scheduled run failed, {}: {error} (exit code {code})",
        humanize::when(at, now)
    );
    let remedy = match hints {
        [] => "run `metatoken refresh` as the user of the timer to see the whole error".to_owned(),
        hints => format!("{}; then run `metatoken refresh`", hints.join("; ")),
    };
    Reason::of_the_system("scheduled_run_failed", Health::Critical, message, remedy)
}

/// What is to be said of a file with secrets that every user of the machine can read; `what` it is.
pub fn judge_exposure(what: &str, path: &Path) -> Reason {
    let (path, word) = (path.display(), quoted(path));
    let reason = Reason::of_the_system(
        "readable_by_others",
        Health::Warning,
        format!("{what} `{path}` can be read by every user of this machine"),
        format!("run `chmod o-r {word}`"),
    );
    Reason { about: Some(path.to_string()), ..reason }
}

/// What is to be said of a file that decides what we do or send and that another user can change;
/// `what` it is, and `severity` how much it decides.
pub fn judge_tampering(what: &str, path: &Path, tampering: Tampering, severity: Health) -> Reason {
    let (path, word) = (path.display(), quoted(path));
    let (whose, remedy) = match tampering {
        Tampering::Group => ("can be written by its group", format!("run `chmod g-w {word}`")),
        Tampering::Others => {
            ("can be written by every user of this machine", format!("run `chmod go-w {word}`"))
        }
        Tampering::Shared => (
            "is for every user of this machine, like `/tmp`",
            "move the store into a folder of its own and set `path` of `[store]` to it; then run `metatoken config check`"
                .to_owned(),
        ),
        Tampering::Owner => (
            "belongs to neither root nor the owner of the config",
            format!("check its content; then run `chown root {word}`"),
        ),
    };
    let message = format!("{what} `{path}` {whose}");
    let reason = Reason::of_the_system("writable_by_others", severity, message, remedy);
    Reason { about: Some(path.to_string()), ..reason }
}

/// Who else can change a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tampering {
    /// The members of its group.
    Group,
    /// Every user of the machine.
    Others,
    /// Every user, who may all make files there, as in `/tmp`: a folder that is so on purpose.
    Shared,
    /// Another user, who owns it.
    Owner,
}

/// What is to be said of a way to people that has failed `since`, with `error`.
pub fn judge_channel(channel: &ChannelId, since: Time, error: &str, now: Time) -> Reason {
    let reason = Reason::of_the_system(
        CHANNEL_FAILS,
        Health::Warning,
        format!("notifications to `{channel}` fail since {}: {error}", humanize::when(since, now)),
        format!(
            "correct the `[[notify]]` table of `{channel}` in the config; then run `metatoken check --notify`, which sends what was not sent"
        ),
    );
    Reason { about: Some(channel.to_string()), ..reason }
}

/// What is to be said of a store whose disk is full, `how` as far as it was measured, which holds
/// back these tokens; the urgent ones have no time left for it.
pub fn judge_fullness(store: &Path, how: &str, labels: Vec<Label>, urgent: &[Label]) -> Reason {
    let store_path = store.display();
    let in_their_last_days = match urgent {
        [] => String::new(),
        urgent => format!("; expiring within `critical_within`: {}", humanize::list(urgent)),
    };
    let message = format!(
        "the disk of `{store_path}` is full ({how}): no access token is renewed{in_their_last_days}"
    );
    let folder = store.parent().unwrap_or(Path::new(".")).display();
    let remedy =
        format!("free space on the file system of `{folder}`, then run `metatoken refresh`");
    let severity = if urgent.is_empty() { Health::Warning } else { Health::Critical };
    Reason { labels, ..Reason::of_the_system(STORE_FULL, severity, message, remedy) }
}

//! Sums up what happened in the thirty days before a page was drawn.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;

use super::parts::FactLine;
use super::timeline::is_grant;
use crate::exit::Exit;
use crate::policy::humanize;
use crate::report::history::{HistoryEntry, Tally};
use crate::token::{EventKind, Label, ProblemKind, Time, Trigger};

/// What happened in the thirty days before a page is drawn.
#[derive(Debug, Clone, Default)]
pub struct PastMonth {
    /// Every event, the oldest first.
    pub events: Vec<HistoryEntry>,
    /// Every run of `refresh`, the oldest first.
    pub runs: Vec<PastRun>,
}

/// A run of `refresh`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastRun {
    /// When it began.
    pub started: Time,
    /// When it ended; nothing if it was killed or still works.
    pub finished: Option<Time>,
    /// How it ended.
    pub exit_code: Option<u8>,
}

impl PastMonth {
    /// How far back it goes.
    pub const SPAN: TimeDelta = TimeDelta::days(30);

    /// Renewals, failures by cause, and how long it took until they were over.
    pub fn facts(&self, now: Time) -> Vec<FactLine> {
        let counted: Vec<_> = self.events.iter().map(|it| (it.event, it.trigger)).collect();
        let tally = Tally::of(counted.iter());
        let mut facts = vec![
            FactLine::new("renewals", tally.succeeded),
            FactLine::new("failed attempts", tally.failed),
            FactLine::new("success rate", tally.percent()),
        ];
        let causes = self.causes().into_iter();
        facts.extend(causes.map(|(cause, count)| FactLine::new(&cause, count)));
        facts.extend(self.cures(now));
        facts
    }

    /// How often attempts failed and tokens died, by cause, the most frequent first.
    fn causes(&self) -> Vec<(String, usize)> {
        let mut causes: BTreeMap<String, usize> = BTreeMap::new();
        for failed in self.own().filter(|it| is_failure(it.event)) {
            let kind = failed.problem.as_ref().map_or(ProblemKind::Unknown, |it| it.kind);
            let cause = match failed.event {
                EventKind::NotExtended => "failed: not extended".to_owned(),
                EventKind::Invalid => format!("down: {}", kind.as_str().replace('_', " ")),
                _ => format!("failed: {}", kind.as_str().replace('_', " ")),
            };
            *causes.entry(cause).or_default() += 1;
        }
        let mut causes: Vec<_> = causes.into_iter().collect();
        causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        causes
    }

    /// From the first failure of each token to the next good end.
    fn cures(&self, now: Time) -> Vec<FactLine> {
        let mut failing: HashMap<&Label, Time> = HashMap::new();
        let mut cured: Vec<TimeDelta> = Vec::new();
        for event in self.own() {
            let Some(label) = &event.label else { continue };
            if is_failure(event.event) {
                failing.entry(label).or_insert(event.at);
            } else if is_cure(event)
                && let Some(since) = failing.remove(label)
            {
                cured.push(event.at - since);
            }
        }
        cured.sort_unstable();
        let typical = cured.get(cured.len() / 2).copied();
        let open = failing.values().min().map(|since| {
            format!("{}, the longest for {}", failing.len(), humanize::span(now - *since))
        });
        [
            typical
                .map(|it| FactLine::new("from failure to recovery, typically", humanize::span(it))),
            cured.last().map(|it| FactLine::new("at longest", humanize::span(*it))),
            open.map(|it| FactLine::new("not over yet", it)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The events of this program: what another one did is not counted.
    fn own(&self) -> impl Iterator<Item = &HistoryEntry> {
        self.events.iter().filter(|it| it.trigger != Trigger::Imported)
    }

    /// The runs, and how many there should have been.
    pub fn runs_facts(&self, every: Option<TimeDelta>, now: Time) -> Vec<FactLine> {
        let expected = every
            .filter(|every| *every > TimeDelta::zero())
            .map(|every| Self::SPAN.num_seconds() / every.num_seconds());
        let total = match expected {
            Some(expected) => format!("{} of {expected}", self.runs.len()),
            None => self.runs.len().to_string(),
        };
        let mut facts = vec![FactLine::new("runs in 30 days", total)];
        let mut codes: BTreeMap<u8, usize> = BTreeMap::new();
        for code in self.runs.iter().filter_map(|it| it.exit_code) {
            *codes.entry(code).or_default() += 1;
        }
        facts.extend(codes.into_iter().map(|(code, count)| FactLine::new(&ended(code), count)));
        let killed = self.runs.iter().filter(|it| it.finished.is_none()).count();
        if killed > 0 {
            facts.push(FactLine::new("not finished", killed));
        }
        let last = self.runs.iter().filter_map(|it| it.finished).max();
        facts.push(FactLine::new(
            "last finished",
            last.map_or("never".to_owned(), |at| humanize::when(at, now)),
        ));
        facts
    }
}

/// How a run ended, by its exit code.
fn ended(code: u8) -> String {
    let exit = Exit::BY_WEIGHT.iter().find(|exit| exit.code() == code);
    let how = match exit {
        Some(Exit::Ok) => return "all well".to_owned(),
        Some(Exit::Failed) => "something is tried again",
        Some(Exit::Unavailable) => "network or throttling",
        Some(Exit::NotDelivered) => "not delivered",
        Some(Exit::PersonNeeded) => "a person must act",
        Some(Exit::InputRefused) => "an access token was refused",
        Some(Exit::Storage) => "store or key",
        Some(Exit::Config) => "config",
        Some(Exit::Bug) => "a bug",
        Some(Exit::Usage | Exit::Busy) | None => return format!("exit code {code}"),
    };
    format!("{how} (exit code {code})")
}

/// Whether a token fails from then on.
const fn is_failure(event: EventKind) -> bool {
    matches!(event, EventKind::RefreshFailed | EventKind::NotExtended | EventKind::Invalid)
}

/// Whether it is well again: it has another access token, or Graph calls the one it has good.
fn is_cure(event: &HistoryEntry) -> bool {
    is_grant(event.event) || (event.event == EventKind::Verified && event.problem.is_none())
}

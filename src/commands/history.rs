//! `history`: every generation and attempt, with success rate; or every run.

use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::humanize;
use crate::report::{HistoryEntry, HistoryReport, ListedRun, RunsReport};
use crate::run::declared::last_reading;
use crate::run::tokens::Tokens;
use crate::session::Session;
use crate::status;
use crate::store::{EventQuery, History, Store};
use crate::token::{EventKind, Label, Pattern, Time};
use crate::ui::OutputFormat;

/// What was asked for.
#[derive(Debug)]
pub struct HistoryOrder {
    /// The labels that were typed.
    pub patterns: Vec<Pattern>,
    /// How many events to show, the newest.
    pub limit: usize,
    /// Only since then.
    pub since: Option<Time>,
    /// Only what failed.
    pub failed: bool,
    /// Only events of these kinds; of every kind where there are none.
    pub kinds: Vec<EventKind>,
    /// Only the success rate.
    pub summary: bool,
}

/// What was asked for of the runs.
#[derive(Debug)]
pub struct RunsOrder {
    /// How many to show, the newest.
    pub limit: usize,
    /// Only those that began since then.
    pub since: Option<Time>,
    /// Only those that did not end well.
    pub failed: bool,
}

/// Shows what happened.
pub fn history(session: &Session, order: &HistoryOrder) -> Result<Exit, CliError> {
    let store = session.reader()?;
    let labels = labels(session, store.as_ref(), &order.patterns)?;
    let query = EventQuery { labels, since: order.since, ..EventQuery::default() };
    let found = store.as_ref().map_or_else(|| Ok(History::default()), |it| it.history(&query))?;
    let mut all: Vec<HistoryEntry> =
        found.events.into_iter().rev().map(status::history_entry).collect();
    // Within a run tokens are worked on side by side; by label the list is the same every time.
    // People are told when all that is done.
    all.sort_by_cached_key(|entry| {
        (entry.at, entry.run, entry.label.is_none(), entry.label.clone())
    });
    let report = HistoryReport {
        now: session.clock.now(),
        counted: all.iter().map(|entry| (entry.event, entry.trigger)).collect(),
        shown: newest(all, order),
    };
    let ui = &session.ui;
    ui.data(&match (ui.format, order.summary) {
        (OutputFormat::Json, _) => report.json(),
        (OutputFormat::Csv, _) => report.csv(),
        (_, true) => report.rates(ui.style()),
        (_, false) => report.text(ui.style()),
    })?;
    if found.unreadable == 0 {
        return Ok(Exit::Ok);
    }
    ui.note(&format!(
        "{} left out; restore a copy of the store made by `metatoken store backup`",
        humanize::count(found.unreadable, "damaged event")
    ));
    Ok(Exit::Storage)
}

/// The labels meant: of the config, or of the store, which remembers those that are gone.
fn labels(
    session: &Session,
    store: Option<&Store>,
    patterns: &[Pattern],
) -> Result<Option<Vec<Label>>, CliError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let credentials = store.map_or_else(|| Ok(Vec::new()), Store::credentials)?;
    let known: Vec<Label> = credentials.iter().map(|it| it.label.clone()).collect();
    let tokens = Tokens::new(&session.config, credentials, &last_reading(&session.config, store)?);
    let mut meant: Vec<Label> = Vec::new();
    for pattern in patterns {
        let stored: Vec<Label> =
            known.iter().filter(|label| pattern.matches(label)).cloned().collect();
        if stored.is_empty() {
            tokens.select(std::slice::from_ref(pattern))?;
        }
        meant.extend(stored);
    }
    Ok(Some(meant))
}

fn newest(mut all: Vec<HistoryEntry>, order: &HistoryOrder) -> Vec<HistoryEntry> {
    if order.summary {
        return Vec::new();
    }
    all.retain(|entry| {
        (!order.failed || EventQuery::FAILURES.contains(&entry.event))
            && (order.kinds.is_empty() || order.kinds.contains(&entry.event))
    });
    let surplus = all.len().saturating_sub(order.limit);
    all.split_off(surplus)
}

/// Lists the runs, the oldest first.
pub fn list_runs(session: &Session, order: &RunsOrder) -> Result<Exit, CliError> {
    let store = session.reader()?;
    let mut rows = store.map_or_else(|| Ok(Vec::new()), |it| it.last_runs(u32::MAX))?;
    rows.retain(|run| {
        order.since.is_none_or(|since| run.started_at >= since)
            && (!order.failed || run.exit_code != Some(Exit::Ok.code()))
    });
    rows.truncate(order.limit);
    let runs = rows.into_iter().rev().map(|run| ListedRun {
        id: run.id.0,
        command: run.command,
        trigger: run.trigger,
        started_at: run.started_at,
        finished_at: run.finished_at,
        exit_code: run.exit_code,
    });
    let report = RunsReport { now: session.clock.now(), runs: runs.collect() };
    let ui = &session.ui;
    ui.data(&match ui.format {
        OutputFormat::Json => report.json(),
        OutputFormat::Csv => report.csv(),
        _ => report.text(ui.style()),
    })?;
    Ok(Exit::Ok)
}

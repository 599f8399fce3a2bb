//! Reads what happened in the last thirty days.

use crate::report::{HistoryEntry, PastMonth, PastRun};
use crate::store::{EventQuery, Store, StoreError};
use crate::token::Time;

use super::history_entry;

/// The events and runs of the last thirty days, as far as they can be read.
pub fn past_month(store: &Store, now: Time) -> Result<PastMonth, StoreError> {
    let since = now - PastMonth::SPAN;
    let query = EventQuery { since: Some(since), ..EventQuery::default() };
    let mut events: Vec<HistoryEntry> =
        store.events(&query)?.into_iter().map(history_entry).collect();
    // As `history` has them: which worker came first is chance.
    events.sort_by(|one, other| {
        (one.at, one.run, &one.label).cmp(&(other.at, other.run, &other.label))
    });
    let runs = store.runs_since("refresh", since)?;
    let runs = runs.into_iter().map(|run| PastRun {
        started: run.started_at,
        finished: run.finished_at,
        exit_code: run.exit_code,
    });
    Ok(PastMonth { events, runs: runs.collect() })
}

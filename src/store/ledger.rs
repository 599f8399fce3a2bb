//! The ledger: what was tried to keep a token alive, and how often it failed.
//!
//! An attempt is written down before its first request. If the process dies between Meta's answer
//! and our disk, nobody can say what became of the grant, but the open attempt says that there
//! may have been one.

use rusqlite::{Connection, Row, params};

use super::columns::{self, Cells};
use super::events::Entry;
use super::fault::Fault;
use super::runs::RunId;
use super::{Result, Store};
use crate::failpoint;
use crate::token::{EventKind, GenerationId, Label, Problem, SentExchange, Time, TokenId};

/// A try that did not help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setback {
    /// The token that was tried.
    pub token: TokenId,
    /// What the history calls it; a `not_extended` is a miss, a `refresh_failed` a failure, and
    /// others leave the ledger alone.
    pub event: EventKind,
    /// The generation concerned, where there is one.
    pub generation: Option<GenerationId>,
    /// What was wrong.
    pub problem: Option<Problem>,
    /// No new try before this.
    pub not_before: Option<Time>,
}

/// An attempt that a run left open because it was cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    /// The token whose grant may be lost.
    pub token: TokenId,
    /// Its label.
    pub label: Label,
    /// The run that was cut short.
    pub run: RunId,
    /// When the attempt was written down.
    pub planned_at: Time,
}

impl Store {
    /// Announces renewals before their first request, all in one commit; does nothing for those
    /// that the run has announced already.
    pub fn plan_attempts(&self, run: RunId, tokens: &[TokenId], now: Time) -> Result<()> {
        let tokens = tokens.to_vec();
        self.write(move |connection| {
            let mut plan = connection.prepare_cached(
                "INSERT INTO attempt (run, token, planned_at) SELECT ?1, ?2, ?3
                 WHERE NOT EXISTS (SELECT 1 FROM attempt INDEXED BY open_attempt
                                   WHERE token = ?2 AND closed_at IS NULL AND run = ?1)",
            )?;
            let mut note =
                connection.prepare_cached("UPDATE token SET last_attempt_at = ?2 WHERE id = ?1")?;
            for token in tokens {
                if plan.execute((run.0, token.0, now.timestamp()))? > 0 {
                    note.execute((token.0, now.timestamp()))?;
                }
            }
            Ok(())
        })?;
        failpoint::reach("planned");
        Ok(())
    }

    /// The attempts that earlier runs left open, oldest first.
    pub fn interrupted_attempts(&self) -> Result<Vec<Interrupted>> {
        let own = self.own_run();
        self.read(move |connection| {
            let mut statement = connection.prepare(
                "SELECT a.token, t.label, a.run, a.planned_at
                 FROM attempt a JOIN token t ON t.id = a.token
                 WHERE a.closed_at IS NULL AND a.run <> ?1 ORDER BY a.id",
            )?;
            let rows = statement.query_map([own.0], |row| Ok(interrupted(row).ok()))?;
            Ok(rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Remembers what stands in the way of asking about a token or renewing it; nothing that
    /// stood before is kept. No event: nothing happened to the token.
    pub fn note_trouble(&self, token: TokenId, problem: Option<&Problem>) -> Result<()> {
        let problem = columns::problem(problem);
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE token SET problem = ?2 WHERE id = ?1 AND problem IS NOT ?2",
                )?
                .execute((token.0, problem))?;
            Ok(())
        })
    }

    /// Remembers that a renewal was sent at that time and that its answer never came.
    pub fn note_lost_answer(&self, token: TokenId, sent_at: Time) -> Result<()> {
        self.write(move |connection| {
            connection
                .prepare_cached("UPDATE token SET answer_lost_at = ?2 WHERE id = ?1")?
                .execute((token.0, sent_at.timestamp()))?;
            Ok(())
        })
    }

    /// Remembers the exchange of an access token that a person handed over, before it is sent; `None`
    /// forgets it again: it was answered.
    pub fn note_exchange_sent(&self, token: TokenId, exchange: Option<SentExchange>) -> Result<()> {
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE token SET exchange_sent_at = ?2, exchange_sent = ?3 WHERE id = ?1",
                )?
                .execute(params![
                    token.0,
                    exchange.map(|it| it.at.timestamp()),
                    exchange.as_ref().map(|it| it.of.as_bytes())
                ])?;
            Ok(())
        })
    }

    /// Closes a token's open attempts without an outcome: they were named, and nothing is due.
    pub fn close_attempts(&self, token: TokenId, now: Time) -> Result<()> {
        self.write(move |connection| Ok(close(connection, token, now)?))
    }

    /// Writes down a try that did not help, and closes its attempt.
    pub fn note_setback(&self, run: RunId, setback: Setback, now: Time) -> Result<()> {
        self.write(move |connection| Ok(setback.write(connection, run, now)?))
    }
}

fn interrupted(row: &Row<'_>) -> rusqlite::Result<Interrupted> {
    let mut cells = Cells::of(row);
    Ok(Interrupted {
        token: TokenId(cells.take()?),
        label: cells.label()?,
        run: RunId(cells.take()?),
        planned_at: cells.time()?,
    })
}

impl Setback {
    /// Event, ledger and attempt, in the caller's transaction.
    pub(super) fn write(
        &self,
        connection: &Connection,
        run: RunId,
        now: Time,
    ) -> rusqlite::Result<()> {
        let problem = self.problem.as_ref();
        Entry::new(self.token, self.event, now)
            .of(self.generation)
            .because(problem)
            .write(connection, run)?;
        let not_before = self.not_before.map(|time| time.timestamp());
        match self.event {
            EventKind::RefreshFailed => connection.execute(
                "UPDATE token SET consecutive_failures = consecutive_failures + 1,
                     problem = ?2, not_before = ?3 WHERE id = ?1",
                (self.token.0, columns::problem(problem), not_before),
            )?,
            EventKind::NotExtended => connection.execute(
                "UPDATE token SET misses = misses + 1, first_miss_at = coalesce(first_miss_at, ?2),
                     problem = ?3, not_before = ?4 WHERE id = ?1",
                (self.token.0, now.timestamp(), columns::problem(problem), not_before),
            )?,
            // Without a string in use, why there is none is all that can be said of the token.
            EventKind::AdoptionRefused => connection.execute(
                "UPDATE token SET problem = ?2 WHERE id = ?1 AND NOT EXISTS
                     (SELECT 1 FROM generation WHERE token = ?1 AND state = 'current')",
                (self.token.0, columns::problem(problem)),
            )?,
            _ => 0,
        };
        close(connection, self.token, now)
    }
}

/// Whether what happened is a renewal, or only makes old trouble moot.
fn is_renewal(event: EventKind) -> bool {
    event.counts_as() == Some(true)
}

/// A new string or a later end: the trouble is over, and the attempt with it.
pub fn succeed(
    connection: &Connection,
    token: TokenId,
    event: EventKind,
    now: Time,
) -> Result<(), Fault> {
    let refreshed_at = is_renewal(event).then_some(now.timestamp());
    let changed = connection
        .prepare_cached(
            "UPDATE token SET last_refreshed_at = coalesce(?2, last_refreshed_at),
                 consecutive_failures = 0, not_before = NULL, first_miss_at = NULL, misses = 0,
                 problem = NULL, answer_lost_at = NULL WHERE id = ?1",
        )?
        .execute((token.0, refreshed_at))?;
    if changed == 0 {
        return Err(Fault::Absent("token"));
    }
    Ok(close(connection, token, now)?)
}

/// Closes a token's attempts, those of runs that were cut short too.
pub fn close(connection: &Connection, token: TokenId, now: Time) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE attempt SET closed_at = ?2 WHERE token = ?1 AND closed_at IS NULL")?
        .execute((token.0, now.timestamp()))
        .map(drop)
}

//! When an old string is wiped.
//!
//! A string that was set aside stays sealed while somebody might want it back: the newest few,
//! and all of the last weeks. It also stays while Meta might still honour it, because what may
//! be alive must remain revocable; a string without a date is alive until an answer says that it
//! is dead. Afterwards its fingerprint alone remains, so that it is known if it ever returns.
//!
//! What a target's file held before it was replaced goes by age alone: it is there to undo a
//! delivery, and whatever strings it holds are kept or wiped in their own rows.

use chrono::TimeDelta;
use rusqlite::Connection;

use super::columns::{self, Cells};
use super::events::Entry;
use super::runs::RunId;
use super::{Result, Store, replaced};
use crate::token::{EventKind, Expiry, Generation, Time, TokenId};

/// How long strings stay that are no longer used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// How many of them in any case.
    pub generations: u32,
    /// For how long in any case, from the moment at which they were set aside.
    pub at_least: TimeDelta,
}

impl Store {
    /// Dates a run by Graph's clock, once it has heard it: it `began` so. If the host's turns out to
    /// have been ahead, now or in a run before, what it has dated later than `now` happened now.
    pub fn bring_back(&self, run: RunId, began: Time, now: Time) -> Result<()> {
        self.write(move |connection| Ok(bring_back(connection, run, began, now)?))
    }

    /// Wipes the strings of these tokens, and the files that they were delivered into, that nobody
    /// can want any more; returns how many strings.
    pub fn purge(&self, run: RunId, tokens: &[(TokenId, Keep)], now: Time) -> Result<usize> {
        let tokens = tokens.to_vec();
        self.write(move |connection| {
            let mut wiped = 0;
            for (token, keep) in tokens {
                wiped += purge(connection, run, token, keep, now)?;
                replaced::forget(connection, token, now - keep.at_least)?;
            }
            Ok(wiped)
        })
    }
}

/// What is dated by the host's clock, and becomes the present when it turns out to lie ahead.
const DATED: &[(&str, &[&str])] = &[
    ("run", &["started_at", "finished_at"]),
    (
        "token",
        &["unlisted_since", "retired_at", "last_refreshed_at", "last_attempt_at", "first_miss_at"],
    ),
    ("generation", &["obtained_at", "set_aside_at"]),
    ("proof", &["at"]),
    ("attempt", &["planned_at", "closed_at"]),
    ("event", &["at"]),
    ("delivery", &["owed_since", "settled_at", "failed_at", "drifted_since"]),
    ("replaced", &["at"]),
    ("notice", &["told_at"]),
    ("channel", &["failed_at"]),
];

fn bring_back(connection: &Connection, run: RunId, began: Time, now: Time) -> rusqlite::Result<()> {
    let (began, now) = (began.timestamp(), now.timestamp());
    let ahead = |table: &str, column: &str| -> rusqlite::Result<bool> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE {column} > ?1)");
        connection.prepare(&sql)?.query_row([now], |row| row.get(0))
    };
    let started: i64 =
        connection
            .query_row("SELECT started_at FROM run WHERE id = ?1", [run.0], |row| row.get(0))?;
    // What a run has written before it heard Graph is dated like its own beginning; so are the rows
    // of one that never heard it.
    if started == began && !ahead("run", "started_at")? && !ahead("run", "finished_at")? {
        return Ok(());
    }
    connection.execute("UPDATE run SET started_at = ?2 WHERE id = ?1", (run.0, began))?;
    for (table, columns) in DATED {
        for column in *columns {
            let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {column} > ?1");
            connection.execute(&sql, [now])?;
        }
    }
    Ok(())
}

fn purge(
    connection: &Connection,
    run: RunId,
    token: TokenId,
    keep: Keep,
    now: Time,
) -> rusqlite::Result<usize> {
    let gone: Vec<Generation> = set_aside(connection, token)?
        .into_iter()
        .skip(usize::try_from(keep.generations).unwrap_or(usize::MAX))
        .filter(|(_, since)| now.signed_duration_since(*since) >= keep.at_least)
        .map(|(generation, _)| generation)
        .filter(|generation| !may_live(generation, now))
        .collect();
    for generation in &gone {
        connection.execute(
            "UPDATE generation SET state = 'purged', sealed = NULL WHERE id = ?1",
            [generation.id.0],
        )?;
        Entry::new(token, EventKind::Purged, now).of(Some(generation.id)).write(connection, run)?;
    }
    Ok(gone.len())
}

/// Whether Meta might still honour the string.
fn may_live(generation: &Generation, now: Time) -> bool {
    let dead = generation.proof.as_ref().is_some_and(|proof| proof.inspection.valid == Some(false));
    !dead
        && match generation.expiry {
            Expiry::At(_) => !generation.expiry.has_passed(now),
            Expiry::Never | Expiry::Unknown => true,
        }
}

/// The sealed strings that are no longer used and since when, the last set aside first. What cannot
/// be read is not wiped.
fn set_aside(connection: &Connection, token: TokenId) -> rusqlite::Result<Vec<(Generation, Time)>> {
    let sql = format!(
        "SELECT {}, coalesce(g.set_aside_at, g.obtained_at)
         FROM generation g LEFT JOIN proof p ON p.generation = g.id
         WHERE g.token = ?1 AND g.state IN ('previous', 'refused')
         ORDER BY g.set_aside_at DESC, g.number DESC",
        columns::GENERATION
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([token.0], |row| {
        let mut cells = Cells::of(row);
        let read = cells.generation().and_then(|generation| Ok((generation, cells.time()?)));
        Ok(read.ok())
    })?;
    rows.filter_map(Result::transpose).collect()
}

//! Wipes old access tokens.
//!
//! An access token that was set aside stays sealed while it might be wanted back: the newest
//! few, and all of the last weeks. It also stays while Meta might still honour it, because what may
//! be alive must remain revocable; one without a date is alive until an answer says that it is
//! dead. Afterwards its fingerprint alone remains, so that it is recognised if it ever returns.
//!
//! What a target's file held before it was replaced goes by age alone: it is there to undo a
//! delivery, and whatever access tokens it holds are kept or wiped in their own rows.

use chrono::TimeDelta;

use super::columns;
use super::events::NewEvent;
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, values};
use super::{Result, Store, target_backups};
use crate::token::{EventKind, Expiry, Generation, GenerationState, Time, TokenId};

/// How long access tokens stay that are no longer used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How many of them in any case.
    pub generations: u32,
    /// For how long in any case, from the moment at which they were set aside.
    pub at_least: TimeDelta,
}

impl Store {
    /// Dates a run by Graph's clock, once it has heard it: it `began` so. If the host's turns out to
    /// have been ahead, now or in a run before, what it has dated later than `now` happened now.
    pub fn bring_back(&self, run: RunId, began: Time, now: Time) -> Result<()> {
        self.write_at(now, move |tx| bring_back(tx, run, began))
    }

    /// Wipes the access tokens of these tokens whose time is over, and the files that they were
    /// delivered into; returns how many access tokens.
    pub fn purge(&self, run: RunId, tokens: &[(TokenId, Retention)], now: Time) -> Result<usize> {
        let tokens = tokens.to_vec();
        self.write_at(now, move |tx| {
            let mut wiped = 0;
            for (token, keep) in tokens {
                wiped += purge(tx, run, token, keep)?;
                let before = tx.now() - keep.at_least;
                target_backups::forget(tx, token, before)?;
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
        &[
            "unlisted_since",
            "retired_at",
            "last_refreshed_at",
            "last_attempt_at",
            "first_miss_at",
            "undeclared_since",
            "probe_at",
        ],
    ),
    (
        "generation",
        &["obtained_at", "set_aside_at", "rotated_at", "forgotten_at", "left_at", "dead_at"],
    ),
    ("proof", &["at"]),
    ("attempt", &["planned_at", "closed_at"]),
    ("event", &["at"]),
    ("delivery", &["owed_since", "settled_at", "failed_at", "drifted_since"]),
    ("replaced", &["at"]),
    ("notice", &["told_at"]),
    ("channel", &["failed_at"]),
    ("graph_version", &["at"]),
];

fn bring_back(tx: &mut dyn Tx, run: RunId, began: Time) -> Result<(), TxError> {
    let now = tx.now();
    let started = tx
        .first("SELECT started_at FROM run WHERE id = ?1", values![run], |mut row| {
            row.integer("run.started_at")
        })?
        .ok_or(TxError::Absent("run"))?;
    // What a run has written before it heard Graph is dated like its own beginning; so are the rows
    // of one that never heard it.
    let is_ahead = tx.has_row(
        "SELECT 1 FROM run WHERE started_at > ?1 OR finished_at > ?1 LIMIT 1",
        values![now],
    )?;
    if started == began.timestamp() && !is_ahead {
        return Ok(());
    }
    tx.execute("UPDATE run SET started_at = ?2 WHERE id = ?1", values![run, began])?;
    for (table, columns) in DATED {
        for column in *columns {
            let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {column} > ?1");
            tx.execute(&sql, values![now])?;
        }
    }
    Ok(())
}

fn purge(tx: &mut dyn Tx, run: RunId, token: TokenId, keep: Retention) -> Result<usize, TxError> {
    let now = tx.now();
    let gone: Vec<Generation> = set_aside(tx, token)?
        .into_iter()
        .skip(usize::try_from(keep.generations).unwrap_or(usize::MAX))
        .filter(|(_, since)| now.signed_duration_since(*since) >= keep.at_least)
        .map(|(generation, _)| generation)
        .filter(|generation| !may_live(generation, now))
        .collect();
    for generation in &gone {
        tx.execute(
            "UPDATE generation SET state = ?2, sealed = NULL WHERE id = ?1",
            values![generation.id, GenerationState::Purged.as_str()],
        )?;
        NewEvent::new(token, EventKind::Purged, now).of(Some(generation.id)).write(tx, run)?;
    }
    Ok(gone.len())
}

/// Whether Meta might still honour the access token.
fn may_live(generation: &Generation, now: Time) -> bool {
    let dead =
        generation.proof.as_ref().is_some_and(|proof| proof.inspection.verdict() == Some(false));
    !dead
        && match generation.expiry {
            Expiry::At(_) => !generation.expiry.has_passed(now),
            Expiry::Never | Expiry::Unknown => true,
        }
}

/// The sealed generations that are no longer used and since when, the last set aside first. What
/// cannot be read is not wiped.
fn set_aside(tx: &mut dyn Tx, token: TokenId) -> Result<Vec<(Generation, Time)>, TxError> {
    let sql = format!(
        "SELECT {}, coalesce(g.set_aside_at, g.obtained_at) AS set_aside_at
         FROM generation g LEFT JOIN proof p ON p.generation = g.id
         WHERE g.token = ?1 AND g.state IN ('previous', 'refused')
         ORDER BY g.set_aside_at IS NULL, g.set_aside_at DESC, g.number DESC",
        columns::GENERATION
    );
    tx.undamaged(&sql, values![token], |mut row| {
        Ok((row.generation()?, row.at(columns::GENERATION_CELLS).time("generation.set_aside_at")?))
    })
}

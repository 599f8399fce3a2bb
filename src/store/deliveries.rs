//! Keeps which generation is pending for which target, and which it got last.
//!
//! A pending delivery is written in the transaction that promotes a generation, so that a kill
//! between the promotion and the last target leaves rows that say what is left to do. Settling them
//! asks Meta for nothing. A row outlives its target's place in the config: one that comes back is
//! still to get what it missed.

use std::collections::HashMap;

use std::ops::ControlFlow;

use chrono::TimeDelta;

use super::events::NewEvent;
use super::generations::find;
use super::row::{BadCell, Row};
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, SqlValue, values};
use super::{Result, Store};
use crate::failpoint;
use crate::token::{Delivery, EventKind, GenerationId, Problem, TargetId, Time, TokenId};

/// How long an unchanged failure is not recorded again.
const QUIET: TimeDelta = TimeDelta::days(1);

/// A target that has got a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The token.
    pub token: TokenId,
    /// The target.
    pub target: TargetId,
    /// The generation that it has now.
    pub generation: GenerationId,
}

/// A target that did not get its pending delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFailure {
    /// The token.
    pub token: TokenId,
    /// The target.
    pub target: TargetId,
    /// Why; what comes from a program's output is redacted first.
    pub problem: Problem,
}

impl Store {
    /// Makes the current access token pending for those of a token's targets that neither have it
    /// nor wait for it, such as one that is new in the config; does nothing if there is none.
    pub fn set_pending(&self, token: TokenId, targets: &[TargetId], now: Time) -> Result<()> {
        let targets = targets.to_vec();
        self.write_at(now, move |tx| {
            let current = find(
                tx,
                "g.token = ?1 AND g.state = 'current' AND g.broken_since IS NULL",
                values![token],
            )?;
            let Some(current) = current else { return Ok(()) };
            let mut behind = Vec::new();
            for target in targets {
                if headed_for(tx, token, &target)? != Some(current.id) {
                    behind.push(target);
                }
            }
            set_pending(tx, token, current.id, &behind)
        })
    }

    /// Records that a target has got a generation, with its event.
    ///
    /// An earlier failure, drift or half-written file is over with it. A generation that was
    /// promoted meanwhile stays pending.
    pub fn settle(&self, run: RunId, settlement: Settlement, now: Time) -> Result<()> {
        self.write_at(now, move |tx| settle(tx, run, &settlement))?;
        failpoint::reach("settled");
        Ok(())
    }

    /// Records that a target did not get its pending delivery, which stays pending; for a target
    /// that had got it, it is pending again: the target has lost it.
    ///
    /// The history records it when the sentence is another than last time, or a day after it was
    /// recorded last: a run every hour must not bury it.
    pub fn note_delivery_failure(
        &self,
        run: RunId,
        failure: DeliveryFailure,
        now: Time,
    ) -> Result<()> {
        self.write_at(now, move |tx| fail(tx, run, &failure))
    }

    /// Records since when a target holds an unknown access token, or that it no longer does. The
    /// first time stays, and an older failure is over; a target to which nothing was ever delivered
    /// cannot drift.
    pub fn note_drift(&self, token: TokenId, target: &TargetId, since: Option<Time>) -> Result<()> {
        let target = target.clone();
        self.write(move |tx| drift(tx, token, &target, since))
    }
}

/// Records since when a target has drifted, in the caller's transaction.
pub fn drift(
    tx: &mut dyn Tx,
    token: TokenId,
    target: &TargetId,
    since: Option<Time>,
) -> Result<(), TxError> {
    let sql = match since {
        Some(_) => {
            "UPDATE delivery SET drifted_since = coalesce(drifted_since, ?3), error = NULL,
                 failed_at = NULL
             WHERE token = ?1 AND target = ?2 AND (drifted_since IS NULL OR error IS NOT NULL)"
        }
        None => {
            "UPDATE delivery SET drifted_since = ?3
             WHERE token = ?1 AND target = ?2 AND drifted_since IS NOT NULL"
        }
    };
    tx.execute(sql, values![token, target.as_str(), since])
}

/// Makes a generation pending again for a target that had it and may be about to lose it, in the
/// caller's transaction. A delivery that is pending already stays as it is.
pub fn set_pending_again(
    tx: &mut dyn Tx,
    token: TokenId,
    target: &TargetId,
    generation: GenerationId,
) -> Result<(), TxError> {
    let now = tx.now();
    tx.execute(
        "UPDATE delivery SET owed = ?3, owed_since = ?4
         WHERE token = ?1 AND target = ?2 AND owed IS NULL",
        values![token, target.as_str(), generation, now],
    )
}

/// Makes a generation pending for these targets, in the caller's transaction.
///
/// A target that waits already waits for the newer one, and since as long. An error that is left
/// over from when nothing was pending says nothing of this delivery.
pub fn set_pending(
    tx: &mut dyn Tx,
    token: TokenId,
    generation: GenerationId,
    targets: &[TargetId],
) -> Result<(), TxError> {
    let now = tx.now();
    for target in targets {
        tx.execute(
            "INSERT INTO delivery (token, target, owed, owed_since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (token, target) DO UPDATE SET
                 owed = excluded.owed,
                 owed_since = coalesce(delivery.owed_since, excluded.owed_since),
                 error = CASE WHEN delivery.owed IS NULL THEN NULL ELSE delivery.error END,
                 failed_at = CASE WHEN delivery.owed IS NULL THEN NULL
                                  ELSE delivery.failed_at END",
            values![token, target.as_str(), generation, now],
        )?;
    }
    Ok(())
}

/// The columns of a delivery `d`, in the order of [`delivery`].
const COLUMNS: &str = "d.target, d.owed, d.owed_since, d.settled, d.settled_at, d.error, \
    d.failed_at, d.drifted_since, \
    (SELECT begun_at FROM overwrite o WHERE o.token = d.token AND o.target = d.target) AS begun_at";

/// Returns the deliveries of a token, or of all, by target; nothing for a row that cannot be read.
pub fn all(
    tx: &mut dyn Tx,
    token: Option<TokenId>,
) -> Result<HashMap<TokenId, Vec<Option<Delivery>>>, TxError> {
    let whose = if token.is_some() { "d.token = ?1" } else { "TRUE" };
    let sql =
        format!("SELECT d.token, {COLUMNS} FROM delivery d WHERE {whose} ORDER BY token, target");
    let mut all: HashMap<TokenId, Vec<Option<Delivery>>> = HashMap::new();
    tx.rows(&sql, token.map(SqlValue::from).as_slice(), &mut |mut row| {
        let token = row.token("delivery.token")?;
        all.entry(token).or_default().push(delivery(row).ok());
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(all)
}

fn delivery(mut row: Row<'_>) -> Result<Delivery, BadCell> {
    let delivery = Delivery {
        target: row.target("delivery.target")?,
        pending: row.maybe_generation("delivery.owed")?,
        pending_since: row.maybe_time("delivery.owed_since")?,
        settled: row.maybe_generation("delivery.settled")?,
        settled_at: row.maybe_time("delivery.settled_at")?,
        error: row.prose("delivery.error")?,
        failed_at: row.maybe_time("delivery.failed_at")?,
        drifted_since: row.maybe_time("delivery.drifted_since")?,
        half_written_since: row.maybe_time("overwrite.begun_at")?,
    };
    // A row that breaks what the table promises could not be written any more.
    for (column, is_whole) in [
        ("delivery.owed", delivery.pending.is_some() == delivery.pending_since.is_some()),
        ("delivery.settled", delivery.settled.is_some() == delivery.settled_at.is_some()),
        ("delivery.error", delivery.error.is_some() == delivery.failed_at.is_some()),
    ] {
        if !is_whole {
            return Err(BadCell::new(column, "pair"));
        }
    }
    Ok(delivery)
}

/// Writes those rows of a token's targets anew that cannot be read: each waits for what its token
/// has, and counts as having had it, so that nothing in a file is replaced that the token never had.
pub fn repair(tx: &mut dyn Tx, token: TokenId) -> Result<(), TxError> {
    let mut damaged: Vec<Vec<u8>> = Vec::new();
    let sql = format!("SELECT {COLUMNS} FROM delivery d WHERE d.token = ?1");
    tx.rows(&sql, values![token], &mut |row| {
        if delivery(row).is_err() {
            let target = row.at(0).maybe_raw_text("delivery.target")?;
            damaged.push(target.unwrap_or_default().to_vec());
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let newest = tx.first(
        "SELECT id FROM generation WHERE token = ?1
         ORDER BY CASE WHEN state = 'current' THEN 0 ELSE 1 END, number DESC LIMIT 1",
        values![token],
        |mut row| row.integer("generation.id"),
    )?;
    let since = newest.map(|_| tx.now());
    for target in damaged {
        tx.execute(
            "UPDATE delivery SET owed = ?3, settled = ?3, owed_since = ?4, settled_at = ?4,
                 error = NULL, failed_at = NULL, drifted_since = NULL
             WHERE token = ?1 AND target = ?2",
            &[token.into(), SqlValue::Text(&target), newest.into(), since.into()],
        )?;
        // A name that cannot be read is not a target's; the row stays, under a name that can.
        if std::str::from_utf8(&target).is_err() {
            let name = format!("damaged {}", crate::crypto::hex(&target).to_uppercase());
            tx.execute(
                "UPDATE delivery SET target = ?3 WHERE token = ?1 AND target = ?2 AND NOT EXISTS
                     (SELECT 1 FROM delivery d WHERE d.token = ?1 AND d.target = ?3)",
                &[token.into(), SqlValue::Text(&target), SqlValue::from(&name)],
            )?;
        }
    }
    Ok(())
}

/// The generation that a target has, or will have when it is settled.
fn headed_for(
    tx: &mut dyn Tx,
    token: TokenId,
    target: &TargetId,
) -> Result<Option<GenerationId>, TxError> {
    let found = tx.first(
        "SELECT coalesce(owed, settled) AS owed FROM delivery WHERE token = ?1 AND target = ?2",
        values![token, target.as_str()],
        |mut row| row.maybe_generation("delivery.owed"),
    )?;
    Ok(found.flatten())
}

fn settle(tx: &mut dyn Tx, run: RunId, settlement: &Settlement) -> Result<(), TxError> {
    let Settlement { token, target, generation } = settlement;
    find(tx, "g.id = ?1 AND g.token = ?2", values![*generation, *token])?
        .ok_or(TxError::Absent("generation"))?;
    let now = tx.now();
    tx.execute(
        "INSERT INTO delivery (token, target, settled, settled_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (token, target) DO UPDATE SET
             settled = excluded.settled,
             settled_at = excluded.settled_at,
             owed = nullif(delivery.owed, excluded.settled),
             owed_since = CASE WHEN delivery.owed = excluded.settled THEN NULL
                               ELSE delivery.owed_since END,
             error = NULL, failed_at = NULL, drifted_since = NULL",
        values![*token, target.as_str(), *generation, now],
    )?;
    end_overwrite(tx, *token, target)?;
    NewEvent::new(*token, EventKind::Delivered, now).of(Some(*generation)).to(target).write(tx, run)
}

/// Forgets the write that was begun into a target's file: the file is whole.
pub fn end_overwrite(tx: &mut dyn Tx, token: TokenId, target: &TargetId) -> Result<(), TxError> {
    tx.execute(
        "DELETE FROM overwrite WHERE token = ?1 AND target = ?2",
        values![token, target.as_str()],
    )
}

fn fail(tx: &mut dyn Tx, run: RunId, failure: &DeliveryFailure) -> Result<(), TxError> {
    let DeliveryFailure { token, target, problem } = failure;
    let is_news = !was_recorded_lately(tx, failure)?;
    let now = tx.now();
    let pending = tx.first(
        "INSERT INTO delivery (token, target, error, failed_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (token, target) DO UPDATE SET
             error = excluded.error,
             failed_at = excluded.failed_at,
             owed = coalesce(delivery.owed, delivery.settled),
             owed_since = coalesce(delivery.owed_since,
                 CASE WHEN delivery.settled IS NULL THEN NULL ELSE excluded.failed_at END)
         RETURNING owed",
        values![*token, target.as_str(), &problem.message, now],
        |mut row| row.maybe_generation("delivery.owed"),
    )?;
    if is_news {
        NewEvent::new(*token, EventKind::DeliveryFailed, now)
            .of(pending.flatten())
            .to(target)
            .because(Some(problem))
            .write(tx, run)?;
    }
    Ok(())
}

/// Whether the history has this failure already: it stands with the same sentence, and was recorded
/// less than a day ago.
fn was_recorded_lately(tx: &mut dyn Tx, failure: &DeliveryFailure) -> Result<bool, TxError> {
    let DeliveryFailure { token, target, problem } = failure;
    let stands = tx.has_row(
        "SELECT 1 FROM delivery WHERE token = ?1 AND target = ?2 AND error = ?3",
        values![*token, target.as_str(), &problem.message],
    )?;
    let now = tx.now();
    Ok(stands
        && tx.has_row(
            "SELECT 1 FROM event WHERE token = ?1 AND at > ?2 AND at <= ?3 AND kind = ?4
                 AND target = ?5 LIMIT 1",
            values![*token, now - QUIET, now, EventKind::DeliveryFailed.as_str(), target.as_str()],
        )?)
}

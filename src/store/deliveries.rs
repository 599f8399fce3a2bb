//! Deliveries: which target is owed which generation, and which it got last.
//!
//! A debt is written in the transaction that promotes a generation, so that a kill between the
//! promotion and the last target leaves rows that say what is left to do. Whoever settles them
//! needs to ask Meta for nothing. A row outlives its target's place in the config: one that comes
//! back is owed what it missed.

use std::collections::HashMap;

use chrono::TimeDelta;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::columns::Cells;
use super::events::Entry;
use super::fault::Fault;
use super::generations::find;
use super::runs::RunId;
use super::{Result, Store, overwrites};
use crate::failpoint;
use crate::token::{Delivery, EventKind, GenerationId, Problem, TargetId, Time, TokenId};

/// How long an unchanged failure is not told again.
const QUIET: TimeDelta = TimeDelta::days(1);

/// A target that has got a generation's string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The token.
    pub token: TokenId,
    /// The target.
    pub target: TargetId,
    /// The generation that it has now.
    pub generation: GenerationId,
}

/// A target that did not get what it is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFailure {
    /// The token.
    pub token: TokenId,
    /// The target.
    pub target: TargetId,
    /// Why; whoever builds it from a program's output redacts that first.
    pub problem: Problem,
}

impl Store {
    /// Owes the current string to those of a token's targets that neither have it nor are owed it,
    /// such as one that is new in the config; does nothing if there is no current string.
    pub fn owe(&self, token: TokenId, targets: &[TargetId], now: Time) -> Result<()> {
        let targets = targets.to_vec();
        self.write(move |connection| {
            let current = find(
                connection,
                "g.token = ?1 AND g.state = 'current' AND g.broken_since IS NULL",
                [token.0],
            )?;
            let Some(current) = current else { return Ok(()) };
            let mut behind = Vec::new();
            for target in targets {
                if headed_for(connection, token, &target)? != Some(current.id) {
                    behind.push(target);
                }
            }
            Ok(owe(connection, token, current.id, &behind, now)?)
        })
    }

    /// Writes down that a target has got a string, with its event.
    ///
    /// What failed before, what had drifted and what was half-written is over. A generation that was promoted meanwhile
    /// stays owed.
    pub fn settle(&self, run: RunId, settlement: Settlement, now: Time) -> Result<()> {
        self.write(move |connection| settle(connection, run, &settlement, now))?;
        failpoint::reach("settled");
        Ok(())
    }

    /// Writes down that a target did not get its string; what it is owed stays owed, and one that
    /// had got it is owed it again: it has lost it.
    ///
    /// The history is told when the sentence is another than last time, or a day after it was told
    /// last: a run every hour must not bury it.
    pub fn note_delivery_failure(
        &self,
        run: RunId,
        failure: DeliveryFailure,
        now: Time,
    ) -> Result<()> {
        self.write(move |connection| Ok(fail(connection, run, &failure, now)?))
    }

    /// Remembers since when a target holds a string that is none of ours, or that it no longer
    /// does. The first time stays, and an older failure is over; a target to which nothing was ever
    /// delivered cannot drift.
    pub fn note_drift(&self, token: TokenId, target: &TargetId, since: Option<Time>) -> Result<()> {
        let target = target.clone();
        self.write(move |connection| Ok(drift(connection, token, &target, since)?))
    }
}

/// Remembers since when a target has drifted, in the caller's transaction.
pub fn drift(
    connection: &Connection,
    token: TokenId,
    target: &TargetId,
    since: Option<Time>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE delivery SET
                 drifted_since = iif(?3 IS NULL, NULL, coalesce(drifted_since, ?3)),
                 error = iif(?3 IS NULL, error, NULL),
                 failed_at = iif(?3 IS NULL, failed_at, NULL)
             WHERE token = ?1 AND target = ?2
             AND ((drifted_since IS NULL) <> (?3 IS NULL) OR (?3 IS NOT NULL AND error IS NOT NULL))",
        )?
        .execute((token.0, target.as_str(), since.map(|since| since.timestamp())))
        .map(drop)
}

/// Owes a generation to a target that had it and may be about to lose it, in the caller's
/// transaction. Who waits already waits for what it waits for.
pub fn owe_again(
    connection: &Connection,
    token: TokenId,
    target: &TargetId,
    generation: GenerationId,
    now: Time,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE delivery SET owed = ?3, owed_since = ?4
             WHERE token = ?1 AND target = ?2 AND owed IS NULL",
        )?
        .execute((token.0, target.as_str(), generation.0, now.timestamp()))
        .map(drop)
}

/// Owes a generation to these targets, in the caller's transaction.
///
/// Who waits already waits for the newer one, and since as long. An error that is left over from
/// when nothing was owed says nothing of this debt.
pub fn owe(
    connection: &Connection,
    token: TokenId,
    generation: GenerationId,
    targets: &[TargetId],
    now: Time,
) -> rusqlite::Result<()> {
    let mut owe = connection.prepare_cached(
        "INSERT INTO delivery (token, target, owed, owed_since) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (token, target) DO UPDATE SET
             owed = excluded.owed,
             owed_since = coalesce(owed_since, excluded.owed_since),
             error = iif(owed IS NULL, NULL, error),
             failed_at = iif(owed IS NULL, NULL, failed_at)",
    )?;
    for target in targets {
        owe.execute((token.0, target.as_str(), generation.0, now.timestamp()))?;
    }
    Ok(())
}

/// The deliveries of the tokens of which `whose` holds, by target; nothing for a row that cannot be
/// read.
pub fn all(
    connection: &Connection,
    whose: &str,
    parameter: &impl ToSql,
) -> rusqlite::Result<HashMap<TokenId, Vec<Option<Delivery>>>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT token, target, owed, owed_since, settled, settled_at, error, failed_at, drifted_since,
             (SELECT begun_at FROM overwrite o
              WHERE o.token = delivery.token AND o.target = delivery.target)
         FROM delivery WHERE {whose} ORDER BY token, target"
    ))?;
    let mut all: HashMap<TokenId, Vec<Option<Delivery>>> = HashMap::new();
    let mut rows = statement.query([parameter])?;
    while let Some(row) = rows.next()? {
        all.entry(TokenId(row.get(0)?)).or_default().push(delivery(row).ok());
    }
    Ok(all)
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let mut cells = Cells::from(row, 1);
    let delivery = Delivery {
        target: TargetId::new(cells.take::<String>()?),
        owed: cells.take::<Option<i64>>()?.map(GenerationId),
        owed_since: cells.maybe_time()?,
        settled: cells.take::<Option<i64>>()?.map(GenerationId),
        settled_at: cells.maybe_time()?,
        error: cells.prose()?,
        failed_at: cells.maybe_time()?,
        drifted_since: cells.maybe_time()?,
        half_written_since: cells.maybe_time()?,
    };
    // A row that breaks what the table promises could not be written any more.
    let whole = delivery.owed.is_some() == delivery.owed_since.is_some()
        && delivery.settled.is_some() == delivery.settled_at.is_some()
        && delivery.error.is_some() == delivery.failed_at.is_some();
    if whole { Ok(delivery) } else { Err(cells.unexpected("half of a pair")) }
}

/// Writes those rows of a token's targets anew that cannot be read: each is owed what its token has,
/// and supposed to have had it, so that nothing in a file is replaced that the token never had.
pub fn repair(connection: &Connection, token: TokenId, now: Time) -> Result<(), Fault> {
    let mut statement = connection.prepare(
        "SELECT token, target, owed, owed_since, settled, settled_at, error, failed_at,
                drifted_since, CAST(target AS BLOB)
         FROM delivery WHERE token = ?1",
    )?;
    let mut rows = statement.query([token.0])?;
    let mut damaged: Vec<Vec<u8>> = Vec::new();
    while let Some(row) = rows.next()? {
        if delivery(row).is_err() {
            damaged.push(row.get(9)?);
        }
    }
    for target in damaged {
        connection.execute(
            "UPDATE delivery SET owed = g.id, settled = g.id,
                 owed_since = iif(g.id IS NULL, NULL, ?3), settled_at = iif(g.id IS NULL, NULL, ?3),
                 error = NULL, failed_at = NULL, drifted_since = NULL
             FROM (SELECT (SELECT id FROM generation WHERE token = ?1
                           ORDER BY state = 'current' DESC, number DESC LIMIT 1) AS id) g
             WHERE token = ?1 AND CAST(target AS BLOB) = ?2",
            (token.0, &target, now.timestamp()),
        )?;
        // Whose name cannot be read is nobody's; the row stays, under a name that can.
        if std::str::from_utf8(&target).is_err() {
            connection.execute(
                "UPDATE OR IGNORE delivery SET target = 'damaged ' || hex(target)
                 WHERE token = ?1 AND CAST(target AS BLOB) = ?2",
                (token.0, &target),
            )?;
        }
    }
    Ok(())
}

/// The generation that a target has, or will have when it is settled.
fn headed_for(
    connection: &Connection,
    token: TokenId,
    target: &TargetId,
) -> rusqlite::Result<Option<GenerationId>> {
    let found = connection
        .prepare_cached(
            "SELECT coalesce(owed, settled) FROM delivery WHERE token = ?1 AND target = ?2",
        )?
        .query_row((token.0, target.as_str()), |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(found.flatten().map(GenerationId))
}

fn settle(
    connection: &Connection,
    run: RunId,
    settlement: &Settlement,
    now: Time,
) -> Result<(), Fault> {
    let Settlement { token, target, generation } = settlement;
    find(connection, "g.id = ?1 AND g.token = ?2", (generation.0, token.0))?
        .ok_or(Fault::Absent("generation"))?;
    connection
        .prepare_cached(
            "INSERT INTO delivery (token, target, settled, settled_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (token, target) DO UPDATE SET
                 settled = excluded.settled,
                 settled_at = excluded.settled_at,
                 owed = nullif(owed, excluded.settled),
                 owed_since = iif(owed = excluded.settled, NULL, owed_since),
                 error = NULL, failed_at = NULL, drifted_since = NULL",
        )?
        .execute((token.0, target.as_str(), generation.0, now.timestamp()))?;
    overwrites::end(connection, *token, target)?;
    Entry::new(*token, EventKind::Delivered, now)
        .of(Some(*generation))
        .to(target)
        .write(connection, run)?;
    Ok(())
}

fn fail(
    connection: &Connection,
    run: RunId,
    failure: &DeliveryFailure,
    now: Time,
) -> rusqlite::Result<()> {
    let DeliveryFailure { token, target, problem } = failure;
    let news = !told_lately(connection, failure, now)?;
    let owed: Option<i64> = connection
        .prepare_cached(
            "INSERT INTO delivery (token, target, error, failed_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (token, target) DO UPDATE SET
                 error = excluded.error,
                 failed_at = excluded.failed_at,
                 owed = coalesce(owed, settled),
                 owed_since = coalesce(owed_since, iif(settled IS NULL, NULL, excluded.failed_at))
             RETURNING owed",
        )?
        .query_row((token.0, target.as_str(), &problem.message, now.timestamp()), |row| {
            row.get(0)
        })?;
    if news {
        Entry::new(*token, EventKind::DeliveryFailed, now)
            .of(owed.map(GenerationId))
            .to(target)
            .because(Some(problem))
            .write(connection, run)?;
    }
    Ok(())
}

/// Whether the history has this failure already: it stands with the same sentence, and was told
/// less than a day ago.
fn told_lately(
    connection: &Connection,
    failure: &DeliveryFailure,
    now: Time,
) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM delivery
                            WHERE token = ?1 AND target = ?2 AND error = ?3)
                AND EXISTS (SELECT 1 FROM event
                            WHERE token = ?1 AND at > ?4 AND at <= ?5
                              AND kind = ?6 AND target = ?2)",
        )?
        .query_row(
            params![
                failure.token.0,
                failure.target.as_str(),
                failure.problem.message,
                (now - QUIET).timestamp(),
                now.timestamp(),
                EventKind::DeliveryFailed.as_str(),
            ],
            |row| row.get(0),
        )
}

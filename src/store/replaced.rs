//! What a target's file held before a delivery replaced it.
//!
//! The file may hold other secrets beside the token, so its old content lies sealed here and no
//! copy lies beside it. One row a target: who wants to undo a delivery means the last one.

use std::fmt;

use rusqlite::{Connection, OptionalExtension as _};
use zeroize::Zeroizing;

use super::columns::Cells;
use super::{Result, Store};
use crate::token::{TargetId, Time, TokenId};

/// The content of a file before it was replaced.
#[derive(Clone)]
pub struct Replaced {
    /// When it was replaced.
    pub at: Time,
    /// What it held.
    pub content: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Replaced({}, {} bytes)", self.at, self.content.len())
    }
}

impl Store {
    /// Seals what a target's file holds, to be called before it is replaced; an older content of
    /// the same target is forgotten.
    pub fn keep_replaced(
        &self,
        token: TokenId,
        target: &TargetId,
        content: &[u8],
        now: Time,
    ) -> Result<()> {
        let sealed = self.seals()?.seal_file(token, target, content);
        let target = target.clone();
        self.write(move |connection| {
            Ok(keep(connection, token, &target, &sealed, now.timestamp())?)
        })
    }

    /// What a target's file held before it was last replaced; `None` if it never was, or too long
    /// ago.
    pub fn replaced(&self, token: TokenId, target: &TargetId) -> Result<Option<Replaced>> {
        let seals = self.seals()?.clone();
        let target = target.clone();
        self.read(move |connection| {
            let found = connection
                .prepare_cached("SELECT at, sealed FROM replaced WHERE token = ?1 AND target = ?2")?
                .query_row((token.0, target.as_str()), |row| {
                    let mut cells = Cells::of(row);
                    Ok((cells.time()?, cells.take::<Vec<u8>>()?))
                })
                .optional()?;
            let Some((at, sealed)) = found else { return Ok(None) };
            let content = seals.open_file(token, &target, &sealed)?;
            Ok(Some(Replaced { at, content }))
        })
    }
}

/// Keeps a sealed content in the place of an older one, in the caller's transaction.
pub fn keep(
    connection: &Connection,
    token: TokenId,
    target: &TargetId,
    sealed: &[u8],
    at: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO replaced (token, target, at, sealed) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (token, target) DO UPDATE SET
                 at = excluded.at, sealed = excluded.sealed",
        )?
        .execute((token.0, target.as_str(), at, sealed))
        .map(drop)
}

/// Forgets what a token's files held before `before`, in the caller's transaction. What a file
/// held that may be half-written stays: it is needed to finish it.
pub fn forget(connection: &Connection, token: TokenId, before: Time) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM replaced WHERE token = ?1 AND at <= ?2
             AND target NOT IN (SELECT target FROM overwrite WHERE token = ?1)",
        )?
        .execute((token.0, before.timestamp()))
        .map(drop)
}

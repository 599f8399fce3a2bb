//! Keeps what a target's file held before a delivery replaced it.
//!
//! The file may hold other secrets beside the token, so its old content lies sealed here and no
//! copy lies beside it. One row a target: undoing a delivery means the last one.

use std::fmt;

use zeroize::Zeroizing;

use super::tx::Tx;
use super::tx_error::TxError;
use super::value::values;
use super::{Result, Store};
use crate::token::{TargetId, Time, TokenId};

/// The content of a file before it was replaced.
#[derive(Clone)]
pub struct TargetBackup {
    /// When it was replaced.
    pub at: Time,
    /// What it held.
    pub content: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for TargetBackup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetBackup({}, {} bytes)", self.at, self.content.len())
    }
}

impl Store {
    /// Seals what a target's file holds, to be called before it is replaced; an older content of
    /// the same target is forgotten.
    pub fn keep_target_backup(
        &self,
        token: TokenId,
        target: &TargetId,
        content: &[u8],
        now: Time,
    ) -> Result<()> {
        let sealed = self.seals()?.seal_file(token, target, content);
        let target = target.clone();
        self.write_at(now, move |tx| {
            let now = tx.now().timestamp();
            keep(tx, token, &target, &sealed, now)
        })
    }

    /// Returns what a target's file held before it was last replaced; `None` if it never was, or
    /// too long ago.
    pub fn target_backup(&self, token: TokenId, target: &TargetId) -> Result<Option<TargetBackup>> {
        let seals = self.seals()?;
        let target = target.clone();
        self.read(move |tx| {
            let found = tx.first(
                "SELECT at, sealed FROM replaced WHERE token = ?1 AND target = ?2",
                values![token, target.as_str()],
                |mut row| Ok((row.time("replaced.at")?, row.blob("replaced.sealed")?.to_vec())),
            )?;
            let Some((at, sealed)) = found else { return Ok(None) };
            let content = seals.open_file(token, &target, &sealed)?;
            Ok(Some(TargetBackup { at, content }))
        })
    }
}

/// Keeps a sealed content in the place of an older one, in the caller's transaction.
pub fn keep(
    tx: &mut dyn Tx,
    token: TokenId,
    target: &TargetId,
    sealed: &[u8],
    at: i64,
) -> Result<(), TxError> {
    tx.execute(
        "INSERT INTO replaced (token, target, at, sealed) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (token, target) DO UPDATE SET
             at = excluded.at, sealed = excluded.sealed",
        values![token, target.as_str(), at, sealed],
    )
}

/// Forgets what a token's files held before `before`, in the caller's transaction. What a file
/// held that may be half-written stays: it is needed to finish it.
pub fn forget(tx: &mut dyn Tx, token: TokenId, before: Time) -> Result<(), TxError> {
    tx.execute(
        "DELETE FROM replaced WHERE token = ?1 AND at <= ?2
         AND target NOT IN (SELECT target FROM overwrite WHERE token = ?1)",
        values![token, before],
    )
}

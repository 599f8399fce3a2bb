//! Keeps the writes into a file itself that were begun and may not have come to their end.
//!
//! A process that is killed while it writes leaves a file that is new up to some byte and old
//! behind it. So both contents lie here, sealed, before the first byte is written: the old one with
//! what was replaced, the new one in a row of its own, which goes when the file is whole.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::row::{BadCell, Row};
use super::seal::Seals;
use super::value::values;
use super::{Result, Store, deliveries, target_backups};
use crate::failpoint;
use crate::token::{GenerationId, Label, TargetId, Time, TokenId};

/// What is about to be written into a file.
pub struct Overwriting<'a> {
    /// The token.
    pub token: TokenId,
    /// The target.
    pub target: &'a TargetId,
    /// The file.
    pub path: PathBuf,
    /// The generation that is delivered; none where the file is restored.
    pub generation: Option<GenerationId>,
    /// What the file holds.
    pub old: &'a [u8],
    /// What it is to hold.
    pub new: &'a [u8],
}

/// A write that was begun.
pub struct Overwrite {
    /// The token.
    pub token: TokenId,
    /// Its label.
    pub label: Label,
    /// The target.
    pub target: TargetId,
    /// The file.
    pub path: PathBuf,
    /// What was delivered; none where the file was restored.
    pub generation: Option<GenerationId>,
    /// When it was begun.
    pub begun_at: Time,
    /// Both contents; none where a row is damaged or not there.
    pub contents: Option<FileContents>,
}

/// What a file held, and what it is to hold.
#[derive(Clone)]
pub struct FileContents {
    /// What it held.
    pub old: Zeroizing<Vec<u8>>,
    /// What it is to hold.
    pub new: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for FileContents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileContents({} bytes, then {})", self.old.len(), self.new.len())
    }
}

impl Store {
    /// Seals what a file holds and what it is about to hold, to be called before the first byte is
    /// written, which only one may do at a time for a file. A delivery is pending from here on; a
    /// file that is restored counts as having drifted.
    pub fn begin_overwrite(&self, begun: &Overwriting<'_>, now: Time) -> Result<()> {
        let Overwriting { token, generation, .. } = *begun;
        let target = begun.target.clone();
        let seals = self.seals()?;
        let old = seals.seal_file(token, &target, begun.old);
        let new = seals.seal_overwrite(token, &target, begun.new);
        let path = begun.path.as_os_str().as_bytes().to_vec();
        self.write_at(now, move |tx| {
            let now = tx.now();
            target_backups::keep(tx, token, &target, &old, now.timestamp())?;
            // The file was read whole before: what was begun there earlier is over.
            tx.execute("DELETE FROM overwrite WHERE path = ?1", values![&path])?;
            tx.execute(
                "INSERT INTO overwrite (token, target, path, generation, begun_at, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (token, target) DO UPDATE SET
                     path = excluded.path, generation = excluded.generation,
                     begun_at = excluded.begun_at, sealed = excluded.sealed",
                values![token, target.as_str(), &path, generation, now, &new],
            )?;
            match generation {
                Some(generation) => deliveries::set_pending_again(tx, token, &target, generation),
                None => deliveries::drift(tx, token, &target, Some(now)),
            }
        })?;
        failpoint::reach("overwrite-noted");
        Ok(())
    }

    /// Forgets a write that has come to its end: the file is whole.
    pub fn end_overwrite(&self, token: TokenId, target: &TargetId) -> Result<()> {
        let target = target.clone();
        self.write(move |tx| deliveries::end_overwrite(tx, token, &target))
    }

    /// Forgets a write of which no byte was written. What was to be restored stays what can be
    /// restored.
    pub fn cancel_overwrite(&self, token: TokenId, target: &TargetId) -> Result<()> {
        let target = target.clone();
        let seals = self.seals()?;
        self.write(move |tx| {
            let restored = tx.first(
                "SELECT r.at, o.sealed FROM overwrite o
                 JOIN replaced r ON r.token = o.token AND r.target = o.target
                 WHERE o.token = ?1 AND o.target = ?2 AND o.generation IS NULL",
                values![token, target.as_str()],
                |mut row| Ok((row.integer("replaced.at")?, row.blob("overwrite.sealed")?.to_vec())),
            )?;
            if let Some((at, sealed)) = restored {
                let content = seals.open_overwrite(token, &target, &sealed)?;
                let sealed = seals.seal_file(token, &target, &content);
                target_backups::keep(tx, token, &target, &sealed, at)?;
            }
            deliveries::end_overwrite(tx, token, &target)
        })
    }

    /// Returns the writes that were begun and have not come to their end, by a run that was
    /// stopped.
    pub fn overwrites(&self) -> Result<Vec<Overwrite>> {
        let seals = self.seals().ok();
        self.read(move |tx| {
            tx.all(
                "SELECT o.token, t.label, o.target, o.path, o.generation, o.begun_at, o.sealed,
                        r.sealed
                 FROM overwrite o JOIN token t ON t.id = o.token
                 LEFT JOIN replaced r ON r.token = o.token AND r.target = o.target
                 ORDER BY o.begun_at, t.label, o.target",
                &[],
                |row| overwrite(row, seals.as_ref()),
            )
        })
    }
}

fn overwrite(mut row: Row<'_>, seals: Option<&Seals>) -> Result<Overwrite, BadCell> {
    let token = row.token("overwrite.token")?;
    let label = row.label("token.label")?;
    let target = row.target("overwrite.target")?;
    let path = PathBuf::from(OsString::from_vec(row.blob("overwrite.path")?.to_vec()));
    let generation = row.maybe_generation("overwrite.generation")?;
    let begun_at = row.time("overwrite.begun_at")?;
    let (new, old) = (row.blob("overwrite.sealed")?, row.maybe_blob("replaced.sealed")?);
    let contents = || {
        let seals = seals?;
        Some(FileContents {
            old: seals.open_file(token, &target, old?).ok()?,
            new: seals.open_overwrite(token, &target, new).ok()?,
        })
    };
    let contents = contents();
    Ok(Overwrite { token, label, target, path, generation, begun_at, contents })
}

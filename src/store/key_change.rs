//! Changes the keys that open the store, and the key that its rows are sealed with.
//!
//! The data key is kept wrapped under the store key, and while one store key takes another's place
//! under both: either opens the store, so that a kill or a config that was not changed yet locks nobody
//! out. Each change is one transaction.

use super::engine::{Access, call};
use super::events::NewEvent;
use super::key::KeySource;
use super::seal::{Seals, WrappedFor};
use super::tx::Tx;
use super::tx_error::{Doing, TxError};
use super::value::{RunId, values};
use super::{Result, Store};
use crate::token::{EventKind, TargetId, Time, TokenId};

/// Which of the keys that open the store a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStanding {
    /// The only one.
    Only,
    /// The old one of two.
    Old,
    /// The one that takes the old one's place.
    New,
}

/// What becomes of the key that the rows are sealed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// It stays.
    Kept,
    /// Another takes its place, and all rows are sealed anew.
    Anew,
}

/// A change of the keys that open the store.
#[derive(Debug, Clone)]
pub struct KeyChange {
    /// A key that opens it now.
    pub opens: KeySource,
    /// The key that is to open it, and another that is to take that one's place later.
    pub keys: (KeySource, Option<KeySource>),
    /// Whether the rows are sealed anew.
    pub sealing: Sealing,
}

/// How many rows were sealed anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Access tokens, and files that held some.
    pub rows: usize,
    /// Those whose seal did not open before: they stay as they are.
    pub broken: usize,
}

impl Store {
    /// Says which of the store's keys this is; an error if it opens nothing.
    pub fn key_standing(&self, key: &KeySource) -> Result<KeyStanding> {
        let store_key = key.existing()?;
        let found = call(&*self.engine(), Access::Read, None, move |tx| {
            let (_, place) = Seals::unwrap_from(tx, &store_key)?;
            Ok((place, Seals::has_two_keys(tx)?))
        });
        Ok(match found.map_err(|error| key.explain(error, &self.path))? {
            (WrappedFor::Current, false) => KeyStanding::Only,
            (WrappedFor::Current, true) => KeyStanding::Old,
            (WrappedFor::Next, _) => KeyStanding::New,
        })
    }

    /// Changes the keys that open the store. It is an event when an old one opens it no longer, and when
    /// the rows are sealed anew.
    pub fn change_key(&self, run: RunId, change: &KeyChange, now: Time) -> Result<Resealed> {
        let opens = change.opens.existing()?;
        let current = change.keys.0.existing()?;
        let next = change.keys.1.as_ref().map(KeySource::existing).transpose()?;
        let sealing = change.sealing;
        let changes = self.changes.clone();
        let work = move |tx: &mut dyn Tx| {
            let (seals, place) = Seals::unwrap_from(tx, &opens)?;
            let (seals, resealed) = match sealing {
                Sealing::Kept => (seals.opened_by(&current), Resealed::default()),
                Sealing::Anew => {
                    let new = seals.with_new_data_key(tx, &current)?;
                    let resealed = reseal(tx, &seals, &new)?;
                    (new, resealed)
                }
            };
            seals.wrap(tx, &current, next.as_ref())?;
            if sealing == Sealing::Anew || place == WrappedFor::Next {
                NewEvent::of_none(EventKind::KeyRotated, now).write(tx, run)?;
            }
            Ok((seals, resealed))
        };
        let work = move |tx: &mut dyn Tx| changes.counting(tx, work);
        let (seals, resealed) = call(&*self.engine(), Access::Write, Some(now), work)
            .map_err(|error| change.opens.explain(error, &self.path))?;
        self.keep_seals(seals);
        Ok(resealed)
    }

    /// Writes the whole file again, so that what was changed is nowhere any more; false while another
    /// program reads what it held.
    pub fn rewrite(&self) -> Result<bool> {
        self.engine().rewrite().map_err(|error| error.about(&self.path, Doing::Writing))
    }
}

fn reseal(tx: &mut dyn Tx, old: &Seals, new: &Seals) -> Result<Resealed, TxError> {
    let generations = reseal_generations(tx, old, new)?;
    let replaced = reseal_files(
        tx,
        "replaced",
        |token, target, sealed| old.open_file(token, target, sealed),
        |token, target, content| new.seal_file(token, target, content),
    )?;
    let overwrites = reseal_files(
        tx,
        "overwrite",
        |token, target, sealed| old.open_overwrite(token, target, sealed),
        |token, target, content| new.seal_overwrite(token, target, content),
    )?;
    let all = [generations, replaced, overwrites];
    Ok(Resealed {
        rows: all.iter().map(|it| it.rows).sum(),
        broken: all.iter().map(|it| it.broken).sum(),
    })
}

fn reseal_generations(tx: &mut dyn Tx, old: &Seals, new: &Seals) -> Result<Resealed, TxError> {
    let sealed = tx.undamaged(
        "SELECT token, number, sealed FROM generation WHERE sealed IS NOT NULL",
        &[],
        |mut row| {
            let token = row.token("generation.token")?;
            let number = row.number::<u32>("generation.number")?;
            Ok((token, number, row.blob("generation.sealed")?.to_vec()))
        },
    )?;
    let mut done = Resealed::default();
    for (token, number, sealed) in sealed {
        let Ok(access_token) = old.open(token, number, &sealed) else {
            done.broken += 1;
            continue;
        };
        tx.execute(
            "UPDATE generation SET sealed = ?3 WHERE token = ?1 AND number = ?2",
            values![token, number, &new.seal(token, number, &access_token)],
        )?;
        done.rows += 1;
    }
    Ok(done)
}

fn reseal_files(
    tx: &mut dyn Tx,
    table: &'static str,
    open: impl Fn(TokenId, &TargetId, &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, TxError>,
    seal: impl Fn(TokenId, &TargetId, &[u8]) -> Vec<u8>,
) -> Result<Resealed, TxError> {
    let sql = format!("SELECT token, target, sealed FROM {table}");
    let sealed = tx.undamaged(&sql, &[], |mut row| {
        let (token, target) = (row.token("replaced.token")?, row.target("replaced.target")?);
        Ok((token, target, row.blob("replaced.sealed")?.to_vec()))
    })?;
    let sql = format!("UPDATE {table} SET sealed = ?3 WHERE token = ?1 AND target = ?2");
    let mut done = Resealed::default();
    for (token, target, sealed) in sealed {
        let Ok(content) = open(token, &target, &sealed) else {
            done.broken += 1;
            continue;
        };
        tx.execute(&sql, values![token, target.as_str(), &seal(token, &target, &content)])?;
        done.rows += 1;
    }
    Ok(done)
}

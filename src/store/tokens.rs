//! Keeps the tokens: which there are, what they are called, and what the store knows of each.
//!
//! The config alone says which labels exist. The store gives each a row when it first hears of it
//! and never takes one away, so that a label that leaves the config and comes back finds its
//! access tokens and its history again.
//!
//! A verb that changes a token takes its [`Credential`] by value and gives back the new one, read in
//! the same transaction: a stale one cannot be used, and nothing is read twice.

use std::sync::Arc;

use super::engine::Access;
use super::events::NewEvent;
use super::known::{Enrolment, StoredTokens};
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, values};
use super::{Result, Store, load};
use crate::token::{Credential, EventKind, Expiry, Generation, GenerationId, Label, Time, TokenId};

impl Store {
    /// Returns every token that the store ever heard of, by label, with its current generation, its
    /// candidate and its deliveries.
    pub fn credentials(&self) -> Result<Vec<Arc<Credential>>> {
        Ok(self.stored_tokens()?.credentials)
    }

    /// Returns the same, with what belongs to none of them.
    pub fn stored_tokens(&self) -> Result<StoredTokens> {
        let own = self.own_run();
        if let Some(known) = self.known.stored_tokens(self.changes.count(), own) {
            return Ok(known);
        }
        self.read(move |tx| load::everything(tx, own))
    }

    /// Returns one token by its label, reading no other's rows; the label that it had before counts
    /// while the new one has no access token.
    pub fn credential_called(
        &self,
        label: &Label,
        was: Option<&Label>,
    ) -> Result<Option<Credential>> {
        let own = self.own_run();
        let labels: Vec<Label> = std::iter::once(label).chain(was).cloned().collect();
        self.read(move |tx| {
            let mut first = None;
            for label in &labels {
                let Some(token) = find(tx, label)? else { continue };
                let found = load::credential(tx, own, token)?;
                if found.has_access_token() {
                    return Ok(Some(found));
                }
                first.get_or_insert(found);
            }
            Ok(first)
        })
    }

    /// Returns one token, as it is now.
    pub fn credential(&self, token: TokenId) -> Result<Credential> {
        let own = self.own_run();
        let changes = self.changes.count();
        let Some(known) = self.known.credential(token, changes, own) else {
            return self.read(move |tx| load::credential(tx, own, token));
        };
        debug_assert!(
            without_proofs(self.read(move |tx| load::credential(tx, own, token))?)
                == without_proofs(known.clone())
                || self.changes.count() != changes,
            "`{}` was changed unnoticed",
            known.label
        );
        Ok(known)
    }

    /// Gives each of these a row, renames what was called otherwise, and updates what changed.
    ///
    /// Returns their ids in the same order. Where all is as it was nothing is written.
    pub fn enrol(&self, enrolments: &[Enrolment], now: Time) -> Result<Vec<TokenId>> {
        let run = self.own_run();
        let known = self.known.enrolled(enrolments, self.changes.count(), run);
        if let Some(enrolled) = known {
            return Ok(enrolled);
        }
        let enrolments = enrolments.to_vec();
        self.write_at(now, move |tx| {
            rename(tx, run, &enrolments)?;
            enrolments.iter().map(|each| enrol(tx, each)).collect()
        })
    }

    /// Records that the Pages of a parent were listed by one of its generations, which the list has,
    /// and which it no longer has.
    ///
    /// One that is seen again is unlisted and retired no more.
    pub fn note_listing(
        &self,
        parent: Credential,
        listed: GenerationId,
        seen: &[TokenId],
        unseen: &[TokenId],
        now: Time,
    ) -> Result<Credential> {
        let (seen, unseen) = (seen.to_vec(), unseen.to_vec());
        self.change(parent, Some(now), move |tx, parent| {
            tx.execute(
                "UPDATE token SET listed = ?2, list_not_before = NULL WHERE id = ?1",
                values![parent.id, listed],
            )?;
            for token in seen {
                tx.execute(
                    "UPDATE token SET unlisted_since = NULL, retired_at = NULL WHERE id = ?1
                     AND (unlisted_since IS NOT NULL OR retired_at IS NOT NULL)",
                    values![token],
                )?;
            }
            let now = tx.now();
            for token in unseen {
                tx.execute(
                    "UPDATE token SET unlisted_since = ?2
                     WHERE id = ?1 AND unlisted_since IS NULL",
                    values![token, now],
                )?;
            }
            Ok(())
        })
    }

    /// Takes a token out of every verdict; does nothing if it is out already.
    pub fn retire(&self, run: RunId, credential: Credential, now: Time) -> Result<Credential> {
        self.change(credential, Some(now), move |tx, credential| {
            let (token, now) = (credential.id, tx.now());
            let changed = tx.execute_counted(
                "UPDATE token SET retired_at = ?2 WHERE id = ?1 AND retired_at IS NULL",
                values![token, now],
            )?;
            if changed == 1 {
                NewEvent::new(token, EventKind::Retired, now).write(tx, run)?;
            }
            Ok(())
        })
    }

    /// Changes a token, dated with `now` if the change is dated, and gives it back as it is then.
    ///
    /// In a debug build it checks that the credential was what the store had. Deliveries are not part
    /// of that: a program that serves several tokens is run for all of them at once, so what a target
    /// has is read where it is used.
    pub fn change(
        &self,
        credential: Credential,
        now: Option<Time>,
        work: impl FnOnce(&mut dyn Tx, &Credential) -> Result<(), TxError> + Send + 'static,
    ) -> Result<Credential> {
        self.change_returning(credential, now, work).map(|(changed, ())| changed)
    }

    /// The same for a change that has a result of its own.
    pub fn change_returning<T: Send + 'static>(
        &self,
        credential: Credential,
        now: Option<Time>,
        work: impl FnOnce(&mut dyn Tx, &Credential) -> Result<T, TxError> + Send + 'static,
    ) -> Result<(Credential, T)> {
        let (own, token) = (self.own_run(), credential.id);
        self.write_with(Access::Write, now, move |tx| {
            let stored =
                if cfg!(debug_assertions) { Some(load::credential(tx, own, token)?) } else { None };
            let value = work(tx, &credential)?;
            if let Some(stored) = stored {
                check_handed_on(credential, &stored);
            }
            Ok((load::credential(tx, own, token)?, value))
        })
    }
}

/// Panics where a credential is not what the store has: some step kept an old one.
///
/// `status` may have added a newer proof meanwhile: it needs no lock.
fn check_handed_on(mut known: Credential, stored: &Credential) {
    known.deliveries.clone_from(&stored.deliveries);
    // Whether an earlier one is of any use is read off the proofs.
    known.fallback.clone_from(&stored.fallback);
    // What another token does with the access token that it got is that one's to change.
    known.given_to.clone_from(&stored.given_to);
    let generations =
        [(&mut known.current, &stored.current), (&mut known.candidate, &stored.candidate)];
    let mut is_newer = false;
    for (known, stored) in generations {
        is_newer |= take_newer_proof(known.as_mut(), stored.as_ref());
    }
    if is_newer {
        known.attempts.answer_lost_at = stored.attempts.answer_lost_at;
        known.damage.clone_from(&stored.damage);
    }
    assert_eq!(known, *stored, "a token is not as it was handed on");
}

/// Takes over the proof of a stored generation that is newer, with the expiry that it tells.
fn take_newer_proof(known: Option<&mut Generation>, stored: Option<&Generation>) -> bool {
    let (Some(known), Some(stored)) = (known, stored) else { return false };
    let at = |generation: &Generation| generation.proof.as_ref().map(|proof| proof.at);
    let is_newer = known.id == stored.id && known.proof != stored.proof && at(known) <= at(stored);
    if is_newer {
        known.proof.clone_from(&stored.proof);
        known.expiry = stored.expiry;
    }
    is_newer
}

/// What only the run of this token changes: `status` adds proofs, and what follows from them, at any
/// time, and another token may leave what it got from this one.
fn without_proofs(mut known: Credential) -> Credential {
    known.attempts.problem = None;
    known.fallback = None;
    known.given_to = None;
    for generation in known.current.iter_mut().chain(&mut known.candidate) {
        (generation.proof, generation.expiry) = (None, Expiry::Unknown);
    }
    known
}

/// Renames one after the other, each as soon as its new label is free; a chain unwinds so. Where a
/// label does not come free, a token without an access token gives way.
fn rename(tx: &mut dyn Tx, run: RunId, enrolments: &[Enrolment]) -> Result<(), TxError> {
    let mut open: Vec<(&Label, &Label)> = enrolments
        .iter()
        .filter_map(|each| Some((each.was.as_ref()?, &each.label)))
        .filter(|(was, label)| was != label)
        .collect();
    while !open.is_empty() {
        let before = open.len();
        let mut left = Vec::new();
        for (was, label) in open {
            if find(tx, label)?.is_none() && find(tx, was)?.is_some() {
                rename_one(tx, run, was, label)?;
            } else {
                left.push((was, label));
            }
        }
        if left.len() == before {
            let is_declared = |was: &Label| enrolments.iter().any(|each| each.label == *was);
            left = take_over_one(tx, run, left, &is_declared)?;
        }
        if left.len() == before {
            return Ok(());
        }
        open = left;
    }
    Ok(())
}

/// Renames the first whose new label belongs to a token without an access token, and gives back the
/// others.
fn take_over_one<'a>(
    tx: &mut dyn Tx,
    run: RunId,
    mut open: Vec<(&'a Label, &'a Label)>,
    is_declared: &dyn Fn(&Label) -> bool,
) -> Result<Vec<(&'a Label, &'a Label)>, TxError> {
    for (place, (was, label)) in open.iter().enumerate() {
        if is_declared(was) {
            continue;
        }
        let (Some(old), Some(new)) = (find(tx, was)?, find(tx, label)?) else { continue };
        if has_access_token(tx, old)? && !has_access_token(tx, new)? {
            give_way(tx, new)?;
            rename_one(tx, run, was, label)?;
            tx.execute("UPDATE token SET label = ?2 WHERE id = ?1", values![new, was.as_str()])?;
            open.remove(place);
            break;
        }
    }
    Ok(open)
}

/// Renames a token. A parent's discovered Pages are called after it, and move with it; what people
/// were told of either they are not told again.
fn rename_one(tx: &mut dyn Tx, run: RunId, was: &Label, label: &Label) -> Result<(), TxError> {
    let (was, label) = (was.as_str(), label.as_str());
    let above = format!("{was}/");
    let moving = |table: &str| {
        format!(
            "SELECT DISTINCT label FROM {table}
             WHERE label = ?1 OR substr(label, 1, {}) = ?2",
            above.chars().count()
        )
    };
    for (table, taken) in [
        ("token", "SELECT 1 FROM token t WHERE t.label = ?2"),
        (
            "notice",
            "SELECT 1 FROM notice n WHERE n.channel = notice.channel AND n.label = ?2
             AND n.code = notice.code AND n.about = notice.about",
        ),
    ] {
        let labels = tx.undamaged(&moving(table), values![was, &above], |mut row| {
            Ok(row.text("token.label")?.to_owned())
        })?;
        for old in labels {
            let new = format!("{label}{}", old.strip_prefix(was).unwrap_or_default());
            let sql =
                format!("UPDATE {table} SET label = ?2 WHERE label = ?1 AND NOT EXISTS ({taken})");
            let moved = tx.execute_counted(&sql, values![&old, &new])?;
            if moved == 1 && table == "token" {
                note_renamed(tx, run, &old, &new)?;
            }
        }
    }
    Ok(())
}

/// Writes that a token is called otherwise than before.
fn note_renamed(tx: &mut dyn Tx, run: RunId, old: &str, new: &str) -> Result<(), TxError> {
    let token = tx.first("SELECT id FROM token WHERE label = ?1", values![new], |mut row| {
        row.token("token.id")
    })?;
    let Some(token) = token else { return Ok(()) };
    let now = tx.now();
    NewEvent::new(token, EventKind::Renamed, now).renamed_from(old).write(tx, run)
}

/// Whether a token has an access token, in use or waiting to be examined.
fn has_access_token(tx: &mut dyn Tx, token: TokenId) -> Result<bool, TxError> {
    tx.has_row(
        "SELECT 1 FROM generation
         WHERE token = ?1 AND state NOT IN ('previous', 'refused', 'purged')",
        values![token],
    )
}

/// Takes its label from a token that has no access token. What happened to it stays, under the label
/// that the other one leaves; a row to which nothing happened is removed.
fn give_way(tx: &mut dyn Tx, token: TokenId) -> Result<(), TxError> {
    for table in ["delivery", "hook", "place"] {
        tx.execute(&format!("DELETE FROM {table} WHERE token = ?1"), values![token])?;
    }
    let mut is_bare = true;
    for table in ["generation", "event", "attempt", "overwrite", "replaced"] {
        let sql = format!("SELECT 1 FROM {table} WHERE token = ?1 LIMIT 1");
        is_bare &= !tx.has_row(&sql, values![token])?;
    }
    let sql = if is_bare {
        "DELETE FROM token WHERE id = ?1"
    } else {
        // No label begins so: it is free until the other one has left its own.
        "UPDATE token SET label = '~' || label WHERE id = ?1"
    };
    tx.execute(sql, values![token])
}

fn find(tx: &mut dyn Tx, label: &Label) -> Result<Option<TokenId>, TxError> {
    tx.first("SELECT id FROM token WHERE label = ?1", values![label.as_str()], |mut row| {
        row.token("token.id")
    })
}

fn enrol(tx: &mut dyn Tx, each: &Enrolment) -> Result<TokenId, TxError> {
    tx.execute(
        "INSERT INTO token (label, type, page_id, name, owner, app) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (label) DO UPDATE SET
             type = excluded.type,
             owner = excluded.owner,
             app = excluded.app,
             page_id = coalesce(excluded.page_id, token.page_id),
             name = coalesce(excluded.name, token.name)
         WHERE token.type <> excluded.type
            OR token.owner IS DISTINCT FROM excluded.owner
            OR token.app IS DISTINCT FROM excluded.app
            OR coalesce(excluded.page_id, token.page_id) IS DISTINCT FROM token.page_id
            OR coalesce(excluded.name, token.name) IS DISTINCT FROM token.name",
        values![
            each.label.as_str(),
            each.token_type.as_str(),
            each.page_id.as_ref(),
            each.name.as_ref(),
            each.owner.as_ref(),
            each.app.as_ref()
        ],
    )?;
    find(tx, &each.label)?.ok_or(TxError::Absent("token"))
}

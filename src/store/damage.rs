//! Finds and repairs damage: rows of a token that hold what metatoken never writes.
//!
//! A damaged row is one token's trouble. A run looks at all rows that are in use before it works
//! with any, opens every seal once, and repairs what needs no person: what Graph tells again is asked
//! again, what the sealed access token itself proves is written anew, and a target waits for what it
//! should have. An access token that is lost is marked, so that a reader without the key knows too; its row
//! stays, and stands in the place of the current one until another takes it.

use std::collections::HashSet;
use std::sync::Arc;

use super::columns;
use super::load::{everything, part, state_of};
use super::promote::set_aside;
use super::row::{BadCell, Row};
use super::seal::Seals;
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::values;
use super::{Result, Store, deliveries, proofs};
use crate::token::{
    Credential, Damage, Expiry, Fingerprint, GenerationId, GenerationState, Label, Time, TokenId,
    TokenType,
};

/// A token of which something was damaged when a run looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// The token.
    pub label: Label,
    /// What was damaged.
    pub parts: Vec<&'static str>,
}

/// A generation in use whose row or seal is not what it should be.
#[derive(Debug, Clone)]
struct Suspect {
    id: GenerationId,
    token: TokenId,
    state: Option<GenerationState>,
    /// What its access token proves, if the seal opens.
    fingerprint: Option<Fingerprint>,
    /// Whether the row itself can be read.
    readable: bool,
    marked: bool,
}

impl Store {
    /// Looks for damaged rows, repairs what can be repaired, and marks what is lost; gives the tokens
    /// of which that was not known before. Where nothing is damaged, nothing is written.
    pub fn repair(&self, now: Time) -> Result<Vec<Repaired>> {
        let (seals, own, changes) = (self.seals()?, self.own_run(), self.changes.clone());
        let (suspects, stored, changes) = self.read(move |tx| {
            let stored = everything(tx, own)?;
            Ok((suspects(tx, &seals)?, stored, changes.count()))
        })?;
        let suspected: HashSet<TokenId> = suspects.iter().map(|suspect| suspect.token).collect();
        let is_damaged = |it: &Arc<Credential>| it.damage.is_some() || suspected.contains(&it.id);
        if !stored.credentials.iter().any(is_damaged) {
            self.known.keep(stored, changes, own);
            return Ok(Vec::new());
        }
        let mut damaged = stored.credentials;
        damaged.retain(is_damaged);
        let news = damaged.iter().filter(|credential| !is_known(credential, &suspects));
        let repaired = news.map(|it| repaired(it, &suspects)).collect();
        self.write_at(now, move |tx| {
            for suspect in &suspects {
                suspect.settle(tx)?;
            }
            for credential in &damaged {
                repair(tx, credential)?;
            }
            Ok(())
        })?;
        Ok(repaired)
    }
}

/// Whether the only damage is an access token that an earlier run has marked as lost.
fn is_known(credential: &Credential, suspects: &[Suspect]) -> bool {
    let only = |damage: &Damage| damage.parts == [part::IN_USE];
    let mut own = suspects.iter().filter(|suspect| suspect.token == credential.id);
    credential.damage.as_ref().is_some_and(only)
        && own.all(|suspect| suspect.marked && suspect.fingerprint.is_none())
}

fn repaired(credential: &Credential, suspects: &[Suspect]) -> Repaired {
    let mut parts = credential.damage.as_ref().map(|it| it.parts.clone()).unwrap_or_default();
    for suspect in suspects.iter().filter(|suspect| suspect.token == credential.id) {
        let part = match suspect.state {
            Some(GenerationState::Candidate) => part::CANDIDATE,
            _ => part::IN_USE,
        };
        if !parts.contains(&part) {
            parts.insert(0, part);
        }
    }
    Repaired { label: credential.label.clone(), parts }
}

fn suspects(tx: &mut dyn Tx, seals: &Seals) -> Result<Vec<Suspect>, TxError> {
    let sql = format!(
        "SELECT {}, g.token, g.broken_since, g.sealed FROM generation g
         WHERE g.state NOT IN ('previous', 'refused', 'purged')",
        columns::GENERATION_ITSELF
    );
    let found = tx.all(&sql, &[], |row| suspect(row, seals))?;
    Ok(found.into_iter().flatten().collect())
}

fn suspect(row: Row<'_>, seals: &Seals) -> Result<Option<Suspect>, BadCell> {
    let mut rest = row.at(columns::GENERATION_OWN);
    let token = rest.token("generation.token")?;
    let marked = rest.maybe_integer("generation.broken_since")?.is_some();
    let sealed = rest.maybe_blob("generation.sealed")?;
    let number = row.at(1).number("generation.number").ok();
    let open = |sealed: &[u8]| seals.open(token, number?, sealed).ok();
    let fingerprint = sealed.and_then(open).map(|opened| seals.fingerprint(&opened));
    let itself = row.at(0).generation_itself();
    let sound = !marked
        && fingerprint.is_some()
        && itself.as_ref().ok().map(|generation| generation.fingerprint) == fingerprint;
    Ok((!sound).then_some(Suspect {
        id: GenerationId(row.at(0).integer("generation.id")?),
        token,
        state: state_of(row),
        fingerprint,
        readable: itself.is_ok(),
        marked,
    }))
}

/// Holds of a generation whose access token no other of the same token has.
const UNIQUE: &str = "NOT EXISTS (SELECT 1 FROM generation o WHERE o.token = generation.token
     AND o.fingerprint = ?2 AND o.id <> generation.id)";

impl Suspect {
    fn settle(&self, tx: &mut dyn Tx) -> Result<(), TxError> {
        if self.fingerprint.is_none() {
            self.keep_writable(tx)?;
        }
        match (self.state, self.fingerprint) {
            (Some(_), Some(fingerprint)) if self.readable => {
                let sql = format!(
                    "UPDATE generation SET fingerprint = ?2, broken_since = NULL
                     WHERE id = ?1 AND {UNIQUE}"
                );
                tx.execute(&sql, values![self.id, fingerprint.as_bytes()])?;
            }
            (state, Some(fingerprint)) => self.salvage(tx, state, fingerprint)?,
            (Some(GenerationState::Candidate), None) => {
                set_aside(tx, self.id, GenerationState::Refused)?;
            }
            (Some(_), None) => self.mark(tx)?,
            (None, None) if self.has_company(tx, GenerationState::Current)? => {
                set_aside(tx, self.id, GenerationState::Refused)?;
            }
            (None, None) => {
                tx.execute(
                    "UPDATE generation SET state = ?2 WHERE id = ?1",
                    values![self.id, GenerationState::Current.as_str()],
                )?;
                self.mark(tx)?;
            }
        }
        Ok(())
    }

    /// Writes a row anew around an access token that is well. What it was Graph is asked: one whose
    /// state is not known is examined like one that has just come.
    fn salvage(
        &self,
        tx: &mut dyn Tx,
        state: Option<GenerationState>,
        fingerprint: Fingerprint,
    ) -> Result<(), TxError> {
        let state = match state {
            Some(state) => state,
            None if self.has_company(tx, GenerationState::Candidate)? => GenerationState::Refused,
            None => GenerationState::Candidate,
        };
        let (expiry, expires_at) = columns::expiry(Expiry::Unknown);
        let now = tx.now();
        let set_aside_at = (state == GenerationState::Refused).then_some(now);
        let sql = format!(
            "UPDATE generation SET state = ?3, origin = 'adopted', fingerprint = ?2,
                 obtained_at = ?4, expiry = ?5, expires_at = ?6, parent = NULL,
                 set_aside_at = ?7, broken_since = NULL
             WHERE id = ?1 AND {UNIQUE}"
        );
        tx.execute(
            &sql,
            values![
                self.id,
                fingerprint.as_bytes(),
                state.as_str(),
                now,
                expiry,
                expires_at,
                set_aside_at
            ],
        )?;
        tx.execute("DELETE FROM proof WHERE generation = ?1", values![self.id])
    }

    /// Lets a row be marked or set aside that breaks what its table promises.
    fn keep_writable(&self, tx: &mut dyn Tx) -> Result<(), TxError> {
        tx.execute(
            "UPDATE generation SET sealed = coalesce(sealed, ?2),
                 expiry = CASE WHEN expiry = 'at' AND expires_at IS NULL THEN 'unknown'
                               ELSE expiry END,
                 expires_at = CASE WHEN expiry = 'at' THEN expires_at ELSE NULL END
             WHERE id = ?1 AND (sealed IS NULL OR (expiry = 'at') <> (expires_at IS NOT NULL))",
            values![self.id, &[]],
        )
    }

    fn mark(&self, tx: &mut dyn Tx) -> Result<(), TxError> {
        if self.marked {
            return Ok(());
        }
        let now = tx.now();
        tx.execute("UPDATE generation SET broken_since = ?2 WHERE id = ?1", values![self.id, now])
    }

    /// Whether another generation of the token has this state.
    fn has_company(&self, tx: &mut dyn Tx, state: GenerationState) -> Result<bool, TxError> {
        tx.has_row(
            "SELECT 1 FROM generation WHERE token = ?1 AND state = ?2",
            values![self.token, state.as_str()],
        )
    }
}

/// Repairs what is not about the access token itself.
fn repair(tx: &mut dyn Tx, credential: &Credential) -> Result<(), TxError> {
    let parts = credential.damage.as_ref().map(|damage| damage.parts.as_slice());
    for part in parts.unwrap_or_default() {
        match *part {
            part::PROOF => proofs::forget_damaged(tx, credential.id)?,
            part::RECORD => clear_record(tx, credential.id)?,
            part::DELIVERY => deliveries::repair(tx, credential.id)?,
            _ => {}
        }
    }
    Ok(())
}

/// Clears the record of renewals: what prevents one and what a list of Pages said is learnt again.
/// A type that cannot be read is in the config; an attempt that was left open began at the latest
/// now.
fn clear_record(tx: &mut dyn Tx, token: TokenId) -> Result<(), TxError> {
    let known =
        tx.first("SELECT type, page_id FROM token WHERE id = ?1", values![token], |row| {
            let token_type = row.at(0).named("token.type", TokenType::from_name).ok();
            let page_id = row.at(1).maybe_text("token.page_id").ok().flatten().map(str::to_owned);
            Ok((token_type, page_id))
        })?;
    let (token_type, page_id) = known.unwrap_or_default();
    let page_id = page_id.filter(|id| id.bytes().all(|digit| digit.is_ascii_digit()));
    tx.execute(
        "UPDATE token SET type = ?2, name = NULL, page_id = ?3, listed = NULL,
             unlisted_since = NULL, retired_at = NULL, last_refreshed_at = NULL,
             last_attempt_at = NULL, consecutive_failures = 0, not_before = NULL,
             first_miss_at = NULL, misses = 0, problem = NULL, answer_lost_at = NULL,
             failed_with = NULL, list_not_before = NULL, ask_not_before = NULL, exchange_sent_at = NULL,
             exchange_sent = NULL, exchanged = NULL, shared_with = NULL, shared_with_declared = NULL,
             refused_by = NULL, mint_sent_at = NULL, mint_tried_at = NULL, mint_tries = NULL,
             undeclared_since = NULL, undeclared_with_many = NULL, source = NULL,
             source_value = NULL, source_changed = NULL, source_refused = NULL,
             source_line = NULL, owner = NULL, app = NULL, probe_at = NULL, probe_question = NULL, probe_generation = NULL,
             probe_grade = NULL, probe_problem = NULL, import = NULL
         WHERE id = ?1",
        values![token, token_type.unwrap_or(TokenType::User).as_str(), page_id.as_ref()],
    )?;
    let now = tx.now();
    tx.execute(
        "UPDATE attempt SET planned_at = ?2
         WHERE token = ?1 AND closed_at IS NULL AND planned_at NOT BETWEEN 0 AND ?2",
        values![token, now],
    )
}

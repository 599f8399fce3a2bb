//! Damage: rows of a token that hold what nobody can have meant.
//!
//! A damaged row is one token's trouble. A run looks at all rows that are in use before it works
//! with any, opens every seal once, and repairs what needs nobody: what Graph tells again is asked
//! again, what the sealed access token itself proves is written anew, and a target is owed what it
//! should have. An access token that is lost is marked, so that whoever has no key knows too; its row
//! stays, and stands in the place of the current one until another takes it.

use std::collections::HashSet;
use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::columns::{self, Cells};
use super::deliveries;
use super::fault::Fault;
use super::seal::Seals;
use super::succession::set_aside;
use super::tokens::{everything, part, state_of};
use super::{Result, Store, proofs};
use crate::token::{
    Credential, Damage, Expiry, Fingerprint, GenerationId, GenerationState, Label, Time, TokenId,
};

/// A token of which something was damaged when a run looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
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
    pub fn mend(&self, now: Time) -> Result<Vec<Mended>> {
        let (seals, own, changes) = (self.seals()?.clone(), self.own_run(), self.changes.clone());
        let (suspects, stock, changes) = self.read(move |connection| {
            let stock = everything(connection, own)?;
            Ok((suspects(connection, &seals)?, stock, changes.count()))
        })?;
        let suspected: HashSet<TokenId> = suspects.iter().map(|suspect| suspect.token).collect();
        let is_damaged = |it: &Arc<Credential>| it.damage.is_some() || suspected.contains(&it.id);
        if !stock.credentials.iter().any(is_damaged) {
            self.known.keep(stock, changes, own);
            return Ok(Vec::new());
        }
        let mut damaged = stock.credentials;
        damaged.retain(is_damaged);
        let news = damaged.iter().filter(|credential| !is_known(credential, &suspects));
        let mended = news.map(|it| mended(it, &suspects)).collect();
        self.write(move |connection| {
            for suspect in &suspects {
                suspect.settle(connection, now)?;
            }
            for credential in &damaged {
                repair(connection, credential, now)?;
            }
            Ok(())
        })?;
        Ok(mended)
    }
}

/// Whether the only damage is an access token that an earlier run has marked as lost.
fn is_known(credential: &Credential, suspects: &[Suspect]) -> bool {
    let only = |damage: &Damage| damage.parts == [part::IN_USE];
    let mut own = suspects.iter().filter(|suspect| suspect.token == credential.id);
    credential.damage.as_ref().is_some_and(only)
        && own.all(|suspect| suspect.marked && suspect.fingerprint.is_none())
}

fn mended(credential: &Credential, suspects: &[Suspect]) -> Mended {
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
    Mended { label: credential.label.clone(), parts }
}

fn suspects(connection: &Connection, seals: &Seals) -> Result<Vec<Suspect>, Fault> {
    let sql = format!(
        "SELECT {}, g.token, g.broken_since, g.sealed FROM generation g
         WHERE g.state NOT IN ('previous', 'refused', 'purged')",
        columns::GENERATION_ITSELF
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut suspects = Vec::new();
    while let Some(row) = rows.next()? {
        suspects.extend(suspect(row, seals)?);
    }
    Ok(suspects)
}

fn suspect(row: &Row<'_>, seals: &Seals) -> rusqlite::Result<Option<Suspect>> {
    let token = TokenId(row.get(columns::GENERATION_OWN)?);
    let marked = row.get::<_, Option<i64>>(columns::GENERATION_OWN + 1)?.is_some();
    let sealed: Option<Vec<u8>> = row.get(columns::GENERATION_OWN + 2)?;
    let open = |sealed: Vec<u8>| seals.open(token, row.get(1).ok()?, &sealed).ok();
    let fingerprint = sealed.and_then(open).map(|string| seals.fingerprint(&string));
    let itself = Cells::of(row).generation_itself();
    let sound = !marked
        && fingerprint.is_some()
        && itself.as_ref().ok().map(|generation| generation.fingerprint) == fingerprint;
    Ok((!sound).then_some(Suspect {
        id: GenerationId(row.get(0)?),
        token,
        state: state_of(row),
        fingerprint,
        readable: itself.is_ok(),
        marked,
    }))
}

impl Suspect {
    fn settle(&self, connection: &Connection, now: Time) -> Result<(), Fault> {
        if self.fingerprint.is_none() {
            self.keep_writable(connection)?;
        }
        match (self.state, self.fingerprint) {
            (Some(_), Some(fingerprint)) if self.readable => {
                connection.execute(
                    "UPDATE OR IGNORE generation SET fingerprint = ?2, broken_since = NULL
                     WHERE id = ?1",
                    params![self.id.0, fingerprint.as_bytes()],
                )?;
            }
            (state, Some(fingerprint)) => self.salvage(connection, state, fingerprint, now)?,
            (Some(GenerationState::Candidate), None) => {
                set_aside(connection, self.id, GenerationState::Refused, now)?;
            }
            (Some(_), None) => self.mark(connection, now)?,
            (None, None) if self.has_company(connection, GenerationState::Current)? => {
                set_aside(connection, self.id, GenerationState::Refused, now)?;
            }
            (None, None) => {
                let state = GenerationState::Current.as_str();
                connection.execute(
                    "UPDATE generation SET state = ?2 WHERE id = ?1",
                    (self.id.0, state),
                )?;
                self.mark(connection, now)?;
            }
        }
        Ok(())
    }

    /// Writes a row anew around an access token that is well. What it was Graph is asked: one whose
    /// standing is not known is examined like one that has just come.
    fn salvage(
        &self,
        connection: &Connection,
        state: Option<GenerationState>,
        fingerprint: Fingerprint,
        now: Time,
    ) -> Result<(), Fault> {
        let state = match state {
            Some(state) => state,
            None if self.has_company(connection, GenerationState::Candidate)? => {
                GenerationState::Refused
            }
            None => GenerationState::Candidate,
        };
        let (expiry, expires_at) = columns::expiry(Expiry::Unknown);
        connection.execute(
            "UPDATE OR IGNORE generation SET state = ?2, origin = 'adopted', fingerprint = ?3,
                 obtained_at = ?4, expiry = ?5, expires_at = ?6, parent = NULL,
                 set_aside_at = iif(?2 = 'refused', ?4, NULL), broken_since = NULL
             WHERE id = ?1",
            params![
                self.id.0,
                state.as_str(),
                fingerprint.as_bytes(),
                now.timestamp(),
                expiry,
                expires_at
            ],
        )?;
        connection.execute("DELETE FROM proof WHERE generation = ?1", [self.id.0])?;
        Ok(())
    }

    /// A row that breaks what its table promises can be neither marked nor set aside.
    fn keep_writable(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection
            .execute(
                "UPDATE generation SET sealed = coalesce(sealed, x''),
                     expiry = iif(expiry = 'at' AND expires_at IS NULL, 'unknown', expiry),
                     expires_at = iif(expiry = 'at', expires_at, NULL)
                 WHERE id = ?1 AND (sealed IS NULL OR (expiry = 'at') <> (expires_at IS NOT NULL))",
                [self.id.0],
            )
            .map(drop)
    }

    fn mark(&self, connection: &Connection, now: Time) -> rusqlite::Result<()> {
        if self.marked {
            return Ok(());
        }
        connection
            .execute(
                "UPDATE generation SET broken_since = ?2 WHERE id = ?1",
                (self.id.0, now.timestamp()),
            )
            .map(drop)
    }

    /// Whether another generation of the token stands there.
    fn has_company(
        &self,
        connection: &Connection,
        state: GenerationState,
    ) -> rusqlite::Result<bool> {
        connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM generation WHERE token = ?1 AND state = ?2)",
            (self.token.0, state.as_str()),
            |row| row.get(0),
        )
    }
}

/// Repairs what is not about the access token itself.
fn repair(connection: &Connection, credential: &Credential, now: Time) -> Result<(), Fault> {
    let parts = credential.damage.as_ref().map(|damage| damage.parts.as_slice());
    for part in parts.unwrap_or_default() {
        match *part {
            part::PROOF => proofs::forget_damaged(connection, credential.id)?,
            part::RECORD => clear_record(connection, credential.id, now)?,
            part::DELIVERY => deliveries::repair(connection, credential.id, now)?,
            _ => {}
        }
    }
    Ok(())
}

/// What stands in the way of a renewal and what a list of Pages said is learnt again. A type that
/// cannot be read the config tells; an attempt that was left open began at the latest now.
fn clear_record(connection: &Connection, token: TokenId, now: Time) -> Result<(), Fault> {
    let types = crate::token::TokenType::ALL.iter().map(|it| format!("'{it}'"));
    let types = types.collect::<Vec<_>>().join(", ");
    connection.execute(
        &format!(
            "UPDATE token SET type = iif(type IN ({types}), type, 'user'), name = NULL,
                 page_id = iif(page_id GLOB '*[^0-9]*', NULL, page_id), listed = NULL,
                 unlisted_since = NULL, retired_at = NULL, last_refreshed_at = NULL,
                 last_attempt_at = NULL, consecutive_failures = 0, not_before = NULL,
                 first_miss_at = NULL, misses = 0, problem = NULL, answer_lost_at = NULL
             WHERE id = ?1"
        ),
        [token.0],
    )?;
    connection.execute(
        "UPDATE attempt SET planned_at = ?2
         WHERE token = ?1 AND closed_at IS NULL AND planned_at NOT BETWEEN 0 AND ?2",
        (token.0, now.timestamp()),
    )?;
    Ok(())
}

//! Succession: how one string takes another's place.
//!
//! A candidate takes the current string's place in one transaction that names whom it replaces and
//! says which targets are owed it; a write that finds another there does nothing. Nothing here ever
//! touches a current string because something else has failed.

use rusqlite::{Connection, OptionalExtension as _};

use super::events::Entry;
use super::fault::Fault;
use super::generations::one;
use super::ledger::{self, Setback};
use super::runs::RunId;
use super::{Result, Store, deliveries, proofs};
use crate::failpoint;
use crate::token::{
    EventKind, Generation, GenerationId, GenerationState, Problem, Proof, TargetId, Time, TokenId,
};

/// A candidate that is to become the current string.
#[derive(Debug, Clone)]
pub struct Promotion {
    /// The token.
    pub token: TokenId,
    /// The generation that is to become current.
    pub candidate: GenerationId,
    /// The one whose place it takes; none if there is none.
    pub supersedes: Option<GenerationId>,
    /// The answer that justifies it.
    pub proof: Option<Proof>,
    /// What the history calls it.
    pub event: EventKind,
    /// What is wrong with it all the same.
    pub problem: Option<Problem>,
    /// The targets that are owed it from then on.
    pub owes: Vec<TargetId>,
}

/// A candidate that is not taken. It stays sealed like a previous string.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The token.
    pub token: TokenId,
    /// The generation that is refused.
    pub candidate: GenerationId,
    /// What Graph said of it.
    pub proof: Option<Proof>,
    /// What the history and the ledger say; its generation is the candidate unless it names one.
    pub setback: Option<Setback>,
}

/// The same string came back, and ends later or hangs on another parent string.
#[derive(Debug, Clone)]
pub struct Extension {
    /// The token.
    pub token: TokenId,
    /// Its current generation.
    pub generation: GenerationId,
    /// The parent's generation that it was listed under, if it is derived.
    pub parent: Option<GenerationId>,
    /// The answer that tells its end.
    pub proof: Proof,
    /// What the history calls it.
    pub event: EventKind,
}

impl Store {
    /// Makes a candidate the current string, with its event and the deliveries that it owes, in one
    /// transaction.
    ///
    /// [`Superseded`](super::StoreError::Superseded) if another stands where the one was that it
    /// was to replace, or if it is no candidate any more.
    pub fn promote(&self, run: RunId, promotion: Promotion, now: Time) -> Result<Generation> {
        let promoted = self.write(move |connection| promote(connection, run, &promotion, now))?;
        failpoint::reach("promoted");
        Ok(promoted)
    }

    /// Sets a candidate aside.
    pub fn refuse(&self, run: RunId, refusal: Refusal, now: Time) -> Result<()> {
        self.write(move |connection| {
            let candidate = refusal.candidate;
            expect(connection, candidate, GenerationState::Candidate)?;
            if let Some(proof) = &refusal.proof {
                proofs::follow(connection, candidate, proof)?;
            }
            set_aside(connection, candidate, GenerationState::Refused, now)?;
            match refusal.setback {
                Some(mut setback) => {
                    setback.generation.get_or_insert(candidate);
                    setback.write(connection, run, now)?;
                }
                None => ledger::close(connection, refusal.token, now)?,
            }
            Ok(())
        })
    }

    /// Writes down that the current string lives on.
    pub fn extend(&self, run: RunId, extension: Extension, now: Time) -> Result<Generation> {
        self.write(move |connection| {
            let generation = extension.generation;
            let old = expect(connection, generation, GenerationState::Current)?;
            proofs::follow(connection, generation, &extension.proof)?;
            if let Some(valid) = extension.proof.inspection.valid {
                proofs::settle_verdict(connection, generation, valid)?;
            }
            connection
                .prepare_cached(
                    "UPDATE generation SET parent = coalesce(?2, parent) WHERE id = ?1",
                )?
                .execute((generation.0, extension.parent.map(|parent| parent.0)))?;
            let extended = one(connection, generation)?;
            Entry::new(extension.token, extension.event, now)
                .of(Some(generation))
                .moving(Some(old.expiry), extended.expiry)
                .write(connection, run)?;
            ledger::succeed(connection, extension.token, extension.event, now)?;
            Ok(extended)
        })
    }
}

/// The generation, if it stands where the write supposes.
fn expect(
    connection: &Connection,
    id: GenerationId,
    state: GenerationState,
) -> Result<Generation, Fault> {
    let generation = one(connection, id)?;
    if generation.state == state {
        return Ok(generation);
    }
    Err(Fault::Superseded(match state {
        GenerationState::Candidate => "a candidate",
        _ => "the current string",
    }))
}

/// Takes a generation out of use; its string stays sealed.
pub fn set_aside(
    connection: &Connection,
    id: GenerationId,
    state: GenerationState,
    now: Time,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE generation SET state = ?2, set_aside_at = ?3 WHERE id = ?1")?
        .execute((id.0, state.as_str(), now.timestamp()))
        .map(drop)
}

/// The current generation, readable or not.
fn in_place(connection: &Connection, token: TokenId) -> rusqlite::Result<Option<GenerationId>> {
    connection
        .prepare_cached("SELECT id FROM generation WHERE token = ?1 AND state = 'current'")?
        .query_row([token.0], |row| row.get(0).map(GenerationId))
        .optional()
}

fn promote(
    connection: &Connection,
    run: RunId,
    promotion: &Promotion,
    now: Time,
) -> Result<Generation, Fault> {
    let (token, candidate) = (promotion.token, promotion.candidate);
    let in_place = in_place(connection, token)?;
    // A damaged string that came again is the candidate now, and stands in nobody's place.
    if in_place != promotion.supersedes.filter(|supersedes| *supersedes != candidate) {
        return Err(Fault::Superseded("another current string"));
    }
    expect(connection, candidate, GenerationState::Candidate)?;
    let mut old = None;
    if let Some(current) = in_place {
        // Whose row is damaged is kept, and its end cannot be told.
        old = one(connection, current).ok().map(|current| current.expiry);
        set_aside(connection, current, GenerationState::Previous, now)?;
    }
    let changed = connection
        .prepare_cached("UPDATE generation SET state = 'current' WHERE id = ?1 AND token = ?2")?
        .execute((candidate.0, token.0))?;
    if changed == 0 {
        return Err(Fault::Superseded("a candidate of the same token"));
    }
    if let Some(proof) = &promotion.proof {
        proofs::follow(connection, candidate, proof)?;
    }
    let promoted = one(connection, candidate)?;
    // It was taken on this verdict; the history need not be told again.
    if let Some(valid) = promoted.proof.as_ref().and_then(|proof| proof.inspection.valid) {
        proofs::settle_verdict(connection, candidate, valid)?;
    }
    Entry::new(token, promotion.event, now)
        .of(Some(candidate))
        .moving(old, promoted.expiry)
        .because(promotion.problem.as_ref())
        .write(connection, run)?;
    deliveries::owe(connection, token, candidate, &promotion.owes, now)?;
    ledger::succeed(connection, token, promotion.event, now)?;
    Ok(promoted)
}

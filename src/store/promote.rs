//! Promotes candidates: how one access token takes another's place.
//!
//! A candidate takes the current one's place in one transaction that names what it replaces and says
//! which targets wait for it; a write that finds another there does nothing. Nothing here ever
//! touches a current access token because something else has failed.

use super::attempts::{self, Setback};
use super::events::NewEvent;
use super::generations::one;
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, values};
use super::{Result, Store, deliveries, proofs, rotations};
use crate::failpoint;
use crate::token::{
    Arrival, Credential, EventKind, Generation, GenerationId, GenerationState, Problem, Proof,
    TargetId, Time, TokenId,
};

/// A candidate that is to become the current generation, in the place of the one that the token
/// has.
#[derive(Debug, Clone)]
pub struct Promotion {
    /// The generation that is to become current.
    pub candidate: GenerationId,
    /// Where it comes from.
    pub successor: Successor,
    /// The answer that justifies it.
    pub proof: Option<Proof>,
    /// How it becomes that.
    pub arrival: Arrival,
    /// What is wrong with it all the same.
    pub problem: Option<Problem>,
    /// What is done about the one that it replaces.
    pub predecessor: Predecessor,
    /// The targets for which it is pending from then on.
    pub pending_for: Vec<TargetId>,
}

/// Where an access token comes from that is to become the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Successor {
    /// It is a candidate that Meta granted, or that was found.
    Candidate,
    /// It is a candidate that a person handed over: what rollbacks left before may be taken again.
    HandedOver,
    /// It is an earlier generation that a person goes back to: the one that it replaces is not taken
    /// again by itself.
    Earlier,
}

impl Successor {
    /// Where its generation stands before.
    const fn stands(self) -> GenerationState {
        match self {
            Self::Candidate | Self::HandedOver => GenerationState::Candidate,
            Self::Earlier => GenerationState::Previous,
        }
    }
}

/// What is done about an access token that another replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predecessor {
    /// It is kept for rollback.
    Kept,
    /// It is also asked about until it is dead.
    Watched,
}

/// A candidate that is not promoted. It stays sealed like a previous generation.
#[derive(Debug, Clone)]
pub struct RefusedCandidate {
    /// The generation that is refused.
    pub candidate: GenerationId,
    /// What Graph said of it.
    pub proof: Option<Proof>,
    /// What the history and the attempts say; its generation is the candidate unless it names one.
    pub setback: Option<Setback>,
}

/// The current access token came back, and expires later or was derived from another parent's.
#[derive(Debug, Clone)]
pub struct ExtendedExpiry {
    /// The current generation.
    pub generation: GenerationId,
    /// The parent's generation that it was listed under, if it is derived.
    pub parent: Option<GenerationId>,
    /// The answer that tells its expiry.
    pub proof: Proof,
    /// What the history calls it.
    pub event: EventKind,
}

impl Store {
    /// Makes a candidate the current generation, with its event and its pending deliveries, in
    /// one transaction.
    ///
    /// [`Superseded`](super::StoreError::Superseded) if another is current than the one that it is
    /// to replace, or if it is not a candidate any more.
    pub fn promote(
        &self,
        run: RunId,
        credential: Credential,
        promotion: Promotion,
        now: Time,
    ) -> Result<Credential> {
        let promoted = self.change(credential, Some(now), move |tx, credential| {
            promote(tx, run, credential, &promotion)
        })?;
        failpoint::reach("promoted");
        Ok(promoted)
    }

    /// Returns how a generation became the current one last, as far as the history still says it.
    pub fn arrival(&self, token: TokenId, generation: GenerationId) -> Result<Option<Arrival>> {
        self.read(move |tx| {
            let sql = "SELECT kind FROM event WHERE token = ?1 AND generation = ?2
                       ORDER BY at DESC, id DESC";
            let events = tx.undamaged(sql, values![token, generation], |mut row| {
                Ok(row.text("event.kind")?.to_owned())
            })?;
            Ok(events.iter().find_map(|kind| Arrival::from_name(kind)))
        })
    }

    /// Sets a candidate aside.
    pub fn refuse(
        &self,
        run: RunId,
        credential: Credential,
        refusal: RefusedCandidate,
        now: Time,
    ) -> Result<Credential> {
        self.change(credential, Some(now), move |tx, credential| {
            refuse(tx, run, credential.id, refusal)
        })
    }

    /// Records that the current access token lives on.
    pub fn extend(
        &self,
        run: RunId,
        credential: Credential,
        extension: ExtendedExpiry,
        now: Time,
    ) -> Result<Credential> {
        self.change(credential, Some(now), move |tx, credential| {
            extend(tx, run, credential.id, &extension)
        })
    }
}

/// Returns the generation, if it stands where the write supposes.
pub fn expect(
    tx: &mut dyn Tx,
    id: GenerationId,
    state: GenerationState,
) -> Result<Generation, TxError> {
    let generation = one(tx, id)?;
    if generation.state == state {
        return Ok(generation);
    }
    Err(TxError::Superseded(match state {
        GenerationState::Candidate => "a candidate",
        GenerationState::Previous => "an earlier access token",
        _ => "the current access token",
    }))
}

/// Takes a generation out of use; its access token stays sealed.
pub fn set_aside(tx: &mut dyn Tx, id: GenerationId, state: GenerationState) -> Result<(), TxError> {
    let now = tx.now();
    tx.execute(
        "UPDATE generation SET state = ?2, set_aside_at = ?3 WHERE id = ?1",
        values![id, state.as_str(), now],
    )
}

/// The current generation, readable or not.
fn in_place(tx: &mut dyn Tx, token: TokenId) -> Result<Option<GenerationId>, TxError> {
    tx.first(
        "SELECT id FROM generation WHERE token = ?1 AND state = 'current'",
        values![token],
        |mut row| row.integer("generation.id").map(GenerationId),
    )
}

/// Records that a rollback leaves the current generation, or that what rollbacks left before may be
/// taken again.
fn leave(
    tx: &mut dyn Tx,
    token: TokenId,
    current: GenerationId,
    successor: Successor,
) -> Result<(), TxError> {
    let now = tx.now();
    match successor {
        Successor::Candidate => Ok(()),
        Successor::HandedOver => tx.execute(
            "UPDATE generation SET left_at = NULL WHERE token = ?1 AND left_at IS NOT NULL",
            values![token],
        ),
        Successor::Earlier => {
            tx.execute("UPDATE generation SET left_at = ?2 WHERE id = ?1", values![current, now])
        }
    }
}

/// Promotes a generation in the caller's transaction.
pub fn promote(
    tx: &mut dyn Tx,
    run: RunId,
    credential: &Credential,
    promotion: &Promotion,
) -> Result<(), TxError> {
    let (token, candidate) = (credential.id, promotion.candidate);
    let in_place = in_place(tx, token)?;
    // A damaged access token that came again is the candidate now, and replaces nothing.
    if in_place != credential.in_place().filter(|in_place| *in_place != candidate) {
        return Err(TxError::Superseded("another current access token"));
    }
    expect(tx, candidate, promotion.successor.stands())?;
    let mut old = None;
    if let Some(current) = in_place {
        // A damaged row is kept, and its expiry is not known.
        old = one(tx, current).ok().map(|current| current.expiry);
        set_aside(tx, current, GenerationState::Previous)?;
        leave(tx, token, current, promotion.successor)?;
        if promotion.predecessor == Predecessor::Watched {
            let now = tx.now();
            tx.execute(
                "UPDATE generation SET rotated_at = ?2 WHERE id = ?1",
                values![current, now],
            )?;
        }
    }
    let changed = tx.execute_counted(
        "UPDATE generation SET state = 'current', rotated_at = NULL, left_at = NULL,
             given_to = NULL, revoked_at = NULL
         WHERE id = ?1 AND token = ?2",
        values![candidate, token],
    )?;
    if changed == 0 {
        return Err(TxError::Superseded("a candidate of the same token"));
    }
    if let Some(proof) = &promotion.proof {
        proofs::replace(tx, candidate, proof)?;
    }
    let promoted = one(tx, candidate)?;
    // It is promoted on this verdict; the history need not record it again.
    if let Some(valid) = promoted.proof.as_ref().and_then(|proof| proof.inspection.verdict()) {
        proofs::settle_verdict(tx, candidate, valid)?;
    }
    NewEvent::new(token, promotion.arrival.event(), tx.now())
        .of(Some(candidate))
        .moving(old, promoted.expiry)
        .because(promotion.problem.as_ref())
        .write(tx, run)?;
    rotations::note_place(tx, token, candidate)?;
    deliveries::set_pending(tx, token, candidate, &promotion.pending_for)?;
    attempts::succeed(tx, run, token)?;
    if promotion.arrival.is_renewal(promoted.origin) {
        attempts::note_renewed(tx, token)?;
    }
    Ok(())
}

fn refuse(
    tx: &mut dyn Tx,
    run: RunId,
    token: TokenId,
    refusal: RefusedCandidate,
) -> Result<(), TxError> {
    let candidate = refusal.candidate;
    expect(tx, candidate, GenerationState::Candidate)?;
    if let Some(proof) = &refusal.proof {
        proofs::replace(tx, candidate, proof)?;
    }
    set_aside(tx, candidate, GenerationState::Refused)?;
    if let Some(setback) =
        refusal.setback.as_ref().filter(|it| it.event == Some(EventKind::AdoptionRefused))
    {
        rotations::refuse_source(tx, token, candidate, setback.problem.as_ref())?;
    }
    match refusal.setback {
        Some(mut setback) => {
            setback.generation.get_or_insert(candidate);
            setback.write(tx, run, token)
        }
        None => attempts::close(tx, run, token),
    }
}

fn extend(
    tx: &mut dyn Tx,
    run: RunId,
    token: TokenId,
    extension: &ExtendedExpiry,
) -> Result<(), TxError> {
    let generation = extension.generation;
    let old = expect(tx, generation, GenerationState::Current)?;
    proofs::replace(tx, generation, &extension.proof)?;
    if let Some(valid) = extension.proof.inspection.verdict() {
        proofs::settle_verdict(tx, generation, valid)?;
    }
    if let Some(parent) = extension.parent {
        tx.execute("UPDATE generation SET parent = ?2 WHERE id = ?1", values![generation, parent])?;
    }
    let extended = one(tx, generation)?;
    NewEvent::new(token, extension.event, tx.now())
        .of(Some(generation))
        .moving(Some(old.expiry), extended.expiry)
        .write(tx, run)?;
    attempts::succeed(tx, run, token)?;
    attempts::note_renewed(tx, token)
}

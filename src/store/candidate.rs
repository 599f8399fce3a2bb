//! Takes new access tokens into the store.
//!
//! A new access token is sealed as the candidate and is on the disk before anything looks at it: a
//! kill afterwards costs nothing, and Meta may not give it twice. What becomes of it is decided in
//! `promote.rs`.

use super::attempts::note_exchanged;
use super::columns;
use super::generations::one;
use super::promote::set_aside;
use super::row::{BadCell, Row};
use super::seal::Seals;
use super::stock::state_of;
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::values;
use super::{Result, Store};
use crate::failpoint;
use crate::token::{
    AccessToken, Credential, Expiry, Fingerprint, Generation, GenerationId, GenerationState,
    Origin, Time, TokenId,
};

/// An access token that has just come in.
#[derive(Debug, Clone)]
pub struct NewCandidate {
    /// The access token.
    pub access_token: AccessToken,
    /// How it came.
    pub origin: Origin,
    /// When it expires, as far as the grant said.
    pub expiry: Expiry,
    /// What Meta was given for it: the parent's generation that it was derived from, or the
    /// generation from outside that it was exchanged for.
    pub parent: Option<GenerationId>,
}

impl Store {
    /// Seals an access token as the token's candidate; when this returns it is on the disk.
    ///
    /// What was exchanged for it is remembered. An older candidate is refused, unless the new one was exchanged for it. An access token that the token had before keeps its number,
    /// and one that it has now stays what it is; which generation it is, is given beside the token.
    pub fn seal_candidate(
        &self,
        credential: Credential,
        new: NewCandidate,
        now: Time,
    ) -> Result<(Credential, Generation)> {
        let seals = self.seals()?;
        failpoint::reach("before-seal");
        let sealed = self.change(credential, Some(now), move |tx, credential| {
            let id = seal(tx, &seals, credential.id, &new)?;
            if new.origin == Origin::Exchanged {
                note_exchanged(tx, credential.id)?;
            }
            one(tx, id)
        })?;
        failpoint::reach("sealed");
        Ok(sealed)
    }
}

/// Seals an access token as the token's candidate, in the caller's transaction.
pub fn seal(
    tx: &mut dyn Tx,
    seals: &Seals,
    token: TokenId,
    new: &NewCandidate,
) -> Result<GenerationId, TxError> {
    let fingerprint = seals.fingerprint(&new.access_token);
    let known = known(tx, token, &fingerprint)?;
    if let Some(known) = known.as_ref().filter(|known| known.is_live()) {
        return Ok(known.id);
    }
    let older = tx.first(
        "SELECT id FROM generation WHERE token = ?1 AND state = 'candidate'",
        values![token],
        |mut row| row.integer("generation.id").map(GenerationId),
    )?;
    if let Some(older) = older {
        let is_used_up = new.parent == Some(older);
        let state = if is_used_up { GenerationState::Previous } else { GenerationState::Refused };
        set_aside(tx, older, state)?;
    }
    match known {
        Some(known) => bring_back(tx, seals, token, new, &known),
        None => add(tx, seals, token, new, fingerprint),
    }
}

/// A generation whose access token came again, as far as its row can be read.
struct KnownGeneration {
    id: GenerationId,
    number: Option<u32>,
    state: Option<GenerationState>,
    intact: bool,
    expiry: Expiry,
}

impl KnownGeneration {
    /// Whether it is in use, or waits to be: a damaged one is not.
    const fn is_live(&self) -> bool {
        let live =
            matches!(self.state, Some(GenerationState::Current | GenerationState::Candidate));
        live && self.intact
    }

    fn read(row: Row<'_>) -> Result<Self, BadCell> {
        let itself = row.at(0).generation_itself();
        let broken = row.at(columns::GENERATION_CELLS).maybe_integer("generation.broken_since")?;
        Ok(Self {
            id: GenerationId(row.at(0).integer("generation.id")?),
            number: row.at(1).number("generation.number").ok(),
            state: state_of(row),
            intact: broken.is_none() && itself.is_ok(),
            expiry: itself.map_or(Expiry::Unknown, |generation| generation.expiry),
        })
    }
}

fn known(
    tx: &mut dyn Tx,
    token: TokenId,
    fingerprint: &Fingerprint,
) -> Result<Option<KnownGeneration>, TxError> {
    let sql = format!(
        "SELECT {}, g.broken_since FROM generation g LEFT JOIN proof p ON p.generation = g.id
         WHERE g.token = ?1 AND g.fingerprint = ?2",
        columns::GENERATION
    );
    tx.first(&sql, values![token, fingerprint.as_bytes()], KnownGeneration::read)
}

/// An access token that the token had before is the same generation, sealed anew. Of a damaged row
/// nothing else is kept.
fn bring_back(
    tx: &mut dyn Tx,
    seals: &Seals,
    token: TokenId,
    new: &NewCandidate,
    known: &KnownGeneration,
) -> Result<GenerationId, TxError> {
    let end = if new.expiry == Expiry::Unknown { known.expiry } else { new.expiry };
    let (expiry, expires_at) = columns::expiry(end);
    let number = match known.number {
        Some(number) => number,
        None => next_number(tx, token)?,
    };
    let sealed = seals.seal(token, number, &new.access_token);
    let now = tx.now();
    tx.execute(
        "UPDATE generation SET state = 'candidate', origin = ?2, sealed = ?3, expiry = ?4,
             expires_at = ?5, set_aside_at = NULL, number = ?6, broken_since = NULL,
             forgotten_at = NULL
         WHERE id = ?1",
        values![known.id, new.origin.as_str(), &sealed, expiry, expires_at, number],
    )?;
    if !known.intact {
        tx.execute(
            "UPDATE generation SET parent = NULL, obtained_at = ?2 WHERE id = ?1",
            values![known.id, now],
        )?;
    }
    if let Some(parent) = new.parent {
        tx.execute("UPDATE generation SET parent = ?2 WHERE id = ?1", values![known.id, parent])?;
    }
    Ok(known.id)
}

/// The number of a token's next generation; one that cannot be read does not count.
fn next_number(tx: &mut dyn Tx, token: TokenId) -> Result<u32, TxError> {
    let next = tx.first(
        "SELECT coalesce(max(number), 0) + 1 AS number FROM generation
         WHERE token = ?1 AND number BETWEEN 0 AND 2147483647",
        values![token],
        |mut row| row.number("generation.number"),
    )?;
    Ok(next.unwrap_or(1))
}

fn add(
    tx: &mut dyn Tx,
    seals: &Seals,
    token: TokenId,
    new: &NewCandidate,
    fingerprint: Fingerprint,
) -> Result<GenerationId, TxError> {
    let number = next_number(tx, token)?;
    let (expiry, expires_at) = columns::expiry(new.expiry);
    let sealed = seals.seal(token, number, &new.access_token);
    let now = tx.now();
    let id = tx.first(
        "INSERT INTO generation (token, number, state, origin, fingerprint, sealed, obtained_at,
             expiry, expires_at, parent)
         VALUES (?1, ?2, 'candidate', ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         RETURNING id",
        values![
            token,
            number,
            new.origin.as_str(),
            fingerprint.as_bytes(),
            &sealed,
            now,
            expiry,
            expires_at,
            new.parent,
        ],
        |mut row| row.integer("generation.id").map(GenerationId),
    )?;
    id.ok_or(TxError::Absent("generation"))
}

//! Takes new access tokens into the store.
//!
//! A new access token is sealed as the candidate and is on the disk before anything looks at it: a
//! kill afterwards costs nothing, and Meta may not give it twice. What becomes of it is decided in
//! `promote.rs`.

use super::attempts;
use super::columns;
use super::exchanges::note_exchanged;
use super::generations::one;
use super::load::state_of;
use super::minting;
use super::promote::set_aside;
use super::row::{BadCell, Row};
use super::seal::Seals;
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, values};
use super::{Result, Store};
use crate::failpoint;
use crate::token::{
    AccessToken, Arrival, Concession, Credential, Expiry, Fingerprint, Generation, GenerationId,
    GenerationState, LoginCheck, Origin, Time, TokenId,
};

/// An access token that has just come in.
#[derive(Debug, Clone)]
pub struct NewCandidate {
    /// The access token.
    pub access_token: AccessToken,
    /// How it came.
    pub origin: Origin,
    /// How it becomes the current one.
    pub arrival: Arrival,
    /// What a person gives up for it, if it is handed over.
    pub handed_over: Option<Concession>,
    /// What has to be found out about the person who logged in first.
    pub login_check: Option<LoginCheck>,
    /// When it expires, as far as the grant said.
    pub expiry: Expiry,
    /// What Meta was given for it: the parent's generation that it was derived from, or the
    /// generation from outside that it was exchanged for.
    pub parent: Option<GenerationId>,
}

impl NewCandidate {
    /// One that was found outside.
    pub const fn found(access_token: AccessToken) -> Self {
        Self {
            access_token,
            origin: Origin::Adopted,
            arrival: Arrival::Adopted,
            handed_over: None,
            login_check: None,
            expiry: Expiry::Unknown,
            parent: None,
        }
    }

    /// One that Meta gave for what is here.
    pub fn granted(access_token: AccessToken, origin: Origin, expiry: Expiry) -> Self {
        Self { origin, arrival: origin.into(), expiry, ..Self::found(access_token) }
    }

    /// The same, handed over.
    #[must_use]
    pub fn handed_over(self, arrival: Arrival, concession: Concession) -> Self {
        Self { arrival, handed_over: Some(concession), ..self }
    }
}

impl Store {
    /// Seals an access token as the token's candidate; when this returns it is on the disk.
    ///
    /// What was exchanged for it is remembered, and what Meta was asked for is answered in the same
    /// commit. An older candidate is refused, unless the new one was exchanged for it. An access token
    /// that the token had before keeps its number, and one that it has now stays what it is; which
    /// generation it is, is given beside the token.
    pub fn seal_candidate(
        &self,
        credential: Credential,
        new: NewCandidate,
        now: Time,
    ) -> Result<(Credential, Generation)> {
        let (seals, own) = (self.seals()?, self.own_run());
        failpoint::reach("before-seal");
        let sealed = self.change_returning(credential, Some(now), move |tx, credential| {
            let id = seal(tx, &seals, own, credential.id, &new)?;
            note_answered(tx, own, credential.id, &new)?;
            one(tx, id)
        })?;
        failpoint::reach("sealed");
        Ok(sealed)
    }
}

/// Records that what Meta was asked for is here.
fn note_answered(
    tx: &mut dyn Tx,
    run: RunId,
    token: TokenId,
    new: &NewCandidate,
) -> Result<(), TxError> {
    match (new.origin, new.arrival) {
        (Origin::Exchanged, _) => {
            note_exchanged(tx, token)?;
            attempts::close(tx, run, token)
        }
        (Origin::Refreshed, _) | (_, Arrival::LoggedIn) => attempts::close(tx, run, token),
        (Origin::Minted, _) => minting::note_answered(tx, token),
        (Origin::Adopted | Origin::Derived, _) => Ok(()),
    }
}

/// Seals an access token as the token's candidate, in the caller's transaction.
pub fn seal(
    tx: &mut dyn Tx,
    seals: &Seals,
    run: RunId,
    token: TokenId,
    new: &NewCandidate,
) -> Result<GenerationId, TxError> {
    let fingerprint = seals.fingerprint(&new.access_token);
    let known = known(tx, token, &fingerprint)?;
    if let Some(known) = known.as_ref().filter(|known| known.is_live()) {
        return hand_over_again(tx, run, known, new);
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
        Some(known) => bring_back(tx, seals, run, token, new, &known),
        None => add(tx, seals, run, token, new, fingerprint),
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

/// A candidate that a person hands over goes by what is said of it now, whoever has sealed it.
fn hand_over_again(
    tx: &mut dyn Tx,
    run: RunId,
    known: &KnownGeneration,
    new: &NewCandidate,
) -> Result<GenerationId, TxError> {
    if new.handed_over.is_some() && known.state == Some(GenerationState::Candidate) {
        let end = if new.expiry == Expiry::Unknown { known.expiry } else { new.expiry };
        let (expiry, expires_at) = columns::expiry(end);
        tx.execute(
            "UPDATE generation SET arrival = ?2, handed_over = ?3, expiry = ?4, expires_at = ?5,
                 sealed_in = ?6, login_check = ?7
             WHERE id = ?1",
            values![
                known.id,
                new.arrival.as_str(),
                new.handed_over.map(Concession::as_str),
                expiry,
                expires_at,
                run,
                new.login_check.as_ref().map(LoginCheck::as_str)
            ],
        )?;
    }
    Ok(known.id)
}

/// An access token that the token had before is the same generation, sealed anew. Of a damaged row
/// nothing else is kept.
fn bring_back(
    tx: &mut dyn Tx,
    seals: &Seals,
    run: RunId,
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
             forgotten_at = NULL, arrival = ?7, handed_over = ?8, sealed_in = ?9, login_check = ?10
         WHERE id = ?1",
        values![
            known.id,
            new.origin.as_str(),
            &sealed,
            expiry,
            expires_at,
            number,
            new.arrival.as_str(),
            new.handed_over.map(Concession::as_str),
            run,
            new.login_check.as_ref().map(LoginCheck::as_str),
        ],
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
    run: RunId,
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
             expiry, expires_at, parent, arrival, handed_over, sealed_in, login_check)
         VALUES (?1, ?2, 'candidate', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
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
            new.arrival.as_str(),
            new.handed_over.map(Concession::as_str),
            run,
            new.login_check.as_ref().map(LoginCheck::as_str),
        ],
        |mut row| row.integer("generation.id").map(GenerationId),
    )?;
    id.ok_or(TxError::Absent("generation"))
}

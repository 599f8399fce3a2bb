//! Arrival: how a string comes into the store.
//!
//! A new string is sealed as the candidate and is on the disk before anyone looks at it: a kill
//! afterwards costs nothing, and nobody promises that Meta gives it twice. What becomes of it is
//! decided in `succession.rs`.

use rusqlite::Connection;

use super::fault::Fault;
use super::generations::{find, one};
use super::seal::Seals;
use super::succession::set_aside;
use super::{Result, Store, columns};
use crate::failpoint;
use crate::token::{
    AccessToken, Expiry, Fingerprint, Generation, GenerationId, GenerationState, Origin, Time,
    TokenId,
};

/// A string that has just come to us.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The token it is for.
    pub token: TokenId,
    /// The string.
    pub string: AccessToken,
    /// How it came.
    pub origin: Origin,
    /// When it ends, as far as the grant said.
    pub expiry: Expiry,
    /// The parent's generation that it was derived from.
    pub parent: Option<GenerationId>,
}

impl Store {
    /// Seals a string as the token's candidate; when this returns it is on the disk.
    ///
    /// An older candidate is refused. A string that the token had before keeps its number, and
    /// one that it has now stays what it is.
    pub fn seal_candidate(&self, arrival: Arrival, now: Time) -> Result<Generation> {
        let seals = self.seals()?.clone();
        failpoint::reach("before-seal");
        let sealed = self.write(move |connection| {
            let id = arrive(connection, &seals, &arrival, now)?;
            one(connection, id)
        })?;
        failpoint::reach("sealed");
        Ok(sealed)
    }
}

fn arrive(
    connection: &Connection,
    seals: &Seals,
    arrival: &Arrival,
    now: Time,
) -> Result<GenerationId, Fault> {
    let token = arrival.token;
    let fingerprint = seals.fingerprint(&arrival.string);
    let known =
        find(connection, "g.token = ?1 AND g.fingerprint = ?2", (token.0, fingerprint.as_bytes()))?;
    if let Some(known) = &known
        && matches!(known.state, GenerationState::Current | GenerationState::Candidate)
    {
        return Ok(known.id);
    }
    if let Some(older) = find(connection, "g.token = ?1 AND g.state = 'candidate'", [token.0])? {
        set_aside(connection, older.id, GenerationState::Refused, now)?;
    }
    match known {
        Some(known) => bring_back(connection, seals, arrival, &known),
        None => add(connection, seals, arrival, fingerprint, now),
    }
}

/// A string that the token had before is the same generation, sealed anew.
fn bring_back(
    connection: &Connection,
    seals: &Seals,
    arrival: &Arrival,
    known: &Generation,
) -> Result<GenerationId, Fault> {
    let end = if arrival.expiry == Expiry::Unknown { known.expiry } else { arrival.expiry };
    let (expiry, expires_at) = columns::expiry(end);
    connection.execute(
        "UPDATE generation SET state = 'candidate', origin = ?2, sealed = ?3, expiry = ?4,
             expires_at = ?5, parent = coalesce(?6, parent), set_aside_at = NULL WHERE id = ?1",
        (
            known.id.0,
            arrival.origin.as_str(),
            seals.seal(arrival.token, known.number, &arrival.string),
            expiry,
            expires_at,
            arrival.parent.map(|parent| parent.0),
        ),
    )?;
    Ok(known.id)
}

fn add(
    connection: &Connection,
    seals: &Seals,
    arrival: &Arrival,
    fingerprint: Fingerprint,
    now: Time,
) -> Result<GenerationId, Fault> {
    let token = arrival.token;
    let number: u32 = connection
        .prepare_cached("SELECT coalesce(max(number), 0) + 1 FROM generation WHERE token = ?1")?
        .query_row([token.0], |row| row.get(0))?;
    let (expiry, expires_at) = columns::expiry(arrival.expiry);
    connection
        .prepare_cached(
            "INSERT INTO generation (token, number, state, origin, fingerprint, sealed,
                 obtained_at, expiry, expires_at, parent)
             VALUES (?1, ?2, 'candidate', ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute((
            token.0,
            number,
            arrival.origin.as_str(),
            fingerprint.as_bytes(),
            seals.seal(token, number, &arrival.string),
            now.timestamp(),
            expiry,
            expires_at,
            arrival.parent.map(|parent| parent.0),
        ))?;
    Ok(GenerationId(connection.last_insert_rowid()))
}

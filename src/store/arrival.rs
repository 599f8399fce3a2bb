//! Arrival: how a string comes into the store.
//!
//! A new string is sealed as the candidate and is on the disk before anyone looks at it: a kill
//! afterwards costs nothing, and nobody promises that Meta gives it twice. What becomes of it is
//! decided in `succession.rs`.

use rusqlite::{Connection, OptionalExtension as _};

use super::columns::Cells;
use super::fault::Fault;
use super::generations::one;
use super::seal::Seals;
use super::succession::set_aside;
use super::tokens::state_of;
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
    let known = acquaintance(connection, token, &fingerprint)?;
    if let Some(known) = known.as_ref().filter(|known| known.is_live()) {
        return Ok(known.id);
    }
    let older: Option<i64> = connection
        .prepare_cached("SELECT id FROM generation WHERE token = ?1 AND state = 'candidate'")?
        .query_row([token.0], |row| row.get(0))
        .optional()?;
    if let Some(older) = older {
        set_aside(connection, GenerationId(older), GenerationState::Refused, now)?;
    }
    match known {
        Some(known) => bring_back(connection, seals, arrival, &known, now),
        None => add(connection, seals, arrival, fingerprint, now),
    }
}

/// A string that the token had before, as far as its row can be read.
struct Acquaintance {
    id: GenerationId,
    number: Option<u32>,
    state: Option<GenerationState>,
    intact: bool,
    expiry: Expiry,
}

impl Acquaintance {
    /// Whether it is in use, or waits to be: a damaged one is not.
    const fn is_live(&self) -> bool {
        let live =
            matches!(self.state, Some(GenerationState::Current | GenerationState::Candidate));
        live && self.intact
    }
}

fn acquaintance(
    connection: &Connection,
    token: TokenId,
    fingerprint: &Fingerprint,
) -> rusqlite::Result<Option<Acquaintance>> {
    let sql = format!(
        "SELECT {}, g.broken_since FROM generation g LEFT JOIN proof p ON p.generation = g.id
         WHERE g.token = ?1 AND g.fingerprint = ?2",
        columns::GENERATION
    );
    connection
        .prepare_cached(&sql)?
        .query_row((token.0, fingerprint.as_bytes()), |row| {
            let read = Cells::of(row).generation_itself();
            let broken: Option<i64> = row.get(columns::GENERATION_CELLS)?;
            Ok(Acquaintance {
                id: GenerationId(row.get(0)?),
                number: row.get(1).ok(),
                state: state_of(row),
                intact: broken.is_none() && read.is_ok(),
                expiry: read.map_or(Expiry::Unknown, |generation| generation.expiry),
            })
        })
        .optional()
}

/// A string that the token had before is the same generation, sealed anew. Of a damaged row nothing
/// else is kept.
fn bring_back(
    connection: &Connection,
    seals: &Seals,
    arrival: &Arrival,
    known: &Acquaintance,
    now: Time,
) -> Result<GenerationId, Fault> {
    let end = if arrival.expiry == Expiry::Unknown { known.expiry } else { arrival.expiry };
    let (expiry, expires_at) = columns::expiry(end);
    let number = match known.number {
        Some(number) => number,
        None => next_number(connection, arrival.token)?,
    };
    connection.execute(
        "UPDATE generation SET state = 'candidate', origin = ?2, sealed = ?3, expiry = ?4,
             expires_at = ?5, parent = coalesce(?6, iif(?7, parent, NULL)), set_aside_at = NULL,
             number = ?8, obtained_at = iif(?7, obtained_at, ?9), broken_since = NULL
         WHERE id = ?1",
        (
            known.id.0,
            arrival.origin.as_str(),
            seals.seal(arrival.token, number, &arrival.string),
            expiry,
            expires_at,
            arrival.parent.map(|parent| parent.0),
            known.intact,
            number,
            now.timestamp(),
        ),
    )?;
    Ok(known.id)
}

/// The number of a token's next string; one that cannot be read does not count.
fn next_number(connection: &Connection, token: TokenId) -> rusqlite::Result<u32> {
    connection
        .prepare_cached(
            "SELECT coalesce(max(number), 0) + 1 FROM generation
             WHERE token = ?1 AND number BETWEEN 0 AND 2147483647",
        )?
        .query_row([token.0], |row| row.get(0))
}

fn add(
    connection: &Connection,
    seals: &Seals,
    arrival: &Arrival,
    fingerprint: Fingerprint,
    now: Time,
) -> Result<GenerationId, Fault> {
    let token = arrival.token;
    let number = next_number(connection, token)?;
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

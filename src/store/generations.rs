//! Generations: the strings a token has or had, as they are looked up.
//!
//! A row says everything but the string; that comes out through [`Store::reveal`] alone. A
//! fingerprint outlives its string, so that one which comes back is known for what it was.

use rusqlite::{Connection, OptionalExtension as _};

use super::columns::{self, Cells};
use super::fault::Fault;
use super::{Result, Store};
use crate::token::{
    AccessToken, Fingerprint, Generation, GenerationId, GenerationState, Label, TokenId,
};

/// A token that has or had a certain string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The token.
    pub token: TokenId,
    /// Its label.
    pub label: Label,
    /// The generation that the string is or was.
    pub generation: GenerationId,
    /// Where that generation stands.
    pub state: GenerationState,
}

impl Store {
    /// Every generation of a token that can be read, newest first.
    pub fn generations(&self, token: TokenId) -> Result<Vec<Generation>> {
        self.read(move |connection| {
            let sql = select("g.token = ?1 ORDER BY g.number DESC");
            let mut statement = connection.prepare(&sql)?;
            let rows =
                statement.query_map([token.0], |row| Ok(Cells::of(row).generation().ok()))?;
            Ok(rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Opens a generation's seal.
    pub fn reveal(&self, generation: GenerationId) -> Result<AccessToken> {
        let seals = self.seals()?.clone();
        self.read(move |connection| {
            let (token, number, sealed): (i64, u32, Option<Vec<u8>>) = connection
                .prepare_cached("SELECT token, number, sealed FROM generation WHERE id = ?1")?
                .query_row([generation.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?
                .ok_or(Fault::Absent("generation"))?;
            seals.open(TokenId(token), number, &sealed.ok_or(Fault::Purged)?)
        })
    }

    /// What stands for a string in this store.
    pub fn fingerprint(&self, string: &AccessToken) -> Result<Fingerprint> {
        Ok(self.seals()?.fingerprint(string))
    }

    /// Who has or ever had the string of this fingerprint, purged or not. Of a row whose state cannot
    /// be read it is supposed that it is in use; one of a token whose label cannot be read is nobody's.
    pub fn sightings(&self, fingerprint: &Fingerprint) -> Result<Vec<Sighting>> {
        let fingerprint = *fingerprint;
        self.read(move |connection| Ok(sightings(connection, &fingerprint)?))
    }

    /// The same of each of these, in their order, read together.
    pub fn sightings_of_each(&self, fingerprints: &[Fingerprint]) -> Result<Vec<Vec<Sighting>>> {
        let fingerprints = fingerprints.to_vec();
        self.read(move |connection| {
            fingerprints.iter().map(|it| Ok(sightings(connection, it)?)).collect()
        })
    }
}

fn sightings(
    connection: &Connection,
    fingerprint: &Fingerprint,
) -> rusqlite::Result<Vec<Sighting>> {
    let mut statement = connection.prepare_cached(
        "SELECT g.token, t.label, g.id, g.state
         FROM generation g JOIN token t ON t.id = g.token
         WHERE g.fingerprint = ?1 ORDER BY t.label",
    )?;
    let rows = statement.query_map([fingerprint.as_bytes()], |row| {
        let token = TokenId(row.get(0)?);
        let Ok(label) = Cells::from(row, 1).label() else { return Ok(None) };
        let generation = GenerationId(row.get(2)?);
        let state = Cells::from(row, 3).named(GenerationState::from_name, "a state");
        let state = state.unwrap_or(GenerationState::Current);
        Ok(Some(Sighting { token, label, generation, state }))
    })?;
    rows.filter_map(Result::transpose).collect()
}

fn select(which: &str) -> String {
    format!(
        "SELECT {} FROM generation g LEFT JOIN proof p ON p.generation = g.id WHERE {which}",
        columns::GENERATION
    )
}

/// The one generation of which this holds.
pub(super) fn find(
    connection: &Connection,
    which: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Option<Generation>> {
    connection
        .prepare_cached(&select(which))?
        .query_row(parameters, |row| Cells::of(row).generation())
        .optional()
}

/// The generation of that number.
pub(super) fn one(connection: &Connection, id: GenerationId) -> Result<Generation, Fault> {
    find(connection, "g.id = ?1", [id.0])?.ok_or(Fault::Absent("generation"))
}

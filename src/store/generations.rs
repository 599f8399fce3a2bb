//! Looks up generations, the access tokens that a token has or had.
//!
//! A row says everything but the access token; that comes out through [`Store::reveal`] alone. A
//! fingerprint outlives its access token, so that one which comes back is recognised.

use super::columns;
use super::row::{BadCell, Row};
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{SqlValue, values};
use super::{Result, Store};
use crate::token::{
    AccessToken, Fingerprint, Generation, GenerationId, GenerationState, Label, Secret, TokenId,
};

/// A token that has or had a certain access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The token.
    pub token: TokenId,
    /// Its label.
    pub label: Label,
    /// The generation that it is or was.
    pub generation: GenerationId,
    /// Where that generation stands.
    pub state: GenerationState,
    /// Whether nothing may take it again by itself: it was revoked from here, a rollback has left it,
    /// or another token has got it.
    pub is_barred: bool,
    /// Whether it was forgotten since.
    pub is_forgotten: bool,
}

impl Store {
    /// Returns every generation of a token that can be read, newest first.
    pub fn generations(&self, token: TokenId) -> Result<Vec<Generation>> {
        self.read(move |tx| {
            let sql = select("g.token = ?1 ORDER BY g.number DESC");
            tx.undamaged(&sql, values![token], |mut row| row.generation())
        })
    }

    /// Returns one generation, with the last answer about it.
    pub fn generation(&self, generation: GenerationId) -> Result<Generation> {
        self.read(move |tx| one(tx, generation))
    }

    /// Opens a generation's seal.
    pub fn reveal(&self, generation: GenerationId) -> Result<AccessToken> {
        let seals = self.seals()?;
        self.read(move |tx| {
            let found = tx.first(
                "SELECT token, number, sealed FROM generation WHERE id = ?1",
                values![generation],
                |mut row| {
                    let token = row.token("generation.token")?;
                    let number = row.number("generation.number")?;
                    let sealed = row.maybe_blob("generation.sealed")?.map(<[u8]>::to_vec);
                    Ok((token, number, sealed))
                },
            )?;
            let (token, number, sealed) = found.ok_or(TxError::Absent("generation"))?;
            let sealed = sealed.ok_or(TxError::Purged)?;
            match seals.open(token, number, &sealed) {
                Err(TxError::BrokenSeal) => seals.as_they_are_now(tx)?.open(token, number, &sealed),
                opened => opened,
            }
        })
    }

    /// Returns what stands for an access token in this store.
    pub fn fingerprint(&self, access_token: &AccessToken) -> Result<Fingerprint> {
        Ok(self.seals()?.fingerprint(access_token))
    }

    /// Returns what stands for the id and the secret of an app in this store.
    pub fn fingerprint_of_app(&self, id: &str, secret: Option<&Secret>) -> Result<Fingerprint> {
        Ok(self.seals()?.app(id, secret))
    }

    /// Returns which tokens have or ever had the access token of this fingerprint, purged or not. A
    /// generation whose state cannot be read counts as current; one of a token whose label cannot
    /// be read is left out.
    pub fn sightings(&self, fingerprint: &Fingerprint) -> Result<Vec<Sighting>> {
        let fingerprint = *fingerprint;
        self.read(move |tx| sightings(tx, &fingerprint))
    }

    /// Returns the same of each of these, in their order, read together.
    pub fn sightings_of_each(&self, fingerprints: &[Fingerprint]) -> Result<Vec<Vec<Sighting>>> {
        let fingerprints = fingerprints.to_vec();
        self.read(move |tx| fingerprints.iter().map(|it| sightings(tx, it)).collect())
    }
}

fn sightings(tx: &mut dyn Tx, fingerprint: &Fingerprint) -> Result<Vec<Sighting>, TxError> {
    tx.undamaged(
        "SELECT g.token, t.label, g.id, g.state, g.revoked_at, g.left_at, g.given_to,
             g.forgotten_at
         FROM generation g JOIN token t ON t.id = g.token
         WHERE g.fingerprint = ?1 ORDER BY t.label",
        values![fingerprint.as_bytes()],
        sighting,
    )
}

fn sighting(mut row: Row<'_>) -> Result<Sighting, BadCell> {
    let token = row.token("generation.token")?;
    let label = row.label("token.label")?;
    let generation = GenerationId(row.integer("generation.id")?);
    let state = row
        .named("generation.state", GenerationState::from_name)
        .unwrap_or(GenerationState::Current);
    let is_revoked = row.maybe_integer("generation.revoked_at")?.is_some();
    let is_left = row.maybe_integer("generation.left_at")?.is_some();
    let is_given = row.maybe_integer("generation.given_to")?.is_some();
    let forgotten_at = row.maybe_integer("generation.forgotten_at")?;
    // What is in use or waits was not forgotten, whatever a damaged row says.
    let is_live = matches!(state, GenerationState::Current | GenerationState::Candidate);
    let is_forgotten = forgotten_at.is_some() && !is_live;
    let is_barred = is_revoked || is_left || is_given;
    Ok(Sighting { token, label, generation, state, is_barred, is_forgotten })
}

fn select(which: &str) -> String {
    format!(
        "SELECT {} FROM generation g LEFT JOIN proof p ON p.generation = g.id WHERE {which}",
        columns::GENERATION
    )
}

/// Returns the one generation of which this holds.
pub fn find(
    tx: &mut dyn Tx,
    which: &str,
    parameters: &[SqlValue<'_>],
) -> Result<Option<Generation>, TxError> {
    tx.first(&select(which), parameters, |mut row| row.generation())
}

/// Returns the generation of that number.
pub fn one(tx: &mut dyn Tx, id: GenerationId) -> Result<Generation, TxError> {
    find(tx, "g.id = ?1", values![id])?.ok_or(TxError::Absent("generation"))
}

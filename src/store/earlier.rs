//! Reads the earlier generations of a token: what is left of each, and which may not come back by
//! themselves.

use std::collections::HashMap;

use super::columns;
use super::row::{BadCell, Row};
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, SqlValue, values};
use super::{Result, Store};
use crate::token::{
    Credential, EventKind, Fingerprint, Generation, GenerationId, GenerationState, GivenNow,
    GivenTo, Label, TokenId,
};

/// A generation of a token by its number, and what is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastGeneration {
    /// The store's number for it.
    pub id: GenerationId,
    /// Its number among those of its token.
    pub number: u32,
    /// What is left of it.
    pub remains: Remains,
}

/// What is left of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remains {
    /// Its access token is sealed.
    Sealed(Box<Generation>),
    /// Its access token is sealed, and was revoked from here.
    Revoked,
    /// Its access token was wiped.
    Purged,
    /// Its row cannot be read.
    Damaged,
}

impl Store {
    /// Returns every generation of a token, the newest first; one whose number cannot be read is left
    /// out.
    pub fn past(&self, token: TokenId) -> Result<Vec<PastGeneration>> {
        self.read(move |tx| {
            let sql = format!(
                "SELECT {}, g.broken_since, g.revoked_at, g.sealed IS NOT NULL AS sealed
                 FROM generation g LEFT JOIN proof p ON p.generation = g.id
                 WHERE g.token = ?1 ORDER BY g.number DESC",
                columns::GENERATION
            );
            tx.undamaged(&sql, values![token], past)
        })
    }

    /// Takes over what a run that was cut short did with this generation, so that it is what this run
    /// did; returns whether there is any. Nobody was told of it, and the same command finishes it once.
    pub fn take_over(&self, generation: GenerationId, event: EventKind) -> Result<bool> {
        let own = self.own_run();
        self.write(move |tx| take_over(tx, generation, event, own))
    }

    /// Takes over an access token that a run sealed which was cut short, so that this run has sealed it;
    /// returns whether it is one. Whoever has put it in place since, the person who asked for it was not
    /// told, and the same command finishes it once.
    pub fn take_over_sealed(&self, generation: GenerationId) -> Result<bool> {
        let own = self.own_run();
        self.write(move |tx| {
            let taken = tx.execute_counted(
                "UPDATE generation SET sealed_in = ?2 WHERE id = ?1 AND sealed_in <> ?2
                 AND sealed_in IN (SELECT id FROM run WHERE finished_at IS NULL OR exit_code > 128)",
                values![generation, own],
            )?;
            Ok(taken > 0)
        })
    }
}

fn take_over(
    tx: &mut dyn Tx,
    generation: GenerationId,
    event: EventKind,
    own: RunId,
) -> Result<bool, TxError> {
    let taken = tx.execute_counted(
        "UPDATE event SET run = ?3 WHERE generation = ?1 AND kind = ?2 AND run <> ?3
         AND run IN (SELECT id FROM run WHERE finished_at IS NULL)",
        values![generation, event.as_str(), own],
    )?;
    Ok(taken > 0)
}

fn past(mut row: Row<'_>) -> Result<PastGeneration, BadCell> {
    let id = GenerationId(row.integer("generation.id")?);
    let number = row.number("generation.number")?;
    let mut more = row.at(columns::GENERATION_CELLS);
    let broken = more.maybe_integer("generation.broken_since")?.is_some();
    let revoked = more.maybe_integer("generation.revoked_at")?.is_some();
    let sealed = more.integer("generation.sealed")? != 0;
    let itself = row.at(0).generation_itself();
    let remains = match itself {
        _ if !sealed => Remains::Purged,
        _ if revoked => Remains::Revoked,
        Ok(generation) if !broken => {
            // An answer that cannot be read is asked for again.
            let proof = row.at(columns::GENERATION_OWN).proof().ok().flatten();
            Remains::Sealed(Box::new(Generation { proof, ..generation }))
        }
        _ => Remains::Damaged,
    };
    Ok(PastGeneration { id, number, remains })
}

/// Returns the fingerprints of what may not be taken again by itself, by token: what was revoked from
/// here, what a rollback left, and what another token has got. What cannot be read bars nothing.
pub fn barred(
    tx: &mut dyn Tx,
    token: Option<TokenId>,
) -> Result<HashMap<TokenId, Vec<Fingerprint>>, TxError> {
    let whose = if token.is_some() { "token = ?1" } else { "TRUE" };
    let sql = format!(
        "SELECT token, fingerprint FROM generation
         WHERE (revoked_at IS NOT NULL OR left_at IS NOT NULL OR given_to IS NOT NULL) AND {whose}
         ORDER BY token, number"
    );
    let found = tx.undamaged(&sql, token.map(SqlValue::from).as_slice(), |mut row| {
        Ok((row.token("generation.token")?, row.fingerprint("generation.fingerprint")?))
    })?;
    let mut all: HashMap<TokenId, Vec<Fingerprint>> = HashMap::new();
    for (token, fingerprint) in found {
        all.entry(token).or_default().push(fingerprint);
    }
    Ok(all)
}

/// Returns the earlier generation of a token that may work longest, if the current one is dead or
/// missing: it is kept, and not known dead. What another token got from it is one once that has left it.
pub fn fallback(tx: &mut dyn Tx, credential: &Credential) -> Result<Option<Generation>, TxError> {
    if !credential.is_without_a_living_one() {
        return Ok(None);
    }
    let is_left = credential.given_to.as_ref().is_some_and(|it| it.now == GivenNow::Left);
    let not_given = if is_left { "" } else { "AND g.given_to IS NULL" };
    let sql = format!(
        "SELECT {} FROM generation g LEFT JOIN proof p ON p.generation = g.id
         WHERE g.token = ?1 AND g.state = ?2 AND g.sealed IS NOT NULL AND g.broken_since IS NULL
             AND g.revoked_at IS NULL AND g.left_at IS NULL {not_given}
         ORDER BY g.expiry = 'at', g.expires_at DESC, g.number DESC",
        columns::GENERATION
    );
    let previous = GenerationState::Previous.as_str();
    let kept = tx.undamaged(&sql, values![credential.id, previous], |mut row| row.generation())?;
    Ok(kept.into_iter().find(|generation| generation.verdict() != Some(false)))
}

/// Returns the token that got a token's access token when it was promoted, if it has none since, and
/// what that one does with it now.
pub fn given_to(tx: &mut dyn Tx, credential: &Credential) -> Result<Option<GivenTo>, TxError> {
    if credential.in_place().is_some() {
        return Ok(None);
    }
    let given = tx.first_undamaged(
        "SELECT t.label, t.id, g.fingerprint FROM generation g JOIN token t ON t.id = g.given_to
         WHERE g.token = ?1 ORDER BY g.set_aside_at DESC, g.number DESC",
        values![credential.id],
        |mut row| {
            let label = row.label("token.label")?;
            Ok((label, row.token("token.id")?, row.fingerprint("generation.fingerprint")?))
        },
    )?;
    let Some((label, token, fingerprint)) = given else { return Ok(None) };
    if let Some(label) = user_of(tx, &fingerprint)? {
        return Ok(Some(GivenTo { label, now: GivenNow::InUse }));
    }
    let is_renewed = has_current(tx, token)?
        && origin_of_current(tx, token)?.is_none_or(|origin| origin == fingerprint);
    let now = if is_renewed { GivenNow::InUse } else { GivenNow::Left };
    Ok(Some(GivenTo { label, now }))
}

fn has_current(tx: &mut dyn Tx, token: TokenId) -> Result<bool, TxError> {
    let current = GenerationState::Current.as_str();
    let sql = "SELECT id FROM generation WHERE token = ?1 AND state = ?2";
    let found = tx.first(sql, values![token, current], |mut row| row.integer("generation.id"))?;
    Ok(found.is_some())
}

/// Returns the access token of which a token's current one was renewed: the last that came otherwise.
/// One that is so old that the history does not tell it any more is not known.
fn origin_of_current(tx: &mut dyn Tx, token: TokenId) -> Result<Option<Fingerprint>, TxError> {
    let came = [
        EventKind::Adopted,
        EventKind::Exchanged,
        EventKind::LoggedIn,
        EventKind::Minted,
        EventKind::Promoted,
        EventKind::RolledBack,
    ];
    let kinds = came.map(|kind| format!("'{}'", kind.as_str())).join(", ");
    let sql = format!(
        "SELECT g.fingerprint FROM event e JOIN generation g ON g.id = e.generation
         WHERE e.token = ?1 AND e.kind IN ({kinds}) ORDER BY e.id DESC"
    );
    tx.first_undamaged(&sql, values![token], |mut row| row.fingerprint("generation.fingerprint"))
}

/// Returns the token whose current access token it is.
fn user_of(tx: &mut dyn Tx, fingerprint: &Fingerprint) -> Result<Option<Label>, TxError> {
    tx.first_undamaged(
        "SELECT t.label FROM generation g JOIN token t ON t.id = g.token
         WHERE g.fingerprint = ?1 AND g.state = ?2",
        values![fingerprint.as_bytes(), GenerationState::Current.as_str()],
        |mut row| row.label("token.label"),
    )
}

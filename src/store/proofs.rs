//! Proofs: Graph's last word about each string.
//!
//! A proof is a row beside its generation, so asking daily does not rewrite history. Two writers
//! bring them: a run, which also says in the history when the verdict has changed; and `status`,
//! which holds no lock and may come from anyone, and therefore only adds what is newer.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::connection::{self, Standing};
use super::events::Entry;
use super::fault::{Doing, Fault};
use super::room::Room;
use super::runs::RunId;
use super::{Result, Store, columns, place};
use crate::token::{EventKind, Expiry, GenerationId, GenerationState, Inspection, Proof, TokenId};

/// How long `status` waits for a writer before it lets its proofs go.
const STATUS_PATIENCE: Duration = Duration::from_secs(1);

impl Store {
    /// Writes down an answer about a string; its end follows an answer that tells.
    ///
    /// If it changes the verdict on the current string the history says so, and the event that was
    /// written is returned.
    pub fn note_proof(
        &self,
        run: RunId,
        generation: GenerationId,
        proof: Proof,
    ) -> Result<Option<EventKind>> {
        self.write(move |connection| {
            let known = connection
                .prepare_cached(
                    "SELECT token, state, verdict, expiry, expires_at
                     FROM generation WHERE id = ?1",
                )?
                .query_row([generation.0], |row| {
                    let mut cells = columns::Cells::of(row);
                    Ok((
                        TokenId(cells.take()?),
                        cells.named(GenerationState::from_name, "a state")?,
                        cells.take::<Option<bool>>()?,
                        cells.expiry()?,
                    ))
                })
                .optional()?;
            let (token, state, verdict, expiry) = known.ok_or(Fault::Absent("generation"))?;
            follow(connection, generation, &proof)?;
            let changed = proof.inspection.valid.filter(|valid| verdict != Some(*valid));
            let (GenerationState::Current, Some(valid)) = (state, changed) else {
                return Ok(None);
            };
            settle_verdict(connection, generation, valid)?;
            let event = if valid { EventKind::Verified } else { EventKind::Invalid };
            Entry::new(token, event, proof.at)
                .of(Some(generation))
                .moving(Some(expiry), told_end(&proof.inspection).unwrap_or(expiry))
                .because(proof.inspection.problem.as_ref())
                .write(connection, run)?;
            Ok(Some(event))
        })
    }

    /// Adds the proofs of a command that holds no lock, as far as they are news.
    ///
    /// Best effort: it waits a second at most, and leaves a store of another schema alone, and one
    /// whose disk is so full that a run may need what is left.
    pub fn note_proofs(path: &Path, proofs: &[(GenerationId, Proof)]) -> Result<()> {
        let room = Room::of(path);
        if !room.has_some_for_others(proofs.len()) {
            return Ok(());
        }
        let (connection, standing) = connection::writer(path)?;
        if standing == Standing::Today {
            add(&connection, proofs).map_err(|fault| fault.about(path, Doing::Writing))?;
            place::carry_mode(path);
        }
        room.close(connection);
        Ok(())
    }
}

fn add(connection: &Connection, proofs: &[(GenerationId, Proof)]) -> Result<(), Fault> {
    connection.busy_timeout(STATUS_PATIENCE)?;
    let within = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    for (generation, proof) in proofs {
        let news: Option<bool> = within
            .query_row(
                "SELECT coalesce(p.at <= ?2, TRUE) FROM generation g
                 LEFT JOIN proof p ON p.generation = g.id WHERE g.id = ?1",
                (generation.0, proof.at.timestamp()),
                |row| row.get(0),
            )
            .optional()?;
        if news == Some(true) {
            follow(&within, *generation, proof)?;
        }
    }
    Ok(within.commit()?)
}

/// Replaces a generation's proof, and moves its end if the answer tells one.
pub fn follow(
    connection: &Connection,
    generation: GenerationId,
    proof: &Proof,
) -> rusqlite::Result<()> {
    let inspection = &proof.inspection;
    let (expiry, expires_at) = columns::expiry(inspection.expiry);
    let (data_access, data_access_until) = columns::data_access(inspection.data_access);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO proof (generation, at, valid, problem, token_type, application,
                 app_id, user_id, page_id, expiry, expires_at, data_access, data_access_until,
                 issued_at, scopes, granular_scopes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            generation.0,
            proof.at.timestamp(),
            inspection.valid,
            columns::problem(inspection.problem.as_ref()),
            inspection.token_type,
            inspection.application,
            inspection.identity.app_id,
            inspection.identity.user_id,
            inspection.identity.page_id,
            expiry,
            expires_at,
            data_access,
            data_access_until,
            inspection.issued_at.map(|at| at.timestamp()),
            serde_json::Value::from(inspection.scopes.as_slice()).to_string(),
            columns::granular_scopes(&inspection.granular_scopes),
        ])?;
    if inspection.valid == Some(true) {
        forget_lost_answer(connection, generation, proof)?;
    }
    match told_end(inspection) {
        Some(end) => set_expiry(connection, generation, end),
        None => Ok(()),
    }
}

/// Forgets those answers about a token's live strings that cannot be read: Graph is asked again.
pub fn forget_damaged(connection: &Connection, token: TokenId) -> Result<(), Fault> {
    let sql = format!(
        "SELECT {} FROM generation g LEFT JOIN proof p ON p.generation = g.id WHERE g.token = ?1",
        columns::GENERATION
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([token.0])?;
    let mut damaged: Vec<i64> = Vec::new();
    while let Some(row) = rows.next()? {
        if columns::Cells::from(row, columns::GENERATION_OWN).proof().is_err() {
            damaged.push(row.get(0)?);
        }
    }
    for generation in damaged {
        connection.execute("DELETE FROM proof WHERE generation = ?1", [generation])?;
    }
    Ok(())
}

/// What is alive after an answer was lost did not die of it.
fn forget_lost_answer(
    connection: &Connection,
    generation: GenerationId,
    proof: &Proof,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE token SET answer_lost_at = NULL
             WHERE id = (SELECT token FROM generation WHERE id = ?1) AND answer_lost_at < ?2",
        )?
        .execute((generation.0, proof.at.timestamp()))
        .map(drop)
}

/// The end that an answer tells, if any.
///
/// Of a dead string Meta says `expires_at: 0`, which is no promise that it lives for ever.
pub const fn told_end(inspection: &Inspection) -> Option<Expiry> {
    match (inspection.valid, inspection.expiry) {
        (_, Expiry::Unknown) | (Some(false) | None, Expiry::Never) => None,
        (_, end) => Some(end),
    }
}

/// Moves a generation's end.
pub fn set_expiry(
    connection: &Connection,
    generation: GenerationId,
    end: Expiry,
) -> rusqlite::Result<()> {
    let (expiry, expires_at) = columns::expiry(end);
    connection
        .prepare_cached("UPDATE generation SET expiry = ?2, expires_at = ?3 WHERE id = ?1")?
        .execute((generation.0, expiry, expires_at))
        .map(drop)
}

/// Remembers which verdict the history has told.
pub fn settle_verdict(
    connection: &Connection,
    generation: GenerationId,
    valid: bool,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE generation SET verdict = ?2 WHERE id = ?1")?
        .execute((generation.0, valid))
        .map(drop)
}

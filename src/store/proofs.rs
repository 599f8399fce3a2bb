//! Keeps Graph's last answer about each access token.
//!
//! A proof is a row beside its generation, so asking daily does not rewrite history. Two writers
//! bring them: a run, which also records in the history when the verdict has changed; and `status`,
//! which holds no lock and may run as anyone, and therefore only adds what is newer.

use std::ops::ControlFlow;
use std::path::Path;

use super::columns;
use super::events::NewEvent;
use super::row::Row;
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, values};
use super::{Result, Store, sqlite};
use crate::token::{
    Action, Credential, EventKind, Expiry, GenerationId, GenerationState, Inspection, Proof,
    TokenId,
};

impl Store {
    /// Records an answer about an access token; its expiry follows an answer that tells one.
    ///
    /// If it changes the verdict on the current one the history says so, and the event that was
    /// written is returned.
    pub fn note_proof(
        &self,
        run: RunId,
        credential: Credential,
        generation: GenerationId,
        proof: Proof,
    ) -> Result<(Credential, Option<EventKind>)> {
        self.change_returning(credential, None, move |tx, _| note(tx, run, generation, &proof))
    }

    /// Adds the proofs of a command that holds no lock, as far as they are news.
    ///
    /// Best effort: it waits a second at most, and leaves a store of another schema alone, and one
    /// whose disk is so full that a run may need what is left.
    pub fn note_proofs(path: &Path, proofs: &[(GenerationId, Proof)]) -> Result<()> {
        sqlite::beside_a_run(path, proofs.len(), |tx| add(tx, proofs))
    }
}

fn note(
    tx: &mut dyn Tx,
    run: RunId,
    generation: GenerationId,
    proof: &Proof,
) -> Result<Option<EventKind>, TxError> {
    let known = tx.first(
        "SELECT token, state, verdict, expiry, expires_at FROM generation WHERE id = ?1",
        values![generation],
        |mut row| {
            Ok((
                row.token("generation.token")?,
                row.named("generation.state", GenerationState::from_name)?,
                row.maybe_integer("generation.verdict")?.map(|verdict| verdict != 0),
                row.expiry(["generation.expiry", "generation.expires_at"])?,
            ))
        },
    )?;
    let (token, state, verdict, expiry) = known.ok_or(TxError::Absent("generation"))?;
    replace(tx, generation, proof)?;
    if is_for_good(proof) {
        tx.execute(
            "UPDATE generation SET dead_at = coalesce(dead_at, ?2), dead_run = coalesce(dead_run, ?3)
             WHERE id = ?1",
            values![generation, proof.at, run],
        )?;
    }
    let changed = proof.inspection.verdict().filter(|valid| verdict != Some(*valid));
    let (GenerationState::Current, Some(valid)) = (state, changed) else {
        return Ok(None);
    };
    settle_verdict(tx, generation, valid)?;
    let event = if valid { EventKind::Verified } else { EventKind::Invalid };
    NewEvent::new(token, event, proof.at)
        .of(Some(generation))
        .moving(Some(expiry), told_expiry(&proof.inspection).unwrap_or(expiry))
        .because(proof.inspection.problem.as_ref())
        .write(tx, run)?;
    Ok(Some(event))
}

/// Adds those of these proofs that are news: of generations that are there, and no older than the
/// proof that they have.
fn add(tx: &mut dyn Tx, proofs: &[(GenerationId, Proof)]) -> Result<(), TxError> {
    for (generation, proof) in proofs {
        let known = tx.first(
            "SELECT p.at FROM generation g LEFT JOIN proof p ON p.generation = g.id
             WHERE g.id = ?1",
            values![*generation],
            |mut row| row.maybe_integer("proof.at"),
        )?;
        let is_news = |at: Option<i64>| at.is_none_or(|at| at <= proof.at.timestamp());
        if known.is_some_and(is_news) {
            replace(tx, *generation, proof)?;
        }
    }
    Ok(())
}

/// Replaces a generation's proof, and moves its expiry if the answer tells one. Whose an access token
/// is never changes: what a dead one no longer tells stays known, so that no other person's takes its
/// place. What it was allowed stays known too: a new one is asked for with that.
pub fn replace(tx: &mut dyn Tx, generation: GenerationId, proof: &Proof) -> Result<(), TxError> {
    let inspection = &proof.inspection;
    let (expiry, expires_at) = columns::expiry(inspection.expiry);
    let (data_access, data_access_until) = columns::data_access(inspection.data_access);
    let problem = columns::problem(inspection.problem.as_ref());
    let scopes = serde_json::Value::from(inspection.scopes.clone()).to_string();
    let granular_scopes = columns::granular_scopes(&inspection.granular_scopes);
    tx.execute(
        "INSERT INTO proof (generation, at, valid, problem, token_type, application, app_id,
             user_id, page_id, expiry, expires_at, data_access, data_access_until, issued_at,
             scopes, granular_scopes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (generation) DO UPDATE SET
             at = excluded.at, valid = excluded.valid, problem = excluded.problem,
             token_type = excluded.token_type, application = excluded.application,
             app_id = coalesce(excluded.app_id, proof.app_id),
             user_id = coalesce(excluded.user_id, proof.user_id),
             page_id = coalesce(excluded.page_id, proof.page_id),
             expiry = excluded.expiry, expires_at = excluded.expires_at,
             data_access = excluded.data_access,
             data_access_until = excluded.data_access_until, issued_at = excluded.issued_at,
             scopes = CASE WHEN excluded.scopes = 'null'
                     OR (excluded.valid = 0 AND excluded.scopes = '[]') THEN proof.scopes
                 ELSE excluded.scopes END,
             granular_scopes = excluded.granular_scopes",
        values![
            generation,
            proof.at,
            inspection.valid,
            problem.as_deref(),
            inspection.token_type.as_ref(),
            inspection.application.as_ref(),
            inspection.identity.app_id.as_ref(),
            inspection.identity.user_id.as_ref(),
            inspection.identity.page_id.as_ref(),
            expiry,
            expires_at,
            data_access,
            data_access_until,
            inspection.issued_at,
            &scopes,
            &granular_scopes,
        ],
    )?;
    if inspection.verdict() == Some(true) {
        forget_lost_answer(tx, generation, proof)?;
    }
    if !is_for_good(proof) {
        tx.execute(
            "UPDATE generation SET dead_at = NULL, dead_run = NULL
             WHERE id = ?1 AND dead_at IS NOT NULL",
            values![generation],
        )?;
    }
    match told_expiry(inspection) {
        Some(expiry) => set_expiry(tx, generation, expiry),
        None => Ok(()),
    }
}

/// Whether an answer calls an access token dead for a reason that only a new one recovers.
fn is_for_good(proof: &Proof) -> bool {
    let Proof { inspection, .. } = proof;
    let action = inspection.problem.as_ref().map(|problem| problem.action);
    inspection.verdict() == Some(false) && action == Some(Action::Reauthenticate)
}

/// Forgets those answers about a token's generations that cannot be read: Graph is asked again.
pub fn forget_damaged(tx: &mut dyn Tx, token: TokenId) -> Result<(), TxError> {
    let sql = format!(
        "SELECT {} FROM generation g LEFT JOIN proof p ON p.generation = g.id WHERE g.token = ?1",
        columns::GENERATION
    );
    let mut damaged: Vec<i64> = Vec::new();
    tx.rows(&sql, values![token], &mut |row: Row<'_>| {
        if row.at(columns::GENERATION_OWN).proof().is_err() {
            damaged.push(row.at(0).integer("generation.id")?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    for generation in damaged {
        tx.execute("DELETE FROM proof WHERE generation = ?1", values![generation])?;
    }
    Ok(())
}

/// Forgets a lost answer that the access token outlived.
fn forget_lost_answer(
    tx: &mut dyn Tx,
    generation: GenerationId,
    proof: &Proof,
) -> Result<(), TxError> {
    tx.execute(
        "UPDATE token SET answer_lost_at = NULL
         WHERE id = (SELECT token FROM generation WHERE id = ?1) AND answer_lost_at < ?2",
        values![generation, proof.at],
    )
}

/// The expiry that an answer tells, if any.
///
/// Of a dead access token Meta says `expires_at: 0`, which does not mean that it never expires.
fn told_expiry(inspection: &Inspection) -> Option<Expiry> {
    match (inspection.verdict(), inspection.expiry) {
        (_, Expiry::Unknown) | (Some(false) | None, Expiry::Never) => None,
        (_, expiry) => Some(expiry),
    }
}

/// Moves a generation's expiry.
fn set_expiry(tx: &mut dyn Tx, generation: GenerationId, expiry: Expiry) -> Result<(), TxError> {
    let (expiry, expires_at) = columns::expiry(expiry);
    tx.execute(
        "UPDATE generation SET expiry = ?2, expires_at = ?3 WHERE id = ?1",
        values![generation, expiry, expires_at],
    )
}

/// Records which verdict the history has.
pub fn settle_verdict(
    tx: &mut dyn Tx,
    generation: GenerationId,
    valid: bool,
) -> Result<(), TxError> {
    tx.execute("UPDATE generation SET verdict = ?2 WHERE id = ?1", values![generation, valid])
}

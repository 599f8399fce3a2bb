//! Puts the access token of a backup in the place of its token's.

use super::candidate::seal;
use super::promote::{Predecessor, Promotion, Successor, expect, promote, set_aside};
use super::seal::Seals;
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, values};
use super::{NewCandidate, Result, Store};
use crate::failpoint;
use crate::token::{
    Arrival, Credential, EventKind, Expiry, GenerationId, GenerationState, Proof, TargetId, Time,
    TokenId,
};

/// A backup whose access token becomes another token's.
#[derive(Debug, Clone)]
pub struct BackupPromotion {
    /// The backup's current generation.
    pub backup: GenerationId,
    /// The answer that justifies it.
    pub proof: Proof,
    /// What is done about the access token that it replaces.
    pub predecessor: Predecessor,
    /// The targets for which it is pending from then on.
    pub pending_for: Vec<TargetId>,
}

impl Store {
    /// Makes the backup's access token the current one of a token, and takes it from the backup, in one
    /// transaction. One that the token had before keeps its number.
    pub fn promote_backup(
        &self,
        run: RunId,
        credential: Credential,
        promotion: BackupPromotion,
        now: Time,
    ) -> Result<Credential> {
        let seals = self.seals()?.clone();
        let promoted = self.change(credential, Some(now), move |tx, credential| {
            take_over(tx, &seals, run, credential, promotion)
        })?;
        failpoint::reach("promoted");
        Ok(promoted)
    }
}

/// How long a token has been dead, and when its backup last took its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadToken {
    /// When Graph first called its access token dead for good, without anything else since.
    pub since: Time,
    /// Whether this run was the first to hear that.
    pub by_this_run: bool,
    /// When a backup last took its place.
    pub promoted_at: Option<Time>,
}

impl Store {
    /// Returns how long a generation has been dead for good, if it is.
    pub fn dead_token(&self, token: TokenId, current: GenerationId) -> Result<Option<DeadToken>> {
        let own = self.own_run();
        self.read(move |tx| {
            let dead = tx.first(
                "SELECT dead_at, dead_run FROM generation WHERE id = ?1 AND token = ?2",
                values![current, token],
                |mut row| {
                    let since = row.maybe_time("generation.dead_at")?;
                    Ok(since.zip(row.maybe_integer("generation.dead_run")?.map(RunId)))
                },
            )?;
            let Some((since, first)) = dead.flatten() else { return Ok(None) };
            let promoted_at = tx.first(
                "SELECT at FROM event WHERE token = ?1 AND kind = ?2 ORDER BY at DESC, id DESC",
                values![token, EventKind::Promoted.as_str()],
                |mut row| row.time("event.at"),
            )?;
            Ok(Some(DeadToken { since, by_this_run: first == own, promoted_at }))
        })
    }
}

fn take_over(
    tx: &mut dyn Tx,
    seals: &Seals,
    run: RunId,
    credential: &Credential,
    promotion: BackupPromotion,
) -> Result<(), TxError> {
    let BackupPromotion { backup, proof, predecessor, pending_for } = promotion;
    let held = expect(tx, backup, GenerationState::Current)?;
    let (owner, sealed) = sealed(tx, backup)?;
    let access_token = seals.open(owner, held.number, &sealed)?;
    let expiry = match proof.inspection.expiry {
        Expiry::Unknown => held.expiry,
        told => told,
    };
    let new =
        NewCandidate { expiry, arrival: Arrival::Promoted, ..NewCandidate::found(access_token) };
    let candidate = seal(tx, seals, run, credential.id, &new)?;
    let promotion = Promotion {
        candidate,
        successor: Successor::HandedOver,
        proof: Some(proof),
        arrival: Arrival::Promoted,
        problem: None,
        predecessor,
        pending_for,
    };
    promote(tx, run, credential, &promotion)?;
    set_aside(tx, backup, GenerationState::Previous)?;
    tx.execute("UPDATE generation SET given_to = ?2 WHERE id = ?1", values![backup, credential.id])
}

fn sealed(tx: &mut dyn Tx, id: GenerationId) -> Result<(TokenId, Vec<u8>), TxError> {
    let found =
        tx.first("SELECT token, sealed FROM generation WHERE id = ?1", values![id], |mut row| {
            let token = row.token("generation.token")?;
            Ok((token, row.maybe_blob("generation.sealed")?.map(<[u8]>::to_vec)))
        })?;
    let (token, sealed) = found.ok_or(TxError::Absent("generation"))?;
    Ok((token, sealed.ok_or(TxError::Purged)?))
}

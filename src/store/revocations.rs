//! Keeps which access tokens a person had revoked.
//!
//! That is written down before Meta is asked: after a kill in between nothing takes the place of an
//! access token that its person wanted dead, whatever Graph then says of it.

use super::events::NewEvent;
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, values};
use super::{Result, Store, proofs};
use crate::failpoint;
use crate::token::{Credential, EventKind, GenerationId, Proof, Time};

impl Store {
    /// Records that these access tokens are to be revoked, before Meta is asked; returns those that
    /// were not marked so before.
    pub fn mark_revoked(
        &self,
        generations: &[GenerationId],
        now: Time,
    ) -> Result<Vec<GenerationId>> {
        let generations = generations.to_vec();
        let marked = self.write_at(now, move |tx| {
            let mut marked = Vec::new();
            for generation in generations {
                if mark(tx, generation)? == 1 {
                    marked.push(generation);
                }
            }
            Ok(marked)
        })?;
        failpoint::reach("marked-revoked");
        Ok(marked)
    }

    /// Takes that back: Meta has refused to revoke them.
    pub fn unmark_revoked(&self, generations: &[GenerationId]) -> Result<()> {
        let generations = generations.to_vec();
        self.write(move |tx| {
            generations.iter().try_for_each(|generation| {
                let sql = "UPDATE generation SET revoked_at = NULL WHERE id = ?1";
                tx.execute(sql, values![*generation])
            })
        })
    }

    /// Records by an answer of Graph's that an access token is dead which was revoked, and says so in
    /// the history.
    pub fn note_revoked(
        &self,
        run: RunId,
        credential: Credential,
        generation: GenerationId,
        proof: Proof,
    ) -> Result<Credential> {
        let noted = self.change(credential, Some(proof.at), move |tx, credential| {
            proofs::replace(tx, generation, &proof)?;
            proofs::settle_verdict(tx, generation, false)?;
            NewEvent::new(credential.id, EventKind::Revoked, proof.at)
                .of(Some(generation))
                .because(proof.inspection.problem.as_ref())
                .write(tx, run)
        })?;
        failpoint::reach("noted-revoked");
        Ok(noted)
    }
}

fn mark(tx: &mut dyn Tx, generation: GenerationId) -> Result<usize, TxError> {
    let now = tx.now();
    tx.execute_counted(
        "UPDATE generation SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
        values![generation, now],
    )
}

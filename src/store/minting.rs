//! Records the requests for new access tokens of a System User: before each is sent, and what became
//! of it.

use super::events::NewEvent;
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::values;
use super::{Result, RunId, Store};
use crate::failpoint;
use crate::token::{Credential, EventKind, Problem, Time, TokenId};

impl Store {
    /// Records such a request before it is sent.
    pub fn note_mint_sent(&self, credential: Credential, now: Time) -> Result<Credential> {
        let noted = self.change(credential, Some(now), move |tx, credential| {
            let now = tx.now();
            tx.execute(
                "UPDATE token SET mint_sent_at = ?2, mint_tried_at = ?2,
                     mint_tries = coalesce(mint_tries, 0) + 1 WHERE id = ?1",
                values![credential.id, now],
            )
        })?;
        failpoint::reach("planned");
        Ok(noted)
    }

    /// Records that it was answered, and brought none.
    pub fn note_mint_answered(&self, credential: Credential) -> Result<Credential> {
        self.change(credential, None, move |tx, credential| note_answered(tx, credential.id))
    }

    /// Records that its answer was lost, in the history too.
    pub fn note_mint_lost(
        &self,
        run: RunId,
        credential: Credential,
        lost: &Problem,
        now: Time,
    ) -> Result<Credential> {
        let lost = lost.clone();
        self.change(credential, Some(now), move |tx, credential| {
            note_answered(tx, credential.id)?;
            NewEvent::new(credential.id, EventKind::MintLost, tx.now())
                .because(Some(&lost))
                .write(tx, run)
        })
    }
}

/// Records that such a request was answered, in the caller's transaction.
pub fn note_answered(tx: &mut dyn Tx, token: TokenId) -> Result<(), TxError> {
    tx.execute("UPDATE token SET mint_sent_at = NULL WHERE id = ?1", values![token])
}

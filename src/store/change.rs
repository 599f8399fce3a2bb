//! Changes a token whose credential is handed on.
//!
//! A verb that changes a token takes its [`Credential`] by value and gives back the new one, read in
//! the same transaction: a stale one cannot be used, and nothing is read twice. In a debug build it
//! checks that the credential was what the store had.
//!
//! Deliveries are not part of that: a program that serves several tokens is run for all of them at
//! once, so what a target has is read where it is used.

use super::engine::Access;
use super::stock;
use super::tx::Tx;
use super::tx_error::TxError;
use super::{Result, Store};
use crate::token::{Credential, Generation, Time};

impl Store {
    /// Changes a token, dated with `now` if the change is dated, and gives it back as it is then.
    pub fn change<T: Send + 'static>(
        &self,
        credential: Credential,
        now: Option<Time>,
        work: impl FnOnce(&mut dyn Tx, &Credential) -> Result<T, TxError> + Send + 'static,
    ) -> Result<(Credential, T)> {
        let (own, token) = (self.own_run(), credential.id);
        self.write_with(Access::Write, now, move |tx| {
            let stored = if cfg!(debug_assertions) {
                Some(stock::credential(tx, own, token)?)
            } else {
                None
            };
            let value = work(tx, &credential)?;
            if let Some(stored) = stored {
                check_handed_on(credential, &stored);
            }
            Ok((stock::credential(tx, own, token)?, value))
        })
    }
}

/// Panics where a credential is not what the store has: some step kept an old one.
///
/// `status` may have added a newer proof meanwhile: it needs no lock.
fn check_handed_on(mut known: Credential, stored: &Credential) {
    known.deliveries.clone_from(&stored.deliveries);
    let generations =
        [(&mut known.current, &stored.current), (&mut known.candidate, &stored.candidate)];
    let mut is_newer = false;
    for (known, stored) in generations {
        is_newer |= take_newer_proof(known.as_mut(), stored.as_ref());
    }
    if is_newer {
        known.ledger.answer_lost_at = stored.ledger.answer_lost_at;
        known.damage.clone_from(&stored.damage);
    }
    assert_eq!(known, *stored, "a token is not as it was handed on");
}

/// Takes over the proof of a stored generation that is newer, with the expiry that it tells.
fn take_newer_proof(known: Option<&mut Generation>, stored: Option<&Generation>) -> bool {
    let (Some(known), Some(stored)) = (known, stored) else { return false };
    let at = |generation: &Generation| generation.proof.as_ref().map(|proof| proof.at);
    let is_newer = known.id == stored.id && known.proof != stored.proof && at(known) <= at(stored);
    if is_newer {
        known.proof.clone_from(&stored.proof);
        known.expiry = stored.expiry;
    }
    is_newer
}

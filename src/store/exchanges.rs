//! Records the exchanges of access tokens that were found outside or handed over.
//!
//! What was sent is remembered until its answer is here: the access token may be dead since, and
//! only the record says that an exchange is why.

use super::attempts::{close, name_lost, plan};
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, values};
use super::{Result, Store};
use crate::failpoint;
use crate::token::{AttemptKind, Credential, SentExchange, Time, TokenId};

impl Store {
    /// Records the exchange of an access token from outside, before it is sent.
    pub fn plan_exchange(
        &self,
        run: RunId,
        credential: Credential,
        sent: SentExchange,
    ) -> Result<Credential> {
        let planned = self.change(credential, Some(sent.at), move |tx, credential| {
            plan(tx, run, &[credential.id], AttemptKind::Exchange)?;
            note_exchange_sent(tx, credential.id, Some(sent))
        })?;
        failpoint::reach("planned");
        Ok(planned)
    }

    /// Records that it gave no access token. A lost answer is named in the history, and what was sent is
    /// remembered; otherwise it is forgotten.
    pub fn note_not_exchanged(
        &self,
        run: RunId,
        credential: Credential,
        lost: Option<SentExchange>,
        now: Time,
    ) -> Result<Credential> {
        self.change(credential, Some(now), move |tx, credential| {
            close(tx, run, credential.id)?;
            match &lost {
                Some(sent) => name_lost(tx, run, credential.id, &sent.lost()),
                None => note_exchange_sent(tx, credential.id, None),
            }
        })
    }

    /// Records that it gave an access token that the token has already.
    pub fn note_exchanged(
        &self,
        run: RunId,
        credential: Credential,
        now: Time,
    ) -> Result<Credential> {
        self.change(credential, Some(now), move |tx, credential| {
            close(tx, run, credential.id)?;
            note_exchanged(tx, credential.id)
        })
    }
}

/// Records that an exchange was answered with an access token, in the caller's transaction.
pub fn note_exchanged(tx: &mut dyn Tx, token: TokenId) -> Result<(), TxError> {
    tx.execute(
        "UPDATE token SET exchanged = coalesce(exchange_sent, exchanged), exchange_sent_at = NULL,
             exchange_sent = NULL WHERE id = ?1",
        values![token],
    )
}

fn note_exchange_sent(
    tx: &mut dyn Tx,
    token: TokenId,
    exchange: Option<SentExchange>,
) -> Result<(), TxError> {
    let (at, of) = (exchange.map(|it| it.at), exchange.as_ref().map(|it| it.of.as_bytes()));
    tx.execute(
        "UPDATE token SET exchange_sent_at = ?2, exchange_sent = ?3 WHERE id = ?1",
        values![token, at, of],
    )
}

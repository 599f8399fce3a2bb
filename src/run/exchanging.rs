//! Asks Meta for a long-lived access token in exchange for a short-lived one from outside.
//!
//! That Meta is asked is on the disk before it is: a grant that a kill loses between the answer and the
//! commit that seals it is named by whoever comes next.

use super::Run;
use crate::failpoint;
use crate::graph::CallError;
use crate::store::StoreError;
use crate::token::{AccessToken, Credential, Grant, SentExchange};

/// Has `ask` exchange an access token. The token is given back as it is then.
pub fn ask_for_exchange(
    run: &Run<'_>,
    credential: Credential,
    access_token: &AccessToken,
    ask: impl FnOnce(&AccessToken) -> Result<Grant, CallError>,
) -> Result<(Credential, Result<Grant, CallError>), StoreError> {
    let Run { store, id, .. } = run;
    let sent = SentExchange { at: run.now(), of: store.fingerprint(access_token)? };
    let credential = store.plan_exchange(*id, credential, sent)?;
    failpoint::reach("before-request");
    let answer = ask(access_token);
    let credential = match &answer {
        Ok(_) => {
            failpoint::reach("granted");
            credential
        }
        Err(error) => store.note_not_exchanged(
            *id,
            credential,
            error.answer_lost.then_some(sent),
            run.now(),
        )?,
    };
    Ok((credential, answer))
}

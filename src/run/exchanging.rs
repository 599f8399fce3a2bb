//! Asks Meta for a long-lived access token in exchange for a short-lived one from outside.
//!
//! That Meta is asked is on the disk before it is: a grant that a kill loses between the answer and the
//! commit that seals it is named by whoever comes next.

use std::collections::HashSet;

use super::Run;
use crate::error::CliError;
use crate::failpoint;
use crate::graph::CallError;
use crate::store::StoreError;
use crate::token::{AccessToken, AttemptKind, Credential, Grant, Label, SentExchange};

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

/// Names what an earlier run asked Meta for and did not live to seal, to the person and in the history.
pub fn name_interrupted(run: &Run<'_>, credential: Credential) -> Result<Credential, StoreError> {
    name(run, credential, "")
}

/// Names the same of the tokens that the config does not declare: no refresh looks at them.
pub fn name_interrupted_of_undeclared(run: &Run<'_>) -> Result<(), CliError> {
    let interrupted = run.store.interrupted_attempts()?;
    if interrupted.is_empty() {
        return Ok(());
    }
    let declared: HashSet<&Label> = run.tokens.configs.iter().map(|it| &it.label).collect();
    for interrupted in interrupted {
        if declared.contains(&interrupted.label) {
            continue;
        }
        let how = match interrupted.attempt.kind {
            AttemptKind::Exchange => "; run the `metatoken add` that was cut short again",
            AttemptKind::Renewal | AttemptKind::Login => "",
        };
        let credential = run.store.credential(interrupted.token)?;
        run.bear_full(name(run, credential, how))?;
    }
    Ok(())
}

fn name(run: &Run<'_>, credential: Credential, how: &str) -> Result<Credential, StoreError> {
    let Some(problem) = credential.cut_short() else { return Ok(credential) };
    run.session.ui.warn(&format!("{}: {}{how}", credential.label, problem.message));
    run.store.note_interrupted(run.id, credential, run.now())
}

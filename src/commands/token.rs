//! `token`: the current string, and nothing else, on standard output.

use std::sync::Arc;

use crate::error::CliError;
use crate::exit::Exit;
use crate::run::declared::{LastReading, last_reading};
use crate::run::tokens::{TokenConfig, Tokens};
use crate::session::Session;
use crate::store::{Store, StoreError};
use crate::token::{Credential, Label, Pattern, TokenType};

/// Prints the string that programs are to use.
///
/// It asks nobody whether the string still lives: a program that meets an error runs
/// `metatoken refresh LABEL`.
///
/// Only its own rows are read, so that another's damage is no hindrance.
pub fn print_token(session: &Session, label: &Label) -> Result<Exit, CliError> {
    let store = session.reader()?;
    let (credential, tokens) = look_up(session, store.as_ref(), label)?;
    // One whose file is left out of the config is printed all the same.
    let token = tokens.select(&[Pattern::new(label.as_str())])?.first().copied();
    if credential.as_ref().is_some_and(Credential::is_lost) {
        return Err(damaged(label, token));
    }
    let current = credential.and_then(|credential| credential.current);
    let (Some(store), Some(current)) = (store.as_ref(), current) else {
        return Err(CliError::new(
            Exit::Failed,
            "no_string",
            label.as_str(),
            "has no access token yet",
        )
        .hint(format!(
            "run `metatoken refresh {label}`, or `metatoken exchange {label}` to paste one"
        )));
    };
    Store::unlock(store, &session.key()?)?;
    let string = store.reveal(current.id).map_err(|error| match error {
        StoreError::Damaged(..) => damaged(label, token),
        other => other.into(),
    })?;
    session.ui.secret(string.expose())?;
    Ok(Exit::Ok)
}

/// The token of that label, and a tokens that has it; all tokens only where there is no such label,
/// to say which there are.
fn look_up(
    session: &Session,
    store: Option<&Store>,
    label: &Label,
) -> Result<(Option<Credential>, Tokens), CliError> {
    let Some(store) = store else {
        return Ok((None, Tokens::new(&session.config, Vec::new(), &LastReading::new())));
    };
    let was = session.config.token(label).and_then(|token| token.was.as_ref());
    let credential = store.credential_called(label, was)?;
    let last = last_reading(&session.config, Some(store))?;
    let own = credential.iter().cloned().map(Arc::new).collect();
    let tokens = Tokens::new(&session.config, own, &last);
    if tokens.select(&[Pattern::new(label.as_str())]).is_ok() {
        return Ok((credential, tokens));
    }
    Ok((None, Tokens::new(&session.config, store.credentials()?, &last)))
}

/// A Page's and an app's are taken anew by a run; any other a person brings.
fn damaged(label: &Label, token: Option<&TokenConfig>) -> CliError {
    let derived = token.is_some_and(|it| it.parent.is_some() || it.token_type == TokenType::App);
    let message = "its access token in the store is damaged";
    CliError::new(Exit::Storage, "damaged", label.as_str(), message).hint(if derived {
        format!("run `metatoken refresh {label}`, which derives it anew")
    } else {
        format!(
            "run `metatoken exchange {label}` with a new access token, or restore a copy of the store made by `metatoken store backup`"
        )
    })
}

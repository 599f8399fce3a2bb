//! Hands out the access token in use, for programs.
//!
//! Graph is not asked whether it still works: a program that meets an error runs
//! `metatoken refresh LABEL`. What is known already counts: one that Meta has called dead is refused.
//! Only its own rows are read, so that another's damage does not matter.

use std::sync::Arc;

use super::declared::{LastReading, last_reading};
use super::earlier::{Unavailable, numbered};
use super::tokens::{TokenConfig, Tokens, subject};
use crate::config::{Config, TokenUse};
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::{Health, Moment, Reason, Usability, judge, judge_usability};
use crate::session::Session;
use crate::store::{Store, StoreError};
use crate::token::{AccessToken, Credential, Label, Pattern, TokenType};

/// What is done with an access token that Meta has called dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfDead {
    /// It is refused.
    Refuse,
    /// It is handed out all the same, and nothing is said of it.
    HandOut,
}

/// What is done with an admin's access token, which no program is to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfAdmins {
    /// It is refused.
    Refuse,
    /// It is handed out: a person wants it.
    HandOut,
}

/// Which access tokens are handed out.
#[derive(Debug, Clone, Copy)]
pub struct HandedOut {
    pub if_dead: IfDead,
    pub if_admins: IfAdmins,
}

/// The access token in use.
pub fn access_token_in_use(
    session: &Session,
    label: &Label,
    wanted: HandedOut,
) -> Result<AccessToken, CliError> {
    let store = session.reader()?;
    let (credential, tokens) = look_up(session, store.as_ref(), label)?;
    // One whose file is left out of the config is handed out all the same.
    let token = tokens.select(&[Pattern::new(label.as_str())])?.first().copied();
    if token.is_none() && credential.is_none() {
        tokens.one(label)?;
    }
    refuse_an_admins(label, token, wanted)?;
    if credential.as_ref().is_some_and(Credential::is_lost) {
        return Err(damaged(label, token));
    }
    let current = credential.as_ref().and_then(|credential| credential.current.as_ref());
    let (Some(store), Some(credential), Some(current)) = (store.as_ref(), &credential, current)
    else {
        return Err(missing(session, label, token, credential.as_ref()));
    };
    if let (IfDead::Refuse, Some(token)) = (wanted.if_dead, token) {
        let parent = token.parent.as_ref().and_then(|parent| tokens.credential(parent));
        let subject = tokens.subject_as(token, Some(credential), parent);
        match judge_usability(&subject, session.clock.now()) {
            Usability::Usable => {}
            Usability::Doubtful(reason) => warn(session, label, &reason),
            Usability::Dead(reason) => return Err(dead(label, &reason)),
        }
    }
    Store::unlock(store, &session.key()?)?;
    store.reveal(current.id).map_err(|error| match error {
        StoreError::Damaged(..) => damaged(label, token),
        other => other.into(),
    })
}

/// The access token of an earlier generation, which is still kept.
pub fn earlier_access_token(
    session: &Session,
    label: &Label,
    number: u32,
    wanted: HandedOut,
) -> Result<AccessToken, CliError> {
    let store = session.reader()?;
    let (credential, tokens) = look_up(session, store.as_ref(), label)?;
    let token = tokens.select(&[Pattern::new(label.as_str())])?.first().copied();
    refuse_an_admins(label, token, wanted)?;
    let (Some(store), Some(credential)) = (store.as_ref(), credential) else {
        return Err(missing(session, label, token, None));
    };
    let found = numbered(store, credential.id, number)?;
    let generation = found.map_err(|why| unavailable(label, why, number))?;
    let id = generation.id;
    if let (IfDead::Refuse, Some(token)) = (wanted.if_dead, token) {
        // It is judged as if it were in use.
        let of_it = Credential { current: Some(generation), ..credential };
        match judge_usability(&subject(token, Some(&of_it), None), session.clock.now()) {
            Usability::Usable => {}
            Usability::Doubtful(reason) => warn(session, label, &reason),
            Usability::Dead(reason) => return Err(earlier_is_dead(label, number, &reason)),
        }
    }
    Store::unlock(store, &session.key()?)?;
    store.reveal(id).map_err(|error| match error {
        StoreError::Damaged(..) => unavailable(label, Unavailable::Damaged, number),
        other => other.into(),
    })
}

fn unavailable(label: &Label, why: Unavailable, number: u32) -> CliError {
    let exit = match why {
        Unavailable::Revoked => Exit::PersonNeeded,
        _ => why.exit(),
    };
    CliError::new(exit, why.code(), label.as_str(), why.of(number)).hint(why.hint(label))
}

fn earlier_is_dead(label: &Label, number: u32, reason: &Reason) -> CliError {
    let message = format!("generation {number} is dead: {}", with_metas_words(reason));
    CliError::new(Exit::PersonNeeded, "token_dead", label.as_str(), message)
        .hint("to have it all the same, add `--dead`")
}

/// The token of that label, and tokens that have it; all tokens only where there is no such label,
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
    let mut tokens = Tokens::new(&session.config, own, &last);
    if tokens.select(&[Pattern::new(label.as_str())]).is_ok() {
        for helper in helpers(&session.config, &tokens, label) {
            if let Some(known) = store.credential_called(&helper, None)? {
                tokens.replace(&helper, known);
            }
        }
        return Ok((credential, tokens));
    }
    Ok((None, Tokens::new(&session.config, store.credentials()?, &last)))
}

/// The tokens whose state says what helps the one of that label: its parent, and what is kept in reserve
/// for both.
fn helpers(config: &Config, tokens: &Tokens, label: &Label) -> Vec<Label> {
    // One whose file is left out of the config is handed out all the same.
    let Ok(token) = tokens.one(label) else { return Vec::new() };
    let parent = token.parent.as_ref();
    let parents = parent.and_then(|parent| config.token(parent)?.backup.as_ref());
    [parent, token.backup.as_ref(), parents].into_iter().flatten().cloned().collect()
}

fn refuse_an_admins(
    label: &Label,
    token: Option<&TokenConfig>,
    wanted: HandedOut,
) -> Result<(), CliError> {
    let is_an_admins = token.is_some_and(|token| token.used_for == Some(TokenUse::Mint));
    if is_an_admins && wanted.if_admins == IfAdmins::Refuse {
        return Err(of_an_admin(label));
    }
    Ok(())
}

fn of_an_admin(label: &Label) -> CliError {
    let message =
        "it makes access tokens of System Users (`use = \"mint\"`), and no program gets it";
    CliError::new(Exit::Usage, "admins_token", label.as_str(), message)
        .hint(format!("a person prints it with `metatoken token {label} --admin`"))
}

/// A token without an access token: what keeps it from having one, where a run has found that.
fn missing(
    session: &Session,
    label: &Label,
    token: Option<&TokenConfig>,
    credential: Option<&Credential>,
) -> CliError {
    let refused = |exit, message: &str| CliError::new(exit, "no_string", label.as_str(), message);
    let moment = Moment::at(session.clock.now());
    let judgement = token
        .zip(credential)
        .map(|(token, credential)| judge(&subject(token, Some(credential), None), moment).reasons);
    let reasons = judgement.unwrap_or_default();
    // What another token got by `promote` does not come back by itself either.
    let is_a_persons = |reason: &&Reason| {
        let is_grave = reason.severity == Health::Critical || reason.code == "no_backup";
        is_grave && reason.action.needs_a_person()
    };
    let import = credential.and_then(Credential::unfinished_import);
    let of_an_import = reasons.iter().find(|it| it.code == "missing" && import.is_some());
    match (reasons.iter().find(is_a_persons), of_an_import) {
        (Some(reason), _) => {
            let message = format!("has no access token: {}", with_metas_words(reason));
            refused(Exit::PersonNeeded, &message).hint(reason.remedy.to_string())
        }
        (None, Some(reason)) => {
            refused(Exit::Failed, &reason.message).hint(reason.remedy.to_string())
        }
        (None, None) => refused(Exit::Failed, "has no access token yet").hint(format!(
            "run `metatoken refresh {label}`, or `metatoken exchange {label}` to paste one"
        )),
    }
}

fn warn(session: &Session, label: &Label, reason: &Reason) {
    let remedy = &reason.remedy;
    let cause = with_metas_words(reason);
    let step = if remedy.is_empty() { String::new() } else { format!("; {}", remedy.step) };
    session.ui.warn(&format!("{label}: it may not work now: {cause}{step}"));
}

fn dead(label: &Label, reason: &Reason) -> CliError {
    let message = format!("its access token is dead: {}", with_metas_words(reason));
    let complaint = CliError::new(Exit::PersonNeeded, "token_dead", label.as_str(), message);
    let remedy = reason.remedy.to_string();
    let complaint = if remedy.is_empty() { complaint } else { complaint.hint(remedy) };
    complaint.hint("to have it all the same, add `--dead`")
}

fn with_metas_words(reason: &Reason) -> String {
    match reason.meta.as_str() {
        "" => reason.message.clone(),
        meta => format!("{}; Meta: {meta}", reason.message),
    }
}

/// A Page's and an app's are taken anew by a run; any other a person brings.
fn damaged(label: &Label, token: Option<&TokenConfig>) -> CliError {
    let derived = token.is_some_and(|it| it.parent.is_some() || it.token_type == TokenType::App);
    let message = "its access token in the store is damaged";
    CliError::new(Exit::Storage, "damaged", label.as_str(), message).hint(if derived {
        format!("run `metatoken refresh {label}`, which derives it again")
    } else {
        format!(
            "run `metatoken exchange {label}` with a new access token, or restore a copy of the store made by `metatoken store backup`"
        )
    })
}

//! What a person is told to do.
//!
//! One sentence that can be followed at three in the morning by someone who has never seen this
//! tool: who must act, where, and the command that hands the result over.

use super::Subject;
use crate::token::{Action, Problem, ProblemKind, TokenType};

/// The step that recovers from `problem`, for this token; empty where nobody need do anything.
pub fn remedy(problem: &Problem, subject: &Subject<'_>) -> String {
    match problem.action {
        Action::Reauthenticate => log_in_again(subject),
        Action::FixAccount => format!(
            "{} opens facebook.com, logs in and passes what it asks; the token is kept and may work again",
            who(subject)
        ),
        Action::GrantPermission => grant(problem, subject),
        Action::FixConfiguration => configure(problem, subject),
        Action::Retry => "nothing to do yet: it is tried again by itself".to_owned(),
        Action::SlowDown => {
            "nothing to do yet: it is tried again once Meta allows more calls".to_owned()
        }
        Action::Wait => "nothing to do but wait: it is tried again when Meta allows it".to_owned(),
        Action::None => String::new(),
    }
}

/// How a person brings a new string, for each way in which a token is obtained.
fn log_in_again(subject: &Subject<'_>) -> String {
    let label = subject.label;
    match (subject.token_type, subject.parent) {
        (TokenType::User, _) => format!(
            "{} logs in to the app again; then run `metatoken exchange {label}` and paste the new access token",
            who(subject)
        ),
        (TokenType::Page, Some(parent)) => {
            format!("mend its parent: `metatoken status {}`", parent.label)
        }
        (TokenType::Page, None) => format!(
            "{} takes a new Page token from a long-lived user token; then run `metatoken exchange {label}` and paste it, or set `parent` so that metatoken derives it",
            who(subject)
        ),
        (TokenType::Instagram, _) => format!(
            "{} logs in to the app again, or generates a token in its dashboard (Instagram, API setup with Instagram login); then run `metatoken exchange {label}` and paste the new access token",
            who(subject)
        ),
        (TokenType::Threads, _) => format!(
            "{} logs in to the Threads app again; then run `metatoken exchange {label}` and paste the new access token",
            who(subject)
        ),
        (TokenType::App, _) => format!(
            "compare the app's `id` and `secret` in the config with the app's dashboard (App settings, Basic); then run `metatoken refresh {label}`"
        ),
        (TokenType::SystemUser, _) => format!(
            "{} generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange {label}` and paste it",
            who(subject)
        ),
    }
}

fn grant(problem: &Problem, subject: &Subject<'_>) -> String {
    let label = subject.parent.map_or(subject.label, |parent| parent.label);
    if problem.kind == ProblemKind::RoleLost {
        return format!(
            "somebody who manages the Page gives {} a role on it again; then run `metatoken refresh {}`",
            who(subject),
            subject.label
        );
    }
    format!(
        "{} logs in to the app again and grants it, ticking every Page; then run `metatoken exchange {label}` and paste the new access token",
        who(subject)
    )
}

fn configure(problem: &Problem, subject: &Subject<'_>) -> String {
    match problem.kind {
        // Without a code of Meta's it is we who could not read the id or the secret.
        ProblemKind::BadAppCredentials if problem.code.is_some() => {
            "compare the app's `id` and `secret` in the config with the app's dashboard (App settings, Basic); then run `metatoken refresh`".to_owned()
        }
        ProblemKind::BadProof => {
            "check that `secret` is the secret of the app that the token was given to; then run `metatoken refresh`".to_owned()
        }
        ProblemKind::AppDisabled => {
            "open the app's dashboard and follow its alerts until the app is live again; then run `metatoken refresh`".to_owned()
        }
        ProblemKind::ObjectNotFound => {
            "compare `page_id` in the config with the Page's id, and see that the person still has a role on the Page".to_owned()
        }
        ProblemKind::WrongHostOrType | ProblemKind::IdentityChanged => {
            "compare `type`, `app` and `page_id` in the config with what the message says, or paste the string that belongs there".to_owned()
        }
        _ => format!(
            "mend what the message names; then run `metatoken refresh {}`",
            subject.label
        ),
    }
}

/// Who acts: the owner by name, or whoever it is.
fn who(subject: &Subject<'_>) -> String {
    match (&subject.policy.owner, subject.token_type) {
        (Some(owner), _) => owner.clone(),
        (None, TokenType::SystemUser) => "an admin of the business".to_owned(),
        (None, _) => "the person behind the token".to_owned(),
    }
}

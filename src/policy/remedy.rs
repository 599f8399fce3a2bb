//! What a person is told to do.
//!
//! One sentence that can be followed at three in the morning by someone who has never seen this
//! tool: who must act, where, and the command that hands the result over.

use super::Subject;
use crate::token::{Action, Label, Problem, ProblemKind, Provider, TokenType};

/// The step that recovers from `problem`, for this token; empty where nobody need do anything.
pub fn remedy(problem: &Problem, subject: &Subject<'_>) -> String {
    match problem.action {
        Action::Reauthenticate => log_in_again(subject),
        Action::FixAccount => format!(
            "{} opens {}, logs in and passes what it asks; the token is kept and may work again",
            who(subject),
            site(subject.token_type.provider())
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

/// How a person replaces a string that works: what brings a new one is no repair here.
pub(super) fn replace_it(subject: &Subject<'_>) -> String {
    let label = subject.label;
    match (subject.token_type, subject.parent) {
        (TokenType::App, _) => format!(
            "reset the app's secret in its dashboard (App settings, Basic) and set it as `secret` in the config; then run `metatoken refresh {label}`"
        ),
        (TokenType::Page, Some(_)) => format!("run `metatoken refresh --force {label}`"),
        _ => log_in_again(subject),
    }
}

fn grant(problem: &Problem, subject: &Subject<'_>) -> String {
    let (label, who) = (subject.label, who(subject));
    if problem.kind == ProblemKind::RoleLost {
        return format!(
            "somebody who manages the Page gives {who} a role on it again; then run `metatoken refresh {label}`"
        );
    }
    match (subject.token_type, subject.parent) {
        (TokenType::User, _) => log_in_and_grant(&who, label),
        (TokenType::Page, Some(parent)) => log_in_and_grant(&who, parent.label),
        (TokenType::Page, None) => format!(
            "{who} logs in to the app again and grants it, ticking every Page, and takes a new Page token from the long-lived user token; then run `metatoken exchange {label}` and paste it"
        ),
        (TokenType::Instagram | TokenType::Threads, _) => format!(
            "{who} logs in to the app again and grants it; then run `metatoken exchange {label}` and paste the new access token"
        ),
        (TokenType::SystemUser, _) => format!(
            "{who} assigns the System User what is missing and generates a new token with the permission (Meta Business settings, Users, System users); then run `metatoken exchange {label}` and paste it"
        ),
        (TokenType::App, _) => {
            "an app's token carries no permissions: take them out of `required_scopes` and `required_targets`".to_owned()
        }
    }
}

fn log_in_and_grant(who: &str, label: &Label) -> String {
    format!(
        "{who} logs in to the app again and grants it, ticking every Page; then run `metatoken exchange {label}` and paste the new access token"
    )
}

fn configure(problem: &Problem, subject: &Subject<'_>) -> String {
    match (problem.kind, subject.token_type) {
        // Without a code of Meta's it is we who could not read the id or the secret.
        (ProblemKind::BadAppCredentials, _) if problem.code.is_some() => format!(
            "compare the app's `id` and `secret` in the config with the app's dashboard ({}); then run `metatoken refresh`",
            id_and_secret(subject.token_type.provider())
        ),
        (ProblemKind::BadProof, _) => {
            "check that `secret` is the secret of the app that the token was given to; then run `metatoken refresh`".to_owned()
        }
        (ProblemKind::TooYoung, _) => format!(
            "set the `secret` of its app; then run `metatoken refresh --force {}`; or generate the token in the app's dashboard, which gives sixty days",
            subject.label
        ),
        (ProblemKind::AppDisabled, _) => {
            "open the app's dashboard and follow its alerts until the app is live again; then run `metatoken refresh`".to_owned()
        }
        (ProblemKind::ObjectNotFound, TokenType::Instagram | TokenType::Threads) => format!(
            "see that the account still lists the app in its settings (Website permissions); if not, {}",
            log_in_again(subject)
        ),
        (ProblemKind::ObjectNotFound, TokenType::User | TokenType::Page) => {
            "compare `page_id` in the config with the Page's id, and see that the person still has a role on the Page".to_owned()
        }
        // A string that worked is answered so until its account and its app are linked anew.
        (ProblemKind::WrongHostOrType, TokenType::Instagram | TokenType::Threads)
            if problem.code == Some(100) =>
        {
            format!("account and app must be linked anew: {}", log_in_again(subject))
        }
        // These have no Page.
        (
            ProblemKind::WrongHostOrType | ProblemKind::IdentityChanged,
            TokenType::Instagram | TokenType::Threads,
        ) => {
            "compare `type` and `app` in the config with what the message says, or paste the string that belongs there".to_owned()
        }
        (ProblemKind::WrongHostOrType | ProblemKind::IdentityChanged, _) => {
            "compare `type`, `app` and `page_id` in the config with what the message says, or paste the string that belongs there".to_owned()
        }
        // An app's token dies with the app's secret.
        (ProblemKind::SessionInvalid, TokenType::App) => log_in_again(subject),
        _ => format!(
            "mend what the message names; then run `metatoken refresh {}`",
            subject.label
        ),
    }
}

/// Where an app's dashboard shows its id and secret: each provider has a pair of its own.
/// Source: Meta, Instagram, create an app; Threads, get started.
const fn id_and_secret(provider: Provider) -> &'static str {
    match provider {
        Provider::Facebook => "App settings, Basic",
        Provider::Instagram => "Instagram, API setup with Instagram login",
        Provider::Threads => "App settings, Basic, Threads app ID",
    }
}

/// Where the person behind the token is asked to pass a check.
const fn site(provider: Provider) -> &'static str {
    match provider {
        Provider::Facebook => "facebook.com",
        // A Threads account is an Instagram account.
        Provider::Instagram | Provider::Threads => "instagram.com",
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

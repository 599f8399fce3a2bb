//! Words what a person is told to do.
//!
//! One sentence that can be followed at three in the morning by someone who has never seen this
//! tool: who must act, where, and the command that hands the result over.

use super::{Parent, Subject};
use crate::token::{
    Action, Expiry, Generation, Label, PersonWords, Problem, ProblemKind, Source, THE_PERSON,
    TokenType,
};

/// The step that recovers from `problem`, for this token; empty where there is nothing to do.
pub fn remedy(problem: &Problem, subject: &Subject<'_>) -> String {
    match problem.action {
        Action::Reauthenticate => log_in_again(subject),
        Action::FixAccount => format!(
            "{} opens {}, logs in and passes what it asks; the token is kept and may work again",
            who(subject),
            subject.token_type.provider().spec().words.account_site
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

/// How a person brings a new access token, for each way in which one is obtained.
fn log_in_again(subject: &Subject<'_>) -> String {
    let (label, who) = (subject.label, who(subject));
    match (subject.token_type.spec().source, subject.parent) {
        (Source::Parent(_), Some(parent)) => {
            format!("mend its parent: `metatoken status {}`", parent.label)
        }
        (Source::Parent(words), None) => format!(
            "{}, or set `parent` so that metatoken derives it",
            handed_over(&who, words.log_in, words, &own_command(subject))
        ),
        (Source::Person(words), _) => handed_over(&who, words.log_in, words, &own_command(subject)),
        (Source::App(_), _) => format!(
            "compare the app's `id` and `secret` in the config with the app's dashboard ({}); then run `metatoken refresh {label}`",
            app_secret(subject)
        ),
    }
}

/// What a person does, and the command that takes over what comes of it.
fn handed_over(who: &str, does: &str, words: &PersonWords, command: &str) -> String {
    format!("{who} {does}; then run `{command}` and paste {}", words.pasted)
}

/// The command that takes over a new access token for a token: with the word that lets it expire
/// earlier, where the current one never expires and Meta may give only sixty days.
fn exchange_command(label: &Label, token_type: TokenType, current: Option<&Generation>) -> String {
    let works = |current: &&Generation| current.verdict() != Some(false);
    let never_expires =
        current.filter(works).is_some_and(|current| current.expiry == Expiry::Never);
    let may_be_dated = token_type.spec().exchange.is_some();
    let replace = if never_expires && may_be_dated { " --replace" } else { "" };
    format!("metatoken exchange {label}{replace}")
}

/// The command that takes over a new access token for this token.
fn own_command(subject: &Subject<'_>) -> String {
    exchange_command(subject.label, subject.token_type, subject.current())
}

/// The command that takes over a new access token for its parent.
fn parents_command(parent: &Parent<'_>) -> String {
    let current = parent.credential.and_then(|credential| credential.current.as_ref());
    exchange_command(parent.label, TokenType::User, current)
}

/// How a person replaces an access token that works: what brings a new one is no repair here.
pub fn replace_it(subject: &Subject<'_>) -> String {
    let label = subject.label;
    match (subject.token_type.spec().source, subject.parent) {
        (Source::App(_), _) => format!(
            "reset the app's secret in its dashboard ({}) and set it as `secret` in the config; then run `metatoken refresh {label}`",
            app_secret(subject)
        ),
        // A Page's access token changes with its parent's.
        (Source::Parent(_), Some(parent))
            if let Some(words) = TokenType::User.spec().person_words() =>
        {
            handed_over(&who(subject), words.log_in, words, &parents_command(&parent))
        }
        _ => log_in_again(subject),
    }
}

/// What a Page's token without a parent lacks, and how it gets one.
pub fn without_parent(subject: &Subject<'_>) -> Option<(&'static str, String)> {
    let comes_from_a_parent = matches!(subject.token_type.spec().source, Source::Parent(_));
    (comes_from_a_parent && subject.parent.is_none()).then(|| {
        let label = subject.label;
        let how = format!(
            "declare the user token that it comes from, and set `parent` to its label in `[token.{label}]`"
        );
        ("nothing at Meta renews a Page token without its parent", how)
    })
}

/// How a Page that is gone from its parent's list comes back, or is given up.
pub fn bring_back(subject: &Subject<'_>, parent: &Label) -> String {
    let (label, who) = (subject.label, who(subject));
    let give_up = label.as_discovered().map_or_else(
        || format!("remove `[token.{label}]` from the config"),
        |(_, id)| format!("write `except = [\"{id}\"]` into `[token.{parent}]`"),
    );
    format!(
        "give {who} a role on the Page and run `metatoken refresh {label}`; if it is not needed, \
         {give_up} and run `metatoken forget {label}`"
    )
}

fn grant(problem: &Problem, subject: &Subject<'_>) -> String {
    let (label, who) = (subject.label, who(subject));
    if problem.kind == ProblemKind::RoleLost {
        return format!(
            "somebody who manages the Page gives {who} a role on it again; then run `metatoken refresh {label}`"
        );
    }
    let spec = subject.token_type.spec();
    // A Page gets what the person grants whose token it is derived from.
    let (giver, command) = match (spec.source, subject.parent) {
        (Source::Parent(_), Some(parent)) => (TokenType::User.spec(), parents_command(&parent)),
        _ => (spec, own_command(subject)),
    };
    match giver.person_words() {
        Some(words) => handed_over(&who, words.grant, words, &command),
        None => "an app's token carries no permissions: take them out of `required_scopes` and `required_targets`".to_owned(),
    }
}

fn configure(problem: &Problem, subject: &Subject<'_>) -> String {
    let provider = subject.token_type.provider().spec();
    match (problem.kind, subject.token_type) {
        // Without a code of Meta's it is we who could not read the id or the secret.
        (ProblemKind::BadAppCredentials, _) if problem.code.is_some() => format!(
            "compare the app's `id` and `secret` in the config with the app's dashboard ({}); then run `metatoken refresh`",
            app_secret(subject)
        ),
        (ProblemKind::BadProof, _) => {
            "check that `secret` is the secret of the app that the token was given to; then run `metatoken refresh`".to_owned()
        }
        (ProblemKind::Network, _) => {
            "if a proxy or a firewall opens HTTPS here, set `[http] ca_file` to a PEM file with its CA, or have it pass Meta's hosts through; see that this machine's clock is right; then run `metatoken refresh`".to_owned()
        }
        (ProblemKind::MalformedResponse, _) => {
            "have the proxy between this machine and Meta pass answers on as they are; then run `metatoken refresh`".to_owned()
        }
        (ProblemKind::TooYoung, _) => format!(
            "set the `secret` of its app; then run `metatoken refresh --force {}`; or generate the token in the app's dashboard, which gives sixty days",
            subject.label
        ),
        (ProblemKind::AppDisabled, _) => {
            "open the app's dashboard and follow its alerts until the app is live again; then run `metatoken refresh`".to_owned()
        }
        (ProblemKind::ObjectNotFound, TokenType::User | TokenType::Page) => {
            "compare `page_id` in the config with the Page's id, and see that the person still has a role on the Page".to_owned()
        }
        (ProblemKind::ObjectNotFound, _) if let Some(list) = provider.words.app_list => format!(
            "see that the account still lists the app in its settings ({list}); if not, {}",
            log_in_again(subject)
        ),
        (ProblemKind::WrongHostOrType | ProblemKind::IdentityChanged, _)
            if provider.has_pages() =>
        {
            "compare `type`, `app` and `page_id` in the config with what the message says, or paste the string that belongs there".to_owned()
        }
        // An access token that worked is answered so until its account and its app are linked anew.
        (ProblemKind::WrongHostOrType, _) if problem.code == Some(100) => {
            format!("account and app must be linked anew: {}", log_in_again(subject))
        }
        (ProblemKind::WrongHostOrType | ProblemKind::IdentityChanged, _) => {
            "compare `type` and `app` in the config with what the message says, or paste the string that belongs there".to_owned()
        }
        // An app's token dies with the app's secret.
        (ProblemKind::SessionInvalid, TokenType::App) => log_in_again(subject),
        _ => format!(
            "mend what the message names; then run `metatoken refresh {}`",
            subject.label
        ),
    }
}

/// Where the dashboard of the token's app shows its id and secret.
fn app_secret(subject: &Subject<'_>) -> &'static str {
    subject.token_type.provider().spec().words.app_secret
}

/// Who acts: the owner by name, or the person whom Meta asks.
fn who(subject: &Subject<'_>) -> String {
    let unnamed = || subject.token_type.spec().person_words().map_or(THE_PERSON, |it| it.owner);
    subject.policy.owner.clone().unwrap_or_else(|| unnamed().to_owned())
}

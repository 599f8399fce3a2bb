//! Chooses what to do about a problem of a token, and puts the token's names into it.

use super::humanize::with_article;
use super::remedy::{OPERATOR, Remedy};
use super::remedy_kind::{Actor, RemedyKind};
use super::subject::Naming;
use super::{Backup, Parent, Promote, Subject};
use crate::token::{
    Action, Expiry, Generation, Label, OpenAttempt, PersonWords, Problem, ProblemKind, SharedToken,
    Source, THE_PERSON, TokenType,
};

/// What recovers from `problem`, for this token; empty where there is nothing to do.
pub fn remedy(problem: &Problem, subject: &Subject<'_>) -> Remedy {
    match problem.action {
        Action::Reauthenticate => log_in_again(problem, subject),
        Action::FixAccount => free_account(subject),
        Action::GrantPermission => grant(problem, subject),
        Action::FixConfiguration => configure(problem, subject),
        Action::Retry => fill(RemedyKind::Retry, subject, &[]),
        Action::SlowDown => fill(RemedyKind::SlowDown, subject, &[]),
        Action::Wait => fill(RemedyKind::Wait, subject, &[]),
        Action::None => Remedy::default(),
    }
}

/// How the person frees the account. A Page's is its parent's: where that is held too, one step frees both.
fn free_account(subject: &Subject<'_>) -> Remedy {
    let problem_of = |parent: Parent<'_>| {
        let proof = parent.credential?.current.as_ref()?.proof.as_ref()?;
        proof.inspection.problem.as_ref().map(|problem| problem.action)
    };
    match subject.parent {
        Some(parent) if problem_of(parent) == Some(Action::FixAccount) => {
            fill(RemedyKind::FreeAccount, &of_the_parent(subject, parent), &[])
        }
        _ => fill(RemedyKind::FreeAccount, subject, &[]),
    }
}

/// How the import that did not run to its end brings the first access token; nothing where there is none.
pub fn import_again(subject: &Subject<'_>) -> Option<Remedy> {
    let import = subject.credential?.unfinished_import()?;
    Some(fill(RemedyKind::ImportAgain, subject, &[("{import}", import)]))
}

/// How a person brings a new access token, for each way in which one is obtained.
fn log_in_again(problem: &Problem, subject: &Subject<'_>) -> Remedy {
    if let Some(again) = import_again(subject) {
        return again;
    }
    match (subject.token_type.spec().source, subject.parent) {
        (Source::Parent(_), Some(parent)) => fix_the_parent(subject, parent),
        (Source::App(_), _) => {
            fill(RemedyKind::AppCredentials, subject, &[]).with_label(subject.label.as_str())
        }
        _ if (subject.has_never_worked() || problem.is_rejection()) && is_of_a_value(problem) => {
            fill(RemedyKind::CopyAgain, subject, &[])
        }
        (Source::Parent(_), None) | (Source::Person(_), _) => {
            let earlier = subject.fallback().filter(|_| !dies_with_all(problem));
            put_back(subject, earlier, &replace_it(subject))
        }
    }
}

/// Whether what killed an access token kills every one of the same person and app.
const fn dies_with_all(problem: &Problem) -> bool {
    matches!(
        problem.kind,
        ProblemKind::PasswordChanged
            | ProblemKind::AppNotAuthorized
            | ProblemKind::RoleLost
            | ProblemKind::Inactive
    )
}

/// How what is kept here takes the place of what is dead or lost: the backup, or an earlier access
/// token. Otherwise it is `instead`.
pub fn put_back(subject: &Subject<'_>, earlier: Option<&Generation>, instead: &Remedy) -> Remedy {
    match (subject.backup.filter(Backup::works), earlier) {
        (Some(backup), _) => {
            let by_itself = "a run at least ten minutes later does it";
            let instead = match backup.promoted_by {
                Promote::Manual => &*instead.step,
                Promote::Auto => by_itself,
            };
            let names = [("{backup}", backup.label.as_str()), ("{instead}", instead)];
            fill(RemedyKind::Promote, subject, &names)
        }
        (None, Some(earlier)) => {
            let generation = earlier.number.to_string();
            let names = [("{generation}", &*generation), ("{instead}", &*instead.step)];
            fill(RemedyKind::RollBack, subject, &names)
        }
        (None, None) => instead.clone(),
    }
}

/// How the person behind a token gets a new access token: by a dialog, where Meta has one for it, and
/// by an admin's token, where the config names one.
fn log_in(subject: &Subject<'_>) -> Remedy {
    if subject.naming.admin.is_some() {
        return fill(RemedyKind::Mint, subject, &[]);
    }
    if has_dialog(subject) {
        let lacks_secret = subject.naming.lacks_secret;
        let kind =
            if lacks_secret { RemedyKind::LogInWithSecret } else { RemedyKind::LogInByDialog };
        return fill(kind, subject, &[]);
    }
    let remedy = fill(RemedyKind::LogIn, subject, &[]);
    match what_to_generate(subject) {
        Some(note) => remedy.with_note(note),
        None => remedy,
    }
}

/// For which System User and app an admin generates an access token, how long it lives, and what it may
/// do, as far as that is known.
fn what_to_generate(subject: &Subject<'_>) -> Option<String> {
    let current = subject.current().filter(|_| subject.token_type == TokenType::SystemUser)?;
    let inspection = &current.proof.as_ref()?.inspection;
    let user_id = inspection.identity.user_id.as_ref()?;
    let Naming { app, app_id, .. } = subject.naming;
    let app_id = app_id.or(inspection.identity.app_id.as_deref());
    let app_id = app_id.map(|id| format!(" ({id})")).unwrap_or_default();
    let expiration = if current.expiry == Expiry::Never { "Never" } else { "60 days" };
    let required = &subject.policy.required_scopes;
    let scopes = if required.is_empty() { inspection.known_scopes() } else { required };
    let permissions = match scopes {
        [] => String::new(),
        scopes => format!(", permissions {}", scopes.join(", ")),
    };
    Some(format!(
        "Generate it for System User {user_id}, app `{app}`{app_id}, expiration {expiration}{permissions}"
    ))
}

/// How that person grants what is missing.
fn grant_anew(subject: &Subject<'_>) -> Remedy {
    let kind = match (has_dialog(subject), subject.naming.lacks_secret) {
        (true, false) => RemedyKind::GrantByDialog,
        // A login asks for what is missing, too.
        (true, true) => RemedyKind::LogInWithSecret,
        (false, _) => RemedyKind::Grant,
    };
    fill(kind, subject, &[])
}

/// Whether a person logs in for its tokens; an admin generates those of a System User.
const fn has_dialog(subject: &Subject<'_>) -> bool {
    matches!(subject.token_type, TokenType::User | TokenType::Instagram | TokenType::Threads)
}

/// Whether it may be due to how the value was copied: Meta knows nothing of it.
fn is_of_a_value(problem: &Problem) -> bool {
    let answer_was_lost = problem.message.contains(Problem::META_SAYS);
    let is_anothers = problem.kind == ProblemKind::IdentityChanged;
    let is_login = OpenAttempt::is_login_lost(problem);
    !problem.tells_of_a_past() && !answer_was_lost && !is_anothers && !is_login
}

/// What the parent's own trouble asks for.
fn fix_the_parent(subject: &Subject<'_>, parent: Parent<'_>) -> Remedy {
    let proof = parent.credential.and_then(|it| it.current.as_ref()?.proof.as_ref());
    let dead = proof.filter(|proof| proof.inspection.verdict() != Some(true));
    match dead.and_then(|proof| proof.inspection.problem.as_ref()) {
        Some(problem) => remedy(problem, &of_the_parent(subject, parent)),
        None => fill(RemedyKind::Parent, subject, &[]),
    }
}

/// The parent, whose person brings what a Page needs.
fn of_the_parent<'a>(subject: &Subject<'a>, parent: Parent<'a>) -> Subject<'a> {
    Subject {
        label: parent.label,
        token_type: parent.credential.map_or(TokenType::User, |it| it.token_type),
        credential: parent.credential,
        parent: None,
        backup: parent.backup,
        ..*subject
    }
}

/// How a person replaces an access token that works: what brings a new one is not a repair here.
pub fn replace_it(subject: &Subject<'_>) -> Remedy {
    match (subject.token_type.spec().source, subject.parent) {
        (Source::App(_), _) => fill(RemedyKind::ResetSecret, subject, &[]),
        // A Page's access token changes with its parent's.
        (Source::Parent(_), Some(parent)) => log_in(&of_the_parent(subject, parent)),
        (Source::Parent(_), None) => fill(RemedyKind::TakePageToken, subject, &[]),
        (Source::Person(_), _) => log_in(subject),
    }
}

/// What a Page's token without a parent lacks, and how it gets one.
pub fn without_parent(subject: &Subject<'_>) -> Option<(&'static str, String)> {
    let comes_from_a_parent = matches!(subject.token_type.spec().source, Source::Parent(_));
    (comes_from_a_parent && subject.parent.is_none()).then(|| {
        let how = format!(
            "run `metatoken add USER --type user` for the person who manages the Page, and set \
             `parent = \"USER\"` in {}",
            table(subject.label)
        );
        ("nothing at Meta renews a Page token without its parent", how)
    })
}

/// How a Page comes back whose person has lost the role on it, or that is gone from its parent's list, and
/// how it is given up: it may have been sold.
pub fn bring_it_back(subject: &Subject<'_>) -> Remedy {
    let label = subject.label;
    let give_up = label.as_discovered().map_or_else(
        || format!("remove {} from the config", table(label)),
        |(parent, id)| format!("write `except = [\"{id}\"]` into `[token.{parent}]`"),
    );
    fill(RemedyKind::BringBack, subject, &[("{give_up}", &give_up)])
}

/// How what is not in use goes away from `place`; `may_be_taken` where it works and is no better.
pub fn clear_source(subject: &Subject<'_>, place: &str, may_be_taken: bool) -> Remedy {
    let kind =
        if may_be_taken { RemedyKind::StaleSourceOrReplace } else { RemedyKind::StaleSource };
    fill(kind, subject, &[("{place}", place)])
}

/// How the older access token of that number is ended, which works beside the current one.
pub fn end_the_old_one(subject: &Subject<'_>, number: u32) -> Remedy {
    fill(RemedyKind::RevokeOld, subject, &[("{generation}", &number.to_string())])
}

/// How an access token is ended that was revoked and works all the same.
pub fn revoke_again(subject: &Subject<'_>) -> Remedy {
    fill(RemedyKind::RevokeAgain, subject, &[])
}

/// How a token whose `access_token` is another's gets its own, or is said to be that one's new name.
pub fn own_access_token(subject: &Subject<'_>, shared: &SharedToken) -> Remedy {
    let kind = if shared.is_declared { RemedyKind::OwnAccessToken } else { RemedyKind::SayNewName };
    fill(kind, subject, &[("{was}", shared.with.as_str())])
}

/// The table of a token in the config, as a person finds it.
pub fn table(label: &Label) -> String {
    match label.as_discovered() {
        Some(_) => format!("`[token.\"{label}\"]`"),
        None => format!("`[token.{label}]`"),
    }
}

fn grant(problem: &Problem, subject: &Subject<'_>) -> Remedy {
    if problem.kind == ProblemKind::RoleLost {
        return bring_it_back(subject);
    }
    match (subject.token_type.spec().source, subject.parent) {
        // A Page gets what the person grants whose token it is derived from.
        (Source::Parent(_), Some(parent)) => grant_anew(&of_the_parent(subject, parent)),
        (Source::App(_), _) => fill(RemedyKind::NoPermissions, subject, &[]),
        _ => grant_anew(subject),
    }
}

fn configure(problem: &Problem, subject: &Subject<'_>) -> Remedy {
    let provider = subject.token_type.provider().spec();
    let kind = match (problem.kind, subject.token_type) {
        // The app's secret is missing for all of its tokens.
        (ProblemKind::BadAppCredentials, _) if problem.fix.is_some() => RemedyKind::AppSetting,
        _ if problem.fix.is_some() => RemedyKind::Setting,
        // Without a code it is no answer of Meta's: there is no secret to ask with.
        (ProblemKind::BadAppCredentials, _) if problem.code.is_none() => RemedyKind::MissingSecret,
        (ProblemKind::BadAppCredentials, _) => RemedyKind::AppCredentials,
        (ProblemKind::BadProof, _) => RemedyKind::AppSecret,
        (ProblemKind::TooYoung, _) => RemedyKind::MissingSecret,
        (ProblemKind::Network, _) => RemedyKind::Certificate,
        (ProblemKind::MalformedResponse, _) => RemedyKind::Proxy,
        (ProblemKind::AppDisabled, _) => RemedyKind::AppDisabled,
        (ProblemKind::ObjectNotFound, TokenType::Page) => RemedyKind::PageId,
        (ProblemKind::ObjectNotFound, _) if provider.words.app_list.is_some() => {
            RemedyKind::AppList
        }
        // An access token that worked is answered so until its account and its app are linked anew.
        (ProblemKind::WrongHostOrType, _) if problem.code == Some(100) && !provider.has_pages() => {
            RemedyKind::LinkAnew
        }
        (ProblemKind::WrongHostOrType | ProblemKind::IdentityChanged, TokenType::App) => {
            RemedyKind::NeedsNone
        }
        (ProblemKind::WrongHostOrType, _) => RemedyKind::WrongType,
        (ProblemKind::IdentityChanged, _) => RemedyKind::WrongIdentity,
        // An app's token dies with the app's secret.
        (ProblemKind::SessionInvalid, TokenType::App) => {
            return fill(RemedyKind::AppCredentials, subject, &[])
                .with_label(subject.label.as_str());
        }
        _ => RemedyKind::Inspect,
    };
    // Instagram and Threads answered that it is too young: only `--force` has it renewed now. Facebook
    // is asked about no token of the app.
    let which =
        if provider.has_pages() { String::new() } else { format!(" --force {}", subject.label) };
    let fix = problem.fix.as_deref().unwrap_or_default();
    fill(kind, subject, &[("{fix}", fix), ("{which}", &which)])
}

/// Puts the token's names into a row of the table, and `more` that this row has.
fn fill(kind: RemedyKind, subject: &Subject<'_>, more: &[(&str, &str)]) -> Remedy {
    let row = kind.row();
    let who = match (row.actor, &subject.policy.owner) {
        (Actor::Operator, _) => OPERATOR,
        (_, Some(owner)) => owner,
        (_, None) => "its owner",
    };
    row.filled(who, |template| put(template, subject, more))
}

/// The text with the token's names in the place of `{label}` and the like, and `more` in the place of
/// what only this row has.
fn put(template: &str, subject: &Subject<'_>, more: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, name, behind)) = next_name(rest) {
        text.push_str(before);
        let own = more.iter().find(|(each, _)| *each == name).map(|(_, value)| (*value).to_owned());
        let value = own.or_else(|| value_of(name, subject));
        text.push_str(value.as_deref().unwrap_or(name));
        rest = behind;
    }
    text.push_str(rest);
    // Where there is no id of a Page.
    if text.contains("Page  ") { text.replace("Page  ", "the Page ") } else { text }
}

/// What stands before the next name in braces, that name with its braces, and what stands behind it.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let (begin, end) = (text.find('{')?, text.find('}')?);
    Some((&text[..begin], &text[begin..=end], &text[end + 1..]))
}

/// What stands for a name that every row may have.
fn value_of(name: &str, subject: &Subject<'_>) -> Option<String> {
    let Subject { label, token_type, naming, parent, .. } = *subject;
    let (spec, words) = (token_type.spec(), &token_type.provider().spec().words);
    let said = |pick: fn(&PersonWords) -> &'static str| spec.person_words().map_or("", pick);
    let path = |path: &str| if path.is_empty() { "the config".to_owned() } else { path.to_owned() };
    Some(match name {
        "{who}" => who(subject),
        "{label}" => label.to_string(),
        "{table}" => table(label),
        "{replace}" => replace(subject).to_owned(),
        "{parent}" => parent.map(|it| it.label.to_string()).unwrap_or_default(),
        "{a_type}" => with_article(token_type),
        "{app}" => naming.app.to_owned(),
        "{app_id}" => naming.app_id.map(|id| format!(" ({id})")).unwrap_or_default(),
        "{app_secret}" => words.app_secret.to_owned(),
        "{app_list}" => words.app_list.unwrap_or_default().to_owned(),
        "{admin}" => naming.admin.unwrap_or_default().to_owned(),
        "{config}" => path(naming.config),
        "{file}" => path(naming.file),
        "{page}" => {
            let discovered = || label.as_discovered().map(|(_, id)| id);
            naming.page_id.or_else(discovered).unwrap_or_default().to_owned()
        }
        "{identity}" => identity(subject),
        "{site}" => words.account_site.to_owned(),
        "{log_in}" => said(|it| it.log_in).to_owned(),
        "{logs_in}" => said(|it| it.logs_in).to_owned(),
        "{grant}" => said(|it| it.grant).to_owned(),
        "{grants}" => said(|it| it.grants).to_owned(),
        "{pasted}" => said(|it| it.pasted).to_owned(),
        "{dashboard}" if token_type.provider().spec().has_pages() => String::new(),
        "{dashboard}" => NEEDS_NO_SECRET.to_owned(),
        _ => return None,
    })
}

/// What of the config says whose an access token must be.
fn identity(subject: &Subject<'_>) -> String {
    let Naming { app, config, file, .. } = subject.naming;
    let key = if subject.token_type == TokenType::Page { "`app` or `page_id`" } else { "`app`" };
    let in_file = |path: &str| if path.is_empty() { String::new() } else { format!(" in {path}") };
    let key = format!("{key} of {}", table(subject.label));
    if config == file {
        format!("{key}, or `id` of `[app.{app}]`,{}", in_file(file))
    } else {
        format!("{key}{}, or `id` of `[app.{app}]`{}", in_file(file), in_file(config))
    }
}

/// What is not a short-lived login. Source: Meta, Instagram business login; Threads, long-lived tokens.
const NEEDS_NO_SECRET: &str =
    "A token that is generated in the app's dashboard lives sixty days without it";

/// The word that lets a new access token expire earlier, where the current one works and never expires
/// and Meta may give only sixty days.
fn replace(subject: &Subject<'_>) -> &'static str {
    let works = |current: &&Generation| current.verdict() != Some(false);
    let never_expires =
        subject.current().filter(works).is_some_and(|current| current.expiry == Expiry::Never);
    let may_be_dated = subject.token_type.spec().exchange.is_some();
    if never_expires && may_be_dated { " --replace" } else { "" }
}

/// Who acts: the owner by name, or the person whom Meta asks.
pub fn who(subject: &Subject<'_>) -> String {
    let unnamed = || subject.token_type.spec().person_words().map_or(THE_PERSON, |it| it.owner);
    subject.policy.owner.clone().unwrap_or_else(|| unnamed().to_owned())
}

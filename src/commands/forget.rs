//! `forget`: wipes the access tokens of labels that the config does not declare any more.
//!
//! History and fingerprints stay. Those that are chosen by what they hang on are listed first, and
//! forgotten once a person has confirmed it. What can be refused is refused before anything is changed. The file
//! that declares a label is removed first, then files are emptied, and the store is wiped last: after
//! a kill the same command finishes it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{self, Config, LeftOut};
use crate::deliver::{Deliveries, DeliveryError};
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::{Reason, Remedy, RemedyKind, humanize, judge_held_file};
use crate::report::{RunReport, TokenResult};
use crate::run::declared::last_reading;
use crate::run::hangs_on::Selection;
use crate::run::tokens::Tokens;
use crate::run::{DryRun, Run, RunOptions, in_a_run};
use crate::session::Session;
use crate::token::{Credential, Expiry, Label, Outcome, TargetId};

/// What was asked for.
#[derive(Debug)]
pub struct ForgetOrder {
    /// The tokens that are meant.
    pub selection: Selection,
    /// What `--yes` said: how many tokens are forgotten, where they were chosen by what they hang on.
    pub confirmed: Option<String>,
    /// What is done with files that still hold an access token.
    pub files: HeldFiles,
    /// What is done with files in `tokens.d` that declare a label.
    pub declared: Declaration,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// What is done with files that still hold an access token of a token that is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldFiles {
    /// They are named.
    List,
    /// The value in them is emptied.
    Empty,
}

/// What is done with a label that the config declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declaration {
    /// It is not forgotten.
    Refuse,
    /// Its file in `tokens.d` is removed.
    Remove,
}

/// Forgets tokens.
pub fn forget(session: &Session, order: &ForgetOrder) -> Result<Exit, CliError> {
    session.refuse_without_store("nothing is kept that could be forgotten")?;
    // Nobody waits for the lock while a person reads.
    let listed = match (order.selection.hangs_on.is_given(), order.dry_run) {
        (true, DryRun::No) => Some(list_and_ask(session, order)?),
        _ => None,
    };
    let options = RunOptions::typed("forget", order.dry_run, order.lock_wait);
    in_a_run(session, options, |run| forget_all(run, order, listed.as_deref()))
}

/// Lists what would be forgotten, and has a person confirm it; returns the labels.
fn list_and_ask(session: &Session, order: &ForgetOrder) -> Result<Vec<Label>, CliError> {
    let Some(store) = session.reader()? else { return Ok(Vec::new()) };
    let known = store.credentials()?;
    let last = last_reading(&session.config, Some(&store))?;
    let all = Tokens::new(&session.config, known.clone(), &last);
    let tokens = meant(session, &all, &known, &order.selection)?;
    refuse_declared(session, &all, &tokens, order.declared)?;
    let count = humanize::count(tokens.len(), "token");
    let width = tokens.iter().map(|it| it.label.as_str().len()).max().unwrap_or_default();
    let lines = tokens.iter().map(|it| format!("\n  {:width$}  {}", it.label, described(it)));
    let lines: String = lines.collect();
    session.ui.say(&format!("{count} that match `{}`:{lines}", order.selection.hangs_on));
    let question = format!("Delete the access tokens of {count} here?");
    session.ui.confirm(&tokens.len().to_string(), order.confirmed.as_deref(), &question)?;
    Ok(tokens.into_iter().map(|it| it.label).collect())
}

/// `user token of 501, app main, expires 2026-03-01 02:00 UTC`.
fn described(token: &Credential) -> String {
    let mut said = format!("{} token", token.token_type);
    let proof = token.current.as_ref().and_then(|current| current.proof.as_ref());
    if let Some(user) = proof.and_then(|proof| proof.inspection.identity.user_id.as_ref()) {
        let _ = write!(said, " of {user}");
    }
    if let Some(app) = &token.app {
        let _ = write!(said, ", app {app}");
    }
    let expires = match token.current.as_ref().map(|current| current.expiry) {
        None => "no access token in use".to_owned(),
        Some(Expiry::At(at)) => format!("expires {}", humanize::instant(at)),
        Some(Expiry::Never) => "never expires".to_owned(),
        Some(Expiry::Unknown) => "expiry not known".to_owned(),
    };
    format!("{said}, {expires}")
}

fn forget_all(
    run: &Run<'_>,
    order: &ForgetOrder,
    listed: Option<&[Label]>,
) -> Result<RunReport, CliError> {
    let deliveries = run.deliveries()?;
    let tokens = meant(run.session, &run.tokens, &run.store.credentials()?, &order.selection)?;
    if listed.is_some_and(|listed| !listed.iter().eq(tokens.iter().map(|it| &it.label))) {
        let message = "nothing was forgotten: other tokens match now than were listed";
        return Err(CliError::new(Exit::Usage, "not_confirmed", "", message)
            .hint("run the same command again"));
    }
    let files = refuse_declared(run.session, &run.tokens, &tokens, order.declared)?;
    refuse_half_written(&deliveries, &tokens)?;
    if order.dry_run == DryRun::No {
        files.iter().try_for_each(|file| remove(file))?;
    }
    let (mut results, mut system) = (Vec::new(), Vec::new());
    for token in &tokens {
        let found = match order.files {
            HeldFiles::Empty => empty(run, &deliveries, token)?,
            HeldFiles::List => still_held(run, &deliveries, token, order)?,
        };
        system.extend(found.reasons);
        system.extend(source_still_holds(run, &deliveries, token)?);
        let (_, wiped) = run.store.forget(run.id, token.clone(), run.now())?;
        let file = file_of(&run.session.config, &token.label);
        let reason = done(order.dry_run, wiped, &found.emptied, file.map(AsRef::as_ref));
        results.push(result(token, order.dry_run, reason));
    }
    Ok(RunReport {
        dry_run: order.dry_run == DryRun::Yes,
        started_at: run.started_at(),
        finished_at: run.now(),
        results,
        system,
    })
}

/// The tokens of the store that match what was typed, and the Pages that were found under them.
fn meant(
    session: &Session,
    tokens: &Tokens,
    known: &[Arc<Credential>],
    selection: &Selection,
) -> Result<Vec<Credential>, CliError> {
    let Selection { patterns, hangs_on } = selection;
    for pattern in patterns {
        if !known.iter().any(|it| pattern.matches(&it.label)) {
            let message = "matches no token in the store";
            return Err(CliError::new(Exit::Usage, "no_such_label", pattern.as_str(), message)
                .hint("`metatoken status -v --offline` lists the labels that are not declared"));
        }
    }
    let hanging = hangs_on.labels(&session.config, tokens)?;
    let is_typed = |label: &Label| {
        patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(label))
    };
    let is_meant = |label: &Label| {
        hanging.as_ref().is_none_or(|labels| labels.contains(label))
            && (is_typed(label) || label.parent().is_some_and(|it| is_typed(&it)))
    };
    let meant = known.iter().filter(|it| is_meant(&it.label));
    let meant: Vec<Credential> = meant.map(|it| Credential::clone(it)).collect();
    if meant.is_empty() {
        let message = "matches no token in the store";
        return Err(CliError::new(Exit::Usage, "no_such_label", hangs_on.to_string(), message)
            .hint("`metatoken status` with the same options shows what the config declares"));
    }
    Ok(meant)
}

/// The files in `tokens.d` that are to be removed, once nothing speaks against that.
fn refuse_declared(
    session: &Session,
    all: &Tokens,
    tokens: &[Credential],
    declared: Declaration,
) -> Result<Vec<Arc<Path>>, CliError> {
    let config = &session.config;
    let is_meant = |label: &Label| tokens.iter().any(|token| token.label == *label);
    let mut files: Vec<Arc<Path>> = Vec::new();
    for label in tokens.iter().map(|token| &token.label) {
        // A Page that was found goes with its parent.
        let goes_along =
            config.token(label).is_none() && label.parent().as_ref().is_some_and(is_meant);
        if goes_along || !all.declared_labels().is_wanted(config, label) {
            continue;
        }
        match (file_of(config, label), declared) {
            (Some(file), Declaration::Remove) => {
                if !files.contains(file) {
                    files.push(file.clone());
                }
            }
            (Some(file), Declaration::Refuse) => {
                let hint =
                    format!("`metatoken forget --undeclare {label}` removes that file first");
                let why = format!("`{}` declares it", file.display());
                return Err(is_declared(label, &why).hint(hint));
            }
            (None, _) => return Err(not_removable(config, label)),
        }
    }
    for file in &files {
        let of_file = config.tokens.iter().filter(|it| it.declared_in.as_ref() == Some(file));
        if let Some(other) = of_file.map(|it| &it.label).find(|label| !is_meant(label)) {
            let subject = file.display().to_string();
            let message = format!("not removed: it declares `{other}` too");
            return Err(CliError::new(Exit::InputRefused, "still_declared", subject, message)
                .hint("remove the table that is not needed from the file by hand"));
        }
    }
    if !files.is_empty() {
        check_the_rest(session, &files)?;
    }
    Ok(files)
}

/// Refuses to remove files that the rest of the config depends on.
fn check_the_rest(session: &Session, files: &[Arc<Path>]) -> Result<(), CliError> {
    let Session { config, environment, .. } = session;
    let needed = |why: &str| {
        let subject = files[0].display().to_string();
        let message = format!("not removed: the rest of the config depends on it: {why}");
        CliError::new(Exit::InputRefused, "still_needed", subject, message)
            .hint("change what depends on it first; then run the same again")
    };
    let rest = config::load_without(&config.path, environment, files)
        .map_err(|error| needed(error.message.lines().nth(1).unwrap_or(&error.message).trim()))?;
    let is_new = |it: &&LeftOut| !config.left_out.iter().any(|known| known.path == it.path);
    match rest.left_out.iter().find(is_new) {
        Some(left_out) => Err(needed(left_out.message.trim_start_matches("left out: "))),
        None => Ok(()),
    }
}

fn file_of<'a>(config: &'a Config, label: &Label) -> Option<&'a Arc<Path>> {
    config.token(label)?.declared_in.as_ref()
}

fn is_declared(label: &Label, why: &str) -> CliError {
    let message = format!("not forgotten: {why}");
    CliError::new(Exit::InputRefused, "still_declared", label.as_str(), message)
}

fn not_removable(config: &Config, label: &Label) -> CliError {
    let path = config.path.display();
    match label.parent() {
        _ if config.token(label).is_some() => is_declared(label, &format!("`{path}` declares it"))
            .hint(format!("remove its table from `{path}` first")),
        Some(parent) if config.token(&parent).is_some() => {
            is_declared(label, &format!("it is a Page of `{parent}`, which is declared"))
                .hint(format!("add its id to `except` of `{parent}` first"))
        }
        _ => is_declared(label, "a file that declares it is left out of the config")
            .hint("`metatoken config check` shows what is wrong with that file"),
    }
}

/// Refuses a token with a file that an interrupted write left half-written: what would finish it
/// would be wiped.
fn refuse_half_written(deliveries: &Deliveries<'_>, tokens: &[Credential]) -> Result<(), CliError> {
    let is_meant = |label: &Label| tokens.iter().any(|token| token.label == *label);
    let Some(reason) = deliveries.unfinished_files(is_meant).next() else { return Ok(()) };
    let label = reason.labels.first().map_or_else(String::new, ToString::to_string);
    Err(CliError::new(Exit::NotDelivered, reason.code, label, reason.message)
        .hint(reason.remedy.to_string()))
}

fn remove(file: &Path) -> Result<(), CliError> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let subject = file.display().to_string();
            Err(CliError::new(Exit::Storage, "not_removed", subject, "cannot be removed")
                .because(error)
                .hint("run it as the user who owns that folder; nothing was forgotten"))
        }
        _ => Ok(()),
    }
}

/// The files that hold an access token of one token.
#[derive(Default)]
struct Held {
    /// Those that were emptied.
    emptied: Vec<TargetId>,
    /// What is said of the others.
    reasons: Vec<Reason>,
}

fn empty(run: &Run<'_>, deliveries: &Deliveries<'_>, token: &Credential) -> Result<Held, CliError> {
    let label = &token.label;
    let mut held = Held::default();
    for holding in deliveries.holding(token.id, run.session.config.token(label))? {
        match deliveries.empty(&holding)? {
            Ok(()) => held.emptied.push(holding.target),
            Err(DeliveryError { message, hint }) => {
                let message = format!("not emptied: {message}");
                let step = hint.unwrap_or_else(|| "empty it with an editor".to_owned());
                let remedy = Remedy::of_the_operator(step);
                held.reasons.push(judge_held_file(label, &holding.target, message, remedy));
            }
        }
    }
    Ok(held)
}

fn still_held(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    token: &Credential,
    order: &ForgetOrder,
) -> Result<Held, CliError> {
    let label = &token.label;
    let holding = deliveries.holding(token.id, run.session.config.token(label))?;
    let remedy = match order.dry_run {
        DryRun::No => RemedyKind::EmptyFile.of_the_operator(&[("{label}", label.as_str())]),
        // The label may still be declared, and then that command is refused.
        DryRun::Yes => Remedy::of_the_operator("add `--targets`, which empties it too"),
    };
    let reasons = holding.iter().map(|it| {
        let message = match order.dry_run {
            DryRun::No => format!("`{}` still holds its access token", it.target),
            DryRun::Yes => format!("`{}` would still hold its access token", it.target),
        };
        judge_held_file(label, &it.target, message, remedy.clone())
    });
    Ok(Held { emptied: Vec::new(), reasons: reasons.collect() })
}

/// Names the file in which the config finds the access token: it is not a file of ours to empty.
fn source_still_holds(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    token: &Credential,
) -> Result<Option<Reason>, CliError> {
    let label = &token.label;
    let config = run.session.config.token(label);
    let Some(source) = config.and_then(|config| config.access_token.as_ref()) else {
        return Ok(None);
    };
    Ok(deliveries.source_holds(token.id, source)?.then(|| {
        let message = format!("{source}, its `access_token`, still holds its access token");
        let remedy = Remedy::of_the_operator("remove the access token from it with an editor");
        judge_held_file(label, &TargetId::new(source.to_string()), message, remedy)
    }))
}

/// What was done to one token, or would be.
fn done(dry_run: DryRun, wiped: usize, emptied: &[TargetId], removed: Option<&Path>) -> String {
    let tokens = humanize::count(wiped, "access token");
    let files = (!emptied.is_empty()).then(|| humanize::list(emptied));
    let removed = removed.map(|file| format!("`{}`", file.display()));
    let said = match dry_run {
        DryRun::No => [
            Some(if wiped == 0 {
                "nothing was kept".to_owned()
            } else {
                format!("{tokens} wiped")
            }),
            files.map(|files| format!("emptied {files}")),
            removed.map(|file| format!("removed {file}")),
        ],
        DryRun::Yes => [
            Some(if wiped == 0 {
                "nothing is kept".to_owned()
            } else {
                format!("{tokens} would be wiped")
            }),
            files.map(|files| format!("{files} would be emptied")),
            removed.map(|file| format!("{file} would be removed")),
        ],
    };
    said.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn result(token: &Credential, dry_run: DryRun, reason: String) -> TokenResult {
    let outcome = match dry_run {
        DryRun::No => Outcome::Forgotten,
        DryRun::Yes => Outcome::Forgotten.rehearsed(),
    };
    TokenResult::of(token.label.clone(), token.token_type, outcome, reason)
        .moving(token.current.as_ref(), None)
}

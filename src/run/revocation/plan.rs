//! Finds out what would die with what is revoked, and says so to a person.

use std::fmt::Write as _;

use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{App, CallError};
use crate::policy::humanize;
use crate::run::inspect::inspect;
use crate::run::{Run, apps};
use crate::store::StoreError;
use crate::token::{
    Credential, Generation, GenerationId, GenerationState, Identity, Label, Provider, TargetId,
    TokenType,
};

/// How much of a grant is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationScope {
    /// The one generation of that number.
    Generation(u32),
    /// All that the person or System User has for the app.
    All,
}

/// What ends together at Meta, and what is kept here of it.
pub struct RevocationPlan {
    /// The app that it was granted to.
    pub app: App,
    /// Meta's id of the person or System User.
    pub user_id: String,
    /// Which call ends it.
    pub kind: GrantKind,
    /// What dies of what is kept here, by label.
    pub doomed: Vec<DoomedGeneration>,
    /// The label that was meant first.
    pub label: Label,
}

/// What Meta has a call for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantKind {
    /// One access token of a System User.
    One,
    /// All that a System User has for the app.
    SystemUser,
    /// All that a person granted the app.
    Person,
    /// The same at Instagram and Threads, where Meta documents no call.
    Undocumented,
}

/// An access token that dies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoomedGeneration {
    pub label: Label,
    pub token_type: TokenType,
    pub generation: Generation,
    /// The targets that have it, or wait for it.
    pub targets: Vec<TargetId>,
}

impl DoomedGeneration {
    fn of(credential: &Credential, generation: Generation) -> Self {
        let has_it = |id: Option<GenerationId>| id == Some(generation.id);
        let holders = credential.deliveries.iter().filter(|row| {
            has_it(row.pending) || (has_it(row.settled) && row.drifted_since.is_none())
        });
        let targets = holders.map(|row| row.target.clone()).collect();
        let (label, token_type) = (credential.label.clone(), credential.token_type);
        Self { label, token_type, generation, targets }
    }

    /// Whether it is what programs use.
    pub fn is_current(&self) -> bool {
        self.generation.state == GenerationState::Current
    }
}

impl RevocationPlan {
    /// The labels that lose an access token, each once.
    pub fn labels(&self) -> Vec<Label> {
        let mut labels: Vec<Label> = Vec::new();
        for doomed in &self.doomed {
            if !labels.contains(&doomed.label) {
                labels.push(doomed.label.clone());
            }
        }
        labels
    }

    /// Whose access tokens end, as people know them.
    pub fn whose(&self) -> String {
        let who = match (self.kind, self.app.provider) {
            (GrantKind::One | GrantKind::SystemUser, _) => "System User",
            (_, Provider::Facebook) => "user",
            (_, Provider::Instagram) => "Instagram account",
            (_, Provider::Threads) => "Threads account",
        };
        format!("{who} {} for app `{}` ({})", self.user_id, self.app.name, self.app.id)
    }
}

/// Finds out what would die with what was typed; asks Meta only where nothing is known of whose the
/// token is.
pub fn plan(
    run: &Run<'_>,
    label: &Label,
    scope: RevocationScope,
) -> Result<RevocationPlan, CliError> {
    let credentials = run.store.credentials()?;
    let Some(credential) = credentials.iter().find(|it| it.label == *label) else {
        // What is mistyped is no token at all.
        run.tokens.one(label)?;
        return Err(nothing_kept(label));
    };
    if credential.token_type == TokenType::App {
        let message =
            "an app's token cannot be revoked: it is valid until the app's secret is reset";
        let place = Provider::Facebook.spec().words.app_secret;
        return Err(refused(label, "not_revocable", message)
            .hint(format!("reset the app's secret at Meta ({place})")));
    }
    let own = kept(run, credential)?;
    let (app, identity) = whose(run, credential, &own)?;
    let user_id = identity.user_id.ok_or_else(|| {
        refused(label, "unknown_user", "it is not known whose access token it is")
            .hint(format!("run `metatoken refresh {label}`, which asks Meta"))
    })?;
    match scope {
        RevocationScope::Generation(number) => one(run, credential, app, user_id, number),
        RevocationScope::All => {
            let mut doomed = Vec::new();
            for each in &credentials {
                let app_of = run.session.config.token(&each.label).map(|token| &token.app);
                if app_of.is_some_and(|name| *name != app.name) {
                    continue;
                }
                let belongs = |generation: &Generation| {
                    let is_of_unknown = each.id == credential.id && person(generation).is_none();
                    belongs(generation, &app, &user_id) || is_of_unknown
                };
                let theirs = kept(run, each)?.into_iter().filter(belongs).filter(is_doomed);
                doomed.extend(theirs.map(|it| DoomedGeneration::of(each, it)));
            }
            if doomed.is_empty() {
                return Err(nothing_kept(label));
            }
            let kind = kind(credential.token_type, &doomed);
            Ok(RevocationPlan { app, user_id, kind, doomed, label: label.clone() })
        }
    }
}

fn kind(token_type: TokenType, doomed: &[DoomedGeneration]) -> GrantKind {
    let is_of_a_system_user = |doomed: &DoomedGeneration| {
        let told = doomed.generation.proof.as_ref();
        let told = told.and_then(|proof| proof.inspection.token_type.as_deref());
        doomed.token_type == TokenType::SystemUser
            || told == TokenType::SystemUser.spec().graph_name
    };
    match token_type.provider() {
        Provider::Facebook if doomed.iter().any(is_of_a_system_user) => GrantKind::SystemUser,
        Provider::Facebook if token_type == TokenType::SystemUser => GrantKind::SystemUser,
        Provider::Facebook => GrantKind::Person,
        Provider::Instagram | Provider::Threads => GrantKind::Undocumented,
    }
}

/// One access token of a System User, under every label that has it.
fn one(
    run: &Run<'_>,
    credential: &Credential,
    app: App,
    user_id: String,
    number: u32,
) -> Result<RevocationPlan, CliError> {
    let label = &credential.label;
    if credential.token_type != TokenType::SystemUser {
        let message = "Meta revokes a single access token only of a System User";
        return Err(refused(label, "not_revocable", message).hint(format!(
            "`metatoken revoke {label} --all` revokes all that this person granted the app"
        )));
    }
    let all = run.store.generations(credential.id)?;
    let meant = all.into_iter().find(|it| it.number == number).ok_or_else(|| {
        refused(label, "no_such_generation", &format!("has no generation {number}"))
            .hint(format!("`metatoken status {label}` lists them"))
    })?;
    if meant.state == GenerationState::Purged {
        let message = format!("the access token of generation {number} is not kept any more");
        return Err(refused(label, "purged", &message).hint(format!(
            "`metatoken revoke {label} --all` revokes all access tokens of that System User"
        )));
    }
    // A backup's may belong to another one than what is in use.
    let user_id = person(&meant).map_or(user_id, str::to_owned);
    let mut doomed = vec![DoomedGeneration::of(credential, meant.clone())];
    for sighting in run.store.sightings(&meant.fingerprint)? {
        if sighting.token != credential.id && sighting.state != GenerationState::Purged {
            let other = run.store.credential(sighting.token)?;
            let generation = run.store.generation(sighting.generation)?;
            doomed.push(DoomedGeneration::of(&other, generation));
        }
    }
    Ok(RevocationPlan { app, user_id, kind: GrantKind::One, doomed, label: label.clone() })
}

/// The generations of a token whose access tokens are kept, newest first.
pub fn kept(run: &Run<'_>, credential: &Credential) -> Result<Vec<Generation>, StoreError> {
    let mut all = run.store.generations(credential.id)?;
    all.retain(|generation| generation.state != GenerationState::Purged);
    Ok(all)
}

/// What Graph has called dead needs no end; of the one in use it is said all the same.
fn is_doomed(generation: &Generation) -> bool {
    generation.verdict() != Some(false) || generation.state == GenerationState::Current
}

/// Whose it is by Graph's last answer.
fn person(generation: &Generation) -> Option<&str> {
    generation.proof.as_ref()?.inspection.identity.user_id.as_deref()
}

/// Whether it belongs to that person or System User, for that app, by Graph's last answer.
pub fn belongs(generation: &Generation, app: &App, user_id: &str) -> bool {
    let Some(proof) = &generation.proof else { return false };
    let Identity { app_id, user_id: user, .. } = &proof.inspection.identity;
    user.as_deref() == Some(user_id) && app_id.as_ref().is_none_or(|id| *id == app.id)
}

/// The app and the person of a token, as the last answer about any of its access tokens has them.
fn whose(
    run: &Run<'_>,
    credential: &Credential,
    kept: &[Generation],
) -> Result<(App, Identity), CliError> {
    let told = |generation: &Generation| {
        let identity = generation.proof.as_ref()?.inspection.identity.clone();
        identity.user_id.is_some().then_some(identity)
    };
    let current = credential.current.as_ref().and_then(told);
    let told = current.or_else(|| kept.iter().find_map(told));
    let app = match run.session.config.token(&credential.label) {
        Some(token) => run
            .app(&token.app)
            .map_err(|problem| call_failed(credential, &CallError::of_token(problem)))?,
        None => undeclared_app(run, credential, told.as_ref())?,
    };
    if let Some(identity) = told {
        return Ok((app, identity));
    }
    let newest = credential.current.as_ref().or_else(|| kept.first());
    let newest = newest.ok_or_else(|| nothing_kept(&credential.label))?;
    let access_token = run.store.reveal(newest.id)?;
    let answer = inspect(&run.graph, &app, &access_token);
    let inspection = answer.map_err(|error| call_failed(credential, &error))?;
    Ok((app, inspection.identity))
}

/// The app of a token that the config does not declare any more, by its id.
fn undeclared_app(
    run: &Run<'_>,
    credential: &Credential,
    told: Option<&Identity>,
) -> Result<App, CliError> {
    let id = told.and_then(|identity| identity.app_id.as_ref());
    let apps = run.session.config.apps.iter();
    let apps = apps.filter(|app| app.kind == credential.token_type.provider());
    let apps: Vec<App> = apps
        .filter_map(|app| apps::app(run.session, run.tokens.throttled_apps(), &app.name).ok())
        .collect();
    let found = match id {
        Some(id) => apps.into_iter().find(|app| app.id == *id),
        None if apps.len() == 1 => apps.into_iter().next(),
        None => None,
    };
    found.ok_or_else(|| {
        refused(&credential.label, "unknown_app", "its app is not in the config any more")
            .hint("add the app to the config again, with its id and secret")
    })
}

/// Where a person takes away what was granted, if no call does.
pub fn elsewhere(plan: &RevocationPlan) -> String {
    let words = &plan.app.provider.spec().words;
    match plan.kind {
        GrantKind::One | GrantKind::SystemUser => format!(
            "an admin of the business removes the tokens of System User {} (Meta Business settings, \
             Users, System users)",
            plan.user_id
        ),
        GrantKind::Person | GrantKind::Undocumented => format!(
            "the owner of `{}` opens {}, Settings, {}, and removes the app",
            plan.label, words.account_site, words.app_removal
        ),
    }
}

/// Says which access tokens die, a line a label.
pub fn listing(plan: &RevocationPlan) -> String {
    let mut text = match plan.kind {
        GrantKind::One => format!(
            "This revokes one access token of {}, wherever a copy of it is kept:",
            plan.whose()
        ),
        _ => {
            format!(
                "This revokes every access token of {}, also those kept elsewhere:",
                plan.whose()
            )
        }
    };
    let width = plan.labels().iter().map(|label| label.as_str().len()).max().unwrap_or(0);
    for doomed in &plan.doomed {
        let what = match doomed.generation.state {
            GenerationState::Current => {
                format!(" (current, fingerprint {})", doomed.generation.fingerprint)
            }
            GenerationState::Candidate => " (waits to be checked)".to_owned(),
            _ => String::new(),
        };
        let targets: Vec<&str> = doomed.targets.iter().map(TargetId::as_str).collect();
        let holds = match targets.as_slice() {
            [] => String::new(),
            targets => format!(", in {}", humanize::list(targets)),
        };
        let _ = write!(
            text,
            "\n  {:width$}  generation {}{what}{holds}",
            doomed.label.as_str(),
            doomed.generation.number
        );
    }
    text
}

/// Complains of what was typed.
pub fn refused(label: &Label, code: &'static str, message: &str) -> CliError {
    CliError::new(Exit::InputRefused, code, label.as_str(), message)
}

fn nothing_kept(label: &Label) -> CliError {
    refused(label, "nothing_kept", "nothing is kept of it that could be revoked")
        .hint("remove the app in the settings of the person whose access token it was")
}

fn call_failed(credential: &Credential, error: &CallError) -> CliError {
    let problem = &error.problem;
    let code = problem.kind.as_str();
    let message = format!("not revoked: {problem}");
    CliError::new(Exit::for_problem(problem), code, credential.label.as_str(), message)
}

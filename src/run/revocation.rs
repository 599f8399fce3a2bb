//! Revokes access tokens at Meta: finds out what would die, has Meta end it, and asks Graph whether it
//! is dead.
//!
//! What is to die is marked in the store before Meta is asked, so that nothing takes its place by
//! itself whatever becomes of this run. That Meta accepts a revocation is no proof: only Graph's own
//! word about each access token is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use super::Run;
use super::apps;
use super::inspect::inspect;
use crate::error::CliError;
use crate::exit::Exit;
use crate::failpoint;
use crate::graph::{App, CallError, Revocation};
use crate::policy::humanize;
use crate::store::StoreError;
use crate::token::{
    AccessToken, Credential, Generation, GenerationId, GenerationState, Identity, Label, Problem,
    ProblemKind, Proof, Provider, TargetId, TokenType,
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

/// What became of one access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Graph calls it dead.
    Dead(Proof),
    /// Graph calls it alive, a minute after Meta accepted that it ends.
    Alive(Proof),
    /// Graph gave no answer about it.
    NotKnown(CallError),
}

/// What Meta made of a revocation.
pub enum Revoked {
    /// It said yes, or its answer was lost; what each access token is worth since.
    Accepted(Vec<(DoomedGeneration, Fate)>),
    /// It said no: nothing was changed.
    Refused(CallError),
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
fn kept(run: &Run<'_>, credential: &Credential) -> Result<Vec<Generation>, StoreError> {
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

fn belongs(generation: &Generation, app: &App, user_id: &str) -> bool {
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

fn refused(label: &Label, code: &'static str, message: &str) -> CliError {
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

/// Has Meta end what is planned, and asks Graph up to a minute whether it is dead.
pub fn carry_out(run: &Run<'_>, plan: &RevocationPlan) -> Result<Revoked, CliError> {
    let is_begun = plan.doomed.iter().all(|it| it.generation.revoked_at.is_some());
    let asker = match asker(run, plan) {
        // An earlier run may have ended all of them, and was cut short.
        Err(_) if is_begun => None,
        asker => asker?,
    };
    let ids: Vec<GenerationId> = plan.doomed.iter().map(|it| it.generation.id).collect();
    let marked = run.store.mark_revoked(&ids, run.now())?;
    failpoint::reach("before-request");
    match ask(run, plan, asker.as_ref())? {
        Ok(()) => {}
        // It may have been done all the same.
        Err(error) if error.answer_lost => {}
        Err(error) => {
            let fates = prove(run, plan, Patience::One)?;
            let are_dead = fates.iter().all(|(_, fate)| matches!(fate, Fate::Dead(_)));
            let is_alive = fates.iter().any(|(_, fate)| matches!(fate, Fate::Alive(_)));
            // That what is kept here is dead does not mean that all else is.
            if is_begun && !is_alive || are_dead && plan.kind == GrantKind::One {
                return Ok(Revoked::Accepted(fates));
            }
            run.store.unmark_revoked(&marked)?;
            return Ok(Revoked::Refused(error));
        }
    }
    failpoint::reach("revoked");
    Ok(Revoked::Accepted(prove(run, plan, Patience::Minute)?))
}

fn ask(
    run: &Run<'_>,
    plan: &RevocationPlan,
    asker: Option<&AccessToken>,
) -> Result<Result<(), CallError>, CliError> {
    let (app, user_id) = (&plan.app, &plan.user_id);
    let revoke = |asked| run.graph.revoke(app, asked);
    Ok(match (plan.kind, asker) {
        (GrantKind::Person, _) => revoke(Revocation::Grant { user_id }),
        (GrantKind::SystemUser, Some(by)) => revoke(Revocation::SystemUser { user_id, by }),
        (GrantKind::One, Some(by)) => {
            let access_token = &run.store.reveal(plan.doomed[0].generation.id)?;
            revoke(Revocation::One { access_token, by })
        }
        (GrantKind::Undocumented, Some(access_token)) => {
            revoke(Revocation::Undocumented { access_token })
        }
        (_, None) => Err(CallError::of_token(Problem::new(
            ProblemKind::Revoked,
            "no access token of it works here that could ask Meta",
        ))),
    })
}

/// The access token that asks: of a System User another one that works, if one alone is to die.
fn asker(run: &Run<'_>, plan: &RevocationPlan) -> Result<Option<AccessToken>, CliError> {
    if plan.kind == GrantKind::Person {
        return Ok(None);
    }
    let dies = |generation: &Generation| {
        plan.doomed.iter().any(|it| it.generation.fingerprint == generation.fingerprint)
    };
    let now = run.now();
    let works = |it: &Generation| it.verdict() != Some(false) && !it.expiry.has_passed(now);
    if plan.kind != GrantKind::One {
        let mut own = plan.doomed.iter().filter(|it| it.token_type != TokenType::Page);
        let own = own
            .find(|it| works(&it.generation) && it.generation.state != GenerationState::Candidate);
        if let Some(own) = own {
            return Ok(Some(run.store.reveal(own.generation.id)?));
        }
    }
    let is_robot = |it: &&std::sync::Arc<Credential>| it.token_type == TokenType::SystemUser;
    let mut others = Vec::new();
    for each in run.store.credentials()?.iter().filter(is_robot) {
        let app = run.session.config.token(&each.label).map(|token| &token.app);
        if app.is_none_or(|name| *name == plan.app.name) {
            others.extend(kept(run, each)?.into_iter().filter(|it| works(it) && !dies(it)));
        }
    }
    // Its own System User's first, and what is in use before what is not.
    others.retain(|it| it.state != GenerationState::Candidate);
    others.sort_by_key(|it| {
        (!belongs(it, &plan.app, &plan.user_id), it.state != GenerationState::Current)
    });
    match others.first() {
        Some(other) => Ok(Some(run.store.reveal(other.id)?)),
        None => Err(no_asker(plan)),
    }
}

fn no_asker(plan: &RevocationPlan) -> CliError {
    let label = &plan.label;
    match plan.kind {
        GrantKind::One => {
            let message = "no access token revokes itself, and no other of this app works here";
            refused(label, "no_asker", message).hint(format!(
                "`metatoken revoke {label} --all` revokes all access tokens of that System User"
            ))
        }
        _ => refused(label, "no_asker", "no access token of it works here that could ask Meta")
            .hint(elsewhere(plan)),
    }
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

/// How long Graph is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// Once.
    One,
    /// Up to a minute.
    Minute,
}

/// Pauses between two questions, in units of the client's own: a minute together.
const PAUSES: [u32; 8] = [1, 2, 4, 8, 11, 11, 11, 12];

/// Asks Graph about everything that is to be dead, until it is or time is up.
fn prove(
    run: &Run<'_>,
    plan: &RevocationPlan,
    patience: Patience,
) -> Result<Vec<(DoomedGeneration, Fate)>, CliError> {
    let mut fates: BTreeMap<usize, Fate> = BTreeMap::new();
    let pauses: &[u32] = match patience {
        Patience::One => &[],
        Patience::Minute => &PAUSES,
    };
    for pause in std::iter::once(0).chain(pauses.iter().copied()) {
        wait(run, run.session.graph.pause * pause);
        for (place, doomed) in plan.doomed.iter().enumerate() {
            if !matches!(fates.get(&place), Some(Fate::Dead(_))) {
                fates.insert(place, fate(run, plan, doomed)?);
            }
        }
        let is_over = fates.values().all(|fate| matches!(fate, Fate::Dead(_)));
        let is_held_back = |fate: &Fate| matches!(fate, Fate::NotKnown(error) if error.held_back);
        let is_away = fates.values().any(is_held_back);
        if is_over || is_away || run.out_of_time().is_some() {
            break;
        }
    }
    let fates = plan.doomed.iter().cloned().zip(fates.into_values());
    let fates: Vec<(DoomedGeneration, Fate)> = fates.collect();
    for (doomed, fate) in &fates {
        note(run, doomed, fate)?;
    }
    Ok(fates)
}

fn wait(run: &Run<'_>, pause: Duration) {
    /// How soon a stop is noticed.
    const GLANCE: Duration = Duration::from_millis(50);
    let mut left = pause;
    while !left.is_zero() && run.out_of_time().is_none() {
        let nap = left.min(GLANCE);
        thread::sleep(nap);
        left -= nap;
    }
}

fn fate(run: &Run<'_>, plan: &RevocationPlan, doomed: &DoomedGeneration) -> Result<Fate, CliError> {
    let access_token = run.store.reveal(doomed.generation.id)?;
    Ok(match inspect(&run.graph, &plan.app, &access_token) {
        Err(error) => Fate::NotKnown(error),
        Ok(inspection) => {
            let is_dead = inspection.verdict() == Some(false);
            let proof = Proof { at: run.now(), inspection };
            if is_dead { Fate::Dead(proof) } else { Fate::Alive(proof) }
        }
    })
}

fn note(run: &Run<'_>, doomed: &DoomedGeneration, fate: &Fate) -> Result<(), CliError> {
    let Some(token) = run.known_id(&doomed.label) else { return Ok(()) };
    let (credential, id) = (run.store.credential(token)?, doomed.generation.id);
    match fate {
        Fate::Dead(proof) => drop(run.store.note_revoked(run.id, credential, id, proof.clone())?),
        Fate::Alive(proof) => drop(run.store.note_proof(run.id, credential, id, proof.clone())?),
        Fate::NotKnown(_) => {}
    }
    Ok(())
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

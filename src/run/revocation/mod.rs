//! Revokes access tokens at Meta: finds out what would die, has Meta end it, and asks Graph whether it
//! is dead.
//!
//! What is to die is marked in the store before Meta is asked, so that nothing takes its place by
//! itself whatever becomes of this run. That Meta accepts a revocation is no proof: only Graph's own
//! word about each access token is.

mod plan;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

pub use self::plan::{
    DoomedGeneration, GrantKind, RevocationPlan, RevocationScope, elsewhere, listing, plan,
};
use self::plan::{belongs, kept, refused};
use super::Run;
use super::inspect::inspect;
use crate::error::CliError;
use crate::failpoint;
use crate::graph::{CallError, Revocation};
use crate::token::{
    AccessToken, Credential, Generation, GenerationId, GenerationState, Problem, ProblemKind,
    Proof, TokenType,
};

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

//! Asks Graph about access tokens, and keeps its answers.

use chrono::TimeDelta;

use super::stored::{AskGraph, Stored};
use crate::error::CliError;
use crate::graph::{CallError, Graph};
use crate::policy::humanize;
use crate::run::configured_tokens::{self, ConfiguredToken, Holds};
use crate::run::inspect::inspect;
use crate::run::tokens::{TokenConfig, Tokens};
use crate::run::{apps, log, worker_pool};
use crate::session::Session;
use crate::store::{Store, StoreError};
use crate::token::{AccessToken, Credential, Expiry, GenerationId, Label, Problem, Proof, Time};

/// A bad answer is trusted for so long.
const TRUST_IN_A_BAD_ANSWER: TimeDelta = TimeDelta::minutes(1);

/// What Graph answered about one token just now.
pub struct LiveAnswer {
    pub label: Label,
    /// The check, or why there is none.
    pub result: Result<Proof, CallError>,
    generation: Option<GenerationId>,
    place: usize,
}

/// One question for the worker pool.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    // Reversed, because the pool takes the greatest first.
    place: std::cmp::Reverse<usize>,
}

/// An access token to ask about, and its generation if it has one.
type Asked<'a> = (&'a TokenConfig, Option<GenerationId>, AccessToken);

/// Asks Graph about every access token that needs it, several at a time.
pub fn ask_graph(
    stored: &Stored<'_>,
    store: Option<&Store>,
    ask: AskGraph,
    graph: &Graph,
) -> Result<Vec<LiveAnswer>, CliError> {
    if ask == AskGraph::Never {
        return Ok(Vec::new());
    }
    let session = stored.session;
    let to_ask = to_ask(stored, store, ask, stored.clocks(graph).now())?;
    let questions =
        (0..to_ask.len()).map(|place| Question { place: std::cmp::Reverse(place) }).collect();
    let bar = session.ui.progress(to_ask.len(), session.interrupt.flag());
    let answer = |question: &Question| {
        let (member, generation, token) = &to_ask[question.place.0];
        let _about = log::about(&member.label);
        let result = apps::app(session, stored.tokens.throttled_apps(), &member.app)
            .map_err(CallError::of_token)
            .and_then(|app| inspect(graph, &app, token))
            .map(|inspection| {
                let at = stored.clocks(graph).now();
                Proof { at, inspection }
            });
        let (place, label) = (question.place.0, member.label.clone());
        (LiveAnswer { place, label, generation: *generation, result }, Vec::new())
    };
    let workers = session.config.http.workers();
    let (mut answers, _) = session.interrupt.guard_reading(
        || bar.finish_and_clear(),
        || worker_pool::work(questions, workers, answer, |_| bar.inc(1)),
    );
    bar.finish_and_clear();
    // The order of the workers is chance; the report follows the config.
    answers.sort_by_key(|answer| answer.place);
    Ok(answers)
}

/// Unseals the access tokens that Graph is to be asked about: one that cannot be unsealed is lost,
/// and is judged so.
pub fn find_lost(stored: &mut Stored<'_>, store: Option<&Store>, ask: AskGraph) {
    let Some(store) = store.filter(|_| ask != AskGraph::Never) else { return };
    if !stored.session.key().is_ok_and(|key| store.unlock(&key).is_ok()) {
        return;
    }
    let mut lost = Vec::new();
    for member in &stored.selected {
        let Some(credential) = stored.tokens.credential(&member.label) else { continue };
        let Some(current) = &credential.current else { continue };
        if matches!(store.reveal(current.id), Err(StoreError::Damaged(..))) {
            lost.push((member.label.clone(), credential.clone().without_current()));
        }
    }
    for (label, credential) in lost {
        stored.tokens.replace(&label, credential);
    }
}

/// The access tokens whose last answer is too old.
fn to_ask<'a>(
    stored: &'a Stored<'_>,
    store: Option<&Store>,
    ask: AskGraph,
    now: Time,
) -> Result<Vec<Asked<'a>>, CliError> {
    let mut to_ask = Vec::new();
    let mut unlocked = false;
    for member in stored.selected.iter().filter(|it| is_stale(&stored.tokens, it, ask, now)) {
        let current = stored.tokens.subject(member).current().map(|generation| generation.id);
        match (current, store) {
            (Some(generation), Some(store)) => {
                if !unlocked {
                    store.unlock(&stored.session.key()?)?;
                    unlocked = true;
                }
                to_ask.push((member, Some(generation), store.reveal(generation)?));
            }
            // A run replaces what was lost.
            _ if stored.tokens.credential(&member.label).is_some_and(Credential::is_lost) => {}
            // What another token has got by `promote` is that one's.
            _ if stored
                .tokens
                .credential(&member.label)
                .is_some_and(|it| it.given_to.is_some()) => {}
            // What a run has rejected already is not judged again.
            _ if stored.tokens.credential(&member.label).is_some_and(was_rejected) => {}
            _ => {
                if let Some(ConfiguredToken::Found(token)) =
                    configured_tokens::read(stored.session, member)
                {
                    to_ask.push((member, None, token));
                }
            }
        }
    }
    Ok(to_ask)
}

/// What is wrong with values that the config names and that no run has looked at yet.
pub fn look_at_unusable(stored: &Stored<'_>, ask: AskGraph) -> Vec<LiveAnswer> {
    let is_new = |member: &&TokenConfig| {
        let credential = stored.tokens.credential(&member.label);
        credential.is_none_or(|it| {
            it.in_place().is_none() && !it.is_lost() && !was_rejected(it) && it.given_to.is_none()
        })
    };
    let members = stored.selected.iter().filter(|member| ask != AskGraph::Never && is_new(member));
    let unusable = members.filter_map(|member| {
        let read = configured_tokens::read(stored.session, member);
        let Some(ConfiguredToken::Unusable { problem, holds }) = read else { return None };
        // Who looks may lack a secret that the run has: then Graph was not asked, and no more is known.
        let held_back = holds != Holds::OtherText;
        let error = CallError { held_back, ..CallError::of_token(problem) };
        let (label, result) = (member.label.clone(), Err(error));
        Some(LiveAnswer { label, result, generation: None, place: 0 })
    });
    unusable.collect()
}

fn was_rejected(credential: &Credential) -> bool {
    credential.candidate.is_none() && credential.attempts.problem.is_some()
}

fn is_stale(tokens: &Tokens, member: &TokenConfig, ask: AskGraph, now: Time) -> bool {
    let Some(current) = tokens.subject(member).current() else { return true };
    match (&current.proof, ask) {
        (_, AskGraph::Always) | (None, _) => true,
        (Some(proof), _) => {
            let trusted = if proof.inspection.verdict() == Some(true) {
                member.policy.validation_interval
            } else {
                TRUST_IN_A_BAD_ANSWER
            };
            proof.at > now || now - proof.at >= trusted
        }
    }
}

/// Reports what Graph did not answer, each cause once; it changes no verdict.
pub fn report_unanswered(session: &Session, answers: &[LiveAnswer]) {
    // The messages of two outages differ in milliseconds.
    let alike = |one: &Problem, other: &Problem| {
        one.kind == other.kind && (one.kind.is_outage() || one.message == other.message)
    };
    let mut causes: Vec<(&CallError, Vec<&Label>)> = Vec::new();
    for answer in answers {
        let Err(fault) = &answer.result else { continue };
        match causes.iter_mut().find(|(other, _)| alike(&other.problem, &fault.problem)) {
            Some((first, labels)) => {
                // A question that was held back says less than the one that met the problem.
                if first.held_back {
                    *first = fault;
                }
                labels.push(&answer.label);
            }
            None => causes.push((fault, vec![&answer.label])),
        }
    }
    for (CallError { problem, .. }, labels) in causes {
        let labels = humanize::list(&labels);
        session.ui.note(&format!(
            "Graph gave no verdict, so what is stored is shown: {labels}: {problem}"
        ));
    }
}

/// Replaces the stored checks by the fresh ones, here and, where it can be written, in the store.
pub fn keep_answers(stored: &mut Stored<'_>, answers: &[LiveAnswer]) {
    let mut proofs = Vec::new();
    for answer in answers {
        let (Some(generation), Ok(proof)) = (answer.generation, &answer.result) else {
            continue;
        };
        let Some(mut credential) = stored.tokens.credential(&answer.label).cloned() else {
            continue;
        };
        if let Some(current) = credential.current.as_mut().filter(|it| it.id == generation) {
            match (proof.inspection.verdict(), proof.inspection.expiry) {
                // Of an invalid access token Meta may say 0, which does not mean that it never expires.
                (_, Expiry::Unknown) | (Some(false) | None, Expiry::Never) => {}
                (_, answered) => current.expiry = answered,
            }
            current.proof = Some(proof.clone());
            credential.blame_the_lost_answer();
            stored.tokens.replace(&answer.label, credential);
            proofs.push((generation, proof.clone()));
        }
    }
    // Without a fresh check the store is not opened to be written.
    if proofs.is_empty() {
        return;
    }
    // A store that cannot be written is not an error for a command that only reads.
    if let Err(error) = Store::note_proofs(&stored.session.config.store.path, &proofs) {
        log::not_stored(error);
    }
}

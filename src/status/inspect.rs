//! Asking Graph about the strings of a survey, and what becomes of its answers.

use chrono::TimeDelta;

use super::{Asking, Look, Survey};
use crate::complaint::Complaint;
use crate::graph::Fault;
use crate::policy::words;
use crate::run::configured_tokens::{self, ConfiguredToken};
use crate::run::inspect::inspect;
use crate::run::tokens::TokenConfig;
use crate::run::{apps, log, worker_pool};
use crate::store::{Store, StoreError};
use crate::token::{AccessToken, Credential, Expiry, GenerationId, Label, Problem, Proof};

/// A bad answer is asked for again after this.
const TRUST_IN_A_BAD_ANSWER: TimeDelta = TimeDelta::minutes(1);

/// What Graph answered about one token just now.
pub(super) struct Answer {
    pub(super) label: Label,
    pub(super) result: Result<Proof, Fault>,
    generation: Option<GenerationId>,
    place: usize,
}

/// One question.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    // Reversed, because the pool takes the greatest first.
    place: std::cmp::Reverse<usize>,
}

/// A string to ask about, and the generation that it is.
type Asked<'a> = (&'a TokenConfig, Option<GenerationId>, AccessToken);

impl Survey<'_> {
    /// Asks Graph about every string that needs it, several at a time.
    pub(super) fn ask_about(
        &self,
        store: Option<&Store>,
        look: Look<'_>,
    ) -> Result<Vec<Answer>, Complaint> {
        if look.asking == Asking::Never {
            return Ok(Vec::new());
        }
        let session = self.session;
        let strings = self.strings(store, look)?;
        let questions =
            (0..strings.len()).map(|place| Question { place: std::cmp::Reverse(place) }).collect();
        let bar = session.ui.progress(strings.len());
        let answer = |question: &Question| {
            let (member, generation, string) = &strings[question.place.0];
            let _about = log::about(&member.label);
            let result = apps::app(session, self.tokens.pauses(), &member.app)
                .map_err(Fault::of_token)
                .and_then(|app| inspect(look.graph, &app, string))
                .map(|inspection| {
                    let at = self.clocks(look.graph).now();
                    Proof { at, inspection }
                });
            let (place, label) = (question.place.0, member.label.clone());
            (Answer { place, label, generation: *generation, result }, Vec::new())
        };
        let workers = session.config.http.concurrency;
        let (mut answers, _) = worker_pool::work(questions, workers, answer, |_| bar.inc(1));
        bar.finish_and_clear();
        // Which worker came first is chance; what is said follows the config.
        answers.sort_by_key(|answer| answer.place);
        Ok(answers)
    }

    /// Opens the seals of those that Graph is to be asked about: one that does not open is lost, and
    /// so judged.
    pub(super) fn look_for_lost(&mut self, store: Option<&Store>, look: Look<'_>) {
        let Some(store) = store.filter(|_| look.asking != Asking::Never) else { return };
        if !self.session.key().is_ok_and(|key| store.unlock(&key).is_ok()) {
            return;
        }
        let mut lost = Vec::new();
        for member in &self.meant {
            let Some(credential) = self.tokens.credential(&member.label) else { continue };
            let Some(current) = &credential.current else { continue };
            if matches!(store.reveal(current.id), Err(StoreError::Damaged(..))) {
                lost.push((member.label.clone(), credential.clone().without_current()));
            }
        }
        for (label, credential) in lost {
            self.tokens.learn(&label, credential);
        }
    }

    /// The strings whose last answer is not to be trusted any more.
    fn strings(&self, store: Option<&Store>, look: Look<'_>) -> Result<Vec<Asked<'_>>, Complaint> {
        let mut strings = Vec::new();
        let mut unlocked = false;
        for member in self.meant.iter().filter(|member| self.is_stale(member, look)) {
            let current = self.tokens.subject(member).current().map(|generation| generation.id);
            match (current, store) {
                (Some(generation), Some(store)) => {
                    if !unlocked {
                        store.unlock(&self.session.key()?)?;
                        unlocked = true;
                    }
                    strings.push((member, Some(generation), store.reveal(generation)?));
                }
                // What was lost is replaced by a run.
                _ if self.is_lost(member) => {}
                // A string that a run has refused already is not judged again.
                _ if self.was_refused(member) => {}
                _ => {
                    if let Some(ConfiguredToken::String(string)) =
                        configured_tokens::read(self.session, member)
                    {
                        strings.push((member, None, string));
                    }
                }
            }
        }
        Ok(strings)
    }

    fn is_lost(&self, member: &TokenConfig) -> bool {
        self.tokens.credential(&member.label).is_some_and(Credential::is_lost)
    }

    fn was_refused(&self, member: &TokenConfig) -> bool {
        self.tokens
            .credential(&member.label)
            .is_some_and(|known| known.candidate.is_none() && known.ledger.problem.is_some())
    }

    fn is_stale(&self, member: &TokenConfig, look: Look<'_>) -> bool {
        let now = look.now;
        let Some(current) = self.tokens.subject(member).current() else { return true };
        match (&current.proof, look.asking) {
            (_, Asking::Always) | (None, _) => true,
            (Some(proof), _) => {
                let trusted = if proof.inspection.valid == Some(true) {
                    member.policy.validation_interval
                } else {
                    TRUST_IN_A_BAD_ANSWER
                };
                proof.at > now || now - proof.at >= trusted
            }
        }
    }

    /// A live answer that could not be had is said, each cause once, and changes no verdict.
    pub(super) fn say_what_was_not_answered(&self, answers: &[Answer]) {
        // Two outages differ in no more than the milliseconds that were waited.
        let alike = |one: &Problem, other: &Problem| {
            one.kind == other.kind && (one.kind.is_outage() || one.message == other.message)
        };
        let mut causes: Vec<(&Fault, Vec<&Label>)> = Vec::new();
        for answer in answers {
            let Err(fault) = &answer.result else { continue };
            match causes.iter_mut().find(|(other, _)| alike(&other.problem, &fault.problem)) {
                Some((told, labels)) => {
                    // What held a question back was met by another, which tells more of it.
                    if told.held_back {
                        *told = fault;
                    }
                    labels.push(&answer.label);
                }
                None => causes.push((fault, vec![&answer.label])),
            }
        }
        for (Fault { problem, .. }, labels) in causes {
            let labels = words::list(&labels);
            self.session.ui.note(&format!(
                "Graph gave no verdict, so what is stored is shown: {labels}: {problem}"
            ));
        }
    }

    /// Puts fresh proofs in the place of the stored ones, here and, as well as may be, in the store.
    pub(super) fn keep_answers(&mut self, answers: &[Answer]) {
        let mut proofs = Vec::new();
        for answer in answers {
            let (Some(generation), Ok(proof)) = (answer.generation, &answer.result) else {
                continue;
            };
            let Some(mut credential) = self.tokens.credential(&answer.label).cloned() else {
                continue;
            };
            if let Some(current) = credential.current.as_mut().filter(|it| it.id == generation) {
                match (proof.inspection.valid, proof.inspection.expiry) {
                    // Of a dead string Meta may say 0, which is no promise that it lives for ever.
                    (_, Expiry::Unknown) | (Some(false) | None, Expiry::Never) => {}
                    (_, told) => current.expiry = told,
                }
                current.proof = Some(proof.clone());
                credential.blame_the_lost_answer();
                self.tokens.learn(&answer.label, credential);
                proofs.push((generation, proof.clone()));
            }
        }
        // Where nothing was learnt the store is not even opened to be written.
        if proofs.is_empty() {
            return;
        }
        // A store that cannot be written is no error for somebody who only looks.
        if let Err(error) = Store::note_proofs(&self.session.config.store.path, &proofs) {
            log::not_stored(error);
        }
    }
}

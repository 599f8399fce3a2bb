//! Inspects an access token: asks Graph about it, and records the answer.
//!
//! Whatever keeps Graph from answering says nothing against the access token. Only what a person has
//! to fix is recorded, so that every reader of the store learns of it.

use std::time::Instant;

use super::log;
use super::token_run::TokenRun;
use crate::graph::{App, CallError, Graph, Scope};
use crate::policy::{is_to_be_asked_about, throttle};
use crate::store::StoreError;
use crate::token::{
    AccessToken, Action, Credential, Generation, Inspection, Problem, ProblemKind, Proof,
};

/// A token, and what Graph says of one of its generations, or why it says nothing.
pub type Inspected = (Credential, Result<Proof, CallError>);

/// Meta's subcode for «invalid», which by its own message may also be an error of its systems.
/// Source: Meta, handling errors.
const PERHAPS_A_SYSTEM_ERROR: i64 = 467;
/// What it says there, for the hosts that leave the subcode out.
const ITS_WORDS: [&str; 2] = ["user logged out", "system error"];

/// Asks Graph about an access token; a verdict that may be a mistake is asked for twice.
pub fn inspect(graph: &Graph, app: &App, token: &AccessToken) -> Result<Inspection, CallError> {
    let first = graph.inspect(app, token)?;
    let doubtful = first.problem.as_ref().is_some_and(may_be_a_mistake);
    if doubtful && first.verdict() == Some(false) { graph.inspect(app, token) } else { Ok(first) }
}

fn may_be_a_mistake(problem: &Problem) -> bool {
    let says_so = || ITS_WORDS.iter().any(|words| problem.message.contains(words));
    match problem.subcode {
        Some(subcode) => subcode == PERHAPS_A_SYSTEM_ERROR,
        None => says_so(),
    }
}

/// Whether the host cannot even read an access token, because another host of Meta's issued it.
pub fn is_wrong_host(problem: &Problem) -> bool {
    /// Meta's code for an access token that is no good. Source: Meta, handling errors.
    const INVALID: Option<i64> = Some(190);
    problem.kind == ProblemKind::WrongHostOrType && problem.code == INVALID
}

/// Gives the problem of an access token of another app, if that is why Graph refuses to speak of it.
///
/// Graph answers only the app that an access token was issued to. That this app is another one says
/// nothing against it, and asking again changes nothing.
pub fn wrong_app(error: &CallError, app: &str) -> Option<Problem> {
    let of_another_app = !error.held_back
        && error.scope == Scope::Token
        && error.problem.kind == ProblemKind::BadAppCredentials
        && error.problem.code.is_some();
    of_another_app.then(|| Problem {
        kind: ProblemKind::IdentityChanged,
        action: ProblemKind::WrongHostOrType.action(),
        message: format!("token of another app than `{app}`"),
        ..error.problem.clone()
    })
}

impl TokenRun<'_> {
    /// Asks Graph about an access token and stores the answer; nothing if there was none.
    pub fn inspect_and_store(
        &mut self,
        generation: &Generation,
    ) -> Result<Option<Proof>, StoreError> {
        let proof = self.inspect(generation)?;
        if let Some(proof) = &proof {
            self.note_proof(generation, proof)?;
        }
        Ok(proof)
    }

    /// Asks Graph about an access token; nothing if there was no answer.
    pub fn inspect(&mut self, generation: &Generation) -> Result<Option<Proof>, StoreError> {
        let (credential, answer) = self.try_inspect(self.credential.clone(), generation)?;
        self.credential = credential;
        match answer {
            Ok(proof) => Ok(Some(proof)),
            Err(error) => self.not_answered(error).map(|()| None),
        }
    }

    /// Asks Graph about the access tokens that live on beside the ones that a person put in their
    /// places, each once in `verify_every` or when the token is named, until they are dead.
    pub fn inspect_rotated(&mut self) -> Result<(), StoreError> {
        let moment = self.run.moment();
        for rotated in self.credential.rotated.clone() {
            let is_due = is_to_be_asked_about(&rotated, &self.token.policy, moment);
            if (is_due || self.refresh.is_named(&self.token.label))
                && self.inspect_and_store(&rotated.generation)?.is_none()
            {
                break;
            }
        }
        Ok(())
    }

    /// Asks Graph about an access token and stores its answer; what it gave is told, or why it gave
    /// none.
    pub fn try_inspect_and_store(
        &mut self,
        generation: &Generation,
    ) -> Result<Result<Proof, CallError>, StoreError> {
        let (credential, answer) = self.try_inspect(self.credential.clone(), generation)?;
        self.credential = credential;
        if let Ok(proof) = &answer {
            self.note_proof(generation, proof)?;
        }
        Ok(answer)
    }

    /// Asks Graph about an access token, and stores no answer.
    pub fn try_inspect(
        &self,
        credential: Credential,
        generation: &Generation,
    ) -> Result<Inspected, StoreError> {
        if let Some(waits) = self.question_waits(&credential) {
            return Ok((credential, Err(waits)));
        }
        let access_token = self.run.store.reveal(generation.id)?;
        let began = Instant::now();
        match self.app().and_then(|app| inspect(&self.run.graph, &app, &access_token)) {
            Ok(inspection) => {
                log::inspected(&inspection, began);
                let credential = self.forget_disproved(credential)?;
                Ok((credential, Ok(Proof { at: self.run.now(), inspection })))
            }
            Err(error) => Ok((self.pause_questions(credential, &error)?, Err(error))),
        }
    }

    /// Says why Graph must not be asked about this token, if the time that Meta named is not over.
    pub fn question_waits(&self, credential: &Credential) -> Option<CallError> {
        let until = credential.attempts.ask_not_before?;
        throttle(until, self.run.now()).map(CallError::question_waits)
    }

    /// Records for how long Graph is not to be asked about this token, where Meta named a time with a
    /// limit that is not the whole app's: it holds for the next runs too.
    fn pause_questions(
        &self,
        credential: Credential,
        error: &CallError,
    ) -> Result<Credential, StoreError> {
        let is_limit =
            error.problem.kind == ProblemKind::RateLimited && error.scope == Scope::Token;
        match error.wait {
            Some(wait) if is_limit && !error.held_back => {
                self.run.store.pause_questions(credential, self.run.now() + wait)
            }
            _ => Ok(credential),
        }
    }

    /// Notes that Graph gave no answer, or was not even asked.
    pub fn not_answered(&mut self, error: CallError) -> Result<(), StoreError> {
        self.note_what_a_person_must_fix(&error)?;
        self.outcome.note_call_error(error);
        Ok(())
    }

    /// Records a wrong secret or a disabled app: it says nothing against the access token, but it can
    /// be neither inspected nor renewed.
    fn note_what_a_person_must_fix(&mut self, error: &CallError) -> Result<(), StoreError> {
        // A wait that Meta asked for and that is not over must not be forgotten.
        let known = self.credential.attempts.problem.as_ref();
        let waits =
            known.is_some_and(|problem| matches!(problem.action, Action::Wait | Action::SlowDown));
        if error.problem.action.needs_a_person() && !waits {
            self.change(|store, credential| store.note_trouble(credential, Some(&error.problem)))?;
            self.note_failed_with(&error.problem)?;
        }
        Ok(())
    }

    /// Forgets what an answer of Graph's disproves, and the pause that followed on it: the app is live,
    /// its host can be reached and read, the token is known here. That the app's secret is right it
    /// shows only where it was sent, and what a renewal ran into only another renewal.
    fn forget_disproved(&self, credential: Credential) -> Result<Credential, StoreError> {
        let attempts = &credential.attempts;
        let shows_the_secret = self.token.token_type.provider().spec().proves_the_secret();
        let of_a_renewal = attempts.consecutive_failures > 0;
        let disproved = |problem: &Problem| match problem.kind {
            ProblemKind::AppDisabled | ProblemKind::Network | ProblemKind::MalformedResponse => {
                true
            }
            kind if kind.is_about_the_app() => shows_the_secret || !of_a_renewal,
            // What Meta granted and what is too young wait for a person all the same.
            ProblemKind::TooYoung => false,
            _ => !of_a_renewal && credential.candidate.is_none(),
        };
        let stands = attempts.problem.as_ref().filter(|problem| problem.action.needs_a_person());
        if stands.is_some_and(disproved) {
            self.run.store.forget_trouble(credential)
        } else {
            Ok(credential)
        }
    }

    /// Records an answer about a generation.
    pub fn note_proof(&mut self, generation: &Generation, proof: &Proof) -> Result<(), StoreError> {
        let (run, generation, proof) = (self.run.id, generation.id, proof.clone());
        self.change(|store, credential| Ok(store.note_proof(run, credential, generation, proof)?.0))
    }
}

//! Settles the candidates of one token: what Meta grants, and what was found outside.

use super::candidate::{
    Candidates, Examined, IdentityChange, IfRefused, not_extended, too_young_to_extend,
};
use super::log;
use super::token_run::TokenRun;
use super::tokens::subject;
use crate::graph::CallError;
use crate::policy::{end_the_old_one, next_try};
use crate::store::{NewCandidate, Setback, StoreError};
use crate::token::{
    Action, EventKind, Expiry, Generation, GenerationId, Origin, Outcome, Problem, ProblemKind,
    Proof, Time,
};

impl TokenRun<'_> {
    /// Names what a person does about an access token that lives on beside its successor.
    fn hint_at_the_old_one(&self, number: u32) {
        let subject = subject(self.token, Some(&self.credential), None);
        let how = end_the_old_one(&subject, number);
        self.run.hint(format!("`{}`: {how}", self.token.label));
    }

    /// Handles the candidates of this token.
    pub fn candidates(&self, if_refused: IfRefused) -> Candidates<'_> {
        Candidates {
            if_refused,
            run: self.run,
            token: self.token,
            app_id: self.app().ok().map(|app| app.id),
            parent: self.token.parent.as_ref().and_then(|parent| self.run.known_id(parent)),
            identity: IdentityChange::Refused,
        }
    }

    /// Seals an access token as the candidate.
    pub fn seal(&mut self, new: NewCandidate) -> Result<Generation, StoreError> {
        let (credential, candidate) =
            self.candidates(IfRefused::Told).seal(self.credential.clone(), new)?;
        self.credential = credential;
        Ok(candidate)
    }

    /// Examines a candidate, and notes what became of it.
    pub fn examine(&mut self, candidate: &Generation) -> Result<(), StoreError> {
        self.examine_found(candidate, IfRefused::Told, None)
    }

    /// Examines a candidate by the answer that is known, or else by asking Graph, and notes what
    /// became of it.
    pub fn examine_found(
        &mut self,
        candidate: &Generation,
        if_refused: IfRefused,
        answer: Option<&Result<Proof, CallError>>,
    ) -> Result<(), StoreError> {
        let inspect = |credential, generation: &Generation| match answer {
            Some(answer) if generation.id == candidate.id => Ok((credential, answer.clone())),
            _ => self.try_inspect(credential, generation),
        };
        let candidates = self.candidates(if_refused).of(candidate);
        let interrupted = self.credential.cut_short();
        let (credential, examined) =
            candidates.examine(self.credential.clone(), candidate, &inspect)?;
        self.credential = credential;
        match examined {
            Examined::Promoted { outcome, expiry, is_worse, outlived } => {
                if let Some(problem) = interrupted {
                    self.run.tell_interrupted(&self.token.label, &problem);
                }
                if let Some(old) = outlived {
                    self.outcome.also(format!("generation {old} works on until it is revoked"));
                    self.hint_at_the_old_one(old);
                }
                if is_worse {
                    self.outcome.because(
                        "the new access token is worth less, but the one it replaces is dead or about to expire",
                    );
                }
                if candidate.origin == Origin::Adopted {
                    self.end_drift()?;
                }
                if candidate.origin == Origin::Adopted && self.old_expiry == Expiry::Unknown {
                    // A first one may be renewed in the same run; what it had is the end before that.
                    self.old_expiry = expiry;
                }
                self.outcome.no_longer_refused(candidate.fingerprint);
                self.outcome.achieve(outcome);
            }
            Examined::AdoptionRefused(problem) if if_refused == IfRefused::Silent => {
                log::left_in_target(&problem);
            }
            Examined::AdoptionRefused(problem) => self.note_refused(problem, candidate),
            Examined::GrantRefused(problem) | Examined::Waits(problem) => {
                self.outcome.note_problem(problem);
            }
            Examined::NotExtended(problem) if self.has_no_giver() => {
                self.outcome.note(Outcome::NotExtended, problem.to_string());
            }
            Examined::NotExtended(problem) => {
                self.outcome.note_problem_as(Outcome::NotExtended, problem);
            }
            Examined::TooYoung(problem) => {
                self.outcome.note(Outcome::TooYoung, problem.to_string());
            }
            Examined::FewerScopes(problem) => {
                self.note_not_derived(&problem, Expiry::Unknown, candidate.parent)?;
                self.outcome.note_problem(problem);
            }
            Examined::NotInspected(error) => self.not_answered(error)?,
        }
        Ok(())
    }

    /// Notes that an access token from outside is not taken.
    pub fn note_refused(&mut self, problem: Problem, candidate: &Generation) {
        let outcome = match self.credential.current {
            Some(_) => Outcome::Failed,
            None => Outcome::Invalid,
        };
        self.outcome.refused(outcome, problem, candidate.fingerprint);
    }

    /// Says from when on Meta certainly renews an access token, if that lies ahead.
    pub fn eligible_at(&self, current: &Generation) -> Option<Time> {
        let subject = subject(self.token, Some(&self.credential), None);
        subject.eligible_at_the_latest(current, self.run.now())
    }

    /// Records that Meta renews the access token only from then on: nothing has failed.
    pub fn note_too_young(&mut self, problem: &Problem, eligible: Time) -> Result<(), StoreError> {
        self.record(Setback {
            event: None,
            generation: None,
            problem: Some(problem.clone()),
            not_before: Some(eligible),
            refused_by: None,
        })?;
        self.outcome.note(Outcome::TooYoung, problem.to_string());
        Ok(())
    }

    /// A target that holds the new current one has not drifted any more.
    fn end_drift(&mut self) -> Result<(), StoreError> {
        if self.credential.deliveries.iter().any(|row| row.drifted_since.is_some()) {
            self.delivery().end_drift()?;
            self.credential = self.run.store.credential(self.credential.id)?;
        }
        Ok(())
    }

    /// Records that Meta gave the current access token again, and that it expires no later; for a
    /// Page, with which generation of its parent.
    pub fn note_not_extended(
        &mut self,
        expiry: Expiry,
        refused_by: Option<GenerationId>,
    ) -> Result<(), StoreError> {
        let current = self.credential.current.as_ref();
        if let Some(eligible) = current.and_then(|current| self.eligible_at(current)) {
            return self.note_too_young(&too_young_to_extend(), eligible);
        }
        let problem = not_extended();
        self.record_not_extended(&problem, expiry, refused_by)?;
        if self.has_no_giver() {
            self.outcome.note(Outcome::NotExtended, problem.to_string());
        } else {
            self.outcome.note_problem_as(Outcome::NotExtended, problem.with_action(Action::Retry));
        }
        Ok(())
    }

    /// Records that Meta gave an access token that may not come back by itself; for a Page, with which
    /// generation of its parent.
    pub fn note_barred(
        &mut self,
        expiry: Expiry,
        refused_by: Option<GenerationId>,
    ) -> Result<(), StoreError> {
        let why = "Meta gives an earlier access token again, which was put out of use here";
        let problem = Problem::new(ProblemKind::NotExtended, why);
        self.record_not_extended(&problem, expiry, refused_by)?;
        self.outcome.note(Outcome::NotExtended, problem.to_string());
        Ok(())
    }

    fn record_not_extended(
        &mut self,
        problem: &Problem,
        expiry: Expiry,
        refused_by: Option<GenerationId>,
    ) -> Result<(), StoreError> {
        let not_before = Some(next_try(problem, 1, expiry, self.run.now()));
        self.record(Setback {
            event: Some(EventKind::NotExtended),
            generation: None,
            problem: Some(problem.clone()),
            not_before,
            refused_by,
        })
    }
}

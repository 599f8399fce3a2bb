//! Examines a token's candidate, and notes what became of it.

use super::token::TokenRun;
use crate::policy::next_try;
use crate::run::candidate::{Candidates, Examined, is_critical, not_extended};
use crate::store::{NewCandidate, Setback, StoreError};
use crate::token::{
    AccessToken, Action, EventKind, Expiry, Generation, GenerationId, Origin, Outcome, Problem,
    Time,
};

impl TokenRun<'_> {
    /// Examines a candidate that an earlier run sealed and could not inspect, or holds back.
    pub fn settle_candidate(&mut self) -> Result<(), StoreError> {
        match self.credential.candidate.clone() {
            Some(candidate) if !self.is_held_for_now(&candidate) => {
                self.outcome.because("sealed by an earlier run, and examined now");
                self.examine(&candidate)
            }
            _ => Ok(()),
        }
    }

    /// A candidate that was not good enough lately is not inspected again until the current one
    /// is about to expire: only then does it matter.
    fn is_held_for_now(&self, candidate: &Generation) -> bool {
        let now = self.run.now();
        let lately = candidate.proof.as_ref().is_some_and(|proof| {
            proof.inspection.valid == Some(true)
                && proof.at <= now
                && now - proof.at < self.token.policy.verify_every
        });
        let current = self.credential.current.as_ref().and_then(|current| current.proof.as_ref());
        // What was known before the grant says nothing: the grant may have ended the current one.
        let current_lives = current.is_some_and(|proof| {
            proof.inspection.valid == Some(true) && proof.at >= candidate.obtained_at
        });
        lately && current_lives && !is_critical(self.token, &self.credential, now)
    }

    /// The candidates of this token.
    fn candidates(&self) -> Candidates<'_> {
        Candidates {
            run: self.run,
            token: self.token,
            app_id: self.app().ok().map(|app| app.id),
            parent: self.token.parent.as_ref().and_then(|parent| self.run.known(parent)),
        }
    }

    /// Seals an access token as the candidate.
    pub fn seal(
        &mut self,
        access_token: &AccessToken,
        origin: Origin,
        expiry: Expiry,
        parent: Option<GenerationId>,
    ) -> Result<Generation, StoreError> {
        let new = NewCandidate { access_token: access_token.clone(), origin, expiry, parent };
        let (credential, candidate) = self.candidates().seal(self.credential.clone(), new)?;
        self.credential = credential;
        Ok(candidate)
    }

    /// Examines a candidate, and notes what became of it.
    pub fn examine(&mut self, candidate: &Generation) -> Result<(), StoreError> {
        let (credential, examined) = self.candidates().examine(
            self.credential.clone(),
            candidate,
            &|credential, generation| self.try_inspect(credential, generation),
        )?;
        self.credential = credential;
        match examined {
            Examined::Promoted { outcome, expiry, is_worse } => {
                if is_worse {
                    self.outcome.because(
                        "the new string is worth less, but the one it replaces is dead or about to end",
                    );
                }
                if candidate.origin == Origin::Adopted && self.old_expiry == Expiry::Unknown {
                    // A first one may be renewed in the same run; what it had is the end before that.
                    self.old_expiry = expiry;
                }
                self.outcome.no_longer_refused(candidate.fingerprint);
                self.outcome.achieve(outcome);
            }
            Examined::AdoptionRefused(problem) => {
                let outcome = match self.credential.current {
                    Some(_) => Outcome::Failed,
                    None => Outcome::Invalid,
                };
                self.outcome.refused(outcome, problem, candidate.fingerprint);
            }
            Examined::GrantRefused(problem) | Examined::Waits(problem) => {
                self.outcome.trouble(problem);
            }
            Examined::NotExtended(problem) => {
                self.outcome.trouble_as(Outcome::NotExtended, problem);
            }
            Examined::FewerScopes(problem) => {
                self.note_failure(&problem, Expiry::Unknown)?;
                self.outcome.trouble(problem);
            }
            Examined::NotInspected(fault) => self.not_answered(fault)?,
        }
        Ok(())
    }

    /// Records an attempt that failed.
    pub fn note_setback(
        &mut self,
        event: EventKind,
        problem: &Problem,
        not_before: Option<Time>,
    ) -> Result<(), StoreError> {
        let (run, now) = (self.run.id, self.run.now());
        let setback =
            Setback { event, generation: None, problem: Some(problem.clone()), not_before };
        self.change(|store, credential| store.note_setback(run, credential, setback, now))
    }

    /// Meta accepted the renewal and gave the current one again, with no later end.
    pub fn miss(&mut self, end: Expiry) -> Result<(), StoreError> {
        let now = self.run.now();
        let problem = not_extended();
        let not_before = Some(next_try(&problem, 1, end, now));
        self.note_setback(EventKind::NotExtended, &problem, not_before)?;
        self.outcome.trouble_as(Outcome::NotExtended, problem.with_action(Action::Retry));
        Ok(())
    }
}

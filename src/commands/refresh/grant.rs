//! What becomes of a string that is sealed but not yet in use.
//!
//! Nothing is taken on Meta's word that a renewal succeeded: Graph is asked about the new string,
//! and only a better one takes the place of the current. What is no better is refused and kept
//! sealed; what cannot be examined now waits for the next run.

use super::keeper::Keeper;
use crate::graph::Fault;
use crate::policy::{Adoption, Extension, Incumbent, judge_grant, judge_newcomer, next_try};
use crate::run::inspect::{is_another_hosts, misfit_behind};
use crate::run::tokens::subject;
use crate::store::{Promotion, Refusal, Setback, StoreError};
use crate::token::{
    Action, Credential, EventKind, Expiry, Generation, Identity, Origin, Outcome, Problem,
    ProblemKind, Proof, Time, TokenType,
};

impl Keeper<'_> {
    /// Examines a string that an earlier run sealed and could not examine, or holds back.
    pub(super) fn examine_what_waits(&mut self) -> Result<(), StoreError> {
        let credential = self.credential()?;
        match &credential.candidate {
            Some(candidate) if !self.is_held_for_now(&credential, candidate) => {
                self.diary.because("sealed by an earlier run, and examined now");
                self.examine(candidate)
            }
            _ => Ok(()),
        }
    }

    /// A string that was found wanting lately is not asked about again until the current one
    /// nears its end: only then does it matter.
    fn is_held_for_now(&self, credential: &Credential, candidate: &Generation) -> bool {
        let now = self.run.now();
        let lately = candidate.proof.as_ref().is_some_and(|proof| {
            proof.inspection.valid == Some(true)
                && proof.at <= now
                && now - proof.at < self.member.policy.verify_every
        });
        let current = credential.current.as_ref().and_then(|current| current.proof.as_ref());
        // What was known before the grant says nothing: the grant may have been its death.
        let current_lives = current.is_some_and(|proof| {
            proof.inspection.valid == Some(true) && proof.at >= candidate.obtained_at
        });
        lately && current_lives && !self.is_critical(credential)
    }

    fn is_critical(&self, credential: &Credential) -> bool {
        let subject = subject(self.member, Some(credential), None);
        credential.current.as_ref().is_none_or(|current| {
            current.expiry.is_within(subject.critical_within(), self.run.now())
        })
    }

    /// Asks about a candidate and acts on the answer.
    pub(super) fn examine(&mut self, candidate: &Generation) -> Result<(), StoreError> {
        let proof = match self.inquire(candidate)? {
            Ok(proof) => proof,
            Err(fault) => return self.not_examined(candidate, fault),
        };
        match candidate.origin {
            Origin::Adopted => self.weigh_newcomer(candidate, &proof),
            Origin::Exchanged | Origin::Refreshed | Origin::Derived => {
                self.weigh_grant(candidate, &proof)
            }
        }
    }

    /// A string from outside that is another app's will never be spoken of; any other waits.
    fn not_examined(&mut self, candidate: &Generation, fault: Fault) -> Result<(), StoreError> {
        match misfit_behind(&fault, &self.member.app) {
            Some(problem) if candidate.origin == Origin::Adopted => {
                self.refuse_newcomer(candidate, problem)
            }
            _ => self.without_an_answer(fault),
        }
    }

    fn weigh_newcomer(&mut self, candidate: &Generation, proof: &Proof) -> Result<(), StoreError> {
        let credential = self.credential()?;
        let expected = self.expected_identity(&credential)?;
        let incumbent = Incumbent::of(credential.current.as_ref());
        let verdict =
            judge_newcomer(&proof.inspection, self.member.token_type, &expected, incumbent);
        if verdict != Adoption::Take {
            self.note(candidate, proof)?;
        }
        match verdict {
            Adoption::Take => self.promote(candidate, proof),
            Adoption::Wait(problem) if is_another_hosts(&problem) => {
                self.refuse_newcomer(candidate, problem)
            }
            Adoption::Wait(problem) => {
                self.diary.trouble(problem);
                Ok(())
            }
            Adoption::OnlyIfCurrentIsDead(problem) => match self.current_lives(candidate)? {
                None => Ok(()),
                Some(true) => self.refuse_newcomer(candidate, problem),
                Some(false) => self.promote(candidate, proof),
            },
            Adoption::Refuse(problem) => self.refuse_newcomer(candidate, problem),
        }
    }

    fn weigh_grant(&mut self, candidate: &Generation, proof: &Proof) -> Result<(), StoreError> {
        let credential = self.credential()?;
        let expected = self.expected_identity(&credential)?;
        let verdict = judge_grant(
            &proof.inspection,
            candidate.expiry,
            self.member.token_type,
            &expected,
            credential.current.as_ref(),
        );
        if verdict != Extension::Take {
            self.note(candidate, proof)?;
        }
        match verdict {
            Extension::Take => self.promote(candidate, proof),
            Extension::NotExtended => match self.current_lives(candidate)? {
                None => Ok(()),
                Some(true) => self.miss(Some(candidate), proof.inspection.expiry),
                Some(false) => self.promote_for_want_of_better(candidate, proof),
            },
            Extension::FewerScopes(_) => self.weigh_scopes(candidate, proof),
            Extension::Wait(problem) => {
                self.diary.trouble(problem);
                Ok(())
            }
            Extension::Dead(problem) => match self.current_lives(candidate)? {
                None => Ok(()),
                Some(true) => self.refuse_grant(candidate, &problem),
                // Of two dead strings the new one may only be too new for whoever was asked.
                Some(false) => {
                    self.diary.trouble(problem);
                    Ok(())
                }
            },
            Extension::Refuse(problem) => self.refuse_grant(candidate, &problem),
        }
    }

    /// Fewer permissions than the current string has *now* are worth waiting for a person, but
    /// not worth dying for.
    fn weigh_scopes(&mut self, candidate: &Generation, proof: &Proof) -> Result<(), StoreError> {
        match self.current_lives(candidate)? {
            None => return Ok(()),
            Some(false) => return self.promote_for_want_of_better(candidate, proof),
            Some(true) => {}
        }
        let credential = self.credential()?;
        let has_now = credential
            .current
            .as_ref()
            .and_then(|current| current.proof.as_ref())
            .map(|proof| proof.inspection.scopes.clone())
            .unwrap_or_default();
        let lost: Vec<String> =
            proof.inspection.lacks(&has_now).into_iter().map(str::to_owned).collect();
        let Some(problem) =
            Extension::FewerScopes(lost.clone()).problem().filter(|_| !lost.is_empty())
        else {
            return self.promote(candidate, proof);
        };
        if self.is_critical(&credential) {
            return self.promote_for_want_of_better(candidate, proof);
        }
        self.note_failure(&problem, Expiry::Unknown)?;
        self.diary.trouble(problem);
        Ok(())
    }

    /// Whether the current string is alive; nothing if Graph gave no answer. Beside a string from
    /// outside an answer of this run counts; a grant may have been the death of the old one, so it
    /// is asked about again.
    fn current_lives(&mut self, candidate: &Generation) -> Result<Option<bool>, StoreError> {
        let Some(current) = self.credential()?.current else { return Ok(Some(false)) };
        let asked = current.proof.clone().filter(|proof| {
            candidate.origin == Origin::Adopted
                && proof.at >= self.run.moment().run_started
                && proof.at <= self.run.now()
        });
        let proof = match asked {
            Some(proof) => Some(proof),
            None => self.inspect_and_store(&current)?,
        };
        Ok(proof.map(|proof| proof.inspection.valid != Some(false)))
    }

    /// Takes a candidate into use, with the answer that justifies it, in one transaction.
    fn promote(&mut self, candidate: &Generation, proof: &Proof) -> Result<(), StoreError> {
        let (event, outcome) = match candidate.origin {
            Origin::Adopted => (EventKind::Adopted, Outcome::Adopted),
            Origin::Exchanged => (EventKind::Exchanged, Outcome::Exchanged),
            Origin::Refreshed => (EventKind::Refreshed, Outcome::Refreshed),
            Origin::Derived => (EventKind::Derived, Outcome::Derived),
        };
        let promotion = Promotion {
            token: self.token,
            candidate: candidate.id,
            supersedes: self.credential()?.in_place(),
            proof: Some(proof.clone()),
            event,
            problem: None,
            owes: self.member.deliver.iter().map(|target| target.id.clone()).collect(),
        };
        self.run.store.promote(self.run.id, promotion, self.run.now())?;
        if candidate.origin == Origin::Adopted && self.old_expiry == Expiry::Unknown {
            // A first string may be renewed in the same run; what it had is the end before that.
            self.old_expiry = proof.inspection.expiry;
        }
        self.diary.no_longer_refused(candidate.fingerprint);
        self.diary.achieve(outcome);
        Ok(())
    }

    /// The current string is dead or about to die: a worse one that lives is better than none.
    fn promote_for_want_of_better(
        &mut self,
        candidate: &Generation,
        proof: &Proof,
    ) -> Result<(), StoreError> {
        self.diary.because(
            "the new string is worth less, but the one it replaces is dead or about to end",
        );
        self.promote(candidate, proof)
    }

    fn refuse_newcomer(
        &mut self,
        candidate: &Generation,
        problem: Problem,
    ) -> Result<(), StoreError> {
        self.refuse(candidate, EventKind::AdoptionRefused, &problem, None)?;
        let outcome = match self.credential()?.current {
            Some(_) => Outcome::Failed,
            None => Outcome::Invalid,
        };
        self.diary.refused(outcome, problem, candidate.fingerprint);
        Ok(())
    }

    fn refuse_grant(
        &mut self,
        candidate: &Generation,
        problem: &Problem,
    ) -> Result<(), StoreError> {
        let credential = self.credential()?;
        let expiry = credential.current.map_or(Expiry::Unknown, |current| current.expiry);
        let failures = credential.ledger.consecutive_failures.saturating_add(1);
        let not_before = next_try(problem, failures, expiry, self.run.now());
        self.refuse(candidate, EventKind::RefreshFailed, problem, Some(not_before))?;
        self.diary.trouble(problem.clone());
        Ok(())
    }

    /// Sets a candidate aside, still sealed, and writes down why.
    fn refuse(
        &self,
        candidate: &Generation,
        event: EventKind,
        problem: &Problem,
        not_before: Option<Time>,
    ) -> Result<(), StoreError> {
        let refusal = Refusal {
            token: self.token,
            candidate: candidate.id,
            proof: None,
            setback: Some(self.setback(event, problem, not_before)),
        };
        self.run.store.refuse(self.run.id, refusal, self.run.now())
    }

    pub(super) fn setback(
        &self,
        event: EventKind,
        problem: &Problem,
        not_before: Option<Time>,
    ) -> Setback {
        Setback {
            token: self.token,
            event,
            generation: None,
            problem: Some(problem.clone()),
            not_before,
        }
    }

    /// Meta accepted the renewal and moved nothing: the current string stays.
    pub(super) fn miss(
        &mut self,
        candidate: Option<&Generation>,
        end: Expiry,
    ) -> Result<(), StoreError> {
        let now = self.run.now();
        let problem = Extension::NotExtended.problem().unwrap_or_else(|| {
            Problem::new(ProblemKind::NotExtended, "the new string ends no later")
        });
        let not_before = Some(next_try(&problem, 1, end, now));
        if let Some(candidate) = candidate {
            self.refuse(candidate, EventKind::NotExtended, &problem, not_before)?;
        } else {
            let setback = self.setback(EventKind::NotExtended, &problem, not_before);
            self.run.store.note_setback(self.run.id, setback, now)?;
        }
        self.diary.trouble_as(Outcome::NotExtended, problem.with_action(Action::Retry));
        Ok(())
    }

    /// Whose string this must be: the config's app and Page, and the person as before. The person
    /// behind a derived Page token is the parent's.
    fn expected_identity(&self, credential: &Credential) -> Result<Identity, StoreError> {
        let proven = |credential: &Credential| {
            let proof = credential.current.as_ref()?.proof.as_ref()?;
            Some(proof.inspection.identity.clone())
        };
        let before = proven(credential).unwrap_or_default();
        let person = match self.parent()? {
            Some(parent) if self.member.token_type == TokenType::Page => {
                proven(&parent).and_then(|identity| identity.user_id)
            }
            _ => before.user_id,
        };
        Ok(Identity {
            app_id: self.app().ok().map(|app| app.id),
            user_id: person,
            page_id: self.member.page_id.clone().or(before.page_id),
        })
    }
}

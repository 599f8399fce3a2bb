//! Exchanging the current string for one that ends later.
//!
//! A renewal that fails changes nothing but the ledger: what happened, how often, and when it is
//! tried again.

use super::keeper::{Keeper, Next};
use super::workshop::Depth;
use crate::failpoint;
use crate::graph::{Fault, Scope};
use crate::policy::{Decision, MARGIN, Renew, Verify, next_try};
use crate::store::{Extension as Extended, StoreError};
use crate::token::{
    Action, EventKind, Expiry, Generation, Origin, Outcome, Problem, ProblemKind, Time,
};

impl Keeper<'_> {
    pub(super) fn renew(&mut self, why: &Renew) -> Result<Next, StoreError> {
        let (kind, event, origin) = match why {
            Renew::ShortLived { .. } => {
                (Outcome::Exchanged, EventKind::Exchanged, Origin::Exchanged)
            }
            Renew::WindowOpen { .. } | Renew::Forced => {
                (Outcome::Refreshed, EventKind::Refreshed, Origin::Refreshed)
            }
        };
        let sentence = Decision::Renew(why.clone()).sentence(self.workshop.now());
        if self.workshop.depth == Depth::Rehearsal {
            // The one call that is not read-only is not made; what it would bring is unknown.
            self.diary.note(kind, sentence);
            return Ok(Next::Stop);
        }
        let Some(current) = self.credential()?.current else { return Ok(Next::Stop) };
        let string = self.workshop.store.reveal(current.id)?;
        self.workshop.plan(&[self.token])?;
        failpoint::reach("before-request");
        match self.app().and_then(|app| self.workshop.graph.exchange(&app, &string)) {
            Err(fault) => self.not_renewed(fault, &current),
            Ok(grant) => {
                failpoint::reach("granted");
                self.diary.because(sentence);
                if self.workshop.store.fingerprint(&grant.token)? == current.fingerprint {
                    self.same_string(&current, grant.expiry, kind, event)?;
                } else {
                    let candidate = self.seal(&grant.token, origin, grant.expiry, None)?;
                    self.examine(&candidate)?;
                }
                Ok(Next::Stop)
            }
        }
    }

    /// A renewal that failed changes nothing. If Meta blames the string, Graph is asked about it,
    /// for only that answer is a verdict.
    pub(super) fn not_renewed(
        &mut self,
        fault: Fault,
        current: &Generation,
    ) -> Result<Next, StoreError> {
        let blames_the_string =
            matches!(fault.scope, Scope::Token) && fault.problem.action == Action::Reauthenticate;
        if fault.held_back {
            self.workshop.store.close_attempts(self.token, self.workshop.now())?;
            self.diary.fault(fault);
            return Ok(Next::Stop);
        }
        if fault.problem.kind == ProblemKind::TooYoung {
            self.note_failure(&fault.problem, current.expiry)?;
            self.diary.note(Outcome::TooYoung, fault.problem.to_string());
            return Ok(Next::Stop);
        }
        self.note_failure(&fault.problem, current.expiry)?;
        if blames_the_string {
            let Some(proof) = self.prove(current)? else { return Ok(Next::Stop) };
            if proof.inspection.valid == Some(true) {
                // Alive by Graph's own word: the refusal is no verdict and is tried again.
                self.diary.trouble(fault.problem.with_action(Action::Retry));
                return Ok(Next::Stop);
            }
            return Ok(Next::Decide);
        }
        let unreachable = fault.problem.kind == ProblemKind::Network;
        self.diary.fault(fault);
        if unreachable { Ok(Next::Stop) } else { self.verify_instead(current) }
    }

    /// What was not proven lately is asked about in every run, whatever became of its renewal.
    fn verify_instead(&mut self, current: &Generation) -> Result<Next, StoreError> {
        let now = self.workshop.now();
        let fresh = current.proof.as_ref().is_some_and(|proof| {
            proof.at <= now && now - proof.at < self.member.policy.verify_every
        });
        if fresh {
            return Ok(Next::Stop);
        }
        Ok(self.prove(current)?.map_or(Next::Stop, |_| Next::Decide))
    }

    /// Meta gave the same string back: no new generation, perhaps a later end.
    pub(super) fn same_string(
        &mut self,
        current: &Generation,
        granted: Expiry,
        kind: Outcome,
        event: EventKind,
    ) -> Result<(), StoreError> {
        let Some(mut proof) = self.ask(current)? else { return Ok(()) };
        if proof.inspection.expiry == Expiry::Unknown {
            proof.inspection.expiry = granted;
        }
        let end = proof.inspection.expiry;
        if end.extends(current.expiry, MARGIN) {
            let extended =
                Extended { token: self.token, generation: current.id, parent: None, proof, event };
            self.workshop.store.extend(self.workshop.run, extended, self.workshop.now())?;
            self.diary.achieve(kind);
            return Ok(());
        }
        self.note(current, &proof)?;
        self.miss(None, end)
    }

    /// Notes a failed try: what the next run finds, and when it tries again.
    pub(super) fn note_failure(
        &mut self,
        problem: &Problem,
        expiry: Expiry,
    ) -> Result<(), StoreError> {
        let now = self.workshop.now();
        let failures = self.credential()?.ledger.consecutive_failures.saturating_add(1);
        self.set_back(problem, Some(next_try(problem, failures, expiry, now)))
    }

    pub(super) fn set_back(
        &self,
        problem: &Problem,
        not_before: Option<Time>,
    ) -> Result<(), StoreError> {
        let setback = self.setback(EventKind::RefreshFailed, problem, not_before);
        self.workshop.store.note_setback(self.workshop.run, setback, self.workshop.now())
    }

    /// Notes a failure that no try came to.
    pub(super) fn fail(&mut self, problem: Problem) -> Result<(), StoreError> {
        self.set_back(&problem, None)?;
        self.diary.trouble_as(Outcome::Invalid, problem);
        Ok(())
    }

    /// The exchange of a first string that was cut short: there is no other to fall back on.
    pub(super) fn lost(&self, began: Time) -> Problem {
        let why = Decision::Verify(Verify::CutShort { began }).sentence(self.workshop.now());
        Problem::new(ProblemKind::Unknown, why).with_action(Action::Reauthenticate)
    }

    /// Names in the history the renewal that an earlier run did not live to finish.
    pub(super) fn note_cut_short(&self, why: &Verify) -> Result<(), StoreError> {
        let sentence = Decision::Verify(why.clone()).sentence(self.workshop.now());
        self.set_back(&Problem::new(ProblemKind::Unknown, sentence), None)
    }
}

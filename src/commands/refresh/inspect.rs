//! Asking Graph about a string, and what an answer, or none, leaves in the store.
//!
//! Whatever keeps Graph from answering says nothing against the string. Only what a person must
//! mend is written down, so that whoever looks at the store learns of it.

use std::time::Instant;

use super::token::TokenRun;
use crate::graph::CallError;
use crate::run::Run;
use crate::run::inspect::inspect;
use crate::run::log;
use crate::store::StoreError;
use crate::token::{Action, Generation, Problem, ProblemKind, Proof};

impl TokenRun<'_> {
    /// Asks Graph about a string and stores the answer; nothing if there was none.
    pub fn inspect_and_store(
        &mut self,
        generation: &Generation,
    ) -> Result<Option<Proof>, StoreError> {
        let proof = self.inspect(generation)?;
        if let Some(proof) = &proof {
            self.note(generation, proof)?;
        }
        Ok(proof)
    }

    /// Asks Graph about a string; nothing if there was no answer.
    pub fn inspect(&mut self, generation: &Generation) -> Result<Option<Proof>, StoreError> {
        match self.try_inspect(generation)? {
            Ok(proof) => Ok(Some(proof)),
            Err(fault) => self.not_answered(fault).map(|()| None),
        }
    }

    /// Asks Graph about a string, and nothing more.
    pub fn try_inspect(
        &self,
        generation: &Generation,
    ) -> Result<Result<Proof, CallError>, StoreError> {
        let string = self.run.store.reveal(generation.id)?;
        let began = Instant::now();
        match self.app().and_then(|app| inspect(&self.run.graph, &app, &string)) {
            Ok(inspection) => {
                log::inspected(&inspection, began);
                self.note_that_the_app_is_well()?;
                Ok(Ok(Proof { at: self.run.now(), inspection }))
            }
            Err(fault) => Ok(Err(fault)),
        }
    }

    /// Notes that Graph said nothing of a string, or was not even asked.
    pub fn not_answered(&mut self, fault: CallError) -> Result<(), StoreError> {
        self.note_what_a_person_must_mend(&fault)?;
        self.outcome.fault(fault);
        Ok(())
    }

    /// A wrong secret or a disabled app says nothing against the string, but whoever looks at the
    /// store should learn that it can neither be asked about nor renewed.
    fn note_what_a_person_must_mend(&self, fault: &CallError) -> Result<(), StoreError> {
        // Whose pause it is that still runs must not be forgotten.
        let pauses = self
            .credential()?
            .ledger
            .problem
            .is_some_and(|problem| matches!(problem.action, Action::Wait | Action::SlowDown));
        if fault.problem.action.needs_a_person() && !pauses {
            self.run.store.note_trouble(self.token, Some(&fault.problem))?;
            self.app_in_doubt.set(true);
        }
        Ok(())
    }

    /// An answer shows that the app is live; that its secret is right only where it was shown.
    fn note_that_the_app_is_well(&self) -> Result<(), StoreError> {
        if !self.app_in_doubt.get() {
            return Ok(());
        }
        let shown = self.member.token_type.provider().spec().proves_the_secret();
        let disproved = |problem: Problem| match problem.kind {
            ProblemKind::AppDisabled => true,
            kind => shown && kind.is_about_the_app(),
        };
        if self.credential()?.ledger.problem.is_some_and(disproved) {
            self.run.store.note_trouble(self.token, None)?;
            self.app_in_doubt.set(false);
        }
        Ok(())
    }

    pub fn note(&self, generation: &Generation, proof: &Proof) -> Result<(), StoreError> {
        let Run { store, id, .. } = self.run;
        store.note_proof(*id, generation.id, proof.clone()).map(drop)
    }
}

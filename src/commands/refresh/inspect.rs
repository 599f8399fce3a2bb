//! Inspects an access token, and records the answer, or what a person has to do to get one.
//!
//! Whatever keeps Graph from answering says nothing against the access token. Only what a person has
//! to fix is recorded, so that every reader of the store learns of it.

use std::time::Instant;

use super::token::TokenRun;
use crate::graph::CallError;
use crate::run::candidate::Inspected;
use crate::run::inspect::inspect;
use crate::run::log;
use crate::store::StoreError;
use crate::token::{Action, Credential, Generation, Problem, ProblemKind, Proof};

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
            Err(fault) => self.not_answered(fault).map(|()| None),
        }
    }

    /// Asks Graph about an access token, and stores no answer.
    pub fn try_inspect(
        &self,
        credential: Credential,
        generation: &Generation,
    ) -> Result<Inspected, StoreError> {
        let access_token = self.run.store.reveal(generation.id)?;
        let began = Instant::now();
        match self.app().and_then(|app| inspect(&self.run.graph, &app, &access_token)) {
            Ok(inspection) => {
                log::inspected(&inspection, began);
                let credential = self.note_that_the_app_is_well(credential)?;
                Ok((credential, Ok(Proof { at: self.run.now(), inspection })))
            }
            Err(fault) => Ok((credential, Err(fault))),
        }
    }

    /// Notes that Graph gave no answer, or was not even asked.
    pub fn not_answered(&mut self, fault: CallError) -> Result<(), StoreError> {
        self.note_what_a_person_must_fix(&fault)?;
        self.outcome.fault(fault);
        Ok(())
    }

    /// Records a wrong secret or a disabled app: it says nothing against the access token, but it can
    /// be neither inspected nor renewed.
    fn note_what_a_person_must_fix(&mut self, fault: &CallError) -> Result<(), StoreError> {
        // A wait that Meta asked for and that is not over must not be forgotten.
        let known = self.credential.ledger.problem.as_ref();
        let waits =
            known.is_some_and(|problem| matches!(problem.action, Action::Wait | Action::SlowDown));
        if fault.problem.action.needs_a_person() && !waits {
            self.change(|store, credential| store.note_trouble(credential, Some(&fault.problem)))?;
            self.app_in_doubt.set(true);
        }
        Ok(())
    }

    /// Forgets what was wrong with the app: an answer shows that it is live; that its secret is right
    /// only where it was sent.
    fn note_that_the_app_is_well(&self, credential: Credential) -> Result<Credential, StoreError> {
        if !self.app_in_doubt.get() {
            return Ok(credential);
        }
        let shown = self.token.token_type.provider().spec().proves_the_secret();
        let disproved = |problem: &Problem| match problem.kind {
            ProblemKind::AppDisabled => true,
            kind => shown && kind.is_about_the_app(),
        };
        if !credential.ledger.problem.as_ref().is_some_and(disproved) {
            return Ok(credential);
        }
        let credential = self.run.store.note_trouble(credential, None)?;
        self.app_in_doubt.set(false);
        Ok(credential)
    }

    /// Records an answer about a generation.
    pub fn note_proof(&mut self, generation: &Generation, proof: &Proof) -> Result<(), StoreError> {
        let (run, generation, proof) = (self.run.id, generation.id, proof.clone());
        self.change(|store, credential| Ok(store.note_proof(run, credential, generation, proof)?.0))
    }
}

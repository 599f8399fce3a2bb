//! Looks again at what the config's place holds, when there is no access token that works.
//!
//! A value that this token has had, or that was refused, is passed over while the current one works,
//! so that an old value left in a config never comes back. Before a person is called Graph is asked
//! about it all the same.

use std::time::Instant;

use super::candidate::{IfRefused, is_critical};
use super::configured_tokens::KnownToken;
use super::inspect::{inspect, wrong_app};
use super::log;
use super::token_run::TokenRun;
use crate::policy::{Adoption, FoundIn, judge_adoption};
use crate::store::{NewCandidate, StoreError};
use crate::token::{Generation, GenerationState, Inspection, Proof};

impl TokenRun<'_> {
    /// Whether what the config's place holds was not judged yet, although it was sealed: the run that
    /// did so was cut short, or a person handed it over in vain. An account that is held is left to
    /// its person.
    pub fn is_unjudged(&self, known: &KnownToken) -> Result<bool, StoreError> {
        let source = self.credential.source.as_ref();
        let was_refused = source.is_some_and(|source| source.refused.is_some());
        if known.state != GenerationState::Refused || known.is_barred || was_refused {
            return Ok(false);
        }
        let proof = self.run.store.generation(known.generation)?.proof;
        Ok(proof.is_none_or(|proof| proof.inspection.verdict().is_some()))
    }

    /// Whether what was refused may be better than the current one, which is about to expire.
    pub fn is_wanted_near_the_end(&self, known: &KnownToken) -> bool {
        known.state == GenerationState::Refused
            && is_critical(self.token, &self.credential, self.run.now())
    }

    /// Asks about an access token that was set aside; adopts it if it is worth more than the current
    /// one now.
    pub fn adopt_known_token(&mut self, known: &KnownToken) -> Result<(), StoreError> {
        if let Some(offered) = self.ask_known(known)? {
            self.adopt_offered(known, &offered)?;
        }
        Ok(())
    }

    /// Asks about an access token that was set aside, once a run; gives it with the answer if it is
    /// worth more than the current one now. One that is no good stays what it is.
    pub fn ask_known(&mut self, known: &KnownToken) -> Result<Option<Generation>, StoreError> {
        let is_set_aside = matches!(
            known.state,
            GenerationState::Previous | GenerationState::Refused | GenerationState::Purged
        );
        let is_wanted = is_set_aside && !known.is_barred && !self.has_granted_candidate();
        if self.has_looked_again || !is_wanted {
            return Ok(None);
        }
        self.has_looked_again = true;
        let generation = self.run.store.generation(known.generation)?;
        let is_named = self.refresh.is_named(&self.token.label);
        let lately = self.is_checked_lately(&generation) && !is_named;
        if let Some(proof) = generation.proof.as_ref().filter(|_| lately)
            && !self.is_worth_it(&self.judge_again(&proof.inspection)?)
        {
            return Ok(None);
        }
        if let Some(waits) = self.question_waits(&self.credential) {
            return self.not_answered(waits).map(|()| None);
        }
        let began = Instant::now();
        let answer = self.app().and_then(|app| inspect(&self.run.graph, &app, &known.access_token));
        let inspection = match answer {
            Ok(inspection) => inspection,
            Err(mut error) => {
                if let Some(problem) = wrong_app(&error, &self.token.app) {
                    error.problem = problem;
                }
                return self.not_answered(error).map(|()| None);
            }
        };
        log::inspected(&inspection, began);
        let proof = Proof { at: self.run.now(), inspection };
        let verdict = self.judge_again(&proof.inspection)?;
        if self.is_worth_it(&verdict) {
            let expiry = proof.inspection.expiry;
            return Ok(Some(Generation { expiry, proof: Some(proof), ..generation }));
        }
        self.note_proof(&generation, &proof)?;
        if let Some(problem) = verdict.problem().filter(|_| self.credential.current.is_none()) {
            let trouble = Some(&problem);
            self.change(|store, credential| store.note_trouble(credential, trouble))?;
        }
        Ok(None)
    }

    /// Adopts an access token that the store has seen before, by the answer about it, and says whether
    /// it became the current one.
    pub fn adopt_offered(
        &mut self,
        known: &KnownToken,
        offered: &Generation,
    ) -> Result<bool, StoreError> {
        let place = self.credential.source.as_ref().map(|source| source.place.clone());
        let place = place.unwrap_or_default();
        self.outcome.because(match known.state {
            GenerationState::Refused => format!("refused before, and the best now: {place}"),
            _ => format!("earlier_generation: generation {} is in {place}", offered.number),
        });
        let candidate = self.seal(NewCandidate::found(known.access_token.clone()))?;
        let answer = offered.proof.clone().map(Ok);
        self.examine_found(&candidate, IfRefused::Told, answer.as_ref())?;
        Ok(self.credential.current.as_ref().is_some_and(|current| current.id == candidate.id))
    }

    /// Judges an access token that the store has seen before beside what is current now.
    fn judge_again(&self, inspection: &Inspection) -> Result<Adoption, StoreError> {
        let candidates = self.candidates(IfRefused::Told);
        let expected = candidates.expected_identity(&self.credential)?;
        let contest = candidates.contest(&expected, &self.credential);
        Ok(judge_adoption(inspection, FoundIn::OtherPlace, &contest))
    }

    fn is_worth_it(&self, verdict: &Adoption) -> bool {
        match verdict {
            Adoption::Take => true,
            Adoption::OnlyNearItsEnd(_) => {
                is_critical(self.token, &self.credential, self.run.now())
            }
            _ => false,
        }
    }
}

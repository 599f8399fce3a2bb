//! Exchanges a short-lived access token before it is compared with the current one: one that the config
//! points to (`exchange --stored`), and one that was handed over to a run that was cut short.
//!
//! An hour is never worth more than what a token has already; what Meta gives for it may be. So the
//! exchange comes first, and what it grants is judged like any other access token from outside.

use super::DryRun;
use super::candidate::{IfRefused, not_extended};
use super::configured_tokens::KnownToken;
use super::exchanging::ask_for_exchange;
use super::refresh_run::Only;
use super::token_run::{NextStep, TokenRun};
use crate::graph::CallError;
use crate::policy::{
    Adoption, Contest, Current, Decision, FoundIn, Renew, is_short_life, judge_adoption,
};
use crate::store::{NewCandidate, StoreError};
use crate::token::{
    AccessToken, Arrival, Expiry, Generation, GenerationState, Grant, Inspection, LoginCheck,
    Origin, Outcome, Proof,
};

impl TokenRun<'_> {
    /// Whether a plain run refused what the config's place holds because it is short-lived.
    pub fn is_refused_for_its_short_life(&self, known: &KnownToken) -> Result<bool, StoreError> {
        let is_set_aside = known.state == GenerationState::Refused && !known.is_barred;
        if self.refresh.options.only != Only::ShortLived || !is_set_aside {
            return Ok(false);
        }
        let proof = self.run.store.generation(known.generation)?.proof;
        let now = self.run.now();
        Ok(proof.is_some_and(|proof| {
            !proof.inspection.expiry.has_passed(now) && self.is_exchanged_first(&proof.inspection)
        }))
    }

    /// Exchanges what the config points to, and judges what Meta gives for it; says whether all that
    /// can be done about it now is done. Beside a current one that is worth less it is adopted first.
    pub fn exchange_found(
        &mut self,
        candidate: &Generation,
        proof: &Proof,
    ) -> Result<bool, StoreError> {
        let inspection = &proof.inspection;
        if self.refresh.options.only != Only::ShortLived
            || !self.is_exchanged_first(inspection)
            || !self.would_fit(inspection)?
        {
            return Ok(false);
        }
        if let Expiry::At(ends) = inspection.expiry {
            let why = Decision::Renew(Renew::ShortLived { ends });
            self.outcome.because(why.sentence(self.run.now()));
        }
        if self.run.dry_run == DryRun::Yes {
            self.outcome.achieve(Outcome::Exchanged);
            return Ok(true);
        }
        let Some(_room) = self.room()? else { return Ok(true) };
        match self.ask_for_exchange(candidate)? {
            Ok(grant) => self.judge_exchanged(candidate, &grant),
            Err(error) if error.refuses_the_token() => Ok(false),
            Err(error) => {
                self.outcome.note_call_error(error);
                Ok(true)
            }
        }
    }

    /// Finishes what was handed over and sealed: what is short-lived is exchanged first, like when it was
    /// handed over.
    pub fn finish_handed_over(&mut self, candidate: &Generation) -> Result<(), StoreError> {
        let answer = self.try_inspect_and_store(candidate)?;
        if let Ok(proof) = &answer
            && self.compare_pages(candidate, proof)? == NextStep::Stop
        {
            return Ok(());
        }
        if let Ok(proof) = &answer
            && candidate.origin == Origin::Adopted
            && candidate.login_check != Some(LoginCheck::Confirm)
            && proof.inspection.verdict() == Some(true)
            && self.is_exchanged_first(&proof.inspection)
        {
            if self.run.dry_run == DryRun::Yes {
                self.outcome.achieve(Outcome::Exchanged);
                return Ok(());
            }
            let Some(_room) = self.room()? else { return Ok(()) };
            match self.ask_for_exchange(candidate)? {
                Ok(grant) if self.judge_exchanged(candidate, &grant)? => return Ok(()),
                // Meta gave the current one again.
                Ok(_) => return self.examine_found(candidate, IfRefused::Silent, Some(&answer)),
                Err(error) if error.refuses_the_token() => {}
                Err(error) => {
                    self.outcome.note_call_error(error);
                    return Ok(());
                }
            }
        }
        self.examine_found(candidate, IfRefused::Told, Some(&answer))
    }

    /// Whether it lives too short to be compared as it is. Where Meta does not say how long it lives,
    /// the exchange tells.
    fn is_exchanged_first(&self, inspection: &Inspection) -> bool {
        let spec = self.token.token_type.spec();
        let may_be_short = spec.may_hide_the_end() && inspection.expiry == Expiry::Unknown;
        let has_secret = || self.app().is_ok_and(|app| app.secret.is_some());
        spec.exchange.is_some()
            && (is_short_life(inspection, self.run.now()) || may_be_short)
            && has_secret()
    }

    /// Whether it is alive and this token's, and not better than the current one as it is.
    fn would_fit(&self, inspection: &Inspection) -> Result<bool, StoreError> {
        let candidates = self.candidates(IfRefused::Told);
        let expected = candidates.expected_identity(&self.credential)?;
        let contest = candidates.contest(&expected, &self.credential);
        let alone =
            Contest { current: Current::Gone, ..candidates.contest(&expected, &self.credential) };
        let judge = |contest| judge_adoption(inspection, FoundIn::OtherPlace, contest);
        Ok(judge(&contest) != Adoption::Take && judge(&alone) == Adoption::Take)
    }

    fn ask_for_exchange(
        &mut self,
        candidate: &Generation,
    ) -> Result<Result<Grant, CallError>, StoreError> {
        let Some(exchange) = self.token.token_type.spec().exchange else {
            return Ok(Err(CallError::of_token(not_extended())));
        };
        let access_token = self.run.store.reveal(candidate.id)?;
        let ask = |access_token: &AccessToken| {
            self.app().and_then(|app| self.run.graph.grant(&app, exchange, Some(access_token)))
        };
        let (credential, answer) =
            ask_for_exchange(self.run, self.credential.clone(), &access_token, ask)?;
        self.credential = credential;
        Ok(answer)
    }

    /// Seals what Meta gave, and compares it. Given the current one again, there is nothing to compare.
    fn judge_exchanged(
        &mut self,
        candidate: &Generation,
        grant: &Grant,
    ) -> Result<bool, StoreError> {
        let fingerprint = self.run.store.fingerprint(&grant.token)?;
        let is_in_use = |it: &Generation| it.fingerprint == fingerprint;
        if self.credential.current.as_ref().is_some_and(is_in_use) {
            let (run, now) = (self.run.id, self.run.now());
            self.change(|store, credential| store.note_exchanged(run, credential, now))?;
            return Ok(false);
        }
        let new = NewCandidate::granted(grant.token.clone(), Origin::Exchanged, grant.expiry);
        let new = match candidate.handed_over {
            Some(concession) if candidate.arrival == Arrival::Adopted => {
                new.handed_over(Arrival::Exchanged, concession)
            }
            Some(concession) => new.handed_over(candidate.arrival, concession),
            None => new,
        };
        let granted = self.seal(NewCandidate {
            parent: Some(candidate.id),
            login_check: candidate.login_check.clone(),
            ..new
        })?;
        self.examine(&granted)?;
        Ok(true)
    }
}

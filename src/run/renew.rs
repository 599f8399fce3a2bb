//! Renews a token: asks Meta for an access token that expires later.
//!
//! A renewal that fails changes nothing but the record of attempts: what happened, how often, and
//! when it is tried again.

use super::DryRun;
use super::token_run::{NextStep, TokenRun};
use crate::failpoint;
use crate::graph::CallError;
use crate::policy::{Decision, MARGIN, Renew};
use crate::store::{ExtendedExpiry, NewCandidate, Setback, StoreError};
use crate::token::{
    Action, AttemptKind, EventKind, Expiry, Generation, Grant, GrantType, Origin, Outcome, Problem,
    ProblemKind, Time,
};

/// One way to an access token that expires later, and what its success is called.
struct RenewalMethod {
    grant: &'static GrantType,
    outcome: Outcome,
    event: EventKind,
    origin: Origin,
}

impl RenewalMethod {
    const fn exchange(grant: &'static GrantType) -> Self {
        let (outcome, event) = (Outcome::Exchanged, EventKind::Exchanged);
        Self { grant, outcome, event, origin: Origin::Exchanged }
    }

    const fn refresh(grant: &'static GrantType) -> Self {
        let (outcome, event) = (Outcome::Refreshed, EventKind::Refreshed);
        Self { grant, outcome, event, origin: Origin::Refreshed }
    }
}

/// Whether the app's id or secret is to blame.
const fn is_of_credentials(error: &CallError) -> bool {
    matches!(error.problem.kind, ProblemKind::BadAppCredentials | ProblemKind::BadProof)
}

impl TokenRun<'_> {
    /// Asks Meta for an access token that expires later, and seals what it grants.
    pub fn renew(&mut self, why: &Renew) -> Result<NextStep, StoreError> {
        let methods = self.methods(why);
        let (Some(first), Some(current)) = (methods.first(), self.credential.current.clone())
        else {
            return Ok(NextStep::Stop);
        };
        let sentence = Decision::Renew(why.clone()).sentence(self.run.now());
        if self.run.dry_run == DryRun::Yes {
            // The one call that is not read-only is not made; what it would bring is unknown.
            self.outcome.note(first.outcome, sentence);
            return Ok(NextStep::Stop);
        }
        self.outcome.because(sentence);
        let Some(_room) = self.room()? else { return self.verify_instead(&current) };
        let access_token = self.run.store.reveal(current.id)?;
        let (run, now) = (self.run.id, self.run.now());
        self.change(|store, credential| {
            store.plan_attempt(run, credential, AttemptKind::Renewal, now)
        })?;
        failpoint::reach("before-request");
        let mut refusal: Option<CallError> = None;
        for method in methods {
            let ask = |app| self.run.graph.grant(&app, method.grant, Some(&access_token));
            match self.app().and_then(ask) {
                Ok(grant) => {
                    return self.granted(&method, &grant, &current).map(|()| NextStep::Stop);
                }
                // The next way may need no secret; if it fails too, this is what to fix.
                Err(error) if is_of_credentials(&error) => refusal = Some(error),
                Err(error) if error.refuses_the_token() => {
                    refusal = refusal.filter(is_of_credentials).or(Some(error));
                }
                Err(error) => return self.not_renewed(error, &current),
            }
        }
        refusal.map_or(Ok(NextStep::Stop), |error| self.not_renewed(error, &current))
    }

    /// Lists the grants to ask for, one after the other until Meta gives one.
    fn methods(&self, why: &Renew) -> Vec<RenewalMethod> {
        let spec = self.token.token_type.spec();
        let exchange = spec.exchange.map(RenewalMethod::exchange);
        let refresh = spec.refresh.map(RenewalMethod::refresh);
        let has_secret = || self.app().is_ok_and(|app| app.secret.is_some());
        match why {
            Renew::ShortLived { .. } => exchange.into_iter().collect(),
            Renew::PerhapsShortLived => {
                exchange.filter(|_| has_secret()).into_iter().chain(refresh).collect()
            }
            Renew::WithoutParent { .. } => {
                spec.undocumented.map(RenewalMethod::exchange).into_iter().collect()
            }
            Renew::WindowOpen { .. } | Renew::EndUnknown | Renew::Forced => {
                refresh.into_iter().collect()
            }
        }
    }

    fn granted(
        &mut self,
        method: &RenewalMethod,
        grant: &Grant,
        current: &Generation,
    ) -> Result<(), StoreError> {
        failpoint::reach("granted");
        let fingerprint = self.run.store.fingerprint(&grant.token)?;
        if fingerprint == current.fingerprint {
            return self.same_token(current, grant.expiry, method);
        }
        if self.credential.is_barred(&fingerprint) {
            return self.note_barred(current.expiry, None);
        }
        let new = NewCandidate::granted(grant.token.clone(), method.origin, grant.expiry);
        let candidate = self.seal(new)?;
        self.examine(&candidate)
    }

    /// Records a renewal that failed; the current access token stays. If Meta blames it, Graph is asked
    /// about it: only that answer is a verdict.
    fn not_renewed(
        &mut self,
        error: CallError,
        current: &Generation,
    ) -> Result<NextStep, StoreError> {
        if error.held_back {
            let (run, now) = (self.run.id, self.run.now());
            self.change(|store, credential| store.close_attempts(run, credential, now))?;
            return self.not_answered(error).map(|()| NextStep::Stop);
        }
        if error.answer_lost {
            let now = self.run.now();
            self.change(|store, credential| store.note_lost_answer(credential, now))?;
        }
        if self.has_no_giver() && !error.problem.kind.is_outage() && !is_of_credentials(&error) {
            return self.not_renewed_alone(&error.problem, current);
        }
        if let Some(eligible) = self.perhaps_too_young(&error, current) {
            return self.too_young_unless_dead(error.problem, eligible, current);
        }
        if error.refuses_the_token() && error.problem.action == Action::Reauthenticate {
            return self.blamed_by_meta(error.problem, current);
        }
        let wait = error.wait.unwrap_or_default();
        self.note_failure_and_wait(&error.problem, current.expiry, wait)?;
        let ask_no_more =
            matches!(error.problem.kind, ProblemKind::Network | ProblemKind::RateLimited);
        self.outcome.note_call_error(error);
        if ask_no_more { Ok(NextStep::Stop) } else { self.verify_instead(current) }
    }

    /// Records that Meta does not renew a Page's access token without its parent: that was to be
    /// expected, so it is not a failure of the run. What the access token is worth, Graph is asked.
    fn not_renewed_alone(
        &mut self,
        refusal: &Problem,
        current: &Generation,
    ) -> Result<NextStep, StoreError> {
        let problem = Problem {
            kind: ProblemKind::NotExtended,
            action: Action::None,
            message: format!("Meta does not renew it without a parent: {}", refusal.message),
            ..refusal.clone()
        };
        self.record(Setback {
            event: Some(EventKind::NotExtended),
            generation: None,
            problem: Some(problem.clone()),
            not_before: None,
            refused_by: None,
        })?;
        self.outcome.note(Outcome::NotExtended, problem.to_string());
        self.verify_instead(current)
    }

    /// Inspects an access token that Meta blames. Where it is valid, the refusal was not a verdict: it is
    /// tried again.
    fn blamed_by_meta(
        &mut self,
        problem: Problem,
        current: &Generation,
    ) -> Result<NextStep, StoreError> {
        let problem = problem.with_action(Action::Retry);
        self.note_failure(&problem, current.expiry)?;
        match self.inspect_and_store(current)?.map(|proof| proof.inspection.verdict()) {
            None => Ok(NextStep::Stop),
            Some(Some(true)) => {
                self.outcome.note_problem(problem);
                Ok(NextStep::Stop)
            }
            Some(_) => Ok(NextStep::Decide),
        }
    }

    /// Says from when on an access token that Meta refused to renew is certainly old enough for it, if
    /// it may be too young now. Meta does not document such a refusal, so any may be one.
    fn perhaps_too_young(&self, error: &CallError, current: &Generation) -> Option<Time> {
        self.eligible_at(current).filter(|_| error.refuses_the_token())
    }

    /// Explains a refusal to renew a valid access token in its first day. Where an exchange was tried
    /// too, its refusal says that the access token is long-lived; without the app's secret none was.
    fn too_young(&self, refusal: Problem) -> Problem {
        let kind = ProblemKind::TooYoung;
        let (action, message) = match self.app() {
            Ok(app) if app.secret.is_none() => (
                Action::FixConfiguration,
                format!(
                    "Meta does not renew it yet; from a login dialog it lives an hour, and app `{}` \
                     has no `secret` to exchange it; Meta says: {}",
                    app.name, refusal.message
                ),
            ),
            _ => (
                kind.action(),
                format!(
                    "Meta renews no access token in its first day; Meta says: {}",
                    refusal.message
                ),
            ),
        };
        Problem { kind, action, message, ..refusal }
    }

    fn too_young_unless_dead(
        &mut self,
        refusal: Problem,
        eligible: Time,
        current: &Generation,
    ) -> Result<NextStep, StoreError> {
        let verdict = self.inspect_and_store(current)?.map(|proof| proof.inspection.verdict());
        if verdict != Some(Some(true)) {
            self.note_failure(&refusal, current.expiry)?;
            return Ok(if verdict.is_some() { NextStep::Decide } else { NextStep::Stop });
        }
        let problem = self.too_young(refusal);
        self.note_too_young(&problem, eligible)?;
        Ok(NextStep::Stop)
    }

    /// Inspects what was not checked lately, whatever became of its renewal.
    fn verify_instead(&mut self, current: &Generation) -> Result<NextStep, StoreError> {
        if self.is_checked_lately(current) {
            return Ok(NextStep::Stop);
        }
        Ok(self.inspect_and_store(current)?.map_or(NextStep::Stop, |_| NextStep::Decide))
    }

    /// Meta gave the same access token back: no new generation, perhaps a later expiry.
    fn same_token(
        &mut self,
        current: &Generation,
        granted: Expiry,
        method: &RenewalMethod,
    ) -> Result<(), StoreError> {
        let event = method.event;
        let Some(mut proof) = self.inspect(current)? else {
            return self.trust_grant(current, granted, method);
        };
        if proof.inspection.expiry == Expiry::Unknown {
            proof.inspection.expiry = granted;
        }
        let expiry = proof.inspection.expiry;
        if expiry.extends(current.expiry, MARGIN) {
            self.extend(ExtendedExpiry { generation: current.id, parent: None, proof, event })?;
            self.outcome.achieve(method.outcome);
            return Ok(());
        }
        self.note_proof(current, &proof)?;
        self.note_not_extended(expiry, None)
    }

    /// Records the expiry that Meta has just granted, although the access token could not be inspected:
    /// Graph never reports the expiry of this type, and Meta does not grant it twice.
    fn trust_grant(
        &mut self,
        current: &Generation,
        granted: Expiry,
        method: &RenewalMethod,
    ) -> Result<(), StoreError> {
        let hides = self.token.token_type.spec().may_hide_the_end();
        let Some(mut proof) = current.proof.clone().filter(|_| hides) else { return Ok(()) };
        if granted.extends(current.expiry, MARGIN) {
            proof.inspection.expiry = granted;
            let (generation, event) = (current.id, method.event);
            self.extend(ExtendedExpiry { generation, parent: None, proof, event })?;
        }
        Ok(())
    }
}

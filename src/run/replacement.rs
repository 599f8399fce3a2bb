//! Puts an access token that is kept here in the place of a token's current one: an earlier generation,
//! or the one of its backup.
//!
//! Graph is asked about it first, and nothing is changed unless it works and can be the token's. Then it
//! is delivered, and the report says whose it is now and what works on beside it.

use std::time::Instant;

use super::Run;
use super::candidate::{Candidates, IdentityChange, IfRefused, works_on};
use super::inspect::{inspect, wrong_app};
use super::log;
use super::tokens::{TokenConfig, subject};
use crate::deliver::{Deliveries, Replace};
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{App, CallError};
use crate::policy::{Contest, Current, Losses, cause, judge_handed_over, quote, remedy};
use crate::report::TokenResult;
use crate::token::{AccessToken, Credential, DryRun, Outcome, Problem, Proof};

/// The replacement of one token's current access token.
pub struct TokenReplacement<'a> {
    /// The run.
    pub run: &'a Run<'a>,
    /// The token's config.
    pub token: &'a TokenConfig,
    /// What the store knew of the token before anything was changed.
    pub before: Credential,
    /// How an error begins: `not promoted`.
    not_done: &'static str,
    began: Instant,
}

/// Whether an access token can take the place of the current one.
pub enum Fitness {
    /// It works, and can be the token's.
    Fits(Proof),
    /// It is dead, or cannot be the token's, by this answer.
    Unfit(Problem, Proof),
    /// It belongs to another app, whose access tokens Graph does not speak of.
    OfAnotherApp(Problem),
}

impl<'a> TokenReplacement<'a> {
    /// Begins the replacement of a token's access token.
    pub fn begin(
        run: &'a Run<'a>,
        token: &'a TokenConfig,
        not_done: &'static str,
    ) -> Result<Self, CliError> {
        let began = Instant::now();
        let before = run.store.credential(run.token_id(&token.label)?)?;
        let before = run.name_interrupted(before)?;
        Ok(Self { run, token, before, not_done, began })
    }

    /// The app that the access token must belong to.
    pub fn app(&self) -> Result<App, CliError> {
        let app = self.run.app(&self.token.app).map_err(CallError::of_token);
        app.map_err(|error| self.not_answered(&error))
    }

    /// Asks Graph about an access token as if it were the token's.
    pub fn ask(&self, app: &App, access_token: &AccessToken) -> Result<Fitness, CliError> {
        let inspection = match inspect(&self.run.graph, app, access_token) {
            Ok(inspection) => inspection,
            Err(error) => {
                let problem = wrong_app(&error, &app.name);
                let problem = problem.ok_or_else(|| self.not_answered(&error))?;
                return Ok(Fitness::OfAnotherApp(problem));
            }
        };
        let candidates = Candidates { app_id: Some(app.id.clone()), ..self.candidates() };
        let expected = candidates.expected_identity(&self.before)?;
        let contest =
            Contest { current: Current::Gone, ..candidates.contest(&expected, &self.before) };
        let now = self.run.now();
        let verdict = judge_handed_over(&inspection, Losses::Accepted, &contest, now).problem();
        let proof = Proof { at: now, inspection };
        Ok(match verdict {
            None => Fitness::Fits(proof),
            Some(problem) => Fitness::Unfit(problem, proof),
        })
    }

    /// The candidates of this token, which may become another person's.
    pub fn candidates(&self) -> Candidates<'_> {
        Candidates {
            run: self.run,
            token: self.token,
            app_id: None,
            parent: None,
            if_refused: IfRefused::Told,
            identity: IdentityChange::Accepted,
        }
    }

    /// Delivers the new one to the token's files.
    pub fn deliver(&self, deliveries: &Deliveries<'_>) -> Result<(), CliError> {
        let delivery = deliveries.of_token(self.token, self.before.id, Replace::Own);
        self.run.bear_full(delivery.deliver())?;
        Ok(())
    }

    /// Reports that it was put in place: `what` it is, whose it is by `proof`, and which generation works
    /// on beside it.
    pub fn put_in_place(
        &self,
        outcome: Outcome,
        what: String,
        proof: &Proof,
        outlived: Option<u32>,
    ) -> Result<TokenResult, CliError> {
        let outlived = outlived.map(|old| works_on(self.run, self.token, old));
        let said = [Some(what), self.moved(proof), outlived];
        self.result(outcome, &said.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }

    /// Says whose it is now, if it is another person's than before.
    fn moved(&self, proof: &Proof) -> Option<String> {
        let before = self.before.current.as_ref()?.proof.as_ref()?;
        let before = before.inspection.identity.user_id.as_ref()?;
        let now = proof.inspection.identity.user_id.as_ref()?;
        (before != now).then(|| match self.run.dry_run {
            DryRun::No => format!("it belongs to user {now} now, and not to {before}"),
            DryRun::Yes => format!("it would belong to user {now}, and not to {before}"),
        })
    }

    /// Reports what was done.
    pub fn result(&self, outcome: Outcome, reason: &str) -> Result<TokenResult, CliError> {
        // Its targets were served meanwhile.
        let credential = self.run.store.credential(self.before.id)?;
        let outcome = match self.run.dry_run {
            DryRun::No => outcome,
            DryRun::Yes => outcome.rehearsed(),
        };
        let (label, token_type) = (self.token.label.clone(), self.token.token_type);
        let result = TokenResult::of(label, token_type, outcome, reason.to_owned())
            .moving(self.before.current.as_ref(), credential.current.as_ref());
        log::refreshed(&result, self.began);
        Ok(result)
    }

    /// Refuses it.
    pub fn refused(&self, code: &'static str, message: impl Into<String>) -> CliError {
        self.error(Exit::InputRefused, code, &message.into())
    }

    /// Refuses `what` of `of`, the token that has it, for Meta's reason.
    pub fn unfit(
        &self,
        what: &str,
        problem: &Problem,
        of: &TokenConfig,
        known: &Credential,
    ) -> CliError {
        log::not_taken(&self.token.label, problem);
        let cause = cause(problem, &subject(of, Some(known), None));
        let refused = self.refused(problem.kind.as_str(), format!("{what}: {cause}"));
        refused.in_metas_words(&quote(problem))
    }

    /// Ends it with an error of that kind.
    pub fn error(&self, exit: Exit, code: &'static str, message: &str) -> CliError {
        let message = format!("{}: {message}", self.not_done);
        CliError::new(exit, code, self.token.label.as_str(), message)
    }

    fn not_answered(&self, error: &CallError) -> CliError {
        let problem = &error.problem;
        log::not_taken(&self.token.label, problem);
        let (exit, code) = (Exit::for_problem(problem), problem.kind.as_str());
        let refused = self.error(exit, code, &problem.to_string());
        let refused = if problem.action.needs_a_person() {
            let subject = subject(self.token, Some(&self.before), None);
            refused.hint(remedy(problem, &subject).to_string())
        } else {
            refused
        };
        refused.hint("nothing was changed: run the same again later")
    }
}

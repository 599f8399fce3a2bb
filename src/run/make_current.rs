//! Makes an access token that was handed over long-lived, seals it, and puts it in its place.
//!
//! A short-lived one is exchanged at Meta for a long-lived one; a long-lived one is stored as it is. Either
//! becomes the token's candidate, and is promoted unless the current access token works and is known to be
//! worth more. Where Graph does not say how long it lives, the attempt to exchange it tells: Meta exchanges
//! only what is short-lived.

use super::DryRun;
use super::candidate::Examined;
use super::exchanging::ask_for_exchange;
use super::inspect::inspect;
use super::intake::{GivenBy, Intake};
use crate::error::CliError;
use crate::graph::{App, CallError};
use crate::policy::{humanize, is_short_life};
use crate::store::NewCandidate;
use crate::token::{
    AccessToken, Expiry, Generation, Grant, Inspection, Origin, Outcome, Problem, ProblemKind,
    Proof,
};

/// How long an access token lives, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// An hour or a day: it is exchanged.
    Short,
    /// Sixty days, or for ever, or its type has no exchange.
    Long,
    /// Not known before an exchange is tried.
    Unknown,
}

impl Intake<'_> {
    /// How long it lives, by what Graph says of it.
    pub fn lifetime(&self, inspection: &Inspection) -> Lifetime {
        let spec = self.token.token_type.spec();
        if spec.exchange.is_none() {
            Lifetime::Long
        } else if is_short_life(inspection, self.run.now()) {
            Lifetime::Short
        } else if spec.may_hide_the_end() && inspection.expiry == Expiry::Unknown {
            Lifetime::Unknown
        } else {
            Lifetime::Long
        }
    }

    /// Exchanges a short-lived one.
    pub fn exchange(
        &mut self,
        app: &App,
        inspection: &Inspection,
    ) -> Result<(Outcome, String), CliError> {
        let ends = humanize::expiry(inspection.expiry, self.run.now());
        let reason = format!("it was short-lived: expires {ends}");
        if self.run.dry_run == DryRun::Yes {
            return Ok((Outcome::WouldExchange, reason));
        }
        let grant = self.ask_for_exchange(app)?.map_err(|error| self.call_failed(&error))?;
        self.take_grant(app, &grant, reason)
    }

    /// Tries an exchange; a refusal says that the access token is long-lived already.
    pub fn exchange_if_possible(
        &mut self,
        app: &App,
        inspection: &Inspection,
    ) -> Result<(Outcome, String), CliError> {
        if self.run.dry_run == DryRun::Yes {
            let reason = "Meta does not report when it expires; an exchange is tried first";
            return Ok((Outcome::WouldExchange, reason.to_owned()));
        }
        if app.secret.is_none() {
            let reason = format!(
                "app `{}` has no secret, so a short-lived one could not be exchanged",
                app.name
            );
            return self.store_as_it_is(app, inspection, &reason);
        }
        match self.ask_for_exchange(app)? {
            Ok(grant) => self.take_grant(app, &grant, "it was short-lived".to_owned()),
            Err(error) if error.refuses_the_token() => {
                let reason = "Meta does not exchange it, so it is long-lived already";
                self.store_as_it_is(app, inspection, reason)
            }
            Err(error) => Err(self.call_failed(&error)),
        }
    }

    /// Takes what Meta granted, which may be the current access token itself.
    fn take_grant(
        &mut self,
        app: &App,
        grant: &Grant,
        reason: String,
    ) -> Result<(Outcome, String), CliError> {
        if self.is_in_use(&grant.token)? {
            let (run, now) = (self.run.id, self.run.now());
            self.change(|store, credential| store.note_exchanged(run, credential, now))?;
            return Ok((Outcome::Verified, "Meta gave the current access token again".to_owned()));
        }
        self.take(app, &grant.token, grant.expiry, Origin::Exchanged)?;
        Ok((self.arrival(Origin::Exchanged).outcome(), reason))
    }

    fn ask_for_exchange(&mut self, app: &App) -> Result<Result<Grant, CallError>, CliError> {
        let Some(exchange) = self.token.token_type.spec().exchange else {
            let why = Problem::new(ProblemKind::Unknown, "a token of its type has no exchange");
            return Ok(Err(CallError::of_token(why)));
        };
        let access_token = &self.handed.access_token;
        let (credential, answer) =
            ask_for_exchange(self.run, self.credential.clone(), access_token, |access_token| {
                self.run.graph.grant(app, exchange, Some(access_token))
            })?;
        self.credential = credential;
        Ok(answer)
    }

    /// Takes one that is long-lived already.
    pub fn store_as_it_is(
        &mut self,
        app: &App,
        inspection: &Inspection,
        reason: &str,
    ) -> Result<(Outcome, String), CliError> {
        let handed = self.handed.access_token.clone();
        let (origin, reason) = match (self.given_by, self.handed.finishes) {
            (GivenBy::Person, Some(finished)) => (Origin::Adopted, finished.to_owned()),
            (GivenBy::Person, None) => (Origin::Adopted, reason.to_owned()),
            (GivenBy::Meta(_), _) => (Origin::Derived, self.source()),
        };
        let is_in_use = self.is_in_use(&handed)?;
        if is_in_use && self.handed.finishes.is_none() {
            return Ok((Outcome::Verified, "it is the current access token already".to_owned()));
        }
        if !is_in_use {
            self.take(app, &handed, inspection.expiry, origin)?;
        }
        let outcome = self.arrival(origin).outcome();
        let outcome = match self.run.dry_run {
            DryRun::No => outcome,
            DryRun::Yes => outcome.rehearsed(),
        };
        Ok((outcome, reason))
    }

    /// What it was derived from.
    fn source(&self) -> String {
        match &self.token.parent {
            Some(parent) => format!("derived from `{parent}`"),
            None => format!("derived from app `{}`", self.token.app),
        }
    }

    /// Seals the new one, and makes it current unless the current one is alive and better.
    fn take(
        &mut self,
        app: &App,
        access_token: &AccessToken,
        expiry: Expiry,
        origin: Origin,
    ) -> Result<(), CliError> {
        let candidates = self.candidates(app);
        let parent = match self.given_by {
            GivenBy::Person => None,
            GivenBy::Meta(parent) => parent,
        };
        let new = NewCandidate {
            parent,
            ..NewCandidate::granted(access_token.clone(), origin, expiry)
                .handed_over(self.arrival(origin), self.concession())
        };
        let (credential, candidate) = candidates.seal(self.credential.clone(), new)?;
        let ask = |credential, generation: &Generation| {
            let access_token = self.run.store.reveal(generation.id)?;
            let inspection = inspect(&self.run.graph, app, &access_token);
            let proof = inspection.map(|inspection| Proof { at: self.run.now(), inspection });
            Ok((credential, proof))
        };
        let (credential, examined) = candidates.examine(credential, &candidate, &ask)?;
        self.credential = credential;
        match examined {
            Examined::Promoted { outlived, .. } => {
                self.outlived = outlived;
                Ok(())
            }
            Examined::NotInspected(error) => Err(self.waits(&error)),
            Examined::AdoptionRefused(problem) if problem.kind == ProblemKind::NotExtended => {
                Err(self.not_replaced(&problem))
            }
            Examined::AdoptionRefused(problem)
            | Examined::GrantRefused(problem)
            | Examined::NotExtended(problem)
            | Examined::TooYoung(problem)
            | Examined::FewerScopes(problem)
            | Examined::Waits(problem) => Err(self.refusal(&problem)),
        }
    }
}

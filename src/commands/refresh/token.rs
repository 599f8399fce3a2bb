//! Refreshes one token.
//!
//! A candidate that waits is settled first, then a new access token from the config or a target is
//! adopted. Then it is decided what the token needs, and that is done. Every answer of Graph's is
//! stored before, or together with, what it leads to, and after each the decision is made anew: an
//! inspection may tell when it expires, and that may open the renewal window.

use std::cell::Cell;

use super::outcome::OutcomeBuilder;
use super::pages::PageListing;
use super::{Only, RefreshRun};
use crate::complaint::Complaint;
use crate::deliver::{Replace, TokenDelivery};
use crate::exit::Exit;
use crate::graph::{App, CallError};
use crate::policy::{Decision, Derive, Health, Verify, judge, remedy};
use crate::report::TokenResult;
use crate::run::configured_tokens::ConfiguredToken;
use crate::run::log;
use crate::run::tokens::{TokenConfig, subject};
use crate::run::{DryRun, Run};
use crate::store::{GrantRoom, Store, StoreError};
use crate::token::{AccessToken, Action, Credential, Expiry, Origin, Outcome, Source};

/// Verify, derive, verify again: no token needs more steps, and none may go on for ever.
const MAX_STEPS: usize = 4;

/// Refreshes one token, and says what happened to it.
pub fn refresh_token(
    refresh: &RefreshRun<'_>,
    token: &TokenConfig,
    listing: Option<&PageListing>,
) -> Result<TokenResult, Complaint> {
    let mut this = TokenRun::load(refresh, token, listing)?;
    if let Some(why) = refresh.run.out_of_time() {
        this.outcome.trouble_as(Outcome::Skipped, why);
        return this.into_result();
    }
    this.unless_full(|this| {
        this.settle_candidate()?;
        this.adopt_configured_token()?;
        this.adopt_changed_targets()?;
        for _ in 0..MAX_STEPS {
            let decision = this.decide()?;
            if this.carry_out(&decision)? == NextStep::Stop {
                break;
            }
        }
        this.retire_if_gone()
    })?;
    this.unless_full(|this| this.deliver())?;
    this.into_result()
}

/// The refresh of one token.
pub struct TokenRun<'a> {
    pub refresh: &'a RefreshRun<'a>,
    pub run: &'a Run<'a>,
    pub token: &'a TokenConfig,
    /// What the store knows: read once, and replaced by what each change gives back.
    pub credential: Credential,
    pub outcome: OutcomeBuilder,
    listing: Option<&'a PageListing>,
    pub old_expiry: Expiry,
    /// Whether the store says of the app that something is wrong with it.
    pub app_in_doubt: Cell<bool>,
}

/// Whether there is more to do for this token in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    Decide,
    Stop,
}

impl<'a> TokenRun<'a> {
    fn load(
        refresh: &'a RefreshRun<'a>,
        token: &'a TokenConfig,
        listing: Option<&'a PageListing>,
    ) -> Result<Self, Complaint> {
        let run = refresh.run;
        let credential = run.store.credential(run.token(&token.label)?)?;
        let stands = credential.ledger.problem.as_ref();
        let app_in_doubt = Cell::new(stands.is_some_and(|it| it.kind.is_about_the_app()));
        let old_expiry =
            credential.current.as_ref().map_or(Expiry::Unknown, |current| current.expiry);
        Ok(Self {
            refresh,
            run,
            token,
            credential,
            outcome: OutcomeBuilder::new(),
            listing,
            old_expiry,
            app_in_doubt,
        })
    }

    /// Has the store change the token, and knows it from then on as the store gives it back.
    pub fn change(
        &mut self,
        verb: impl FnOnce(&Store, Credential) -> Result<Credential, StoreError>,
    ) -> Result<(), StoreError> {
        self.credential = verb(&self.run.store, self.credential.clone())?;
        Ok(())
    }

    /// Does some steps; where the disk is full they end, and the token goes on to its targets, and
    /// the run to its other tokens.
    fn unless_full(
        &mut self,
        steps: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let done = steps(self);
        self.bear_full(done).map(drop)
    }

    fn bear_full<T>(&mut self, done: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        let borne = self.run.bear_full(done)?;
        if borne.is_none() {
            self.outcome.disk_is_full();
            // What was written before the disk was full did not come back.
            self.credential = self.run.store.credential(self.credential.id)?;
        }
        Ok(borne)
    }

    /// Room on the disk for what Meta may grant; without it Meta is not asked.
    pub fn room(&mut self) -> Result<Option<GrantRoom>, StoreError> {
        let room = self.run.store.room_for_grant();
        self.bear_full(room)
    }

    /// The app that speaks for this token.
    pub fn app(&self) -> Result<App, CallError> {
        self.run.app(&self.token.app).map_err(CallError::of_token)
    }

    /// Adopts a new access token that the config points to.
    fn adopt_configured_token(&mut self) -> Result<(), StoreError> {
        if self.refresh.order.only == Only::ShortLived {
            return Ok(());
        }
        match self.refresh.configured_token(&self.token.label) {
            None => Ok(()),
            // A grant that waits to be inspected comes first; the source is read again.
            Some(ConfiguredToken::String(_)) if self.has_granted_candidate() => Ok(()),
            Some(ConfiguredToken::String(found)) => self.adopt(found),
            Some(ConfiguredToken::Unusable(problem)) => {
                // Of a lost one its damage is told, and what replaces it.
                let has_none =
                    self.credential.in_place().is_none() && self.credential.candidate.is_none();
                if has_none {
                    self.fail(problem.clone())?;
                }
                Ok(())
            }
        }
    }

    /// Adopts an access token that was put into a file of this token's.
    fn adopt_changed_targets(&mut self) -> Result<(), StoreError> {
        let delivers = !self.token.deliver.is_empty() && self.refresh.order.only == Only::All;
        if !delivers || self.has_granted_candidate() {
            return Ok(());
        }
        // What the targets had, and what they hold now, is read here.
        for found in self.delivery().foreign_tokens()? {
            self.adopt(&found)?;
        }
        Ok(())
    }

    /// Brings the current access token to the targets; what they had is read again.
    fn deliver(&self) -> Result<(), StoreError> {
        self.delivery().deliver()
    }

    fn delivery(&self) -> TokenDelivery<'_> {
        self.refresh.deliveries.of_token(self.token, self.credential.id, Replace::Own)
    }

    fn has_granted_candidate(&self) -> bool {
        let candidate = self.credential.candidate.as_ref();
        candidate.is_some_and(|candidate| candidate.origin != Origin::Adopted)
    }

    fn adopt(&mut self, access_token: &AccessToken) -> Result<(), StoreError> {
        let candidate = self.seal(access_token, Origin::Adopted, Expiry::Unknown, None)?;
        self.outcome.because("found where the config points");
        self.examine(&candidate)
    }

    /// Decides what the token needs now. Its parent is read again: another worker may have renewed
    /// it meanwhile.
    fn decide(&self) -> Result<Decision, StoreError> {
        let parent = self.parent()?;
        let subject = self.run.subject(self.token, &self.credential, parent.as_ref());
        let decision = self.refresh.decision(self.token, &subject);
        log::decided(&self.token.label, &decision, self.run.now());
        Ok(self.refresh.order.only.narrow(decision))
    }

    fn carry_out(&mut self, decision: &Decision) -> Result<NextStep, StoreError> {
        match decision {
            Decision::Verify(why) => self.verify(why),
            Decision::Renew(why) => self.renew(why),
            Decision::Derive(why) => self.derive(why),
            Decision::Skip(why) => self.skip(why),
        }
    }

    /// What the store knows of the parent now.
    pub fn parent(&self) -> Result<Option<Credential>, StoreError> {
        let Some(parent) = self.token.parent.as_ref().and_then(|it| self.run.known(it)) else {
            return Ok(None);
        };
        self.run.store.credential(parent).map(Some)
    }

    fn verify(&mut self, why: &Verify) -> Result<NextStep, StoreError> {
        let Some(current) = self.credential.current.clone() else { return Ok(NextStep::Stop) };
        // An exchange of what a person handed over cannot have ended the current one.
        let exchange = self.credential.ledger.sent_exchange;
        if let Verify::CutShort { began } = why
            && exchange.is_none_or(|sent| sent.at < *began)
        {
            self.change(|store, credential| store.note_lost_answer(credential, *began))?;
        }
        let Some(proof) = self.inspect_and_store(&current)? else { return Ok(NextStep::Stop) };
        self.outcome.note(Outcome::Verified, "");
        if proof.inspection.valid == Some(false) && self.has_granted_candidate() {
            self.settle_candidate()?;
        }
        if let Verify::CutShort { .. } = why {
            self.note_cut_short(why)?;
        }
        Ok(NextStep::Decide)
    }

    fn derive(&mut self, why: &Derive) -> Result<NextStep, StoreError> {
        let sentence = Decision::Derive(why.clone()).sentence(self.run.now());
        self.outcome.because(sentence);
        let Some(_room) = self.room()? else { return Ok(NextStep::Stop) };
        match self.token.token_type.spec().source {
            Source::App(grant) => self.take_from_app(grant)?,
            Source::Parent(_) | Source::Person(_) => self.take_from_parent(self.listing)?,
        }
        Ok(NextStep::Stop)
    }

    fn into_result(self) -> Result<TokenResult, Complaint> {
        // Its targets were served meanwhile, and its parent may have been renewed.
        let credential = self.run.store.credential(self.credential.id)?;
        let parent = self.parent()?;
        let subject = subject(self.token, Some(&credential), parent.as_ref());
        // A Page that was retired just now is out of every verdict.
        let mut standing = match credential.retired_at {
            Some(_) => Vec::new(),
            None => judge(&subject, self.run.moment()).reasons,
        };
        let mut told = self.outcome.finish();
        let renewed = matches!(told.outcome, Outcome::Refreshed | Outcome::Exchanged);
        if renewed && self.run.dry_run == DryRun::Yes {
            // What a run mends does not stand against a token that the real one would renew.
            standing.retain(|reason| reason.action != Action::Retry);
        }
        // What a person must do counts from the next run on, if this run refused what was handed in,
        // and not at all in a run that was about something else.
        let others_business =
            self.refresh.order.only == Only::ShortLived && told.outcome == Outcome::NotDue;
        if others_business {
            standing.clear();
        }
        let critical = !told.refused
            && standing.iter().any(|reason| {
                reason.severity == Health::Critical && reason.action.needs_a_person()
            });
        if critical {
            told.exit = told.exit.or_worse(Exit::PersonNeeded);
        }
        let current = credential.current.as_ref();
        let outcome = match self.run.dry_run {
            DryRun::No => told.outcome,
            DryRun::Yes => told.outcome.rehearsed(),
        };
        Ok(TokenResult {
            label: self.token.label.clone(),
            token_type: self.token.token_type,
            outcome,
            reason: told.reason,
            old_expiry: self.old_expiry,
            new_expiry: match current {
                // What Meta would grant is not known before it is asked.
                Some(_) if renewed && self.run.dry_run == DryRun::Yes => Expiry::Unknown,
                Some(generation) => generation.expiry,
                None => Expiry::Unknown,
            },
            generation: current.map(|generation| generation.number),
            fingerprint: current.map(|generation| generation.fingerprint),
            remedy: told
                .problem
                .as_ref()
                .map(|problem| remedy(problem, &subject))
                .unwrap_or_default(),
            exit: told.exit,
            problem: told.problem,
            issues: standing,
            deliveries: Vec::new(),
        })
    }
}

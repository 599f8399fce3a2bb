//! Refreshes one token.
//!
//! A candidate that waits is settled first, then a new access token from the config or a target is
//! adopted. Then it is decided what the token needs, and that is done. Every answer of Graph's is
//! stored before, or together with, what it leads to, and after each the decision is made anew: an
//! inspection may tell when it expires, and that may open the renewal window.

use std::cell::Cell;

use super::outcome::OutcomeBuilder;
use super::pages::Listing;
use super::{Only, Refresh};
use crate::commands::delivery::{Courier, Manner};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::graph::{App, Fault};
use crate::policy::{Decision, Derive, Health, Verify, judge, remedy};
use crate::report::TokenResult;
use crate::run::configured_tokens::ConfiguredToken;
use crate::run::log;
use crate::run::tokens::{TokenConfig, subject};
use crate::run::{DryRun, Run};
use crate::store::{GrantRoom, StoreError};
use crate::token::{AccessToken, Action, Credential, Expiry, Origin, Outcome, Source, TokenId};

/// Verify, derive, verify again: no token needs more steps, and none may go on for ever.
const MAX_STEPS: usize = 4;

/// Refreshes one token, and says what happened to it.
pub(super) fn refresh_token(
    refresh: &Refresh<'_>,
    member: &TokenConfig,
    listing: Option<&Listing>,
) -> Result<TokenResult, Complaint> {
    let mut this = TokenRun::load(refresh, member, listing)?;
    if let Some(why) = refresh.run.out_of_time() {
        this.outcome.trouble_as(Outcome::Skipped, why);
        return this.into_result();
    }
    let refreshed = this.refresh();
    this.bear_full(refreshed)?;
    let delivered = this.deliver();
    this.bear_full(delivered)?;
    this.into_result()
}

/// The refresh of one token.
pub(super) struct TokenRun<'a> {
    pub(super) refresh: &'a Refresh<'a>,
    pub(super) run: &'a Run<'a>,
    pub(super) member: &'a TokenConfig,
    pub(super) token: TokenId,
    pub(super) outcome: OutcomeBuilder,
    listing: Option<&'a Listing>,
    pub(super) old_expiry: Expiry,
    /// Whether the store says of the app that something is wrong with it.
    pub(super) app_in_doubt: Cell<bool>,
}

/// Whether there is more to do for this token in this run.
pub(super) enum Next {
    Decide,
    Stop,
}

impl<'a> TokenRun<'a> {
    pub(super) fn load(
        refresh: &'a Refresh<'a>,
        member: &'a TokenConfig,
        listing: Option<&'a Listing>,
    ) -> Result<Self, Complaint> {
        let run = refresh.run;
        let token = run.token(&member.label)?;
        let before = run.store.credential(token)?;
        let stands = before.ledger.problem.as_ref();
        let app_in_doubt = Cell::new(stands.is_some_and(|it| it.kind.is_about_the_app()));
        let old_expiry = before.current.map_or(Expiry::Unknown, |current| current.expiry);
        Ok(Self {
            refresh,
            run,
            member,
            token,
            outcome: OutcomeBuilder::new(),
            listing,
            old_expiry,
            app_in_doubt,
        })
    }

    fn refresh(&mut self) -> Result<(), StoreError> {
        self.settle_candidate()?;
        self.adopt_configured_token()?;
        self.adopt_changed_targets()?;
        self.carry_out_decisions()?;
        self.retire_if_gone()
    }

    /// Lets the token go on to its targets, and the run to its other tokens, where the disk is full.
    fn bear_full<T>(&mut self, done: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        let borne = self.run.bear_full(done)?;
        if borne.is_none() {
            self.outcome.disk_is_full();
        }
        Ok(borne)
    }

    /// Room on the disk for what Meta may grant; without it Meta is not asked.
    pub(super) fn room(&mut self) -> Result<Option<GrantRoom>, StoreError> {
        let room = self.run.store.room_for_grant();
        self.bear_full(room)
    }

    /// What the store knows now.
    pub(super) fn credential(&self) -> Result<Credential, StoreError> {
        self.run.store.credential(self.token)
    }

    /// The app that speaks for this token.
    pub(super) fn app(&self) -> Result<App, Fault> {
        self.run.app(&self.member.app).map_err(Fault::of_token)
    }

    fn adopt_configured_token(&mut self) -> Result<(), StoreError> {
        if self.refresh.order.only == Only::ShortLived {
            return Ok(());
        }
        match self.refresh.configured_token(&self.member.label) {
            None => Ok(()),
            // A grant that nobody has looked at yet comes first; the source is read again.
            Some(ConfiguredToken::String(_)) if self.has_granted_candidate()? => Ok(()),
            Some(ConfiguredToken::String(string)) => self.adopt(string),
            Some(ConfiguredToken::Unusable(problem)) => {
                let credential = self.credential()?;
                // Of a lost one its damage is told, and what replaces it.
                let has_none = credential.in_place().is_none() && credential.candidate.is_none();
                if has_none {
                    self.fail(problem.clone())?;
                }
                Ok(())
            }
        }
    }

    /// A string that somebody put into a file of this token's is examined like one in the config.
    fn adopt_changed_targets(&mut self) -> Result<(), StoreError> {
        let delivers = !self.member.deliver.is_empty() && self.refresh.order.only == Only::All;
        if !delivers || self.has_granted_candidate()? {
            return Ok(());
        }
        for string in self.courier().strangers()? {
            self.adopt(&string)?;
        }
        Ok(())
    }

    fn deliver(&self) -> Result<(), StoreError> {
        self.courier().settle()
    }

    fn courier(&self) -> Courier<'_> {
        self.refresh.deliveries.of_token(self.member, self.token, Manner::Careful)
    }

    fn has_granted_candidate(&self) -> Result<bool, StoreError> {
        let candidate = self.credential()?.candidate;
        Ok(candidate.is_some_and(|candidate| candidate.origin != Origin::Adopted))
    }

    fn adopt(&mut self, string: &AccessToken) -> Result<(), StoreError> {
        let candidate = self.candidates().seal(string, Origin::Adopted, Expiry::Unknown, None)?;
        self.outcome.because("found where the config points");
        self.examine(&candidate)
    }

    fn carry_out_decisions(&mut self) -> Result<(), StoreError> {
        for _ in 0..MAX_STEPS {
            let next = match self.decide()? {
                Decision::Verify(why) => self.verify(&why)?,
                Decision::Renew(why) => self.renew(&why)?,
                Decision::Derive(why) => self.derive(&why)?,
                Decision::Rest(why) => self.skip(&why)?,
            };
            if matches!(next, Next::Stop) {
                break;
            }
        }
        Ok(())
    }

    fn decide(&self) -> Result<Decision, StoreError> {
        let credential = self.credential()?;
        let parent = self.parent()?;
        let subject = self.run.subject(self.member, &credential, parent.as_ref());
        let decision = self.refresh.decision(self.member, &subject);
        log::decided(&self.member.label, &decision, self.run.now());
        Ok(self.refresh.order.only.narrow(decision))
    }

    pub(super) fn parent(&self) -> Result<Option<Credential>, StoreError> {
        let Some(token) = self.member.parent.as_ref().and_then(|it| self.run.known(it)) else {
            return Ok(None);
        };
        self.run.store.credential(token).map(Some)
    }

    fn verify(&mut self, why: &Verify) -> Result<Next, StoreError> {
        let Some(current) = self.credential()?.current else { return Ok(Next::Stop) };
        if let Verify::CutShort { began } = why {
            self.run.store.note_lost_answer(self.token, *began)?;
        }
        let Some(proof) = self.inspect_and_store(&current)? else { return Ok(Next::Stop) };
        self.outcome.note(Outcome::Verified, "");
        if proof.inspection.valid == Some(false) && self.has_granted_candidate()? {
            self.settle_candidate()?;
        }
        if let Verify::CutShort { .. } = why {
            self.note_cut_short(why)?;
        }
        Ok(Next::Decide)
    }

    fn derive(&mut self, why: &Derive) -> Result<Next, StoreError> {
        let sentence = Decision::Derive(why.clone()).sentence(self.run.now());
        self.outcome.because(sentence);
        let Some(_room) = self.room()? else { return Ok(Next::Stop) };
        match self.member.token_type.family().source {
            Source::App(grant) => self.take_from_app(grant)?,
            Source::Parent | Source::Person => self.take_from_parent(self.listing)?,
        }
        Ok(Next::Stop)
    }

    fn into_result(self) -> Result<TokenResult, Complaint> {
        let credential = self.credential()?;
        let parent = self.parent()?;
        let subject = subject(self.member, Some(&credential), parent.as_ref());
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
            label: self.member.label.clone(),
            token_type: self.member.token_type,
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

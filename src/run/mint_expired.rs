//! Has Meta make a new access token of a System User in the place of one that has expired, where the
//! config names an admin's for that.

use super::DryRun;
use super::minting::{Minting, WantedLife, may_be_tried, settle_lost};
use super::refresh_run::Only;
use super::token_run::{NextStep, TokenRun};
use crate::store::{Setback, StoreError};
use crate::token::{EventKind, Outcome, Problem, ProblemKind};

impl TokenRun<'_> {
    /// Says in the history of a request that an earlier run did not live to see answered.
    pub fn settle_lost_mint(&mut self) -> Result<(), StoreError> {
        if self.credential.attempts.minting.sent_at.is_some() {
            self.credential = settle_lost(self.run, self.credential.clone())?;
        }
        Ok(())
    }

    /// Has a new one made for an access token that has died of its date alone; says what is next where
    /// that is in place, or would be. Whatever else has ended it, a person has to look at it first.
    pub fn mint_expired(&mut self, death: &Problem) -> Result<Option<NextStep>, StoreError> {
        let Some(admin) = self.token.mint.clone() else { return Ok(None) };
        let is_wanted = death.kind == ProblemKind::Expired
            && self.token.policy.auto_refresh
            && self.refresh.options.only == Only::All
            && self.credential.candidate.is_none();
        if !is_wanted || !may_be_tried(&self.credential, self.run.now()) {
            return Ok(None);
        }
        let life = WantedLife::AsBefore;
        let plan = Minting::plan(self.run, self.token, &self.credential, &admin, life);
        let minting = match plan {
            Ok(minting) => minting,
            Err(unplanned) => return self.not_minted(unplanned.problem).map(|()| None),
        };
        self.outcome.because(format!("the last one expired; `{admin}` had it made"));
        if self.run.dry_run == DryRun::Yes {
            let why = format!("the last one expired; `{admin}` would have one made");
            self.outcome.note(Outcome::WouldMint, why);
            return Ok(Some(NextStep::Stop));
        }
        let (credential, granted) = minting.ask(self.run, self.credential.clone())?;
        self.credential = credential;
        match granted {
            Ok(sealed) => self.examine(&sealed)?,
            Err(error) => self.not_minted(error.problem)?,
        }
        Ok((!self.credential.is_without_a_living_one()).then_some(NextStep::Decide))
    }

    fn not_minted(&mut self, problem: Problem) -> Result<(), StoreError> {
        self.record(Setback {
            event: Some(EventKind::RefreshFailed),
            generation: None,
            problem: Some(problem.clone()),
            not_before: None,
            refused_by: None,
        })?;
        self.outcome.note_problem(problem);
        Ok(())
    }
}

//! Refreshes one token.
//!
//! A grant that waits is settled first, then the best of the access tokens that are found outside is
//! adopted: those that the config points to and those that the targets hold. Then it is decided what
//! the token needs, and that is done. Every answer of Graph's is stored before, or together with, what
//! it leads to, and after each the decision is made anew: an inspection may tell when it expires, and
//! that may open the renewal window.

use super::DryRun;
use super::job::TokenJob;
use super::log;
use super::refresh_run::{Only, RefreshRun};
use super::token_run::{NextStep, TokenRun};
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::{Decision, Health, Reason, Verify, cause, gone_since, judge, remedy};
use crate::report::TokenResult;
use crate::store::StoreError;
use crate::token::{Action, AttemptKind, Expiry, OpenAttempt, Outcome, Probe};

/// Verify, derive, verify again: no token needs more steps, and none may go on for ever.
const MAX_STEPS: usize = 4;

/// Refreshes one token, and says what happened to it.
pub fn refresh_token(refresh: &RefreshRun<'_>, job: &TokenJob) -> Result<TokenResult, CliError> {
    let mut this = TokenRun::load(refresh, job)?;
    if let Some(why) = refresh.run.out_of_time() {
        this.outcome.note_problem_as(Outcome::Skipped, why);
        return this.into_result();
    }
    this.unless_full(|this| {
        this.settle_lost_mint()?;
        this.settle_grant()?;
        this.adopt_found()?;
        this.do_what_it_needs()?;
        if this.ask_probe()? == NextStep::Decide {
            this.do_what_it_needs()?;
        }
        if this.refresh.options.only == Only::All {
            this.inspect_rotated()?;
        }
        this.retire_if_gone()
    })?;
    this.unless_full(|this| this.delivery().deliver())?;
    this.into_result()
}

impl TokenRun<'_> {
    fn do_what_it_needs(&mut self) -> Result<(), StoreError> {
        for _ in 0..MAX_STEPS {
            let decision = self.decide()?;
            if self.carry_out(&decision)? == NextStep::Stop {
                break;
            }
        }
        Ok(())
    }

    /// Decides what the token needs now.
    fn decide(&self) -> Result<Decision, StoreError> {
        let parent = self.parent()?;
        let subject = self.run.subject(self.token, &self.credential, parent.as_ref());
        let decision = self.refresh.decide(self.token, &subject);
        log::decided(&self.token.label, &decision, self.run.now());
        Ok(decision)
    }

    fn carry_out(&mut self, decision: &Decision) -> Result<NextStep, StoreError> {
        match decision {
            Decision::Verify(why) => self.verify(why),
            Decision::Renew(why) => self.renew(why),
            Decision::Derive(why) => self.derive(why),
            Decision::Skip(why) => self.skip(why),
        }
    }

    fn verify(&mut self, why: &Verify) -> Result<NextStep, StoreError> {
        let Some(current) = self.credential.current.clone() else { return Ok(NextStep::Stop) };
        // What a person handed over, or a login gives, cannot have ended the current one.
        if let Verify::CutShort(OpenAttempt { kind: AttemptKind::Renewal, began }) = why {
            self.change(|store, credential| store.note_lost_answer(credential, *began))?;
        }
        let Some(proof) = self.inspect_and_store(&current)? else { return Ok(NextStep::Stop) };
        self.outcome.note(Outcome::Verified, "");
        if proof.inspection.verdict() == Some(false) && self.has_granted_candidate() {
            self.settle_grant()?;
        }
        if let Verify::CutShort(_) = why {
            if let Some(problem) = self.credential.cut_short() {
                self.run.tell_interrupted(&self.token.label, &problem);
            }
            self.note_interrupted()?;
        }
        Ok(NextStep::Decide)
    }

    /// Retires a discovered Page that has been gone for a week and is dead: it goes out of every
    /// verdict. One that has a target, a probe or a table of its own is missed.
    fn retire_if_gone(&mut self) -> Result<(), StoreError> {
        let label = &self.token.label;
        let is_looked_for = !self.token.deliver.is_empty()
            || self.token.policy.probe.as_ref().is_some_and(Probe::is_for_it)
            || self.run.session.config.token(label).is_some();
        if label.as_discovered().is_none() || is_looked_for {
            return Ok(());
        }
        let credential = &self.credential;
        let now = self.run.now();
        let gone = gone_since(credential, now).is_some();
        let dead = credential.current.as_ref().is_none_or(|generation| {
            generation.proof.as_ref().is_some_and(|proof| proof.inspection.verdict() == Some(false))
        });
        if gone && dead {
            let run = self.run.id;
            self.change(|store, credential| store.retire(run, credential, now))?;
            self.outcome.retired(format!(
                "retired: gone from the Pages of `{}` for 7 days, and dead",
                self.parent_label()
            ));
        }
        Ok(())
    }

    fn into_result(self) -> Result<TokenResult, CliError> {
        // Its targets were served meanwhile, and its parent may have been renewed.
        let credential = self.run.store.credential(self.credential.id)?;
        let parent = self.parent()?;
        let subject = self.run.subject(self.token, &credential, parent.as_ref());
        let judgement = judge(&subject, self.run.moment());
        let condition = judgement.condition;
        // A Page that was retired just now is out of every verdict.
        let reasons = if credential.retired_at.is_some() { Vec::new() } else { judgement.reasons };
        let conflict = self.run.tokens.declared_labels().conflict(&self.token.label).cloned();
        let conflict = conflict.map(|reason| Reason { condition, ..reason });
        let mut happened = self.outcome.finish();
        let renewed_in_rehearsal = self.run.dry_run == DryRun::Yes && is_renewed(happened.outcome);
        let mut issues: Vec<Reason> = reasons.into_iter().chain(conflict).collect();
        // It is said already of what was refused just now.
        issues.retain(|reason| !(happened.refused && reason.is_about_a_stale_source()));
        // What a run fixes does not stand against a token that the real one would renew.
        issues.retain(|it| !(renewed_in_rehearsal && is_fixed_by(happened.outcome, it.action)));
        // A run that was about something else says nothing of what a person must do.
        let only = self.refresh.options.only;
        if only == Only::ShortLived && happened.outcome == Outcome::NotDue {
            issues.clear();
        }
        // It counts from the next run on, if this run refused what was handed in.
        if !happened.refused && issues.iter().any(needs_a_person_now) {
            happened.exit = happened.exit.or_worse(Exit::PersonNeeded);
        }
        if issues.iter().any(Reason::is_about_the_config) {
            happened.exit = happened.exit.or_worse(Exit::Config);
        }
        let current = credential.current.as_ref();
        Ok(TokenResult {
            label: self.token.label.clone(),
            token_type: self.token.token_type,
            outcome: match self.run.dry_run {
                DryRun::No => happened.outcome,
                DryRun::Yes => happened.outcome.rehearsed(),
            },
            reason: happened.reason,
            old_expiry: self.old_expiry,
            new_expiry: match current {
                // What Meta would grant is not known before it is asked.
                Some(_) if renewed_in_rehearsal => Expiry::Unknown,
                Some(generation) => generation.expiry,
                None => Expiry::Unknown,
            },
            generation: current.map(|generation| generation.number),
            fingerprint: current.map(|generation| generation.fingerprint),
            remedy: happened
                .problem
                .as_ref()
                .map(|problem| remedy(problem, &subject))
                .unwrap_or_default(),
            exit: happened.exit,
            condition,
            cause: happened.problem.as_ref().map(|it| cause(it, &subject)).unwrap_or_default(),
            problem: happened.problem,
            issues,
            deliveries: Vec::new(),
            reached: Vec::new(),
            may_reach: Vec::new(),
        })
    }
}

const fn is_renewed(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Refreshed | Outcome::Exchanged | Outcome::WouldMint)
}

/// Whether a renewal with that outcome does what an issue asks for.
fn is_fixed_by(outcome: Outcome, action: Action) -> bool {
    action == if outcome == Outcome::WouldMint { Action::Reauthenticate } else { Action::Retry }
}

/// Whether a person has to act on an issue at once.
fn needs_a_person_now(issue: &Reason) -> bool {
    issue.severity == Health::Critical && issue.action.needs_a_person()
}

//! Skips a token for which nothing can be done now, and says why.

use super::token_run::{NextStep, TokenRun};
use super::tokens::subject;
use crate::graph::CallError;
use crate::policy::{Decision, Skip, judge_shared};
use crate::store::StoreError;
use crate::token::{Action, GivenNow, GivenTo, Label, Outcome, Problem, ProblemKind};

impl TokenRun<'_> {
    /// Does nothing, and notes why.
    pub fn skip(&mut self, why: &Skip) -> Result<NextStep, StoreError> {
        let sentence = Decision::Skip(why.clone()).sentence(self.run.now());
        if matches!(why, Skip::Dead(_) | Skip::NoString) && self.adopt_in_place_of_dead()? {
            return Ok(NextStep::Decide);
        }
        if let Skip::Dead(problem) = why
            && let Some(next) = self.mint_expired(problem)?
        {
            return Ok(next);
        }
        match why {
            Skip::Revoked { .. } => self.revoked_here(sentence),
            Skip::Dead(problem) | Skip::AccountBlocked(problem) => {
                self.outcome.note_problem_as(Outcome::Invalid, person_needed(problem));
            }
            Skip::NoString => self.without_access_token()?,
            Skip::ParentNotReady { .. } | Skip::BudgetSpent { .. } => {
                self.outcome.note(Outcome::Skipped, sentence);
            }
            Skip::BackingOff { .. } => self.backing_off(sentence),
            Skip::CandidateWaits => self.with_what_waits(sentence),
            Skip::TooYoung { .. } => self.outcome.note(Outcome::TooYoung, sentence),
            Skip::AppThrottled { until } => {
                self.outcome.note_call_error(CallError::throttled(&self.token.app, *until));
            }
            _ => self.not_due(sentence),
        }
        Ok(NextStep::Stop)
    }

    /// Says that a person had it revoked. That it works all the same is said by the verdict.
    fn revoked_here(&mut self, sentence: String) {
        let current = self.credential.current.as_ref();
        if current.is_some_and(|current| current.verdict() == Some(false)) {
            let problem = Problem::new(ProblemKind::Revoked, sentence);
            self.outcome.note_problem_as(Outcome::Invalid, problem);
        } else {
            self.not_due(sentence);
        }
    }

    /// Repeats what keeps a sealed access token from being used, until a person has cleared it.
    fn with_what_waits(&mut self, sentence: String) {
        match self.credential.attempts.problem.clone() {
            Some(problem) if problem.action.needs_a_person() => {
                self.outcome.note_problem(problem);
            }
            _ => self.not_due(sentence),
        }
    }

    /// Notes that nothing is due, also as the reason of a token that was only verified.
    fn not_due(&mut self, sentence: String) {
        self.outcome.note(Outcome::NotDue, sentence.clone());
        self.outcome.explain(Outcome::Verified, sentence);
    }

    /// Repeats the last attempt's outcome until the next one.
    fn backing_off(&mut self, sentence: String) {
        let proof = self.credential.current.as_ref().and_then(|current| current.proof.as_ref());
        let dead = proof.is_some_and(|proof| proof.inspection.verdict() == Some(false));
        match self.credential.attempts.problem.clone() {
            Some(problem) if problem.action.needs_a_person() => {
                self.outcome.note_problem(problem);
            }
            Some(problem) if dead => self.outcome.note_problem(problem),
            _ => self.not_due(sentence),
        }
    }

    fn without_access_token(&mut self) -> Result<(), StoreError> {
        if self.outcome.has_problem() || self.credential.candidate.is_some() {
            return Ok(());
        }
        if self.credential.is_lost() {
            self.outcome.note_problem_as(Outcome::Invalid, lost());
            return Ok(());
        }
        if let Some(GivenTo { label, now }) = &self.credential.given_to {
            let reason = match now {
                GivenNow::InUse => format!("`{label}` has its access token now"),
                GivenNow::Left => format!("`{label}` got its access token, and no longer uses it"),
            };
            self.outcome.note(Outcome::Skipped, reason);
            return Ok(());
        }
        if let Some(shared) = &self.credential.attempts.shared {
            let reason = judge_shared(&subject(self.token, None, None), shared);
            self.outcome.note(Outcome::Invalid, reason.message);
            return Ok(());
        }
        if let Some(problem) = self.credential.cut_short() {
            self.note_interrupted()?;
            self.outcome.note_problem(problem);
            return Ok(());
        }
        let known = self.credential.attempts.problem.clone();
        let of_import = self.credential.unfinished_import().map(|_| not_imported());
        let problem = known.or(of_import).unwrap_or_else(|| no_access_token(&self.token.label));
        self.outcome.note_problem(problem);
        Ok(())
    }
}

/// A dead token needs a person even where Graph's answer would suggest another try.
fn person_needed(problem: &Problem) -> Problem {
    if problem.action.needs_a_person() {
        problem.clone()
    } else {
        problem.clone().with_action(Action::Reauthenticate)
    }
}

/// The verdict on the token says the rest.
fn lost() -> Problem {
    Problem::new(ProblemKind::Unknown, "damaged in the store").with_action(Action::FixConfiguration)
}

/// The remedy names the import.
fn not_imported() -> Problem {
    let why = "its import was cut short and brought no access token";
    Problem::new(ProblemKind::Unknown, why).with_action(Action::Reauthenticate)
}

fn no_access_token(label: &Label) -> Problem {
    Problem::new(
        ProblemKind::Unknown,
        format!("no access token: `access_token` of `[token.{label}]` is not set"),
    )
    .with_action(Action::FixConfiguration)
    .with_fix(format!(
        "set `access_token` of `[token.{label}]`, or run `metatoken exchange {label}` and paste one"
    ))
}

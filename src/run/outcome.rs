//! Gathers what happens to one token, and gives the weightiest outcome with its reason.

use super::tokens::{TokenConfig, subject};
use crate::exit::Exit;
use crate::graph::CallError;
use crate::policy::{cause, remedy};
use crate::report::TokenResult;
use crate::token::{Fingerprint, Outcome, Problem};

/// The weightiest outcome so far, with its reason, and everything that bears on the exit code.
#[derive(Debug)]
pub struct OutcomeBuilder {
    outcome: Option<Outcome>,
    reason: String,
    motive: String,
    consequence: Option<String>,
    problem: Option<Problem>,
    exit: Exit,
    refused: Vec<Refused>,
}

/// An access token from outside that was refused.
#[derive(Debug)]
struct Refused {
    fingerprint: Fingerprint,
    message: String,
}

/// What happened to one token, and how the run ends on its account.
#[derive(Debug)]
pub struct TokenOutcome {
    /// The weightiest outcome.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
    /// What went wrong.
    pub problem: Option<Problem>,
    /// How the run ends on this token's account.
    pub exit: Exit,
    /// Whether an access token from outside was refused.
    pub refused: bool,
}

impl OutcomeBuilder {
    /// Starts with nothing.
    pub fn new() -> Self {
        Self {
            outcome: None,
            reason: String::new(),
            motive: String::new(),
            consequence: None,
            problem: None,
            exit: Exit::Ok,
            refused: Vec::new(),
        }
    }

    /// Notes an outcome; a weightier one stands.
    pub fn note(&mut self, outcome: Outcome, reason: impl Into<String>) {
        if self.outcome.is_none_or(|so_far| weight(outcome) >= weight(so_far)) {
            self.outcome = Some(outcome);
            self.reason = reason.into();
        }
    }

    /// Says why what comes next is done.
    pub fn because(&mut self, motive: impl Into<String>) {
        self.motive = motive.into();
    }

    /// Says what comes of what is achieved next.
    pub fn also(&mut self, consequence: impl Into<String>) {
        self.consequence = Some(consequence.into());
    }

    /// Notes what was achieved, for the reason that was given.
    pub fn achieve(&mut self, outcome: Outcome) {
        let motive = std::mem::take(&mut self.motive);
        let motive = match self.consequence.take() {
            Some(consequence) => format!("{motive}; {consequence}"),
            None => motive,
        };
        if !self.refused.is_empty() && self.outcome == Some(Outcome::Invalid) {
            // What was refused left the token without an access token, and now it has one.
            self.outcome = None;
        }
        self.note(outcome, motive);
    }

    /// Gives the reason of an outcome that was noted without one.
    pub fn explain(&mut self, outcome: Outcome, reason: impl Into<String>) {
        if self.outcome == Some(outcome) && self.reason.is_empty() {
            self.reason = reason.into();
        }
    }

    /// Notes that a Page was retired, and forgets the rest: no person is needed for it any more.
    pub fn retired(&mut self, reason: String) {
        *self = Self { outcome: Some(Outcome::Skipped), reason, ..Self::new() };
    }

    /// Whether something has gone wrong already.
    pub const fn has_problem(&self) -> bool {
        self.problem.is_some()
    }

    /// Notes that something went wrong; whether a person is needed follows from the problem.
    pub fn note_problem(&mut self, problem: Problem) {
        self.note_problem_as(outcome_of(&problem), problem);
    }

    /// Notes that something went wrong, under an outcome of its own.
    pub fn note_problem_as(&mut self, outcome: Outcome, problem: Problem) {
        self.exit = self.exit.or_worse(Exit::for_problem(&problem));
        self.note(outcome, problem.to_string());
        self.problem = Some(problem);
    }

    /// Notes a call that went wrong, or that was not made because an earlier one did.
    pub fn note_call_error(&mut self, error: CallError) {
        if error.held_back {
            let reason = format!("held back: {}", error.problem.message);
            self.exit = self.exit.or_worse(Exit::for_problem(&error.problem));
            self.note(Outcome::Skipped, reason);
            self.problem = Some(error.problem);
        } else {
            self.note_problem(error.problem);
        }
    }

    /// Notes that the disk is full, so that not all could be asked for or written down.
    pub fn disk_is_full(&mut self) {
        self.exit = self.exit.or_worse(Exit::Storage);
        self.note(Outcome::Failed, "the disk is full");
    }

    /// Notes that an access token from outside was refused; `outcome` says what that means.
    pub fn refused(&mut self, outcome: Outcome, problem: Problem, fingerprint: Fingerprint) {
        let problem = problem.rejected();
        let message = problem.message.clone();
        self.refused.push(Refused { fingerprint, message: message.clone() });
        self.note(outcome, message.clone());
        self.problem = Some(problem);
    }

    /// Withdraws the refusal of an access token that is in use now: Graph granted it too.
    pub fn no_longer_refused(&mut self, fingerprint: Fingerprint) {
        let Some(place) = self.refused.iter().position(|it| it.fingerprint == fingerprint) else {
            return;
        };
        let Refused { message, .. } = self.refused.remove(place);
        if self.reason == message {
            self.outcome = None;
            self.reason = String::new();
        }
        self.problem.take_if(|problem| problem.message == message);
    }

    /// Gives the weightiest outcome; nothing at all is «not due».
    pub fn finish(self) -> TokenOutcome {
        let refused = !self.refused.is_empty();
        TokenOutcome {
            outcome: self.outcome.unwrap_or(Outcome::NotDue),
            reason: self.reason,
            problem: self.problem,
            exit: if refused { self.exit.or_worse(Exit::InputRefused) } else { self.exit },
            refused,
        }
    }
}

/// Adds to a result that the token's Pages could not be listed.
pub fn note_listing_error(result: &mut TokenResult, error: &CallError, token: &TokenConfig) {
    if result.problem.is_some() {
        return;
    }
    if error.held_back {
        return note_list_held_back(result, &error.problem);
    }
    let problem = &error.problem;
    result.outcome = outcome_of(problem);
    result.reason = format!("its Pages could not be listed: {problem}");
    let subject = subject(token, None, None);
    result.remedy = remedy(problem, &subject);
    result.cause = cause(problem, &subject);
    result.exit = result.exit.or_worse(Exit::for_problem(problem));
    result.problem = Some(problem.clone());
}

/// Adds to a result that the token's Pages were not even asked for; what else was done with it stands.
fn note_list_held_back(result: &mut TokenResult, problem: &Problem) {
    result.exit = result.exit.or_worse(Exit::for_problem(problem));
    if matches!(result.outcome, Outcome::NotDue | Outcome::Verified) {
        result.outcome = Outcome::Skipped;
        result.reason = format!("its Pages are not listed: {}", problem.message);
        result.problem = Some(problem.clone());
    }
}

/// What a problem means for the token: one that stands in the config or the machine, and is known
/// to be there, says nothing of the access token.
fn outcome_of(problem: &Problem) -> Outcome {
    let needs_a_person = problem.action.needs_a_person() && problem.fix.is_none();
    if needs_a_person { Outcome::Invalid } else { Outcome::Failed }
}

/// Ranks the outcomes: the greatest is reported where several things happened to one token.
fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::NotDue => 0,
        Outcome::Verified => 1,
        Outcome::TooYoung => 2,
        Outcome::Skipped => 3,
        Outcome::Adopted | Outcome::WouldAdopt => 4,
        Outcome::Derived | Outcome::WouldDerive => 5,
        Outcome::Exchanged
        | Outcome::Refreshed
        | Outcome::WouldExchange
        | Outcome::WouldRefresh
        | Outcome::LoggedIn
        | Outcome::Minted
        | Outcome::WouldMint
        | Outcome::Revoked
        | Outcome::WouldRevoke
        | Outcome::Forgotten
        | Outcome::WouldForget
        | Outcome::Imported
        | Outcome::WouldImport
        | Outcome::RolledBack
        | Outcome::WouldRollBack
        | Outcome::Promoted
        | Outcome::WouldPromote
        | Outcome::Delivered
        | Outcome::WouldDeliver
        | Outcome::Restored
        | Outcome::WouldRestore => 6,
        Outcome::NotExtended => 7,
        Outcome::Failed => 8,
        Outcome::Invalid => 9,
    }
}

//! The reasons that a judgement collects, and how each is worded.

use super::health::{Judgement, State};
use super::{Health, Moment, Reason, Subject, remedy};
use crate::token::{Action, Label, Problem, ProblemKind};

/// What recovers: the kind of step, and its words.
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) remedy: String,
}

impl Step {
    pub(super) fn new(action: Action, remedy: impl Into<String>) -> Self {
        Self { action, remedy: remedy.into() }
    }
}

/// What stands against one token at one moment.
pub(super) struct Checks<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) moment: Moment,
    pub(super) reasons: Vec<Reason>,
}

impl Checks<'_> {
    pub(super) fn conclude(mut self, state: State) -> Judgement {
        self.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.severity.rank()));
        let health = self.reasons.first().map_or(Health::Ok, |reason| reason.severity);
        Judgement { health, state, reasons: self.reasons }
    }

    pub(super) fn add(
        &mut self,
        code: &'static str,
        severity: Health,
        message: String,
        step: Step,
    ) {
        let labels = vec![self.subject.label.clone()];
        let Step { action, remedy } = step;
        let held_by = None;
        let about = None;
        self.reasons.push(Reason {
            code,
            severity,
            message,
            remedy,
            action,
            about,
            labels,
            held_by,
        });
    }

    /// Adds what is the fault of another token, which is told of it once for all that it holds.
    pub(super) fn add_held_by(
        &mut self,
        holder: &Label,
        code: &'static str,
        severity: Health,
        message: String,
        step: Step,
    ) {
        self.add(code, severity, message, step);
        if let Some(reason) = self.reasons.last_mut() {
            reason.held_by = Some(holder.clone());
        }
    }

    pub(super) fn add_problem(&mut self, severity: Health, problem: &Problem) {
        let step = self.step_against(problem);
        self.add(problem.kind.as_str(), severity, problem.to_string(), step);
    }

    pub(super) fn step_against(&self, problem: &Problem) -> Step {
        Step::new(problem.action, remedy(problem, self.subject))
    }

    pub(super) fn log_in_again(&self) -> Step {
        self.step_against(&Problem::new(ProblemKind::Expired, ""))
    }
}

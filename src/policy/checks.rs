//! Collects the reasons of a judgement, and words each; checks what a token may do.

use crate::token::{Action, GranularScope, Inspection, Label, Problem, ProblemKind};

use super::judgement::{Judgement, State};
use super::remedy::bring_back;
use super::{Health, Moment, Policy, Reason, Subject, humanize, remedy};

/// What recovers: the kind of step, and its words.
pub struct Step {
    pub action: Action,
    pub remedy: String,
}

impl Step {
    /// Words what recovers, for a kind of step.
    pub fn new(action: Action, remedy: impl Into<String>) -> Self {
        Self { action, remedy: remedy.into() }
    }
}

/// What stands against one token at one moment.
pub struct Checks<'a> {
    pub subject: &'a Subject<'a>,
    pub moment: Moment,
    pub reasons: Vec<Reason>,
}

impl Checks<'_> {
    /// Ends the checks: the reasons, the worst first, and how bad it is.
    pub fn conclude(mut self, state: State) -> Judgement {
        self.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.severity.rank()));
        let health = self.reasons.first().map_or(Health::Ok, |reason| reason.severity);
        Judgement { health, state, reasons: self.reasons }
    }

    /// Adds a reason of this token's own.
    pub fn add(&mut self, code: &'static str, severity: Health, message: String, step: Step) {
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
    pub fn add_held_by(
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

    /// Adds a problem, with the remedy for this token.
    pub fn add_problem(&mut self, severity: Health, problem: &Problem) {
        let step = self.step_against(problem);
        self.add(problem.kind.as_str(), severity, problem.to_string(), step);
    }

    /// What recovers from a problem, for this token.
    pub fn step_against(&self, problem: &Problem) -> Step {
        Step::new(problem.action, remedy(problem, self.subject))
    }

    /// What brings a Page back that is gone from its parent's list.
    pub fn bring_it_back(&self, parent: &Label) -> Step {
        Step::new(Action::GrantPermission, bring_back(self.subject, parent))
    }

    /// What brings a new access token, for this token.
    pub fn log_in_again(&self) -> Step {
        self.step_against(&Problem::new(ProblemKind::Expired, ""))
    }
}

impl Checks<'_> {
    /// Checks that the token has the scopes and reaches the targets that the config requires.
    pub fn permissions(&mut self, inspection: &Inspection) {
        let policy = self.subject.policy;
        let scopes = inspection.lacks(&policy.required_scopes);
        if !scopes.is_empty() {
            let message = format!("it lacks {}", humanize::list(&scopes));
            self.add_problem(
                Health::Critical,
                &Problem::new(ProblemKind::PermissionMissing, message),
            );
        }
        let targets = missing_targets(policy, &inspection.granular_scopes);
        if !targets.is_empty() {
            let message = format!("it does not reach {}", humanize::list(&targets));
            self.add_problem(
                Health::Critical,
                &Problem::new(ProblemKind::PermissionMissing, message),
            );
        }
    }
}

/// The required targets that the token does not reach: with each of the required scopes that are
/// limited to objects, or, if none is required, with any.
///
/// A scope without `target_ids` reaches all of them; a token without granular scopes says nothing.
/// A scope may occur more than once, and then reaches what any of its entries names. Source: Meta,
/// `debug_token` reference.
pub fn missing_targets<'a>(policy: &'a Policy, granular: &[GranularScope]) -> Vec<&'a str> {
    let required: Vec<&str> = policy
        .required_scopes
        .iter()
        .map(String::as_str)
        .filter(|scope| granular.iter().any(|entry| entry.scope == *scope))
        .collect();
    let reaches = |target: &str, wanted: &dyn Fn(&str) -> bool| {
        granular.iter().filter(|entry| wanted(&entry.scope)).any(|entry| {
            entry.target_ids.as_ref().is_none_or(|ids| ids.iter().any(|id| id == target))
        })
    };
    let is_reached = |target: &str| {
        if policy.required_scopes.is_empty() {
            granular.is_empty() || reaches(target, &|_| true)
        } else {
            required.iter().all(|scope| reaches(target, &|one| one == *scope))
        }
    };
    policy.required_targets.iter().map(String::as_str).filter(|it| !is_reached(it)).collect()
}

impl Judgement {
    /// The scopes that the config requires and the token lacks.
    pub fn missing_scopes<'a>(policy: &'a Policy, inspection: &Inspection) -> Vec<&'a str> {
        inspection.lacks(&policy.required_scopes)
    }

    /// The targets that the config requires and the token does not reach.
    pub fn missing_targets<'a>(policy: &'a Policy, inspection: &Inspection) -> Vec<&'a str> {
        missing_targets(policy, &inspection.granular_scopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_must_be_reached_with_every_required_scope() {
        let entry = |scope: &str, targets: Option<&[&str]>| GranularScope {
            scope: scope.into(),
            target_ids: targets.map(|ids| ids.iter().map(ToString::to_string).collect()),
        };
        let granular = [
            entry("post", Some(&["1"])),
            entry("post", Some(&["2"])),
            entry("read", Some(&["1"])),
            entry("list", None),
        ];
        for (scopes, missing) in [
            // `list` reaches everything, so with any scope nothing is missing.
            (&[][..], &[][..]),
            (&["post"], &["3"]),
            (&["post", "read"], &["2", "3"]),
            (&["list"], &[]),
            // What is not limited to objects says nothing of them.
            (&["profile"], &[]),
            (&["profile", "read"], &["2", "3"]),
        ] {
            let policy = Policy {
                required_scopes: scopes.iter().map(ToString::to_string).collect(),
                required_targets: ["1", "2", "3"].map(str::to_owned).to_vec(),
                ..Policy::default()
            };
            assert_eq!(missing_targets(&policy, &granular), missing, "{scopes:?}");
        }
        let policy = Policy { required_targets: vec!["9".into()], ..Policy::default() };
        assert_eq!(missing_targets(&policy, &granular[..3]), ["9"]);
        assert_eq!(missing_targets(&policy, &[]), [""; 0]);
    }
}

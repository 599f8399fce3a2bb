//! Collects the reasons of a judgement, and words each; checks what a token may do.

use chrono::TimeDelta;

use crate::token::{Action, Expiry, GranularScope, Inspection, Label, Problem, ProblemKind};

use super::judgement::{Judgement, State};
use super::wording::{cause, quote};
use super::{Condition, Dates, Health, Moment, Policy, Reason, Remedy, Subject, humanize, remedy};

/// What recovers: the kind of step, and its words.
pub struct Step {
    pub action: Action,
    pub remedy: Remedy,
}

impl Step {
    /// Words what recovers, for a kind of step.
    pub fn new(action: Action, remedy: impl Into<Remedy>) -> Self {
        Self { action, remedy: remedy.into() }
    }
}

/// What stands against one token at one moment.
pub struct Checks<'a> {
    pub subject: &'a Subject<'a>,
    pub moment: Moment,
    pub reasons: Vec<Reason>,
    /// Graph's last answer.
    pub inspection: Option<&'a Inspection>,
}

impl<'a> Checks<'a> {
    /// Begins to judge a token.
    pub fn new(subject: &'a Subject<'a>, moment: Moment) -> Self {
        let proof = subject.current().and_then(|current| current.proof.as_ref());
        let inspection = proof.map(|proof| &proof.inspection);
        Self { subject, moment, reasons: Vec::new(), inspection }
    }
}

impl Checks<'_> {
    /// Ends the checks: the reasons, the worst first, and how bad it is.
    pub fn conclude(mut self, state: State) -> Judgement {
        let is_data_access = |reason: &Reason| reason.code.starts_with("data_access");
        let is_dead = matches!(state, State::Expired | State::Invalid);
        if is_dead && !self.reasons.iter().all(is_data_access) {
            // A new login moves both, so it is one cause.
            self.reasons.retain(|reason| !is_data_access(reason));
        }
        self.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.severity.rank()));
        let health = self.reasons.first().map_or(Health::Ok, |reason| reason.severity);
        let condition = condition(self.subject, state, self.inspection, self.moment);
        for reason in self.reasons.iter_mut().filter(|it| !it.is_that_there_is_none()) {
            reason.condition = condition;
        }
        Judgement { health, state, condition, reasons: self.reasons }
    }

    /// Adds a reason of this token's own.
    pub fn add(&mut self, code: &'static str, severity: Health, message: String, step: Step) {
        let Step { action, remedy } = step;
        self.reasons.push(Reason {
            action,
            remedy,
            labels: vec![self.subject.label.clone()],
            ..Reason::of_the_system(code, severity, message, "")
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
        self.add_caused(severity, problem.kind.as_str(), cause(problem, self.subject), problem);
    }

    /// Adds what a problem causes, in words of its own, with Meta's and the remedy for this token.
    pub fn add_caused(
        &mut self,
        severity: Health,
        code: &'static str,
        message: String,
        problem: &Problem,
    ) {
        let step = self.step_against(problem);
        self.add(code, severity, message, step);
        self.quote(problem);
    }

    /// Gives the last reason Meta's words, as they were worded before.
    pub fn said(&mut self, meta: String) {
        if let Some(reason) = self.reasons.last_mut() {
            reason.meta = meta;
        }
    }

    /// Gives the last reason Meta's words.
    pub fn quote(&mut self, problem: &Problem) {
        if let Some(reason) = self.reasons.last_mut() {
            reason.meta = quote(problem);
        }
    }

    /// What recovers from a problem, for this token.
    pub fn step_against(&self, problem: &Problem) -> Step {
        Step::new(problem.action, remedy(problem, self.subject))
    }

    /// What brings a new access token, for this token.
    pub fn new_login(&self) -> Step {
        self.step_against(&Problem::new(ProblemKind::Expired, ""))
    }
}

impl Checks<'_> {
    /// Checks that the token has the scopes and reaches the targets that the config requires.
    pub fn permissions(&mut self, inspection: &Inspection) {
        let policy = self.subject.policy;
        let scopes = inspection.lacks(&policy.required_scopes);
        if !scopes.is_empty() {
            let message = format!("permission missing: {}", humanize::list(&scopes));
            self.add_problem(
                Health::Critical,
                &Problem::new(ProblemKind::PermissionMissing, message),
            );
        }
        let targets = missing_targets(policy, &inspection.granular_scopes);
        if !targets.is_empty() {
            let message = format!("no access to {}", humanize::list(&targets));
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

/// What the token can do now: by its state, by Graph's last answer, and by how old that is.
pub fn condition(
    subject: &Subject<'_>,
    state: State,
    inspection: Option<&Inspection>,
    moment: Moment,
) -> Option<Condition> {
    let proof = subject.current().and_then(|current| current.proof.as_ref());
    let expiry = match (subject.current(), inspection) {
        (Some(current), _) => current.expiry,
        (None, Some(inspection)) => inspection.expiry,
        (None, None) => Expiry::Unknown,
    };
    let has_problem = |action| {
        inspection.and_then(|it| it.problem.as_ref()).is_some_and(|it| it.action == action)
    };
    match state {
        State::Missing => without_access_token(subject, moment),
        State::Invalid | State::Expired
            if subject.has_never_worked()
                && !inspection
                    .and_then(|it| it.problem.as_ref())
                    .is_some_and(Problem::tells_of_a_past) =>
        {
            Some(Condition::NeverWorked)
        }
        State::Expired => {
            let said = || inspection?.problem.as_ref()?.expired_at();
            let since = expiry.at().or_else(said).filter(|at| *at <= moment.now);
            Some(Condition::Down { since })
        }
        State::Invalid => Some(Condition::Down { since: None }),
        State::Unverified if has_problem(Action::FixAccount) => {
            Some(Condition::Down { since: None })
        }
        State::Unverified => Some(Condition::NotChecked { since: proof.map(|proof| proof.at) }),
        State::Expiring | State::Valid => {
            let limit = subject.policy.checked_within.warning;
            let old = proof.filter(|proof| moment.now - proof.at > limit);
            let old = old.filter(|_| moment.dates == Dates::Trusted);
            let left = expiry.remaining(moment.now).filter(|left| *left <= subject.warn_within());
            let left = left.filter(|left| *left > TimeDelta::zero()).zip(expiry.at());
            Some(match old {
                Some(proof) => Condition::NotChecked { since: Some(proof.at) },
                None => Condition::Works { left },
            })
        }
    }
}

/// Of one whose access token was lost in the store nothing is known; one that Meta calls expired or
/// revoked did work, though not here.
fn without_access_token(subject: &Subject<'_>, moment: Moment) -> Option<Condition> {
    let Some(credential) = subject.credential else { return Some(Condition::NeverWorked) };
    if credential.damage.as_ref().is_some_and(|damage| damage.in_place.is_some()) {
        return None;
    }
    let candidate = credential.candidate.as_ref();
    let answer = candidate.and_then(|it| it.proof.as_ref()).map(|proof| &proof.inspection);
    let problem = answer.and_then(|answer| answer.problem.as_ref());
    let problem = problem.or(credential.attempts.problem.as_ref());
    Some(match problem {
        Some(problem) if problem.tells_of_a_past() => {
            Condition::Down { since: problem.expired_at().filter(|at| *at <= moment.now) }
        }
        Some(Problem { kind, action, .. })
            if action.needs_a_person() && !kind.is_about_the_app() && !kind.is_outage() =>
        {
            Condition::NeverWorked
        }
        None if candidate.is_none() => Condition::NeverWorked,
        _ => Condition::NotChecked { since: None },
    })
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

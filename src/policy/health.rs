//! What a token is worth, and what stands against it.
//!
//! Three clocks run for every token: its own end, the end of data access, and the age of the
//! last proof. A fault of the network moves none of them, so an outage alone changes nothing
//! until the proof is too old.

use super::adoption::{explained, misfit};
use super::findings::{Findings, Step};
use super::{Dates, Health, Moment, Policy, Reason, Subject, words};
use crate::token::{
    Action, Expiry, Generation, GranularScope, Identity, Inspection, Problem, ProblemKind, Time,
};

named! {
    /// What is known of a token, in one word: the first that fits.
    pub enum State {
        /// There is no string.
        Missing = "missing",
        /// A verdict of Graph's says that it is dead, for another reason than its date.
        Invalid = "invalid",
        /// Its time is over.
        Expired = "expired",
        /// There is no verdict.
        Unverified = "unverified",
        /// It ends within `warn_within`.
        Expiring = "expiring",
        /// It works.
        Valid = "valid",
    }
}

/// What one token is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// How bad it is: the worst of the reasons.
    pub health: Health,
    /// What is known, in one word.
    pub state: State,
    /// What stands against it, the worst first.
    pub reasons: Vec<Reason>,
}

/// Judges a token by what the store knows of it.
pub fn judge(subject: &Subject<'_>, moment: Moment) -> Judgement {
    let mut findings = Findings { subject, moment, reasons: Vec::new() };
    let state = match subject.current() {
        None => findings.without_a_string(),
        Some(current) => findings.with_a_string(current),
    };
    findings.conclude(state)
}

/// Judges a string that is not in the store by what Graph just said of it, as the token of
/// `expected`.
pub fn judge_inspection(
    subject: &Subject<'_>,
    inspection: &Inspection,
    expected: &Identity,
    moment: Moment,
) -> Judgement {
    let mut findings = Findings { subject, moment, reasons: Vec::new() };
    if let Some(problem) = misfit(inspection, subject.token_type, expected) {
        findings.add_problem(Health::Critical, &problem);
    }
    let state = findings.of_answer(inspection, inspection.expiry);
    findings.conclude(state)
}

impl Findings<'_> {
    fn without_a_string(&mut self) -> State {
        let label = self.subject.label;
        let credential = self.subject.credential;
        let candidate = credential.and_then(|it| it.candidate.as_ref());
        let waits = candidate.is_some();
        let answer = candidate.and_then(|it| it.proof.as_ref()).map(|proof| &proof.inspection);
        let stands = credential.and_then(|it| it.ledger.problem.as_ref());
        let problem = answer.and_then(|answer| answer.problem.as_ref()).or(stands);
        match (problem, self.subject.parent) {
            (Some(problem), _) if problem.action.needs_a_person() => {
                self.add_problem(Health::Critical, problem);
            }
            (Some(problem), _) => self.add_problem(Health::Unknown, problem),
            (None, _) if waits => self.add(
                "unverified",
                Health::Unknown,
                "its string waits to be examined".to_owned(),
                Step::new(Action::Retry, format!("run `metatoken refresh {label}`")),
            ),
            (None, Some(parent)) => self.add(
                "missing",
                Health::Unknown,
                format!("it has no string yet; it is taken from its parent `{}`", parent.label),
                Step::new(Action::Retry, "run `metatoken refresh`"),
            ),
            (None, None) => self.add(
                "missing",
                Health::Unknown,
                "it has no string yet".to_owned(),
                Step::new(
                    Action::Retry,
                    format!("run `metatoken refresh` to adopt the configured string, or `metatoken exchange {label}` to paste one"),
                ),
            ),
        }
        State::Missing
    }

    fn with_a_string(&mut self, current: &Generation) -> State {
        let state = match &current.proof {
            None => {
                self.add(
                    "unverified",
                    Health::Unknown,
                    "Graph was never asked about its string".to_owned(),
                    Step::new(
                        Action::Retry,
                        format!("run `metatoken refresh {}`", self.subject.label),
                    ),
                );
                State::Unverified
            }
            Some(proof) => {
                let state = self.of_answer(&proof.inspection, current.expiry);
                self.proof_age(proof.at);
                state
            }
        };
        self.keeping(current);
        state
    }

    /// What Graph's answer says, and what the dates in it say today.
    fn of_answer(&mut self, inspection: &Inspection, expiry: Expiry) -> State {
        let now = self.moment.now;
        match inspection.valid {
            Some(false) => {
                let problem = explained(inspection);
                self.dead(&problem);
                return if problem.kind == ProblemKind::Expired {
                    State::Expired
                } else {
                    State::Invalid
                };
            }
            None => {
                self.add_problem(Health::Critical, &explained(inspection));
                return State::Unverified;
            }
            Some(true) => {}
        }
        self.data_access(inspection);
        self.permissions(inspection);
        if self.moment.dates == Dates::Doubted {
            return State::Valid;
        }
        let Some(end) = expiry.at() else { return State::Valid };
        if expiry.has_passed(now) {
            self.add("expired", Health::Critical, ended(end, now), self.log_in_again());
            return State::Expired;
        }
        self.short_parent(end);
        if !expiry.is_within(self.subject.warn_within(), now) {
            return State::Valid;
        }
        let severity = if expiry.is_within(self.subject.critical_within(), now) {
            Health::Critical
        } else {
            Health::Warning
        };
        let (message, step) = self.ending(end);
        self.add("expiring", severity, message, step);
        State::Expiring
    }

    fn dead(&mut self, problem: &Problem) {
        let ledger = self.subject.credential.map(|credential| &credential.ledger);
        let refused = ledger
            .and_then(|ledger| ledger.problem.as_ref())
            .is_some_and(|problem| problem.action.needs_a_person());
        match self.subject.parent {
            Some(parent) if !refused && parent_lives(parent.credential) => self.add(
                problem.kind.as_str(),
                Health::Critical,
                problem.to_string(),
                Step::new(
                    Action::Retry,
                    format!(
                        "run `metatoken refresh {}`: its parent can give it a new string",
                        self.subject.label
                    ),
                ),
            ),
            _ => self.add_problem(Health::Critical, problem),
        }
    }

    fn permissions(&mut self, inspection: &Inspection) {
        let policy = self.subject.policy;
        let scopes = inspection.lacks(&policy.required_scopes);
        if !scopes.is_empty() {
            let message = format!("it lacks {}", words::list(&scopes));
            self.add_problem(
                Health::Critical,
                &Problem::new(ProblemKind::PermissionMissing, message),
            );
        }
        let targets = missing_targets(policy, &inspection.granular_scopes);
        if !targets.is_empty() {
            let message = format!("it does not reach {}", words::list(&targets));
            self.add_problem(
                Health::Critical,
                &Problem::new(ProblemKind::PermissionMissing, message),
            );
        }
    }
}

fn parent_lives(parent: Option<&crate::token::Credential>) -> bool {
    parent
        .and_then(|credential| credential.current.as_ref()?.proof.as_ref()?.inspection.valid)
        .unwrap_or(false)
}

fn ended(end: Time, now: Time) -> String {
    format!("it ended {}", words::when(end, now))
}

/// The required targets that no granular scope reaches.
///
/// A scope without `target_ids` reaches all of them; a token without granular scopes says nothing.
/// Source: Meta, `debug_token` reference.
fn missing_targets<'a>(policy: &'a Policy, granular: &[GranularScope]) -> Vec<&'a str> {
    let judged: Vec<&GranularScope> = granular
        .iter()
        .filter(|entry| {
            policy.required_scopes.is_empty() || policy.required_scopes.contains(&entry.scope)
        })
        .collect();
    let reaches = |target: &str| {
        judged.iter().any(|entry| {
            entry.target_ids.as_ref().is_none_or(|ids| ids.iter().any(|id| id == target))
        })
    };
    policy
        .required_targets
        .iter()
        .map(String::as_str)
        .filter(|target| !judged.is_empty() && !reaches(target))
        .collect()
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

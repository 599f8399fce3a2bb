//! Says what a run did to one token, and why.

use serde_json::{Value, json};

use super::json::{deliveries, problem, time};
use super::reached::ReachedTarget;
use super::text::TextStyle;
use crate::exit::Exit;
use crate::policy::{Condition, Health, Reason, Remedy, quote};
use crate::token::{
    Delivery, Expiry, Fingerprint, Generation, Label, Outcome, Problem, ProblemKind, Time,
    TokenType,
};

/// What happened to one token.
#[derive(Debug, Clone)]
pub struct TokenResult {
    pub label: Label,
    pub token_type: TokenType,
    /// The weightiest thing that happened to it.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub reason: String,
    /// When it expired before the run.
    pub old_expiry: Expiry,
    /// When it expires now.
    pub new_expiry: Expiry,
    /// The number of the current generation.
    pub generation: Option<u32>,
    /// The fingerprint of the current access token.
    pub fingerprint: Option<Fingerprint>,
    pub problem: Option<Problem>,
    /// What the token can do now.
    pub condition: Option<Condition>,
    /// The problem in our words.
    pub cause: String,
    pub remedy: Remedy,
    /// The exit code that it alone would give.
    pub exit: Exit,
    /// What is wrong with the token after the run.
    pub issues: Vec<Reason>,
    /// The state of its targets.
    pub deliveries: Vec<Delivery>,
    /// The targets that got the current access token in this run, or would get it.
    pub reached: Vec<ReachedTarget>,
    /// In a dry run: the targets that get a new one if the renewal of its parent changes it.
    pub may_reach: Vec<ReachedTarget>,
}

impl TokenResult {
    /// What happened to a token that it left without an access token in use, where nothing went wrong.
    pub fn of(label: Label, token_type: TokenType, outcome: Outcome, reason: String) -> Self {
        Self {
            label,
            token_type,
            outcome,
            reason,
            old_expiry: Expiry::Unknown,
            new_expiry: Expiry::Unknown,
            generation: None,
            fingerprint: None,
            problem: None,
            condition: None,
            cause: String::new(),
            remedy: Remedy::default(),
            exit: Exit::Ok,
            issues: Vec::new(),
            deliveries: Vec::new(),
            reached: Vec::new(),
            may_reach: Vec::new(),
        }
    }

    /// The same with what is in use before and after it.
    #[must_use]
    pub fn moving(self, before: Option<&Generation>, after: Option<&Generation>) -> Self {
        let expiry =
            |it: Option<&Generation>| it.map_or(Expiry::Unknown, |generation| generation.expiry);
        Self {
            old_expiry: expiry(before),
            new_expiry: expiry(after),
            generation: after.map(|generation| generation.number),
            fingerprint: after.map(|generation| generation.fingerprint),
            ..self
        }
    }

    /// The contract's JSON.
    pub fn json(&self) -> Value {
        json!({
            "label": self.label.as_str(),
            "type": self.token_type.as_str(),
            "outcome": self.outcome.as_str(),
            "reason": self.reason,
            "old_expires_at": time(self.old_expiry.at()),
            "new_expires_at": time(self.new_expiry.at()),
            "never_expires": self.new_expiry == Expiry::Never,
            "old_never_expires": self.old_expiry == Expiry::Never,
            "new_never_expires": self.new_expiry == Expiry::Never,
            "generation": self.generation,
            "fingerprint": self.fingerprint.map(|fingerprint| fingerprint.to_string()),
            "problem": problem(self.problem.as_ref(), &self.remedy.to_string()),
            "deliveries": deliveries(&self.deliveries),
        })
    }

    /// The problem as a reason, unless the issues of the token say the same already.
    fn told(&self) -> Option<Reason> {
        let problem = self.problem.as_ref()?;
        let code = problem.kind.as_str();
        // A person who must act before it expires need not know that it will be tried again.
        let no_help = problem.kind == ProblemKind::NotExtended;
        let same = |reason: &Reason| {
            no_help && reason.code == "expiring"
                || reason.code == code
                || reason.message.contains(&self.cause)
                || self.cause.contains(&reason.message)
        };
        // One that is down for a cause of its own needs no second step.
        let is_down = |reason: &Reason| {
            matches!(reason.condition, Some(Condition::Down { .. }))
                && reason.action.needs_a_person()
        };
        let is_news = problem.is_rejection();
        if self.issues.iter().any(|it| same(it) || is_down(it) && !is_news) {
            return None;
        }
        // What was refused leaves the token that has one as it is.
        let severity = match self.generation {
            Some(_) if is_news => Health::Warning,
            _ => Health::of(problem, self.condition),
        };
        Some(Reason {
            condition: self.condition,
            meta: quote(problem),
            remedy: self.remedy.clone(),
            action: problem.action,
            labels: vec![self.label.clone()],
            ..Reason::of_the_system(code, severity, self.cause.clone(), "")
        })
    }

    /// Each cause of it. Beside a problem that has a name it is not said that nothing is known.
    pub fn causes(&self) -> Vec<Reason> {
        let told = self.told();
        let said = |reason: &Reason| {
            told.as_ref().is_some_and(|told| told.message.contains(&reason.message))
        };
        let goes_without = |reason: &&Reason| {
            reason.severity != Health::Unknown
                || (self.problem.is_none() && self.outcome != Outcome::Skipped)
        };
        let issues =
            self.issues.iter().filter(goes_without).filter(|reason| !said(reason)).cloned();
        told.iter().cloned().chain(issues).collect()
    }

    /// The reason as a table has room for it: name and numbers of a problem, whose sentence stands
    /// below, or the whole of any other and of a problem without a name.
    pub fn in_short(&self) -> String {
        match (&self.problem, self.exit) {
            (None, _) => self.reason.clone(),
            (Some(Problem { kind: ProblemKind::Unknown, code: None, .. }), _) => {
                self.reason.clone()
            }
            (Some(problem), Exit::InputRefused) => format!("refused: {}", problem.in_short()),
            (Some(problem), _) => problem.in_short(),
        }
    }

    /// When it expires now, as a cell has it.
    pub fn expires(&self, style: TextStyle, now: Time) -> String {
        match self.generation {
            Some(_) => style.expiry(self.new_expiry, now),
            None => "-".to_owned(),
        }
    }

    /// What happened to it, as a cell has it.
    pub fn outcome_in_words(&self) -> String {
        self.outcome.as_str().replace('_', " ")
    }

    /// Whether one row can tell of both: Pages found under one parent, with nothing wrong.
    pub fn is_told_with(&self, other: &Self) -> bool {
        let parent = |it: &Self| it.label.as_discovered().map(|(parent, _)| parent.to_owned());
        let is_well =
            |it: &Self| it.exit == Exit::Ok && it.issues.is_empty() && it.problem.is_none();
        parent(self).is_some()
            && parent(self) == parent(other)
            && self.outcome == other.outcome
            && self.reason == other.reason
            && self.new_expiry == other.new_expiry
            && is_well(self)
            && is_well(other)
    }

    /// The pattern that means this Page and its siblings.
    pub fn label_of_all_pages(&self) -> String {
        self.label
            .as_discovered()
            .map_or_else(|| self.label.to_string(), |(parent, _)| format!("{parent}/*"))
    }

    /// The colour that repeats its outcome.
    pub fn tint(&self) -> Health {
        match self.outcome {
            Outcome::Invalid => Health::Critical,
            Outcome::Failed | Outcome::NotExtended => Health::Warning,
            Outcome::Skipped | Outcome::TooYoung => Health::Unknown,
            _ => Health::Ok,
        }
    }
}

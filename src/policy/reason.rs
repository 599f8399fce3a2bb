//! Holds why something is not as it should be, and what to do about it.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::{Condition, Remedy};
use crate::token::{Action, Label, Problem};

/// The code of what is said of an access token that Graph was not asked about lately.
pub const UNCHECKED: &str = "unchecked";

/// The code of what is said of a renewal that did not happen.
pub const OVERDUE: &str = "refresh_overdue";

/// The code of what is said when no run has finished lately.
pub const NO_RECENT_RUN: &str = "no_recent_run";

/// The code of what is said of a target that two Pages would write.
pub const TARGETS_ALIKE: &str = "targets_alike";

/// The code of what is said of a store whose disk is full.
pub const STORE_FULL: &str = "store_full";

/// The code of what is said of a way to people that fails.
pub const CHANNEL_FAILS: &str = "notification_failed";

named! {
    /// How bad it is.
    pub enum Health {
        /// Nothing to do.
        Ok = "ok",
        /// Soon.
        Warning = "warning",
        /// Now.
        Critical = "critical",
        /// Nothing can be said.
        Unknown = "unknown",
    }
}

impl Health {
    /// How bad a problem is for a token that can do this. What only a person can clear keeps a token from
    /// working, or, while it works, from being renewed. What passes by itself is no more than a warning,
    /// and says nothing of a token that was never good.
    pub fn of(problem: &Problem, condition: Option<Condition>) -> Self {
        let works = matches!(
            condition,
            Some(Condition::Works { .. } | Condition::NotChecked { since: Some(_) })
        );
        let is_new = matches!(
            condition,
            Some(Condition::NeverWorked | Condition::NotChecked { since: None })
        );
        match problem.action.needs_a_person() {
            true if !works => Self::Critical,
            false if is_new => Self::Unknown,
            _ => Self::Warning,
        }
    }

    /// The worse of the two: critical, then warning, then unknown, then ok.
    pub fn worse(self, other: Self) -> Self {
        if self.rank() >= other.rank() { self } else { other }
    }

    /// Grows with how bad it is, for sorting.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Unknown => 1,
            Self::Warning => 2,
            Self::Critical => 3,
        }
    }
}

/// One cause for concern, in words and with its remedy.
///
/// The message does not name the token: two tokens with the same cause have equal reasons but
/// for their labels, and [`merge`] makes one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// A stable name.
    pub code: &'static str,
    pub severity: Health,
    /// What the token can do now; nothing of the system.
    pub condition: Option<Condition>,
    /// The cause, in our words.
    pub message: String,
    /// Meta's own words and numbers for it; empty where there are none.
    pub meta: String,
    /// What to do; empty where nothing needs doing.
    pub remedy: Remedy,
    /// The kind of step that is.
    pub action: Action,
    /// The one thing among several of its kind that it is about, such as a target or a file: part of
    /// what tells one cause from another, like the code.
    pub about: Option<String>,
    pub labels: Vec<Label>,
    /// The token whose own trouble is the cause of this one, such as a Page's dead parent.
    pub held_by: Option<Label>,
    /// The target above that must get the token first, of a program that waits for it.
    pub waits_for: Option<String>,
}

impl Reason {
    /// A reason about the system, for the operator.
    pub fn of_the_system(
        code: &'static str,
        severity: Health,
        message: impl Into<String>,
        step: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity,
            condition: None,
            message: message.into(),
            meta: String::new(),
            remedy: Remedy::of_the_operator(step),
            action: Action::FixConfiguration,
            about: None,
            labels: Vec::new(),
            held_by: None,
            waits_for: None,
        }
    }

    /// Whether it says only that there is no access token.
    pub fn is_that_there_is_none(&self) -> bool {
        matches!(self.code, "missing" | "no_backup")
    }

    /// Whether it is about how a token reaches its programs, and not about the token.
    pub fn is_about_delivery(&self) -> bool {
        matches!(self.code, "delivery_pending" | "delivery_failed" | "drifted")
    }

    /// Whether it says that a target is left alone for what the config says.
    pub fn is_about_a_contested_target(&self) -> bool {
        self.code == TARGETS_ALIKE
    }

    /// Whether it is about a way to people.
    pub fn is_about_a_channel(&self) -> bool {
        self.code == CHANNEL_FAILS
    }

    /// Whether it says that the store could not be written.
    pub fn is_about_a_full_disk(&self) -> bool {
        self.code == STORE_FULL
    }

    fn has_the_cause_of(&self, other: &Self) -> bool {
        let same =
            self.code == other.code && self.message == other.message && self.remedy == other.remedy;
        let holds = |label| self.labels.contains(label) && self.severity == Health::Critical;
        same || other.held_by.as_ref().is_some_and(holds) || self.explains(other)
    }

    /// Whether the other only tells what follows from this one: without runs nothing is renewed or
    /// asked about, while Graph is out of reach nothing is renewed, and a program waits for the file
    /// above it. What is worse than a missing run began before it and has a cause of its own; what is
    /// worse than a file that was changed has become so since.
    fn explains(&self, other: &Self) -> bool {
        match (self.code, other.code) {
            (NO_RECENT_RUN, UNCHECKED | OVERDUE) => self.severity.rank() >= other.severity.rank(),
            ("delivery_failed" | "drifted", "delivery_pending") => {
                other.waits_for.is_some()
                    && self.about == other.waits_for
                    && self.severity.rank() >= other.severity.rank()
                    && other.labels.iter().all(|label| self.labels.contains(label))
            }
            (TARGETS_ALIKE, "delivery_pending") => {
                self.about == other.about
                    && other.labels.iter().all(|label| self.labels.contains(label))
            }
            (UNCHECKED, OVERDUE) => other.labels.iter().all(|label| self.labels.contains(label)),
            _ => false,
        }
    }

    /// Sorts causes, the worst first; among those that are equally bad, what has stopped working comes
    /// before what never worked, and that before what still works.
    fn place(&self) -> (Reverse<u8>, u8) {
        let stands = match self.condition {
            Some(Condition::Down { .. }) => 0,
            Some(Condition::NeverWorked) => 1,
            _ => 2,
        };
        (Reverse(self.severity.rank()), stands)
    }

    /// Its place among the causes: those that explain others come before what they explain.
    fn follows(&self) -> u8 {
        match self.code {
            _ if self.held_by.is_some() => 4,
            OVERDUE => 3,
            UNCHECKED => 2,
            _ if self.waits_for.is_some() => 2,
            TARGETS_ALIKE => 0,
            _ => 1,
        }
    }
}

/// Whether a reason of that code rests on comparing a date with the clock, so that it says nothing
/// while the clock is not believed.
pub fn hangs_on_a_date(code: &str) -> bool {
    matches!(
        code,
        "expiring"
            | "expired"
            | "data_access_expiring"
            | "data_access_expired"
            | "short_parent"
            | "rotation_due"
            | "old_token_alive"
            | "graph_version_ends"
            | UNCHECKED
            | OVERDUE
    )
}

/// Makes one of all reasons that have one cause, with all their labels; the worst first.
///
/// They have one cause if code, message and remedy are the same, if one token's trouble holds back
/// the other, or if one explains the other; one cause may be worse for one token than for another,
/// and the worst counts.
pub fn merge(reasons: impl IntoIterator<Item = Reason>) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = reasons.into_iter().collect();
    reasons.sort_by_key(Reason::follows);
    let mut causes = Causes::default();
    for reason in reasons {
        causes.add(reason);
    }
    let mut merged = causes.merged;
    merged.sort_by_key(Reason::place);
    merged
}

/// Causes as they are merged, found by what they may have in common: ten thousand tokens can have
/// as many.
#[derive(Default)]
struct Causes {
    merged: Vec<Reason>,
    by_words: HashMap<(&'static str, String, Remedy), usize>,
    by_label: HashMap<Label, Vec<usize>>,
    /// Those that explain others, whatever their labels.
    explaining: Vec<usize>,
}

impl Causes {
    fn add(&mut self, reason: Reason) {
        if let Some(place) = self.cause_of(&reason) {
            self.take_in(place, reason);
            return;
        }
        let place = self.merged.len();
        let words = (reason.code, reason.message.clone(), reason.remedy.clone());
        self.by_words.entry(words).or_insert(place);
        if reason.code == NO_RECENT_RUN {
            self.explaining.push(place);
        }
        self.merged.push(Reason { labels: Vec::new(), ..reason.clone() });
        self.take_in(place, reason);
    }

    /// Where the first stands that has the cause of this one; of several troubles of the token that
    /// holds it back, the one of its own kind.
    fn cause_of(&self, reason: &Reason) -> Option<usize> {
        let words = (reason.code, reason.message.clone(), reason.remedy.clone());
        let labels = reason.held_by.iter().chain(reason.labels.first());
        let related = labels.filter_map(|label| self.by_label.get(label)).flatten();
        let found = self.by_words.get(&words).into_iter().chain(related).chain(&self.explaining);
        // What is about no token is explained by whatever is about any; there is little of it.
        let others = if reason.labels.is_empty() { 0..self.merged.len() } else { 0..0 };
        let places = found.copied().chain(others);
        let causes = places.filter(|place| self.merged[*place].has_the_cause_of(reason));
        causes.min_by_key(|place| (self.merged[*place].code != reason.code, *place))
    }

    fn take_in(&mut self, place: usize, reason: Reason) {
        let merged = &mut self.merged[place];
        merged.severity = merged.severity.worse(reason.severity);
        for label in reason.labels {
            let places = self.by_label.entry(label.clone()).or_default();
            if !places.contains(&place) {
                places.push(place);
                merged.labels.push(label);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_worse_than_ok_and_better_than_a_warning() {
        assert_eq!(Health::Ok.worse(Health::Unknown), Health::Unknown);
        assert_eq!(Health::Unknown.worse(Health::Warning), Health::Warning);
        assert_eq!(Health::Warning.worse(Health::Critical), Health::Critical);
    }

    #[test]
    fn one_cause_is_one_reason_with_all_its_labels() {
        let reason = |label: &str, severity| Reason {
            code: "x",
            severity,
            message: "m".into(),
            remedy: Remedy::default(),
            condition: None,
            meta: String::new(),
            action: Action::None,
            about: None,
            labels: vec![Label::parse(label).unwrap()],
            held_by: None,
            waits_for: None,
        };
        let merged = merge([
            reason("a", Health::Warning),
            reason("b", Health::Critical),
            reason("c", Health::Warning),
        ]);
        let labels: Vec<usize> = merged.iter().map(|reason| reason.labels.len()).collect();
        assert_eq!((labels, merged[0].severity), (vec![3], Health::Critical));
    }

    /// As it was written first: each reason is compared with every cause before it.
    fn merged_one_by_one(mut reasons: Vec<Reason>) -> Vec<Reason> {
        reasons.sort_by_key(Reason::follows);
        let mut merged: Vec<Reason> = Vec::new();
        for reason in reasons {
            let has_it = |other: &Reason| other.has_the_cause_of(&reason);
            let alike = merged.iter().position(|it| it.code == reason.code && has_it(it));
            match alike.or_else(|| merged.iter().position(has_it)) {
                Some(place) => {
                    let cause = &mut merged[place];
                    cause.severity = cause.severity.worse(reason.severity);
                    let known = cause.labels.clone();
                    cause.labels.extend(reason.labels.into_iter().filter(|it| !known.contains(it)));
                }
                None => merged.push(reason),
            }
        }
        merged.sort_by_key(Reason::place);
        merged
    }

    proptest::proptest! {
        #[test]
        fn causes_are_found_as_if_each_were_compared_with_every_other(
            seeds in proptest::collection::vec((0..6_usize, 0..4_usize, 0..3_usize, 0..9_usize, 0..5_usize), 0..24)
        ) {
            let labels = ["a", "b", "c", "d"].map(|label| Label::parse(label).unwrap());
            let codes = ["expired", "dead", NO_RECENT_RUN, UNCHECKED, OVERDUE, "other"];
            let healths = [Health::Ok, Health::Unknown, Health::Warning, Health::Critical];
            let reasons: Vec<Reason> = seeds
                .into_iter()
                .map(|(code, health, words, of, held)| Reason {
                    code: codes[code],
                    severity: healths[health],
                    message: ["m", "n", "o"][words].to_owned(),
                    remedy: Remedy::default(),
                    condition: None,
                    meta: String::new(),
                    action: Action::None,
                    about: None,
                    labels: match of {
                        0 => Vec::new(),
                        1..=4 => vec![labels[of - 1].clone()],
                        _ => vec![labels[of - 5].clone(), labels[(of - 4) % 4].clone()],
                    },
                    held_by: labels.get(held).cloned(),
                    waits_for: None,
                })
                .collect();
            proptest::prop_assert_eq!(merge(reasons.clone()), merged_one_by_one(reasons));
        }
    }

    #[test]
    fn a_missing_run_explains_nothing_that_is_worse_than_itself() {
        let reason = |code, severity| Reason {
            code,
            severity,
            message: code.into(),
            remedy: Remedy::default(),
            condition: None,
            meta: String::new(),
            action: Action::None,
            about: None,
            labels: vec![Label::parse("a").unwrap()],
            held_by: None,
            waits_for: None,
        };
        for (missing, unchecked, told) in [
            (Health::Warning, Health::Warning, vec![(NO_RECENT_RUN, Health::Warning)]),
            (Health::Critical, Health::Warning, vec![(NO_RECENT_RUN, Health::Critical)]),
            (Health::Critical, Health::Critical, vec![(NO_RECENT_RUN, Health::Critical)]),
            (
                Health::Warning,
                Health::Critical,
                vec![(UNCHECKED, Health::Critical), (NO_RECENT_RUN, Health::Warning)],
            ),
        ] {
            let all = [reason(UNCHECKED, unchecked), reason(NO_RECENT_RUN, missing)];
            let merged = merge(all).into_iter().map(|it| (it.code, it.severity));
            assert_eq!(merged.collect::<Vec<_>>(), told);
        }
    }

    #[test]
    fn what_a_token_holds_back_is_told_with_its_own_trouble() {
        let label = |text: &str| Label::parse(text).unwrap();
        let reason = |name: &str, message: &str, held_by: Option<&str>| Reason {
            code: "x",
            severity: Health::Critical,
            message: message.into(),
            remedy: Remedy::default(),
            condition: None,
            meta: String::new(),
            action: Action::None,
            about: None,
            labels: vec![label(name)],
            held_by: held_by.map(label),
            waits_for: None,
        };
        let merged = merge([
            reason("brand/1", "dead with its parent", Some("brand")),
            reason("brand", "the password was changed", None),
            reason("brand/1", "dead with its parent", Some("brand")),
            reason("shop/2", "dead with its parent", Some("shop")),
        ]);
        let told: Vec<_> =
            merged.iter().map(|reason| (reason.message.as_str(), reason.labels.clone())).collect();
        assert_eq!(
            told,
            [
                ("the password was changed", vec![label("brand"), label("brand/1")]),
                ("dead with its parent", vec![label("shop/2")]),
            ]
        );
    }
}

//! Why something is not as it should be, and what to do about it.

use crate::token::{Action, Label};

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
    /// How bad it is.
    pub severity: Health,
    /// What is wrong.
    pub message: String,
    /// What to do, with the command to type; empty where nothing needs doing.
    pub remedy: String,
    /// The kind of step that is.
    pub action: Action,
    /// The tokens concerned.
    pub labels: Vec<Label>,
}

/// Joins reasons that differ only in their labels, the worst first.
pub fn merge(reasons: impl IntoIterator<Item = Reason>) -> Vec<Reason> {
    let mut merged: Vec<Reason> = Vec::new();
    for reason in reasons {
        let same = |other: &&mut Reason| {
            other.code == reason.code
                && other.severity == reason.severity
                && other.message == reason.message
                && other.remedy == reason.remedy
        };
        match merged.iter_mut().find(same) {
            Some(other) => other.labels.extend(reason.labels),
            None => merged.push(reason),
        }
    }
    merged.sort_by_key(|reason| std::cmp::Reverse(reason.severity.rank()));
    merged
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
            remedy: String::new(),
            action: Action::None,
            labels: vec![Label::parse(label).unwrap()],
        };
        let merged = merge([
            reason("a", Health::Warning),
            reason("b", Health::Critical),
            reason("c", Health::Warning),
        ]);
        let labels: Vec<usize> = merged.iter().map(|reason| reason.labels.len()).collect();
        assert_eq!(labels, [1, 2]);
    }
}

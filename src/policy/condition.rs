//! Says in a few words what a token can do now, as far as that is known.

use std::fmt;

use chrono::TimeDelta;

use super::{Health, humanize};
use crate::token::{Problem, Time};

/// What a token can do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Graph calls it good; for how long, where that is not long.
    Works { left: Option<(TimeDelta, Time)> },
    /// Graph calls it dead, since its date where it died of that.
    Down { since: Option<Time> },
    /// No access token of it was ever good.
    NeverWorked,
    /// The last answer of Graph is too old to rely on, or there is none.
    NotChecked { since: Option<Time> },
}

/// How bad a problem is for a token that can do this. What only a person can clear keeps a token from
/// working, or, while it works, from being renewed. What passes by itself is no more than a warning,
/// and says nothing of a token that was never good.
pub fn severity(problem: &Problem, condition: Option<Condition>) -> Health {
    let works = matches!(
        condition,
        Some(Condition::Works { .. } | Condition::NotChecked { since: Some(_) })
    );
    let is_new =
        matches!(condition, Some(Condition::NeverWorked | Condition::NotChecked { since: None }));
    match problem.action.needs_a_person() {
        true if !works => Health::Critical,
        false if is_new => Health::Unknown,
        _ => Health::Warning,
    }
}

/// In a few words, with `{:#}` in a few more.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Works { left: Some((left, at)) } => {
                write!(f, "works, expires in {}", humanize::span(*left))?;
                if f.alternate() { write!(f, " ({})", humanize::instant(*at)) } else { Ok(()) }
            }
            Self::Works { left: None } => f.write_str("works"),
            Self::Down { since: Some(since) } => write!(f, "down since {}", since.date_naive()),
            Self::Down { since: None } => f.write_str("down"),
            Self::NeverWorked => f.write_str("never worked"),
            Self::NotChecked { since: Some(since) } => {
                write!(f, "not checked since {}", since.date_naive())
            }
            Self::NotChecked { since: None } => f.write_str("not checked yet"),
        }
    }
}

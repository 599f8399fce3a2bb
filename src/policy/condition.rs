//! Says in a few words what a token can do now, as far as that is known.

use std::fmt;

use chrono::TimeDelta;

use super::humanize;
use crate::token::Time;

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

//! Says until when a person can do something about a cause.

use super::token_report::TokenReport;
use crate::policy::{Condition, Health, State, humanize};
use crate::token::Time;

/// Until when a person can do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActBy {
    /// The token, or the first of them, expires then.
    Ends(Time),
    /// Access to data ends then.
    DataAccess(Time),
    /// It is too late.
    Past,
}

impl ActBy {
    /// Finds it for a cause of that code that is so bad, by the tokens that it is about.
    pub fn of(code: &str, severity: Health, tokens: &[&TokenReport], now: Time) -> Option<Self> {
        if code.starts_with("data_access") {
            let ends = tokens.iter().filter_map(|it| it.inspection.as_ref()?.data_access.until());
            let soonest = ends.min()?;
            return Some(if soonest > now { Self::DataAccess(soonest) } else { Self::Past });
        }
        let dead = |token: &&TokenReport| match token.judgement.state {
            State::Expired | State::Invalid => true,
            // An access token that is awaited may still come by itself.
            State::Missing => severity == Health::Critical,
            // That of an account that is held works no more than a dead one.
            State::Unverified => {
                matches!(token.judgement.condition, Some(Condition::Down { .. }))
            }
            State::Expiring | State::Valid => false,
        };
        if tokens.iter().any(dead) {
            return Some(Self::Past);
        }
        tokens.iter().filter_map(|it| it.expiry.at()).filter(|at| *at > now).min().map(Self::Ends)
    }

    /// The date, where it is still to come.
    pub const fn at(&self) -> Option<Time> {
        match self {
            Self::Ends(at) | Self::DataAccess(at) => Some(*at),
            Self::Past => None,
        }
    }

    /// The date and what ends then.
    pub fn words(&self, now: Time) -> String {
        match self {
            Self::Ends(at) => format!("{}, when the token expires", humanize::when(*at, now)),
            Self::DataAccess(at) => {
                format!("{}, when data access expires", humanize::when(*at, now))
            }
            Self::Past => "passed: programs that use the token fail already".to_owned(),
        }
    }

    /// The same where there is little room.
    pub fn brief(&self, now: Time) -> String {
        match self.at() {
            Some(at) => {
                format!("by {}, {}", humanize::dated(at, now), humanize::relative(at, now))
            }
            None => "now".to_owned(),
        }
    }
}

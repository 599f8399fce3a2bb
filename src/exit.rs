//! Names the exit codes: the part of the interface that scripts read.
//!
//! Two contracts that must not be mixed: every command answers with [`Exit`], `check` answers
//! with [`Verdict`], because a monitoring system and a shell read the same number differently.

use std::process::ExitCode;

use crate::token::Problem;

/// How every command but `check` ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// All well, nothing due, or waiting as planned.
    Ok,
    /// Something failed and will be tried again.
    Failed,
    /// The command line is wrong.
    Usage,
    /// The input was refused: a malformed access token, a wrong type or identity, an adoption refused.
    InputRefused,
    /// The only failures are network, 5xx or throttling; nothing was lost.
    Unavailable,
    /// A bug in metatoken.
    Bug,
    /// A new access token is stored, but a target did not get it; the next run delivers it.
    NotDelivered,
    /// Store or key could not be read or written.
    Storage,
    /// Another run holds the lock.
    Busy,
    /// A person must act, on every run while it stands.
    PersonNeeded,
    /// Refused before anything ran: the config is wrong or unsafe.
    Config,
}

impl Exit {
    /// How a run ends that met this problem.
    pub fn for_problem(problem: &Problem) -> Self {
        if problem.action.needs_a_person() {
            Self::PersonNeeded
        } else if problem.kind.is_outage() {
            Self::Unavailable
        } else {
            Self::Failed
        }
    }

    /// Every way to end, the weightiest first: the order that decides when several apply.
    pub const BY_WEIGHT: [Self; 11] = [
        Self::Usage,
        Self::Busy,
        Self::Bug,
        Self::Storage,
        Self::Config,
        Self::PersonNeeded,
        Self::NotDelivered,
        Self::InputRefused,
        Self::Failed,
        Self::Unavailable,
        Self::Ok,
    ];

    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 64,
            Self::InputRefused => 65,
            Self::Unavailable => 69,
            Self::Bug => 70,
            Self::NotDelivered => 73,
            Self::Storage => 74,
            Self::Busy => 75,
            Self::PersonNeeded => 77,
            Self::Config => 78,
        }
    }

    /// The weightier of the two.
    pub fn or_worse(self, other: Self) -> Self {
        let weight = |exit| Self::BY_WEIGHT.iter().position(|each| *each == exit);
        if weight(self) <= weight(other) { self } else { other }
    }
}

/// How `check` ends, as Nagios reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// 0: nothing to do.
    Ok,
    /// 1: soon.
    Warning,
    /// 2: now.
    Critical,
    /// 3: nothing can be said.
    Unknown,
}

impl Verdict {
    /// The number that the monitoring system sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        Self::from(verdict.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weightiest_wins() {
        let order = [
            Exit::Bug,
            Exit::Storage,
            Exit::Config,
            Exit::PersonNeeded,
            Exit::NotDelivered,
            Exit::InputRefused,
            Exit::Failed,
            Exit::Unavailable,
            Exit::Ok,
        ];
        for (place, heavier) in order.iter().enumerate() {
            for lighter in &order[place..] {
                assert_eq!(heavier.or_worse(*lighter), *heavier);
                assert_eq!(lighter.or_worse(*heavier), *heavier);
            }
        }
    }
}

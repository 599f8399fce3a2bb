//! What comes of a call that failed, and how far its cause reaches.

use std::fmt;

use crate::token::{Problem, ProblemKind};

use super::fault;
use super::settings::App;

/// Whom a fault concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The token asked about, and what hangs on it.
    Token,
    /// Every call of the app with this id.
    App(String),
    /// Every call.
    Graph,
}

impl Scope {
    pub(super) fn of(problem: &Problem, app: &App) -> Self {
        match problem.kind {
            // One token under the wrong app says nothing of the app's other tokens.
            ProblemKind::BadAppCredentials if fault::blames_the_token(problem) => Self::Token,
            ProblemKind::BadAppCredentials | ProblemKind::AppDisabled | ProblemKind::BadProof => {
                Self::App(app.id.clone())
            }
            ProblemKind::RateLimited if problem.code == Some(4) => Self::App(app.id.clone()),
            ProblemKind::Network | ProblemKind::GraphUnavailable => Self::Graph,
            _ => Self::Token,
        }
    }
}

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong and what recovers it.
    pub problem: Problem,
    /// Whom else it concerns.
    pub scope: Scope,
    /// True when nothing was asked: an earlier call met this fault, time was up, or the run is
    /// being stopped.
    pub held_back: bool,
}

impl Fault {
    /// A problem that was found without asking, and concerns this token alone.
    pub const fn of_token(problem: Problem) -> Self {
        Self { problem, scope: Scope::Token, held_back: false }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for Fault {}

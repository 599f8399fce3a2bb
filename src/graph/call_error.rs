//! Holds what is wrong with a call that failed, and how far its cause reaches.

use std::fmt;

use chrono::TimeDelta;

use crate::token::{Problem, ProblemKind, Time};

use super::problem;
use super::settings::App;

/// Whom a fault concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The token asked about, and what hangs on it.
    Token,
    /// Every call of the app with this id.
    App(String),
    /// Every call to the same host.
    Graph,
}

impl Scope {
    pub(super) fn of(problem: &Problem, app: &App) -> Self {
        match problem.kind {
            // One token under the wrong app says nothing of the app's other tokens.
            ProblemKind::BadAppCredentials if problem::blames_the_token(problem) => Self::Token,
            ProblemKind::BadAppCredentials | ProblemKind::AppDisabled | ProblemKind::BadProof => {
                Self::App(app.id.clone())
            }
            // A limit without a number of Meta's is that of its front, or of a proxy before it.
            ProblemKind::RateLimited if problem.code.is_none() => Self::Graph,
            // Further calls of the app would lengthen the block. All other limits are one user's,
            // one business's or one ad account's. Source: Meta, Graph API rate limiting.
            ProblemKind::RateLimited if matches!(problem.code, Some(4 | 341)) => {
                Self::App(app.id.clone())
            }
            ProblemKind::Network | ProblemKind::GraphUnavailable => Self::Graph,
            _ => Self::Token,
        }
    }
}

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// What is wrong and what recovers it.
    pub problem: Problem,
    /// Whom else it concerns.
    pub scope: Scope,
    /// True when nothing was asked: an earlier call met this fault, time was up, or the run is
    /// being stopped.
    pub held_back: bool,
    /// Whether a grant was asked for and Graph's answer never came: it may have been given.
    pub answer_lost: bool,
    /// How long Graph itself, throttling, wants to be left alone; none where it did not say.
    pub wait: Option<TimeDelta>,
}

impl CallError {
    /// A problem that was found without asking, and concerns this token alone.
    pub const fn of_token(problem: Problem) -> Self {
        Self { problem, scope: Scope::Token, held_back: false, answer_lost: false, wait: None }
    }
}

impl CallError {
    /// A list of Pages that was not asked for, because Meta wants no such question before then.
    pub fn listing_waits(until: Time) -> Self {
        let until = until.format("%Y-%m-%d %H:%M UTC");
        let message = format!("Meta throttles the list of its Pages until {until}");
        let problem = Problem::new(ProblemKind::RateLimited, message);
        Self { held_back: true, ..Self::of_token(problem) }
    }

    /// A question about an access token that was not asked, because Meta wants none before then.
    pub fn question_waits(until: Time) -> Self {
        let until = until.format("%Y-%m-%d %H:%M UTC");
        let message = format!("Meta throttles questions about it until {until}");
        let problem = Problem::new(ProblemKind::RateLimited, message);
        Self { held_back: true, ..Self::of_token(problem) }
    }

    /// A call that was not made, because Meta throttles the app of that name.
    pub fn throttled(app: &str, until: Time) -> Self {
        let until = until.format("%Y-%m-%d %H:%M UTC");
        let message = format!("Meta throttles app `{app}` until {until}");
        let problem = Problem::new(ProblemKind::RateLimited, message);
        Self { held_back: true, ..Self::of_token(problem) }
    }

    /// Whether Graph answered that it will not do this with this access token; neither the app nor
    /// the network is to blame.
    pub fn refuses_the_token(&self) -> bool {
        let says_nothing_of_it = self.problem.kind.is_outage()
            || matches!(
                self.problem.kind,
                ProblemKind::MalformedResponse
                    | ProblemKind::PolicyBlock
                    | ProblemKind::PermissionMissing
            );
        self.scope == Scope::Token && !self.held_back && !says_nothing_of_it
    }

    /// Whether it is the network's, Graph's, the app's or a limit's, and passes or is said elsewhere.
    pub fn says_nothing_of_the_token(&self) -> bool {
        let kind = self.problem.kind;
        kind.is_outage()
            || kind.is_about_the_app()
            || matches!(kind, ProblemKind::MalformedResponse | ProblemKind::PolicyBlock)
    }

    /// Whether Graph would answer if less was asked for at once.
    pub(super) fn asks_for_less(&self) -> bool {
        !self.held_back && problem::asks_for_less(&self.problem)
    }

    /// Whether what is wrong is the session behind the access token that asked.
    pub(super) const fn is_about_a_session(&self) -> bool {
        matches!(self.problem.code, Some(102 | 190))
    }

    /// Whether Graph answered, and only this question is what it will not answer: another one
    /// about the same access token may be.
    pub(super) const fn refuses_the_question(&self) -> bool {
        let kind = self.problem.kind;
        let of_all_questions =
            kind.is_outage() || matches!(kind, ProblemKind::AppDisabled | ProblemKind::PolicyBlock);
        let of_the_caller = matches!(kind, ProblemKind::BadAppCredentials | ProblemKind::BadProof);
        !of_all_questions && (!self.held_back || of_the_caller)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for CallError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Provider;

    #[test]
    fn a_fault_reaches_as_far_as_its_cause() {
        use ProblemKind as Kind;
        let app = App::sample(Provider::Facebook);
        let of_the_app = || Scope::App("7".into());
        for (kind, code, message, scope) in [
            (Kind::RateLimited, Some(4), "", of_the_app()),
            (Kind::RateLimited, Some(341), "", of_the_app()),
            (Kind::RateLimited, Some(17), "", Scope::Token),
            (Kind::RateLimited, Some(32), "", Scope::Token),
            (Kind::RateLimited, Some(613), "", Scope::Token),
            (Kind::RateLimited, Some(80_000), "", Scope::Token),
            (Kind::RateLimited, Some(80_014), "", Scope::Token),
            (Kind::RateLimited, None, "", Scope::Graph),
            (Kind::PolicyBlock, Some(368), "", Scope::Token),
            (Kind::PolicyBlock, Some(4), "", Scope::Token),
            (Kind::BadAppCredentials, Some(1), "", of_the_app()),
            (Kind::BadAppCredentials, Some(100), "It did not match the Viewing App", Scope::Token),
            (Kind::BadAppCredentials, Some(100), "It does not belong to app 8", Scope::Token),
            (Kind::BadProof, Some(100), "", of_the_app()),
            (Kind::AppDisabled, Some(190), "", of_the_app()),
            (Kind::GraphUnavailable, Some(2), "", Scope::Graph),
            (Kind::Network, None, "", Scope::Graph),
            (Kind::Expired, Some(190), "", Scope::Token),
            (Kind::MalformedResponse, None, "", Scope::Token),
        ] {
            let problem = Problem { code, ..Problem::new(kind, message) };
            assert_eq!(Scope::of(&problem, &app), scope, "{kind} {code:?} {message}");
        }
    }
}

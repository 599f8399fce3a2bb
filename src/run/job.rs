//! Queues the refresh of one token: the sooner it expires, the sooner its turn comes.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::Arc;

use super::tokens::TokenConfig;
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{CallError, Extent, PageGrant};
use crate::policy::Remedy;
use crate::report::TokenResult;
use crate::token::{Action, Credential, Expiry, Label, Outcome, Problem, ProblemKind, Time};

/// The Pages of a user token, or why Graph did not list them.
pub type PageListing = Result<ListedPages, CallError>;

/// The Pages of a user token.
#[derive(Debug)]
pub struct ListedPages {
    pub by_id: HashMap<String, PageGrant>,
    pub extent: Extent,
}

/// One token to refresh.
#[derive(Debug, Clone)]
pub struct TokenJob {
    /// The token.
    pub token: Arc<TokenConfig>,
    /// The Pages of its parent, if they were just listed.
    pub listing: Option<Arc<PageListing>>,
    expires: Option<Time>,
}

impl TokenJob {
    /// Queues a token by what is known of it.
    pub fn new(
        token: impl Into<Arc<TokenConfig>>,
        known: Option<&Credential>,
        listing: Option<Arc<PageListing>>,
    ) -> Self {
        let expires = known.and_then(|known| known.current.as_ref()?.expiry.at());
        Self { token: token.into(), listing, expires }
    }

    /// The soonest to expire is the greatest; otherwise the label decides, so that runs are alike.
    fn urgency(&self) -> (Reverse<Time>, Reverse<&Label>) {
        let never = chrono::DateTime::<chrono::Utc>::MAX_UTC;
        (Reverse(self.expires.unwrap_or(never)), Reverse(&self.token.label))
    }

    /// Gives the result of a token whose worker met a bug.
    pub fn met_a_bug(&self) -> TokenResult {
        let problem =
            Problem::new(ProblemKind::Unknown, "metatoken met a bug while it worked on this token");
        let remedy = "report the place that was named on standard error";
        self.not_refreshed(problem, remedy, Exit::Bug)
    }

    /// Gives the result of a token with a row that cannot be read.
    pub fn met_damage(&self, complaint: &CliError) -> TokenResult {
        let why = std::iter::once(&complaint.message).chain(&complaint.causes);
        let why = why.map(String::as_str).collect::<Vec<_>>().join(": ");
        let problem = Problem::new(ProblemKind::Unknown, why).with_action(Action::FixConfiguration);
        self.not_refreshed(problem, &complaint.hints.join("; "), Exit::Storage)
    }

    fn not_refreshed(&self, problem: Problem, step: &str, exit: Exit) -> TokenResult {
        TokenResult {
            label: self.token.label.clone(),
            token_type: self.token.token_type,
            outcome: Outcome::Failed,
            reason: problem.message.clone(),
            old_expiry: Expiry::Unknown,
            new_expiry: Expiry::Unknown,
            generation: None,
            fingerprint: None,
            condition: None,
            cause: problem.message.clone(),
            problem: Some(problem),
            remedy: Remedy::of_the_operator(step),
            exit,
            issues: Vec::new(),
            deliveries: Vec::new(),
            reached: Vec::new(),
            may_reach: Vec::new(),
        }
    }
}

impl Ord for TokenJob {
    fn cmp(&self, other: &Self) -> Ordering {
        self.urgency().cmp(&other.urgency())
    }
}

impl PartialOrd for TokenJob {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for TokenJob {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for TokenJob {}

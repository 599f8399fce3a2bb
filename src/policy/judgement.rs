//! Holds what is said of one token: how bad it is, its state, and what stands against it.

use super::{Condition, Health, Reason};

named! {
    /// What is known of a token, in one word: the first that fits.
    pub enum State {
        /// There is no access token.
        Missing = "missing",
        /// A verdict of Graph's says that it is dead, for another reason than its date.
        Invalid = "invalid",
        /// Its time is over.
        Expired = "expired",
        /// There is no verdict.
        Unverified = "unverified",
        /// It ends within `warn_within`.
        Expiring = "expiring",
        /// It works.
        Valid = "valid",
    }
}

/// What one token is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// How bad it is: the worst of the reasons.
    pub health: Health,
    /// What is known, in one word.
    pub state: State,
    /// What the token can do now.
    pub condition: Option<Condition>,
    /// What stands against it, the worst first.
    pub reasons: Vec<Reason>,
}

impl Judgement {
    /// Whether all that is known of it is that it has no access token yet, or no longer.
    pub fn has_none_yet(&self) -> bool {
        self.state == State::Missing && self.reasons.iter().any(Reason::is_that_there_is_none)
    }

    /// The same, with more that stands against the token.
    pub fn with(mut self, more: Vec<Reason>) -> Self {
        let condition = self.condition;
        let more = more.into_iter().map(|reason| Reason { condition, ..reason });
        self.reasons.extend(more);
        self.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.severity.rank()));
        self.health = self.reasons.first().map_or(Health::Ok, |reason| reason.severity);
        self
    }
}

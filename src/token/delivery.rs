//! Holds the state of each delivery of a token.

use std::fmt;

use super::{GenerationId, Time};

/// The name of a place that a token is delivered to: `name` of the config, else `PATH#KEY`, else
/// the program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetId(String);

impl TargetId {
    /// The target of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

named! {
    /// Whether a target has the access token in use.
    pub enum DeliveryState {
        InSync = "in_sync",
        /// It has not got it yet.
        Pending = "pending",
        /// It was tried, and failed.
        Failed = "failed",
        /// It holds an access token that is none of ours.
        Drifted = "drifted",
        /// It was not checked.
        Unknown = "unknown",
    }
}

/// What the store knows of one target of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub target: TargetId,
    /// The generation that it is to have and has not got; none when it is settled.
    pub pending: Option<GenerationId>,
    /// Since when that is pending.
    pub pending_since: Option<Time>,
    /// The generation that it got last.
    pub settled: Option<GenerationId>,
    /// When it got that.
    pub settled_at: Option<Time>,
    /// Why the last try failed; cleared by a success.
    pub error: Option<String>,
    /// When that was.
    pub failed_at: Option<Time>,
    /// Since when it holds an access token that is none of ours; cleared when it no longer does.
    pub drifted_since: Option<Time>,
    /// Since when a write into its file waits for its end, because the run was stopped.
    pub half_written_since: Option<Time>,
}

impl Delivery {
    /// A target that nothing is known of.
    pub const fn unseen(target: TargetId) -> Self {
        Self {
            target,
            pending: None,
            pending_since: None,
            settled: None,
            settled_at: None,
            error: None,
            failed_at: None,
            drifted_since: None,
            half_written_since: None,
        }
    }

    /// Since when it stands so.
    pub const fn at(&self) -> Option<Time> {
        match self.state() {
            DeliveryState::InSync => self.settled_at,
            DeliveryState::Pending => self.pending_since,
            DeliveryState::Failed => self.failed_at,
            DeliveryState::Drifted => self.drifted_since,
            DeliveryState::Unknown => None,
        }
    }

    /// Whether the target lacks the access token in use, so that what it serves may stop working.
    pub const fn is_behind(&self) -> bool {
        self.pending.is_some() || self.error.is_some()
    }

    /// How it stands, as far as the store knows.
    pub const fn state(&self) -> DeliveryState {
        if self.error.is_some() {
            DeliveryState::Failed
        } else if self.drifted_since.is_some() {
            DeliveryState::Drifted
        } else if self.pending.is_some() {
            DeliveryState::Pending
        } else if self.settled.is_some() {
            DeliveryState::InSync
        } else {
            DeliveryState::Unknown
        }
    }
}

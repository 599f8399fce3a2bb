//! How people are told of a token, and what of.

use std::fmt;

use chrono::TimeDelta;

use super::{Label, Time};

named! {
    /// What a notification is about.
    pub enum NoticeEvent {
        /// Something must be done soon.
        Warning = "warning",
        /// Something must be done now.
        Critical = "critical",
        /// Nothing can be said any more.
        Unknown = "unknown",
        /// A cause for concern has gone.
        Recovered = "recovered",
        /// A date that only a person can move comes nearer.
        Reminder = "reminder",
    }
}

/// The name of a way to people: `name` of the config, else what stands in its place there. It
/// never is a secret: of an address that is one it names the reference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(String);

impl ChannelId {
    /// The channel of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What tells one cause from another, whatever is said of it today.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic {
    /// The token; nothing for the machinery.
    pub label: Option<Label>,
    /// The reason's code.
    pub code: String,
    /// The one thing of several that it is about.
    pub about: Option<String>,
}

/// What a channel was last told of a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The cause.
    pub topic: Topic,
    /// What it was then.
    pub state: TopicState,
    /// In which words.
    pub message: String,
}

/// What a cause was when a channel heard of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicState {
    /// It stood, and was so bad: warning, critical or unknown.
    Stands(NoticeEvent),
    /// A person was reminded of a date.
    Reminded {
        /// The date.
        deadline: Time,
        /// The reminder that it was: how long before the date.
        before: TimeDelta,
    },
}

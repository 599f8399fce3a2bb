//! Names what a channel is notified of.

use std::fmt;

use chrono::TimeDelta;

use super::{Label, Time};

named! {
    /// What a notification is about.
    pub enum NotificationEvent {
        /// A person should act soon.
        Warning = "warning",
        /// A person must act now.
        Critical = "critical",
        /// The state is not known.
        Unknown = "unknown",
        /// A cause for concern has gone.
        Recovered = "recovered",
        /// A date that only a person can extend comes nearer.
        Reminder = "reminder",
    }
}

/// The name of a channel: `name` of the config, or what it follows from there. It never is a secret:
/// of a URL that is one it names the reference.
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

/// The identity of a cause, whatever its words are today.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic {
    /// The token; nothing for the system.
    pub label: Option<Label>,
    /// The reason's code.
    pub code: String,
    /// The one thing of several that it is about.
    pub about: Option<String>,
}

/// What a channel was last notified of a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notified {
    /// The cause.
    pub topic: Topic,
    /// What it was then.
    pub state: TopicState,
    /// In which words.
    pub message: String,
}

/// The state of a cause that a channel was notified of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicState {
    /// It was a warning, critical or unknown.
    Stands(NotificationEvent),
    /// A person was reminded of a date.
    Reminded {
        /// The date.
        deadline: Time,
        /// The reminder that it was: how long before the date.
        before: TimeDelta,
    },
}

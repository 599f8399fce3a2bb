//! How people are told of a token, and what of.

use std::fmt;

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

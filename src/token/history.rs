//! What is written down for later.

named! {
    /// What happened to a token; a row of `history`.
    pub enum EventKind {
        /// A string from outside became the current one.
        Adopted = "adopted",
        /// A string from outside was not taken.
        AdoptionRefused = "adoption_refused",
        /// A short-lived string was exchanged for a long-lived one.
        Exchanged = "exchanged",
        /// A long-lived string was renewed.
        Refreshed = "refreshed",
        /// A Page token was taken from its parent.
        Derived = "derived",
        /// Meta accepted a renewal but did not extend the token.
        NotExtended = "not_extended",
        /// A renewal, exchange or derivation failed and will be tried again.
        RefreshFailed = "refresh_failed",
        /// Graph says that the current string is dead.
        Invalid = "invalid",
        /// Graph's verdict on the current string changed, or was given for the first time.
        Verified = "verified",
        /// A target got the current string.
        Delivered = "delivered",
        /// A target did not get it and is tried again.
        DeliveryFailed = "delivery_failed",
        /// People could not be told of something, and are told again.
        NotificationFailed = "notification_failed",
        /// A Page that is gone and dead is out of every verdict from now on.
        Retired = "retired",
        /// An old string was wiped; its fingerprint stays.
        Purged = "purged",
    }
}

impl EventKind {
    /// Whether it counts in the success rate, and as what.
    pub const fn counts_as(self) -> Option<bool> {
        match self {
            Self::Exchanged | Self::Refreshed | Self::Derived => Some(true),
            Self::NotExtended | Self::RefreshFailed => Some(false),
            Self::Adopted
            | Self::AdoptionRefused
            | Self::Invalid
            | Self::Verified
            | Self::Delivered
            | Self::DeliveryFailed
            | Self::NotificationFailed
            | Self::Retired
            | Self::Purged => None,
        }
    }
}

named! {
    /// Who started a run.
    pub enum Trigger {
        /// A timer: standard error is the journal, or `--scheduled` was given.
        Scheduled = "scheduled",
        /// A person.
        Manual = "manual",
    }
}

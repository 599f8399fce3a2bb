//! What a run did with a token.

named! {
    /// The weightiest thing that happened to one token in one run.
    pub enum Outcome {
        /// Renewed: Meta gave a string that ends later.
        Refreshed = "refreshed",
        /// Exchanged: a short-lived string became a long-lived one.
        Exchanged = "exchanged",
        /// Taken from its parent.
        Derived = "derived",
        /// A string from outside became the current one.
        Adopted = "adopted",
        /// Asked about, and nothing else.
        Verified = "verified",
        /// Nothing to do yet.
        NotDue = "not_due",
        /// Meta renews it only a day after it was issued.
        TooYoung = "too_young",
        /// Meta accepted the renewal but the token ends no later.
        NotExtended = "not_extended",
        /// Left alone for a reason that is not its own.
        Skipped = "skipped",
        /// Went wrong; will be tried again.
        Failed = "failed",
        /// Needs a person.
        Invalid = "invalid",
        /// A dry run would have renewed it.
        WouldRefresh = "would_refresh",
        /// A dry run would have exchanged it.
        WouldExchange = "would_exchange",
        /// A dry run would have taken it from its parent.
        WouldDerive = "would_derive",
        /// A dry run would have taken a string from outside.
        WouldAdopt = "would_adopt",
    }
}

impl Outcome {
    /// The same outcome as a dry run reports it.
    pub const fn rehearsed(self) -> Self {
        match self {
            Self::Refreshed => Self::WouldRefresh,
            Self::Exchanged => Self::WouldExchange,
            Self::Derived => Self::WouldDerive,
            Self::Adopted => Self::WouldAdopt,
            other => other,
        }
    }
}

//! Names what a run did with a token, and the events that are stored of it.

named! {
    /// What happened to a token; a row of `history`.
    pub enum EventKind {
        /// An access token from outside became the current one.
        Adopted = "adopted",
        /// An access token from outside was not taken.
        AdoptionRefused = "adoption_refused",
        /// A short-lived access token was exchanged for a long-lived one.
        Exchanged = "exchanged",
        /// A long-lived access token was renewed.
        Refreshed = "refreshed",
        /// A Page token was taken from its parent.
        Derived = "derived",
        /// Meta accepted a renewal but did not extend the token.
        NotExtended = "not_extended",
        /// A renewal, exchange or derivation failed and will be tried again.
        RefreshFailed = "refresh_failed",
        /// Graph says that the current access token is dead.
        Invalid = "invalid",
        /// Graph's verdict on the current access token changed, or was given for the first time.
        Verified = "verified",
        /// A target got the current access token.
        Delivered = "delivered",
        /// A target did not get it and is tried again.
        DeliveryFailed = "delivery_failed",
        /// People could not be told of something, and are told again.
        NotificationFailed = "notification_failed",
        /// A Page that is gone and dead is out of every verdict from now on.
        Retired = "retired",
        /// It has another label since: the config says what it was called before.
        Renamed = "renamed",
        /// An old access token was wiped; its fingerprint stays.
        Purged = "purged",
        /// An admin's access token had Meta make a new one, which became the current one.
        Minted = "minted",
        /// The answer to such a request was lost: an access token may exist that nobody has.
        MintLost = "mint_lost",
        /// An access token was made invalid at Meta, from here.
        Revoked = "revoked",
        /// All its access tokens were wiped, because a person said so.
        Forgotten = "forgotten",
        /// Another program had it, or had got it then.
        Imported = "imported",
        /// A person logged in, and the access token of that login became the current one.
        LoggedIn = "logged_in",
        /// A token that works does not do what it is for.
        ProbeFailed = "probe_failed",
        /// Another key opens the store, or its rows were sealed anew.
        KeyRotated = "key_rotated",
        /// A person put an earlier access token back.
        RolledBack = "rolled_back",
        /// The backup's access token became the current one.
        Promoted = "promoted",
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
            | Self::Renamed
            | Self::Purged
            | Self::Minted
            | Self::MintLost
            | Self::Revoked
            | Self::Forgotten
            | Self::Imported
            | Self::LoggedIn
            | Self::ProbeFailed
            | Self::KeyRotated
            | Self::RolledBack
            | Self::Promoted => None,
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
        /// Another program, before its tokens were imported.
        Imported = "imported",
    }
}

/// Whether a run is a dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// The run changes what it has to.
    No,
    /// `--dry-run`: a copy of the store in memory, and only calls that change nothing at Meta.
    Yes,
}

named! {
    /// The weightiest thing that happened to one token in one run.
    pub enum Outcome {
        /// Renewed: Meta gave an access token that ends later.
        Refreshed = "refreshed",
        /// Exchanged: a short-lived access token became a long-lived one.
        Exchanged = "exchanged",
        /// Taken from its parent.
        Derived = "derived",
        /// An access token from outside became the current one.
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
        /// A dry run would have taken an access token from outside.
        WouldAdopt = "would_adopt",
        /// A person logged in, and the access token of that login became the current one.
        LoggedIn = "logged_in",
        /// Made new, by an admin's access token.
        Minted = "minted",
        /// A dry run would have had it made.
        WouldMint = "would_mint",
        /// Made invalid at Meta.
        Revoked = "revoked",
        /// A dry run would have made it invalid.
        WouldRevoke = "would_revoke",
        /// Its access tokens were wiped.
        Forgotten = "forgotten",
        /// A dry run would have wiped them.
        WouldForget = "would_forget",
        /// Taken over from another program.
        Imported = "imported",
        /// A dry run would have taken it over.
        WouldImport = "would_import",
        /// An earlier access token is the current one again.
        RolledBack = "rolled_back",
        /// A dry run would have put it back.
        WouldRollBack = "would_roll_back",
        /// The backup's access token became the current one.
        Promoted = "promoted",
        /// A dry run would have put it in the current one's place.
        WouldPromote = "would_promote",
        /// Its access token reached a file or a program that had not got it.
        Delivered = "delivered",
        /// A dry run would have delivered it.
        WouldDeliver = "would_deliver",
        /// A file holds again what it held before a delivery.
        Restored = "restored",
        /// A dry run would have put that back.
        WouldRestore = "would_restore",
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
            Self::Minted => Self::WouldMint,
            Self::Revoked => Self::WouldRevoke,
            Self::Forgotten => Self::WouldForget,
            Self::Imported => Self::WouldImport,
            Self::RolledBack => Self::WouldRollBack,
            Self::Promoted => Self::WouldPromote,
            Self::Delivered => Self::WouldDeliver,
            Self::Restored => Self::WouldRestore,
            other => other,
        }
    }
}

//! Names how an access token came to us, and how it became the current one.

use super::{EventKind, Outcome};

named! {
    /// How an access token came to us.
    pub enum Origin {
        /// Found where the config points, or read from standard input.
        Adopted = "adopted",
        /// Exchanged for a short-lived one.
        Exchanged = "exchanged",
        /// Exchanged for a long-lived one: a renewal.
        Refreshed = "refreshed",
        /// Taken from the list of Pages of its parent.
        Derived = "derived",
        /// Made new by Meta, in an admin's name.
        Minted = "minted",
    }
}

named! {
    /// How an access token became the current one: the word of the event, and of `METATOKEN_EVENT`.
    pub enum Arrival {
        /// It was found where the config points or in a target, or a person handed it over.
        Adopted = "adopted",
        /// It was exchanged for a short-lived one.
        Exchanged = "exchanged",
        /// It was exchanged for a long-lived one.
        Refreshed = "refreshed",
        /// It was taken from its parent, or from the app's id and secret.
        Derived = "derived",
        /// An admin's access token had Meta make it.
        Minted = "minted",
        /// A person logged in.
        LoggedIn = "logged_in",
        /// It is an earlier one that a person went back to.
        RolledBack = "rolled_back",
        /// It was the backup's.
        Promoted = "promoted",
    }
}

impl Arrival {
    /// What the history calls it.
    pub const fn event(self) -> EventKind {
        match self {
            Self::Adopted => EventKind::Adopted,
            Self::Exchanged => EventKind::Exchanged,
            Self::Refreshed => EventKind::Refreshed,
            Self::Derived => EventKind::Derived,
            Self::Minted => EventKind::Minted,
            Self::LoggedIn => EventKind::LoggedIn,
            Self::RolledBack => EventKind::RolledBack,
            Self::Promoted => EventKind::Promoted,
        }
    }

    /// What a report calls it.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Adopted => Outcome::Adopted,
            Self::Exchanged => Outcome::Exchanged,
            Self::Refreshed => Outcome::Refreshed,
            Self::Derived => Outcome::Derived,
            Self::Minted => Outcome::Minted,
            Self::LoggedIn => Outcome::LoggedIn,
            Self::RolledBack => Outcome::RolledBack,
            Self::Promoted => Outcome::Promoted,
        }
    }

    /// Whether Meta gave it for another access token, by how it came to us: then the token was renewed.
    pub const fn is_renewal(self, origin: Origin) -> bool {
        let is_given = matches!(origin, Origin::Exchanged | Origin::Refreshed | Origin::Derived);
        is_given && !matches!(self, Self::RolledBack | Self::Promoted)
    }
}

impl From<Origin> for Arrival {
    /// How one arrives that came to us so, unless the command that brought it has a word of its own.
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Adopted => Self::Adopted,
            Origin::Exchanged => Self::Exchanged,
            Origin::Refreshed => Self::Refreshed,
            Origin::Derived => Self::Derived,
            Origin::Minted => Self::Minted,
        }
    }
}

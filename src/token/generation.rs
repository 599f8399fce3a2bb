//! Numbers the access tokens that a token has or had: its generations.
//!
//! A token is a label; its access tokens come and go. Each is a generation, numbered from 1:
//! `candidate -> current -> previous -> purged`, or `candidate -> refused -> purged`.

use super::{Arrival, Expiry, Fingerprint, Origin, Proof, Time};

/// The store's own number for a token; the label may change, this does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(pub i64);

/// The store's own number for a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GenerationId(pub i64);

named! {
    /// Where a generation stands in its life.
    pub enum GenerationState {
        /// Sealed, not yet examined.
        Candidate = "candidate",
        /// The access token that programs use.
        Current = "current",
        /// Was current; kept for rollback.
        Previous = "previous",
        /// Examined and not taken.
        Refused = "refused",
        /// Only the fingerprint is left.
        Purged = "purged",
    }
}

/// Whether a person lets the new access token be worth less than the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Losses {
    /// Nothing may be lost.
    Refused,
    /// `--replace`.
    Accepted,
}

/// Whether a token may become that of another person. The app and the Page are the config's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityChange {
    /// It must belong to the same as before.
    Refused,
    /// `--replace-identity`.
    Accepted,
}

named! {
    /// What a person gives up for an access token that is handed over: whoever finishes that later goes
    /// by it.
    pub enum Concession {
        /// It must be worth as much as the current one, and belong to the same person.
        Nothing = "nothing",
        /// It may be worth less.
        Losses = "losses",
        /// It may belong to another person.
        Identity = "identity",
        /// Both.
        LossesAndIdentity = "losses_and_identity",
    }
}

impl Concession {
    /// Puts both together.
    pub const fn new(losses: Losses, identity: IdentityChange) -> Self {
        match (losses, identity) {
            (Losses::Refused, IdentityChange::Refused) => Self::Nothing,
            (Losses::Accepted, IdentityChange::Refused) => Self::Losses,
            (Losses::Refused, IdentityChange::Accepted) => Self::Identity,
            (Losses::Accepted, IdentityChange::Accepted) => Self::LossesAndIdentity,
        }
    }

    /// Whether it may be worth less than the current one.
    pub const fn losses(self) -> Losses {
        match self {
            Self::Losses | Self::LossesAndIdentity => Losses::Accepted,
            Self::Nothing | Self::Identity => Losses::Refused,
        }
    }

    /// Whether it may belong to another person than before.
    pub const fn identity(self) -> IdentityChange {
        match self {
            Self::Identity | Self::LossesAndIdentity => IdentityChange::Accepted,
            Self::Nothing | Self::Losses => IdentityChange::Refused,
        }
    }
}

/// What has to be found out about the person who logged in before the access token is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginCheck {
    /// It must be the person of that id.
    Is(String),
    /// Somebody has to confirm that it is the right one.
    Confirm,
}

impl LoginCheck {
    const CONFIRM: &'static str = "confirm";

    /// Reads what [`Self::as_str`] gives.
    pub fn from_text(text: &str) -> Self {
        if text == Self::CONFIRM { Self::Confirm } else { Self::Is(text.to_owned()) }
    }

    /// The id, or a word that is none.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Is(id) => id,
            Self::Confirm => Self::CONFIRM,
        }
    }
}

/// One access token that a token has or had, without the access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// The store's number for it.
    pub id: GenerationId,
    /// 1 for the first access token of this token.
    pub number: u32,
    /// Where it stands.
    pub state: GenerationState,
    /// How it came to us.
    pub origin: Origin,
    /// How it becomes the current one.
    pub arrival: Arrival,
    /// What a person gives up for it, if it is handed over and no renewal.
    pub handed_over: Option<Concession>,
    /// What has to be found out about the person first.
    pub login_check: Option<LoginCheck>,
    /// What stands for the access token.
    pub fingerprint: Fingerprint,
    /// When the store first had it.
    pub obtained_at: Time,
    /// When it ends, by the last word of Meta's.
    pub expiry: Expiry,
    /// The parent's generation that it was derived from.
    pub parent: Option<GenerationId>,
    /// When a person had it revoked from here, whether or not Meta has done so yet.
    pub revoked_at: Option<Time>,
    /// The last answer about it.
    pub proof: Option<Proof>,
}

impl Generation {
    /// Whether it was found where new ones are looked for: Meta did not grant it, and it was not handed
    /// over.
    pub fn is_found(&self) -> bool {
        self.origin == Origin::Adopted && self.handed_over.is_none()
    }

    /// Graph's last verdict on the access token; none where it was never asked or gave none.
    pub fn verdict(&self) -> Option<bool> {
        self.proof.as_ref()?.inspection.verdict()
    }

    /// When it was issued by Meta's word, or else when the store first had it.
    pub fn born_at(&self) -> Time {
        self.proof.as_ref().and_then(|proof| proof.inspection.issued_at).unwrap_or(self.obtained_at)
    }

    /// How long it lives from issue to end, as far as was seen; nothing without an end.
    pub fn life(&self) -> Option<chrono::TimeDelta> {
        self.expiry.at().map(|end| end - self.born_at())
    }
}

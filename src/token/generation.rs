//! Numbers the access tokens that a token has or had: its generations.
//!
//! A token is a label; its access tokens come and go. Each is a generation, numbered from 1:
//! `candidate -> current -> previous -> purged`, or `candidate -> refused -> purged`.

use super::{Expiry, Fingerprint, Proof, Time};

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

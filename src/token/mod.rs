//! The vocabulary: what a token is, what Graph said of it, and what can go wrong with it.
//!
//! Nothing here does I/O, reads a clock or knows a file format, so every other room can speak
//! these words without depending on one another. The words are the trade's own: access token,
//! grant, inspection, proof, generation, expiry.

mod access_token;
mod delivery;
mod expiry;
mod family;
mod generation;
mod grant;
mod history;
mod identity;
mod inspection;
mod kind;
mod label;
mod notice;
mod outcome;
mod problem;
pub mod redact;

pub use access_token::{AccessToken, Fingerprint, Malformed, Secret};
pub use delivery::{Delivery, DeliveryState, TargetId};
pub use expiry::{DataAccess, Expiry};
pub use family::{
    Credentials, Family, GrantType, InspectionWay, Method, Path, ProfileCall, Provider, Source,
};
pub use generation::{
    Credential, Damage, Generation, GenerationId, GenerationState, IN_USE, Ledger, Origin, TokenId,
};
pub use grant::Grant;
pub use history::{EventKind, Trigger};
pub use identity::{Difference, Identity};
pub use inspection::{GranularScope, Inspection, Proof};
pub use kind::TokenType;
pub use label::{BadLabel, Label, Pattern};
pub use notice::{ChannelId, NoticeEvent, Told, Topic, TopicState};
pub use outcome::Outcome;
pub use problem::{Action, Problem, ProblemKind};

/// An instant, in UTC: the only time that crosses a module boundary.
pub type Time = chrono::DateTime<chrono::Utc>;

//! The vocabulary: what a token is, what Graph said of it, and what can go wrong with it.
//!
//! Nothing here does I/O, reads a clock or knows a file format, so every other room can speak
//! these words without depending on one another. The words are the trade's own: access token,
//! grant, inspection, proof, generation, expiry.

mod access_token;
mod credential;
mod delivery;
mod expiry;
mod family;
mod generation;
mod history;
mod inspection;
mod label;
mod notice;
mod problem;
pub mod redact;

pub use access_token::{AccessToken, Fingerprint, Grant, Malformed, Secret};
pub use credential::{Credential, Damage, IN_USE, Ledger};
pub use delivery::{Delivery, DeliveryState, TargetId};
pub use expiry::{DataAccess, Expiry};
pub use family::{
    Credentials, Family, GrantType, InspectionWay, Method, Path, ProfileCall, Provider, Source,
    TokenType,
};
pub use generation::{Generation, GenerationId, GenerationState, Origin, TokenId};
pub use history::{EventKind, Outcome, Trigger};
pub use inspection::{Difference, GranularScope, Identity, Inspection, Proof};
pub use label::{BadLabel, Label, Pattern};
pub use notice::{ChannelId, NoticeEvent, Told, Topic, TopicState};
pub use problem::{Action, Problem, ProblemKind};

/// An instant, in UTC: the only time that crosses a module boundary.
pub type Time = chrono::DateTime<chrono::Utc>;

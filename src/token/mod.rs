//! Holds the vocabulary: what a token is, what Graph said of it, and what can go wrong with it.
//!
//! Nothing here does I/O, reads a clock or knows a file format, so every other module can speak
//! these words without depending on one another. The words are the trade's own: access token,
//! grant, inspection, proof, generation, expiry.

mod access_token;
mod arrival;
mod credential;
mod delivery;
mod expiry;
mod generation;
mod graph_version;
mod history;
mod inspection;
mod label;
mod login;
mod notification;
mod pasted;
mod probe;
mod problem;
mod providers;
pub mod redact;
mod secret_kind;
mod spec;
mod stand_in;
mod typed_secret;
mod unfit;

pub use access_token::{
    AccessToken, Fingerprint, Grant, Malformed, Secret, is_blank, is_invisible,
};
pub use arrival::{Arrival, Origin};
pub use credential::{
    AttemptKind, Attempts, Credential, Damage, GivenNow, GivenTo, IN_USE, MintingAttempts,
    OpenAttempt, RotatedGeneration, SentExchange, SharedToken, SourceValue, Undeclared,
};
pub use delivery::{Delivery, DeliveryState, TargetId};
pub use expiry::{DataAccess, Expiry};
pub use generation::{
    Concession, Generation, GenerationId, GenerationState, IdentityChange, LoginCheck, Losses,
    TokenId,
};
pub use graph_version::{VersionAnswer, VersionCheck};
pub use history::{DryRun, EventKind, Outcome, Trigger};
pub use inspection::{GranularScope, Identity, Inspection, Proof};
pub use label::{Label, Pattern};
pub use login::{LoginAnswer, LoginClaims, LoginOutcome, UnfitAnswer, read_login_answer};
pub use notification::{ChannelId, NotificationEvent, Notified, Topic, TopicState};
pub use pasted::{read_pasted, unfit_id, unfit_secret};
pub use probe::{Probe, ProbeAnswer, ProbeGrade, ProbeOrigin, ProbePath, ProbeQuestion};
pub use problem::{Action, Problem, ProblemKind};
pub use providers::{THE_PERSON, token_prefixes};
pub use secret_kind::{SecretKind, secret_in};
pub use spec::{
    AskerPlace, Credentials, DebugTokenCall, GrantType, InspectionWay, Method, Path, PersonWords,
    ProfileCall, Provider, Source, TokenType, Versions,
};
pub use stand_in::{is_placeholder, is_reference};
pub use typed_secret::secret_typed;
pub use unfit::Unfit;

/// An instant, in UTC: the only time that crosses a module boundary.
pub type Time = chrono::DateTime<chrono::Utc>;

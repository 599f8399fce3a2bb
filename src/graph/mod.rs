//! Asks Meta's hosts.
//!
//! Protocol code speaks in requests and responses: `calls` builds a [`Request`] and reads a
//! [`Response`], so that Meta's rules can be read and tested as text. `problem` turns every refusal
//! into one [`Problem`](crate::token::Problem) as `classify` rules, `attempts` makes a call as often
//! as `retry` allows and when one of the `call_slots` is free, `breaker` keeps calls back that must
//! fail, `observations` remembers what the headers tell, and only `transport` knows that there is a
//! network, over [`http`](crate::http). [`Graph`] puts them together. What differs between Meta's
//! services stands in the table of providers, in [`token`](crate::token).

mod attempts;
mod body;
mod breaker;
mod call_error;
mod call_slots;
pub mod calls;
mod classify;
mod client;
mod envelope;
mod log;
mod observations;
mod phrases;
mod problem;
mod request;
mod response;
mod retry;
mod settings;
#[cfg(test)]
mod tests;
mod transport;
mod usage;

pub use call_error::{CallError, Scope};
pub use calls::{AskAgain, Dialog, DialogScopes, dialog_address};
pub use calls::{Continuation, PageGrant, ProbeFinding, read_acknowledgement};
pub use calls::{MintInput, MintedLife};
pub use client::Graph;
pub use client::{Extent, PageList, Revocation};
pub use observations::{Throttle, Throttled, VersionFallback};
pub use request::{Idempotence, Request};
pub use response::{Headers, Response};
pub use settings::{App, Endpoints, Settings};

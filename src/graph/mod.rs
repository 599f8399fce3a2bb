//! Meta's side of the wire.
//!
//! Protocol code speaks in requests and responses: `facebook` builds a [`Request`] and reads a
//! [`Response`], so that Meta's rules can be read and tested as text. `fault` turns every refusal
//! into one [`Problem`](crate::token::Problem) as `judgement` rules, `retry` says what to do next,
//! `parking` keeps calls back that must fail, `observations` remembers what the headers tell, and
//! only `http` knows that there is a network, over the room of that name. [`Graph`] puts them together.

mod acknowledgement;
mod call;
mod client;
mod document;
mod envelope;
pub mod facebook;
mod fault;
mod form;
mod gate;
mod http;
mod judgement;
mod log;
#[cfg(test)]
mod loopback;
mod observations;
mod parking;
mod phrases;

mod request;
mod response;
mod retry;
mod settings;
mod usage;

pub use acknowledgement::read_acknowledgement;
pub use call::{CallError, Scope};
pub use client::Graph;
pub use facebook::{AccountsPage, PageGrant};
pub use fault::is_verdict;
pub use observations::{Throttle, VersionFallback};
pub use request::{Idempotence, Request};
pub use response::{Headers, Response};
pub use settings::{App, Endpoints, Settings};
pub use usage::Usage;

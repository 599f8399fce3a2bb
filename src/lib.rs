//! metatoken keeps Meta access tokens alive.
//!
//! This library exists for the binary beside it and for its tests; it is no API.

#[macro_use]
mod name;

pub mod clock;
pub mod complaint;
pub mod config;
pub mod crypto;
pub mod edit;
pub mod environment;
pub mod exit;
pub mod failpoint;
pub mod graph;
pub mod policy;
pub mod sandbox;
pub mod store;
pub mod token;

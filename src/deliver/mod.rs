//! Delivers access tokens to the files and programs that use them.
//!
//! A renewed access token that stays in our store is an outage. What is pending is delivered in the
//! config's order (`token_delivery`). A file that fails does not keep the next one waiting, but a
//! command waits for the files above it. `file` writes a value into a file, `foreign` finds the access
//! tokens in files that others put there, `restore` brings back
//! what the file held, and `half_written` finishes one that an interrupted run left half-written, by
//! what `unfinished` finds in it. `places` remembers where files are, and `former` empties those of a
//! token that is forgotten. `hook` runs a program, `hook_queue` those that serve several
//! tokens. `preview` says what a delivery would do, `state` how the targets stand. `deliveries` holds
//! what the deliveries of one run share, and `context` what the run gives them. Nothing here asks
//! Meta for anything.

mod context;
mod deliveries;
mod error;
mod file;
mod foreign;
mod former;
mod half_written;
mod hook;
mod hook_queue;
mod places;
mod preview;
mod restore;
mod state;
mod token_delivery;
mod unfinished;

pub use context::{DeliveryContext, RunTime};
pub use deliveries::Deliveries;
pub use error::DeliveryError;
pub use file::{foresee_first, sample_token};
pub use foreign::{ForeignToken, NextDelivery};
pub use preview::{Preview, foresee};
pub use restore::Restored;
pub use state::{observed_deliveries, stored_deliveries};
pub use token_delivery::{Replace, TokenDelivery};

//! Delivers access tokens to the files and programs that use them.
//!
//! A renewed access token that stays in our store is an outage. What is pending is delivered in the
//! config's order (`token_delivery`). A file that fails does not keep the next one waiting, but a
//! command waits for the files above it. `file` writes a value into a file, `restore` brings back
//! what the file held, and `half_written` finishes one that an interrupted run left half-written, by
//! what `unfinished` finds in it. `hook` runs a program, `hook_queue` those that serve several
//! tokens. `preview` says what a delivery would do, `state` how the targets stand. Nothing here asks
//! Meta for anything.

mod error;
mod file;
mod half_written;
mod hook;
mod hook_queue;
mod log;
mod preview;
mod restore;
mod state;
mod token_delivery;
mod unfinished;

use std::sync::{Arc, Mutex};

use self::half_written::{HalfWritten, finish_files};
use self::hook_queue::PendingHook;
use crate::config::{Config, TokenConfig};
use crate::environment::Environment;
use crate::store::{RunId, Store, StoreError};
use crate::token::{AccessToken, DryRun, GenerationState, Secret, Time, TokenId};

pub use error::DeliveryError;
pub use file::foresee_first;
pub use preview::{Preview, TargetPreview, sample_token};
pub use restore::Restored;
pub use state::{observed_deliveries, stored_deliveries};
pub use token_delivery::{Replace, TokenDelivery};

/// The time of a run.
pub trait RunTime: Sync {
    /// The time to go by.
    fn now(&self) -> Time;

    /// Whether nothing new may be begun.
    fn is_over(&self) -> bool;
}

/// What a run gives to its deliveries.
pub struct DeliveryContext<'a> {
    /// The store, or its copy in a dry run.
    pub store: &'a Store,
    /// The row of the run.
    pub run: RunId,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
    /// The config.
    pub config: &'a Config,
    /// The variables that programs get, but for those that hold secrets.
    pub environment: &'a Environment,
    /// All tokens, with the Pages that were found.
    pub tokens: &'a [Arc<TokenConfig>],
    /// The time of the run.
    pub time: &'a dyn RunTime,
}

/// The deliveries of one run: what an earlier one left unfinished, and the hooks that wait.
pub struct Deliveries<'a> {
    context: DeliveryContext<'a>,
    half_written: Vec<HalfWritten>,
    /// Hooks that serve several tokens; run once for all, when every token has had its turn.
    pending_hooks: Mutex<Vec<PendingHook>>,
}

impl<'a> Deliveries<'a> {
    /// Finishes the files that an earlier run left half-written.
    pub fn open(context: DeliveryContext<'a>) -> Result<Self, StoreError> {
        let half_written = finish_files(&context)?;
        Ok(Self { context, half_written, pending_hooks: Mutex::default() })
    }

    /// Delivers one token.
    pub const fn of_token(
        &'a self,
        token_config: &'a TokenConfig,
        token: TokenId,
        replace: Replace,
    ) -> TokenDelivery<'a> {
        TokenDelivery::new(self, token_config, token, replace)
    }
}

/// Whether this is an access token that any token has or had, or that was ever examined.
fn was_ever_had(store: &Store, found: &Secret) -> Result<bool, StoreError> {
    let Ok(access_token) = AccessToken::parse(found.expose()) else { return Ok(false) };
    Ok(!store.sightings(&store.fingerprint(&access_token)?)?.is_empty())
}

/// Whether this is an access token that the token has, or had and that was followed by another. One
/// that waits to be examined, or was refused, is not.
fn has_had(store: &Store, token: TokenId, found: &Secret) -> Result<bool, StoreError> {
    let Ok(access_token) = AccessToken::parse(found.expose()) else { return Ok(false) };
    let sightings = store.sightings(&store.fingerprint(&access_token)?)?;
    Ok(sightings.iter().any(|sighting| {
        sighting.token == token
            && !matches!(sighting.state, GenerationState::Candidate | GenerationState::Refused)
    }))
}

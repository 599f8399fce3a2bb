//! Bringing a token's string to its targets.
//!
//! What is owed is settled in the config's order. A file that fails does not keep the next one
//! waiting, but a command waits for the files above it. Nothing here asks Meta for anything.

mod courier;
mod errand;
mod foresight;
mod half_written;
mod seen;

use crate::store::{Store, StoreError};
use crate::token::{AccessToken, GenerationState, Secret, TokenId};

pub(super) use courier::{Courier, Manner};
pub(super) use errand::PendingHook;
pub(super) use half_written::{HalfWritten, Remembered};
pub(super) use seen::{of_config, seen};

/// Whether this is a string that the token has, or had and that was followed by another. One that
/// waits to be examined, or was refused, is still whoever's it was.
fn has_had(store: &Store, token: TokenId, found: &Secret) -> Result<bool, StoreError> {
    let Ok(string) = AccessToken::parse(found.expose()) else { return Ok(false) };
    let sightings = store.sightings(&store.fingerprint(&string)?)?;
    Ok(sightings.iter().any(|sighting| {
        sighting.token == token
            && !matches!(sighting.state, GenerationState::Candidate | GenerationState::Refused)
    }))
}

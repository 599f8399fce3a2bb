//! Names what a run gives to its deliveries.

use std::sync::Arc;

use crate::config::{Config, TokenConfig};
use crate::environment::Environment;
use crate::store::{RunId, Store, StoreError};
use crate::token::{AccessToken, DryRun, GenerationState, Secret, Time, TokenId};

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

/// Returns whether this is an access token that the token has, or had and that was followed by
/// another. One that waits to be examined, or was refused, is not.
pub fn has_had(store: &Store, token: TokenId, found: &Secret) -> Result<bool, StoreError> {
    let Ok(access_token) = AccessToken::parse(found.expose()) else { return Ok(false) };
    let sightings = store.sightings(&store.fingerprint(&access_token)?)?;
    Ok(sightings.iter().any(|sighting| {
        sighting.token == token
            && !matches!(sighting.state, GenerationState::Candidate | GenerationState::Refused)
    }))
}

//! Names what a run gives to its deliveries, and records through it how each of them went.

use std::sync::Arc;
use std::time::Instant;

use super::error::DeliveryError;
use crate::config::{Config, TokenConfig};
use crate::environment::Environment;
use crate::store::{DeliveryFailure, RunId, Settlement, Store, StoreError};
use crate::token::{
    AccessToken, DryRun, GenerationId, GenerationState, Label, Secret, TargetId, Time, TokenId,
};

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

/// A delivery to one target that has begun.
#[derive(Clone, Copy)]
pub struct DeliveryRecord<'a> {
    pub context: &'a DeliveryContext<'a>,
    pub token: TokenId,
    pub label: &'a Label,
    pub target: &'a TargetId,
    pub began: Instant,
}

impl DeliveryRecord<'_> {
    /// Records that the target has the access token of this generation.
    pub fn settled(self, generation: GenerationId) -> Result<(), StoreError> {
        let Self { context, token, label, target, began } = self;
        let settlement = Settlement { token, target: target.clone(), generation };
        context.store.settle(context.run, settlement, context.time.now())?;
        let (event, what) = match context.dry_run {
            DryRun::No => ("delivered", "delivered"),
            DryRun::Yes => ("would_deliver", "would be delivered"),
        };
        let duration_ms = began.elapsed().as_millis();
        tracing::info!(event, %label, %target, duration_ms, "{what} to `{target}`");
        Ok(())
    }

    /// Records that the target holds an unknown value, and keeps it.
    pub fn left_alone(self) -> Result<(), StoreError> {
        let Self { context, token, label, target, began } = self;
        context.store.note_drift(token, target, Some(context.time.now()))?;
        let duration_ms = began.elapsed().as_millis();
        tracing::warn!(
            event = "drifted", %label, %target, duration_ms,
            "not delivered to `{target}`: it holds a value that this token never had"
        );
        Ok(())
    }

    /// Records that the target did not get the access token.
    pub fn failed(self, error: &DeliveryError) -> Result<(), StoreError> {
        let Self { context, token, label, target, began } = self;
        let failure = DeliveryFailure { token, target: target.clone(), problem: error.problem() };
        context.store.note_delivery_failure(context.run, failure, context.time.now())?;
        let duration_ms = began.elapsed().as_millis();
        tracing::warn!(
            event = "delivery_failed", %label, %target, duration_ms,
            "not delivered to `{target}`: {}", error.message
        );
        Ok(())
    }
}

//! Records how a delivery to one target went, in the store and in the log.

use std::time::Instant;

use super::context::DeliveryContext;
use super::error::DeliveryError;
use crate::store::{DeliveryFailure, Settlement, StoreError};
use crate::token::{DryRun, GenerationId, Label, TargetId, TokenId};

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
            "not delivered to `{target}`: it holds a string that was never this token's"
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

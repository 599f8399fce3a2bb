//! Logs deliveries.

use std::time::Instant;

use super::DeliveryError;
use crate::token::{DryRun, Label, TargetId};

/// Logs a delivery to one target.
#[derive(Clone, Copy)]
pub struct DeliveryLog<'a> {
    pub label: &'a Label,
    pub target: &'a TargetId,
    pub dry_run: DryRun,
    pub began: Instant,
}

impl DeliveryLog<'_> {
    /// Logs that the target has the access token.
    pub fn settled(self) {
        let Self { label, target, dry_run, began } = self;
        let (event, what) = match dry_run {
            DryRun::No => ("delivered", "delivered"),
            DryRun::Yes => ("would_deliver", "would be delivered"),
        };
        let duration_ms = began.elapsed().as_millis();
        tracing::info!(event, %label, %target, duration_ms, "{what} to `{target}`");
    }

    /// Logs that the target holds an unknown value, and keeps it.
    pub fn left_alone(self) {
        let Self { label, target, began, .. } = self;
        let duration_ms = began.elapsed().as_millis();
        tracing::warn!(
            event = "drifted", %label, %target, duration_ms,
            "not delivered to `{target}`: it holds a string that was never this token's"
        );
    }

    /// Logs that the target did not get the access token.
    pub fn failed(self, error: &DeliveryError) {
        let Self { label, target, began, .. } = self;
        let duration_ms = began.elapsed().as_millis();
        tracing::warn!(
            event = "delivery_failed", %label, %target, duration_ms,
            "not delivered to `{target}`: {}", error.message
        );
    }
}

//! What a clock is worth that Graph's contradicts.
//!
//! Renewals hang on dates, and a machine whose clock is a day off would renew too late, or call a
//! living token dead. Every answer of Graph's is dated, so the error is known as soon as one came.

use chrono::TimeDelta;

use crate::policy::{Dates, Health, Reason, words};
use crate::token::{Action, Time};

/// A clock that is off by this is worth a warning.
const SKEW_TO_MENTION: TimeDelta = TimeDelta::minutes(5);
/// A clock that is off by this is not believed: Graph's takes its place.
const SKEW_TO_DISTRUST: TimeDelta = TimeDelta::hours(1);

/// What is to be said of a clock that is off by `skew`.
pub(in crate::commands) fn clock_reason(skew: TimeDelta) -> Option<Reason> {
    if skew.abs() < SKEW_TO_MENTION {
        return None;
    }
    let direction = if skew > TimeDelta::zero() { "ahead of" } else { "behind" };
    Some(Reason {
        code: "clock_skew",
        severity: Health::Warning,
        message: format!("the clock of this machine is {} {direction} Graph's", words::span(skew)),
        remedy: "set the clock and keep it set: `timedatectl set-ntp true`".to_owned(),
        action: Action::FixConfiguration,
        labels: Vec::new(),
        about: None,
        held_by: None,
    })
}

/// The time to go by when our clock shows `local` and is off by `skew`.
pub(in crate::commands) fn believed(local: Time, skew: Option<TimeDelta>) -> Time {
    match skew {
        Some(skew) if skew.abs() >= SKEW_TO_DISTRUST => local - skew,
        _ => local,
    }
}

/// Whether a clock that is off by `skew` is still believed.
pub(in crate::commands) fn trust(skew: Option<TimeDelta>) -> Dates {
    match skew {
        Some(skew) if skew.abs() >= SKEW_TO_DISTRUST => Dates::Doubted,
        _ => Dates::Trusted,
    }
}

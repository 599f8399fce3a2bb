//! Tells the time.
//!
//! The wall clock is read once, in `main`. What passes after that is measured by the monotonic
//! clock, so that a run cannot be confused by a clock that is set while it works. Tests and the
//! sandbox stand still.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

/// The instant at which the process started, and a way to tell what passed since.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: DateTime<Utc>,
    running_since: Option<Instant>,
}

impl Clock {
    /// A clock that runs from `start` on.
    pub fn running(start: DateTime<Utc>) -> Self {
        Self { start, running_since: Some(Instant::now()) }
    }

    /// A clock that stands at `at`.
    pub const fn standing(at: DateTime<Utc>) -> Self {
        Self { start: at, running_since: None }
    }

    /// The present, to whole seconds: what the store keeps and people read.
    pub fn now(&self) -> DateTime<Utc> {
        let passed = self.running_since.map_or(TimeDelta::zero(), |since| {
            TimeDelta::from_std(since.elapsed()).unwrap_or(TimeDelta::zero())
        });
        let now = self.start + passed;
        DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now)
    }
}

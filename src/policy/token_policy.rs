//! Holds how one token is to be treated: a field for each key of the config, and what it is by default.

use chrono::TimeDelta;

use crate::token::Probe;

/// How one token is to be treated. Every field is a key of the config, of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// False: kept, not touched, not judged.
    pub enabled: bool,
    /// Whether `refresh` renews it.
    pub auto_refresh: bool,
    /// How long before its end it is renewed.
    pub refresh_within: TimeDelta,
    /// How old a proof may be before `refresh` asks Graph again.
    pub verify_every: TimeDelta,
    /// How old a proof may be before that is a fault.
    pub checked_within: Limits,
    /// How long before its end it is a warning; by default 10 days, 14 where only a person can
    /// renew it.
    pub warn_within: Option<TimeDelta>,
    /// How long before its end it is critical; by default 3 days, 7 where only a person can
    /// renew it.
    pub critical_within: Option<TimeDelta>,
    /// How long before the end of data access it is a warning, and critical; zero is never.
    pub data_access_within: Limits,
    /// How long `status` trusts a good proof.
    pub validation_interval: TimeDelta,
    /// Permissions without which it is worth nothing.
    pub required_scopes: Vec<String>,
    /// Objects that it must reach.
    pub required_targets: Vec<String>,
    /// How old it may grow before a person should replace it.
    pub rotate_after: Option<TimeDelta>,
    /// How long an older access token that still works may live beside the one that replaced it.
    pub rotate_overlap: TimeDelta,
    /// Who puts the backup in its place when it is dead.
    pub promote: Promote,
    /// When to remind a person, before the end.
    pub reminders: Vec<TimeDelta>,
    /// How many old access tokens stay sealed for rollback.
    pub keep_generations: u32,
    /// How long old access tokens stay sealed at least.
    pub keep_for: TimeDelta,
    /// Who can log in again.
    pub owner: Option<String>,
    /// The question that shows whether it does what it is for.
    pub probe: Option<Probe>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            enabled: true,
            auto_refresh: true,
            refresh_within: TimeDelta::days(20),
            verify_every: TimeDelta::hours(24),
            checked_within: Limits { warning: TimeDelta::days(3), critical: TimeDelta::days(7) },
            warn_within: None,
            critical_within: None,
            data_access_within: Limits {
                warning: TimeDelta::days(14),
                critical: TimeDelta::days(3),
            },
            validation_interval: TimeDelta::hours(1),
            required_scopes: Vec::new(),
            required_targets: Vec::new(),
            rotate_after: None,
            rotate_overlap: TimeDelta::days(7),
            promote: Promote::Manual,
            reminders: vec![TimeDelta::days(14), TimeDelta::days(7), TimeDelta::days(1)],
            keep_generations: 3,
            keep_for: TimeDelta::days(30),
            owner: None,
            probe: None,
        }
    }
}

/// Two limits of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// From here on it is a warning.
    pub warning: TimeDelta,
    /// From here on it is critical.
    pub critical: TimeDelta,
}

named! {
    /// Who puts the backup in the place of a dead token.
    pub enum Promote {
        /// A person.
        Manual = "manual",
        /// A run, once two runs have found the token dead.
        Auto = "auto",
    }
}

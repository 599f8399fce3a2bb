//! What is judged: one token, its settings, and the instant.

use chrono::TimeDelta;

use super::{Policy, is_short_lived};
use crate::token::{Credential, Generation, Label, Source, Time, TokenType};

/// One token as the config wants it and as the store knows it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its name.
    pub label: &'a Label,
    /// Its type by the config.
    pub token_type: TokenType,
    /// How it is to be treated.
    pub policy: &'a Policy,
    /// What the store knows; nothing before the first run that saw it.
    pub credential: Option<&'a Credential>,
    /// The user token that a Page token is derived from.
    pub parent: Option<Parent<'a>>,
    /// Until when Meta throttles its app, if it does.
    pub throttled_until: Option<Time>,
}

/// The parent of a Page token.
#[derive(Debug, Clone, Copy)]
pub struct Parent<'a> {
    /// Its name.
    pub label: &'a Label,
    /// What the store knows of it.
    pub credential: Option<&'a Credential>,
}

/// Whether dates may be compared with the local clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// The clock agrees with Graph's, or nothing speaks against it.
    Trusted,
    /// The clock may be off, and Graph has not been heard since.
    Doubted,
}

/// When a judgement is made.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The present.
    pub now: Time,
    /// When the present run began: a proof from then on is fresh whatever the settings say.
    pub run_started: Time,
    /// What a date is worth.
    pub dates: Dates,
}

impl Moment {
    /// A moment at which nothing has been asked yet and the clock is believed.
    pub const fn at(now: Time) -> Self {
        Self { now, run_started: now, dates: Dates::Trusted }
    }
}

/// The span before its end in which a token is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How long it really is.
    pub span: TimeDelta,
    /// Whether the setting was wider than the token's whole life.
    pub clipped: bool,
}

impl<'a> Subject<'a> {
    /// The string that programs use.
    pub fn current(&self) -> Option<&'a Generation> {
        self.credential?.current.as_ref()
    }

    /// The window of `generation`: the setting, clipped to the observed life less a day.
    pub fn window(&self, generation: &Generation) -> Window {
        let wanted = self.policy.refresh_within;
        match generation.life().map(|life| life - TimeDelta::days(1)) {
            Some(most) if !is_short_lived(generation) && most < wanted => {
                Window { span: most.max(TimeDelta::zero()), clipped: true }
            }
            _ => Window { span: wanted, clipped: false },
        }
    }

    /// Whether only a person can make it live longer.
    pub fn only_a_person_can_renew(&self) -> bool {
        if !self.policy.auto_refresh {
            return true;
        }
        match self.token_type.spec().source {
            Source::Parent(_) => self.parent.is_none(),
            Source::App(_) => false,
            Source::Person(_) => {
                !self.token_type.spec().is_renewable() || self.has_stopped_extending()
            }
        }
    }

    /// Whether Meta has accepted three renewals over three days without extending the token.
    pub fn has_stopped_extending(&self) -> bool {
        self.credential.is_some_and(|credential| {
            let ledger = &credential.ledger;
            let over = ledger.first_miss_at.zip(ledger.last_attempt_at).map(|(from, to)| to - from);
            ledger.misses >= 3 && over.is_some_and(|over| over >= TimeDelta::days(2))
        })
    }

    /// How long before its end it is a warning.
    pub fn warn_within(&self) -> TimeDelta {
        let default = if self.only_a_person_can_renew() { 14 } else { 10 };
        self.policy.warn_within.unwrap_or(TimeDelta::days(default))
    }

    /// How long before its end it is critical.
    pub fn critical_within(&self) -> TimeDelta {
        let default = if self.only_a_person_can_renew() { 7 } else { 3 };
        self.policy.critical_within.unwrap_or(TimeDelta::days(default))
    }
}

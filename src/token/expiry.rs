//! Holds the two dates that Meta gives a token.
//!
//! `expires_at` is when the access token dies; `data_access_expires_at` is when the person behind
//! it must come back, ninety days after the last visit. In both, Meta writes 0 for «no such date»,
//! and leaves a field out when it does not say: the three cases must never be mixed up.

use chrono::{DateTime, TimeDelta};

use super::Time;

/// When a token stops working, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// At this instant.
    At(Time),
    /// By no date. Meta says `expires_at: 0`.
    Never,
    /// Meta did not say. Not the same as never, nor as expired.
    Unknown,
}

impl Expiry {
    /// Reads Meta's field: absent is unknown, 0 is never, anything else unix seconds.
    pub fn from_graph(seconds: Option<i64>) -> Self {
        match seconds {
            None => Self::Unknown,
            Some(0) => Self::Never,
            Some(seconds) => DateTime::from_timestamp(seconds, 0).map_or(Self::Unknown, Self::At),
        }
    }

    /// The date, if there is one.
    pub const fn at(self) -> Option<Time> {
        match self {
            Self::At(time) => Some(time),
            Self::Never | Self::Unknown => None,
        }
    }

    /// What is left at `now`, negative once it has passed; nothing without a date.
    pub fn remaining(self, now: Time) -> Option<TimeDelta> {
        self.at().map(|time| time - now)
    }

    /// Whether the date has come.
    pub fn has_passed(self, now: Time) -> bool {
        self.remaining(now).is_some_and(|left| left <= TimeDelta::zero())
    }

    /// Whether the date is no further off than `window`.
    pub fn is_within(self, window: TimeDelta, now: Time) -> bool {
        self.remaining(now).is_some_and(|left| left <= window)
    }

    /// Whether this is a later end than `other`; an unknown end is never later.
    pub fn is_later_than(self, other: Self) -> bool {
        self.extends(other, TimeDelta::nanoseconds(1))
    }

    /// Whether this end lies at least `margin` beyond `other`, or is not an end at all.
    pub fn extends(self, other: Self, margin: TimeDelta) -> bool {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Never) => false,
            (Self::Never, _) | (Self::At(_), Self::Unknown) => true,
            (Self::At(new), Self::At(old)) => new - old >= margin,
        }
    }
}

/// Until when the app may read the person's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataAccess {
    /// Until this instant, unless the person comes back.
    Until(Time),
    /// No such date: system users have none. Meta says 0.
    NotApplicable,
    /// Meta did not say.
    Unknown,
}

impl DataAccess {
    /// Reads Meta's field: absent is unknown, 0 is not applicable, anything else unix seconds.
    pub fn from_graph(seconds: Option<i64>) -> Self {
        match seconds {
            None => Self::Unknown,
            Some(0) => Self::NotApplicable,
            Some(seconds) => {
                DateTime::from_timestamp(seconds, 0).map_or(Self::Unknown, Self::Until)
            }
        }
    }

    /// The date, if there is one.
    pub const fn until(self) -> Option<Time> {
        match self {
            Self::Until(time) => Some(time),
            Self::NotApplicable | Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> Time {
        DateTime::from_timestamp(1_767_225_600 + n * 86_400, 0).expect("a date")
    }

    #[test]
    fn zero_is_never_and_absent_is_unknown() {
        assert_eq!(Expiry::from_graph(Some(0)), Expiry::Never);
        assert_eq!(Expiry::from_graph(None), Expiry::Unknown);
        assert_eq!(Expiry::from_graph(Some(i64::MAX)), Expiry::Unknown);
        assert_eq!(DataAccess::from_graph(Some(0)), DataAccess::NotApplicable);
        assert_eq!(DataAccess::from_graph(None), DataAccess::Unknown);
    }

    #[test]
    fn only_a_date_passes() {
        assert!(Expiry::At(day(1)).has_passed(day(1)));
        assert!(!Expiry::At(day(2)).has_passed(day(1)));
        assert!(!Expiry::Never.has_passed(day(9999)));
        assert!(!Expiry::Unknown.has_passed(day(9999)));
    }

    #[test]
    fn extended_means_a_day_later_or_never() {
        let margin = TimeDelta::days(1);
        for (new, old, extended) in [
            (Expiry::At(day(61)), Expiry::At(day(60)), true),
            (Expiry::At(day(60)), Expiry::At(day(60)), false),
            (Expiry::At(day(59)), Expiry::At(day(60)), false),
            (Expiry::Never, Expiry::At(day(60)), true),
            (Expiry::Never, Expiry::Never, false),
            (Expiry::At(day(60)), Expiry::Never, false),
            (Expiry::At(day(60)), Expiry::Unknown, true),
            (Expiry::Unknown, Expiry::At(day(60)), false),
        ] {
            assert_eq!(new.extends(old, margin), extended, "{new:?} after {old:?}");
        }
    }
}

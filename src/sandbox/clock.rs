//! Knows the sandbox's own time: where it starts, and how `--now` names an instant.
//!
//! It stands still until it is told to move, so that what a command prints is the same for ever.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::token::Time;

/// 2026-01-01T00:00:00Z, where every sandbox starts.
pub fn start() -> Time {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default()
}

/// What a person typed after `--now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NowArg {
    /// So long after the sandbox's start: `+45d`.
    Plus(TimeDelta),
    /// An instant: `2026-02-15T02:00:00Z`, or a date for its midnight in UTC.
    At(Time),
}

/// What was typed is not a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadNow {
    text: String,
}

impl fmt::Display for BadNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a valid time: use `+45d` (90s, 15m, 6h, 7d, 2w after the start), `2026-02-15` or \
             `2026-02-15T02:00:00Z`",
            self.text.escape_debug()
        )
    }
}

impl std::error::Error for BadNow {}

impl NowArg {
    /// Reads `+45d`, a date, or an instant as RFC 3339 writes it.
    pub fn parse(text: &str) -> Result<Self, BadNow> {
        let known = match text.strip_prefix('+') {
            Some(length) => plus(length),
            None => at(text).map(Self::At),
        };
        known.ok_or_else(|| BadNow { text: text.to_owned() })
    }

    /// The instant that is meant, in a sandbox.
    pub fn in_sandbox(self) -> Time {
        match self {
            Self::Plus(length) => start() + length,
            Self::At(time) => time,
        }
    }
}

impl FromStr for NowArg {
    type Err = BadNow;

    fn from_str(text: &str) -> Result<Self, BadNow> {
        Self::parse(text)
    }
}

/// A length that the calendar cannot hold is not a time either.
fn plus(length: &str) -> Option<NowArg> {
    let unit = length.chars().last().filter(char::is_ascii)?;
    let number = &length[..length.len() - 1];
    let number =
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
    let length = match unit {
        's' => TimeDelta::try_seconds(number),
        'm' => TimeDelta::try_minutes(number),
        'h' => TimeDelta::try_hours(number),
        'd' => TimeDelta::try_days(number),
        'w' => TimeDelta::try_weeks(number),
        _ => None,
    }?;
    start().checked_add_signed(length).map(|_| NowArg::Plus(length))
}

/// Whole seconds, as the store keeps them.
fn at(text: &str) -> Option<Time> {
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
    let date = text.parse::<NaiveDate>().ok().map(midnight);
    let time =
        date.or_else(|| Some(DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc)))?;
    DateTime::from_timestamp(time.timestamp(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_is_a_length_a_date_or_an_instant() {
        for (text, instant) in [
            ("+45d", Some("2026-02-15T00:00:00+00:00")),
            ("+90s", Some("2026-01-01T00:01:30+00:00")),
            ("+15m", Some("2026-01-01T00:15:00+00:00")),
            ("+6h", Some("2026-01-01T06:00:00+00:00")),
            ("+2w", Some("2026-01-15T00:00:00+00:00")),
            ("+0s", Some("2026-01-01T00:00:00+00:00")),
            ("2026-02-15", Some("2026-02-15T00:00:00+00:00")),
            ("2026-02-15T02:00:00Z", Some("2026-02-15T02:00:00+00:00")),
            ("2026-02-15T02:00:00.5+02:00", Some("2026-02-15T00:00:00+00:00")),
            ("+", None),
            ("+d", None),
            ("+-1d", None),
            ("+1", None),
            ("+1y", None),
            ("+1é", None),
            ("+9999999999999w", None),
            ("+99999999d", None),
            ("45d", None),
            ("tomorrow", None),
            ("", None),
        ] {
            let now = NowArg::parse(text).ok().map(|now| now.in_sandbox().to_rfc3339());
            assert_eq!(now.as_deref(), instant, "{text:?}");
        }
        assert!(NowArg::parse("noon\n").unwrap_err().to_string().starts_with("`noon\\n` is no"));
    }
}

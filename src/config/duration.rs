//! Reads spans of time as people write them: `90s 15m 6h 7d 2w`.

use std::fmt;

use chrono::TimeDelta;

/// The text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadDuration;

impl BadDuration {
    /// What can be written instead.
    pub const REMEDY: &str = "write `90s`, `15m`, `6h`, `7d` or `2w`";
}

impl fmt::Display for BadDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a duration: {}", Self::REMEDY)
    }
}

impl std::error::Error for BadDuration {}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
const YEAR: i64 = 365 * DAY;

/// More is a mistake; beyond it dates would overflow.
const LONGEST: i64 = 100 * YEAR;

/// Reads one number and one unit; a year (`2y`) has 365 days.
pub fn parse_duration(text: &str) -> Result<TimeDelta, BadDuration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or(BadDuration)?;
    let (number, unit) = text.split_at(unit_at);
    let unit = match unit {
        "s" => 1,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "w" => WEEK,
        "y" => YEAR,
        _ => return Err(BadDuration),
    };
    number
        .parse::<i64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|seconds| *seconds <= LONGEST)
        .map(TimeDelta::seconds)
        .ok_or(BadDuration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::humanize;

    #[test]
    fn one_number_and_one_unit_make_a_duration() {
        for (text, seconds, again) in [
            ("90s", 90, "90s"),
            ("15m", 900, "15m"),
            ("6h", 21_600, "6h"),
            ("7d", 604_800, "7d"),
            ("2w", 1_209_600, "14d"),
            ("2y", 63_072_000, "730d"),
            ("24h", 86_400, "1d"),
            ("0s", 0, "0s"),
        ] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(
                (duration.num_seconds(), humanize::duration(duration).as_str()),
                (seconds, again)
            );
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "5",
            "d",
            "-5d",
            "1d12h",
            "1.5h",
            " 5d",
            "5 d",
            "5D",
            "99999999999999999999d",
            "101y",
        ] {
            assert_eq!(parse_duration(text), Err(BadDuration), "{text}");
        }
    }
}

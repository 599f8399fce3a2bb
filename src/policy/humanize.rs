//! Words instants and spans of time for people.

use std::cmp::Ordering;
use std::fmt::Display;

use chrono::{TimeDelta, Timelike as _};

use crate::token::{Expiry, Time};

/// An instant to the minute: `2026-12-04 02:00 UTC`.
pub fn instant(time: Time) -> String {
    format!("{} UTC", minute(time))
}

/// An instant and how far off it is: `2026-12-04 02:00 UTC, in 13 days`.
pub fn when(time: Time, now: Time) -> String {
    format!("{}, {}", instant(time), relative(time, now))
}

/// How far off an instant is, then the instant: `in 13 days (2026-12-04 02:00 UTC)`.
pub fn left(time: Time, now: Time) -> String {
    format!("{} ({})", relative(time, now), instant(time))
}

/// An instant by how far off it is: `in 13 days`, `3 days ago`, `now`.
pub fn relative(time: Time, now: Time) -> String {
    let left = time - now;
    match left.cmp(&TimeDelta::zero()) {
        Ordering::Less => format!("{} ago", span(-left)),
        Ordering::Equal => "now".to_owned(),
        Ordering::Greater => format!("in {}", span(left)),
    }
}

/// An instant where there is little room: `2026-12-04`, and to the minute where it is less than two
/// days off.
pub fn dated(time: Time, now: Time) -> String {
    if (time - now).abs() >= TimeDelta::days(2) {
        time.date_naive().to_string()
    } else {
        instant(time)
    }
}

/// An instant to the minute, for a column that says that it is in UTC: `2026-12-04 02:00`.
pub fn minute(time: Time) -> String {
    format!("{} {:02}:{:02}", time.date_naive(), time.hour(), time.minute())
}

/// Puts an article before a kind: `a user`, `an app`.
///
/// A word in `u` sounds as `user` does, the only one among our names.
pub fn with_article(noun: impl Display) -> String {
    let noun = noun.to_string();
    let article = if noun.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// How long ago something was: `3 days ago`, `just now`.
pub fn ago(time: Time, now: Time) -> String {
    if time >= now { "just now".to_owned() } else { format!("{} ago", span(now - time)) }
}

/// An end as a person reads it.
pub fn expiry(expiry: Expiry, now: Time) -> String {
    match expiry {
        Expiry::At(time) => when(time, now),
        Expiry::Never => "never".to_owned(),
        Expiry::Unknown => "unknown".to_owned(),
    }
}

/// A span in its largest fitting unit, rounded down: `13 days`, `5 hours`, `1 minute`.
///
/// Below two of a unit the next smaller one is used, so that `1 day` never means 47 hours.
pub fn span(span: TimeDelta) -> String {
    let seconds = span.num_seconds().abs();
    let (count, unit) = if seconds >= 2 * 86_400 {
        (seconds / 86_400, "day")
    } else if seconds >= 2 * 3_600 {
        (seconds / 3_600, "hour")
    } else if seconds >= 2 * 60 {
        (seconds / 60, "minute")
    } else {
        (seconds, "second")
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

/// A duration as the config spells it, in the largest unit that divides it: `20d`, `90s`.
pub fn duration(span: TimeDelta) -> String {
    let seconds = span.num_seconds();
    for (size, unit) in [(86_400, "d"), (3_600, "h"), (60, "m")] {
        if seconds != 0 && seconds % size == 0 {
            return format!("{}{unit}", seconds / size);
        }
    }
    format!("{seconds}s")
}

/// A count and its noun: `1 token`, `2 tokens`.
pub fn count(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A list as a sentence has it: `` `a`, `b` and `c` ``.
pub fn list<T: std::fmt::Display>(items: &[T]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| format!("`{item}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// The same of no more than `few` items, and how many more there are.
pub fn list_of_few<T: std::fmt::Display>(items: &[T], few: usize) -> String {
    match items.get(..few) {
        Some(named) if named.len() < items.len() => {
            let named: Vec<String> = named.iter().map(|item| format!("`{item}`")).collect();
            format!("{} and {} more", named.join(", "), items.len() - few)
        }
        _ => list(items),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_round_down_to_a_unit_that_does_not_mislead() {
        for (seconds, said) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7_199, "119 minutes"),
            (7_200, "2 hours"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
            (1_209_599, "13 days"),
        ] {
            assert_eq!(span(TimeDelta::seconds(seconds)), said);
        }
    }

    #[test]
    fn durations_are_spelled_as_the_config_spells_them() {
        for (seconds, said) in
            [(0, "0s"), (90, "90s"), (900, "15m"), (86_400, "1d"), (21_600, "6h")]
        {
            assert_eq!(duration(TimeDelta::seconds(seconds)), said);
        }
    }

    #[test]
    fn lists_end_in_and() {
        assert_eq!(list(&["a"]), "`a`");
        assert_eq!(list(&["a", "b", "c"]), "`a`, `b` and `c`");
        for (few, shown) in [
            (1, "`a` and 2 more"),
            (2, "`a`, `b` and 1 more"),
            (3, "`a`, `b` and `c`"),
            (4, "`a`, `b` and `c`"),
        ] {
            assert_eq!(list_of_few(&["a", "b", "c"], few), shown);
        }
    }
}

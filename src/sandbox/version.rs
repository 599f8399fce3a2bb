//! Which version of Graph answers.
//!
//! A version lives until two years after the next one came. A call to a dead version is not
//! refused: the oldest living one answers it, and only a header says so.

use chrono::NaiveDate;

/// Year, month and day.
type Day = (i32, u32, u32);

/// Minor versions are all 0; each major with its last day, as far as Meta has named one.
const LAST_DAYS: [(u32, Option<Day>); 8] = [
    (19, Some((2026, 5, 21))),
    (20, Some((2026, 9, 24))),
    (21, Some((2027, 1, 21))),
    (22, Some((2027, 5, 20))),
    (23, Some((2027, 10, 8))),
    (24, Some((2028, 2, 18))),
    (25, Some((2028, 7, 29))),
    (26, None),
];

/// The version that answers a call to `asked` at `now`; nothing for what is no version.
pub(super) fn answering(asked: &str, now: i64) -> Option<String> {
    let major: u32 = asked.strip_prefix('v')?.strip_suffix(".0")?.parse().ok()?;
    let (newest, _) = LAST_DAYS[LAST_DAYS.len() - 1];
    if major == 0 || major > newest {
        return None;
    }
    let alive = LAST_DAYS.iter().filter(|(_, last)| last.is_none_or(|day| !has_ended(day, now)));
    let oldest = alive.map(|(each, _)| *each).min().unwrap_or(newest);
    Some(format!("v{}.0", major.max(oldest)))
}

fn has_ended((year, month, day): Day, now: i64) -> bool {
    NaiveDate::from_ymd_opt(year, month, day)
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .is_some_and(|end| end.and_utc().timestamp() <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_living_version_answers_for_the_dead() {
        let (new_year, june) = (1_767_225_600, 1_780_272_000);
        for (asked, now, answers) in [
            ("v26.0", new_year, Some("v26.0")),
            ("v25.0", new_year, Some("v25.0")),
            ("v3.2", new_year, None),
            ("v3.0", new_year, Some("v19.0")),
            ("v19.0", new_year, Some("v19.0")),
            ("v19.0", june, Some("v20.0")),
            ("v27.0", new_year, None),
            ("v0.0", new_year, None),
            ("25.0", new_year, None),
            ("v25", new_year, None),
            ("me", new_year, None),
        ] {
            assert_eq!(answering(asked, now).as_deref(), answers, "{asked}");
        }
    }
}

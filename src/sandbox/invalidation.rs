//! Knows what can end a token, in Meta's numbers and sentences.
//!
//! The sentences keep Meta's wording where it is known, dates in Pacific time included, because a
//! client that reads them must be tried against them.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc, Weekday};
use serde::{Deserialize, Serialize};

/// Why a token no longer works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Invalidation {
    /// Its time is over.
    Expired,
    /// The password was changed, or Facebook reset the session.
    PasswordChanged,
    /// The person removed the app.
    AppRemoved,
    /// It was revoked by an API call.
    Revoked,
    /// The person logged out, or the system erred.
    SessionInvalid,
    /// Facebook asks the person to pass a check.
    Checkpoint,
    /// The person's account is not confirmed.
    Unconfirmed,
    /// The person is held in a check that blocks every session.
    Blocking,
    /// The person has not used the app for ninety days.
    Inactive,
    /// The person lost the role on the Page.
    RoleLost,
}

impl Invalidation {
    /// Every way to die.
    pub const ALL: [Self; 10] = [
        Self::Expired,
        Self::PasswordChanged,
        Self::AppRemoved,
        Self::Revoked,
        Self::SessionInvalid,
        Self::Checkpoint,
        Self::Unconfirmed,
        Self::Blocking,
        Self::Inactive,
        Self::RoleLost,
    ];

    /// Meta's error subcode.
    pub const fn subcode(self) -> i64 {
        match self {
            Self::AppRemoved => 458,
            Self::Checkpoint => 459,
            Self::PasswordChanged => 460,
            Self::Expired => 463,
            Self::Unconfirmed => 464,
            Self::Revoked => 466,
            Self::SessionInvalid => 467,
            Self::Blocking => 490,
            Self::RoleLost => 492,
            Self::Inactive => 493,
        }
    }

    /// Whether every token of the same log-in dies with it, the Pages' included.
    pub(super) const fn ends_the_session(self) -> bool {
        match self {
            Self::PasswordChanged
            | Self::AppRemoved
            | Self::Checkpoint
            | Self::Unconfirmed
            | Self::Blocking
            | Self::Inactive => true,
            Self::Expired | Self::Revoked | Self::SessionInvalid | Self::RoleLost => false,
        }
    }

    /// Whether it ends when the person passes a check.
    pub(super) const fn is_a_check(self) -> bool {
        matches!(self, Self::Checkpoint | Self::Unconfirmed | Self::Blocking)
    }

    /// Whether the person has to be asked for everything again.
    pub(super) const fn takes_the_grant(self) -> bool {
        matches!(self, Self::AppRemoved | Self::Revoked)
    }

    /// Meta's sentence, for a token of `app` that died at `since`.
    pub(super) fn sentence(self, app: &str, since: i64, now: i64) -> String {
        let why = match self {
            Self::Expired => format!(
                "Session has expired on {}. The current time is {}.",
                pacific(since),
                pacific(now)
            ),
            Self::PasswordChanged => "The session has been invalidated because the user changed \
                 their password or Facebook has changed the session for security reasons."
                .to_owned(),
            Self::AppRemoved => format!("The user has not authorized application {app}."),
            Self::Revoked => "The session was invalidated explicitly using an API call.".to_owned(),
            Self::SessionInvalid => "The session is invalid. This may be because the user logged \
                 out or may be due to a system error."
                .to_owned(),
            Self::Checkpoint => "You cannot access the app till you log in to www.facebook.com \
                 and follow the instructions given."
                .to_owned(),
            Self::Unconfirmed => "Sessions for the user are not allowed because the user is not a \
                 confirmed user."
                .to_owned(),
            Self::Blocking => "The user is enrolled in a blocking, logged-in checkpoint".to_owned(),
            Self::Inactive => {
                return "The access token is invalid since the user hasn't engaged the app in \
                        longer than 90 days."
                    .to_owned();
            }
            Self::RoleLost => "The user must be an administrator, editor, or moderator of the \
                 page in order to impersonate it."
                .to_owned(),
        };
        format!("Error validating access token: {why}")
    }
}

/// An instant as Meta writes it in these sentences: `Monday, 01-Dec-25 11:00:00 PST`.
fn pacific(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let (hours, zone) = if is_summer(time) { (7, "PDT") } else { (8, "PST") };
    format!("{} {zone}", (time - TimeDelta::hours(hours)).format("%A, %d-%b-%y %H:%M:%S"))
}

/// From 2:00 PST on the second Sunday of March to 2:00 PDT on the first Sunday of November.
fn is_summer(time: DateTime<Utc>) -> bool {
    let sunday = |month, days, hour| {
        NaiveDate::from_weekday_of_month_opt(time.year(), month, Weekday::Sun, 1)
            .and_then(|first| first.checked_add_days(Days::new(days)))
            .and_then(|day| day.and_hms_opt(hour, 0, 0))
            .map(|start| start.and_utc())
    };
    matches!((sunday(3, 7, 10), sunday(11, 0, 9)), (Some(from), Some(to)) if from <= time && time < to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_writes_pacific_time_and_knows_summer() {
        for (utc, pst) in [
            ("2025-12-01T19:00:00Z", "Monday, 01-Dec-25 11:00:00 PST"),
            ("2024-04-26T13:00:00Z", "Friday, 26-Apr-24 06:00:00 PDT"),
            ("2026-03-08T09:59:59Z", "Sunday, 08-Mar-26 01:59:59 PST"),
            ("2026-03-08T10:00:00Z", "Sunday, 08-Mar-26 03:00:00 PDT"),
            ("2026-11-01T08:59:59Z", "Sunday, 01-Nov-26 01:59:59 PDT"),
            ("2026-11-01T09:00:00Z", "Sunday, 01-Nov-26 01:00:00 PST"),
        ] {
            let time = DateTime::parse_from_rfc3339(utc).expect("a date");
            assert_eq!(pacific(time.timestamp()), pst);
        }
    }

    #[test]
    fn every_death_has_its_own_subcode_and_sentence() {
        let mut subcodes: Vec<i64> =
            Invalidation::ALL.iter().map(|invalidation| invalidation.subcode()).collect();
        subcodes.sort_unstable();
        assert_eq!(subcodes, [458, 459, 460, 463, 464, 466, 467, 490, 492, 493]);
        assert_eq!(
            Invalidation::Expired.sentence("1", 1_764_615_600, 1_764_694_855),
            "Error validating access token: Session has expired on Monday, 01-Dec-25 11:00:00 \
             PST. The current time is Tuesday, 02-Dec-25 09:00:55 PST."
        );
    }
}

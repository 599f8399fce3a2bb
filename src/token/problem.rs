//! Holds what went wrong with a token, and what kind of step recovers it.

use std::fmt;

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use super::Time;

named! {
    /// What is wrong.
    pub enum ProblemKind {
        /// The access token's time is over.
        Expired = "expired",
        /// The password was changed, or Facebook reset the session.
        PasswordChanged = "password_changed",
        /// The person removed the app, or never authorised it.
        AppNotAuthorized = "app_not_authorized",
        /// The session behind the access token is broken for another reason.
        SessionInvalid = "session_invalid",
        /// It was revoked, by an API call or in the settings.
        Revoked = "revoked",
        /// The person behind a Page token lost the role on the Page.
        RoleLost = "role_lost",
        /// The person has not used the app for ninety days.
        Inactive = "inactive",
        /// Facebook asks the person to pass a check first.
        Checkpoint = "checkpoint",
        /// The person's account is not confirmed.
        UnconfirmedUser = "unconfirmed_user",
        PermissionMissing = "permission_missing",
        /// The app may no longer read the person's data.
        DataAccessExpired = "data_access_expired",
        /// The access token was sent to a host or an endpoint for another type.
        WrongHostOrType = "wrong_host_or_type",
        /// Meta renews it only a day after it was issued.
        TooYoung = "too_young",
        /// Too many calls.
        RateLimited = "rate_limited",
        /// Meta blocks the action for its policy.
        PolicyBlock = "policy_block",
        /// Graph answers that it cannot answer.
        GraphUnavailable = "graph_unavailable",
        /// Graph could not be reached.
        Network = "network",
        /// The answer cannot be read.
        MalformedResponse = "malformed_response",
        /// The app's id or secret is wrong, missing, or another app's.
        BadAppCredentials = "bad_app_credentials",
        /// The `appsecret_proof` is wrong or missing.
        BadProof = "bad_proof",
        /// The app is disabled, deleted, or lost a capability.
        AppDisabled = "app_disabled",
        /// The Page or another object is not there, or may not be seen.
        ObjectNotFound = "object_not_found",
        /// The access token belongs to another app, person or Page than before.
        IdentityChanged = "identity_changed",
        /// Meta accepted the renewal but the token ends no later.
        NotExtended = "not_extended",
        /// None of these.
        Unknown = "unknown",
    }
}

named! {
    /// What recovers from a problem.
    pub enum Action {
        /// The same again, later.
        Retry = "retry",
        /// Fewer calls.
        SlowDown = "slow_down",
        /// Nothing but time.
        Wait = "wait",
        /// A person logs in again.
        Reauthenticate = "reauthenticate",
        /// A person visits facebook.com and frees the account.
        FixAccount = "fix_account",
        /// A person grants a permission or a role.
        GrantPermission = "grant_permission",
        /// A person corrects the app's settings or our config.
        FixConfiguration = "fix_configuration",
        /// Nothing.
        None = "none",
    }
}

impl Action {
    /// Whether only a person can take this step.
    pub const fn needs_a_person(self) -> bool {
        matches!(
            self,
            Self::Reauthenticate
                | Self::FixAccount
                | Self::GrantPermission
                | Self::FixConfiguration
        )
    }
}

impl ProblemKind {
    /// The step that usually recovers from it.
    pub const fn action(self) -> Action {
        match self {
            Self::Expired
            | Self::PasswordChanged
            | Self::AppNotAuthorized
            | Self::SessionInvalid
            | Self::Revoked
            | Self::Inactive
            | Self::DataAccessExpired
            | Self::IdentityChanged
            | Self::NotExtended => Action::Reauthenticate,
            Self::RoleLost | Self::PermissionMissing => Action::GrantPermission,
            Self::Checkpoint | Self::UnconfirmedUser => Action::FixAccount,
            Self::WrongHostOrType
            | Self::BadAppCredentials
            | Self::BadProof
            | Self::AppDisabled
            | Self::ObjectNotFound => Action::FixConfiguration,
            Self::TooYoung | Self::PolicyBlock => Action::Wait,
            Self::RateLimited => Action::SlowDown,
            Self::GraphUnavailable | Self::Network | Self::MalformedResponse | Self::Unknown => {
                Action::Retry
            }
        }
    }

    /// Whether it means that the token it is about is dead.
    ///
    /// The kinds that a person cures without a new login, or that are the app's, are no such verdict.
    pub const fn is_verdict(self) -> bool {
        matches!(
            self,
            Self::Expired
                | Self::PasswordChanged
                | Self::AppNotAuthorized
                | Self::SessionInvalid
                | Self::Revoked
                | Self::RoleLost
                | Self::Inactive
        )
    }

    /// Whether the owner of the account must free it before its tokens work again.
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Checkpoint | Self::UnconfirmedUser)
    }

    /// Whether it is about the app and not about any one access token.
    pub const fn is_about_the_app(self) -> bool {
        matches!(self, Self::BadAppCredentials | Self::BadProof | Self::AppDisabled)
    }

    /// Whether it is the network's, Graph's or the rate limit's doing, and says nothing of a token.
    pub const fn is_outage(self) -> bool {
        matches!(self, Self::Network | Self::GraphUnavailable | Self::RateLimited)
    }
}

/// What is wrong, what recovers it, and Meta's own words and numbers for it.
///
/// The message never holds a token: an answer is redacted before a problem is built from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// What recovers it.
    pub action: Action,
    /// Meta's error code.
    pub code: Option<i64>,
    /// Meta's error subcode.
    pub subcode: Option<i64>,
    /// Meta's sentence, or ours.
    pub message: String,
    /// Meta's handle for its support.
    pub fbtrace_id: Option<String>,
    /// What puts it right, where we found it ourselves and know.
    pub fix: Option<String>,
}

impl Problem {
    /// How the message begins of an access token from outside that was not taken.
    pub const REJECTED: &str = "the new access token was rejected: ";

    /// What stands between our words and Meta's in a message that has both.
    pub const META_SAYS: &str = "; Meta says: ";

    /// A problem that we found ourselves, with the usual step against it.
    pub fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            action: kind.action(),
            code: None,
            subcode: None,
            message: message.into(),
            fbtrace_id: None,
            fix: None,
        }
    }

    /// The same problem of an access token from outside, which is not taken for it.
    pub fn rejected(self) -> Self {
        Self { message: format!("{}{}", Self::REJECTED, self.message), ..self }
    }

    /// Whether it is about an access token from outside that was not taken.
    pub fn is_rejection(&self) -> bool {
        self.message.starts_with(Self::REJECTED)
    }

    /// When the access token expired, where Meta's sentence says so: `Session has expired on Friday,
    /// 02-Jan-26 00:00:00 PST`, or as older ones do, `at unix time 1385243552`.
    pub fn expired_at(&self) -> Option<Time> {
        let (_, said) = self.message.split_once("Session has expired ")?;
        if let Some(seconds) = said.strip_prefix("at unix time ") {
            let seconds = seconds.split(|c: char| !c.is_ascii_digit()).next()?;
            return Time::from_timestamp(seconds.parse().ok()?, 0);
        }
        let mut words = said.strip_prefix("on ")?.split_whitespace().skip(1);
        let date = NaiveDate::parse_from_str(words.next()?, "%d-%b-%y").ok()?;
        let time = NaiveTime::parse_from_str(words.next()?, "%H:%M:%S").ok()?;
        // Meta's clock is California's.
        let behind = match words.next()?.trim_end_matches('.') {
            "PST" => 8,
            "PDT" => 7,
            "UTC" | "GMT" => 0,
            _ => return None,
        };
        date.and_time(time).and_utc().checked_add_signed(TimeDelta::hours(behind))
    }

    /// Whether it says that the access token was good once: a value that is cut, has more around it
    /// or belongs elsewhere is refused without such a word.
    pub const fn tells_of_a_past(&self) -> bool {
        match self.kind {
            ProblemKind::Expired
            | ProblemKind::PasswordChanged
            | ProblemKind::AppNotAuthorized
            | ProblemKind::Revoked
            | ProblemKind::RoleLost
            | ProblemKind::Inactive
            | ProblemKind::Checkpoint
            | ProblemKind::UnconfirmedUser
            | ProblemKind::DataAccessExpired => true,
            ProblemKind::SessionInvalid => self.subcode.is_some(),
            _ => false,
        }
    }

    /// Its name and Meta's numbers, where there is no room for the sentence: `expired (190/463)`.
    pub fn in_short(&self) -> String {
        let name = match (self.kind, self.subcode) {
            (ProblemKind::WrongHostOrType, _) => "wrong type".to_owned(),
            (ProblemKind::IdentityChanged, _) => "wrong identity".to_owned(),
            (ProblemKind::SessionInvalid, None) if self.is_rejection() => {
                "unknown to Meta".to_owned()
            }
            (kind, _) => kind.as_str().replace('_', " "),
        };
        match (self.code, self.subcode) {
            (Some(code), Some(subcode)) => format!("{name} ({code}/{subcode})"),
            (Some(code), None) => format!("{name} ({code})"),
            (None, _) => match self.kind {
                ProblemKind::BadAppCredentials => "the app's secret is missing".to_owned(),
                ProblemKind::NotExtended => "no later expiry".to_owned(),
                _ => name,
            },
        }
    }

    /// The same problem with what puts it right.
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The same problem with another step against it.
    pub fn with_action(mut self, action: Action) -> Self {
        self.action = action;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match (self.code, self.subcode) {
            (Some(code), Some(subcode)) => write!(f, " (code {code}/{subcode})"),
            (Some(code), None) => write!(f, " (code {code})"),
            (None, _) => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_it_expired_is_read_off_metas_sentence() {
        let at = |text: &str| chrono::DateTime::parse_from_rfc3339(text).expect("a date").to_utc();
        for (sentence, expired) in [
            (
                "on Friday, 02-Jan-26 00:00:00 PST. The current time is Saturday, 03-Jan-26 10:00:00 PST.",
                "2026-01-02T08:00:00Z",
            ),
            ("on Friday, 02-Jan-26 20:30:00 PST.", "2026-01-03T04:30:00Z"),
            ("on Wednesday, 01-Jul-26 20:30:00 PDT. The current", "2026-07-02T03:30:00Z"),
            ("on Friday, 02-Jan-26 00:00:00 UTC", "2026-01-02T00:00:00Z"),
            ("on Friday, 02-Jan-26 00:00:00 GMT.", "2026-01-02T00:00:00Z"),
            (
                "at unix time 1385243552. The current unix time is 1385301415.",
                "2013-11-23T21:52:32Z",
            ),
            ("on Friday, 02-Jan-26 00:00:00 CET.", ""),
            ("on Friday, 02-Jan-26", ""),
            ("on Friday, 32-Jan-26 00:00:00 PST.", ""),
            ("on Friday, 02-Jan-26 25:00:00 PST.", ""),
            ("on [redacted]", ""),
            ("at unix time soon", ""),
            ("at unix time 99999999999999999999", ""),
            ("recently", ""),
        ] {
            let message = format!("Error validating access token: Session has expired {sentence}");
            let problem = Problem::new(ProblemKind::Expired, message);
            let expired = Some(expired).filter(|it| !it.is_empty()).map(at);
            assert_eq!(problem.expired_at(), expired, "{sentence}");
        }
        assert_eq!(Problem::new(ProblemKind::Expired, "expired").expired_at(), None);
    }
}

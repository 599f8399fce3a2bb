//! Holds what is done with a token and why, as one value.
//!
//! The command acts on it, the log line, the table cell and the JSON field repeat it.

use chrono::TimeDelta;

use super::clocks::is_metas_own_pause;
use super::humanize;
use crate::token::{Attempts, Expiry, OpenAttempt, Problem, Time};

/// What to do with a token now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Exchange the current access token for one that ends later.
    Renew(Renew),
    /// Take the Page's access token from its parent.
    Derive(Derive),
    /// Ask Graph about the current access token.
    Verify(Verify),
    /// Leave it alone.
    Skip(Skip),
}

/// Why a token is renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renew {
    /// Its end is within the window.
    WindowOpen { ends: Time, window: TimeDelta },
    /// It lives a day or less and must be exchanged.
    ShortLived { ends: Time },
    /// When it expires is unknown, and it is less than a day old: it may live an hour, and Meta
    /// exchanges it, or sixty days, and Meta does not renew it yet.
    PerhapsShortLived,
    /// When it expires is unknown, and no call but a renewal tells.
    EndUnknown,
    /// It is a Page's that no parent renews, and its end is within the window: some apps are answered.
    WithoutParent { ends: Time },
    /// A person insisted.
    Forced,
}

/// Why a token is taken from where it comes from: a Page's from its parent, an app's from the
/// app's id and secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Derive {
    /// There is none yet.
    NoString,
    /// It is dead while its parent lives.
    Dead,
    /// It is dead, as an app's token is once the app's secret is reset, and the secret in the
    /// config gives another.
    SecretReset,
    /// Its parent has a newer access token than the one it came from.
    ParentRenewed,
    /// It is dated, and its end is within the window.
    WindowOpen { ends: Time },
    /// A person insisted.
    Forced,
}

/// Why Graph is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verify {
    /// It was never asked about.
    NeverChecked,
    /// The last proof is too old, or dated in the future.
    Stale {
        /// When it was given.
        last: Time,
    },
    /// Its stored end has come; Graph has the last word.
    PastItsDate { ended: Time },
    /// A person was called; perhaps that person has been.
    PersonAwaited,
    /// An earlier run was cut short while it renewed this token.
    CutShort(OpenAttempt),
    /// A person named it.
    Asked,
}

/// Why a token is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// There is no access token to work with.
    NoString,
    /// It is dead, and only a person can help.
    Dead(Problem),
    /// Graph gives no verdict until a person has freed the account.
    AccountBlocked(Problem),
    /// A person had it revoked from here: nothing takes its place until a person does.
    Revoked {
        /// When.
        at: Time,
    },
    /// It has no end.
    NeverExpires,
    /// Its window opens later.
    NotDue { due_at: Time },
    /// When it expires is unknown, and Graph was asked lately.
    EndUnknown,
    /// The config says so.
    AutoRefreshOff,
    /// Only a person can renew a token of this kind.
    NotRenewable,
    /// Meta renews it only a day after it was issued.
    TooYoung {
        /// From when on.
        eligible: Time,
    },
    /// The last tries failed; the next is later.
    BackingOff { until: Time },
    /// Meta throttles its app, and every further call would make that last longer.
    AppThrottled { until: Time },
    /// Its app has used up most of its calls, and this can wait.
    BudgetSpent {
        /// How much of the budget is used, in percent.
        used: u64,
    },
    /// Its parent cannot give it an access token now.
    ParentNotReady {
        /// The parent's name and what is wrong with it.
        why: String,
    },
    /// The clock is wrong and nothing is due by it.
    ClockDoubted,
    /// A new access token is sealed and waits to be examined, or for a person.
    CandidateWaits,
    /// Only short-lived access tokens were meant, and it is long-lived.
    LongLived {
        /// When it expires.
        expiry: Expiry,
    },
    /// It is short-lived, and Meta exchanges none of its type.
    NoExchange { ends: Time },
    /// Only short-lived access tokens were meant, and it has none yet: a refresh derives it.
    NotDerivedYet,
    /// It is short-lived, the config says that it is left alone, and it was not named.
    LeftAlone { ends: Option<Time> },
}

/// How much a person insists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insistence {
    /// A timer runs it, or a person who names no token.
    None,
    /// Named on the command line: asked about first.
    Named,
    /// `--force`: window and backoff do not count.
    Forced,
}

impl Insistence {
    /// Whether a person insists on another try before the pause after the last one is over: by
    /// `--force`, or by naming the token after a failure that only a person can fix. Meta's own pauses
    /// hold for everybody.
    pub(super) fn ends_a_pause(self, attempts: &Attempts) -> bool {
        let called = attempts.problem.as_ref().is_some_and(|it| it.action.needs_a_person());
        let insists = match self {
            Self::None => false,
            Self::Named => called,
            Self::Forced => true,
        };
        insists && !is_metas_own_pause(attempts)
    }
}

impl Decision {
    /// What is done, in one word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Renew(_) => "renew",
            Self::Derive(_) => "derive",
            Self::Verify(_) => "verify",
            Self::Skip(_) => "rest",
        }
    }

    /// The reason as people read it.
    pub fn sentence(&self, now: Time) -> String {
        match self {
            Self::Renew(why) => why.sentence(now),
            Self::Derive(why) => why.sentence(now),
            Self::Verify(why) => why.sentence(now),
            Self::Skip(why) => why.sentence(now),
        }
    }
}

impl Renew {
    fn sentence(&self, now: Time) -> String {
        match self {
            Self::WindowOpen { ends, window } => format!(
                "expires {} (renewal window: {})",
                humanize::relative(*ends, now),
                humanize::span(*window)
            ),
            Self::ShortLived { ends } => {
                format!("short-lived, expires {}", humanize::when(*ends, now))
            }
            Self::PerhapsShortLived => {
                "Meta does not report when it expires; it may live only an hour".to_owned()
            }
            Self::EndUnknown => {
                "Meta does not report when it expires; renewed to learn it".to_owned()
            }
            Self::WithoutParent { ends } => {
                format!("no `parent`, expires {}", humanize::when(*ends, now))
            }
            Self::Forced => "`--force`".to_owned(),
        }
    }
}

impl Derive {
    fn sentence(&self, now: Time) -> String {
        match self {
            Self::NoString => "no access token yet".to_owned(),
            Self::Dead => "down, and its parent works".to_owned(),
            Self::SecretReset => "down, and the app's secret gives another".to_owned(),
            Self::ParentRenewed => "its parent has a newer access token".to_owned(),
            Self::WindowOpen { ends } => format!("expires {}", humanize::when(*ends, now)),
            Self::Forced => "`--force`".to_owned(),
        }
    }
}

impl Verify {
    fn sentence(&self, now: Time) -> String {
        match self {
            Self::NeverChecked => "never checked".to_owned(),
            Self::Stale { last } => format!("last checked {}", humanize::when(*last, now)),
            Self::PastItsDate { ended } => format!("was to expire {}", humanize::when(*ended, now)),
            Self::PersonAwaited => "waits for a person".to_owned(),
            Self::CutShort(attempt) => attempt.problem().message,
            Self::Asked => "named".to_owned(),
        }
    }
}

impl Skip {
    fn sentence(&self, now: Time) -> String {
        match self {
            Self::NoString => "no access token".to_owned(),
            Self::Dead(problem) | Self::AccountBlocked(problem) => problem.in_short(),
            Self::Revoked { at } => format!("revoked here {}", humanize::when(*at, now)),
            Self::NeverExpires | Self::LongLived { expiry: Expiry::Never } => {
                "never expires".to_owned()
            }
            Self::NotDue { due_at } => format!("due {}", humanize::when(*due_at, now)),
            Self::EndUnknown => "Meta does not report when it expires".to_owned(),
            Self::AutoRefreshOff => "`auto_refresh` is off".to_owned(),
            Self::NotRenewable => "only a person can renew it".to_owned(),
            Self::TooYoung { eligible } => format!(
                "less than a day old, too young to renew: next {}",
                humanize::when(*eligible, now)
            ),
            Self::BackingOff { until } => {
                format!("the last try failed; the next is {}", humanize::when(*until, now))
            }
            Self::AppThrottled { until } => {
                format!("Meta throttles its app until {}", humanize::when(*until, now))
            }
            Self::BudgetSpent { used } => {
                format!("left for the next run: {used}% of its app's calls are used up")
            }
            Self::ParentNotReady { why } => why.clone(),
            Self::ClockDoubted => "the clock of this machine is wrong".to_owned(),
            Self::CandidateWaits => "a new access token waits to be checked".to_owned(),
            Self::LongLived { expiry: Expiry::Unknown } => {
                "Meta does not report when it expires, and it is too old to be short-lived"
                    .to_owned()
            }
            Self::LongLived { expiry: Expiry::At(end) } => {
                format!("long-lived, expires {}", humanize::when(*end, now))
            }
            Self::NoExchange { ends } => format!(
                "expires {}, and Meta exchanges no access token of its type",
                humanize::when(*ends, now)
            ),
            Self::NotDerivedYet => {
                "no access token yet; `metatoken refresh` derives one".to_owned()
            }
            Self::LeftAlone { ends } => {
                let when = ends.map(|ends| format!("expires {}, but ", humanize::when(ends, now)));
                format!("{}`auto_refresh` is off: name it to exchange it", when.unwrap_or_default())
            }
        }
    }
}

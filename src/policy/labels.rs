//! Judges labels: those that name another token's access token, those that the config does not
//! declare any more, and the files that declare them.

use chrono::TimeDelta;

use super::remedy::Remedy;
use super::remedy_choice::{own_access_token, table};
use super::remedy_kind::RemedyKind;
use super::{Dates, Health, Moment, Reason, Subject, humanize};
use crate::token::{Credential, Expiry, Label, SharedToken, TargetId, Time};

/// The code of what is said of a label whose config names another token's access token.
const SHARED_TOKEN: &str = "shared_token";
/// The code of what is said of a file of `tokens.d` that is left out.
const CONFIG_FILE: &str = "config_file";
/// The code of what is said of a label that cannot take over another's access token.
const RENAME_CONFLICT: &str = "rename_conflict";
/// The code of what is said of tokens that the config does not declare any more.
const UNDECLARED: &str = "undeclared";

/// The code of what is said of a file that holds an access token of a token that was forgotten.
const STILL_HELD: &str = "still_held";

/// More tokens than this do not leave the config at once, unless by mistake.
const FEW: usize = 3;
/// How long before its end an undeclared token is critical, as for all that only a person can renew.
const CRITICAL_WITHIN: TimeDelta = TimeDelta::days(7);

/// Says that the config names for a token the access token that another has.
pub fn judge_shared(subject: &Subject<'_>, shared: &SharedToken) -> Reason {
    let SharedToken { with, is_declared } = shared;
    let gone = if *is_declared { "" } else { ", no longer declared" };
    Reason {
        remedy: own_access_token(subject, shared),
        labels: vec![subject.label.clone()],
        ..of_the_config(SHARED_TOKEN, format!("`access_token` is that of `{with}`{gone}"))
    }
}

/// Why a token does not take over what is kept under its former label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenameConflict {
    /// Both labels have an access token.
    BothHaveOne { was: Label },
    /// The config declares the former label too.
    StillDeclared { was: Label },
    /// Another token claims the former label too.
    ClaimedTwice { was: Label, by: Label },
}

impl RenameConflict {
    /// The former label.
    pub const fn was(&self) -> &Label {
        match self {
            Self::BothHaveOne { was }
            | Self::StillDeclared { was }
            | Self::ClaimedTwice { was, .. } => was,
        }
    }
}

/// Says that `was` cannot rename a token.
pub fn judge_rename_conflict(label: &Label, conflict: &RenameConflict) -> Reason {
    let was = conflict.was();
    let (kind, other, why) = match conflict {
        RenameConflict::BothHaveOne { was } => {
            (RemedyKind::ForgetOldName, was, format!("it and `{was}` both have an access token"))
        }
        RenameConflict::StillDeclared { was } => {
            (RemedyKind::DropOldName, was, format!("its former label `{was}` is still declared"))
        }
        RenameConflict::ClaimedTwice { was, by } => {
            (RemedyKind::ChooseNewName, by, format!("`{by}` claims the former label `{was}` too"))
        }
    };
    let names = [
        ("{label}", label.as_str()),
        ("{was}", was.as_str()),
        ("{table}", &*table(label)),
        ("{other}", &*table(other)),
    ];
    Reason {
        remedy: kind.of_the_operator(&names),
        labels: vec![label.clone()],
        ..of_the_config(RENAME_CONFLICT, format!("not renamed: {why}"))
    }
}

/// Says that a file of tokens is left out. `about` is what tells it from others.
pub fn judge_left_out(message: &str, step: &str, about: &str, labels: Vec<Label>) -> Reason {
    let step = format!("{step}; then run `metatoken config check`");
    Reason {
        remedy: Remedy::of_the_operator(step),
        about: Some(about.to_owned()),
        labels,
        ..of_the_config(CONFIG_FILE, message)
    }
}

fn of_the_config(code: &'static str, message: impl Into<String>) -> Reason {
    Reason::of_the_system(code, Health::Critical, message, "")
}

impl Reason {
    /// Whether it is about which labels the config declares.
    pub fn is_about_labels(&self) -> bool {
        self.is_about_the_config() || self.code == UNDECLARED
    }

    /// Whether its labels are such as the config does not declare any more.
    pub fn is_about_labels_that_left(&self) -> bool {
        matches!(self.code, UNDECLARED | STILL_HELD)
    }

    /// Whether it is about what the config says of single labels: a run ends with 78 over it.
    pub fn is_about_the_config(&self) -> bool {
        matches!(self.code, SHARED_TOKEN | RENAME_CONFLICT | CONFIG_FILE)
    }
}

/// Says that a file holds an access token of a token that was forgotten.
pub fn judge_held_file(
    label: &Label,
    target: &TargetId,
    message: String,
    remedy: Remedy,
) -> Reason {
    Reason {
        remedy,
        about: Some(target.to_string()),
        labels: vec![label.clone()],
        ..Reason::of_the_system(STILL_HELD, Health::Warning, message, "")
    }
}

/// Whether an access token is lost if nothing renews it: it is not known to be dead.
pub fn may_live(credential: &Credential, moment: Moment) -> bool {
    credential.current.as_ref().is_some_and(|current| {
        let has_passed = moment.dates == Dates::Trusted && current.expiry.has_passed(moment.now);
        current.verdict() != Some(false) && !has_passed
    })
}

/// Whether so many tokens have left the config at once that it may be a mistake: more than a few, or
/// half of those with tables of their own, `all` before.
pub const fn is_many(gone: usize, with_tables: usize, all: usize) -> bool {
    gone > FEW || (with_tables > 0 && with_tables * 2 >= all)
}

/// Says that the config does not declare these tokens any more. `new_with_many` says whether those
/// that no run has found yet are many.
pub fn judge_undeclared(
    tokens: &[&Credential],
    new_with_many: bool,
    critical_within: Option<TimeDelta>,
    moment: Moment,
) -> Option<Reason> {
    let critical_within = critical_within.unwrap_or(CRITICAL_WITHIN);
    let first = soonest(tokens);
    let many = |token: &&Credential| token.undeclared.map_or(new_with_many, |it| it.with_many);
    let is_near = moment.dates == Dates::Trusted
        && tokens
            .iter()
            .filter_map(|it| it.current.as_ref())
            .any(|current| current.expiry.is_within(critical_within, moment.now));
    let with_many = tokens.iter().any(many);
    let labels: Vec<Label> = tokens.iter().map(|token| token.label.clone()).collect();
    if labels.is_empty() {
        return None;
    }
    let expires = match first {
        Some(at) if labels.len() == 1 => format!("expires {}", humanize::left(at, moment.now)),
        Some(at) => format!("the first expires {}", humanize::left(at, moment.now)),
        None => "expiry not known".to_owned(),
    };
    let expires = match first {
        None if tokens.iter().all(|it| never_expires(it)) => "never expires".to_owned(),
        _ => expires,
    };
    let at_once = if with_many && labels.len() > FEW { ", many at once" } else { "" };
    let severity = if is_near || with_many { Health::Critical } else { Health::Warning };
    let message = format!("no longer declared{at_once}, not renewed, {expires}");
    Some(Reason {
        remedy: declare_again(&labels),
        labels,
        ..Reason::of_the_system(UNDECLARED, severity, message, "")
    })
}

/// How tokens are kept that left the config; of many only the first is named.
fn declare_again(labels: &[Label]) -> Remedy {
    let (typed, others) = match labels {
        few if few.len() <= FEW => (few, ""),
        many => (&many[..1], " and the same for the others"),
    };
    let typed: Vec<&str> = typed.iter().map(Label::as_str).collect();
    let (each, was) = match labels {
        [only] => ("it", format!("`was = \"{only}\"`")),
        _ => ("each", "`was`".to_owned()),
    };
    let names =
        [("{labels}", &*typed.join(" ")), ("{each}", each), ("{was}", &was), ("{others}", others)];
    RemedyKind::DeclareAgain.of_the_operator(&names)
}

fn soonest(tokens: &[&Credential]) -> Option<Time> {
    tokens.iter().filter_map(|token| token.current.as_ref()?.expiry.at()).min()
}

fn never_expires(token: &Credential) -> bool {
    token.current.as_ref().is_some_and(|current| current.expiry == Expiry::Never)
}

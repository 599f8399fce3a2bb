//! Judges labels: those that name another token's access token, those that the config does not
//! declare any more, and the files that declare them.

use chrono::TimeDelta;

use super::{Dates, Health, Moment, Reason, humanize};
use crate::token::{Action, Credential, Expiry, Label, SharedToken, Time};

/// The code of what is said of a label whose config names another token's access token.
const SHARED_TOKEN: &str = "shared_token";
/// The code of what is said of a file of `tokens.d` that is left out.
const CONFIG_FILE: &str = "config_file";
/// The code of what is said of a label that cannot take over another's access token.
const RENAME_CONFLICT: &str = "rename_conflict";
/// The code of what is said of tokens that the config does not declare any more.
const UNDECLARED: &str = "undeclared";

/// More tokens than this do not leave the config at once, unless by mistake.
const FEW: usize = 3;
/// How long before its end an undeclared token is critical, as for all that only a person can renew.
const CRITICAL_WITHIN: TimeDelta = TimeDelta::days(7);

/// Says that the config names for `label` the access token that another token has.
pub fn judge_shared(label: &Label, shared: &SharedToken) -> Reason {
    let SharedToken { with, is_declared } = shared;
    let remedy = if *is_declared {
        format!("give it an access token of its own, or remove {} from the config", table(label))
    } else {
        format!(
            "if it is the new name of `{with}`, set `was = \"{with}\"` in {}, else run \
             `metatoken forget {with}`; then run `metatoken refresh {label}`",
            table(label)
        )
    };
    let gone = if *is_declared { "" } else { ", which the config no longer declares" };
    Reason {
        message: format!("not adopted: its `access_token` is the access token of `{with}`{gone}"),
        ..of_the_config(SHARED_TOKEN, vec![label.clone()], remedy)
    }
}

/// Says that `was` cannot rename a token, because both labels have an access token.
pub fn judge_rename_conflict(label: &Label, was: &Label) -> Reason {
    let remedy = format!(
        "to keep its own, run `metatoken forget {was}`; to keep that of `{was}`, remove {} from the \
         config, run `metatoken forget {label}`, and declare it again with `was`",
        table(label)
    );
    Reason {
        message: format!("not renamed: it has an access token of its own, and so has `{was}`"),
        ..of_the_config(RENAME_CONFLICT, vec![label.clone()], remedy)
    }
}

/// Says that a file of tokens is left out. `about` is what tells it from others.
pub fn judge_left_out(message: &str, remedy: &str, about: &str, labels: Vec<Label>) -> Reason {
    Reason {
        message: message.to_owned(),
        about: Some(about.to_owned()),
        ..of_the_config(CONFIG_FILE, labels, remedy.to_owned())
    }
}

fn of_the_config(code: &'static str, labels: Vec<Label>, remedy: String) -> Reason {
    Reason {
        code,
        severity: Health::Critical,
        message: String::new(),
        remedy,
        action: Action::FixConfiguration,
        about: None,
        labels,
        held_by: None,
    }
}

impl Reason {
    /// Whether it is about which labels the config declares.
    pub fn is_about_labels(&self) -> bool {
        self.is_about_the_config() || self.code == UNDECLARED
    }

    /// Whether it is about what the config says of single labels: a run ends with 78 over it.
    pub fn is_about_the_config(&self) -> bool {
        matches!(self.code, SHARED_TOKEN | RENAME_CONFLICT | CONFIG_FILE)
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
    let typed: Vec<&str> = labels.iter().map(Label::as_str).collect();
    let remedy = match typed[..] {
        [] => return None,
        [only] => format!(
            "declare it again, or with `was = \"{only}\"` under its new name; if it is not needed, run \
             `metatoken forget {only}`"
        ),
        [_, _] | [_, _, _] => format!(
            "declare each again, or with `was` under its new name; if they are not needed, run \
             `metatoken forget {}`",
            typed.join(" ")
        ),
        [first, ..] => format!(
            "declare each again, or with `was` under its new name; if they are not needed, run \
             `metatoken forget {first}` and the same for the others"
        ),
    };
    let expires = match first {
        Some(at) if labels.len() == 1 => format!("expires {}", humanize::when(at, moment.now)),
        Some(at) => format!("the first expires {}", humanize::when(at, moment.now)),
        None => "its expiry is not known".to_owned(),
    };
    let expires = match first {
        None if tokens.iter().all(|it| never_expires(it)) => "never expires".to_owned(),
        _ => expires,
    };
    let at_once = if with_many && labels.len() > FEW { ", many at once" } else { "" };
    Some(Reason {
        code: UNDECLARED,
        severity: if is_near || with_many { Health::Critical } else { Health::Warning },
        message: format!("no longer declared in the config{at_once}: not renewed; {expires}"),
        remedy,
        action: Action::FixConfiguration,
        about: None,
        labels,
        held_by: None,
    })
}

fn soonest(tokens: &[&Credential]) -> Option<Time> {
    tokens.iter().filter_map(|token| token.current.as_ref()?.expiry.at()).min()
}

fn never_expires(token: &Credential) -> bool {
    token.current.as_ref().is_some_and(|current| current.expiry == Expiry::Never)
}

/// The table of a token in the config, as a person finds it.
fn table(label: &Label) -> String {
    match label.as_discovered() {
        Some(_) => format!("`[token.\"{label}\"]`"),
        None => format!("`[token.{label}]`"),
    }
}

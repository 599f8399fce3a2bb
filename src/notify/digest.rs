//! Many causes at once, in few messages.
//!
//! A hundred messages in a minute are read by nobody, and a chat would throttle whoever sends them.

use crate::policy::{Announcement, Reason};
use crate::report::prefixed;
use crate::session::Session;

/// How many messages a channel gets at once.
const MOST: usize = 10;

/// The same in at most [`MOST`] announcements: the worst by themselves, and one that names the tokens
/// of all that are left.
pub(super) fn in_brief(mut all: Vec<Announcement>, session: &Session) -> Vec<Announcement> {
    if all.len() > MOST {
        let rest = all.split_off(MOST - 1);
        all.extend(summed_up(rest, session));
    }
    all
}

fn summed_up(rest: Vec<Announcement>, session: &Session) -> Option<Announcement> {
    let first = rest.first()?;
    let message =
        format!("{} more causes, the first of them: {}", rest.len(), first.reason.message);
    let remedy = "run `metatoken check` to see them all";
    let remedy = match &session.config.alerts.prefix {
        Some(prefix) => prefixed(remedy, prefix),
        None => remedy.to_owned(),
    };
    let reason = Reason {
        code: "digest",
        message,
        remedy,
        about: None,
        held_by: None,
        ..first.reason.clone()
    };
    let mut sum = Announcement { event: first.event, reason, told: Vec::new(), over: Vec::new() };
    for one in rest {
        for label in one.reason.labels {
            if !sum.reason.labels.contains(&label) {
                sum.reason.labels.push(label);
            }
        }
        sum.told.extend(one.told);
        sum.over.extend(one.over);
    }
    Some(sum)
}

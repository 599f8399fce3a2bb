//! Decides when an access token is derived: a Page's from its parent, an app's from
//! the app's id and secret; and when the Pages are listed.

use chrono::TimeDelta;

use super::clocks;
use super::decision::{Decision, Derive, Skip};
use super::{
    Dates, Health, Insistence, Moment, Parent, Reason, RemedyKind, Subject, is_short_lived,
};
use crate::token::{Credential, Generation, Label, Source, Time};

/// A Page that is gone from its parent's list this long counts as gone: the list comes back short at
/// times.
const GONE_FOR: TimeDelta = TimeDelta::days(7);

/// Since when a Page is gone from its parent's list, if that is long enough to be believed.
pub fn gone_since(page: &Credential, now: Time) -> Option<Time> {
    page.unlisted_since.filter(|since| now - *since >= GONE_FOR)
}

/// Whether the Pages of a parent with `pages = "all"` are to be listed: it has an access token that
/// was not listed yet, or one of its Pages has no live access token.
pub fn listing_is_due(
    parent: &Subject<'_>,
    pages: &[&Credential],
    insistence: Insistence,
    moment: Moment,
) -> bool {
    let (Some(credential), Some(current)) = (parent.credential, parent.current()) else {
        return false;
    };
    if readiness(parent.label.as_str(), credential, moment).is_err() {
        return false;
    }
    let lifeless = |page: &&Credential| {
        page.retired_at.is_none()
            && clocks::pause(&page.attempts, moment.now).is_none()
            && page.current.as_ref().is_none_or(|current| current.verdict() == Some(false))
    };
    insistence == Insistence::Forced
        || credential.listed != Some(current.id)
        || pages.iter().any(lifeless)
}

/// Warns that the list of a token's Pages was cut short.
pub fn judge_cut_list(label: &Label) -> Reason {
    let message = "Graph lists some of its Pages and does not say how to ask for the others";
    Reason {
        remedy: RemedyKind::DeclarePages.of_the_operator(&[("{label}", label.as_str())]),
        labels: vec![label.clone()],
        ..Reason::of_the_system("list_cut", Health::Warning, message, "")
    }
}

/// What a token without an access token waits for: its parent, or a person.
///
/// A first access token is not a renewal: it is taken whatever `auto_refresh` says.
pub fn without_access_token(
    subject: &Subject<'_>,
    insistence: Insistence,
    moment: Moment,
) -> Decision {
    match (subject.token_type.spec().source, subject.parent) {
        (Source::Person(_), _) | (Source::Parent(_), None) => {
            return Decision::Skip(Skip::NoString);
        }
        (Source::App(_), _) => {}
        (Source::Parent(_), Some(parent)) => {
            if let Err(why) = giver(parent, moment) {
                return Decision::Skip(Skip::ParentNotReady { why });
            }
        }
    }
    match subject.credential.and_then(|it| pause(subject, it, insistence, moment)) {
        Some(until) => Decision::Skip(Skip::BackingOff { until }),
        None => Decision::Derive(Derive::NoString),
    }
}

/// What a token that is taken from somewhere needs, if it needs anything but proof.
pub fn derivation(
    subject: &Subject<'_>,
    credential: &Credential,
    current: &Generation,
    insistence: Insistence,
    moment: Moment,
) -> Option<Decision> {
    if !subject.policy.auto_refresh && insistence != Insistence::Forced {
        return None;
    }
    let reason = match subject.token_type.spec().source {
        Source::Person(_) => return None,
        Source::Parent(_) => match from_parent(subject, current, insistence, moment)? {
            Ok(reason) => reason,
            Err(rest) => return Some(Decision::Skip(rest)),
        },
        Source::App(_) => (current.verdict() == Some(false)).then_some(Derive::SecretReset)?,
    };
    let Some(until) = pause(subject, credential, insistence, moment) else {
        return Some(Decision::Derive(reason));
    };
    let stands = credential.attempts.problem.as_ref();
    let waits_for_a_person = stands.is_some_and(|problem| problem.action.needs_a_person());
    match reason {
        // The access token it has serves meanwhile.
        Derive::ParentRenewed => None,
        // What keeps a new access token from it only a person can fix: that is not a pause.
        Derive::Dead | Derive::SecretReset if waits_for_a_person => None,
        _ => Some(Decision::Skip(Skip::BackingOff { until })),
    }
}

/// Until when nothing is tried, unless a person insists or the parent has got another access token;
/// Meta's own pauses hold for everybody.
fn pause(
    subject: &Subject<'_>,
    credential: &Credential,
    insistence: Insistence,
    moment: Moment,
) -> Option<Time> {
    let until = clocks::pause(&credential.attempts, moment.now)?;
    let metas_own = clocks::is_metas_own_pause(&credential.attempts);
    let is_over = insistence.ends_a_pause(&credential.attempts)
        || was_refused_by_another(subject, credential) && !metas_own;
    (!is_over).then_some(until)
}

/// Whether the last derivation failed with another access token than the one that the parent has now.
fn was_refused_by_another(subject: &Subject<'_>, credential: &Credential) -> bool {
    let parent = subject.parent.and_then(|parent| parent.credential);
    let current = parent.and_then(|parent| parent.current.as_ref());
    current.is_some_and(|current| credential.attempts.refused_by != Some(current.id))
}

/// Why a Page's access token is taken anew, or why it is not although it should be.
fn from_parent(
    subject: &Subject<'_>,
    current: &Generation,
    insistence: Insistence,
    moment: Moment,
) -> Option<Result<Derive, Skip>> {
    let parent = subject.parent?;
    let reason = wanted(subject, current, insistence, moment)?;
    match (giver(parent, moment), &reason) {
        (Ok(()), _) => Some(Ok(reason)),
        // Its own verdict says the rest.
        (Err(_), Derive::Dead | Derive::ParentRenewed) => None,
        (Err(why), _) => Some(Err(Skip::ParentNotReady { why })),
    }
}

/// Why a Page's access token should be taken anew; what presses most comes first.
fn wanted(
    subject: &Subject<'_>,
    current: &Generation,
    insistence: Insistence,
    moment: Moment,
) -> Option<Derive> {
    if current.verdict() == Some(false) {
        return Some(Derive::Dead);
    }
    if insistence == Insistence::Forced {
        return Some(Derive::Forced);
    }
    let window = subject.window(current).span;
    let due = moment.dates == Dates::Trusted && current.expiry.is_within(window, moment.now);
    if let Some(ends) = current.expiry.at().filter(|_| due) {
        return Some(Derive::WindowOpen { ends });
    }
    let from = subject.parent?.credential?.current.as_ref().map(|generation| generation.id);
    (current.parent != from).then_some(Derive::ParentRenewed)
}

/// Whether the parent of a Page can give it an access token now, or why not.
fn giver(parent: Parent<'_>, moment: Moment) -> Result<(), String> {
    match parent.credential {
        Some(credential) => readiness(parent.label.as_str(), credential, moment),
        None => Err(format!("its parent `{}` has no access token yet", parent.label)),
    }
}

/// Whether a parent can give its Pages access tokens now, or why not.
///
/// A Page token that comes from a short-lived user token dies with it within the hour, so none
/// is ever taken from one. Source: Meta, token switching.
fn readiness(label: &str, parent: &Credential, moment: Moment) -> Result<(), String> {
    let Some(current) = &parent.current else {
        return Err(format!("its parent `{label}` has no access token yet"));
    };
    if current.verdict() != Some(true) {
        return Err(format!("its parent `{label}` is not known to work"));
    }
    if current.expiry.has_passed(moment.now) && moment.dates == Dates::Trusted {
        return Err(format!("its parent `{label}` has expired"));
    }
    if is_short_lived(current) {
        return Err(format!("its parent `{label}` is short-lived"));
    }
    Ok(())
}

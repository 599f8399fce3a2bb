//! When a Page's string is taken from its parent, and when the Pages are listed.

use super::decision::{Decision, Derive, Rest};
use super::renewal::verdict;
use super::{Dates, Insistence, Moment, Subject, is_short_lived};
use crate::token::{Credential, Generation, TokenType};

/// Whether the Pages of a parent with `pages = "all"` are to be listed: it has a string that was
/// not listed yet, or one of its Pages has no live string.
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
            && page.ledger.not_before.is_none_or(|until| until <= moment.now)
            && page.current.as_ref().is_none_or(|generation| verdict(generation) == Some(false))
    };
    insistence == Insistence::Forced
        || credential.listed != Some(current.id)
        || pages.iter().any(lifeless)
}

/// What a token without a string waits for: its parent, or a person.
pub(super) fn without_a_string(subject: &Subject<'_>, moment: Moment) -> Decision {
    let Some(parent) = subject.parent else { return Decision::Rest(Rest::NoString) };
    let backing_off = subject
        .credential
        .and_then(|credential| credential.ledger.not_before)
        .filter(|until| *until > moment.now);
    match parent.credential.map(|it| readiness(parent.label.as_str(), it, moment)) {
        Some(Ok(())) => match backing_off {
            Some(until) => Decision::Rest(Rest::BackingOff { until }),
            None => Decision::Derive(Derive::NoString),
        },
        Some(Err(why)) => Decision::Rest(Rest::ParentNotReady { why }),
        None => Decision::Rest(Rest::ParentNotReady {
            why: format!("its parent `{}` has no string yet", parent.label),
        }),
    }
}

/// What a Page token with a parent needs, if it needs anything but proof.
pub(super) fn derivation(
    subject: &Subject<'_>,
    credential: &Credential,
    current: &Generation,
    insistence: Insistence,
    moment: Moment,
) -> Option<Decision> {
    let parent = subject.parent.filter(|_| subject.token_type == TokenType::Page)?;
    let parents = parent.credential?;
    let forced = insistence == Insistence::Forced;
    if !subject.policy.auto_refresh && !forced {
        return None;
    }
    let reason = if verdict(current) == Some(false) {
        Derive::Dead
    } else if forced {
        Derive::Forced
    } else if current.parent != parents.current.as_ref().map(|generation| generation.id) {
        Derive::ParentRenewed
    } else if let Some(ends) = current
        .expiry
        .at()
        .filter(|_| moment.dates == Dates::Trusted)
        .filter(|_| current.expiry.is_within(subject.policy.refresh_within, moment.now))
    {
        Derive::WindowOpen { ends }
    } else {
        return None;
    };
    if readiness(parent.label.as_str(), parents, moment).is_err() {
        return None;
    }
    match credential.ledger.not_before {
        Some(until) if until > moment.now && !forced => None,
        _ => Some(Decision::Derive(reason)),
    }
}

/// Whether a parent can give its Pages strings now, or why not.
///
/// A Page token that comes from a short-lived user token dies with it within the hour, so none
/// is ever taken from one. Source: Meta, token switching.
fn readiness(label: &str, parent: &Credential, moment: Moment) -> Result<(), String> {
    let Some(current) = &parent.current else {
        return Err(format!("its parent `{label}` has no string yet"));
    };
    if verdict(current) != Some(true) {
        return Err(format!("its parent `{label}` is not known to be alive"));
    }
    if current.expiry.has_passed(moment.now) && moment.dates == Dates::Trusted {
        return Err(format!("its parent `{label}` has expired"));
    }
    if is_short_lived(current) {
        return Err(format!("its parent `{label}` is short-lived"));
    }
    Ok(())
}

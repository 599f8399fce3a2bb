//! How old a string is, where Meta makes that matter.
//!
//! Instagram and Threads renew no string in its first day, and neither says when a string that a
//! person brought was issued. What we were granted ourselves we know the age of; of the rest we
//! know only that it is no younger than our first sight of it, and learn more from a refusal.

use chrono::TimeDelta;

use super::{Subject, TOLERANCE};
use crate::token::{Expiry, Generation, Origin, Provider, Time};

/// A life of at most this is short: what the login dialog, the Explorer and the WhatsApp
/// dashboard hand out lives one to twenty-four hours; everything exchanged lives sixty days.
const SHORT_LIFE: TimeDelta = TimeDelta::hours(48);

/// What is said of a string that lives a day or less: where it comes from. Source: Meta, get
/// long-lived tokens; WhatsApp, get started; Instagram, business login; Threads, long-lived tokens.
pub fn short_lived(provider: Provider) -> String {
    format!("it lives a day or less, as {}", provider.spec().words.short_lived)
}

/// In its first day a string of unknown end may be one of those that live an hour.
const MAY_BE_SHORT_LIVED_FOR: TimeDelta = TimeDelta::hours(24);

impl Subject<'_> {
    /// From when on Meta renews this string, if it is known to be too young now.
    pub(super) fn eligible_at(&self, current: &Generation, now: Time) -> Option<Time> {
        let known = knows_its_birth(current) || self.extended_at(current).is_some();
        known.then(|| self.eligible_at_the_latest(current, now)).flatten()
    }

    /// From when on Meta certainly renews this string, if that lies ahead: a refusal before then
    /// may mean no more than that it is too young.
    pub fn eligible_at_the_latest(&self, current: &Generation, now: Time) -> Option<Time> {
        // A string that Meta extends in place begins anew.
        let born = current.born_at().max(self.extended_at(current).unwrap_or(current.born_at()));
        let eligible = born + self.token_type.spec().minimum_age;
        // A birth that lies ahead was written down by a clock that was ahead.
        (eligible > now && born <= now + TOLERANCE).then_some(eligible)
    }

    /// When Meta last moved the end of this very string.
    fn extended_at(&self, current: &Generation) -> Option<Time> {
        let last = self.credential.and_then(|credential| credential.ledger.last_refreshed_at);
        last.filter(|at| *at >= current.obtained_at)
    }

    /// Whether it cannot be told if this string lives an hour or sixty days.
    pub(super) fn may_be_short_lived(&self, current: &Generation, now: Time) -> bool {
        let spec = self.token_type.spec();
        spec.exchange.is_some()
            && spec.may_hide_the_end()
            && current.expiry == Expiry::Unknown
            && !knows_its_birth(current)
            && now - current.obtained_at < MAY_BE_SHORT_LIVED_FOR
    }
}

/// Whether a string has outlived the end that we know of.
///
/// Graph, asked since, called it alive and told no end: somebody else has renewed it, or Meta's
/// seconds were wrong. Where Graph tells the end itself, that end counts.
pub(super) fn has_outlived_its_date(generation: &Generation, now: Time) -> bool {
    let Some(end) = generation.expiry.at().filter(|end| *end <= now) else { return false };
    generation.proof.as_ref().is_some_and(|proof| {
        proof.at >= end
            && proof.inspection.valid == Some(true)
            && proof.inspection.expiry == Expiry::Unknown
    })
}

/// Whether Meta told when it was issued, or issued it to us.
fn knows_its_birth(generation: &Generation) -> bool {
    let told = generation.proof.as_ref().is_some_and(|proof| proof.inspection.issued_at.is_some());
    told || generation.origin != Origin::Adopted
}

/// Whether a string is one of those that live a day or less and must be exchanged at once.
///
/// Meta tells `issued_at` for long-lived tokens only; without it the first sight stands in.
pub fn is_short_lived(generation: &Generation) -> bool {
    let told = generation.proof.as_ref().is_some_and(|proof| proof.inspection.issued_at.is_some());
    match generation.expiry {
        Expiry::At(end) if told => end - generation.born_at() <= SHORT_LIFE,
        Expiry::At(end) => end - generation.obtained_at <= SHORT_LIFE,
        Expiry::Never | Expiry::Unknown => false,
    }
}

/// The same for a string that is not stored: judged by what Graph said of it at `now`.
pub fn is_short_life(inspection: &crate::token::Inspection, now: Time) -> bool {
    inspection
        .expiry
        .at()
        .is_some_and(|end| end - inspection.issued_at.unwrap_or(now) <= SHORT_LIFE)
}

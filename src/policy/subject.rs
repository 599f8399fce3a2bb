//! Holds what is judged: one token, what is known of it, and how old its access token is.
//!
//! Instagram and Threads renew no access token in its first day, and neither says when one that a
//! person brought was issued. The age of what was granted to us is known; the rest is no younger
//! than our first sight of it, and a refusal tells more.

use chrono::TimeDelta;

use crate::token::{
    Credential, Expiry, Generation, Label, Origin, Provider, Source, Time, TokenType,
};

use super::TOLERANCE;
use super::clocks::pause;
use super::token_policy::{Policy, Promote};

/// One token as the config wants it and as the store knows it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub label: &'a Label,
    /// Its type by the config.
    pub token_type: TokenType,
    /// How it is to be treated.
    pub policy: &'a Policy,
    /// What the store knows; nothing before the first run that saw it.
    pub credential: Option<&'a Credential>,
    /// The user token that a Page token is derived from.
    pub parent: Option<Parent<'a>>,
    /// The token that is kept in reserve for it.
    pub backup: Option<Backup<'a>>,
    /// Until when Meta throttles its app, if it does.
    pub throttled_until: Option<Time>,
    /// What the config calls what it hangs on.
    pub naming: Naming<'a>,
}

/// What the config calls the things that a token hangs on, for messages.
#[derive(Debug, Clone, Copy, Default)]
pub struct Naming<'a> {
    /// The file of the config.
    pub config: &'a str,
    /// The file that declares the token.
    pub file: &'a str,
    /// The app's name.
    pub app: &'a str,
    /// Meta's id of the app, where it is known.
    pub app_id: Option<&'a str>,
    /// The Page's id.
    pub page_id: Option<&'a str>,
    /// Whether the app has no secret, which a login needs.
    pub lacks_secret: bool,
    /// The label of the admin's token that makes its access tokens.
    pub admin: Option<&'a str>,
}

/// The parent of a Page token.
#[derive(Debug, Clone, Copy)]
pub struct Parent<'a> {
    pub label: &'a Label,
    /// What the store knows of it.
    pub credential: Option<&'a Credential>,
    /// The token that is kept in reserve for it.
    pub backup: Option<Backup<'a>>,
}

impl Parent<'_> {
    /// Graph's last verdict on its access token.
    pub fn verdict(&self) -> Option<bool> {
        self.credential?.current.as_ref()?.verdict()
    }
}

/// The token that is kept in reserve for another.
#[derive(Debug, Clone, Copy)]
pub struct Backup<'a> {
    pub label: &'a Label,
    /// What the store knows of it.
    pub credential: Option<&'a Credential>,
    /// Who puts it in that token's place.
    pub promoted_by: Promote,
}

impl Backup<'_> {
    /// Whether its access token works, by Graph's last word.
    pub fn works(&self) -> bool {
        let current = self.credential.and_then(|it| it.current.as_ref());
        current.is_some_and(|current| current.verdict() == Some(true))
    }
}

/// The span before its end in which a token is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How long it really is.
    pub span: TimeDelta,
    /// Whether the setting was wider than the token's whole life.
    pub clipped: bool,
}

impl<'a> Subject<'a> {
    /// The access token that programs use.
    pub fn current(&self) -> Option<&'a Generation> {
        self.credential?.current.as_ref()
    }

    /// The earlier access token that may work longest, where the one in use is dead or missing. One that
    /// expired before that was found is of no use.
    pub fn fallback(&self) -> Option<&'a Generation> {
        let checked = self.current().and_then(|it| it.proof.as_ref()).map(|proof| proof.at);
        let earlier = self.credential?.fallback.as_deref()?;
        let has_ended = earlier.expiry.at().zip(checked).is_some_and(|(end, at)| end <= at);
        (!has_ended && !is_short_lived(earlier)).then_some(earlier)
    }

    /// The window of `generation`: the setting, clipped to the observed life less a day.
    pub fn window(&self, generation: &Generation) -> Window {
        let wanted = self.policy.refresh_within;
        match generation.life().map(|life| life - TimeDelta::days(1)) {
            Some(most) if !is_short_lived(generation) && most < wanted => {
                Window { span: most.max(TimeDelta::zero()), clipped: true }
            }
            _ => Window { span: wanted, clipped: false },
        }
    }

    /// Whether no access token of it was ever good.
    pub fn has_never_worked(&self) -> bool {
        self.credential.is_none_or(|credential| {
            let lost = credential.damage.as_ref().is_some_and(|it| it.in_place.is_some());
            credential.current.is_none() && !lost
        })
    }

    /// Whether only a person can make it live longer.
    pub fn only_a_person_can_renew(&self) -> bool {
        if !self.policy.auto_refresh {
            return true;
        }
        match self.token_type.spec().source {
            Source::Parent(_) => self.parent.is_none(),
            Source::App(_) => false,
            Source::Person(_) => {
                !self.token_type.spec().is_renewable() || self.has_stopped_extending()
            }
        }
    }

    /// Whether Meta has accepted three renewals over three days without extending the token.
    pub fn has_stopped_extending(&self) -> bool {
        self.credential.is_some_and(|credential| {
            let attempts = &credential.attempts;
            let over =
                attempts.first_miss_at.zip(attempts.last_attempt_at).map(|(from, to)| to - from);
            attempts.misses >= 3 && over.is_some_and(|over| over >= TimeDelta::days(2))
        })
    }

    /// How long before its end it is a warning.
    pub fn warn_within(&self) -> TimeDelta {
        let default = if self.only_a_person_can_renew() { 14 } else { 10 };
        self.policy.warn_within.unwrap_or(TimeDelta::days(default))
    }

    /// How long before its end it is critical.
    pub fn critical_within(&self) -> TimeDelta {
        let default = if self.only_a_person_can_renew() { 7 } else { 3 };
        self.policy.critical_within.unwrap_or(TimeDelta::days(default))
    }
}

/// A life of at most this is short: what the login dialog, the Explorer and the WhatsApp
/// dashboard hand out lives one to twenty-four hours; everything exchanged lives sixty days.
const SHORT_LIFE: TimeDelta = TimeDelta::hours(48);

/// A sentence about an access token that lives a day or less: where it comes from. Source: Meta, get
/// long-lived tokens; WhatsApp, get started; Instagram, business login; Threads, long-lived tokens.
pub fn short_lived(provider: Provider) -> String {
    format!("It lives a day or less, like {}", provider.spec().words.short_lived)
}

/// In its first day an access token of unknown end may be one of those that live an hour.
const MAY_BE_SHORT_LIVED_FOR: TimeDelta = TimeDelta::hours(24);

impl Subject<'_> {
    /// From when on Meta renews this access token, if it is known to be too young now.
    pub(super) fn eligible_at(&self, current: &Generation, now: Time) -> Option<Time> {
        let known = knows_its_birth(current) || self.extended_at(current).is_some();
        known.then(|| self.eligible_at_the_latest(current, now)).flatten()
    }

    /// From when on Meta certainly renews this access token, if that lies ahead: a refusal before
    /// then may mean no more than that it is too young.
    pub fn eligible_at_the_latest(&self, current: &Generation, now: Time) -> Option<Time> {
        // An access token that Meta extends in place begins anew.
        let born = current.born_at().max(self.extended_at(current).unwrap_or(current.born_at()));
        let eligible = born + self.token_type.spec().minimum_age;
        // A birth that lies ahead was written down by a clock that was ahead.
        (eligible > now && born <= now + TOLERANCE).then_some(eligible)
    }

    /// When this access token of unknown end is renewed, if that lies ahead.
    pub(super) fn next_renewal(&self, current: &Generation, now: Time) -> Option<Time> {
        let paused = self.credential.and_then(|credential| pause(&credential.attempts, now));
        self.eligible_at_the_latest(current, now).max(paused)
    }

    /// When Meta last moved the end of this very access token.
    fn extended_at(&self, current: &Generation) -> Option<Time> {
        let last = self.credential.and_then(|credential| credential.attempts.last_refreshed_at);
        last.filter(|at| *at >= current.obtained_at)
    }

    /// Whether it cannot be told if this access token lives an hour or sixty days.
    pub(super) fn may_be_short_lived(&self, current: &Generation, now: Time) -> bool {
        let spec = self.token_type.spec();
        spec.exchange.is_some()
            && spec.may_hide_the_end()
            && current.expiry == Expiry::Unknown
            && !knows_its_birth(current)
            && now - current.obtained_at < MAY_BE_SHORT_LIVED_FOR
    }
}

/// Whether an access token has outlived the end that we know of.
///
/// Graph, asked since, called it valid and did not say when it expires: another program has renewed
/// it, or Meta's seconds were wrong. Where Graph says when it expires, that counts.
pub fn has_outlived_its_date(generation: &Generation, now: Time) -> bool {
    let Some(end) = generation.expiry.at().filter(|end| *end <= now) else { return false };
    generation.proof.as_ref().is_some_and(|proof| {
        proof.at >= end
            && proof.inspection.verdict() == Some(true)
            && proof.inspection.expiry == Expiry::Unknown
    })
}

/// Whether an access token works now: by Graph's last verdict, and by its date since.
pub fn works(generation: &Generation, now: Time) -> Option<bool> {
    let is_over = generation.expiry.has_passed(now) && !has_outlived_its_date(generation, now);
    generation.verdict().map(|alive| alive && !is_over)
}

/// Whether Meta told when it was issued, or issued it to us.
fn knows_its_birth(generation: &Generation) -> bool {
    let told = generation.proof.as_ref().is_some_and(|proof| proof.inspection.issued_at.is_some());
    told || generation.origin != Origin::Adopted
}

/// Whether an access token is one of those that live a day or less and must be exchanged at once.
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

/// The same for an access token that is not stored: judged by what Graph said of it at `now`.
pub fn is_short_life(inspection: &crate::token::Inspection, now: Time) -> bool {
    inspection
        .expiry
        .at()
        .is_some_and(|end| end - inspection.issued_at.unwrap_or(now) <= SHORT_LIFE)
}

//! Decides which token is due, for what, and why; and when a renewal that failed is tried again.
//!
//! The rules are the contract's, «When a token is due»; those for Pages are in `derivation`.
//!
//! An app has a budget of calls an hour, shared with everything else that uses it; once it is spent,
//! Meta refuses them all. So above nine tenths only that is done which a token needs now.

use chrono::TimeDelta;

use crate::token::{Action, Credential, Expiry, Generation, Problem, ProblemKind, Source, Time};

use super::clocks::{is_metas_own_pause, pause, throttle};
use super::decision::{Decision, Derive, Insistence, Renew, Skip, Verify};
use super::derivation::{derivation, without_access_token};
use super::subject::has_outlived_its_date;
use super::{Dates, Moment, Subject, humanize, is_short_lived};

/// Decides what to do with a token.
///
/// While Meta throttles the app every call to Graph waits, also one that a person asked for.
pub fn decide(subject: &Subject<'_>, insistence: Insistence, moment: Moment) -> Decision {
    unless_throttled(subject, wish(subject, insistence, moment), moment)
}

/// Decides whether a token is exchanged because its access token is short-lived, and why not. A
/// person has asked for that, so that earlier failures do not count.
pub fn decide_exchange(subject: &Subject<'_>, insistence: Insistence, moment: Moment) -> Decision {
    unless_throttled(subject, exchange(subject, insistence, moment), moment)
}

fn exchange(subject: &Subject<'_>, insistence: Insistence, moment: Moment) -> Decision {
    let known = subject.credential.and_then(|it| Some((it, it.current.as_ref()?)));
    let Some((credential, current)) = known else {
        return Decision::Skip(match (subject.token_type.spec().source, subject.parent) {
            (Source::App(_), _) | (Source::Parent(_), Some(_)) => Skip::NotDerivedYet,
            _ => Skip::NoString,
        });
    };
    if current.proof.is_none() {
        return Decision::Verify(Verify::NeverChecked);
    }
    if let Some(attempt) = credential.attempts.open_attempt {
        return Decision::Verify(Verify::CutShort(attempt));
    }
    if let Some(why) = beyond_our_help(current, moment) {
        return Decision::Skip(why);
    }
    let (expiry, ends) = (current.expiry, current.expiry.at());
    let renew = match ends.filter(|_| is_short_lived(current)) {
        Some(ends) if subject.token_type.spec().exchange.is_none() => {
            return Decision::Skip(Skip::NoExchange { ends });
        }
        Some(ends) => Renew::ShortLived { ends },
        None if subject.may_be_short_lived(current, moment.now) => Renew::PerhapsShortLived,
        None => return Decision::Skip(Skip::LongLived { expiry }),
    };
    let metas_own = pause(&credential.attempts, moment.now)
        .filter(|_| is_metas_own_pause(&credential.attempts) && ends.is_some());
    match metas_own {
        _ if !subject.policy.auto_refresh && insistence == Insistence::None => {
            Decision::Skip(Skip::LeftAlone { ends })
        }
        _ if credential.candidate.as_ref().is_some_and(is_a_grant) => {
            Decision::Skip(Skip::CandidateWaits)
        }
        Some(until) => Decision::Skip(Skip::BackingOff { until }),
        None => Decision::Renew(renew),
    }
}

/// The wish, unless Meta wants no call now.
fn unless_throttled(subject: &Subject<'_>, wish: Decision, moment: Moment) -> Decision {
    let of_the_app = subject.throttled_until.and_then(|until| throttle(until, moment.now));
    let of_the_token = subject.credential.and_then(|it| throttled_until(it, moment.now));
    match (of_the_app, of_the_token) {
        _ if matches!(wish, Decision::Skip(_)) => wish,
        (Some(until), _) => Decision::Skip(Skip::AppThrottled { until }),
        (None, Some(until)) => Decision::Skip(Skip::BackingOff { until }),
        (None, None) => wish,
    }
}

/// Until when Meta wants no further call with this token, as it said itself.
fn throttled_until(credential: &Credential, now: Time) -> Option<Time> {
    let attempts = &credential.attempts;
    let throttled = attempts.problem.as_ref().is_some_and(|it| it.action == Action::SlowDown);
    pause(attempts, now).filter(|_| throttled)
}

/// Whether a candidate was granted by Meta or handed over, and is not examined yet.
fn is_a_grant(candidate: &Generation) -> bool {
    !candidate.is_found()
}

fn wish(subject: &Subject<'_>, insistence: Insistence, moment: Moment) -> Decision {
    let Some((credential, current)) =
        subject.credential.and_then(|credential| Some((credential, credential.current.as_ref()?)))
    else {
        return without_access_token(subject, insistence, moment);
    };
    if let Some(at) = current.revoked_at.filter(|_| !has_a_new_giver(subject)) {
        return open_question(credential, current, insistence, moment)
            .or_else(|| overdue_proof(subject, current, moment))
            .map_or(Decision::Skip(Skip::Revoked { at }), Decision::Verify);
    }
    if let Some(question) = open_question(credential, current, insistence, moment) {
        return Decision::Verify(question);
    }
    let plan = derivation(subject, credential, current, insistence, moment)
        .or_else(|| beyond_our_help(current, moment).map(Decision::Skip))
        .unwrap_or_else(|| renewal(subject, credential, current, insistence, moment));
    let plan = match plan {
        // Another grant would replace one that is not examined yet. A candidate from outside does
        // not keep the current access token from being renewed.
        Decision::Renew(_) if credential.candidate.as_ref().is_some_and(is_a_grant) => {
            Decision::Skip(Skip::CandidateWaits)
        }
        plan => plan,
    };
    match plan {
        // What the candidate lacks says nothing against the current access token.
        Decision::Skip(Skip::CandidateWaits) => {
            overdue_proof(subject, current, moment).map_or(plan, Decision::Verify)
        }
        Decision::Skip(_) => person_awaited(credential, current, moment)
            .or_else(|| overdue_proof(subject, current, moment))
            .map_or(plan, Decision::Verify),
        act => act,
    }
}

/// Whether a Page whose access token was revoked has a parent that works: a person has logged in since.
fn has_a_new_giver(subject: &Subject<'_>) -> bool {
    let parent = subject.parent.and_then(|parent| parent.credential?.current.as_ref());
    parent.is_some_and(|it| it.revoked_at.is_none() && it.verdict() == Some(true))
}

/// What Graph must be asked before anything else is decided, unless this run has asked already.
fn open_question(
    credential: &Credential,
    current: &Generation,
    insistence: Insistence,
    moment: Moment,
) -> Option<Verify> {
    let Some(proof) = &current.proof else { return Some(Verify::NeverChecked) };
    if proof.at > moment.now {
        return Some(Verify::Stale { last: proof.at });
    }
    // Named even if the run that was cut short asked in this very second.
    if let Some(attempt) = credential.attempts.open_attempt {
        return Some(Verify::CutShort(attempt));
    }
    if proof.at >= moment.run_started {
        return None;
    }
    if proof.inspection.verdict() != Some(true) {
        return Some(match beyond_our_help(current, moment) {
            Some(_) => Verify::PersonAwaited,
            None => Verify::Stale { last: proof.at },
        });
    }
    match current.expiry.at().filter(|ended| *ended <= moment.now) {
        Some(ended) if proof.at < ended => Some(Verify::PastItsDate { ended }),
        Some(_) if !has_outlived_its_date(current, moment.now) => Some(Verify::PersonAwaited),
        _ => (insistence != Insistence::None).then_some(Verify::Asked),
    }
}

/// Whether a person was called for what the last attempt ran into, and may have been since this was
/// last asked about.
fn person_awaited(credential: &Credential, current: &Generation, moment: Moment) -> Option<Verify> {
    let called = credential.attempts.problem.as_ref().is_some_and(|it| it.action.needs_a_person());
    let asked = current.proof.as_ref().is_some_and(|proof| proof.at >= moment.run_started);
    (called && !asked).then_some(Verify::PersonAwaited)
}

fn overdue_proof(subject: &Subject<'_>, current: &Generation, moment: Moment) -> Option<Verify> {
    let last = current.proof.as_ref()?.at;
    let fresh = last >= moment.run_started || moment.now - last < subject.policy.verify_every;
    (!fresh).then_some(Verify::Stale { last })
}

/// Why only a person can help, if that is so: Graph's verdict, or its own date, has the last word.
///
/// Where Graph gave no verdict for a reason that will pass, the access token is worth what it was.
fn beyond_our_help(current: &Generation, moment: Moment) -> Option<Skip> {
    let inspection = &current.proof.as_ref()?.inspection;
    let problem = || inspection.problem.clone().unwrap_or_else(unexplained);
    match inspection.verdict() {
        Some(true) => past_its_date(current, moment).map(Skip::Dead),
        Some(false) => Some(Skip::Dead(problem())),
        None => Some(problem())
            .filter(|problem| problem.action.needs_a_person())
            .map(Skip::AccountBlocked),
    }
}

/// Meta renews nothing that has ended, so nothing is tried once the date has come.
fn past_its_date(current: &Generation, moment: Moment) -> Option<Problem> {
    let ended = current.expiry.at().filter(|ended| *ended <= moment.now)?;
    let counts = moment.dates == Dates::Trusted && !has_outlived_its_date(current, moment.now);
    let message = || format!("expired {}", humanize::when(ended, moment.now));
    counts.then(|| Problem::new(ProblemKind::Expired, message()))
}

fn unexplained() -> Problem {
    Problem::new(ProblemKind::SessionInvalid, "Graph gave no reason")
        .with_action(Action::Reauthenticate)
}

fn renewal(
    subject: &Subject<'_>,
    credential: &Credential,
    current: &Generation,
    insistence: Insistence,
    moment: Moment,
) -> Decision {
    let spec = subject.token_type.spec();
    match current.expiry {
        Expiry::Never => return Decision::Skip(Skip::NeverExpires),
        // A System User's may be of the kind that never ends, which nothing must ever touch.
        Expiry::Unknown if !spec.may_hide_the_end() => return Decision::Skip(Skip::EndUnknown),
        Expiry::Unknown | Expiry::At(_) => {}
    }
    let forced = insistence == Insistence::Forced;
    if !subject.policy.auto_refresh && !forced {
        return Decision::Skip(Skip::AutoRefreshOff);
    }
    let reason = match why(subject, current, insistence, moment) {
        Ok(reason) => reason,
        Err(rest) => return Decision::Skip(rest),
    };
    let tries_an_exchange = matches!(reason, Renew::ShortLived { .. } | Renew::PerhapsShortLived);
    if let Some(eligible) = subject.eligible_at(current, moment.now).filter(|_| !tries_an_exchange)
    {
        return Decision::Skip(Skip::TooYoung { eligible });
    }
    match pause(&credential.attempts, moment.now) {
        Some(until) if !insistence.ends_a_pause(&credential.attempts) => {
            Decision::Skip(Skip::BackingOff { until })
        }
        _ => Decision::Renew(reason),
    }
}

/// Why an access token is to be renewed now, or why not.
fn why(
    subject: &Subject<'_>,
    current: &Generation,
    insistence: Insistence,
    moment: Moment,
) -> Result<Renew, Skip> {
    let window = subject.window(current).span;
    let renewable = subject.token_type.spec().is_renewable();
    match current.expiry.at() {
        Some(ends) if !renewable && subject.parent.is_some() => Err(match moment.dates {
            Dates::Trusted => Skip::NotDue { due_at: ends - window },
            Dates::Doubted => Skip::ClockDoubted,
        }),
        Some(ends) if may_be_answered(subject, current, insistence, moment) => {
            Ok(Renew::WithoutParent { ends })
        }
        _ if !renewable => Err(Skip::NotRenewable),
        None if subject.may_be_short_lived(current, moment.now) => Ok(Renew::PerhapsShortLived),
        Some(ends) if is_short_lived(current) => Ok(Renew::ShortLived { ends }),
        _ if insistence == Insistence::Forced => Ok(Renew::Forced),
        None => Ok(Renew::EndUnknown),
        Some(_) if moment.dates == Dates::Doubted => Err(Skip::ClockDoubted),
        Some(ends) if current.expiry.is_within(window, moment.now) => {
            Ok(Renew::WindowOpen { ends, window })
        }
        Some(ends) => Err(Skip::NotDue { due_at: ends - window }),
    }
}

/// Whether a grant that Meta does not document is worth a try: nothing else renews the access token, it
/// is within its window, and Meta has not answered for it yet.
fn may_be_answered(
    subject: &Subject<'_>,
    current: &Generation,
    insistence: Insistence,
    moment: Moment,
) -> bool {
    if subject.token_type.spec().undocumented.is_none() || subject.parent.is_some() {
        return false;
    }
    let attempts = subject.credential.map(|credential| &credential.attempts);
    let was_answered = attempts.is_some_and(|attempts| {
        let stands = attempts.problem.as_ref();
        attempts.misses > 0 || stands.is_some_and(|problem| !problem.kind.is_outage())
    });
    let is_near = moment.dates == Dates::Trusted
        && current.expiry.is_within(subject.window(current).span, moment.now);
    insistence == Insistence::Forced || is_near && !was_answered
}

/// The first pause after a failure; doubled by each further one.
const FIRST: TimeDelta = TimeDelta::minutes(15);
/// No pause is longer, so that a token in its window is tried at least four times a day.
const LONGEST: TimeDelta = TimeDelta::hours(6);
/// Near its end a token is tried at least this many times more before it dies.
const TRIES_LEFT: i32 = 10;

/// No new try before this instant.
///
/// Doubles from a quarter of an hour to six hours, and shortens as the end nears, so that at
/// least ten tries remain. What Meta accepts but does not extend is tried daily, and so is a
/// token that is too young.
pub fn next_try(problem: &Problem, failures: u32, expiry: Expiry, now: Time) -> Time {
    let pause = match problem.kind {
        ProblemKind::NotExtended | ProblemKind::TooYoung => TimeDelta::hours(24),
        _ => FIRST * 2_i32.pow(failures.saturating_sub(1).min(10)),
    };
    let longest = match problem.kind {
        ProblemKind::NotExtended | ProblemKind::TooYoung => pause,
        _ => LONGEST,
    };
    let near_its_end = expiry
        .remaining(now)
        .filter(|left| *left > TimeDelta::zero())
        .map_or(longest, |left| left / TRIES_LEFT);
    now + pause.min(longest).min(near_its_end.max(TimeDelta::minutes(1)))
}

/// From here on what can wait does, in percent of an app's budget. At 100 Meta may throttle.
/// Source: Meta, Graph API, rate limits.
pub const BUDGET: u64 = 90;

/// The decision, or a rest in its place where it can wait and the app has `used` most of its
/// budget. What a person asked for by name does not wait.
pub fn paced(
    decision: Decision,
    subject: &Subject<'_>,
    used: Option<u64>,
    insistence: Insistence,
    moment: Moment,
) -> Decision {
    match used {
        Some(used)
            if used > BUDGET
                && insistence == Insistence::None
                && can_wait(&decision, subject, moment) =>
        {
            Decision::Skip(Skip::BudgetSpent { used })
        }
        _ => decision,
    }
}

fn can_wait(decision: &Decision, subject: &Subject<'_>, moment: Moment) -> bool {
    let checked_lately = |last: Time| {
        last <= moment.now && moment.now - last < subject.policy.checked_within.warning
    };
    match decision {
        Decision::Renew(Renew::WindowOpen { ends, .. })
        | Decision::Derive(Derive::WindowOpen { ends }) => {
            *ends - moment.now > subject.warn_within()
        }
        Decision::Derive(Derive::ParentRenewed | Derive::Forced) => true,
        Decision::Verify(Verify::Stale { last }) => checked_lately(*last),
        Decision::Verify(Verify::PersonAwaited) => {
            let last = subject.current().and_then(|current| current.proof.as_ref());
            last.is_some_and(|proof| checked_lately(proof.at))
        }
        Decision::Renew(_) | Decision::Derive(_) | Decision::Verify(_) | Decision::Skip(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn pauses_double_to_six_hours_and_shorten_near_the_end() {
        let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let fault = Problem::new(ProblemKind::Unknown, "x");
        let miss = Problem::new(ProblemKind::NotExtended, "x");
        let far = Expiry::At(now + TimeDelta::days(20));
        let near = Expiry::At(now + TimeDelta::hours(5));
        for (problem, failures, expiry, minutes) in [
            (&fault, 1, far, 15),
            (&fault, 2, far, 30),
            (&fault, 5, far, 240),
            (&fault, 6, far, 360),
            (&fault, 4_000_000_000, far, 360),
            (&fault, 6, near, 30),
            (&fault, 1, near, 15),
            (&fault, 1, Expiry::Never, 15),
            (&miss, 1, far, 1440),
        ] {
            assert_eq!(
                next_try(problem, failures, expiry, now) - now,
                TimeDelta::minutes(minutes),
                "{failures} failures"
            );
        }
    }
}

//! Which token is due, for what, and why.
//!
//! The rules are the contract's, «When a token is due»; those for Pages are in `derivation`.

use super::decision::{Decision, Insistence, Renew, Rest, Verify};
use super::derivation::{derivation, without_a_string};
use super::{Dates, Moment, Subject, is_short_lived};
use crate::token::{Action, Credential, Expiry, Generation, Problem, ProblemKind, TokenType};

/// Decides what to do with a token.
pub fn decide(subject: &Subject<'_>, insistence: Insistence, moment: Moment) -> Decision {
    let Some(credential) = subject.credential else { return without_a_string(subject, moment) };
    let Some(current) = credential.current.as_ref() else {
        return without_a_string(subject, moment);
    };
    if let Some(question) = open_question(credential, current, insistence, moment) {
        return Decision::Verify(question);
    }
    if let Some(derivation) = derivation(subject, credential, current, insistence, moment) {
        return derivation;
    }
    if let Some(rest) = beyond_our_help(current) {
        return Decision::Rest(rest);
    }
    let plan = renewal(subject, credential, current, insistence, moment);
    match plan {
        // Another grant on top would push out one that nobody has looked at yet.
        Decision::Renew(_) if credential.candidate.is_some() => {
            Decision::Rest(Rest::CandidateWaits)
        }
        Decision::Rest(_) => overdue_proof(subject, current, moment).map_or(plan, Decision::Verify),
        act => act,
    }
}

/// What Graph must be asked before anything else is decided, unless this run has asked already.
fn open_question(
    credential: &Credential,
    current: &Generation,
    insistence: Insistence,
    moment: Moment,
) -> Option<Verify> {
    let Some(proof) = &current.proof else { return Some(Verify::NeverProven) };
    if proof.at > moment.now {
        return Some(Verify::Stale { last: proof.at });
    }
    if proof.at >= moment.run_started {
        return None;
    }
    if let Some(began) = credential.ledger.open_attempt_at {
        return Some(Verify::CutShort { began });
    }
    if proof.inspection.valid != Some(true) {
        return Some(Verify::PersonAwaited);
    }
    if let Some(ended) = current.expiry.at().filter(|_| current.expiry.has_passed(moment.now)) {
        return Some(Verify::PastItsDate { ended });
    }
    (insistence != Insistence::None).then_some(Verify::Asked)
}

fn overdue_proof(subject: &Subject<'_>, current: &Generation, moment: Moment) -> Option<Verify> {
    let last = current.proof.as_ref()?.at;
    let fresh = last >= moment.run_started || moment.now - last < subject.policy.verify_every;
    (!fresh).then_some(Verify::Stale { last })
}

/// Graph's last verdict on a string.
pub(super) fn verdict(generation: &Generation) -> Option<bool> {
    generation.proof.as_ref()?.inspection.valid
}

fn beyond_our_help(current: &Generation) -> Option<Rest> {
    let inspection = &current.proof.as_ref()?.inspection;
    let problem = || inspection.problem.clone().unwrap_or_else(unexplained);
    match inspection.valid {
        Some(true) => None,
        Some(false) => Some(Rest::Dead(problem())),
        None => Some(Rest::AccountBlocked(problem())),
    }
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
    let ends = match current.expiry {
        Expiry::Never => return Decision::Rest(Rest::NeverExpires),
        Expiry::Unknown => return Decision::Rest(Rest::EndUnknown),
        Expiry::At(ends) => ends,
    };
    let forced = insistence == Insistence::Forced;
    if !subject.policy.auto_refresh && !forced {
        return Decision::Rest(Rest::AutoRefreshOff);
    }
    let window = subject.window(current).span;
    if subject.token_type != TokenType::User {
        return Decision::Rest(match subject.parent {
            Some(_) => Rest::NotDue { due_at: ends - window },
            None => Rest::NotRenewable,
        });
    }
    let reason = if forced {
        Renew::Forced
    } else if is_short_lived(current) {
        Renew::ShortLived { ends }
    } else if moment.dates == Dates::Doubted {
        return Decision::Rest(Rest::ClockDoubted);
    } else if current.expiry.is_within(window, moment.now) {
        Renew::WindowOpen { ends, window }
    } else {
        return Decision::Rest(Rest::NotDue { due_at: ends - window });
    };
    match credential.ledger.not_before {
        Some(until) if until > moment.now && !forced => Decision::Rest(Rest::BackingOff { until }),
        _ => Decision::Renew(reason),
    }
}

//! Logs what a command did, in the words of the report, with Meta's numbers.
//!
//! A problem of a token that a run is about is logged when its turn is over, with its label; what
//! failed on the way there is logged by the calls.

use std::time::Instant;

use tracing::Level;
use tracing::span::EnteredSpan;

use crate::policy::{Decision, Health, Reason};
use crate::report::TokenResult;
use crate::store::StoreError;
use crate::token::{Inspection, Label, Outcome, Problem, Time};

/// Logs at a level that is not known before; `tracing` wants one that is.
macro_rules! log_at {
    ($level:expr, $($facts:tt)*) => {
        match $level {
            Level::ERROR => tracing::error!($($facts)*),
            Level::WARN => tracing::warn!($($facts)*),
            Level::INFO => tracing::info!($($facts)*),
            _ => tracing::debug!($($facts)*),
        }
    };
}

/// Adds the label to everything that this thread logs until the guard is dropped.
pub fn about(label: &Label) -> EnteredSpan {
    // ERROR level, so that the span is enabled at every log level.
    tracing::error_span!("token", %label).entered()
}

/// Logs what a token needs, and why.
pub fn decided(label: &Label, decision: &Decision, now: Time) {
    let (what, why) = (decision.name(), decision.sentence(now));
    tracing::info!(event = "decided", %label, "{what}: {why}");
}

/// Logs what Graph said of an access token.
pub fn inspected(inspection: &Inspection, began: Instant) {
    let problem = inspection.problem.as_ref();
    let verdict = match inspection.verdict() {
        Some(true) => "alive",
        Some(false) => "dead",
        None => "not known to be alive",
    };
    tracing::debug!(
        event = "inspected",
        problem = problem.map(|problem| problem.kind.as_str()),
        code = problem.and_then(|problem| problem.code),
        subcode = problem.and_then(|problem| problem.subcode),
        fbtrace_id = problem.and_then(|problem| problem.fbtrace_id.as_deref()),
        duration_ms = began.elapsed().as_millis(),
        "inspected: {verdict}"
    );
}

/// Logs why an access token in a target is not made current.
pub fn left_in_target(problem: &Problem) {
    tracing::info!(
        event = "left_in_target",
        problem = problem.kind.as_str(),
        code = problem.code,
        subcode = problem.subcode,
        "an access token in a target is not adopted: {problem}"
    );
}

/// Logs what kept an access token that a person handed over from being taken.
pub fn not_taken(label: &Label, problem: &Problem) {
    tracing::error!(
        event = "failed",
        %label,
        problem = problem.kind.as_str(),
        code = problem.code,
        subcode = problem.subcode,
        fbtrace_id = problem.fbtrace_id,
        "the new access token is not taken: {problem}"
    );
}

/// Logs what a run did with a token, and then its other issues.
pub fn refreshed(result: &TokenResult, began: Instant) {
    let problem = result.problem.as_ref();
    let what = result.outcome.as_str().replace('_', " ");
    let why = if result.reason.is_empty() { "" } else { ": " };
    log_at!(
        gravity(result.outcome),
        event = result.outcome.as_str(),
        label = %result.label,
        problem = problem.map(|problem| problem.kind.as_str()),
        code = problem.and_then(|problem| problem.code),
        subcode = problem.and_then(|problem| problem.subcode),
        fbtrace_id = problem.and_then(|problem| problem.fbtrace_id.as_deref()),
        duration_ms = began.elapsed().as_millis(),
        "{what}{why}{}",
        result.reason
    );
    let is_logged = |reason: &&Reason| {
        problem.is_some_and(|it| {
            it.kind.as_str() == reason.code || it.message.contains(&reason.message)
        })
    };
    result.issues.iter().filter(|reason| !is_logged(reason)).for_each(issue);
}

const fn gravity(outcome: Outcome) -> Level {
    match outcome {
        Outcome::Invalid => Level::ERROR,
        Outcome::Failed | Outcome::NotExtended => Level::WARN,
        // The decision has said it.
        Outcome::NotDue => Level::DEBUG,
        Outcome::Refreshed
        | Outcome::Exchanged
        | Outcome::Derived
        | Outcome::Adopted
        | Outcome::Verified
        | Outcome::TooYoung
        | Outcome::Skipped
        | Outcome::WouldRefresh
        | Outcome::WouldExchange
        | Outcome::WouldDerive
        | Outcome::WouldAdopt
        | Outcome::LoggedIn
        | Outcome::Minted
        | Outcome::WouldMint
        | Outcome::Revoked
        | Outcome::WouldRevoke
        | Outcome::Forgotten
        | Outcome::WouldForget
        | Outcome::Imported
        | Outcome::WouldImport
        | Outcome::RolledBack
        | Outcome::WouldRollBack
        | Outcome::Promoted
        | Outcome::WouldPromote
        | Outcome::Delivered
        | Outcome::WouldDeliver
        | Outcome::Restored
        | Outcome::WouldRestore => Level::INFO,
    }
}

/// Logs an issue of a token, or of the system.
pub fn issue(reason: &Reason) {
    let level = match reason.severity {
        Health::Critical => Level::ERROR,
        Health::Warning => Level::WARN,
        Health::Ok | Health::Unknown => Level::DEBUG,
    };
    let label = reason.labels.first().map(Label::as_str);
    log_at!(level, event = "standing", label, problem = reason.code, "{}", reason.message);
}

/// Logs that proofs could not be stored by a command that only looks.
pub fn not_stored(error: StoreError) {
    let error = anyhow::Error::from(error);
    tracing::info!(event = "not_stored", "the answers could not be stored: {error:#}");
}

/// Logs that a run was killed by a signal while a request hung.
pub fn aborted(exit_code: u8, began: Instant) {
    let duration_ms = began.elapsed().as_millis();
    tracing::warn!(
        event = "finished",
        exit_code,
        duration_ms,
        "the run exits with {exit_code}: a signal came, and a request hangs"
    );
}

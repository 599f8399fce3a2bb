//! Inspects an access token: asks Graph about it.

use crate::graph::{App, CallError, Graph, Scope};
use crate::token::{AccessToken, Inspection, Problem, ProblemKind};

/// Meta's subcode for «invalid», which by its own message may also be an error of its systems.
/// Source: Meta, handling errors.
const PERHAPS_A_SYSTEM_ERROR: i64 = 467;
/// What it says there, for the hosts that leave the subcode out.
const ITS_WORDS: [&str; 2] = ["user logged out", "system error"];

/// Asks Graph about an access token; a verdict that may be a mistake is asked for twice.
pub fn inspect(graph: &Graph, app: &App, token: &AccessToken) -> Result<Inspection, CallError> {
    let first = graph.inspect(app, token)?;
    let doubtful = first.problem.as_ref().is_some_and(may_be_a_mistake);
    if doubtful && first.valid == Some(false) { graph.inspect(app, token) } else { Ok(first) }
}

fn may_be_a_mistake(problem: &Problem) -> bool {
    let says_so = || ITS_WORDS.iter().any(|words| problem.message.contains(words));
    match problem.subcode {
        Some(subcode) => subcode == PERHAPS_A_SYSTEM_ERROR,
        None => says_so(),
    }
}

/// Whether an access token from outside is one that its host cannot even read, because another host of
/// Meta's gave it out: it never becomes one of this host's.
pub fn is_another_hosts(problem: &Problem) -> bool {
    /// Meta's code for an access token that is no good. Source: Meta, handling errors.
    const INVALID: Option<i64> = Some(190);
    problem.kind == ProblemKind::WrongHostOrType && problem.code == INVALID
}

/// The misfit behind a refusal to speak of an access token from outside, if it is another app's.
///
/// Graph speaks only to the app that an access token was given to. That this one is not it says nothing
/// against the app, and asking again changes nothing.
pub fn misfit_behind(fault: &CallError, app: &str) -> Option<Problem> {
    let of_another_app = !fault.held_back
        && fault.scope == Scope::Token
        && fault.problem.kind == ProblemKind::BadAppCredentials
        && fault.problem.code.is_some();
    of_another_app.then(|| Problem {
        kind: ProblemKind::IdentityChanged,
        action: ProblemKind::WrongHostOrType.action(),
        message: format!("it was given to another app than `{app}`"),
        ..fault.problem.clone()
    })
}

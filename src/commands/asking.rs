//! Asking Graph about a string.

use crate::graph::{App, Fault, Graph, Scope};
use crate::token::{AccessToken, Inspection, Problem, ProblemKind};

/// Meta's subcode for «invalid», which by its own message may also be an error of its systems.
const PERHAPS_A_SYSTEM_ERROR: i64 = 467;

/// Asks Graph about a string; a verdict that may be a mistake is asked for twice.
pub(super) fn ask(graph: &Graph, app: &App, token: &AccessToken) -> Result<Inspection, Fault> {
    let first = graph.inspect(app, token)?;
    let doubtful = first.valid == Some(false)
        && first.problem.as_ref().is_some_and(|it| it.subcode == Some(PERHAPS_A_SYSTEM_ERROR));
    if doubtful { graph.inspect(app, token) } else { Ok(first) }
}

/// The misfit behind a refusal to speak of a string from outside, if it is another app's.
///
/// Graph speaks only to the app that a string was given to. That this one is not it says nothing
/// against the app, and asking again changes nothing.
pub(super) fn misfit_behind(fault: &Fault, app: &str) -> Option<Problem> {
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

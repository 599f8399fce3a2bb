//! Judges whether programs may have the access token in use.

use super::{Judgement, Moment, Reason, Remedy, State, Subject, judge};
use crate::token::{Action, Time};

/// Whether programs may have an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Usability {
    /// Nothing speaks against it.
    Usable,
    /// It may not work now, for a reason that may pass.
    Doubtful(Reason),
    /// It is dead for a reason that does not pass.
    Dead(Reason),
}

/// Judges the access token in use by what the store knows of it. Only Meta's word makes it dead: one
/// that is held may work again, and one whose date has passed may have been renewed elsewhere.
pub fn judge_usability(subject: &Subject<'_>, now: Time) -> Usability {
    let Some(current) = subject.current() else { return Usability::Usable };
    let Judgement { state, reasons, .. } = judge(subject, Moment::at(now));
    let inspection = current.proof.as_ref().map(|proof| &proof.inspection);
    let is_refused = inspection.is_some_and(|it| it.valid == Some(false));
    if !is_refused && state != State::Expired {
        return Usability::Usable;
    }
    let action = inspection.and_then(|it| it.problem.as_ref()).map(|problem| problem.action);
    let is_dead = current.verdict() == Some(false)
        && action.is_none_or(|action| action == Action::Reauthenticate);
    match reasons.into_iter().next() {
        Some(reason) if is_dead => Usability::Dead(reason),
        Some(reason) if is_refused => Usability::Doubtful(reason),
        // What Meta says of it is not known yet.
        Some(reason) => Usability::Doubtful(Reason {
            message: format!("{}, not checked since", reason.message),
            meta: String::new(),
            remedy: Remedy::of_the_operator(format!("run `metatoken refresh {}`", subject.label)),
            ..reason
        }),
        None => Usability::Usable,
    }
}

//! What can wait while an app's calls run short.
//!
//! An app has a budget of calls an hour, shared with everything else that uses it; once it is
//! spent, Meta refuses them all. So above nine tenths only that is done which a token needs now.

use super::decision::{Decision, Derive, Insistence, Renew, Skip, Verify};
use super::{Moment, Subject};
use crate::token::Time;

/// From here on what can wait does, in percent of an app's budget. At 100 Meta may throttle.
/// Source: Meta, Graph API, rate limits.
const BUDGET: u64 = 90;

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
    let proven_lately =
        |last: Time| last <= moment.now && moment.now - last < subject.policy.proof_within.warning;
    match decision {
        Decision::Renew(Renew::WindowOpen { ends, .. })
        | Decision::Derive(Derive::WindowOpen { ends }) => {
            *ends - moment.now > subject.warn_within()
        }
        Decision::Derive(Derive::ParentRenewed | Derive::Forced) => true,
        Decision::Verify(Verify::Stale { last }) => proven_lately(*last),
        Decision::Verify(Verify::PersonAwaited) => {
            let last = subject.current().and_then(|current| current.proof.as_ref());
            last.is_some_and(|proof| proven_lately(proof.at))
        }
        Decision::Renew(_) | Decision::Derive(_) | Decision::Verify(_) | Decision::Skip(_) => false,
    }
}

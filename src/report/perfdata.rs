//! Numbers that a monitoring system draws.
//!
//! A range `10:` alerts below ten, so the thresholds of time that is left end in a colon. Source:
//! Monitoring Plugins development guidelines, performance data.

use chrono::TimeDelta;

use super::{StatusReport, TokenReport};
use crate::policy::Health;
use crate::token::Time;

/// Which tokens get a number of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Perfdata {
    /// All with a date while they are few, else the soonest alone.
    Few,
    /// All with a date.
    All,
    /// None: only the counts.
    Counts,
}

/// How many tokens are few.
const FEW: usize = 20;

/// What stands behind the bar of the first line.
pub fn perfdata(status: &StatusReport, which: Perfdata) -> String {
    let mut dated: Vec<&TokenReport> =
        status.tokens.iter().filter(|token| token.expiry.at().is_some()).collect();
    match which {
        Perfdata::All => {}
        Perfdata::Few if dated.len() <= FEW => {}
        Perfdata::Few => {
            dated.sort_by_key(|token| left(token, status.generated_at));
            dated.truncate(1);
        }
        Perfdata::Counts => dated.clear(),
    }
    let count =
        |health| status.tokens.iter().filter(|token| token.judgement.health == health).count();
    let tokens = dated.iter().filter_map(|token| series(token, status.generated_at));
    let counts = [
        format!("tokens={};;;0", status.tokens.len()),
        format!("ok={}", count(Health::Ok)),
        format!("warning={}", count(Health::Warning)),
        format!("critical={}", count(Health::Critical)),
        format!("unknown={}", count(Health::Unknown)),
    ];
    tokens.chain(counts).collect::<Vec<_>>().join(" ")
}

fn series(token: &TokenReport, now: Time) -> Option<String> {
    let label = token.label.as_ref()?;
    let left = left(token, now).num_seconds();
    let (warning, critical) = (token.limits.warning, token.limits.critical);
    Some(format!("'{label}'={left}s;{}:;{}:", warning.num_seconds(), critical.num_seconds()))
}

/// How long it lives on; a string that is known to be dead has nothing left, whatever its date.
fn left(token: &TokenReport, now: Time) -> TimeDelta {
    let dead = token.inspection.as_ref().is_some_and(|it| it.valid == Some(false));
    let left = token.expiry.remaining(now).filter(|_| !dead).unwrap_or_default();
    left.max(TimeDelta::zero())
}

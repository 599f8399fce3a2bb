//! Decides whether an access token from outside becomes the current one.
//!
//! It must be valid, of the configured type, and of the same app, person and Page. What it must be
//! worth beside a current one that works depends on how it came: what is found in the config or in a
//! target must be better, what a person hands over on purpose must not be worse.

use chrono::TimeDelta;

use super::checks::missing_targets;
use super::{Policy, humanize};
use crate::token::{
    Action, Expiry, Generation, Identity, Inspection, Losses, Problem, ProblemKind, Time, TokenType,
};

/// What an access token from outside has to fit, and what it is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Contest<'a> {
    /// The type by the config.
    pub token_type: TokenType,
    /// The app, the person and the Page that it must belong to.
    pub expected: &'a Identity,
    /// The policy: what is required.
    pub policy: &'a Policy,
    /// The current one.
    pub current: Current<'a>,
}

/// The current access token, as far as it matters to one from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Current<'a> {
    /// There is none, or Graph has called it dead.
    Gone,
    /// It works, by Graph's last word.
    Serves {
        expiry: Expiry,
        /// The last answer about it, where there is one.
        inspection: Option<&'a Inspection>,
    },
}

impl<'a> Current<'a> {
    /// Reads it off the current generation and its last check.
    pub fn of(current: Option<&'a Generation>) -> Self {
        let Some(current) = current.filter(|current| current.verdict() != Some(false)) else {
            return Self::Gone;
        };
        let inspection = current.proof.as_ref().map(|proof| &proof.inspection);
        Self::Serves { expiry: current.expiry, inspection }
    }
}

/// Where an access token was found. It matters where Meta does not say which of two was issued
/// later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundIn {
    /// In the place that the config names, whose value has changed since an earlier run.
    ChangedSource,
    /// There as the first value that was ever found, or in a target.
    OtherPlace,
}

/// What becomes of an access token from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adoption {
    /// It becomes the current one.
    Take,
    /// It is good, but the current one is no worse; worth taking only if that one is dead.
    OnlyIfCurrentIsDead(Problem),
    /// It lives longer, but lacks what the current one has and the config requires; worth taking
    /// only if that one is dead or about to expire.
    OnlyNearItsEnd(Problem),
    /// It stays a candidate: Graph gave no verdict.
    Wait(Problem),
    /// It is not taken, and not asked about again.
    Refuse(Problem),
}

impl Adoption {
    /// Why it is not taken, or not yet.
    pub fn problem(self) -> Option<Problem> {
        match self {
            Self::Take => None,
            Self::OnlyIfCurrentIsDead(problem)
            | Self::OnlyNearItsEnd(problem)
            | Self::Wait(problem)
            | Self::Refuse(problem) => Some(problem),
        }
    }
}

/// Judges an access token that was found, by what Graph said of it: only a better one is taken.
pub fn judge_adoption(found: &Inspection, place: FoundIn, contest: &Contest<'_>) -> Adoption {
    if let Some(verdict) = unfit(found, contest) {
        return verdict;
    }
    let Current::Serves { expiry, inspection } = contest.current else { return Adoption::Take };
    let lives_longer = found.expiry.is_later_than(expiry);
    if let Some(lost) = named(&lost(found, inspection, contest.policy)) {
        let problem = no_better(format!("it lacks {lost}, which the current access token has"));
        return if lives_longer {
            Adoption::OnlyNearItsEnd(problem)
        } else {
            Adoption::OnlyIfCurrentIsDead(problem)
        };
    }
    if lives_longer || !gained(found, inspection, contest.policy).is_empty() {
        return Adoption::Take;
    }
    let why = match (found.expiry, expiry) {
        (Expiry::Never, Expiry::Never) => match by_issue(found, inspection, place) {
            Issued::Later => return Adoption::Take,
            Issued::NoLater => "neither expires, and it was issued no later than the current one",
            Issued::Unknown => "neither expires, and Meta does not say which was issued later",
        },
        (Expiry::Unknown, Expiry::Unknown) if contest.token_type.spec().may_hide_the_end() => {
            match by_issue(found, inspection, place) {
                Issued::Later => return Adoption::Take,
                Issued::NoLater => "it was issued no later than the current access token",
                Issued::Unknown => {
                    "Meta does not say when either expires or was issued, so it may be the older one"
                }
            }
        }
        (Expiry::Unknown, _) => {
            "Meta does not say when it expires, so it may expire before the current access token"
        }
        _ => "it expires no later than the current access token, which works",
    };
    Adoption::OnlyIfCurrentIsDead(no_better(why))
}

/// Judges an access token that a person hands over on purpose, by what Graph said of it: only what
/// is known to be worse is not taken, unless that is accepted.
///
/// Of the dates of two that were granted within a day none is known to be earlier: Meta's seconds
/// differ from answer to answer.
pub fn judge_handed_over(
    new: &Inspection,
    losses: Losses,
    contest: &Contest<'_>,
    now: Time,
) -> Adoption {
    if let Some(verdict) = unfit(new, contest) {
        return verdict;
    }
    let Current::Serves { expiry, inspection } = contest.current else { return Adoption::Take };
    let earlier = match (new.expiry, expiry) {
        (Expiry::At(new), Expiry::Never) => {
            let when = humanize::when(new, now);
            Some(format!("it expires {when}, and the current access token never expires"))
        }
        (Expiry::At(new), Expiry::At(old)) if old - new >= A_DAY => Some(format!(
            "it expires {}, and the current access token {}",
            humanize::when(new, now),
            humanize::when(old, now)
        )),
        _ => None,
    };
    let lost = named(&lost(new, inspection, contest.policy))
        .map(|lost| format!("it lacks {lost}, which the current access token has"));
    let lost: Vec<String> = lost.into_iter().chain(earlier).collect();
    if lost.is_empty() || losses == Losses::Accepted {
        return Adoption::Take;
    }
    Adoption::OnlyIfCurrentIsDead(no_better(lost.join("; ")))
}

/// Why it cannot be this token's current access token whatever the current one is, if that is so.
fn unfit(new: &Inspection, contest: &Contest<'_>) -> Option<Adoption> {
    if let Some(problem) = misfit(new, contest.token_type, contest.expected) {
        return Some(Adoption::Refuse(problem));
    }
    match new.verdict() {
        Some(true) => None,
        Some(false) => Some(Adoption::Refuse(explained(new))),
        None => Some(Adoption::Wait(explained(new))),
    }
}

fn no_better(why: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::NotExtended, why).with_action(Action::None)
}

/// Which of two was issued later.
enum Issued {
    Later,
    NoLater,
    Unknown,
}

/// Whether it was issued later by Meta's word; where Meta says nothing, a person who changes a value
/// has brought a newer one.
fn by_issue(found: &Inspection, current: Option<&Inspection>, place: FoundIn) -> Issued {
    match (found.issued_at, current.and_then(|current| current.issued_at), place) {
        (Some(new), Some(old), _) if new > old => Issued::Later,
        (Some(_), Some(_), _) => Issued::NoLater,
        (_, _, FoundIn::ChangedSource) => Issued::Later,
        (_, _, FoundIn::OtherPlace) => Issued::Unknown,
    }
}

/// The required scopes and targets that the current one has by Graph's word, and the new one lacks.
fn lost<'a>(new: &Inspection, current: Option<&Inspection>, policy: &'a Policy) -> Vec<&'a str> {
    current.map_or_else(Vec::new, |current| only_lacked_by(new, current, policy))
}

/// The required scopes and targets that the new one has by Graph's word, and the current one lacks.
fn gained<'a>(new: &Inspection, current: Option<&Inspection>, policy: &'a Policy) -> Vec<&'a str> {
    current.map_or_else(Vec::new, |current| only_lacked_by(current, new, policy))
}

/// The required scopes and targets that the one lacks and the other has. An answer that says nothing
/// of them shows neither.
fn only_lacked_by<'a>(one: &Inspection, other: &Inspection, policy: &'a Policy) -> Vec<&'a str> {
    let mut lacked: Vec<&str> = Vec::new();
    if other.scopes.is_some() {
        let missing = other.lacks(&policy.required_scopes);
        lacked.extend(one.lacks(&policy.required_scopes).iter().filter(|it| !missing.contains(it)));
    }
    if !other.granular_scopes.is_empty() {
        let missing = missing_targets(policy, &other.granular_scopes);
        let targets = missing_targets(policy, &one.granular_scopes);
        lacked.extend(targets.iter().filter(|it| !missing.contains(it)));
    }
    lacked
}

fn named(lacked: &[&str]) -> Option<String> {
    (!lacked.is_empty()).then(|| humanize::list(lacked))
}

/// Why an access token cannot be this token's, whatever its state: another type, app, person or
/// Page. What Graph does not tell is not a misfit.
pub fn misfit(
    inspection: &Inspection,
    token_type: TokenType,
    expected: &Identity,
) -> Option<Problem> {
    if let Some(found) = inspection.token_type.as_deref()
        && let Some(wanted) = token_type.spec().graph_name
        && found != wanted
    {
        return Some(Problem::new(
            ProblemKind::WrongHostOrType,
            format!("{} token, not {} token", spoken(found), spoken(wanted)),
        ));
    }
    inspection
        .identity
        .difference_from(expected)
        .map(|difference| Problem::new(ProblemKind::IdentityChanged, difference.to_string()))
}

/// A type of Graph's as the config spells it, with its article.
fn spoken(graph_name: &str) -> String {
    humanize::with_article(graph_name.to_lowercase().replace('_', "-"))
}

/// Graph's reason, or a sentence that there was none.
pub fn explained(inspection: &Inspection) -> Problem {
    inspection.problem.clone().unwrap_or_else(|| {
        Problem::new(ProblemKind::Unknown, "Graph gave no verdict and no reason")
    })
}

/// How much later an access token must expire to count as extended, and how much earlier than the
/// current one it must expire to be known to be worse.
///
/// Meta's seconds differ from answer to answer.
pub const A_DAY: TimeDelta = TimeDelta::hours(24);

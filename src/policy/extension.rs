//! Decides whether an access token that Meta granted replaces the current one.
//!
//! «Refresh succeeded» is not evidence: Meta has answered 200 and moved nothing, and has left scopes
//! out. A grant is taken only when a second source, Graph's inspection of the new access token,
//! says that it ends later and carries no less.

use chrono::TimeDelta;

use super::adoption::{A_DAY, explained, misfit};
use crate::token::{
    Expiry, Generation, Identity, Inspection, Origin, Problem, ProblemKind, TokenType,
};

/// How much later a renewed token must end to count as extended.
pub const MARGIN: TimeDelta = A_DAY;

/// What a grant is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extension {
    /// It ends later and carries as much.
    Take,
    /// It ends no later, or has an end where the current one has none.
    NotExtended,
    /// Meta does not tell when it ends, and of the current one that is known: it is held until that one
    /// is dead or about to expire.
    EndUntold,
    /// It carries fewer permissions than the current one.
    FewerScopes(Vec<String>),
    /// Graph gave no verdict; it stays a candidate.
    Wait(Problem),
    /// Graph calls it dead.
    Dead(Problem),
    /// It belongs to another person, Page or app.
    Refuse(Problem),
}

/// Judges a granted access token by what Graph said of it, beside the one in use.
pub fn judge_grant(
    inspection: &Inspection,
    granted: Expiry,
    token_type: TokenType,
    origin: Origin,
    expected: &Identity,
    current: Option<&Generation>,
) -> Extension {
    if let Some(problem) = misfit(inspection, token_type, expected) {
        return Extension::Refuse(problem);
    }
    match inspection.verdict() {
        Some(true) => {}
        Some(false) => return Extension::Dead(explained(inspection)),
        None => return Extension::Wait(explained(inspection)),
    }
    let Some(current) = current else { return Extension::Take };
    let new_end = match inspection.expiry {
        Expiry::Unknown => granted,
        told => told,
    };
    if !is_an_extension(new_end, token_type, origin, current) {
        let is_untold = new_end == Expiry::Unknown
            && current.expiry.at().is_some()
            && token_type.spec().may_hide_the_end();
        return if is_untold { Extension::EndUntold } else { Extension::NotExtended };
    }
    let lost = current.proof.as_ref().map_or_else(Vec::new, |proof| {
        inspection.lacks(proof.inspection.known_scopes()).into_iter().map(str::to_owned).collect()
    });
    if lost.is_empty() { Extension::Take } else { Extension::FewerScopes(lost) }
}

/// Whether an access token that ends at `new_end` is worth more than the one in use.
fn is_an_extension(
    new_end: Expiry,
    token_type: TokenType,
    origin: Origin,
    current: &Generation,
) -> bool {
    let spec = token_type.spec();
    match (new_end, current.expiry) {
        // A Page's access token follows its parent and an app's its secret: only a dated one in
        // place of a never-ending one would be a loss.
        (new, old) if origin == Origin::Derived => old != Expiry::Never || new == Expiry::Never,
        // Graph tells of neither when it expires, and the new one was issued later.
        (Expiry::Unknown, Expiry::Unknown) => spec.may_hide_the_end(),
        (new, old) => new.extends(old, MARGIN),
    }
}

impl Extension {
    /// The problem that a grant which is not taken stands for.
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::Take => None,
            Self::NotExtended | Self::EndUntold => Some(
                Problem::new(ProblemKind::NotExtended, "renewal gives no later expiry")
                    .with_action(crate::token::Action::Retry),
            ),
            Self::FewerScopes(lost) => Some(Problem::new(
                ProblemKind::PermissionMissing,
                format!("the new access token lacks {}", super::humanize::list(lost)),
            )),
            Self::Wait(problem) | Self::Dead(problem) | Self::Refuse(problem) => {
                Some(problem.clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::token::{Arrival, Fingerprint, GenerationId, GenerationState, Proof, Time};

    fn at(day: i64) -> Time {
        DateTime::from_timestamp(1_767_225_600 + day * 86_400, 0).unwrap()
    }

    fn inspection(expiry: Expiry, scopes: &[&str]) -> Inspection {
        Inspection {
            expiry,
            scopes: Some(scopes.iter().map(ToString::to_string).collect()),
            ..Inspection::bare(Some(true), None)
        }
    }

    fn current(expiry: Expiry) -> Generation {
        Generation {
            id: GenerationId(1),
            number: 1,
            state: GenerationState::Current,
            origin: Origin::Adopted,
            arrival: Arrival::Adopted,
            handed_over: None,
            login_check: None,
            fingerprint: Fingerprint::new([0; 32]),
            obtained_at: at(0),
            expiry,
            parent: None,
            revoked_at: None,
            proof: Some(Proof { at: at(0), inspection: inspection(expiry, &["a", "b"]) }),
        }
    }

    #[test]
    fn a_page_s_exchange_counts_only_if_it_ends_later() {
        for (new, verdict) in [
            (Expiry::At(at(9)), Extension::NotExtended),
            (Expiry::At(at(10)), Extension::NotExtended),
            (Expiry::At(at(11)), Extension::Take),
            (Expiry::Never, Extension::Take),
        ] {
            let judged = judge_grant(
                &inspection(new, &["a", "b"]),
                Expiry::Unknown,
                TokenType::Page,
                Origin::Exchanged,
                &Identity::default(),
                Some(&current(Expiry::At(at(10)))),
            );
            assert_eq!(judged, verdict, "{new:?}");
        }
    }

    #[test]
    fn an_end_that_meta_hides_is_neither_later_nor_the_same() {
        let (old, unknown) = (Expiry::At(at(10)), Expiry::Unknown);
        for (token_type, new, verdict) in [
            (TokenType::Instagram, unknown, Extension::EndUntold),
            (TokenType::Threads, unknown, Extension::EndUntold),
            (TokenType::Threads, old, Extension::NotExtended),
            (TokenType::User, unknown, Extension::NotExtended),
        ] {
            let judged = judge_grant(
                &inspection(new, &[]),
                unknown,
                token_type,
                Origin::Refreshed,
                &Identity::default(),
                Some(&current(old)),
            );
            assert_eq!(judged, verdict, "{token_type} {new:?}");
        }
    }

    #[test]
    fn a_grant_is_taken_only_if_it_ends_a_day_later_and_carries_as_much() {
        let both = &["a", "b"][..];
        let lost = Extension::FewerScopes(vec!["b".into()]);
        for (token_type, new, granted, scopes, old, verdict) in [
            (
                TokenType::User,
                Expiry::At(at(60)),
                Expiry::Unknown,
                both,
                Expiry::At(at(10)),
                Extension::Take,
            ),
            (
                TokenType::User,
                Expiry::At(at(10)),
                Expiry::Unknown,
                both,
                Expiry::At(at(10)),
                Extension::NotExtended,
            ),
            (
                TokenType::User,
                Expiry::At(at(11)),
                Expiry::Unknown,
                both,
                Expiry::At(at(10)),
                Extension::Take,
            ),
            (
                TokenType::User,
                Expiry::Unknown,
                Expiry::At(at(60)),
                both,
                Expiry::At(at(10)),
                Extension::Take,
            ),
            (
                TokenType::User,
                Expiry::Unknown,
                Expiry::Unknown,
                both,
                Expiry::At(at(10)),
                Extension::NotExtended,
            ),
            (
                TokenType::User,
                Expiry::Never,
                Expiry::Unknown,
                both,
                Expiry::At(at(10)),
                Extension::Take,
            ),
            (
                TokenType::User,
                Expiry::At(at(60)),
                Expiry::Unknown,
                both,
                Expiry::Never,
                Extension::NotExtended,
            ),
            (
                TokenType::User,
                Expiry::At(at(60)),
                Expiry::Unknown,
                &["a"],
                Expiry::At(at(10)),
                lost,
            ),
            (
                TokenType::Page,
                Expiry::At(at(60)),
                Expiry::Unknown,
                both,
                Expiry::Never,
                Extension::NotExtended,
            ),
            (
                TokenType::Page,
                Expiry::At(at(9)),
                Expiry::Unknown,
                both,
                Expiry::At(at(10)),
                Extension::Take,
            ),
            (TokenType::Page, Expiry::Never, Expiry::Unknown, both, Expiry::Never, Extension::Take),
        ] {
            let is_derived = token_type == TokenType::Page;
            assert_eq!(
                judge_grant(
                    &inspection(new, scopes),
                    granted,
                    token_type,
                    if is_derived { Origin::Derived } else { Origin::Refreshed },
                    &Identity::default(),
                    Some(&current(old))
                ),
                verdict,
                "{new:?} in place of {old:?}"
            );
        }
    }
}

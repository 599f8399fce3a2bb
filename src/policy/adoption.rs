//! Decides whether an access token from outside becomes the current one.
//!
//! It must be valid, of the configured type, of the same app, person and Page, and the current one
//! must be invalid, missing, or expire earlier.

use chrono::TimeDelta;

use crate::token::{
    Action, Expiry, Generation, Identity, Inspection, Problem, ProblemKind, TokenType,
};

/// The current access token, as far as it matters to a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incumbent {
    /// There is none, or Graph has called it dead.
    Gone,
    /// It works until then.
    Serves(Expiry),
}

impl Incumbent {
    /// Reads it off the current generation and its last proof.
    pub fn of(current: Option<&Generation>) -> Self {
        match current {
            None => Self::Gone,
            Some(current) => match current.proof.as_ref().map(|proof| proof.inspection.verdict()) {
                Some(Some(false)) => Self::Gone,
                _ => Self::Serves(current.expiry),
            },
        }
    }
}

/// What becomes of an access token from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adoption {
    /// It becomes the current one.
    Take,
    /// It is good, but the current one is no worse; worth taking only if that one is dead.
    OnlyIfCurrentIsDead(Problem),
    /// It stays a candidate: Graph gave no verdict.
    Wait(Problem),
    /// It is not taken, and not asked about again.
    Refuse(Problem),
}

/// Judges an access token from outside by what Graph said of it.
pub fn judge_newcomer(
    inspection: &Inspection,
    token_type: TokenType,
    expected: &Identity,
    incumbent: Incumbent,
) -> Adoption {
    if let Some(problem) = misfit(inspection, token_type, expected) {
        return Adoption::Refuse(problem);
    }
    match inspection.verdict() {
        Some(true) => {}
        Some(false) => return Adoption::Refuse(explained(inspection)),
        None => return Adoption::Wait(explained(inspection)),
    }
    let hidden = inspection.expiry == Expiry::Unknown && token_type.spec().may_hide_the_end();
    let no_better = match incumbent {
        Incumbent::Gone => return Adoption::Take,
        Incumbent::Serves(expiry) if inspection.expiry.is_later_than(expiry) => {
            return Adoption::Take;
        }
        // Graph tells of neither when it expires, and a person brought this one later.
        Incumbent::Serves(Expiry::Unknown) if hidden => return Adoption::Take,
        Incumbent::Serves(_) if hidden => {
            "nobody can tell whether it ends later than the string in use, which is alive; \
             `metatoken exchange` takes it all the same"
        }
        Incumbent::Serves(_) => "it ends no later than the string in use, which is alive",
    };
    let problem = Problem::new(ProblemKind::NotExtended, no_better);
    Adoption::OnlyIfCurrentIsDead(problem.with_action(Action::None))
}

/// Why an access token cannot be this token's, whatever its state: another type, app, person or
/// Page. What Graph does not tell is no misfit.
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
            format!("it is a {found} token, not a {wanted} token"),
        ));
    }
    inspection
        .identity
        .difference_from(expected)
        .map(|difference| Problem::new(ProblemKind::IdentityChanged, difference.to_string()))
}

/// Graph's reason, or a sentence that there was none.
pub fn explained(inspection: &Inspection) -> Problem {
    inspection.problem.clone().unwrap_or_else(|| {
        Problem::new(ProblemKind::Unknown, "Graph gave no verdict and no reason")
    })
}

/// How much earlier than the current access token a newcomer may expire and still be its equal.
///
/// Meta's seconds differ from answer to answer; a day is what «extended» means.
pub const A_DAY: TimeDelta = TimeDelta::hours(24);

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn alive(expiry: Expiry) -> Inspection {
        Inspection {
            token_type: Some("USER".into()),
            identity: Identity {
                app_id: Some("1".into()),
                user_id: Some("7".into()),
                page_id: None,
            },
            expiry,
            ..Inspection::bare(Some(true), None)
        }
    }

    fn day(n: i64) -> Expiry {
        Expiry::At(DateTime::from_timestamp(1_767_225_600 + n * 86_400, 0).unwrap())
    }

    #[test]
    fn a_newcomer_must_fit_live_and_be_better() {
        let same = Identity { user_id: Some("7".into()), ..Identity::default() };
        let other = Identity { user_id: Some("8".into()), ..Identity::default() };
        let dead = Inspection {
            valid: Some(false),
            problem: Some(Problem::new(ProblemKind::Expired, "over")),
            ..alive(day(1))
        };
        let blocked = Inspection { valid: None, ..alive(day(1)) };
        let name = |adoption| match adoption {
            Adoption::Take => "take",
            Adoption::OnlyIfCurrentIsDead(_) => "only if dead",
            Adoption::Wait(_) => "wait",
            Adoption::Refuse(_) => "refuse",
        };
        for (inspection, token_type, expected, incumbent, verdict) in [
            (alive(day(60)), TokenType::User, &same, Incumbent::Gone, "take"),
            (alive(day(60)), TokenType::User, &same, Incumbent::Serves(day(59)), "take"),
            (alive(day(60)), TokenType::User, &same, Incumbent::Serves(Expiry::Unknown), "take"),
            (alive(Expiry::Never), TokenType::User, &same, Incumbent::Serves(day(59)), "take"),
            (alive(day(60)), TokenType::User, &same, Incumbent::Serves(day(60)), "only if dead"),
            (
                alive(day(60)),
                TokenType::User,
                &same,
                Incumbent::Serves(Expiry::Never),
                "only if dead",
            ),
            (alive(day(60)), TokenType::User, &other, Incumbent::Gone, "refuse"),
            (alive(day(60)), TokenType::Page, &same, Incumbent::Gone, "refuse"),
            (dead, TokenType::User, &same, Incumbent::Gone, "refuse"),
            (blocked, TokenType::User, &same, Incumbent::Gone, "wait"),
        ] {
            let adoption = judge_newcomer(&inspection, token_type, expected, incumbent);
            assert_eq!(name(adoption), verdict, "{inspection:?} {incumbent:?}");
        }
    }
}

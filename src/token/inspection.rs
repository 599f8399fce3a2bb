//! Holds what Graph says of an access token, and whose it is.

use std::fmt;

use super::{DataAccess, Expiry, Problem, Time};

/// Graph's answer about one access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Graph's own word: false too while an account is held, which only its owner can free.
    pub valid: Option<bool>,
    /// Why it is not valid, or why nothing was said.
    pub problem: Option<Problem>,
    /// The type in Graph's own word, such as `USER`; an open list.
    pub token_type: Option<String>,
    /// The app's name.
    pub application: Option<String>,
    /// App, person and Page behind it.
    pub identity: Identity,
    pub expiry: Expiry,
    /// Until when the app may read the person's data.
    pub data_access: DataAccess,
    /// When it was issued; Meta says so for long-lived tokens only.
    pub issued_at: Option<Time>,
    /// What it may do; nothing where Graph does not tell.
    pub scopes: Option<Vec<String>>,
    /// The permissions that are limited to certain objects. A scope may occur twice.
    pub granular_scopes: Vec<GranularScope>,
}

impl Inspection {
    /// An answer that says nothing but the verdict.
    pub fn bare(valid: Option<bool>, problem: Option<Problem>) -> Self {
        Self {
            valid,
            problem,
            token_type: None,
            application: None,
            identity: Identity::default(),
            expiry: Expiry::Unknown,
            data_access: DataAccess::Unknown,
            issued_at: None,
            scopes: None,
            granular_scopes: Vec::new(),
        }
    }

    /// The verdict: alive, dead, or none, as of an access token that is held and may work again.
    pub fn verdict(&self) -> Option<bool> {
        let may_pass = self.problem.as_ref().is_some_and(|problem| !problem.kind.is_verdict());
        self.valid.filter(|valid| *valid || !may_pass)
    }

    /// The scopes that a list in an answer tells. An empty one beside no type tells nothing: Graph gives
    /// that of an access token that it cannot decode.
    pub fn told_scopes(list: Option<Vec<String>>, token_type: Option<&str>) -> Option<Vec<String>> {
        list.filter(|list| !list.is_empty() || token_type.is_some())
    }

    /// The scopes that it is known to carry.
    pub fn known_scopes(&self) -> &[String] {
        self.scopes.as_deref().unwrap_or_default()
    }

    /// The scopes of `wanted` that the token does not carry; what was not told is not missing.
    pub fn lacks<'a>(&self, wanted: &'a [String]) -> Vec<&'a str> {
        let Some(scopes) = &self.scopes else { return Vec::new() };
        wanted.iter().filter(|scope| !scopes.contains(scope)).map(String::as_str).collect()
    }
}

/// A permission and the objects that it is limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GranularScope {
    /// The permission's name.
    pub scope: String,
    /// The objects; `None` means all of them (Meta leaves the field out).
    pub target_ids: Option<Vec<String>>,
}

/// The last answer about a generation, and when it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// When Graph answered.
    pub at: Time,
    /// What it answered.
    pub inspection: Inspection,
}

/// The app, the person and the Page behind a token; each may be unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The Meta app that the token was given to.
    pub app_id: Option<String>,
    /// The person, or the System User, who granted it.
    pub user_id: Option<String>,
    /// The Page, for Page tokens; Meta's `profile_id`.
    pub page_id: Option<String>,
}

/// The first part in which two identities differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `app`, `user` or `page`.
    pub part: &'static str,
    /// What it was to be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the token belongs to {} {}, not to {}", self.part, self.found, self.expected)
    }
}

impl Identity {
    /// The first part that both know and that differs; what one does not know is not a difference.
    pub fn difference_from(&self, expected: &Self) -> Option<Difference> {
        [
            ("app", &expected.app_id, &self.app_id),
            ("user", &expected.user_id, &self.user_id),
            ("page", &expected.page_id, &self.page_id),
        ]
        .into_iter()
        .find_map(|(part, expected, found)| {
            let (expected, found) = (expected.as_ref()?, found.as_ref()?);
            (expected != found).then(|| Difference {
                part,
                expected: expected.clone(),
                found: found.clone(),
            })
        })
    }

    /// This identity, with what it does not know taken from `other`.
    pub fn or(self, other: &Self) -> Self {
        Self {
            app_id: self.app_id.or_else(|| other.app_id.clone()),
            user_id: self.user_id.or_else(|| other.user_id.clone()),
            page_id: self.page_id.or_else(|| other.page_id.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_valid_is_dead_unless_it_may_work_again() {
        use crate::token::ProblemKind as Kind;
        for (valid, kind, verdict) in [
            (Some(true), None, Some(true)),
            (Some(false), None, Some(false)),
            (Some(false), Some(Kind::PasswordChanged), Some(false)),
            (Some(false), Some(Kind::Checkpoint), None),
            (Some(false), Some(Kind::UnconfirmedUser), None),
            (Some(false), Some(Kind::AppDisabled), None),
            (None, Some(Kind::PermissionMissing), None),
            (None, None, None),
        ] {
            let problem = kind.map(|kind| Problem::new(kind, "x"));
            assert_eq!(Inspection::bare(valid, problem).verdict(), verdict, "{valid:?} {kind:?}");
        }
    }

    #[test]
    fn only_what_both_know_can_differ() {
        let known = Identity { app_id: Some("1".into()), ..Identity::default() };
        let other = Identity { app_id: Some("2".into()), user_id: Some("9".into()), page_id: None };
        assert_eq!(known.difference_from(&Identity::default()), None);
        let difference = known.difference_from(&other).expect("the apps differ");
        assert_eq!(difference.to_string(), "the token belongs to app 1, not to 2");
    }
}

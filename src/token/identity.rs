//! Whose token it is.
//!
//! A string may replace another only if the same app, person and Page stand behind it; otherwise
//! a slip in a config would post one client's words on another client's Page.

use std::fmt;

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
        write!(f, "it belongs to {} {}, not to {}", self.part, self.found, self.expected)
    }
}

impl Identity {
    /// The first part that both know and that differs; what one does not know is no difference.
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
    fn only_what_both_know_can_differ() {
        let known = Identity { app_id: Some("1".into()), ..Identity::default() };
        let other = Identity { app_id: Some("2".into()), user_id: Some("9".into()), page_id: None };
        assert_eq!(known.difference_from(&Identity::default()), None);
        let difference = known.difference_from(&other).expect("the apps differ");
        assert_eq!(difference.to_string(), "it belongs to app 1, not to 2");
    }
}

//! What Graph said when it was asked about a token.

use super::{DataAccess, Expiry, Identity, Problem, Time};

/// Graph's answer about one string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Graph's verdict: alive, dead, or none given (an account that must be freed first).
    pub valid: Option<bool>,
    /// Why it is not valid, or why there is no verdict.
    pub problem: Option<Problem>,
    /// The type in Graph's own word, such as `USER`; an open list.
    pub token_type: Option<String>,
    /// The app's name.
    pub application: Option<String>,
    /// App, person and Page behind it.
    pub identity: Identity,
    /// When it ends.
    pub expiry: Expiry,
    /// Until when the app may read the person's data.
    pub data_access: DataAccess,
    /// When it was issued; Meta says so for long-lived tokens only.
    pub issued_at: Option<Time>,
    /// The permissions it carries.
    pub scopes: Vec<String>,
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
            scopes: Vec::new(),
            granular_scopes: Vec::new(),
        }
    }

    /// Whether the answer tells what the token may do: a bare profile tells neither type nor
    /// scopes, and what was not said is not missing.
    pub const fn tells_scopes(&self) -> bool {
        self.token_type.is_some() || !self.scopes.is_empty()
    }

    /// The scopes of `wanted` that the token does not carry; none where nothing is told of them.
    pub fn lacks<'a>(&self, wanted: &'a [String]) -> Vec<&'a str> {
        let wanted = if self.tells_scopes() { wanted } else { &[] };
        wanted.iter().filter(|scope| !self.scopes.contains(scope)).map(String::as_str).collect()
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

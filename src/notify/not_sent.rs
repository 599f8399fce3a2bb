//! Why a notice did not get through.

use std::fmt;

/// Says in one sentence, without a subject, why nothing was sent; it may go into the log, the
/// store and another notice, so it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSent(String);

impl NotSent {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotSent {}

//! Says why a target did not get its access token.

use std::error::Error as _;
use std::fmt;
use std::path::Path;

use crate::edit::EditError;
use crate::files::FileError;
use crate::token::{Action, Problem, ProblemKind};

/// A delivery that failed: what happened, and what recovers it. Holds no access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryError {
    /// The file or the program, and what happened.
    pub message: String,
    /// What to do about it; none where it is tried again and may well succeed.
    pub hint: Option<String>,
}

impl DeliveryError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The failure as the store remembers it: with the step that recovers it, for the store has no
    /// place of its own for that.
    pub(super) fn problem(&self) -> Problem {
        let message = match &self.hint {
            Some(hint) => format!("{}; {hint}", self.message),
            None => self.message.clone(),
        };
        Problem::new(ProblemKind::Unknown, message).with_action(Action::Retry)
    }

    pub(super) fn no_file(path: &Path) -> Self {
        Self::new(format!("{}: there is no such file", path.display()))
            .hint("mend `file` in the config, or set `create = true`")
    }

    pub(super) fn keeps_changing(path: &Path) -> Self {
        let path = path.display();
        Self::new(format!("{path}: another program keeps changing it; it was left alone"))
    }

    pub(super) fn in_file(path: &Path, error: &EditError) -> Self {
        let place = error
            .place()
            .map_or_else(String::new, |place| format!(":{}:{}", place.line, place.column));
        let failure = Self::new(format!("{}{place}: {error}", path.display()));
        match error {
            EditError::Missing { .. } => {
                failure.hint("mend `key` in the config, or set `create = true`")
            }
            _ => failure.hint("mend the file, or `key` and `format` in the config"),
        }
    }
}

impl From<FileError> for DeliveryError {
    fn from(error: FileError) -> Self {
        let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
        let message = format!("{}: {}{cause}", error.path().display(), error.message());
        Self { message, hint: error.hint() }
    }
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DeliveryError {}

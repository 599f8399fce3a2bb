//! Says why a target did not get its access token.

use std::error::Error as _;
use std::fmt;
use std::path::Path;

use crate::config::FileTarget;
use crate::edit::EditError;
use crate::files::FileError;
use crate::token::{Action, Label, Problem, ProblemKind};

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
        Self::new(format!("{}: the file is missing", path.display()))
            .hint("correct `file` in the config, or set `create = true`")
    }

    /// A first delivery that waits until Graph was asked about what it would replace.
    pub(super) fn not_examined(file: &FileTarget, label: &Label) -> Self {
        Self::new(format!("{} an access token that is not checked yet", holds(file)))
            .hint(format!("run `metatoken refresh {label}` to check it"))
    }

    /// A first delivery that would replace an access token of another person, app or Page.
    pub(super) fn of_another(file: &FileTarget, why: &str) -> Self {
        Self::new(format!("{} an access token that may still be needed: {why}", holds(file)))
            .hint("correct `file` and `key` in the config, or set `overwrite = true` to replace it")
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
            EditError::Missing { instead: None, .. } => {
                failure.hint("correct `key` in the config, or set `create = true`")
            }
            EditError::Missing { instead: Some(instead), .. } => {
                failure.hint(format!("write `key = '{instead}'` in the config"))
            }
            EditError::InDocuments { .. } => {
                failure.hint("name the document in the config: `document = 1` is the first")
            }
            EditError::NoDocument { .. } => failure.hint("correct `document` in the config"),
            EditError::Anchored { .. } => {
                failure.hint("set `anchor = true` in the config to change it for all its aliases")
            }
            EditError::Aliased { anchor, .. } => failure.hint(format!(
                "name the value on line {anchor} with `key`, and set `anchor = true`"
            )),
            EditError::Encoded { found: found @ ("UTF-16" | "UTF-32") } => failure
                .hint(format!("convert the file, for example with `iconv -f {found} -t UTF-8`")),
            EditError::Encoded { .. } => failure.hint("correct `file` in the config"),
            EditError::Sealed { .. } => failure.hint(
                "deliver with `command` to a program that encrypts the token, instead of `file`",
            ),
            EditError::NotOurs { .. } => failure.hint(
                "correct `file` and `key` in the config, or set `overwrite = true` to replace it",
            ),
            EditError::HoldsMore { .. } => failure.hint(
                "name a value that is the access token alone by `file`, `format` and `key`, or deliver \
                 with `command` to a program that edits this one",
            ),
            EditError::NoPlace { .. } => failure.hint(
                "add the key to the file by hand, with an empty value, or correct `key` and `format` in \
                 the config",
            ),
            EditError::FormatNeeded => failure.hint(
                "set `format` in the config: toml, ini, env, json or yaml with a `key`, or raw, with \
                 `overwrite = true`, to replace the whole file",
            ),
            _ => failure.hint("correct the file, or `key` and `format` in the config"),
        }
    }
}

/// The beginning of a sentence that says what a file holds.
fn holds(file: &FileTarget) -> String {
    let path = file.path.display();
    match &file.key {
        Some(key) => format!("{path}: the key `{}` holds", key.escape_debug()),
        None => format!("{path}: it holds"),
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

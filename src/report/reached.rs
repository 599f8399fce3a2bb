//! Names the files and programs that get an access token.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::token::TargetId;

/// A target that got the current access token in a run, or would get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedTarget {
    pub target: TargetId,
    pub place: ReachedPlace,
}

/// What gets an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReachedPlace {
    /// A value in this file.
    File(PathBuf),
    /// A program, with its arguments.
    Command(Vec<String>),
}

impl ReachedTarget {
    /// The target, with the file that would be written or the program that would be run where its
    /// name does not say it.
    pub fn with_place(&self) -> String {
        let target = &self.target;
        match &self.place {
            ReachedPlace::File(path) if target.as_str().starts_with(&*path.to_string_lossy()) => {
                target.to_string()
            }
            ReachedPlace::File(path) => format!("{target} ({})", path.display()),
            ReachedPlace::Command(argv) if argv.join(" ") == target.as_str() => target.to_string(),
            ReachedPlace::Command(argv) => format!("{target} (runs `{}`)", argv.join(" ")),
        }
    }

    /// The target with what it is; what it is not is null.
    pub fn json(&self) -> Value {
        let (file, command) = match &self.place {
            ReachedPlace::File(path) => (Some(path.to_string_lossy()), None),
            ReachedPlace::Command(argv) => (None, Some(argv)),
        };
        json!({ "target": self.target.as_str(), "file": file, "command": command })
    }
}

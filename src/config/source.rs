//! Where a secret is found. Naming a place is not reading it: this touches nothing.

use std::fmt;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::mask::looks_secret;
use crate::edit::Format;
use crate::token::Secret;

/// A SECRET of the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The secret itself stands in the config.
    Literal(Secret),
    /// An environment variable.
    Env(String),
    /// A file, or one value inside an application's file.
    File {
        /// The file.
        path: PathBuf,
        /// The key of the value; without one the whole file is the secret.
        key: Option<String>,
        /// How the file is written.
        format: Format,
    },
    /// A credential that the service manager hands over.
    Credential(String),
    /// What a program prints.
    Command(Vec<String>),
}

impl SecretSource {
    /// Whether whoever reads the config reads the secret.
    pub const fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }

    /// The reference as `config show` gives it; never a literal.
    pub fn describe(&self) -> Value {
        match self {
            Self::Literal(_) => json!("(literal)"),
            Self::Env(name) => json!({ "env": name }),
            Self::File { path, key: None, .. } => json!({ "file": path.to_string_lossy() }),
            Self::File { path, key: Some(key), format } => json!({
                "file": path.to_string_lossy(),
                "key": key,
                "format": format.as_str(),
            }),
            Self::Credential(name) => json!({ "credential": name }),
            Self::Command(words) => json!({ "command": describe_argv(words) }),
        }
    }
}

/// A program and its arguments, as `config show` gives them; never what may be a secret.
pub(super) fn describe_argv(words: &[String]) -> Value {
    let shown = |word: &'_ String| if looks_secret(word) { "…".to_owned() } else { word.clone() };
    words.iter().map(shown).collect()
}

/// The source as the subject of a sentence.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(_) => f.write_str("the literal in the config"),
            Self::Env(name) => write!(f, "the environment variable `{name}`"),
            Self::File { path, key: None, .. } => write!(f, "the file `{}`", path.display()),
            Self::File { path, key: Some(key), .. } => {
                write!(f, "the key `{key}` of the file `{}`", path.display())
            }
            Self::Credential(name) => write!(f, "the credential `{name}`"),
            Self::Command(words) => {
                write!(f, "the command `{}`", words.first().map_or("", String::as_str))
            }
        }
    }
}

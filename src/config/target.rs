//! Holds where a token is delivered, as the config says.

use std::path::PathBuf;
use std::time::Duration;

use crate::edit::{Format, Missing};
use crate::token::TargetId;

/// One place to which a token is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub id: TargetId,
    /// What it is.
    pub place: Place,
    /// How long a delivery may take.
    pub timeout: Duration,
}

/// What gets the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A value in a file.
    File(FileTarget),
    /// A program, with its arguments.
    Command(Vec<String>),
}

/// A value in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTarget {
    pub path: PathBuf,
    /// The value's name in it; a raw file is its own value.
    pub key: Option<String>,
    /// How the file is written.
    pub format: Format,
    /// How it is replaced.
    pub writing: Writing,
    /// What to do where the key or the file is missing.
    pub missing: Missing,
}

impl FileTarget {
    /// A file that a token is no longer delivered to: as a whole, not a value in it.
    pub const fn former(path: PathBuf) -> Self {
        let (format, writing, missing) = (Format::Raw, Writing::InPlace, Missing::Refuse);
        Self { path, key: None, format, writing, missing }
    }
}

named! {
    /// How a file is replaced.
    #[derive(Default)]
    pub enum Writing {
        /// By another file in its place: a reader sees the old or the new.
        #[default]
        Atomic = "atomic",
        /// Within itself, for a file that cannot be renamed over, such as a bind mount.
        InPlace = "in-place",
    }
}

//! Holds where a token is delivered, as the config says.

use std::path::PathBuf;
use std::time::Duration;

use crate::edit::{Format, Missing, Options, ValueAddress};
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
    /// Which value is meant, and what may be replaced there.
    pub rules: Rules,
}

impl FileTarget {
    /// The value in the file.
    pub fn address(&self) -> ValueAddress<'_> {
        ValueAddress { format: self.format, key: self.key.as_deref(), options: self.rules.options }
    }
}

/// Which value a target means where that is not plain, and what may be replaced there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// Which of several values the key means.
    pub options: Options,
    /// Who says how the file is written.
    pub format_from: FormatFrom,
    /// What the first delivery may replace.
    pub first: FirstDelivery,
}

/// Who says how a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FormatFrom {
    /// The config.
    #[default]
    Config,
    /// The file's name.
    Name,
}

/// What the first delivery to a target may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FirstDelivery {
    /// Nothing that may be needed: a place without a value, a placeholder, an access token.
    #[default]
    Careful,
    /// Any single value: `overwrite = true`.
    Overwrite,
}

impl FileTarget {
    /// A file that a token is no longer delivered to: as a whole, not a value in it.
    pub fn former(path: PathBuf) -> Self {
        let (format, writing, missing) = (Format::Raw, Writing::InPlace, Missing::Refuse);
        Self { path, key: None, format, writing, missing, rules: Rules::default() }
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

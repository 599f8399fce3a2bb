//! Says what Graph said of one of its versions.

use super::Time;

/// What Graph says of one of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionAnswer {
    /// It works.
    Works,
    /// It has ended, and another one answers in its place.
    Replaced { by: String },
    /// There is no such version.
    Unknown,
}

impl VersionAnswer {
    const WORKS: &'static str = "works";
    const UNKNOWN: &'static str = "unknown";

    /// One word for it: `works`, `unknown`, or the version that answers in its place.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Works => Self::WORKS,
            Self::Replaced { by } => by,
            Self::Unknown => Self::UNKNOWN,
        }
    }

    /// Reads that word.
    pub fn from_word(word: &str) -> Self {
        match word {
            Self::WORKS => Self::Works,
            Self::UNKNOWN => Self::Unknown,
            by => Self::Replaced { by: by.to_owned() },
        }
    }
}

/// A version of Graph that an app asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionCheck {
    /// Its name, such as `v26.0`.
    pub version: String,
    /// When Graph was last asked whether it works; before that, when it was first asked for.
    pub at: Time,
    /// What Graph said; nothing before it was asked.
    pub answer: Option<VersionAnswer>,
}

//! Says why a value could be neither found nor written.
//!
//! Everything in such a file may be a secret, and so is the value that is to be written. An error
//! therefore names the key, the place and the reason, and never a byte of either.

use std::fmt;

use super::Format;

/// Where in a file something stands, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    pub line: usize,
    /// The character in that line; a byte order mark is none.
    pub column: usize,
}

/// Why a value could not be found or written. Never holds anything out of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditError {
    /// The format has keys, and none was named.
    KeyNeeded(Format),
    /// The format has no keys, or the key is not one it can have.
    BadKey {
        key: String,
        /// The format that does not know such keys.
        format: Format,
    },
    /// The key is not there.
    Missing { key: String },
    /// The key is there twice.
    Ambiguous {
        key: String,
        /// The lines on which it stands, counted from 1.
        lines: Vec<usize>,
    },
    /// The key is there, but what it holds cannot be taken as text.
    NotText {
        key: String,
        /// Where the value begins.
        at: LineColumn,
        /// What is there instead.
        found: &'static str,
    },
    /// The file is not what its format asks for.
    Unparsable {
        format: Format,
        /// Where it ends to make sense.
        at: LineColumn,
    },
    /// The file has a comment where its format allows none.
    Commented {
        format: Format,
        /// Where the comment begins.
        at: LineColumn,
    },
    /// The value is there, and more than it hangs on its bytes.
    Irreplaceable {
        key: String,
        /// Where the value begins.
        at: LineColumn,
        /// What else would change.
        why: &'static str,
    },
    /// The key is not there, and there is no plain place to put it.
    NoPlace {
        key: String,
        /// What stands in the way, if something does.
        at: Option<LineColumn>,
        /// Why it cannot be put there.
        why: &'static str,
    },
    /// The format has no spelling for the value that all its readers take alike.
    Unwritable {
        format: Format,
        /// What about the value does not fit.
        why: &'static str,
    },
    /// The file as it would have been written differs in more than the value.
    Unproven { format: Format },
}

impl EditError {
    /// Where in the file it is, if it is at one place.
    pub fn place(&self) -> Option<LineColumn> {
        match self {
            Self::NotText { at, .. }
            | Self::Unparsable { at, .. }
            | Self::Commented { at, .. }
            | Self::Irreplaceable { at, .. } => Some(*at),
            Self::NoPlace { at, .. } => *at,
            Self::KeyNeeded(_)
            | Self::BadKey { .. }
            | Self::Missing { .. }
            | Self::Ambiguous { .. }
            | Self::Unwritable { .. }
            | Self::Unproven { .. } => None,
        }
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyNeeded(format) => write!(f, "{} file needs a `key`", one(*format)),
            Self::BadKey { format: Format::Raw, .. } => {
                f.write_str("a raw file is one value and has no `key`: say its `format`")
            }
            Self::BadKey { key, format } => {
                write!(f, "`{}` is no key of {} file", key.escape_debug(), one(*format))
            }
            Self::Missing { key } => write!(f, "it has no key `{}`", key.escape_debug()),
            Self::Ambiguous { key, lines } => {
                let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
                let lines = lines.join(" and ");
                write!(f, "the key `{}` is there more than once: lines {lines}", key.escape_debug())
            }
            Self::NotText { key, at, found } => {
                let (key, line) = (key.escape_debug(), at.line);
                write!(f, "the key `{key}` holds {found}, not text: line {line}")
            }
            Self::Unparsable { format: Format::Raw, at } => {
                write!(f, "it is not UTF-8 text: line {}", at.line)
            }
            Self::Unparsable { format, at } => {
                write!(f, "it cannot be read as {format}: line {}", at.line)
            }
            Self::Commented { format, at } => {
                write!(f, "it has a comment, which {format} does not allow: line {}", at.line)
            }
            Self::Irreplaceable { key, at, why } => {
                let (key, line) = (key.escape_debug(), at.line);
                write!(f, "the value of the key `{key}` cannot be replaced: {why}: line {line}")
            }
            Self::NoPlace { key, at, why } => {
                write!(f, "the key `{}` cannot be created: {why}", key.escape_debug())?;
                at.map_or(Ok(()), |at| write!(f, ": line {}", at.line))
            }
            Self::Unwritable { format, why } => {
                write!(f, "{} file cannot hold the value: {why}", one(*format))
            }
            Self::Unproven { format } => {
                write!(f, "writing the {format} file would have changed more than the value")
            }
        }
    }
}

/// The format's name with its article.
fn one(format: Format) -> String {
    match format {
        Format::Ini | Format::Env => format!("an {format}"),
        Format::Toml | Format::Json | Format::Yaml | Format::Raw => format!("a {format}"),
    }
}

impl std::error::Error for EditError {}

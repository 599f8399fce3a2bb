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
    Missing {
        /// The key as configured.
        key: String,
        /// The key of a value that may be meant: its name holds the dots.
        instead: Option<String>,
    },
    /// The key is there in several documents of the file.
    InDocuments {
        /// The key as configured.
        key: String,
        /// The numbers of these documents, counted from 1.
        documents: Vec<usize>,
    },
    /// The file has no document of that number.
    NoDocument {
        /// How many it has.
        count: usize,
    },
    /// The value is anchored in YAML: its aliases would change with it.
    Anchored {
        /// The key as configured.
        key: String,
        /// Where the anchored value begins.
        at: LineColumn,
    },
    /// The key leads through an alias of YAML: the value stands elsewhere in the file.
    Aliased {
        /// The key as configured.
        key: String,
        /// Where the alias stands.
        at: LineColumn,
        /// The line on which what it stands for begins, counted from 1.
        anchor: usize,
    },
    /// The file is not UTF-8.
    Encoded {
        /// What it is instead.
        found: &'static str,
    },
    /// The file is encrypted, or is a manifest of something encrypted.
    Sealed {
        /// What encrypts it.
        by: &'static str,
    },
    /// What stands there before a first delivery is not an access token, so it may be needed.
    NotOurs {
        /// The key as configured; none for a whole file.
        key: Option<String>,
        /// Where the value begins.
        at: LineColumn,
        /// What is there instead.
        found: &'static str,
    },
    /// What stands there before a first delivery holds more than an access token.
    HoldsMore {
        /// The key as configured; none for a whole file.
        key: Option<String>,
        /// Where the value begins.
        at: LineColumn,
        /// What is there instead.
        found: &'static str,
    },
    /// The file's name tells no format, and it holds more than one word.
    FormatNeeded,
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
    pub(super) fn missing(key: &str) -> Self {
        Self::Missing { key: key.to_owned(), instead: None }
    }

    /// Where in the file it is, if it is at one place.
    pub fn place(&self) -> Option<LineColumn> {
        match self {
            Self::NotText { at, .. }
            | Self::Unparsable { at, .. }
            | Self::Anchored { at, .. }
            | Self::Aliased { at, .. }
            | Self::NotOurs { at, .. }
            | Self::HoldsMore { at, .. }
            | Self::Irreplaceable { at, .. } => Some(*at),
            Self::NoPlace { at, .. } => *at,
            Self::KeyNeeded(_)
            | Self::BadKey { .. }
            | Self::Missing { .. }
            | Self::Ambiguous { .. }
            | Self::InDocuments { .. }
            | Self::NoDocument { .. }
            | Self::Encoded { .. }
            | Self::Sealed { .. }
            | Self::FormatNeeded
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
                write!(f, "`{}` is not a key of {} file", key.escape_debug(), one(*format))
            }
            Self::Missing { key, instead: None } => {
                write!(f, "it has no key `{}`", key.escape_debug())
            }
            Self::Missing { key, instead: Some(instead) } => {
                let (key, instead) = (key.escape_debug(), instead.replace(char::is_control, "?"));
                write!(f, "it has no key `{key}`, but `{instead}`: a name in it holds the dots")
            }
            Self::Ambiguous { key, lines } => {
                let (key, lines) = (key.escape_debug(), numbers(lines));
                write!(f, "the key `{key}` is there more than once: lines {lines}")
            }
            Self::InDocuments { key, documents } => {
                let (key, documents) = (key.escape_debug(), numbers(documents));
                write!(f, "the key `{key}` is in more than one document: {documents}")
            }
            Self::NoDocument { count: 1 } => f.write_str("it has only one document"),
            Self::NoDocument { count } => write!(f, "it has only {count} documents"),
            Self::Anchored { key, at } => {
                let (key, line) = (key.escape_debug(), at.line);
                write!(
                    f,
                    "the value of the key `{key}` cannot be replaced alone: it is anchored by `&`, \
                     and its aliases would change with it: line {line}"
                )
            }
            Self::Aliased { key, at, anchor } => {
                let (key, line) = (key.escape_debug(), at.line);
                write!(
                    f,
                    "the key `{key}` leads through an alias: line {line}; what it stands for \
                     begins on line {anchor}"
                )
            }
            Self::Encoded { found } => write!(f, "it is {found}, not UTF-8 text"),
            Self::Sealed { by } => {
                write!(f, "it is encrypted by {by}, and an edit would break it or show the token")
            }
            Self::NotOurs { key: Some(key), at, found }
            | Self::HoldsMore { key: Some(key), at, found } => {
                let (key, line) = (key.escape_debug(), at.line);
                write!(f, "the key `{key}` holds {found}, not an access token: line {line}")
            }
            Self::NotOurs { key: None, found, .. } | Self::HoldsMore { key: None, found, .. } => {
                write!(f, "it holds {found}, not an access token")
            }
            Self::FormatNeeded => f.write_str(
                "it holds more than one word, and its name does not say which format it has",
            ),
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

fn numbers(numbers: &[usize]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// The format's name with its article.
fn one(format: Format) -> String {
    match format {
        Format::Ini | Format::Env => format!("an {format}"),
        Format::Toml | Format::Json | Format::Yaml | Format::Raw => format!("a {format}"),
    }
}

impl std::error::Error for EditError {}

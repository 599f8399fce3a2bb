//! Finds one value inside a file that belongs to somebody else.
//!
//! A token often lives in the config of the program that uses it. That file is not ours: its
//! comments, order, quotes and line ends must survive us. So nothing here writes a document anew;
//! it tells which bytes are the one value, and what they say. Everything in such a file may be a
//! secret: no error quotes it.

mod env;
mod format;
mod ini;
mod json;
mod toml;
mod yaml;

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

pub use self::format::Format;

/// One value, and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Located {
    /// What it says, with quotes and escapes undone.
    pub value: Zeroizing<String>,
    /// The bytes of the value as written, quotes included.
    pub span: Range<usize>,
    /// The line on which it begins, counted from 1.
    pub line: usize,
}

impl fmt::Debug for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Located")
            .field("span", &self.span)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

impl Located {
    fn new(bytes: &[u8], span: Range<usize>, value: impl Into<String>) -> Self {
        Self { value: Zeroizing::new(value.into()), line: line_of(bytes, span.start), span }
    }
}

/// Why a value could not be found. Never holds anything out of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditError {
    /// The format has keys, and none was named.
    KeyNeeded(Format),
    /// The format has no keys, or the key is not one it can have.
    BadKey {
        /// The key as configured.
        key: String,
        /// The format that does not know such keys.
        format: Format,
    },
    /// The key is not there.
    Missing {
        /// The key as configured.
        key: String,
    },
    /// The key is there twice.
    Ambiguous {
        /// The key as configured.
        key: String,
        /// The lines on which it stands.
        lines: Vec<usize>,
    },
    /// The key is there, but what it holds cannot be taken as text.
    NotText {
        /// The key as configured.
        key: String,
        /// The line on which the value begins.
        line: usize,
        /// What is there instead.
        found: &'static str,
    },
    /// The file is not what its format asks for.
    Unparsable {
        /// The format.
        format: Format,
        /// The line on which it ends to make sense.
        line: usize,
    },
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyNeeded(format) => write!(f, "a {format} file needs a `key`"),
            Self::BadKey { format: Format::Raw, .. } => {
                f.write_str("a raw file is one value and has no `key`: say its `format`")
            }
            Self::BadKey { key, format } => {
                write!(f, "`{}` is no key of a {format} file", key.escape_debug())
            }
            Self::Missing { key } => write!(f, "it has no key `{}`", key.escape_debug()),
            Self::Ambiguous { key, lines } => {
                let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
                let lines = lines.join(" and ");
                write!(f, "the key `{}` is there more than once: lines {lines}", key.escape_debug())
            }
            Self::NotText { key, line, found } => {
                write!(f, "the key `{}` holds {found}, not text: line {line}", key.escape_debug())
            }
            Self::Unparsable { format: Format::Raw, line } => {
                write!(f, "it is not UTF-8 text: line {line}")
            }
            Self::Unparsable { format, line } => {
                write!(f, "it cannot be read as {format}: line {line}")
            }
        }
    }
}

impl std::error::Error for EditError {}

/// Finds the one value that `key` names.
pub fn locate(format: Format, bytes: &[u8], key: Option<&str>) -> Result<Located, EditError> {
    let start = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    let file = File { bytes, start, format };
    match (format, key) {
        (Format::Raw, None) => raw(&file),
        (Format::Raw, Some(key)) => Err(EditError::BadKey { key: key.to_owned(), format }),
        (_, None) => Err(EditError::KeyNeeded(format)),
        (Format::Toml, Some(key)) => toml::locate(&file, key),
        (Format::Ini, Some(key)) => ini::locate(&file, key),
        (Format::Env, Some(key)) => env::locate(&file, key),
        (Format::Json, Some(key)) => json::locate(&file, key),
        (Format::Yaml, Some(key)) => yaml::locate(&file, key),
    }
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The bytes of a file, and where its text begins behind a byte order mark.
struct File<'a> {
    bytes: &'a [u8],
    start: usize,
    format: Format,
}

impl<'a> File<'a> {
    /// The text behind the byte order mark.
    fn text(&self) -> Result<&'a str, EditError> {
        std::str::from_utf8(&self.bytes[self.start..])
            .map_err(|error| self.unparsable(self.start + error.valid_up_to()))
    }

    /// The value at a span of the whole file.
    fn located(&self, span: Range<usize>, value: impl Into<String>) -> Located {
        Located::new(self.bytes, span, value)
    }

    fn unparsable(&self, at: usize) -> EditError {
        EditError::Unparsable { format: self.format, line: line_of(self.bytes, at) }
    }

    fn not_text(&self, key: &str, at: usize, found: &'static str) -> EditError {
        EditError::NotText { key: key.to_owned(), line: line_of(self.bytes, at), found }
    }

    /// The only one of the places found, or why there is none.
    fn only<T>(&self, key: &str, found: Vec<(usize, T)>) -> Result<T, EditError> {
        if found.len() > 1 {
            let lines = found.iter().map(|(at, _)| line_of(self.bytes, *at)).collect();
            return Err(EditError::Ambiguous { key: key.to_owned(), lines });
        }
        match found.into_iter().next() {
            Some((_, only)) => Ok(only),
            None => Err(EditError::Missing { key: key.to_owned() }),
        }
    }

    /// Every line with the place of its first byte, without its line end.
    fn lines(&self) -> impl Iterator<Item = (usize, &'a [u8])> + use<'a> {
        let mut at = self.start;
        self.bytes[self.start..].split_inclusive(|byte| *byte == b'\n').map(move |line| {
            let start = at;
            at += line.len();
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            (start, line.strip_suffix(b"\r").unwrap_or(line))
        })
    }
}

fn raw(file: &File<'_>) -> Result<Located, EditError> {
    let text = file.text()?;
    let value = text.strip_suffix('\n').unwrap_or(text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    Ok(file.located(file.start..file.start + value.len(), value))
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    bytes.iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found, as value, written form and line; or the error's text.
    pub(super) fn found(format: Format, text: &str, key: &str) -> String {
        match locate(format, text.as_bytes(), Some(key)) {
            Ok(located) => {
                let written = &text[located.span];
                format!("{} <{written}> {}", *located.value, located.line)
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_raw_file_is_one_value() {
        for (bytes, span) in [
            (&b"EAAfake\n"[..], 0..7),
            (b"\xEF\xBB\xBFEAAfake\r\n", 3..10),
            (b"EAAfake", 0..7),
            (b"", 0..0),
        ] {
            let located = locate(Format::Raw, bytes, None).unwrap();
            assert_eq!((located.span, located.line), (span, 1));
        }
        let error = locate(Format::Raw, b"a\n\xFF", None).unwrap_err();
        assert_eq!(error.to_string(), "it is not UTF-8 text: line 2");
        let error = locate(Format::Raw, b"a", Some("k")).unwrap_err();
        assert_eq!(error.to_string(), "a raw file is one value and has no `key`: say its `format`");
        let error = locate(Format::Toml, b"a", None).unwrap_err();
        assert_eq!(error.to_string(), "a toml file needs a `key`");
    }

    #[test]
    fn nothing_in_any_file_makes_it_panic() {
        let awkward: [&[u8]; 14] = [
            b"",
            b"\xFF\xFE",
            b"{",
            b"{\"a\":",
            b"[[[",
            b"a = \"",
            b"a='",
            b"a: \"",
            b"a: |\n x",
            b"[a",
            b"= x",
            b"export ",
            b"\xEF\xBB\xBF",
            b"a: &x *x",
        ];
        for format in Format::ALL {
            for bytes in awkward {
                for key in [None, Some(""), Some("a"), Some("a.b"), Some("/a"), Some(".")] {
                    let _ = locate(format, bytes, key);
                }
            }
        }
    }

    #[test]
    fn a_located_value_is_not_debugged() {
        let located = locate(Format::Env, b"A=EAAfake", Some("A")).unwrap();
        assert_eq!(format!("{located:?}"), "Located { span: 2..9, line: 1, .. }");
    }
}

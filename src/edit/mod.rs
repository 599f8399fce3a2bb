//! Finds one value inside a file that belongs to somebody else, and replaces it.
//!
//! A token often lives in the config of the program that uses it. That file is not ours: its
//! comments, order, quotes and line ends must survive us. So nothing here writes a document anew;
//! [`locate`] tells which bytes are the one value, and what they say, and [`replace`] exchanges
//! those bytes and proves that nothing else has changed. Everything in such a file may be a
//! secret: no error quotes it.

mod env;
mod error;
mod format;
mod ini;
mod json;
mod splice;
mod toml;
mod yaml;

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

pub use self::error::{EditError, Place};
pub use self::format::Format;
pub use self::splice::{Edited, Missing, replace};

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

/// Finds the one value that `key` names.
pub fn locate(format: Format, bytes: &[u8], key: Option<&str>) -> Result<Located, EditError> {
    let file = File::new(format, bytes);
    let Site { span, content } = find(&file, key)?;
    match content {
        Content::Text(value) => Ok(Located { line: file.place(span.start).line, value, span }),
        Content::Lines(_) => Err(file.not_text(key, span.start, "a block of lines")),
        Content::Scalar(found) | Content::Other(found) => {
            Err(file.not_text(key, span.start, found))
        }
    }
}

/// What stands at a key, text or not.
struct Site {
    /// The bytes as written, quotes included; empty where there is no value yet.
    span: Range<usize>,
    content: Content,
}

enum Content {
    Text(Zeroizing<String>),
    /// Text that is laid out in lines of its own, below its key.
    Lines(Zeroizing<String>),
    /// One value that is not text, such as a number; it may be replaced, not read.
    Scalar(&'static str),
    /// More than one value, or somebody else's.
    Other(&'static str),
}

impl Content {
    fn text(value: impl Into<String>) -> Self {
        Self::Text(Zeroizing::new(value.into()))
    }
}

fn find(file: &File<'_>, key: Option<&str>) -> Result<Site, EditError> {
    let format = file.format;
    match (format, key) {
        (Format::Raw, None) => raw(file),
        (Format::Raw, Some(key)) => Err(EditError::BadKey { key: key.to_owned(), format }),
        (_, None) => Err(EditError::KeyNeeded(format)),
        (Format::Toml, Some(key)) => toml::find(file, key),
        (Format::Ini, Some(key)) => ini::find(file, key),
        (Format::Env, Some(key)) => env::find(file, key),
        (Format::Json, Some(key)) => json::find(file, key),
        (Format::Yaml, Some(key)) => yaml::find(file, key),
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
    fn new(format: Format, bytes: &'a [u8]) -> Self {
        Self { bytes, start: if bytes.starts_with(BOM) { BOM.len() } else { 0 }, format }
    }

    /// The text behind the byte order mark.
    fn text(&self) -> Result<&'a str, EditError> {
        std::str::from_utf8(&self.bytes[self.start..])
            .map_err(|error| self.unparsable(self.start + error.valid_up_to()))
    }

    fn place(&self, at: usize) -> Place {
        let before = &self.bytes[self.start..at.max(self.start)];
        let lines: Vec<&[u8]> = before.split(|byte| *byte == b'\n').collect();
        let last = String::from_utf8_lossy(lines.last().unwrap_or(&before));
        Place { line: lines.len(), column: last.chars().count() + 1 }
    }

    fn unparsable(&self, at: usize) -> EditError {
        EditError::Unparsable { format: self.format, at: self.place(at) }
    }

    fn not_text(&self, key: Option<&str>, at: usize, found: &'static str) -> EditError {
        let key = key.unwrap_or_default().to_owned();
        EditError::NotText { key, at: self.place(at), found }
    }

    /// The only one of the places found, or why there is none.
    fn only<T>(&self, key: &str, found: Vec<(usize, T)>) -> Result<T, EditError> {
        if found.len() > 1 {
            let lines = found.iter().map(|(at, _)| self.place(*at).line).collect();
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

fn raw(file: &File<'_>) -> Result<Site, EditError> {
    let text = file.text()?;
    let value = text.strip_suffix('\n').unwrap_or(text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    Ok(Site { span: file.start..file.start + value.len(), content: Content::text(value) })
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

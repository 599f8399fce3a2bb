//! Knows where things stand in a file: its lines, its line ends, its byte order mark.

use super::{EditError, Format, LineColumn, Options};

/// The byte order mark of UTF-8.
pub const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The bytes of a file, and where its text begins after a byte order mark.
pub struct File<'a> {
    pub bytes: &'a [u8],
    pub start: usize,
    pub format: Format,
    pub options: Options,
}

impl<'a> File<'a> {
    /// Takes the bytes of a file; its text begins after a byte order mark.
    pub fn new(format: Format, bytes: &'a [u8]) -> Self {
        Self::with(format, bytes, Options::default())
    }

    /// Reads bytes as a file of that format, by these options.
    pub fn with(format: Format, bytes: &'a [u8], options: Options) -> Self {
        Self { bytes, start: if bytes.starts_with(BOM) { BOM.len() } else { 0 }, format, options }
    }

    /// Refuses what no line or quote can be found in: text in another encoding, and what is not text.
    pub fn is_text(&self) -> Result<(), EditError> {
        match encoding(self.bytes) {
            None => Ok(()),
            Some(found) => Err(EditError::Encoded { found }),
        }
    }

    /// The text behind the byte order mark.
    pub fn text(&self) -> Result<&'a str, EditError> {
        std::str::from_utf8(&self.bytes[self.start..])
            .map_err(|error| self.unparsable(self.start + error.valid_up_to()))
    }

    /// Counts the line and the column of a byte.
    pub fn place(&self, at: usize) -> LineColumn {
        let before = &self.bytes[self.start..at.max(self.start)];
        let lines: Vec<&[u8]> = before.split(|byte| *byte == b'\n').collect();
        let last = String::from_utf8_lossy(lines.last().unwrap_or(&before));
        LineColumn { line: lines.len(), column: last.chars().count() + 1 }
    }

    /// The error for a file that makes no sense from `at` on.
    pub fn unparsable(&self, at: usize) -> EditError {
        EditError::Unparsable { format: self.format, at: self.place(at) }
    }

    /// The error for a value at `at` that is not text, but `found`.
    pub fn not_text(&self, key: Option<&str>, at: usize, found: &'static str) -> EditError {
        let key = key.unwrap_or_default().to_owned();
        EditError::NotText { key, at: self.place(at), found }
    }

    /// The only one of the places found, or why there is none.
    pub fn only<T>(&self, key: &str, found: Vec<(usize, T)>) -> Result<T, EditError> {
        if found.len() > 1 {
            let lines = found.iter().map(|(at, _)| self.place(*at).line).collect();
            return Err(EditError::Ambiguous { key: key.to_owned(), lines });
        }
        match found.into_iter().next() {
            Some((_, only)) => Ok(only),
            None => Err(EditError::missing(key)),
        }
    }

    /// Every line with the place of its first byte, without its line end.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &'a [u8])> + use<'a> {
        let mut at = self.start;
        self.bytes[self.start..].split_inclusive(|byte| *byte == b'\n').map(move |line| {
            let start = at;
            at += line.len();
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            (start, line.strip_suffix(b"\r").unwrap_or(line))
        })
    }

    /// Whether the line of a byte is a part of the line above, for those who read on behind a `\`.
    pub fn continues_the_line_above(&self, at: usize) -> bool {
        let start = self.line_start(at);
        let Some((_, above)) = self.lines().take_while(|(line, _)| *line < start).last() else {
            return false;
        };
        let is_comment = matches!(above.trim_ascii_start().first(), Some(b'#' | b';'));
        let marks = above.iter().rev().take_while(|byte| **byte == b'\\').count();
        marks % 2 == 1 && !is_comment
    }

    /// Whether the file holds nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.bytes[self.start..].trim_ascii().is_empty()
    }

    /// The line end of the file, `\n` if it has none yet.
    pub fn line_end(&self) -> &'static str {
        let first = self.bytes.iter().position(|byte| *byte == b'\n');
        match first.and_then(|at| at.checked_sub(1)).map(|at| self.bytes[at]) {
            Some(b'\r') => "\r\n",
            _ => "\n",
        }
    }

    /// The blanks with which the line around `at` begins.
    pub fn indentation(&self, at: usize) -> &str {
        let line = &self.bytes[self.line_start(at)..];
        let length = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        std::str::from_utf8(&line[..length]).unwrap_or_default()
    }

    /// Finds where the line of a byte begins.
    pub fn line_start(&self, at: usize) -> usize {
        let before = &self.bytes[self.start..at];
        self.start + before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
    }

    /// Where the comment begins that stands right above the line at `at`, or that line.
    pub fn heading(&self, at: usize) -> usize {
        let mut top = at;
        while top > self.start {
            let above = self.line_start(top - 1);
            if !self.bytes[above..top].trim_ascii_start().starts_with(b"#")
                && !self.bytes[above..top].trim_ascii_start().starts_with(b";")
            {
                break;
            }
            top = above;
        }
        top
    }

    /// The error for a key that cannot be added, for `why`.
    pub fn no_place(&self, key: &str, at: Option<usize>, why: &'static str) -> EditError {
        EditError::NoPlace { key: key.to_owned(), at: at.map(|at| self.place(at)), why }
    }
}

/// What the bytes are, if they are not text in UTF-8 or in another encoding that keeps ASCII.
fn encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Some("UTF-32"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("UTF-16"),
        // Without a mark, by how its first two characters look if they are ASCII.
        [a, 0, b, 0, ..] | [0, a, 0, b, ..] if *a > 0 && *b > 0 => Some("UTF-16"),
        _ if bytes.contains(&0) => Some("binary"),
        _ => None,
    }
}

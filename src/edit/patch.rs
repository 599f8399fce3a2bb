//! Holds one change to the bytes of a file: what is cut out, and what comes in its place.

use std::ops::Range;

use zeroize::Zeroizing;

use super::file::{BOM, File};

/// A stretch of bytes and the text that replaces it.
pub struct Patch {
    span: Range<usize>,
    text: Zeroizing<String>,
    change: Change,
}

/// What a patch does to the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// One value becomes another.
    Value,
    /// A key is added, perhaps with parents.
    Key,
}

impl Patch {
    /// Another value in the place of the one at `span`.
    pub fn value(span: Range<usize>, text: Zeroizing<String>) -> Self {
        Self { span, text, change: Change::Value }
    }

    /// A key in the place of the bytes at `span`, which hold none.
    pub fn key(span: Range<usize>, text: Zeroizing<String>) -> Self {
        Self { span, text, change: Change::Key }
    }

    /// Lines of their own after the line around `at`.
    ///
    /// Where that is the last one and has no line end, the new last one has none either.
    pub fn line_after(file: &File<'_>, at: usize, lines: &[&str]) -> Self {
        let end = file.line_end();
        let Some(ahead) = file.bytes[at..].iter().position(|byte| *byte == b'\n') else {
            let at = file.bytes.len();
            return Self::key(at..at, joined(&[end, &lines_joined(lines, end)]));
        };
        let at = at + ahead + 1;
        Self::key(at..at, joined(&[&lines_joined(lines, end), end]))
    }

    /// Lines of their own at the end of the file, which keeps its final line end or its lack.
    pub fn line_at_end(file: &File<'_>, lines: &[&str]) -> Self {
        let (at, end) = (file.bytes.len(), file.line_end());
        let lines = lines_joined(lines, end);
        let text = if file.bytes.is_empty() || file.bytes == BOM || file.bytes.ends_with(b"\n") {
            joined(&[&lines, end])
        } else {
            joined(&[end, &lines])
        };
        Self::key(at..at, text)
    }

    /// Lines at the end of the file with a blank line above them.
    pub fn paragraph_at_end(file: &File<'_>, lines: &[&str]) -> Self {
        let last = file.lines().last().map(|(_, line)| line.trim_ascii().is_empty());
        let blank: &[&str] = if last == Some(false) { &[""] } else { &[] };
        Self::line_at_end(file, &[blank, lines].concat())
    }

    /// Lines of their own before the line that begins at `at`, with a blank line after them.
    pub fn line_before(file: &File<'_>, at: usize, lines: &[&str]) -> Self {
        let end = file.line_end();
        Self::key(at..at, joined(&[&lines_joined(lines, end), end, end]))
    }

    /// What it does to the document.
    pub fn change(&self) -> Change {
        self.change
    }

    /// The file with the change made.
    pub fn apply(&self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        // Room for everything: a buffer that grows leaves copies of the secret behind.
        let room = bytes.len() - self.span.len() + self.text.len();
        let mut changed = Zeroizing::new(Vec::with_capacity(room));
        changed.extend_from_slice(&bytes[..self.span.start]);
        changed.extend_from_slice(self.text.as_bytes());
        changed.extend_from_slice(&bytes[self.span.end..]);
        changed
    }
}

/// The parts in one string that was never smaller.
pub fn joined(parts: &[&str]) -> Zeroizing<String> {
    let mut whole = Zeroizing::new(String::with_capacity(parts.iter().map(|p| p.len()).sum()));
    for part in parts {
        whole.push_str(part);
    }
    whole
}

/// The lines with the file's line end between them, none after the last.
fn lines_joined(lines: &[&str], end: &str) -> Zeroizing<String> {
    let parts: Vec<&str> = lines.iter().flat_map(|line| [end, line]).skip(1).collect();
    joined(&parts)
}

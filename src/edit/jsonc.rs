//! Blanks out what JSON does not know and many of its readers allow: comments, and a comma before a
//! closing bracket.
//!
//! Every other byte keeps its place, so what a strict parser and a scanner find in the result stands
//! at the same place in the file.

use std::ops::Range;

use zeroize::Zeroizing;

/// A document with comments and trailing commas blanked out.
#[derive(Default)]
pub struct Strict {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    comments: Vec<Range<usize>>,
    trailing_commas: Vec<usize>,
}

impl Strict {
    /// Finds the comments and trailing commas of a text.
    pub fn of(bytes: &[u8]) -> Self {
        let mut strict = Self { bytes: bytes.to_vec().into(), ..Self::default() };
        // The last two bytes that mean something, with the place of the last.
        let (mut before, mut last) = (None, None);
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let end = match byte {
                b'"' => string_end(bytes, at),
                b'/' => match comment_end(bytes, at) {
                    Some(end) => {
                        strict.blank(at..end);
                        strict.comments.push(at..end);
                        at = end;
                        continue;
                    }
                    None => at + 1,
                },
                b'}' | b']' => {
                    if let (Some(value), Some((comma, b','))) = (before, last)
                        && !b",:[{".contains(&value)
                    {
                        strict.blank(comma..comma + 1);
                        strict.trailing_commas.push(comma);
                    }
                    at + 1
                }
                _ => at + 1,
            };
            if !byte.is_ascii_whitespace() {
                before = last.map(|(_, byte)| byte);
                last = Some((at, *byte));
            }
            at = end;
        }
        strict
    }

    fn blank(&mut self, span: Range<usize>) {
        for byte in &mut self.bytes[span] {
            if !matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
    }

    /// The comma that stands behind the last value before `close` and before no other.
    pub fn trailing_comma(&self, within: Range<usize>) -> Option<usize> {
        self.trailing_commas.iter().copied().find(|at| within.contains(at))
    }

    /// Where the comments end that stand behind `at` on the same line, and a comma among them; `at`
    /// if there are none.
    pub fn line_after(&self, at: usize) -> usize {
        let (mut end, mut next) = (at, at);
        loop {
            if let Some(comment) = self.comments.iter().find(|comment| comment.start == next) {
                (end, next) = (comment.end, comment.end);
            } else if self.trailing_commas.contains(&next) {
                (end, next) = (next + 1, next + 1);
            } else if matches!(self.bytes.get(next), Some(b' ' | b'\t')) {
                next += 1;
            } else {
                return end;
            }
        }
    }

    /// The text of every comment, in order.
    pub fn comments<'a>(&self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        self.comments.iter().map(|span| &bytes[span.clone()]).collect()
    }
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut escaped = false;
    for (ahead, byte) in bytes[at + 1..].iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + ahead + 2,
            _ => {}
        }
    }
    bytes.len()
}

/// The end of the comment at `at`; none if none begins there, or if it does not end.
fn comment_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        let length = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        return Some(at + length.unwrap_or(rest.len()));
    }
    let inside = rest.strip_prefix(b"/*")?;
    inside.windows(2).position(|pair| pair == b"*/").map(|length| at + length + 4)
}

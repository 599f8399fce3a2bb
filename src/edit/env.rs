//! Files of `NAME=value` lines, as shells, systemd, Docker and dotenv readers take them.
//!
//! They disagree on much; this takes what means the same to all of them and refuses what does
//! not, such as a `$` that some expand and others keep.

use std::ops::Range;

use zeroize::Zeroizing;

use super::{Content, EditError, File, Site};

/// Finds the value of the variable `key`.
pub(super) fn find(file: &File<'_>, key: &str) -> Result<Site, EditError> {
    let found = entries(file).into_iter().filter(|entry| entry.name == key.as_bytes());
    let entry = file.only(key, found.map(|entry| (entry.line, entry)).collect())?;
    match entry.value {
        Written::Unclosed => Err(file.unparsable(entry.at)),
        Written::Bare(span) => text(file, span.clone(), span, Quote::None),
        Written::Quoted { span, quote } => {
            text(file, span.clone(), span.start + 1..span.end - 1, quote)
        }
    }
}

/// One assignment as it stands in the file.
pub(super) struct Entry<'a> {
    /// Where its line begins.
    pub(super) line: usize,
    pub(super) name: &'a [u8],
    pub(super) exported: Exported,
    /// Where what is behind the `=` begins.
    pub(super) at: usize,
    pub(super) value: Written,
}

impl Entry<'_> {
    /// Where the value ends; what is not closed has no end that can be told.
    pub(super) fn end(&self) -> usize {
        match &self.value {
            Written::Bare(span) | Written::Quoted { span, .. } => span.end,
            Written::Unclosed => self.at,
        }
    }
}

/// Whether a shell that reads the line hands the variable on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Exported {
    Yes,
    No,
}

/// Every assignment, in the order of the lines.
pub(super) fn entries<'a>(file: &File<'a>) -> Vec<Entry<'a>> {
    let mut entries = Vec::new();
    // A quoted value may run over lines; what stands inside is no assignment.
    let mut inside_until = 0;
    for (start, line) in file.lines().filter(|(_, line)| !is_comment(line)) {
        let Some(equals) = line.iter().position(|byte| *byte == b'=') else { continue };
        if start < inside_until {
            continue;
        }
        let at = start + equals + 1;
        let value = Written::read(file.bytes, at, start + line.len());
        if let Written::Quoted { span, .. } = &value {
            inside_until = span.end;
        }
        let (name, exported) = name(&line[..equals]);
        entries.push(Entry { line: start, name, exported, at, value });
    }
    entries
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    None,
    Single,
    Double,
}

/// A value as it stands in the file.
pub(super) enum Written {
    Bare(Range<usize>),
    Quoted { span: Range<usize>, quote: Quote },
    Unclosed,
}

impl Written {
    fn read(bytes: &[u8], from: usize, line_end: usize) -> Self {
        let line = &bytes[from..line_end];
        let start = from + (line.len() - line.trim_ascii_start().len());
        match bytes[start..line_end].first() {
            Some(b'\'') => Self::quoted(bytes, start, Quote::Single),
            Some(b'"') => Self::quoted(bytes, start, Quote::Double),
            _ => Self::Bare(bare(bytes, start, line_end)),
        }
    }

    fn quoted(bytes: &[u8], start: usize, quote: Quote) -> Self {
        let mark = bytes[start];
        let mut escaped = false;
        for (ahead, byte) in bytes[start + 1..].iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quote == Quote::Double => escaped = true,
                byte if *byte == mark => {
                    let end = start + ahead + 2;
                    return if is_clean(bytes, end) {
                        Self::Quoted { span: start..end, quote }
                    } else {
                        Self::Unclosed
                    };
                }
                _ => {}
            }
        }
        Self::Unclosed
    }
}

/// Whether only a comment follows on the line.
fn is_clean(bytes: &[u8], from: usize) -> bool {
    let rest = bytes[from..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let rest = rest.trim_ascii_start();
    rest.is_empty() || rest[0] == b'#'
}

fn bare(bytes: &[u8], start: usize, line_end: usize) -> Range<usize> {
    let line = &bytes[start..line_end];
    let mut blank = true;
    let mut end = line.len();
    for (at, byte) in line.iter().enumerate() {
        if blank && *byte == b'#' {
            end = at;
            break;
        }
        blank = byte.is_ascii_whitespace();
    }
    start..start + line[..end].trim_ascii_end().len()
}

pub(super) fn is_comment(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"#")
}

fn name(left: &[u8]) -> (&[u8], Exported) {
    let left = left.trim_ascii();
    match left.strip_prefix(b"export") {
        Some(rest) if rest.first().is_some_and(u8::is_ascii_whitespace) => {
            (rest.trim_ascii_start(), Exported::Yes)
        }
        _ => (left, Exported::No),
    }
}

fn text(
    file: &File<'_>,
    span: Range<usize>,
    inside: Range<usize>,
    quote: Quote,
) -> Result<Site, EditError> {
    let written =
        std::str::from_utf8(&file.bytes[inside]).map_err(|_| file.unparsable(span.start))?;
    if quote == Quote::Single {
        return Ok(Site { span, content: Content::text(written) });
    }
    let mut value = Zeroizing::new(String::with_capacity(written.len()));
    let mut chars = written.chars();
    while let Some(c) = chars.next() {
        match c {
            '$' => {
                let content = Content::Scalar("a `$` that a reader may expand");
                return Ok(Site { span, content });
            }
            '\\' if quote == Quote::Double => match chars.next() {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some(escaped) if "\\\"$`'".contains(escaped) => value.push(escaped),
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            },
            _ => value.push(c),
        }
    }
    Ok(Site { span, content: Content::Text(value) })
}

#[cfg(test)]
mod tests {
    use crate::edit::Format::Env;
    use crate::edit::tests::found;

    #[test]
    fn a_name_leads_to_one_value() {
        let text = "# TOKEN=no\r\nTOKEN=EAAfake#1 # old\r\nexport QUOTED=\"a # \\\"b\\\"\\n\" # c\r\n  SINGLE = 'a\\n$b'\r\nEMPTY=\r\nPEM=\"one\r\nINNER=two\r\n\"\r\nexportX=1\r\nDUP=1\r\nDUP=2\r\nVAR=${HOME}/x\r\nESC=\"\\$x\"\r\nLAST=z";
        for (key, expected) in [
            ("TOKEN", "EAAfake#1 <EAAfake#1> 2"),
            ("QUOTED", "a # \"b\"\n <\"a # \\\"b\\\"\\n\"> 3"),
            ("SINGLE", "a\\n$b <'a\\n$b'> 4"),
            ("EMPTY", " <> 5"),
            ("PEM", "one\r\nINNER=two\r\n <\"one\r\nINNER=two\r\n\"> 6"),
            ("INNER", "it has no key `INNER`"),
            ("exportX", "1 <1> 9"),
            ("X", "it has no key `X`"),
            ("DUP", "the key `DUP` is there more than once: lines 10 and 11"),
            ("VAR", "the key `VAR` holds a `$` that a reader may expand, not text: line 12"),
            ("ESC", "$x <\"\\$x\"> 13"),
            ("LAST", "z <z> 14"),
        ] {
            assert_eq!(found(Env, text, key), expected);
        }
    }

    #[test]
    fn what_makes_no_sense_is_named_by_its_line() {
        for (text, expected) in [
            ("\u{feff}A=x", "x <x> 1"),
            ("B='open\nA=x\n", "x <x> 2"),
            ("\nA=\"open", "it cannot be read as env: line 2"),
            ("A=\"x\"y", "it cannot be read as env: line 1"),
            ("A=it's", "it's <it's> 1"),
        ] {
            assert_eq!(found(Env, text, "A"), expected, "{text}");
        }
    }
}

//! Finds and replaces values in JSON: `serde_json` proves the document, a scanner finds the bytes.
//!
//! A parser gives values without places. Behind its proof the scanner may be simple: it only steps
//! over what is known to be whole. JSON is taken strictly; a comment is an error that names its
//! line. A new member is written like its neighbours.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::patch::{Patch, joined};
use super::quoted::double;
use super::site::{Content, Site};
use super::{EditError, File};

/// Finds what is at a dotted path or a JSON pointer; a number picks from an array.
pub(super) fn find(
    file: &File<'_>,
    collections: &Collections,
    key: &str,
) -> Result<Site, EditError> {
    let scanner = Scanner { bytes: file.bytes };
    let mut at = scanner.blank(file.start);
    for part in path(key, file)? {
        at = match file.bytes.get(at) {
            Some(b'{' | b'[') => file.only(key, collections.children(&scanner, at, &part))?,
            _ => return Err(EditError::Missing { key: key.to_owned() }),
        };
    }
    let span = at..scanner.skip(at);
    let content = match file.bytes.get(at) {
        Some(b'"') => {
            Content::text(scanner.string(span.clone()).ok_or_else(|| file.unparsable(at))?)
        }
        Some(b'{') => Content::Other("an object"),
        Some(b'[') => Content::Other("a list"),
        Some(b't' | b'f') => Content::Scalar("true or false"),
        Some(b'n') => Content::Scalar("null"),
        _ => Content::Scalar("a number"),
    };
    Ok(Site { span, content })
}

/// What stands in the objects and arrays that a way has led through, by name and by number.
#[derive(Default)]
pub(super) struct Collections(Mutex<HashMap<usize, Children>>);

/// Where the children of one object or array stand: each name or value, and its value.
type Children = HashMap<String, Vec<(usize, usize)>>;

impl Collections {
    /// Checks that the file is JSON.
    pub(super) fn of(file: &File<'_>) -> Result<Self, EditError> {
        let text = file.text()?;
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| unparsable(file, &error))?;
        Ok(Self::default())
    }

    fn children(&self, scanner: &Scanner<'_>, at: usize, part: &str) -> Vec<(usize, usize)> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let children = known.entry(at).or_insert_with(|| scanner.children(at));
        children.get(part).cloned().unwrap_or_default()
    }
}

/// What the parser says, at its place; a comment is the mistake that people make on purpose.
pub(super) fn unparsable(file: &File<'_>, error: &serde_json::Error) -> EditError {
    let text = &file.bytes[file.start..];
    let lines = text.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    let line = file.start + lines.map(<[u8]>::len).sum::<usize>();
    let at = (line + error.column().saturating_sub(1)).min(file.bytes.len());
    if file.bytes[at..].starts_with(b"//") || file.bytes[at..].starts_with(b"/*") {
        return EditError::Commented { format: file.format, at: file.place(at) };
    }
    file.unparsable(at)
}

pub(super) fn path(key: &str, file: &File<'_>) -> Result<Vec<String>, EditError> {
    let parts: Vec<String> = match key.strip_prefix('/') {
        Some(pointer) => {
            pointer.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
        }
        None => key.split('.').map(str::to_owned).collect(),
    };
    let empty = !key.starts_with('/') && parts.iter().any(String::is_empty);
    if empty {
        return Err(EditError::BadKey { key: key.to_owned(), format: file.format });
    }
    Ok(parts)
}

/// Steps through a document that is known to be JSON.
struct Scanner<'a> {
    pub(super) bytes: &'a [u8],
}

impl Scanner<'_> {
    /// What stands in the object or array at `at`.
    fn children(&self, at: usize) -> Children {
        if self.bytes.get(at) == Some(&b'[') { self.elements(at) } else { self.members(at) }
    }

    fn members(&self, at: usize) -> Children {
        let mut members = Children::new();
        let mut at = self.blank(at + 1);
        while self.bytes.get(at) == Some(&b'"') {
            let end = self.skip(at);
            let value = self.blank(self.blank(end) + 1);
            if let Some(name) = self.string(at..end) {
                members.entry(name).or_default().push((at, value));
            }
            at = self.next(value);
        }
        members
    }

    fn elements(&self, at: usize) -> Children {
        let mut elements = Children::new();
        let mut at = self.blank(at + 1);
        while !matches!(self.bytes.get(at), None | Some(b']')) {
            elements.insert(elements.len().to_string(), vec![(at, at)]);
            at = self.next(at);
        }
        elements
    }

    /// Where the sibling behind the value at `at` begins, or the closing bracket.
    pub(super) fn next(&self, at: usize) -> usize {
        let end = self.blank(self.skip(at));
        if self.bytes.get(end) == Some(&b',') { self.blank(end + 1) } else { end }
    }

    pub(super) fn blank(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    /// The end of the value that begins at `at`.
    pub(super) fn skip(&self, at: usize) -> usize {
        let mut depth = 0_usize;
        let mut at = at;
        loop {
            match self.bytes.get(at) {
                None => return at,
                Some(b'"') => at = self.string_end(at),
                Some(b'{' | b'[') => {
                    depth += 1;
                    at += 1;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    at += 1;
                }
                Some(b'}' | b']' | b',') if depth == 0 => return at,
                Some(b',' | b':') => at += 1,
                Some(byte) if byte.is_ascii_whitespace() => at += 1,
                Some(_) => at = self.word_end(at),
            }
            if depth == 0 {
                return at;
            }
        }
    }

    fn string_end(&self, at: usize) -> usize {
        let mut escaped = false;
        for (ahead, byte) in self.bytes[at + 1..].iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => return at + ahead + 2,
                _ => {}
            }
        }
        self.bytes.len()
    }

    fn word_end(&self, at: usize) -> usize {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b",:]}[{\"".contains(byte);
        let length = self.bytes[at..].iter().position(ends).unwrap_or(self.bytes.len() - at);
        at + length.max(1)
    }

    fn string(&self, span: Range<usize>) -> Option<String> {
        serde_json::from_slice(self.bytes.get(span)?).ok()
    }
}

/// A new last member of the deepest object that is there, with the objects below it that are not.
pub(super) fn create(file: &File<'_>, key: &str, value: &str) -> Result<Patch, EditError> {
    let parts = path(key, file)?;
    let scanner = Scanner { bytes: file.bytes };
    let mut at = scanner.blank(file.start);
    let mut missing = &parts[..];
    while let Some((part, below)) = missing.split_first() {
        let found = match file.bytes.get(at) {
            Some(b'{' | b'[') => scanner.children(at).remove(part).unwrap_or_default(),
            None => break,
            Some(_) => {
                return Err(file.no_place(key, Some(at), "what should hold it is no object"));
            }
        };
        if found.is_empty() {
            break;
        }
        (at, missing) = (file.only(key, found)?, below);
    }
    if file.bytes.get(at) == Some(&b'[') {
        return Err(file.no_place(key, Some(at), "a list has no such element"));
    }
    if missing.iter().skip(1).any(|part| part.parse::<usize>().is_ok()) {
        let why = "a number in it would need a list that is not there";
        return Err(file.no_place(key, None, why));
    }
    Ok(New { file, parts: missing, value }.inside(&scanner, at))
}

/// The members that are to come in, one inside the other.
struct New<'a> {
    file: &'a File<'a>,
    parts: &'a [String],
    value: &'a str,
}

impl New<'_> {
    fn inside(&self, scanner: &Scanner<'_>, object: usize) -> Patch {
        let bytes = self.file.bytes;
        let end = self.file.line_end();
        if object == bytes.len() {
            let text = self.document(end);
            let behind = if bytes.ends_with(b"\n") { "" } else { end };
            return Patch::key(self.file.start..self.file.start, joined(&[&text, behind]));
        }
        let close = scanner.skip(object) - 1;
        let inside = scanner.blank(object + 1);
        if inside == close {
            return self.first(scanner, object, close);
        }
        self.behind_last(scanner, inside)
    }

    /// Another member behind the last, with the blanks that this has; `first` is the first one.
    fn behind_last(&self, scanner: &Scanner<'_>, first: usize) -> Patch {
        let bytes = self.file.bytes;
        let (last, value) = last_member(scanner, first);
        let before = bytes[..last].trim_ascii_end().len();
        let gap = String::from_utf8_lossy(&bytes[before..last]);
        // Of blank lines above the last member none comes along.
        let gap = gap.rfind('\n').map_or(&*gap, |at| {
            let at = if gap[..at].ends_with('\r') { at - 1 } else { at };
            &gap[at..]
        });
        let name_end = scanner.skip(last);
        let colon = String::from_utf8_lossy(&bytes[name_end..value]);
        let colon = if colon.contains('\n') { ": " } else { &*colon };
        // An only member shows what is behind `{`; what comes behind `,` its `:` shows.
        let only_one = last == first && gap.is_empty() && colon.ends_with(' ');
        let gap = if only_one { " " } else { gap };
        let end_of_last = scanner.skip(value);
        let (outer, step) =
            if gap.contains('\n') { (gap, self.step()) } else { ("", String::new()) };
        let member = self.member(outer, &step, colon);
        Patch::key(end_of_last..end_of_last, joined(&[",", gap, &member]))
    }

    /// The first member of an object that has none yet.
    fn first(&self, scanner: &Scanner<'_>, object: usize, close: usize) -> Patch {
        let bytes = self.file.bytes;
        let root = scanner.blank(self.file.start);
        let over_lines = bytes[root..scanner.skip(root)].contains(&b'\n');
        let span = object + 1..close;
        if !over_lines {
            return Patch::key(span, self.member("", "", ": "));
        }
        let outer = joined(&[self.file.line_end(), self.file.indentation(object)]);
        let inner = joined(&[&outer, &self.step()]);
        let member = self.member(&inner, &self.step(), ": ");
        Patch::key(span, joined(&[&inner, &member, &outer]))
    }

    fn document(&self, end: &str) -> Zeroizing<String> {
        let inner = joined(&[end, &self.step()]);
        joined(&["{", &inner, &self.member(&inner, &self.step(), ": "), end, "}"])
    }

    /// The member; `gap` is the line end and indentation before it, if it has a line of its own.
    fn member(&self, gap: &str, step: &str, colon: &str) -> Zeroizing<String> {
        let mut text = double(self.value);
        for (depth, part) in self.parts.iter().enumerate().rev() {
            let named = joined(&[&double(part), colon, &text]);
            let Some(above) = depth.checked_sub(1) else { return named };
            let outer = joined(&[gap, &step.repeat(above)]);
            text = joined(&["{", &outer, step, &named, &outer, "}"]);
        }
        text
    }

    /// One step of indentation, as the first member of the root shows it.
    fn step(&self) -> String {
        let text = &self.file.bytes[self.file.start..];
        let open = text.iter().position(|byte| *byte == b'{').map_or(0, |at| at + 1);
        let blank = text[open..].len() - text[open..].trim_ascii_start().len();
        let first = &text[open..open + blank];
        match first.iter().rposition(|byte| *byte == b'\n') {
            Some(at) if at + 1 < first.len() && text.get(open + blank) != Some(&b'}') => {
                String::from_utf8_lossy(&first[at + 1..]).into_owned()
            }
            _ => "  ".to_owned(),
        }
    }
}

/// Where the last member's name and its value begin.
fn last_member(scanner: &Scanner<'_>, first: usize) -> (usize, usize) {
    let mut name = first;
    loop {
        let value = scanner.blank(scanner.blank(scanner.skip(name)) + 1);
        let next = scanner.next(value);
        if scanner.bytes.get(next) != Some(&b'"') {
            return (name, value);
        }
        name = next;
    }
}

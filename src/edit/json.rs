//! Finds and replaces values in JSON: `serde_json` proves the document, a scanner finds the bytes.
//!
//! A parser gives values without places. Behind its proof the scanner may be simple: it only steps
//! over what is known to be whole. Both read the document with its comments and trailing commas
//! blanked out, which `jsonc` does. A new member is written like its neighbours.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use serde::de::{DeserializeOwned, IgnoredAny};
use zeroize::Zeroizing;

use super::coding::Coding;
use super::jsonc::Strict;
use super::patch::{Patch, joined};
use super::quoted::double;
use super::site::{Content, Site};
use super::{EditError, File, flat};

/// Finds what is at a dotted path or a JSON pointer; a number picks from an array.
pub fn find(file: &File<'_>, collections: &Collections, key: &str) -> Result<Site, EditError> {
    let scanner = collections.scanner();
    let parts = path(key, file)?;
    let root = scanner.blank(file.start);
    let mut at = root;
    for part in &parts {
        at = match scanner.bytes.get(at) {
            Some(b'{' | b'[') => {
                let found = collections.children(&scanner, at, part);
                if found.is_empty() {
                    return Err(collections.missing(root, key, &parts));
                }
                file.only(key, found)?
            }
            _ => return Err(collections.missing(root, key, &parts)),
        };
    }
    let span = at..scanner.skip(at);
    let content = match scanner.bytes.get(at) {
        Some(b'"') => {
            Content::text(scanner.string(span.clone()).ok_or_else(|| file.unparsable(at))?)
        }
        Some(b'{') => Content::Other("an object"),
        Some(b'[') => Content::Other("a list"),
        Some(b't' | b'f') => Content::Scalar("true or false"),
        Some(b'n') => Content::Nothing("null"),
        _ => Content::Scalar("a number"),
    };
    Ok(Site::coded(span, content, collections.coding(root, &parts)))
}

/// What stands in the objects and arrays that a way has led through, by name and by number.
pub struct Collections {
    strict: Strict,
    known: Mutex<HashMap<usize, Children>>,
}

/// Where the children of one object or array stand: each name or value, and its value.
type Children = HashMap<String, Vec<(usize, usize)>>;

impl Collections {
    /// Checks that the file is JSON.
    pub fn of(file: &File<'_>) -> Result<Self, EditError> {
        let strict = parsed::<IgnoredAny>(file)?.0;
        Ok(Self { strict, known: Mutex::default() })
    }

    fn scanner(&self) -> Scanner<'_> {
        Scanner { bytes: &self.strict.bytes }
    }

    fn children(&self, scanner: &Scanner<'_>, at: usize, part: &str) -> Vec<(usize, usize)> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let children = known.entry(at).or_insert_with(|| scanner.children(at));
        children.get(part).cloned().unwrap_or_default()
    }

    /// Goes from the value at `at` to the one that it holds under that name.
    fn step(&self, at: usize, part: &str) -> Option<usize> {
        let scanner = self.scanner();
        let found = match scanner.bytes.get(at) {
            Some(b'{' | b'[') => self.children(&scanner, at, part),
            _ => return None,
        };
        found.first().map(|(_, value)| *value)
    }

    /// The error of a key that is not there; it names a name with dots that may be meant.
    fn missing(&self, root: usize, key: &str, parts: &[String]) -> EditError {
        let is_path = !key.starts_with('/');
        let way = flat::way(root, parts, &|at, part| self.step(at, part));
        let instead = way.filter(|_| is_path).map(|names| pointer(&names));
        EditError::Missing { key: key.to_owned(), instead }
    }

    fn coding(&self, root: usize, parts: &[String]) -> Coding {
        Coding::of(parts, |way| {
            let at = way.iter().try_fold(root, |at, part| self.step(at, part))?;
            let scanner = self.scanner();
            scanner.string(at..scanner.skip(at))
        })
    }
}

/// The strict form of the file, and what the parser makes of it.
pub fn parsed<T: DeserializeOwned>(file: &File<'_>) -> Result<(Strict, T), EditError> {
    file.text()?;
    let strict = Strict::of(file.bytes);
    match serde_json::from_slice(&strict.bytes[file.start..]) {
        Ok(value) => Ok((strict, value)),
        Err(error) => Err(unparsable(file, &error)),
    }
}

/// The names as a JSON pointer.
fn pointer(names: &[String]) -> String {
    let escaped = |name: &String| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    names.iter().map(escaped).collect()
}

/// What the parser says, at its place.
fn unparsable(file: &File<'_>, error: &serde_json::Error) -> EditError {
    let text = &file.bytes[file.start..];
    let lines = text.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    let line = file.start + lines.map(<[u8]>::len).sum::<usize>();
    let at = (line + error.column().saturating_sub(1)).min(file.bytes.len());
    file.unparsable(at)
}

/// Splits a key into the names that lead to its value: a JSON pointer, or a dotted path.
pub fn path(key: &str, file: &File<'_>) -> Result<Vec<String>, EditError> {
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
    pub bytes: &'a [u8],
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
    pub fn next(&self, at: usize) -> usize {
        let end = self.blank(self.skip(at));
        if self.bytes.get(end) == Some(&b',') { self.blank(end + 1) } else { end }
    }

    /// Finds the first byte from `at` on that is not white space.
    pub fn blank(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    /// The end of the value that begins at `at`.
    pub fn skip(&self, at: usize) -> usize {
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
pub fn create(file: &File<'_>, key: &str, value: &str) -> Result<Patch, EditError> {
    let parts = path(key, file)?;
    let strict = Strict::of(file.bytes);
    let scanner = Scanner { bytes: &strict.bytes };
    let mut at = scanner.blank(file.start);
    let mut missing = &parts[..];
    while let Some((part, below)) = missing.split_first() {
        let found = match scanner.bytes.get(at) {
            Some(b'{' | b'[') => scanner.children(at).remove(part).unwrap_or_default(),
            None => break,
            Some(_) => {
                return Err(file.no_place(key, Some(at), "what should hold it is not an object"));
            }
        };
        if found.is_empty() {
            break;
        }
        (at, missing) = (file.only(key, found)?, below);
    }
    if scanner.bytes.get(at) == Some(&b'[') {
        return Err(file.no_place(key, Some(at), "a list has no such element"));
    }
    if missing.iter().skip(1).any(|part| part.parse::<usize>().is_ok()) {
        let why = "a number in it would need a list that is not there";
        return Err(file.no_place(key, None, why));
    }
    let coding = if file.is_blank() {
        Coding::Plain
    } else {
        Collections::of(file)?.coding(scanner.blank(file.start), &parts)
    };
    let value = &coding.encoded(value);
    Ok(New { file, strict: &strict, parts: missing, value }.inside(&scanner, at))
}

/// The members that are to come in, one inside the other.
struct New<'a> {
    file: &'a File<'a>,
    strict: &'a Strict,
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
        self.behind_last(scanner, inside, close)
    }

    /// Another member behind the last, with the blanks that this has; `first` is the first one.
    ///
    /// What is said of the last member on its line stays with it, and so does a comma behind it.
    fn behind_last(&self, scanner: &Scanner<'_>, first: usize, close: usize) -> Patch {
        let (written, bytes) = (self.file.bytes, scanner.bytes);
        let (last, value) = last_member(scanner, first);
        let gap = self.gap(scanner, last);
        let name_end = scanner.skip(last);
        let colon = String::from_utf8_lossy(&bytes[name_end..value]);
        let is_plain = bytes[name_end..value] == written[name_end..value];
        let colon = if colon.contains('\n') || !is_plain { ": " } else { &*colon };
        // An only member shows what is behind `{`; what comes behind `,` its `:` shows.
        let only_one = last == first && gap.is_empty() && colon.ends_with(' ');
        let gap = if only_one { " " } else { &*gap };
        let end = scanner.skip(value);
        let (outer, step) =
            if gap.contains('\n') { (gap, self.step()) } else { ("", String::new()) };
        let member = self.member(outer, &step, colon);
        let behind = self.strict.line_after(end);
        if let Some(comma) = self.strict.trailing_comma(end..close) {
            let at = if gap.contains('\n') { behind.max(comma + 1) } else { comma + 1 };
            return Patch::key(at..at, joined(&[gap, &member, ","]));
        }
        if gap.contains('\n') {
            let said = String::from_utf8_lossy(&written[end..behind]);
            return Patch::key(end..behind, joined(&[",", &said, gap, &member]));
        }
        Patch::key(end..end, joined(&[",", gap, &member]))
    }

    /// The blanks before the member at `at`, from the last line end on.
    fn gap(&self, scanner: &Scanner<'_>, at: usize) -> String {
        let bytes = scanner.bytes;
        let before = bytes[..at].trim_ascii_end().len();
        let gap = &bytes[before..at];
        // Of blank lines above the last member none comes along.
        let start = gap.iter().rposition(|byte| *byte == b'\n').map_or(0, |line_end| {
            if gap[..line_end].ends_with(b"\r") { line_end - 1 } else { line_end }
        });
        let written = &self.file.bytes[before + start..at];
        let blank = written.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        String::from_utf8_lossy(&written[..blank]).into_owned()
    }

    /// The first member of an object that has none yet; a comment in it stays above.
    fn first(&self, scanner: &Scanner<'_>, object: usize, close: usize) -> Patch {
        let root = scanner.blank(self.file.start);
        let over_lines = scanner.bytes[root..scanner.skip(root)].contains(&b'\n');
        let said = self.file.bytes[object + 1..close].trim_ascii_end().len();
        let span = object + 1 + said..close;
        if !over_lines {
            let blank = if said > 0 { " " } else { "" };
            return Patch::key(span, joined(&[blank, &self.member("", "", ": "), blank]));
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
        let text = &self.strict.bytes[self.file.start..];
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

//! Writes into JSON: a string has one spelling, and a new member looks like its sisters.

use zeroize::Zeroizing;

use super::patch::{Patch, joined};
use super::quoted::double;
use crate::edit::json::{Scanner, path};
use crate::edit::{EditError, File};

/// A new last member of the deepest object that is there, with the objects below it that are not.
pub(super) fn create(file: &File<'_>, key: &str, value: &str) -> Result<Patch, EditError> {
    let parts = path(key, file)?;
    let scanner = Scanner { bytes: file.bytes };
    let mut at = scanner.blank(file.start);
    let mut missing = &parts[..];
    while let Some((part, below)) = missing.split_first() {
        let found = match file.bytes.get(at) {
            Some(b'{') => scanner.members(at, part),
            Some(b'[') => scanner.element(at, part),
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

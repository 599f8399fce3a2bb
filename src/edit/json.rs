//! JSON: `serde_json` proves the document, a scanner of ours finds the bytes.
//!
//! A parser gives values without places. Behind its proof a scanner may be simple: it only has to
//! step over what is known to be whole. JSON is taken strictly: a file with comments is told so.

use std::ops::Range;

use serde::de::IgnoredAny;

use super::{Content, EditError, File, Site};

/// Finds what is at a dotted path or a JSON pointer; a number picks from an array.
pub(super) fn find(file: &File<'_>, key: &str) -> Result<Site, EditError> {
    check(file)?;
    let scanner = Scanner { bytes: file.bytes };
    let mut at = scanner.blank(file.start);
    for part in path(key, file)? {
        at = match file.bytes.get(at) {
            Some(b'{') => file.only(key, scanner.members(at, &part))?,
            Some(b'[') => file.only(key, scanner.element(at, &part))?,
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

fn check(file: &File<'_>) -> Result<(), EditError> {
    let text = file.text()?;
    serde_json::from_str::<IgnoredAny>(text).map(|_| ()).map_err(|error| unparsable(file, &error))
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
pub(super) struct Scanner<'a> {
    pub(super) bytes: &'a [u8],
}

impl Scanner<'_> {
    /// The values of the members called `name` in the object at `at`.
    pub(super) fn members(&self, at: usize, name: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut at = self.blank(at + 1);
        while self.bytes.get(at) == Some(&b'"') {
            let end = self.skip(at);
            let value = self.blank(self.blank(end) + 1);
            if self.string(at..end).as_deref() == Some(name) {
                found.push((at, value));
            }
            at = self.next(value);
        }
        found
    }

    /// The element that `part` counts to in the array at `at`.
    pub(super) fn element(&self, at: usize, part: &str) -> Vec<(usize, usize)> {
        let Ok(wanted) = part.parse::<usize>() else { return Vec::new() };
        let mut at = self.blank(at + 1);
        for _ in 0..wanted {
            if self.is_end(at) {
                return Vec::new();
            }
            at = self.next(at);
        }
        if self.is_end(at) { Vec::new() } else { vec![(at, at)] }
    }

    fn is_end(&self, at: usize) -> bool {
        matches!(self.bytes.get(at), None | Some(b']'))
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

#[cfg(test)]
mod tests {
    use crate::edit::Format::Json;
    use crate::edit::tests::found;

    #[test]
    fn a_path_or_a_pointer_leads_to_one_string() {
        let text = "{\r\n  \"a.b/c\" : \"x\",\r\n  \"facebook\": {\"id\": 12, \"access_token\" : \"EAA\\u0066ake\", \"on\": true},\r\n  \"list\": [1, {\"k\": \"v\\\"]}\"}, null],\r\n  \"dup\": 1, \"dup\": \"\"}";
        for (key, expected) in [
            ("facebook.access_token", "EAAfake <\"EAA\\u0066ake\"> 3"),
            ("/facebook/access_token", "EAAfake <\"EAA\\u0066ake\"> 3"),
            ("/a.b~1c", "x <\"x\"> 2"),
            ("list.1.k", "v\"]} <\"v\\\"]}\"> 4"),
            ("/list/1/k", "v\"]} <\"v\\\"]}\"> 4"),
            ("list.3", "it has no key `list.3`"),
            ("list.x", "it has no key `list.x`"),
            ("facebook.id", "the key `facebook.id` holds a number, not text: line 3"),
            ("facebook.on", "the key `facebook.on` holds true or false, not text: line 3"),
            ("list.2", "the key `list.2` holds null, not text: line 4"),
            ("list", "the key `list` holds a list, not text: line 4"),
            ("facebook", "the key `facebook` holds an object, not text: line 3"),
            ("facebook.id.x", "it has no key `facebook.id.x`"),
            ("facebook.access", "it has no key `facebook.access`"),
            ("dup", "the key `dup` is there more than once: lines 5 and 5"),
            ("a..b", "`a..b` is no key of a json file"),
        ] {
            assert_eq!(found(Json, text, key), expected);
        }
    }

    #[test]
    fn only_strict_json_is_read() {
        for (text, expected) in [
            ("\u{feff}{\"a\":\"x\"}", "x <\"x\"> 1"),
            ("{\"a\":\"x\"} ", "x <\"x\"> 1"),
            ("{\"b\":[],\"c\":{},\"a\":\"x\"}", "x <\"x\"> 1"),
            ("{}", "it has no key `a`"),
            ("\"a\"", "it has no key `a`"),
            ("{\"a\":\"x\",\n}", "it cannot be read as json: line 2"),
            ("{\n// no\n\"a\":\"x\"}", "it has a comment, which json does not allow: line 2"),
            ("{\"a\": /* no */ \"x\"}", "it has a comment, which json does not allow: line 1"),
            ("{\"a\":\"x\"} {}", "it cannot be read as json: line 1"),
        ] {
            assert_eq!(found(Json, text, "a"), expected, "{text}");
        }
    }
}

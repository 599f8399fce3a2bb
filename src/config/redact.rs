//! Hides what may be a secret in the lines of a config that a message shows.
//!
//! A line may hold a literal secret: perhaps under a misspelled key, perhaps in a file that is not
//! even TOML. So neither a parser nor what was read of this file is trusted. Words and strings are
//! scanned with the last key in mind; hidden are every value whose key is not known to be
//! harmless, every comment, and whatever looks like a token wherever it stands.

use std::ops::Range;

use super::schema::Schema;
use super::secret_form::looks_secret;

/// Finds the bytes of a config that may not be shown, in their order.
pub fn hidden(text: &str, schema: &Schema) -> Vec<Range<usize>> {
    let mut scan = Scan { text, schema, at: 0, key: None, depth: 0, hidden: Vec::new() };
    while scan.at < text.len() {
        scan.step();
    }
    scan.hidden
}

struct Scan<'a> {
    text: &'a str,
    schema: &'a Schema,
    at: usize,
    /// The last key before the place at hand, if it is certain.
    key: Option<&'a str>,
    /// How many brackets are open.
    depth: usize,
    hidden: Vec<Range<usize>>,
}

impl<'a> Scan<'a> {
    fn step(&mut self) {
        let rest = &self.text[self.at..];
        match rest.as_bytes()[0] {
            b'\n' => {
                self.at += 1;
                if self.depth == 0 {
                    self.key = None;
                }
            }
            b'#' => {
                let end = self.at + line(rest).len();
                self.hide(self.at + 1..end);
                self.at = end;
            }
            b'[' if self.depth == 0 && self.key.is_none() => self.header(line(rest)),
            b'[' | b'{' => {
                self.depth += 1;
                self.at += 1;
            }
            b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.at += 1;
            }
            b'"' | b'\'' => self.string(rest),
            b'=' | b',' => self.at += 1,
            _ => match rest.find(is_break) {
                Some(0) => self.at += rest.chars().next().map_or(1, char::len_utf8),
                end => self.word(&rest[..end.unwrap_or(rest.len())]),
            },
        }
    }

    /// A table's header holds names only; what follows its brackets is read like anything else.
    fn header(&mut self, line: &'a str) {
        let end = end_of_header(line);
        let header = &line[..end];
        if looks_secret(header) {
            self.hide(self.at..self.at + end);
        }
        self.at += end;
    }

    fn string(&mut self, rest: &'a str) {
        let mark = &rest[..1];
        let long = mark.repeat(3);
        let (open, inside, close) = if let Some(inside) = rest.strip_prefix(&long) {
            (3, end_of(inside, &long, "\u{0}"), 3)
        } else {
            (1, end_of(&rest[1..], mark, "\n"), 1)
        };
        let content = &rest[open..open + inside];
        let end = (self.at + open + inside + close).min(self.text.len());
        let end = if self.text.is_char_boundary(end) { end } else { self.text.len() };
        if self.is_key(end) {
            self.key = Some(content);
            if looks_secret(content) {
                self.hide(self.at + open..self.at + open + inside);
            }
        } else if !self.may_show(content) {
            self.hide(self.at + open..self.at + open + inside);
        }
        // An unclosed string ends with its line; the line end itself is read next.
        self.at =
            if rest[open + inside..].starts_with('\n') { self.at + open + inside } else { end };
    }

    fn word(&mut self, word: &'a str) {
        let span = self.at..self.at + word.len();
        if self.is_key(span.end) {
            self.key = Some(word.rsplit('.').next().unwrap_or(word));
            if looks_secret(word) {
                self.hide(span.clone());
            }
        } else if !(self.schema.home(word).is_some() || self.may_show(word) && self.is_value(word))
        {
            self.hide(span.clone());
            // Out of step: whatever follows belongs to no key that could be trusted.
            self.key = None;
        }
        self.at = span.end;
    }

    /// Whether what lies between here and `end` is a key: an equals sign follows, and none is
    /// before it.
    fn is_key(&self, end: usize) -> bool {
        let blank = [' ', '\t'];
        let is_value = self.text[..self.at].trim_end_matches(blank).ends_with('=');
        !is_value && self.text[end..].trim_start_matches(blank).starts_with('=')
    }

    /// Whether a bare word stands where a value may: inside brackets only what TOML writes bare.
    fn is_value(&self, word: &str) -> bool {
        let bare = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-');
        self.depth == 0 || word.starts_with(bare) || matches!(word, "true" | "false")
    }

    fn may_show(&self, value: &str) -> bool {
        let fits = |key: &str| match key {
            // A secret that was put there by mistake is no id.
            "id" | "page_id" => value.chars().all(|c| c.is_ascii_digit()),
            _ => self.schema.is_harmless(key),
        };
        self.key.is_some_and(fits) && !looks_secret(value)
    }

    fn hide(&mut self, span: Range<usize>) {
        if !self.text[span.clone()].trim().is_empty() {
            self.hidden.push(span);
        }
    }
}

/// Where a header ends: behind its brackets, or before what no header has.
fn end_of_header(line: &str) -> usize {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(mark), _) if c == mark => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#' | '=') => return at,
            (None, ']') if !line[at + 1..].starts_with(']') => return at + 1,
            _ => {}
        }
    }
    line.len()
}

fn line(text: &str) -> &str {
    let line = text.split('\n').next().unwrap_or_default();
    line.strip_suffix('\r').unwrap_or(line)
}

fn is_break(c: char) -> bool {
    c.is_whitespace() || "=,[]{}#\"'".contains(c)
}

/// The length of a string's content: up to its unescaped end mark, or up to `limit`.
fn end_of(text: &str, mark: &str, limit: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if text[at..].starts_with(mark) || text[at..].starts_with(limit) {
            return at;
        } else {
            escaped = c == '\\' && mark.starts_with('"');
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut shown = text.to_owned();
        for span in hidden(text, crate::config::schema()).into_iter().rev() {
            shown.replace_range(span, "…");
        }
        shown
    }

    #[test]
    fn only_what_is_known_to_be_harmless_is_shown() {
        for (text, expected) in [
            ("type = \"user\"", "type = \"user\""),
            ("secret = \"s3cret\"", "secret = \"…\""),
            ("secret = { env = \"APP_SECRET\" }", "secret = { env = \"APP_SECRET\" }"),
            ("key = { file = \"/k\", key = \"a.b\" }", "key = { file = \"/k\", key = \"…\" }"),
            ("main = { id = \"1\", secret = 's' }", "main = { id = \"1\", secret = '…' }"),
            ("app.main.secret = \"s\"", "app.main.secret = \"…\""),
            ("\"access_token\" = \"s\"", "\"access_token\" = \"…\""),
            ("acess_token = \"hush\" # EAAfake", "acess_token = \"…\" #…"),
            ("except = [\"1\", \"2\"]", "except = [\"1\", \"2\"]"),
            ("except = [\n\"1\",\n]\nsecret = \"s\"", "except = [\n\"1\",\n]\nsecret = \"…\""),
            ("concurrency = 99", "concurrency = 99"),
            ("secret = 12345", "secret = …"),
            ("type = \"EAAfake0123456789012345\"", "type = \"…\""),
            ("[token.EAAfake0123456789012345]", "…"),
            ("[store]'hush'", "[store]'…'"),
            ("[[token]] hush", "[[token]] …"),
            ("[token.\"brand/1\"] # note", "[token.\"brand/1\"] #…"),
            ("webhook = \"https://a.example/hush\"", "webhook = \"…\""),
            ("{ host = \"a\", password = \"s\" }", "{ host = \"a\", password = \"…\" }"),
            ("facebook = \"http://a.example/\"", "facebook = \"http://a.example/\""),
            ("name = \"https://a.example/hush\"", "name = \"…\""),
            ("host = \"smtp://a.example?hush\"", "host = \"…\""),
            ("host = \"smtp://a:hush@a.example\"", "host = \"…\""),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn a_broken_line_is_no_way_out() {
        for (text, expected) in [
            ("secret = hush", "secret = …"),
            ("secret = \"hush", "secret = \"…"),
            ("secret = \"hush\" more", "secret = \"…\" …"),
            ("secret \"hush\"", "secret \"…\""),
            ("secret: \"hush\"", "… \"…\""),
            ("secret = \"\"\"\nhush\nmore", "secret = \"\"\"…"),
            ("secret = '''hush''' x", "secret = '''…''' …"),
            ("type = \"user\"\n\"hush\"", "type = \"user\"\n\"…\""),
            ("type = \"user\" \"hush\"", "type = \"user\" \"hush\""),
            ("except = [\"1\"\nsecret = \"hush\"", "except = [\"1\"\nsecret = \"…\""),
            ("except = [\"1\"\nsecrets \"hush\"", "except = [\"1\"\n… \"…\""),
            ("secret = \"a\\\"hush\"", "secret = \"…\""),
            ("secret = { \"hush\" }", "secret = { \"…\" }"),
            ("secret == \"hush\"", "secret == \"…\""),
            ("secret = hush=hush", "secret = …=…"),
            ("secret = 'hush'='hush'", "secret = '…'='…'"),
            ("webhook = https://a.example/b?type=hush", "webhook = …=…"),
            ("type = https://a.example/b?type=hush", "type = …=…"),
            ("= \"hush\"", "= \"…\""),
            ("hush", "…"),
            ("é = 'ü", "é = '…"),
            ("[token.a\nsecret = \"hush\"", "[token.a\nsecret = \"…\""),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}

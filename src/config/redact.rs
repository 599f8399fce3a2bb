//! Hides what may be a secret in a line of the config that a message shows.
//!
//! One rule: keys and names of tables are shown, and so is a value if the key before it on the line
//! is known to be harmless. All else is hidden: other values, comments, and what looks like a token
//! wherever it stands. A line may hold a literal secret under a misspelled key, or may not even be
//! TOML, so no parser is asked, and nothing that was read of the file.

use std::ops::Range;

use super::schema::Schema;
use super::secret_form::{holds_token, looks_secret};

/// The key of a table whose keys are names of the operator's own.
const HEADERS: &str = "headers";

/// Finds the bytes of a line that may not be shown, in their order.
pub fn hidden(line: &str, schema: &Schema) -> Vec<Range<usize>> {
    let mut hidden = Vec::new();
    let (mut key, mut is_of_headers) = (None, false);
    let mut at = end_of_header(line);
    if looks_secret(&line[..at]) {
        hidden.push(0..at);
    }
    while let Some(piece) = Piece::next(line, at) {
        at = piece.end;
        let text = &line[piece.span.clone()];
        let is_key = piece.is_key(line);
        if is_key {
            key = text.rsplit('.').next();
            // Under it, names are the operator's own, and each value is a secret.
            is_of_headers |= key == Some(HEADERS);
        }
        let key_of_value = key.filter(|_| !is_of_headers || is_key);
        let is_harmless = match (key_of_value, piece.is_comment) {
            (_, true) => false,
            (Some(key), false) => is_key || schema.is_harmless(key),
            // A known key without its equals sign.
            (None, false) => schema.home(text).is_some(),
        };
        if is_harmless && !looks_secret(text) && !holds_token(text) {
            continue;
        }
        if !is_key {
            // What follows belongs to no key that could be trusted.
            key = None;
        }
        if !text.trim().is_empty() {
            hidden.push(piece.span);
        }
    }
    hidden
}

/// A word, what stands between quotes, or a comment.
struct Piece {
    /// Where it stands in its line, without quotes.
    span: Range<usize>,
    /// Where the next one may begin.
    end: usize,
    is_comment: bool,
}

impl Piece {
    fn next(line: &str, from: usize) -> Option<Self> {
        let at = from + line[from..].find(|c: char| !c.is_whitespace() && !"=,[]{}".contains(c))?;
        let rest = &line[at..];
        let piece = |span: Range<usize>, end| Self { span, end, is_comment: false };
        Some(match rest.as_bytes()[0] {
            b'#' => Self { span: at + 1..line.len(), end: line.len(), is_comment: true },
            mark @ (b'"' | b'\'') => {
                let close = at + 1 + closing_quote(&rest[1..], mark);
                piece(at + 1..close, (close + 1).min(line.len()))
            }
            _ => {
                let end = rest.find(ends_word).map_or(line.len(), |length| at + length);
                piece(at..end, end)
            }
        })
    }

    /// Whether it stands before an equals sign, and not behind one.
    fn is_key(&self, line: &str) -> bool {
        let before = line[..self.span.start].trim_end_matches(['"', '\'']).trim_end();
        line[self.end..].trim_start().starts_with('=') && !before.ends_with('=')
    }
}

/// Where the header of a table ends; it holds names only.
fn end_of_header(line: &str) -> usize {
    let name = line.trim_start_matches(['[', ' ', '\t']);
    if !line.trim_start().starts_with('[') || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return 0;
    }
    let end = line.find(['=', '#', ']']).unwrap_or(line.len());
    end + line[end..].chars().take_while(|c| *c == ']').count()
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || "=,[]{}#\"'".contains(c)
}

/// The length of a string's content: up to its mark, unless that is escaped, or to the line's end.
fn closing_quote(text: &str, mark: u8) -> usize {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if mark == b'"' => drop(bytes.next()),
            _ if byte == mark => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let line = |line: &str| {
            let mut shown = line.to_owned();
            for span in hidden(line, crate::config::schema()).into_iter().rev() {
                shown.replace_range(span, "…");
            }
            shown
        };
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
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
            ("except = [\n\"1\",\n]\nsecret = \"s\"", "except = [\n\"…\",\n]\nsecret = \"…\""),
            ("concurrency = 99", "concurrency = 99"),
            ("secret = 12345", "secret = …"),
            ("type = \"EAAfake0123456789012345\"", "type = \"…\""),
            ("[token.EAAfake0123456789012345]", "…"),
            ("[store]'hush'", "[store]'…'"),
            ("[[token]] hush", "[[token]] …"),
            ("[token.\"brand/1\"] # note", "[token.\"brand/1\"] #…"),
            ("webhook = \"https://a.example/hush\"", "webhook = \"…\""),
            ("{ host = \"a\", password = \"s\" }", "{ host = \"a\", password = \"…\" }"),
            (
                "headers = { A = \"hush\", type = \"hush\" }",
                "headers = { A = \"…\", type = \"…\" }",
            ),
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
            ("secret = \"\"\"\nhush\nmore", "secret = \"\"\"\n…\n…"),
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

//! No text of the program has a word that a reader must have explained.

use std::path::Path;

use super::source_files;
use crate::common::banned_in;

/// Texts that may have such a word, each with its reason.
const MAY: [(&str, &str); 8] = [
    ("a string", "TOML calls it so"),
    ("a list of strings", "TOML calls it so"),
    ("of strings, not of", "TOML calls it so"),
    ("in each string", "TOML calls it so"),
    ("keys are strings", "of a bug, which no operator can meet"),
    ("seal strings", "a label inside the cipher; changing it would close every store"),
    ("it ends in `…`", "of the value itself"),
    ("the store's thread ends", "of a bug, which no operator can meet"),
];

#[test]
fn no_text_has_a_word_that_must_be_explained() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in source_files(&super::source()) {
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for (line, literal) in literals(text) {
            let is_sql = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE"]
                .iter()
                .any(|verb| literal.trim_start().starts_with(verb));
            // One word is a name; a query is for the database.
            if !literal.contains(' ') || is_sql || literal.contains("owed_since") {
                continue;
            }
            seen += 1;
            let banned = banned_in(&literal);
            let may = MAY.iter().any(|(text, _)| literal.contains(text));
            if !banned.is_empty() && !may {
                wrong.push(format!("{}:{line}: {banned:?} in {literal:?}", short(&file)));
            }
        }
    }
    assert!(seen > 1500, "{seen} texts");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn short(file: &Path) -> String {
    file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(file).display().to_string()
}

/// The string literals of a file with their lines; comments are passed over.
fn literals(text: &str) -> Vec<(usize, String)> {
    let bytes = text.as_bytes();
    let (mut at, mut found) = (0, Vec::new());
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    while at < bytes.len() {
        let rest = &text[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(length) = character(rest) {
            at += length;
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            let length = raw.find("\"#").unwrap();
            found.push((line(at), raw[..length].to_owned()));
            at += length + 5;
        } else if rest.starts_with('"') {
            let mut end = 1;
            while bytes[at + end] != b'"' {
                end += if bytes[at + end] == b'\\' { 2 } else { 1 };
            }
            found.push((line(at), joined(&rest[1..end])));
            at += end + 1;
        } else {
            at += rest.chars().next().unwrap().len_utf8();
        }
    }
    found
}

/// How long a character literal is that stands there.
fn character(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    if let Some(escaped) = inside.strip_prefix('\\') {
        return escaped[1..].find('\'').map(|end| end + 4);
    }
    let c = inside.chars().next()?;
    inside[c.len_utf8()..].starts_with('\'').then_some(c.len_utf8() + 2)
}

/// A literal that goes over several lines, as it is printed.
fn joined(literal: &str) -> String {
    let mut parts = literal.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start())
}

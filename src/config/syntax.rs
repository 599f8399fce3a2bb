//! Explains a file that is not TOML.
//!
//! The parser says where it gave up. Two cases get better words: something written twice, where
//! both places are shown, and a label with a slash, which must be quoted.

use std::ops::Range;

use toml_edit::{Document, Item, Key, Table, TableLike, TomlError};

use super::diagnostic::{Diagnostic, Span};

/// Says what is wrong with the text; `place` names bytes of it.
pub fn explain(text: &str, error: &TomlError, place: impl Fn(Range<usize>) -> Span) -> Diagnostic {
    let span = error.span().unwrap_or_default();
    let at = span.start.min(text.len());
    let span = place(span);
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    if error.message().starts_with("duplicate key") {
        let first = header(line).map_or_else(
            || first_key(&text[..start], line),
            |path| first_table(&text[..start], &path),
        );
        Diagnostic::at(span, "the same is written twice").earlier(first.map(place))
    } else if line.trim_start().starts_with("[token.") && line.contains('/') {
        Diagnostic::at(span, "the label of a page that its parent lists must be quoted")
            .label("write `[token.\"PARENT/PAGE_ID\"]`")
    } else {
        // The parser's words are its own; they never repeat the text.
        let words = error.message().lines().next().unwrap_or_default();
        Diagnostic::at(span, "this is not TOML").label(words)
    }
}

fn header(line: &str) -> Option<Vec<Key>> {
    let line = line.trim_start().strip_prefix('[')?;
    let line = line.strip_prefix('[').unwrap_or(line);
    let path = &line[..line.find(']')?];
    Key::parse(path).ok()
}

/// Where the table of that path was opened before.
fn first_table(before: &str, path: &[Key]) -> Option<Range<usize>> {
    let document = Document::parse(before).ok()?;
    let (last, way) = path.split_last()?;
    let parent = descend(document.as_table(), way)?;
    match parent.get(last.get())? {
        Item::Table(table) if table.span().is_some() => table.span(),
        _ => parent.key(last.get())?.span(),
    }
}

/// Where the key of that line was given before, in the last table that is open there.
fn first_key(before: &str, line: &str) -> Option<Range<usize>> {
    let document = Document::parse(before).ok()?;
    let path = Key::parse(line.split('=').next()?.trim()).ok()?;
    let (last, way) = path.split_last()?;
    descend(last_table(document.as_table()), way)?.key(last.get())?.span()
}

fn descend<'a>(table: &'a dyn TableLike, way: &[Key]) -> Option<&'a dyn TableLike> {
    way.iter().try_fold(table, |table, key| table.get(key.get())?.as_table_like())
}

/// The table whose header stands last.
fn last_table(table: &Table) -> &Table {
    let mut last = table;
    for (_, item) in table {
        let inner: Vec<&Table> = match item {
            Item::Table(inner) => vec![inner],
            Item::ArrayOfTables(tables) => tables.iter().collect(),
            Item::None | Item::Value(_) => Vec::new(),
        };
        for inner in inner {
            let candidate = last_table(inner);
            if candidate.position() > last.position() {
                last = candidate;
            }
        }
    }
    last
}

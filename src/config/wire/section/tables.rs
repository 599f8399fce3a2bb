//! Opens the tables within a table: one by its key, many by their names, many in a row.

use std::ops::Range;

use serde_spanned::Spanned;
use toml_edit::{Item, Table};

use super::{Section, article, value_kind};
use crate::config::mask::quoted;
use crate::config::mistake::Faults;
use crate::config::wire::known::Vocabulary;

impl<'a> Section<'a> {
    /// Opens the table under `key`, if it is there and is one.
    pub(in crate::config::wire) fn child(
        &self,
        key: &str,
        vocabulary: Vocabulary,
        faults: &mut Faults,
    ) -> Option<Self> {
        let item = self.table.get(key)?;
        let span = self.header(key, item);
        if let Some(table) = item.as_table_like() {
            return Some(Section::open(table, vocabulary, span, faults));
        }
        faults
            .add(self.key_span(key), format!("`{key}` must be a table"))
            .label(format!("write `[{key}]`"));
        None
    }

    /// Opens every table under `key`: `[app.NAME]`, `[token.LABEL]`.
    pub(in crate::config::wire) fn children(
        &self,
        key: &str,
        vocabulary: Vocabulary,
        faults: &mut Faults,
    ) -> Vec<(Spanned<String>, Self)> {
        let Some(parent) = self.table.get(key) else { return Vec::new() };
        let Some(table) = parent.as_table_like() else {
            faults
                .add(self.key_span(key), format!("`{key}` must hold tables"))
                .label(format!("write `[{key}.NAME]`"));
            return Vec::new();
        };
        let group = Section { table, vocabulary, span: self.header(key, parent) };
        let mut children = Vec::new();
        for (name, item) in table.iter() {
            let place = group.key_span(name);
            if let Item::Table(table) = item
                && is_dotted_name(table, vocabulary)
            {
                refuse_dotted(key, name, table, place, faults);
            } else if let Some(table) = item.as_table_like() {
                let span = group.header(name, item);
                let section = Section::open(table, vocabulary, span, faults);
                children.push((Spanned::new(place, name.to_owned()), section));
            } else {
                let message = format!("{} is no table of its own", quoted(name));
                faults.add(place, message).label(format!("`{key}` holds `[{key}.NAME]` tables"));
            }
        }
        children
    }

    /// Opens every table in the list under `key`, however the list is written.
    pub(in crate::config::wire) fn list(
        &self,
        key: &str,
        vocabulary: Vocabulary,
        faults: &mut Faults,
    ) -> Vec<Self> {
        let Some((item, span)) = self.item(key) else { return Vec::new() };
        if let Item::ArrayOfTables(tables) = item {
            let open = |table: &'a Table| {
                let span = table.span().unwrap_or_else(|| span.clone());
                Section::open(table, vocabulary, span, faults)
            };
            return tables.iter().map(open).collect();
        }
        let Some(list) = item.as_array() else {
            let message = format!("`{key}` must be a list of tables, not {}", article(item));
            faults.add(self.header(key, item), message).label(how_to_list(vocabulary));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for entry in list {
            let span = entry.span().unwrap_or_else(|| span.clone());
            if let Some(table) = entry.as_inline_table() {
                sections.push(Section::open(table, vocabulary, span, faults));
            } else {
                let found = value_kind(entry);
                faults
                    .add(span, format!("`{key}` must be a list of tables, not of {found}s"))
                    .label(how_to_list(vocabulary));
            }
        }
        sections
    }

    /// Where a table begins: its header, or the key that it hangs on.
    fn header(&self, key: &str, item: &Item) -> Range<usize> {
        match item {
            Item::Table(table) if !table.is_dotted() => table.span(),
            _ => None,
        }
        .unwrap_or_else(|| self.key_span(key))
    }
}

/// A list's tables are called as their vocabulary says: ``in `[[a.b]]` ``.
fn how_to_list(vocabulary: Vocabulary) -> String {
    format!("write {}", vocabulary.table.trim_start_matches("in "))
}

/// Whether a table without a header of its own is there only because a name has a dot.
///
/// `[[token."brand/5".deliver]]` alone opens its token's table too, and has every right to.
fn is_dotted_name(table: &Table, vocabulary: Vocabulary) -> bool {
    table.is_implicit() && !table.is_dotted() && table.iter().any(|(key, _)| !vocabulary.has(key))
}

/// `[token.a.b]`: a name with a dot, which TOML takes for a table within a table.
fn refuse_dotted(key: &str, name: &str, table: &Table, at: Range<usize>, faults: &mut Faults) {
    for (inner, item) in table {
        let span = item.span().or_else(|| table.key(inner)?.span()).unwrap_or(at.clone());
        let meant = quoted(&format!("[{key}.{name}-{inner}]"));
        faults
            .add(span, "a name has letters, digits, `-` and `_`, but no dots")
            .label(format!("did you mean {meant}?"));
    }
}

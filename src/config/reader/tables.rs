//! Opens the tables within a table: one by its key, many by their names, many in a row.

use toml_edit::{Item, Table, TableLike};

use super::header::Header;
use super::{Section, Str, found};
use crate::config::diagnostic::{Diagnostic, Span, Spanned};
use crate::config::wording::quoted;

impl Section<'_> {
    /// Opens the table under `key`; if the file has none, all its keys are absent.
    pub fn table(&self, key: Str, sentence: Str) -> Section<'_> {
        let found = self.find(key, "a table", sentence);
        let header = Header::Only(key);
        let Some(found) = found else { return Section::new(self.reader, header, None, self.span) };
        let table = found.item().as_table_like();
        if table.is_none() {
            let message = format!("`{key}` must be a table");
            let label = format!("write `[{key}]`");
            self.report(Diagnostic::at(self.key_span(key), message).label(label));
        }
        Section::new(self.reader, header, table, self.header_span(key, found.item()))
    }

    /// Opens every table under `group`, each with its name: `[app.NAME]`, `[token.LABEL]`.
    pub fn named(
        &self,
        group: Str,
        stands_for: Str,
        sentence: Str,
    ) -> Vec<(Spanned<&'_ str>, Section<'_>)> {
        let found = self.find(group, "tables with names", sentence);
        let header = |name| Header::Named { group, stands_for, name };
        let Some(found) = found else {
            let example = || {
                let name = Spanned { value: stands_for, span: self.span };
                (name, Section::new(self.reader, header(stands_for), None, self.span))
            };
            return self.is_learning().then(example).into_iter().collect();
        };
        let Some(tables) = found.item().as_table_like() else {
            let message = format!("`{group}` must hold tables");
            let label = format!("write `[{group}.NAME]`");
            self.report(Diagnostic::at(self.key_span(group), message).label(label));
            return Vec::new();
        };
        let span = self.header_span(group, found.item());
        let outer = Section::new(self.reader, Header::Only(group), Some(tables), span);
        outer.is_quiet.set(true);
        let mut sections = Vec::new();
        for (name, item) in tables.iter() {
            let span = outer.key_span(name);
            if let Item::Table(table) = item
                && self.is_dotted_name(table, header(name))
            {
                self.refuse_dotted(group, name, table, span);
            } else if let Some(table) = item.as_table_like() {
                let start = outer.header_span(name, item);
                let section = Section::new(self.reader, header(name), Some(table), start);
                sections.push((Spanned { value: name, span }, section));
            } else {
                let message = format!("{} is not a table of its own", quoted(name));
                let label = format!("`{group}` holds `[{group}.NAME]` tables");
                self.report(Diagnostic::at(span, message).label(label));
            }
        }
        sections
    }

    /// Opens every table in the list under `key`, however the list is written.
    pub fn list(&self, key: Str, sentence: Str) -> Vec<Section<'_>> {
        let header = match self.header {
            Header::Named { group, stands_for, name } => {
                Header::ListedIn { group, stands_for, name, list: key }
            }
            _ => Header::Listed(key),
        };
        let open = |table, span| Section::new(self.reader, header, table, span);
        let Some(found) = self.find(key, "a list of tables", sentence) else {
            return self.is_learning().then(|| open(None, self.span)).into_iter().collect();
        };
        if let Item::ArrayOfTables(tables) = found.item() {
            let span = |table: &Table| table.span().map(|span| self.reader.span(span));
            let tables = tables.iter().map(|table| (table, span(table).unwrap_or(found.span())));
            return tables.map(|(table, span)| open(Some(table as &dyn TableLike), span)).collect();
        }
        let how = header.place();
        let how = format!("write {}", how.trim_start_matches("in "));
        let Some(values) = found.item().as_array() else {
            let message = format!("`{key}` must be a list of tables, not {}", found.article());
            let span = self.header_span(key, found.item());
            self.report(Diagnostic::at(span, message).label(how));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for value in values {
            let span = found.span_of(value);
            if let Some(table) = value.as_inline_table() {
                sections.push(open(Some(table), span));
            } else {
                let kind = found::plain_kind(value);
                let message = format!("`{key}` must be a list of tables, not of {kind}s");
                self.report(Diagnostic::at(span, message).label(how.clone()));
            }
        }
        sections
    }

    /// Where a table begins: its header, or the key that it hangs on.
    fn header_span(&self, key: &str, item: &Item) -> Span {
        let span = match item {
            Item::Table(table) if !table.is_dotted() => table.span(),
            _ => None,
        };
        span.map_or_else(|| self.key_span(key), |span| self.reader.span(span))
    }

    /// Whether a table without a header of its own is there only because a name has a dot.
    ///
    /// `[[token."brand/5".deliver]]` alone opens its token's table too, and has every right to.
    fn is_dotted_name(&self, table: &Table, header: Header<'_>) -> bool {
        let is_known = |key: &str| (self.reader.schema)().has(&header.place(), key);
        table.is_implicit() && !table.is_dotted() && table.iter().any(|(key, _)| !is_known(key))
    }

    /// Explains `[token.a.b]`: a name with a dot, which TOML takes for a table within a table.
    fn refuse_dotted(&self, group: &str, name: &str, table: &Table, at: Span) {
        for (inner, item) in table {
            let span = item.span().or_else(|| table.key(inner)?.span());
            let span = span.map_or(at, |span| self.reader.span(span));
            let meant = quoted(&format!("[{group}.{name}-{inner}]"));
            let message = "a name has letters, digits, `-` and `_`, but no dots";
            self.report(Diagnostic::at(span, message).label(format!("did you mean {meant}?")));
        }
    }
}

//! Reads tables key by key, notes every mistake and goes on.
//!
//! A [`Section`] remembers which keys it was asked for: one that the file has and no reader asks
//! for is unknown. So every key is asked for before anything is decided; what an answer means
//! together with another one is a second look at values that are there already.

mod ask;
mod found;
mod header;
mod kinds;
mod tables;

use std::cell::{Cell, RefCell};
use std::path::Path;

use serde_json::Value;
use toml_edit::TableLike;

pub use self::ask::Ask;
pub use self::found::{FoundValue, Reading, Str};
use self::header::Header;
pub use self::kinds::{not_on_one_line, one_of};
use super::diagnostic::{Diagnostic, Diagnostics, FileId, Span};
use super::schema::{KeySchema, Schema};
use super::show::{ShownTable, ShownValue, ValueOrigin};
use super::wording::quoted;

/// What a config is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Its settings.
    Use,
    /// Its settings, each with its value and its origin.
    Show,
    /// The keys that readers ask for; there is no config.
    Learn,
}

/// Reads one file.
pub struct Reader<'a> {
    purpose: Purpose,
    file: FileId,
    folder: &'a Path,
    schema: fn() -> &'static Schema,
    diagnostics: RefCell<Diagnostics>,
    shown: RefCell<Vec<ShownTable>>,
    learned: RefCell<Schema>,
}

impl<'a> Reader<'a> {
    /// Prepares to read `file`; relative paths in it begin at `folder`.
    pub fn new(
        purpose: Purpose,
        file: FileId,
        folder: &'a Path,
        schema: fn() -> &'static Schema,
    ) -> Self {
        Self {
            purpose,
            file,
            folder,
            schema,
            diagnostics: RefCell::default(),
            shown: RefCell::default(),
            learned: RefCell::default(),
        }
    }

    /// Opens the top of the file; without a table it is as if it were empty.
    pub fn top<'s>(&'s self, table: Option<&'s dyn TableLike>) -> Section<'s> {
        Section::new(self, Header::Top, table, self.span(0..0))
    }

    /// Names bytes of the file.
    pub fn span(&self, bytes: std::ops::Range<usize>) -> Span {
        Span::new(self.file, bytes)
    }

    /// Notes a mistake.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().extend([diagnostic]);
    }

    /// Ends the reading: the mistakes, and the tables to be shown.
    pub fn finish(self) -> (Diagnostics, Vec<ShownTable>) {
        (self.diagnostics.into_inner(), self.shown.into_inner())
    }

    /// Ends the reading: the keys that were asked for.
    pub fn into_schema(self) -> Schema {
        self.learned.into_inner()
    }
}

/// One table of the file, or one that the file lacks.
pub struct Section<'a> {
    reader: &'a Reader<'a>,
    header: Header<'a>,
    table: Option<&'a dyn TableLike>,
    /// Where the table begins, for a complaint about it as a whole.
    span: Span,
    asked: RefCell<Vec<&'static str>>,
    /// Whether every key that was not asked for is refused already.
    others_are_refused: Cell<bool>,
    entries: RefCell<Vec<ShownValue>>,
    /// Mistakes of this table that its reader has not heard of yet.
    diagnostics: RefCell<Vec<Diagnostic>>,
    /// Whether its mistakes are said elsewhere.
    is_quiet: Cell<bool>,
}

impl Drop for Section<'_> {
    /// Complains of unknown keys here, so that no reader of a table can forget to.
    fn drop(&mut self) {
        if !self.is_quiet.get() {
            self.reader.diagnostics.borrow_mut().extend(self.all_diagnostics());
        }
    }
}

impl<'a> Section<'a> {
    fn new(
        reader: &'a Reader<'a>,
        header: Header<'a>,
        table: Option<&'a dyn TableLike>,
        span: Span,
    ) -> Self {
        Self {
            reader,
            header,
            table,
            span,
            asked: RefCell::default(),
            others_are_refused: Cell::new(false),
            entries: RefCell::default(),
            diagnostics: RefCell::default(),
            is_quiet: Cell::new(false),
        }
    }

    /// Whether there is no config, and keys are only asked for.
    pub fn is_learning(&self) -> bool {
        self.reader.purpose == Purpose::Learn
    }

    /// Opens the same table once more for its values alone: its mistakes are said by `self`.
    pub fn quiet(&self) -> Section<'_> {
        let section = Section::new(self.reader, self.header, self.table, self.span);
        section.is_quiet.set(true);
        section
    }

    /// Opens a table that is nowhere: it has no key, and complains of nothing.
    pub fn nowhere(&self) -> Section<'_> {
        let section = Section::new(self.reader, Header::Top, None, self.span);
        section.is_quiet.set(true);
        section
    }

    /// Opens the same table as one of another kind, with keys of its own, which says its mistakes from
    /// now on: `[token."PARENT/*"]` among `[token.LABEL]`.
    pub fn of_kind(&self, kind: Str) -> Section<'_> {
        let header = match self.header {
            Header::Named { group, name, .. } => Header::Named { group, stands_for: kind, name },
            other => other,
        };
        let section = Section::new(self.reader, header, self.table, self.span);
        // While keys are learnt, both kinds are.
        self.is_quiet.set(!self.is_learning());
        section
    }

    /// Complains of nothing any more: its mistakes do not count.
    pub fn silence(&self) {
        self.is_quiet.set(true);
    }

    /// Refuses every key that was not asked for; `label` says what belongs here.
    pub fn refuse_others(&self, label: &str) {
        for other in self.unknown_keys() {
            let message = format!("{} does not belong here", quoted(other));
            self.report(Diagnostic::at(self.key_span(other), message).label(label));
        }
        self.others_are_refused.set(true);
    }

    /// The file that it stands in.
    pub const fn file(&self) -> FileId {
        self.reader.file
    }

    /// Where the table begins, for a complaint about it as a whole.
    pub const fn span(&self) -> Span {
        self.span
    }

    /// The table's path: `http`, `app.main`.
    pub fn name(&self) -> String {
        self.header.path().join(".")
    }

    /// Where relative paths begin.
    pub const fn folder(&self) -> &'a Path {
        self.reader.folder
    }

    /// Notes a mistake.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Where a key stands.
    pub fn key_span(&self, key: &str) -> Span {
        let key = self.table.and_then(|table| table.key(key));
        key.and_then(toml_edit::Key::span).map_or(self.span, |span| self.reader.span(span))
    }

    /// Whether the table has a key that no reader asked for.
    pub fn has_unknown_keys(&self) -> bool {
        self.unknown_keys().next().is_some()
    }

    fn unknown_keys(&self) -> impl Iterator<Item = &'a str> {
        let asked = self.asked.borrow();
        let keys = self.table.into_iter().flat_map(TableLike::iter).map(|(key, _)| key);
        keys.filter(move |key| !self.others_are_refused.get() && !asked.contains(key))
    }

    fn all_diagnostics(&self) -> Vec<Diagnostic> {
        let mut diagnostics = self.diagnostics.take();
        diagnostics.extend(self.unknown_keys().map(|key| self.unknown_key(key)));
        diagnostics
    }

    fn unknown_key(&self, key: &str) -> Diagnostic {
        let (schema, place) = ((self.reader.schema)(), self.header.place());
        let label = match Schema::renamed(key) {
            Some(new) if schema.has(&place, new) => format!("it is called `{new}` now"),
            Some(new) => {
                let home = schema.home(new).unwrap_or_default();
                format!("it is called `{new}` now; it belongs {home}")
            }
            None => match (schema.nearest(&place, key), schema.home(key)) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, Some(home)) => format!("it belongs {home}"),
                (None, None) => format!("there is no such key {place}"),
            },
        };
        Diagnostic::at(self.key_span(key), format!("unknown key {}", quoted(key))).label(label)
    }

    /// Whether the file has the key in this table, whatever stands there.
    pub fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    fn learn(&self, key: KeySchema) {
        if self.is_learning() && !self.is_quiet.get() {
            self.reader.learned.borrow_mut().learn(self.header.place(), key);
        }
    }

    /// Finds what stands under `key`, and remembers that it was asked for.
    fn find(&self, name: Str, kind: Str, sentence: Str) -> Option<FoundValue<'a>> {
        self.learn(KeySchema { name, kind, sentence, is_secret: false });
        let item = self.table?.get(name)?;
        self.asked.borrow_mut().push(name);
        let span = item.span().map_or_else(|| self.key_span(name), |span| self.reader.span(span));
        Some(FoundValue::new(name, item, span, self.reader.file))
    }
}

/// What `config show` is told.
impl Section<'_> {
    /// Notes a value and where it came from, in place of what was noted of that key before.
    pub fn put(
        &self,
        key: Str,
        origin: impl FnOnce() -> ValueOrigin,
        value: impl FnOnce() -> Value,
    ) {
        if self.reader.purpose != Purpose::Show || self.is_quiet.get() {
            return;
        }
        let entry = ShownValue { key, value: value(), origin: origin() };
        let mut entries = self.entries.borrow_mut();
        match entries.iter_mut().find(|known| known.key == key) {
            Some(known) => *known = entry,
            None => entries.push(entry),
        }
    }

    /// Hands a copy of a listed table over as that of another token, which shares it, with other
    /// texts in it.
    pub fn show_as_of(&self, label: &str, fill: impl Fn(&str) -> String) {
        if self.reader.purpose != Purpose::Show {
            return;
        }
        let filled = |value: &Value| match value {
            Value::String(text) => Value::String(fill(text)),
            other => other.clone(),
        };
        let entry = |entry: &ShownValue| {
            let value = match &entry.value {
                Value::Array(items) => items.iter().map(filled).collect(),
                value => filled(value),
            };
            ShownValue { value, ..entry.clone() }
        };
        let mut path = self.header.path();
        if let Some(name) = path.get_mut(1) {
            label.clone_into(name);
        }
        let (schema, place) = ((self.reader.schema)(), self.header.place());
        let mut entries: Vec<ShownValue> = self.entries.borrow().iter().map(entry).collect();
        entries.sort_by_key(|entry| schema.position(&place, entry.key));
        let brackets = self.header.brackets();
        self.reader.shown.borrow_mut().push(ShownTable { path, brackets, entries });
    }

    /// Hands the table over, with its keys in the order of the schema.
    pub fn show(&self) {
        if self.reader.purpose != Purpose::Show {
            return;
        }
        let (schema, place) = ((self.reader.schema)(), self.header.place());
        let mut entries = self.entries.take();
        entries.sort_by_key(|entry| schema.position(&place, entry.key));
        let (path, brackets) = (self.header.path(), self.header.brackets());
        self.reader.shown.borrow_mut().push(ShownTable { path, brackets, entries });
    }
}

//! Reads one table key by key, noting every fault and going on.
//!
//! serde stops at the first mistake; an operator wants all of them at once. So the wire types are
//! read by hand, which also keeps the place of every value for what is found out later.

mod tables;

use std::ops::Range;
use std::path::Path;

use chrono::TimeDelta;
use serde_spanned::Spanned;
use toml_edit::{Array, Item, TableLike, Value};

use super::known::{self, Vocabulary};
use crate::config::duration::{BadDuration, parse_duration};
use crate::config::mask::quoted;
use crate::config::mistake::Faults;

/// A value and its place, if the file has it.
pub(in crate::config) type Given<T> = Option<Spanned<T>>;

/// One table of the file.
pub(super) struct Section<'a> {
    table: &'a dyn TableLike,
    vocabulary: Vocabulary,
    /// Where a complaint about the table as a whole points.
    pub(super) span: Range<usize>,
}

impl<'a> Section<'a> {
    /// Opens a table and complains of every key that it may not hold.
    pub(super) fn open(
        table: &'a dyn TableLike,
        vocabulary: Vocabulary,
        span: Range<usize>,
        faults: &mut Faults,
    ) -> Self {
        let section = Self { table, vocabulary, span };
        for (key, _) in table.iter() {
            if !vocabulary.has(key) {
                section.refuse(key, faults);
            }
        }
        section
    }

    /// Whether the table holds a key that it may not hold.
    pub(super) fn has_strangers(&self) -> bool {
        self.table.iter().any(|(key, _)| !self.vocabulary.has(key))
    }

    /// Whether the table has the key, readable or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The value under `key` as it stands.
    pub(super) fn item(&self, key: &str) -> Option<(&'a Item, Range<usize>)> {
        let item = self.table.get(key)?;
        Some((item, item.span().unwrap_or_else(|| self.key_span(key))))
    }

    /// A string.
    pub(super) fn string(&self, key: &str, faults: &mut Faults) -> Given<String> {
        self.read(key, "a string", faults, |item| item.as_str().map(str::to_owned))
    }

    /// The path of a file; where a relative one begins is for whoever asks.
    pub(super) fn path(&self, key: &str, faults: &mut Faults) -> Given<String> {
        let path = self.string(key, faults)?;
        let text = path.get_ref().as_str();
        if text.starts_with("~/") {
            faults
                .add(
                    path.span(),
                    format!("`{key}` begins with `~`, which only a shell understands"),
                )
                .label("write the whole path");
            return None;
        }
        if text.ends_with('/') || Path::new(text).file_name().is_none() {
            faults.add(path.span(), format!("`{key}` must name a file"));
            return None;
        }
        Some(path)
    }

    /// True or false.
    pub(super) fn boolean(&self, key: &str, faults: &mut Faults) -> Given<bool> {
        self.read(key, "`true` or `false`", faults, Item::as_bool)
    }

    /// A whole number within `range`.
    pub(super) fn number(
        &self,
        key: &str,
        range: std::ops::RangeInclusive<u32>,
        faults: &mut Faults,
    ) -> Given<u32> {
        let number = self.read(key, "a whole number", faults, Item::as_integer)?;
        let fit = u32::try_from(*number.get_ref()).ok().filter(|number| range.contains(number));
        if fit.is_none() {
            let message = format!("`{key}` must lie between {} and {}", range.start(), range.end());
            faults.add(number.span(), message);
        }
        fit.map(|fit| Spanned::new(number.span(), fit))
    }

    /// A span of time.
    pub(super) fn duration(&self, key: &str, faults: &mut Faults) -> Given<TimeDelta> {
        let text = self.read(key, "a duration", faults, |item| item.as_str().map(str::to_owned));
        let text = text?;
        let duration = duration(key, text.get_ref(), text.span(), faults)?;
        Some(Spanned::new(text.span(), duration))
    }

    /// A span of time that is longer than nothing.
    pub(super) fn positive(&self, key: &str, faults: &mut Faults) -> Given<TimeDelta> {
        let duration = self.duration(key, faults)?;
        if duration.get_ref().is_zero() {
            faults.add(duration.span(), format!("`{key}` must be longer than nothing"));
            return None;
        }
        Some(duration)
    }

    /// A list of spans of time.
    pub(super) fn durations(&self, key: &str, faults: &mut Faults) -> Given<Vec<TimeDelta>> {
        let list = self.array(key, "a list of durations", faults)?;
        let mut durations = Vec::new();
        for entry in *list.get_ref() {
            let span = entry.span().unwrap_or_else(|| list.span());
            if let Some(text) = entry.as_str() {
                durations.extend(duration(key, text, span, faults));
            } else {
                let message = format!("`{key}` must be a list of durations");
                faults.add(span, message).label(BadDuration::REMEDY);
            }
        }
        (durations.len() == list.get_ref().len()).then(|| Spanned::new(list.span(), durations))
    }

    /// A list of strings.
    pub(super) fn strings(&self, key: &str, faults: &mut Faults) -> Given<Vec<Spanned<String>>> {
        let list = self.array(key, "a list of strings", faults)?;
        let mut strings = Vec::new();
        for entry in *list.get_ref() {
            let span = entry.span().unwrap_or_else(|| list.span());
            if let Some(text) = entry.as_str() {
                strings.push(Spanned::new(span, text.to_owned()));
            } else {
                let found = value_kind(entry);
                faults.add(span, format!("`{key}` must be a list of strings, not of {found}s"));
            }
        }
        (strings.len() == list.get_ref().len()).then(|| Spanned::new(list.span(), strings))
    }

    fn array(&self, key: &str, what: &str, faults: &mut Faults) -> Option<Spanned<&'a Array>> {
        let (item, span) = self.item(key)?;
        if item.as_array().is_none() {
            faults.add(span.clone(), format!("`{key}` must be {what}, not {}", article(item)));
        }
        item.as_array().map(|array| Spanned::new(span, array))
    }

    fn read<T>(
        &self,
        key: &str,
        what: &str,
        faults: &mut Faults,
        take: impl FnOnce(&Item) -> Option<T>,
    ) -> Given<T> {
        let (item, span) = self.item(key)?;
        if let Some(value) = take(item) {
            return Some(Spanned::new(span, value));
        }
        let fault = faults.add(span, format!("`{key}` must be {what}, not {}", article(item)));
        if what == "a string" && item.is_integer() {
            fault.label("put it in quotes");
        } else if what == "a duration" {
            fault.label(BadDuration::REMEDY);
        }
        None
    }

    /// Where the key stands.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        self.table.key(key).and_then(toml_edit::Key::span).unwrap_or_else(|| self.span.clone())
    }

    fn refuse(&self, key: &str, faults: &mut Faults) {
        let span = self.key_span(key);
        if self.vocabulary.later.contains(&key) {
            faults.add(span, format!("`{key}` is not supported by this version"));
            return;
        }
        let fault = faults.add(span, format!("unknown key {}", quoted(key)));
        match (self.vocabulary.nearest(key), known::home(key)) {
            (Some(near), _) => fault.label(format!("did you mean `{near}`?")),
            (None, Some(home)) => fault.label(format!("it belongs {home}")),
            (None, None) => fault.label(format!("there is no such key {}", self.vocabulary.table)),
        };
    }
}

fn duration(key: &str, text: &str, span: Range<usize>, faults: &mut Faults) -> Option<TimeDelta> {
    let duration = parse_duration(text).ok();
    if duration.is_none() {
        let message = format!("`{key}` is no duration: {}", quoted(text));
        faults.add(span, message).label(BadDuration::REMEDY);
    }
    duration
}

/// What an item is, in the words of a person.
pub(super) fn article(item: &Item) -> &'static str {
    match item.type_name() {
        "string" => "a string",
        "integer" => "a number",
        "float" => "a fraction",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" | "array of tables" => "a list",
        _ => "a table",
    }
}

fn value_kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Integer(_) | Value::Float(_) => "number",
        Value::Boolean(_) => "boolean",
        Value::Datetime(_) => "date",
        Value::Array(_) => "list",
        Value::InlineTable(_) => "table",
    }
}

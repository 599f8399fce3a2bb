//! Judges one value of the file: what it is, and what it must be.

use std::ops::Range;

use chrono::TimeDelta;
use toml_edit::{Array, Item, Value};

use crate::config::diagnostic::{Diagnostic, FileId, Span, Spanned};
use crate::config::duration::{BadDuration, parse_duration};
use crate::config::wording::quoted;

/// A key, or what it is for: words that a reader writes and no file.
pub type Str = &'static str;

/// What became of a value: it is good, or wrong for these reasons.
pub type Reading<T> = Result<T, Vec<Diagnostic>>;

/// A value of the file, under its key.
pub struct FoundValue<'a> {
    key: Str,
    item: &'a Item,
    span: Span,
    file: FileId,
}

impl<'a> FoundValue<'a> {
    /// Keeps a value with its key and place.
    pub const fn new(key: Str, item: &'a Item, span: Span, file: FileId) -> Self {
        Self { key, item, span, file }
    }

    /// Returns the key.
    pub const fn key(&self) -> Str {
        self.key
    }

    /// The value as it stands.
    pub const fn item(&self) -> &'a Item {
        self.item
    }

    /// Where it stands.
    pub const fn span(&self) -> Span {
        self.span
    }

    /// Complains of the value; the message follows its key.
    pub fn complain(&self, rest: &str) -> Diagnostic {
        Diagnostic::at(self.span, format!("`{}` {rest}", self.key))
    }

    /// Complains of a value of another kind.
    pub fn must_be(&self, what: &str) -> Diagnostic {
        self.complain(&format!("must be {what}, not {}", self.article()))
    }

    /// Says how an id is written that was given as a number; other numbers may be secrets.
    pub fn id_in_quotes(&self) -> Option<String> {
        let is_id = matches!(self.key, "id" | "page_id" | "user_id");
        let number = self.item.as_integer().filter(|_| is_id)?;
        Some(format!("write `\"{number}\"`"))
    }

    /// What the value is, in the words of a person.
    pub fn article(&self) -> &'static str {
        match self.item.type_name() {
            "string" => "a string",
            "integer" => "a number",
            "float" => "a fraction",
            "boolean" => "true or false",
            "datetime" => "a date",
            "array" | "array of tables" => "a list",
            _ => "a table",
        }
    }

    /// Reads a string.
    pub fn string(&self) -> Reading<String> {
        self.item.as_str().map(str::to_owned).ok_or_else(|| {
            let wrong = self.must_be("a string");
            vec![if self.item.is_integer() { wrong.label("put it in quotes") } else { wrong }]
        })
    }

    /// Reads a list of strings.
    pub fn strings(&self) -> Reading<Vec<Spanned<String>>> {
        self.entries("a list of strings", |value, span| {
            let text = value.as_str().ok_or_else(|| {
                let (key, kind) = (self.key, plain_kind(value));
                let message = format!("`{key}` must be a list of strings, not of {kind}s");
                Diagnostic::at(span, message)
            });
            Ok(Spanned { value: text?.to_owned(), span })
        })
    }

    /// Reads a duration.
    pub fn duration(&self) -> Reading<TimeDelta> {
        let Some(text) = self.item.as_str() else {
            return Err(vec![self.must_be("a duration").label(BadDuration::REMEDY)]);
        };
        duration(self.key, text, self.span).map_err(|wrong| vec![wrong])
    }

    /// Reads a list of durations.
    pub fn durations(&self) -> Reading<Vec<TimeDelta>> {
        self.entries("a list of durations", |value, span| {
            let text = value.as_str().ok_or_else(|| {
                let message = format!("`{}` must be a list of durations", self.key);
                Diagnostic::at(span, message).label(BadDuration::REMEDY)
            });
            duration(self.key, text?, span)
        })
    }

    fn entries<T>(
        &self,
        what: &str,
        read: impl Fn(&Value, Span) -> Result<T, Diagnostic>,
    ) -> Reading<Vec<T>> {
        let list = self.array(what)?;
        let (mut good, mut wrong) = (Vec::new(), Vec::new());
        for value in list {
            match read(value, self.span_of(value)) {
                Ok(value) => good.push(value),
                Err(diagnostic) => wrong.push(diagnostic),
            }
        }
        if wrong.is_empty() { Ok(good) } else { Err(wrong) }
    }

    fn array(&self, what: &str) -> Reading<&'a Array> {
        self.item.as_array().ok_or_else(|| vec![self.must_be(what)])
    }

    /// Where a value of a list stands.
    pub fn span_of(&self, value: &Value) -> Span {
        value.span().map_or(self.span, |span: Range<usize>| Span::new(self.file, span))
    }
}

fn duration(key: &str, text: &str, span: Span) -> Result<TimeDelta, Diagnostic> {
    parse_duration(text).map_err(|BadDuration| {
        let message = format!("`{key}` is not a valid duration: {}", quoted(text));
        Diagnostic::at(span, message).label(BadDuration::REMEDY)
    })
}

/// What a value is, without an article.
pub fn plain_kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Integer(_) | Value::Float(_) => "number",
        Value::Boolean(_) => "boolean",
        Value::Datetime(_) => "date",
        Value::Array(_) => "list",
        Value::InlineTable(_) => "table",
    }
}

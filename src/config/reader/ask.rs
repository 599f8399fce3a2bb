//! Holds the answer to one question: a value, nothing, or what is wrong with it.

use std::time::Duration;

use chrono::TimeDelta;

use super::{FoundValue, Reading, Section, Str};
use crate::config::diagnostic::{Diagnostic, Span, Spanned};
use crate::config::show::{Shown, ValueOrigin};

/// What a table says under one key.
///
/// What is wrong is said when the answer is used; a key that has no meaning where it stands is
/// complained of as such, and its value is not judged.
pub struct Ask<'a, T> {
    section: &'a Section<'a>,
    key: Str,
    value: Option<T>,
    span: Span,
    is_present: bool,
    diagnostics: Vec<Diagnostic>,
}

impl<'a, T> Ask<'a, T> {
    /// Answers that the table has no such key.
    pub fn absent(section: &'a Section<'a>, key: Str) -> Self {
        let (span, diagnostics) = (section.span, Vec::new());
        Self { section, key, value: None, span, is_present: false, diagnostics }
    }

    /// Answers with what became of the value that was found.
    pub fn new(section: &'a Section<'a>, found: &FoundValue<'_>, outcome: Reading<T>) -> Self {
        match outcome {
            Ok(value) => Self::with(section, found, Some(value), Vec::new()),
            Err(wrong) => Self::with(section, found, None, wrong),
        }
    }

    /// Answers with a value, if it is good, and with what is wrong in it.
    pub fn with(
        section: &'a Section<'a>,
        found: &FoundValue<'_>,
        value: Option<T>,
        diagnostics: Vec<Diagnostic>,
    ) -> Self {
        let (key, span) = (found.key(), found.span());
        Self { section, key, value, span, is_present: true, diagnostics }
    }

    /// Marks the key as one whose value may be a secret.
    pub fn secret(self) -> Self {
        self.set_secret(true)
    }

    /// Marks the key as one whose value is not a secret although it is read like one.
    pub fn public(self) -> Self {
        self.set_secret(false)
    }

    fn set_secret(self, is_secret: bool) -> Self {
        if self.section.is_learning() {
            let place = self.section.header.place();
            self.section.reader.learned.borrow_mut().set_secret(&place, self.key, is_secret);
        }
        self
    }

    /// Turns a good value into another, or into what is wrong with it.
    pub fn and_then<U>(mut self, turn: impl FnOnce(T, Span) -> Reading<U>) -> Ask<'a, U> {
        let value = self.value.and_then(|value| {
            turn(value, self.span).map_err(|wrong| self.diagnostics.extend(wrong)).ok()
        });
        let Self { section, key, span, is_present, diagnostics, .. } = self;
        Ask { section, key, value, span, is_present, diagnostics }
    }

    /// Turns a good value into another.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Ask<'a, U> {
        self.and_then(|value, _| Ok(turn(value)))
    }

    /// Refuses a value for which `judge` has a complaint.
    pub fn check(self, judge: impl FnOnce(&T, Span) -> Option<Diagnostic>) -> Self {
        self.and_then(|value, span| match judge(&value, span) {
            Some(wrong) => Err(vec![wrong]),
            None => Ok(value),
        })
    }

    /// Says what is wrong with the value, once.
    pub fn judged(mut self) -> Self {
        self.section.diagnostics.borrow_mut().append(&mut self.diagnostics);
        self
    }

    /// Says what is wrong with a value that is good in itself.
    pub fn refuse(&self, message: impl Into<String>, label: impl Into<String>) {
        self.section.report(Diagnostic::at(self.span, message).label(label));
    }

    /// The value, if it is good.
    pub const fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The key.
    pub const fn key(&self) -> Str {
        self.key
    }

    /// Where the value stands; the whole table, if there is none.
    pub const fn span(&self) -> Span {
        self.span
    }

    /// Where the key stands.
    pub fn key_span(&self) -> Span {
        self.section.key_span(self.key)
    }

    /// Whether the key is there, with a good value or not.
    pub const fn is_present(&self) -> bool {
        self.is_present
    }

    /// Whether the key is there with a value that is wrong.
    pub const fn is_wrong(&self) -> bool {
        self.is_present && self.value.is_none()
    }

    /// Says what is wrong; the value with its place, unnoted for `config show`.
    pub fn spanned(self) -> Option<Spanned<T>> {
        let span = self.span;
        self.judged().value.map(|value| Spanned { value, span })
    }

    /// The table, if the file has the value; otherwise `absent`.
    pub fn origin_or(&self, absent: ValueOrigin) -> ValueOrigin {
        if self.value.is_some() { ValueOrigin::Table(self.section.name()) } else { absent }
    }
}

impl<T: Shown> Ask<'_, T> {
    /// The value, or the default for it.
    pub fn or(self, default: T) -> T {
        self.or_from(default, ValueOrigin::BuiltIn)
    }

    /// The value, or one that follows from something else.
    pub fn or_implied(self, value: T, by: Str) -> T {
        self.or_from(value, ValueOrigin::Implied(by))
    }

    fn or_from(self, default: T, origin: ValueOrigin) -> T {
        let this = self.judged();
        let (section, key) = (this.section, this.key);
        let origin =
            || if this.value.is_some() { ValueOrigin::Table(section.name()) } else { origin };
        let shown = this.value.as_ref().unwrap_or(&default);
        section.put(key, origin, || shown.shown());
        this.value.unwrap_or(default)
    }

    /// The value, if the file has it.
    pub fn optional(self) -> Option<T> {
        self.map(Some).or(None)
    }
}

impl Ask<'_, TimeDelta> {
    /// Refuses no time at all.
    pub fn positive(self) -> Self {
        let key = self.key;
        self.check(|span_of_time, span| {
            let wrong = || Diagnostic::at(span, format!("`{key}` must be greater than zero"));
            span_of_time.is_zero().then(wrong)
        })
    }

    /// The duration as the standard library has it.
    pub fn or_std(self, default: Duration) -> Duration {
        self.map(|duration| duration.to_std().unwrap_or_default()).or(default)
    }
}

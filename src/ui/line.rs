//! Renders a line of the log, as text and as JSON.
//!
//! As JSON a line is a flat object: an unknown fact has no key, and a key has one type everywhere. As
//! text it is a sentence, with the facts behind it that the sentence does not say.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// The form of everything on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What a sentence says in its own words, or names at its beginning.
const IN_WORDS: [&str; 11] = [
    "event",
    "label",
    "command",
    "app",
    "target",
    "endpoint",
    "problem",
    "code",
    "subcode",
    "pause_ms",
    "exit_code",
];

/// A sentence, how grave it is, and the facts in it that a program may look for.
#[derive(Debug)]
pub(super) struct Line {
    level: Level,
    message: String,
    facts: Map<String, Value>,
}

impl Line {
    /// A line with these facts; those that are not known are left out.
    pub(super) fn new(level: Level, message: String, mut facts: Map<String, Value>) -> Self {
        facts.retain(|_, value| !says_nothing(value));
        Self { level, message, facts }
    }

    /// A line of that event.
    pub(super) fn of(level: Level, event: &str, message: impl Into<String>) -> Self {
        Self { level, message: message.into(), facts: Map::new() }.with("event", event)
    }

    /// The line with one more fact, if that is known.
    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !says_nothing(&value) {
            self.facts.insert(key.to_owned(), value);
        }
        self
    }

    /// How grave it is.
    pub(super) const fn level(&self) -> Level {
        self.level
    }

    /// The JSON object, without the line's end.
    pub(super) fn json(&self, at: DateTime<Utc>) -> String {
        let mut object = Map::new();
        object.insert("at".to_owned(), time(at).into());
        object.insert("level".to_owned(), self.level.word().into());
        for key in ["event", "label"] {
            if let Some(value) = self.facts.get(key) {
                object.insert(key.to_owned(), value.clone());
            }
        }
        object.insert("message".to_owned(), self.message.as_str().into());
        for (key, value) in &self.facts {
            object.entry(key.as_str()).or_insert_with(|| value.clone());
        }
        Value::Object(object).to_string()
    }

    /// The sentence, dated where nobody else does it, without the line's end.
    pub(super) fn text(&self, at: Option<DateTime<Utc>>) -> String {
        let mut text = at.map_or_else(String::new, |at| format!("{} ", time(at)));
        let _ = write!(text, "{}: ", self.level.word());
        if let Some(label) = self.facts.get("label").and_then(Value::as_str) {
            let _ = write!(text, "{label}: ");
        }
        text.push_str(&self.message.replace('\n', "\n  "));
        let rest: Vec<String> = self
            .facts
            .iter()
            .filter(|(key, _)| !IN_WORDS.contains(&key.as_str()))
            .map(|(key, value)| match value {
                Value::String(word) => format!("{key}={word}"),
                other => format!("{key}={other}"),
            })
            .collect();
        if !rest.is_empty() {
            let _ = write!(text, " [{}]", rest.join(" "));
        }
        text
    }
}

/// An instant as all JSON of ours has it.
fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// How grave a line is, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Something went wrong that a person must see to, or that ended the run.
    Error,
    /// Something went wrong and will be tried again, or may go wrong.
    Warning,
    /// What happened.
    Info,
    /// How it happened.
    Debug,
}

impl Level {
    /// The word that stands in a line.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// What the journal reads at the beginning of a line. Source: systemd, sd-daemon(3).
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Error => "<3>",
            Self::Warning => "<4>",
            Self::Info => "<6>",
            Self::Debug => "<7>",
        }
    }
}

impl From<&tracing::Level> for Level {
    fn from(level: &tracing::Level) -> Self {
        match *level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warning,
            tracing::Level::INFO => Self::Info,
            _ => Self::Debug,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600, 0).unwrap()
    }

    fn line() -> Line {
        Line::of(Level::Warning, "delivery_failed", "cannot be read\nat all")
            .with("target", "app.env")
            .with("code", 190)
            .with("status", 400)
            .with("fbtrace_id", "AFake1")
            .with("label", "brand")
            .with("subject", "")
            .with("hints", Vec::<String>::new())
            .with("subcode", None::<i64>)
    }

    #[test]
    fn json_is_flat_in_a_settled_order_and_has_no_unknowns() {
        assert_eq!(
            line().json(at()),
            concat!(
                r#"{"at":"2026-01-01T00:00:00Z","level":"warning","event":"delivery_failed","#,
                r#""label":"brand","message":"cannot be read\nat all","target":"app.env","#,
                r#""code":190,"status":400,"fbtrace_id":"AFake1"}"#
            )
        );
    }

    #[test]
    fn text_says_the_rest_behind_the_sentence() {
        let said = "warning: brand: cannot be read\n  at all [status=400 fbtrace_id=AFake1]";
        assert_eq!(line().text(None), said);
        assert_eq!(line().text(Some(at())), format!("2026-01-01T00:00:00Z {said}"));
    }
}

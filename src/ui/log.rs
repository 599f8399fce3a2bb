//! Turns log events into lines.
//!
//! Events and spans of `tracing` name facts at the place where they are known. What holds for
//! everything within a span, such as whose token it is about, is said once, by the span.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use super::line::{Line, LogFormat};
use super::stderr::Stderr;

/// How much is said beside the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Nothing, unless a person has something to do.
    Quiet,
    /// The report.
    Normal,
    /// What is decided, and why.
    Verbose,
    /// Every call to Graph.
    Debug,
}

/// Sends this crate's lines, and no dependency's, to standard error.
pub(super) fn start(stderr: Stderr, verbosity: Verbosity) {
    let level = match (verbosity, stderr.format) {
        (Verbosity::Quiet, _) | (Verbosity::Normal, LogFormat::Text) => return,
        // Whoever asked for a log in a form has asked for a log.
        (Verbosity::Normal, LogFormat::Json) => LevelFilter::WARN,
        (Verbosity::Verbose, _) => LevelFilter::INFO,
        (Verbosity::Debug, _) => LevelFilter::DEBUG,
    };
    let ours = Targets::new().with_target("metatoken", level);
    let log = tracing_subscriber::registry().with(ours).with(Log { stderr });
    // A second start is a test's business: the first log stays.
    let _ = tracing::subscriber::set_global_default(log);
}

struct Log {
    stderr: Stderr,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut facts = Facts::default();
        attributes.record(&mut facts);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(facts);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut facts = Facts::default();
        event.record(&mut facts);
        // The nearest span knows best.
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(around) = span.extensions().get::<Facts>() {
                facts.complete(around);
            }
        }
        let level = event.metadata().level().into();
        self.stderr.log(&Line::new(level, facts.message, facts.known));
    }
}

/// What a call of `tracing` names.
#[derive(Debug, Default)]
struct Facts {
    message: String,
    known: Map<String, Value>,
}

impl Facts {
    fn complete(&mut self, around: &Self) {
        for (key, value) in &around.known {
            self.known.entry(key.as_str()).or_insert_with(|| value.clone());
        }
    }

    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.known.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Facts {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.put(field, text);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    /// What a `Duration` says in milliseconds.
    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field, u64::try_from(value).unwrap_or(u64::MAX));
    }
}

//! Reports what happened to the tokens: every generation and attempt, with the success rate.

use serde_json::{Map, Value, json};

use super::json::{VERSION, document, problem, time};
use super::text::{Table, TextStyle, Times, plain};
use crate::policy::humanize;
use crate::token::{
    EventKind, Expiry, Fingerprint, Label, Problem, ProblemKind, TargetId, Time, Trigger,
};

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct HistoryEntry {
    pub at: Time,
    pub run: Option<i64>,
    /// To which token, if to one.
    pub label: Option<Label>,
    pub event: EventKind,
    /// Who had started the run.
    pub trigger: Trigger,
    /// When the token expired before.
    pub old_expiry: Expiry,
    /// When it expires since.
    pub new_expiry: Expiry,
    /// The number of the generation.
    pub generation: Option<u32>,
    /// The fingerprint of its access token.
    pub fingerprint: Option<Fingerprint>,
    pub problem: Option<Problem>,
    /// Where it was delivered, or was to be.
    pub target: Option<TargetId>,
}

/// Events, the newest last, and what they add up to.
#[derive(Debug, Clone)]
pub struct HistoryReport {
    /// When it was looked at.
    pub now: Time,
    /// The events to show.
    pub shown: Vec<HistoryEntry>,
    /// The events that are counted: all of the period, shown or not.
    pub counted: Vec<(EventKind, Trigger)>,
}

struct Tally {
    succeeded: usize,
    failed: usize,
}

impl Tally {
    fn of<'a>(events: impl Iterator<Item = &'a (EventKind, Trigger)>) -> Self {
        events.fold(Self { succeeded: 0, failed: 0 }, |mut tally, (event, _)| {
            match event.counts_as() {
                Some(true) => tally.succeeded += 1,
                Some(false) => tally.failed += 1,
                None => {}
            }
            tally
        })
    }

    fn attempts(&self) -> usize {
        self.succeeded + self.failed
    }

    /// From 0 to 1; nothing without an attempt.
    #[expect(clippy::cast_precision_loss, reason = "a rate of fewer than 2^52 attempts is exact")]
    fn rate(&self) -> Option<f64> {
        (self.attempts() > 0).then(|| self.succeeded as f64 / self.attempts() as f64)
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([
            ("attempts".to_owned(), json!(self.attempts())),
            ("succeeded".to_owned(), json!(self.succeeded)),
            ("failed".to_owned(), json!(self.failed)),
            ("success_rate".to_owned(), json!(self.rate())),
        ])
    }
}

impl HistoryReport {
    /// The contract's JSON.
    pub fn json(&self) -> String {
        let mut summary = Tally::of(self.counted.iter()).json();
        let by_trigger: Map<String, Value> = Trigger::ALL
            .iter()
            .map(|trigger| {
                let tally = Tally::of(self.counted.iter().filter(|(_, it)| it == trigger));
                (trigger.as_str().to_owned(), Value::Object(tally.json()))
            })
            .collect();
        summary.insert("by_trigger".to_owned(), Value::Object(by_trigger));
        document(&json!({
            "version": VERSION,
            "summary": summary,
            "events": self.shown.iter().map(HistoryEntry::json).collect::<Value>(),
        }))
    }

    /// The table for people, then the rate.
    pub fn text(&self, style: TextStyle) -> String {
        if self.shown.is_empty() {
            return format!("{}\n", self.summary());
        }
        let at = match style.times {
            Times::Relative => "AT",
            Times::Absolute => "AT (UTC)",
        };
        let mut table = Table::new(
            style,
            &[at, "TOKEN", "EVENT", "TRIGGER", "GENERATION", "FINGERPRINT", "DETAIL"],
        );
        for entry in &self.shown {
            table.row([
                plain(entry.at(style, self.now)),
                plain(entry.label.as_ref().map_or("-", Label::as_str)),
                plain(entry.event_in_words()),
                plain(entry.trigger),
                plain(entry.generation.map_or("-".to_owned(), |number| number.to_string())),
                plain(entry.fingerprint.map_or("-".to_owned(), |it| it.to_string())),
                plain(entry.detail(style, self.now)),
            ]);
        }
        let table = table.fit(&["FINGERPRINT", "GENERATION", "TRIGGER"]);
        format!("{}\n{}\n", table.render(), self.summary())
    }

    /// The rate in a sentence.
    pub fn summary(&self) -> String {
        let tally = Tally::of(self.counted.iter());
        match tally.rate() {
            None => "no attempts yet".to_owned(),
            Some(rate) => format!(
                "{}: {} succeeded, {} failed ({})",
                humanize::count(tally.attempts(), "attempt"),
                tally.succeeded,
                tally.failed,
                percent(rate)
            ),
        }
    }

    /// Comma-separated values with a header line, quoted where a value needs it.
    pub fn csv(&self) -> String {
        let mut text = String::from(
            "at,run,label,event,trigger,success,old_expires_at,new_expires_at,generation,fingerprint,problem\n",
        );
        for entry in &self.shown {
            let cells = [
                time(Some(entry.at)),
                json!(entry.run),
                json!(entry.label.as_ref().map(Label::as_str)),
                json!(entry.event.as_str()),
                json!(entry.trigger.as_str()),
                json!(entry.event.counts_as()),
                time(entry.old_expiry.at()),
                time(entry.new_expiry.at()),
                json!(entry.generation),
                json!(entry.fingerprint.map(|it| it.to_string())),
                json!(entry.problem.as_ref().map(|problem| problem.kind.as_str())),
            ];
            let cells: Vec<String> = cells.iter().map(cell).collect();
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        text
    }
}

impl HistoryEntry {
    /// What happened, on one line for a page about its token.
    pub fn line(&self, style: TextStyle, now: Time) -> String {
        let (event, detail) = (self.event_in_words(), self.detail(style, now));
        let what = if detail == "-" { event } else { format!("{event}, {detail}") };
        format!("{}  {what} ({})", self.at(style, now), self.trigger)
    }

    fn at(&self, style: TextStyle, now: Time) -> String {
        match style.times {
            Times::Relative => humanize::relative(self.at, now),
            Times::Absolute => humanize::minute(self.at),
        }
    }

    fn event_in_words(&self) -> String {
        self.event.as_str().replace('_', " ")
    }

    /// What was wrong, else where it was delivered, else when it expires since.
    fn detail(&self, style: TextStyle, now: Time) -> String {
        let problem = self.problem.as_ref().map(|problem| match (problem.kind, problem.code) {
            // It has no name, and no number to look up.
            (ProblemKind::Unknown, None) => problem.message.clone(),
            _ => problem.in_short(),
        });
        let target = self.target.as_ref().map(ToString::to_string);
        let found: Vec<String> = target.into_iter().chain(problem).collect();
        if !found.is_empty() {
            return found.join(": ");
        }
        let was = match self.old_expiry {
            Expiry::Unknown => String::new(),
            known => format!(" (was {})", style.expiry(known, now)),
        };
        match self.new_expiry {
            Expiry::Unknown => "-".to_owned(),
            Expiry::Never => format!("never expires{was}"),
            Expiry::At(time) if time <= now => format!("expired {}{was}", style.instant(time, now)),
            Expiry::At(time) => format!("expires {}{was}", style.instant(time, now)),
        }
    }

    fn json(&self) -> Value {
        json!({
            "at": time(Some(self.at)),
            "run": self.run,
            "label": self.label.as_ref().map(Label::as_str),
            "event": self.event.as_str(),
            "trigger": self.trigger.as_str(),
            "success": self.event.counts_as(),
            "old_expires_at": time(self.old_expiry.at()),
            "new_expires_at": time(self.new_expiry.at()),
            "generation": self.generation,
            "fingerprint": self.fingerprint.map(|fingerprint| fingerprint.to_string()),
            "problem": problem(self.problem.as_ref(), ""),
            "target": self.target.as_ref().map(TargetId::as_str),
        })
    }
}

/// A share as a person reads it: `100%`, `28.6%`.
fn percent(rate: f64) -> String {
    let percent = format!("{:.1}", rate * 100.0);
    format!("{}%", percent.strip_suffix(".0").unwrap_or(&percent))
}

/// A value as a cell; null is empty.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

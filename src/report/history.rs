//! Reports what happened to the tokens: every generation and attempt, with the success rate.

use serde_json::{Map, Value, json};

use super::json::{VERSION, document, problem, time};
use super::table::{Table, plain};
use super::text::{TextStyle, Times};
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
    /// The label that it had before it was renamed.
    pub renamed_from: Option<String>,
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

/// How many attempts succeeded and failed.
pub struct Tally {
    pub succeeded: usize,
    pub failed: usize,
}

impl Tally {
    /// Counts the events of this program.
    pub fn of<'a>(events: impl Iterator<Item = &'a (EventKind, Trigger)>) -> Self {
        // What another program did says nothing of this one.
        let own = events.filter(|(_, trigger)| *trigger != Trigger::Imported);
        own.fold(Self { succeeded: 0, failed: 0 }, |mut tally, (event, _)| {
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

    /// The rate in percent, to a tenth where it has one.
    pub fn percent(&self) -> String {
        let Some(rate) = self.rate() else { return "-".to_owned() };
        let text = format!("{:.1}", rate * 100.0);
        format!("{}%", text.strip_suffix(".0").unwrap_or(&text))
    }
}

impl HistoryReport {
    /// The contract's JSON.
    pub fn json(&self) -> String {
        let mut summary = Tally::of(self.counted.iter()).json();
        let by_trigger: Map<String, Value> = self
            .by_trigger()
            .map(|(trigger, tally)| (trigger.as_str().to_owned(), Value::Object(tally.json())))
            .collect();
        let by_event: Map<String, Value> = self
            .by_event()
            .map(|(event, count)| (event.as_str().to_owned(), json!(count)))
            .collect();
        summary.insert("by_trigger".to_owned(), Value::Object(by_trigger));
        summary.insert("by_event".to_owned(), Value::Object(by_event));
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
                plain(in_words(entry.event)),
                plain(entry.trigger),
                plain(entry.generation.map_or("-".to_owned(), |number| number.to_string())),
                plain(entry.fingerprint.map_or("-".to_owned(), |it| it.to_string())),
                plain(entry.detail(style, self.now)),
            ]);
        }
        let table = table.fit(&["FINGERPRINT", "GENERATION", "TRIGGER"]);
        format!("{}\n{}\n", table.render(), self.summary())
    }

    /// Who had started the runs, and what their attempts add up to.
    fn by_trigger(&self) -> impl Iterator<Item = (Trigger, Tally)> {
        let own = Trigger::ALL.iter().filter(|trigger| **trigger != Trigger::Imported);
        own.map(|trigger| {
            (*trigger, Tally::of(self.counted.iter().filter(|(_, it)| it == trigger)))
        })
    }

    /// How often each of the events happened that count in the rate.
    fn by_event(&self) -> impl Iterator<Item = (EventKind, usize)> {
        let counting = EventKind::ALL.iter().filter(|event| event.counts_as().is_some());
        let own = |event: &EventKind| {
            let of_it = self.counted.iter().filter(|(it, _)| it == event);
            of_it.filter(|(_, trigger)| *trigger != Trigger::Imported).count()
        };
        counting.map(move |event| (*event, own(event)))
    }

    /// The rate, then what it is made of: by event and by trigger.
    pub fn rates(&self, style: TextStyle) -> String {
        let attempts = Tally::of(self.counted.iter()).attempts();
        if attempts == 0 {
            return format!("{}\n", self.summary());
        }
        let mut events = Table::new(style, &["EVENT", "RESULT", "COUNT"]);
        for (event, count) in self.by_event().filter(|(_, count)| *count > 0) {
            let result = if event.counts_as() == Some(true) { "succeeded" } else { "failed" };
            events.row([plain(in_words(event)), plain(result), plain(count)]);
        }
        let mut triggers =
            Table::new(style, &["TRIGGER", "ATTEMPTS", "SUCCEEDED", "FAILED", "RATE"]);
        for (trigger, tally) in self.by_trigger() {
            triggers.row([
                plain(trigger),
                plain(tally.attempts()),
                plain(tally.succeeded),
                plain(tally.failed),
                plain(tally.percent()),
            ]);
        }
        format!("{}\n\n{}\n{}", self.summary(), events.render(), triggers.render())
    }

    /// The rate in a sentence.
    pub fn summary(&self) -> String {
        let tally = Tally::of(self.counted.iter());
        match tally.attempts() {
            0 => "no attempts yet".to_owned(),
            attempts => format!(
                "{}: {} succeeded, {} failed ({})",
                humanize::count(attempts, "attempt"),
                tally.succeeded,
                tally.failed,
                tally.percent()
            ),
        }
    }

    /// Comma-separated values with a header line, quoted where a value needs it.
    pub fn csv(&self) -> String {
        let mut text = String::from(
            "at,run,label,event,trigger,success,old_expires_at,new_expires_at,generation,fingerprint,problem,target,old_never_expires,new_never_expires\n",
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
                json!(entry.target.as_ref().map(TargetId::as_str)),
                json!(entry.old_expiry == Expiry::Never),
                json!(entry.new_expiry == Expiry::Never),
            ];
            text.push_str(&csv_row(&cells));
            text.push('\n');
        }
        text
    }
}

impl HistoryEntry {
    /// What happened, on one line for a page about its token.
    pub fn line(&self, style: TextStyle, now: Time) -> String {
        let (event, detail) = (in_words(self.event), self.detail(style, now));
        let what = if detail == "-" { event } else { format!("{event}, {detail}") };
        format!("{}  {what} ({})", self.at(style, now), self.trigger)
    }

    fn at(&self, style: TextStyle, now: Time) -> String {
        match style.times {
            Times::Relative => humanize::relative(self.at, now),
            Times::Absolute => humanize::minute(self.at),
        }
    }

    /// What was wrong, else where it was delivered, else what it was called before, else when it
    /// expires since.
    fn detail(&self, style: TextStyle, now: Time) -> String {
        if let Some(old) = &self.renamed_from {
            return format!("it was `{old}`");
        }
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
            "old_never_expires": self.old_expiry == Expiry::Never,
            "new_never_expires": self.new_expiry == Expiry::Never,
            "generation": self.generation,
            "fingerprint": self.fingerprint.map(|fingerprint| fingerprint.to_string()),
            "problem": problem(self.problem.as_ref(), ""),
            "target": self.target.as_ref().map(TargetId::as_str),
            "renamed_from": self.renamed_from,
        })
    }
}

fn in_words(event: EventKind) -> String {
    event.as_str().replace('_', " ")
}

/// The values of a row, separated by commas.
pub fn csv_row(values: &[Value]) -> String {
    let cells: Vec<String> = values.iter().map(cell).collect();
    cells.join(",")
}

/// A value as a cell; null is empty. A quote keeps a spreadsheet from taking text for a formula.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

//! Reports an import: the tokens as every run reports them, and the rows that are not among them.

use serde_json::{Value, json};

use super::json::document;
use super::run::RunReport;
use crate::error::CliError;
use crate::exit::Exit;

/// What became of the rows of a file.
#[derive(Debug)]
pub struct ImportReport {
    /// The tokens.
    pub run: RunReport,
    /// The file, as messages name it.
    pub file: String,
    /// The rows that were not taken.
    pub refused: Vec<RefusedLine>,
}

/// A row that was not taken.
#[derive(Debug)]
pub struct RefusedLine {
    /// Where it stands in the file.
    pub place: String,
    /// Why.
    pub reason: String,
    /// The exit code that it alone would give.
    pub exit: Exit,
}

impl RefusedLine {
    /// Refuses the row at that place.
    pub fn new(place: &str, reason: impl Into<String>, exit: Exit) -> Self {
        Self { place: place.to_owned(), reason: reason.into(), exit }
    }

    /// Refuses a row for what it says, or what its access token is.
    pub fn of_input(place: &str, reason: impl Into<String>) -> Self {
        Self::new(place, reason, Exit::InputRefused)
    }

    /// Leaves a row for what happened when it was to be taken.
    pub fn failed(place: &str, error: &CliError) -> Self {
        let causes = error.causes.iter().map(String::as_str);
        let words: Vec<&str> = std::iter::once(error.message.as_str()).chain(causes).collect();
        Self::new(place, words.join(": "), error.exit)
    }

    /// Leaves a row whose worker met a bug.
    pub fn of_a_bug(place: &str) -> Self {
        Self::new(place, "metatoken met a bug while it worked on this row", Exit::Bug)
    }

    /// Whether the same row is taken when the import is typed again later.
    pub const fn is_for_later(&self) -> bool {
        matches!(self.exit, Exit::Failed | Exit::Unavailable)
    }

    /// Where it comes in the order of the file: lines by their numbers.
    pub fn order(&self) -> (String, u64) {
        let (table, number) = self.place.rsplit_once(':').unwrap_or(("", &self.place));
        (table.to_owned(), number.parse().unwrap_or(u64::MAX))
    }
}

impl ImportReport {
    /// The exit code: the worst of the tokens and of the rows.
    pub fn exit(&self) -> Exit {
        self.refused.iter().map(|row| row.exit).fold(self.run.exit(), Exit::or_worse)
    }

    /// The contract's JSON.
    pub fn json(&self) -> String {
        let refused = self
            .refused
            .iter()
            .map(|row| json!({ "file": self.file, "row": row.place, "reason": row.reason }));
        let mut value = self.run.value();
        value["refused"] = refused.collect::<Value>();
        document(&value)
    }

    /// What is to be done about the rows that were not taken.
    pub fn again(&self) -> Option<&'static str> {
        match self.refused.iter().all(RefusedLine::is_for_later) {
            _ if self.refused.is_empty() => None,
            true => Some("run the same again later: what is in stays as it is"),
            false => Some("correct these rows and run the same again: what is in stays as it is"),
        }
    }

    /// A line for each row that was not taken: `FILE:ROW: REASON`.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.refused.iter().map(|row| format!("{}:{}: {}", self.file, row.place, row.reason))
    }
}

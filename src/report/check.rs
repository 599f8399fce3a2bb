//! One verdict for monitoring.

use serde_json::json;

use super::StatusReport;
use super::json::{VERSION, document, reasons};
use crate::exit::Verdict;
use crate::policy::Health;

/// The verdict and everything behind it.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// Every token and the machinery, judged.
    pub status: StatusReport,
}

impl CheckReport {
    /// How `check` ends.
    pub fn verdict(&self) -> Verdict {
        match self.status.health() {
            Health::Ok => Verdict::Ok,
            Health::Warning => Verdict::Warning,
            Health::Critical => Verdict::Critical,
            Health::Unknown => Verdict::Unknown,
        }
    }

    /// The contract's JSON.
    pub fn json(&self) -> String {
        document(&json!({
            "version": VERSION,
            "health": self.status.health().as_str(),
            "exit_code": self.verdict().code(),
            "summary": self.summary(),
            "tokens": self.status.tokens_json(),
            "system": reasons(&self.status.system),
        }))
    }

    /// What the first line says behind the verdict: the worst label first.
    pub fn summary(&self) -> String {
        self.summary_within(usize::MAX)
    }

    /// The same in at most so many characters: the message is shortened, for whom it is about and
    /// how many more causes there are must not be lost.
    pub(super) fn summary_within(&self, most: usize) -> String {
        let causes = self.status.reasons();
        let total = crate::policy::words::count(self.status.tokens.len(), "token");
        let Some(worst) = causes.first() else { return format!("{total}, all well") };
        let more = match causes.len() - 1 {
            0 => String::new(),
            1 => ", and 1 more cause".to_owned(),
            more => format!(", and {more} more causes"),
        };
        let others = worst.labels.len().saturating_sub(1);
        let subject = match (worst.labels.first(), others) {
            (None, _) => String::new(),
            (Some(label), 0) => format!("{label}: "),
            (Some(label), others) => format!("{label} and {others} more: "),
        };
        let room = most.saturating_sub(subject.chars().count() + more.chars().count());
        // A pager has little room, and Meta begins most of its sentences alike.
        let message = worst.message.strip_prefix("Error validating access token: ");
        format!("{subject}{}{more}", shorten(message.unwrap_or(&worst.message), room))
    }
}

fn shorten(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

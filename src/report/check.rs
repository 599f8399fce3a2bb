//! Reports one verdict for monitoring.

use serde::Serialize;
use serde_json::{Value, json};

use super::json::{VERSION, document, reasons, time};
use super::status::{LastRuns, StatusReport};
use crate::exit::Verdict;
use crate::policy::{Health, Judgement, headline_within, humanize};

/// The plugin's first line stays under 200 characters, so that a text message holds it.
pub const FIRST_LINE: usize = 199;

/// What it holds behind the longest verdict.
const SUMMARY: usize = FIRST_LINE - "METATOKEN CRITICAL - ".len();

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckScope {
    /// Everything.
    All,
    /// The tokens: for the person who owns them.
    Tokens,
    /// The timer, the deliveries, the key, the files: for the person who runs the machine.
    System,
}

/// The verdict and its causes.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// Every token and the system, judged.
    pub status: StatusReport,
    scope: CheckScope,
}

/// The contract's JSON of `check`.
#[derive(Serialize)]
struct CheckDocument<T> {
    version: u32,
    health: &'static str,
    #[serde(flatten)]
    detail: T,
}

/// What it has behind version and health.
#[derive(Serialize)]
struct CheckDetail<T> {
    exit_code: u8,
    summary: String,
    tokens: T,
    system: Value,
    runs: Value,
}

impl CheckReport {
    /// The part of the report that is asked for. Deliveries belong to the system.
    pub fn new(mut status: StatusReport, scope: CheckScope) -> Self {
        match scope {
            CheckScope::All => {}
            CheckScope::Tokens => {
                for token in &mut status.tokens {
                    token.judgement = without_deliveries(&token.judgement);
                }
                status.system.clear();
                status.runs = LastRuns::default();
            }
            CheckScope::System => {
                let of_tokens = status.tokens.drain(..).flat_map(|token| token.judgement.reasons);
                let deliveries = of_tokens.filter(crate::policy::Reason::is_about_delivery);
                status.system.extend(deliveries);
            }
        }
        Self { status, scope }
    }

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
        document(&self.document())
    }

    /// The same, as it is written into another document.
    pub fn document(&self) -> impl Serialize {
        CheckDocument {
            version: VERSION,
            health: self.status.health().as_str(),
            detail: self.detail(),
        }
    }

    /// What the JSON has behind version and health.
    pub(super) fn detail(&self) -> impl Serialize {
        let runs = &self.status.runs;
        CheckDetail {
            exit_code: self.verdict().code(),
            summary: self.summary(),
            tokens: self.status.tokens_json(),
            system: reasons(&self.status.system),
            runs: json!({
                "started_at": time(runs.started),
                "finished_at": time(runs.finished),
                "succeeded_at": time(runs.success),
                "exit_code": runs.exit_code,
            }),
        }
    }

    /// The worst cause on one line, with the number of further ones.
    pub fn summary(&self) -> String {
        let causes = self.status.reasons();
        let Some(worst) = causes.first() else { return self.all_well() };
        let more = match causes.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        headline_within(worst, SUMMARY, &more)
    }

    fn all_well(&self) -> String {
        match (self.status.tokens.len(), self.status.runs.finished) {
            (0, _) if self.scope == CheckScope::Tokens => "no tokens".to_owned(),
            (0, Some(last)) => format!("the last run finished {}", humanize::instant(last)),
            (0, None) => "the machinery is well".to_owned(),
            (tokens, _) => format!("{}, all well", humanize::count(tokens, "token")),
        }
    }
}

fn without_deliveries(judgement: &Judgement) -> Judgement {
    let mut left = judgement.clone();
    left.reasons.retain(|reason| !reason.is_about_delivery());
    left.with(Vec::new())
}

/// Shortens a text to so many characters, with a mark where it is cut.
pub fn shorten(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

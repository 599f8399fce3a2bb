//! Words the answer of `check --format http`: for an uptime monitor, which reads the status and perhaps
//! a number.
//!
//! Whoever can connect reads it. So it has counts and no names unless the operator asks for all, and an
//! error is a code: its sentence names paths, and goes to standard error.

use serde::Serialize;
use serde_json::{Value, json};

use super::check::CheckReport;
use super::json::{VERSION, document, time};
use crate::error::CliError;
use crate::exit::Verdict;
use crate::policy::Health;
use crate::token::Time;

/// How an HTTP request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerOptions {
    /// From which health on it is a failure.
    pub fail_on: FailOn,
    /// How much is told.
    pub detail: AnswerDetail,
}

/// From which health on the answer is a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// Critical and unknown.
    Critical,
    /// A warning too.
    Warning,
}

impl FailOn {
    /// The HTTP status of a verdict.
    pub const fn http_status(self, verdict: Verdict) -> u16 {
        match (verdict, self) {
            (Verdict::Ok, _) | (Verdict::Warning, Self::Critical) => 200,
            (Verdict::Warning, Self::Warning) | (Verdict::Critical | Verdict::Unknown, _) => 503,
        }
    }
}

/// How much an answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerDetail {
    /// How many tokens are how well.
    Counts,
    /// All that `check --json` tells.
    All,
}

/// How many tokens are how well.
#[derive(Debug, Clone, Copy, Serialize)]
struct HealthCounts {
    tokens: usize,
    ok: usize,
    warning: usize,
    critical: usize,
    unknown: usize,
}

/// The body of an answer; with `detail`, what follows is `check --json`.
#[derive(Serialize)]
struct AnswerBody<T> {
    version: u32,
    health: &'static str,
    generated_at: Value,
    counts: HealthCounts,
    #[serde(flatten)]
    detail: Option<T>,
}

impl CheckReport {
    /// The body of the answer to an HTTP request.
    pub fn http_body(&self, detail: AnswerDetail) -> String {
        let status = &self.status;
        let of = |health| status.tokens.iter().filter(|it| it.judgement.health == health).count();
        document(&AnswerBody {
            version: VERSION,
            health: status.health().as_str(),
            generated_at: time(Some(status.generated_at)),
            counts: HealthCounts {
                tokens: status.tokens.len(),
                ok: of(Health::Ok),
                warning: of(Health::Warning),
                critical: of(Health::Critical),
                unknown: of(Health::Unknown),
            },
            detail: (detail == AnswerDetail::All).then(|| self.detail()),
        })
    }
}

/// The body that says that nothing can be told; why is said where the operator reads it.
pub fn error_body(complaint: &CliError, verdict: Verdict, now: Time) -> String {
    let health = match verdict {
        Verdict::Critical => Health::Critical,
        _ => Health::Unknown,
    };
    document(&json!({
        "version": VERSION,
        "health": health.as_str(),
        "generated_at": time(Some(now)),
        "counts": null,
        "error": { "code": complaint.code, "exit_code": verdict.code() },
    }))
}

/// The body for a request that is turned away.
pub fn bad_request_body(code: &str) -> String {
    document(&json!({ "version": VERSION, "error": { "code": code } }))
}

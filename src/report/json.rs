//! Writes what the JSON of all reports shares: version 1, to which fields are only ever added.
//!
//! Times are RFC 3339 in UTC, ids are strings, and what is not known is null.

use chrono::SecondsFormat;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::error::CliError;
use crate::policy::Reason;
use crate::token::{Delivery, GranularScope, Label, Problem, Time};

/// The version that every document names.
pub const VERSION: u32 = 1;

/// An instant as JSON has it.
pub fn time(time: Option<Time>) -> Value {
    time.map_or(Value::Null, |time| time.to_rfc3339_opts(SecondsFormat::Secs, true).into())
}

/// A problem, with the step that recovers from it for this token, where it is known.
pub fn problem(problem: Option<&Problem>, remedy: &str) -> Value {
    problem.map_or(Value::Null, |problem| {
        json!({
            "kind": problem.kind.as_str(),
            "action": problem.action.as_str(),
            "code": problem.code,
            "subcode": problem.subcode,
            "message": problem.message,
            "fbtrace_id": problem.fbtrace_id,
            "remedy": some(remedy),
        })
    })
}

/// Reasons in their order.
pub fn reasons(reasons: &[Reason]) -> Value {
    reasons
        .iter()
        .map(|reason| {
            let labels: Vec<&str> = reason.labels.iter().map(Label::as_str).collect();
            json!({
                "code": reason.code,
                "severity": reason.severity.as_str(),
                "message": reason.message,
                "remedy": reason.remedy.to_string(),
                "labels": labels,
                "state": reason.condition.map(|condition| condition.to_string()),
                "brief": some(&reason.remedy.brief),
                "command": some(&reason.remedy.command),
                "meta": some(&reason.meta),
            })
        })
        .collect()
}

/// A text that may be empty, which is null.
fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// How a token's targets stand.
pub fn deliveries(deliveries: &[Delivery]) -> Value {
    deliveries
        .iter()
        .map(|delivery| {
            json!({
                "target": delivery.target.as_str(),
                "state": delivery.state().as_str(),
                "at": time(delivery.at()),
                "error": delivery.error,
            })
        })
        .collect()
}

/// Scopes that are limited to certain objects; null targets mean all of them.
pub fn granular_scopes(scopes: &[GranularScope]) -> Value {
    scopes
        .iter()
        .map(|entry| json!({ "scope": entry.scope, "target_ids": entry.target_ids }))
        .collect()
}

/// A list whose values are made one after the other while the document is written, so that those of
/// ten thousand tokens never stand in memory together.
pub struct Each<'a, T, F>(pub &'a [T], pub F);

impl<T, F: Fn(&T) -> Value> Serialize for Each<'_, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(&self.1))
    }
}

/// A document as it is printed: indented, with a final newline.
pub fn document(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("keys are strings, numbers finite");
    text.push('\n');
    text
}

/// The document that stands in for a report that could not be made.
pub fn complaint_json(complaint: &CliError, exit_code: u8) -> String {
    document(&json!({
        "version": VERSION,
        "error": {
            "code": complaint.code,
            "exit_code": exit_code,
            "subject": Some(&complaint.subject).filter(|subject| !subject.is_empty()),
            "message": complaint.message,
            "causes": complaint.causes,
            "hints": complaint.hints,
        },
    }))
}

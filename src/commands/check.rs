//! `check`: one verdict for monitoring.
//!
//! It judges what is stored, and needs no key, no secret, no lock and no right to write, so that
//! it works as another user and while a run is under way.

use std::time::Duration;

use super::Session;
use super::survey::{Asking, survey};
use crate::complaint::Complaint;
use crate::exit::{Exit, Verdict};
use crate::report::{CheckReport, nagios};
use crate::token::Pattern;
use crate::ui::Format;

/// A plugin has about ten seconds; after this no further question is asked.
const TIME_TO_ASK: Duration = Duration::from_secs(8);

/// What was asked for.
#[derive(Debug)]
pub struct CheckOrder {
    /// The labels that were typed.
    pub patterns: Vec<Pattern>,
    /// Whether Graph is asked.
    pub asking: Asking,
}

/// Gives the verdict.
pub fn check(session: &Session, order: &CheckOrder) -> Result<Verdict, Complaint> {
    let graph = session.graph_within(TIME_TO_ASK);
    let status = survey(session, &order.patterns, order.asking, &graph)?;
    if status.tokens.is_empty() {
        return Err(Complaint::new(Exit::Config, "no_tokens", "", "the config declares no tokens"));
    }
    let report = CheckReport { status };
    let text = match session.ui.format {
        Format::Json => report.json(),
        _ => nagios(&report),
    };
    session.ui.data(&text)?;
    Ok(report.verdict())
}

/// What a monitoring system makes of an error: a store that is there and cannot be read is
/// critical, anything else says nothing about the tokens.
pub fn verdict_of(complaint: &Complaint) -> Verdict {
    if complaint.exit == Exit::Storage { Verdict::Critical } else { Verdict::Unknown }
}

/// The plugin's first line for an error.
pub fn nagios_complaint(complaint: &Complaint, verdict: Verdict) -> String {
    let word = if verdict == Verdict::Critical { "CRITICAL" } else { "UNKNOWN" };
    let subject = match complaint.subject.as_str() {
        "" => String::new(),
        subject => format!("{subject}: "),
    };
    let message = complaint.message.lines().next().unwrap_or_default();
    format!("METATOKEN {word} - {subject}{message}\n").replace('|', "/")
}

//! `check`: one verdict for monitoring.
//!
//! It judges what is stored, and needs no key, no secret, no lock and no right to write, so that
//! it works as another user and while a run is under way.

use std::path::PathBuf;
use std::time::Duration;

use super::Session;
use super::survey::{Asking, survey};
use super::textfile;
use crate::complaint::Complaint;
use crate::exit::{Exit, Verdict};
use crate::report::{CheckReport, Perfdata, Scope, github, nagios, plugin_line, prometheus};
use crate::token::Pattern;
use crate::ui::{Format, Verbosity};

/// A plugin has about ten seconds; after this no further question is asked.
const TIME_TO_ASK: Duration = Duration::from_secs(8);

/// What was asked for.
#[derive(Debug)]
pub struct CheckOrder {
    /// The labels that were typed.
    pub patterns: Vec<Pattern>,
    /// Whether Graph is asked.
    pub asking: Asking,
    /// What is judged.
    pub scope: Scope,
    /// Which tokens get a number of their own.
    pub perfdata: Perfdata,
    /// Where the metrics are written besides.
    pub textfile: Option<PathBuf>,
}

/// Gives the verdict.
pub fn check(session: &Session, order: &CheckOrder) -> Result<Verdict, Complaint> {
    let graph = session.graph_within(TIME_TO_ASK);
    let status = survey(session, &order.patterns, order.asking, &graph)?;
    if status.tokens.is_empty() {
        return Err(Complaint::new(Exit::Config, "no_tokens", "", "the config declares no tokens"));
    }
    // The metrics are of everything, whatever is judged: another half of them would be taken for all.
    let unwritten = order.textfile.as_ref().and_then(|path| textfile::write(path, &status).err());
    let mut report = CheckReport::new(status, order.scope);
    report.status.system.extend(unwritten);
    show(session, order, &report)?;
    Ok(report.verdict())
}

fn show(session: &Session, order: &CheckOrder, report: &CheckReport) -> Result<(), Complaint> {
    let ui = &session.ui;
    let text = match ui.format {
        Format::Json => report.json(),
        Format::Prometheus => prometheus(&report.status),
        Format::Github => github(report),
        _ => nagios(report, order.perfdata),
    };
    let said = ui.verbosity > Verbosity::Quiet || report.verdict() != Verdict::Ok;
    if said { ui.data(&text) } else { Ok(()) }
}

/// What a monitoring system makes of an error: a store that is there and cannot be read is
/// critical, anything else says nothing about the tokens.
pub fn verdict_of(complaint: &Complaint) -> Verdict {
    if complaint.exit == Exit::Storage { Verdict::Critical } else { Verdict::Unknown }
}

/// The plugin's first line for an error.
pub fn nagios_complaint(complaint: &Complaint, verdict: Verdict) -> String {
    let subject = match complaint.subject.as_str() {
        "" => String::new(),
        subject => format!("{subject}: "),
    };
    let message = complaint.message.lines().next().unwrap_or_default();
    format!("{}\n", plugin_line(verdict, &format!("{subject}{message}")))
}

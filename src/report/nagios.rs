//! The line that Nagios, Icinga and their kin read.
//!
//! The exit code is the verdict; the first line is for a pager, so it is short and names the
//! worst first; further lines give each cause and its remedy. Source: Monitoring Plugins
//! development guidelines.

use std::fmt::Write as _;

use super::CheckReport;
use crate::exit::Verdict;
use crate::policy::words;

/// The first line stays under this, so that a text message holds it.
const FIRST_LINE: usize = 199;

/// The plugin's output.
pub fn nagios(report: &CheckReport) -> String {
    let verdict = match report.verdict() {
        Verdict::Ok => "OK",
        Verdict::Warning => "WARNING",
        Verdict::Critical => "CRITICAL",
        Verdict::Unknown => "UNKNOWN",
    };
    let verdict = format!("METATOKEN {verdict} - ");
    let summary = report.summary_within(FIRST_LINE - verdict.len());
    // A bar would begin the performance data.
    let mut text = format!("{verdict}{summary}\n").replace('|', "/");
    for reason in report.status.reasons() {
        let mut line = reason.severity.as_str().to_uppercase();
        if !reason.labels.is_empty() {
            let _ = write!(line, ": {}", words::list(&reason.labels));
        }
        let _ = write!(line, ": {}", reason.message);
        if !reason.remedy.is_empty() {
            let _ = write!(line, "; {}", reason.remedy);
        }
        text.push_str(&line.replace('|', "/"));
        text.push('\n');
    }
    text
}

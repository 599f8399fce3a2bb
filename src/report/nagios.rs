//! The lines that Nagios, Icinga and their kin read.
//!
//! The exit code is the verdict; the first line is for a pager, so it is short and names the
//! worst first; what stands behind its bar is drawn; further lines give each cause and its remedy.
//! Source: Monitoring Plugins development guidelines.

use std::fmt::Write as _;

use super::check::shorten;
use super::perfdata::perfdata;
use super::{CheckReport, Perfdata};
use crate::exit::Verdict;
use crate::policy::humanize;

/// The first line stays under this, so that a text message holds it.
const FIRST_LINE: usize = 199;

/// The plugin's output.
pub fn nagios(report: &CheckReport, which: Perfdata) -> String {
    let first = first_line(report);
    let mut text = format!("{first} | {}\n", perfdata(&report.status, which));
    for reason in report.status.reasons() {
        let mut line = reason.severity.as_str().to_uppercase();
        if !reason.labels.is_empty() {
            let _ = write!(line, ": {}", humanize::list(&reason.labels));
        }
        let _ = write!(line, ": {}", reason.message);
        if !reason.remedy.is_empty() {
            let _ = write!(line, "; {}", reason.remedy);
        }
        text.push_str(&on_one_line(&line));
        text.push('\n');
    }
    text
}

/// The verdict and the worst, in less than 200 characters.
pub fn first_line(report: &CheckReport) -> String {
    let verdict = report.verdict();
    let room = FIRST_LINE - opening(verdict).len();
    plugin_line(verdict, &report.summary_within(room))
}

/// A verdict and what it is about, on one line of less than 200 characters without a bar.
pub fn plugin_line(verdict: Verdict, summary: &str) -> String {
    shorten(&on_one_line(&format!("{}{summary}", opening(verdict))), FIRST_LINE)
}

const fn opening(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "METATOKEN OK - ",
        Verdict::Warning => "METATOKEN WARNING - ",
        Verdict::Critical => "METATOKEN CRITICAL - ",
        Verdict::Unknown => "METATOKEN UNKNOWN - ",
    }
}

/// A bar would begin the performance data, and a line break another cause.
fn on_one_line(text: &str) -> String {
    text.replace('|', "/").replace(char::is_control, " ")
}

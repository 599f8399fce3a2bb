//! Writes the annotations of a GitHub workflow.
//!
//! A cause is one command on one line; what would end the line or the command is escaped. Source:
//! GitHub, workflow commands; the toolkit's `@actions/core`, command.ts.

use super::check::CheckReport;
use super::nagios::first_line;
use crate::policy::{Health, Reason, humanize};

/// An annotation a cause, and a last line for the log.
pub fn github(report: &CheckReport) -> String {
    let mut text: String = report.status.reasons().iter().map(annotation).collect();
    text.push_str(&first_line(report));
    text.push('\n');
    text
}

fn annotation(reason: &Reason) -> String {
    let level = match reason.severity {
        Health::Critical => "error",
        Health::Warning | Health::Unknown => "warning",
        Health::Ok => "notice",
    };
    let title = match reason.labels.as_slice() {
        [] => "metatoken".to_owned(),
        labels => format!("metatoken: {}", humanize::list(labels)),
    };
    let detail = reason.detail();
    let detail = if detail.is_empty() { String::new() } else { format!("\n{detail}") };
    let message = format!("{}{detail}", reason.what());
    format!("::{level} title={}::{}\n", property(&title), data(&message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(data("5 %\r\na: b, c"), "5 %25%0D%0Aa: b, c");
        assert_eq!(property("5 %\na: b, c"), "5 %25%0Aa%3A b%2C c");
    }
}

//! Writes the metrics, in the text format of Prometheus.
//!
//! Instants are absolute, so that time passes even when nothing writes them any more; no sample
//! carries a time of its own, which a node exporter refuses. A series that is not known is absent.
//! Source: Prometheus, exposition formats; node exporter, textfile collector.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::status::StatusReport;
use super::token_report::TokenReport;
use crate::policy::Health;
use crate::token::{Action, DeliveryState, Time};

/// The text of a metrics file.
pub fn prometheus(status: &StatusReport) -> String {
    let mut page = Page::default();
    per_token(&mut page, status);
    deliveries(&mut page, status);
    runs(&mut page, status);
    page.gauge("metatoken_build_info", "The version that wrote these metrics.");
    page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.text
}

fn per_token(page: &mut Page, status: &StatusReport) {
    page.each(
        status,
        "metatoken_token_expiry_timestamp_seconds",
        "When the token expires; absent if it never does or that is not known.",
        |token| token.expiry.at().map(seconds),
    );
    page.each(
        status,
        "metatoken_token_data_access_expiry_timestamp_seconds",
        "When access to the person's data expires unless the person returns to the app.",
        |token| Some(seconds(token.inspection.as_ref()?.data_access.until()?)),
    );
    page.each(
        status,
        "metatoken_token_valid",
        "Whether Graph last called the token alive; absent if it gave no verdict.",
        |token| token.inspection.as_ref()?.valid.map(i64::from),
    );
    page.each(
        status,
        "metatoken_token_health",
        "0 ok, 1 warning, 2 critical, 3 unknown, as `metatoken check` exits.",
        |token| Some(code(token.judgement.health)),
    );
    page.each(
        status,
        "metatoken_token_verified_timestamp_seconds",
        "When Graph last answered about the token.",
        |token| token.verified_at.map(seconds),
    );
    page.each(
        status,
        "metatoken_token_refreshed_timestamp_seconds",
        "When the token was last renewed.",
        |token| token.refresh.last_refreshed_at.map(seconds),
    );
    page.each(
        status,
        "metatoken_token_consecutive_failures",
        "How many renewals have failed since the last that did not.",
        |token| Some(i64::from(token.refresh.consecutive_failures)),
    );
    page.gauge(
        "metatoken_token_action_required",
        "1 for each kind of step that a person must take.",
    );
    for token in &status.tokens {
        for action in required(token) {
            let labels = [of(token).as_slice(), &[("action", action.as_str())]].concat();
            page.sample(&labels, 1);
        }
    }
}

/// The kinds of step that only a person can take for this token.
fn required(token: &TokenReport) -> BTreeSet<Action> {
    let reasons = token.judgement.reasons.iter().map(|reason| reason.action);
    reasons.filter(|action| action.needs_a_person()).collect()
}

fn deliveries(page: &mut Page, status: &StatusReport) {
    page.gauge(
        "metatoken_delivery_in_sync",
        "Whether the target has the current access token; absent if that is not known.",
    );
    for token in &status.tokens {
        for delivery in &token.deliveries {
            let value = match delivery.state() {
                DeliveryState::InSync => 1,
                DeliveryState::Unknown => continue,
                DeliveryState::Pending | DeliveryState::Failed | DeliveryState::Drifted => 0,
            };
            let labels = [of(token).as_slice(), &[("target", delivery.target.as_str())]].concat();
            page.sample(&labels, value);
        }
    }
}

fn runs(page: &mut Page, status: &StatusReport) {
    let runs = &status.runs;
    for (name, help, value) in [
        (
            "metatoken_run_started_timestamp_seconds",
            "When the last `refresh` began.",
            runs.started.map(seconds),
        ),
        (
            "metatoken_run_finished_timestamp_seconds",
            "When the last `refresh` that did its work finished, whatever it found.",
            runs.finished.map(seconds),
        ),
        (
            "metatoken_run_success_timestamp_seconds",
            "When the last `refresh` that found everything well finished.",
            runs.success.map(seconds),
        ),
        (
            "metatoken_run_exit_code",
            "The exit code of the last `refresh`.",
            runs.exit_code.map(i64::from),
        ),
    ] {
        page.gauge(name, help);
        if let Some(value) = value {
            page.sample(&[], value);
        }
    }
}

fn seconds(time: Time) -> i64 {
    time.timestamp()
}

const fn code(health: Health) -> i64 {
    match health {
        Health::Ok => 0,
        Health::Warning => 1,
        Health::Critical => 2,
        Health::Unknown => 3,
    }
}

fn of(token: &TokenReport) -> [(&str, &str); 2] {
    let label = token.label.as_ref().map_or("", crate::token::Label::as_str);
    [("token", label), ("type", token.token_type.map_or("", crate::token::TokenType::as_str))]
}

/// A page of metrics; a family without a sample leaves no trace in it.
#[derive(Default)]
struct Page {
    text: String,
    family: &'static str,
    header: String,
}

impl Page {
    /// Begins a family.
    fn gauge(&mut self, name: &'static str, help: &str) {
        self.family = name;
        self.header = format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
    }

    /// Adds a sample to the family.
    fn sample(&mut self, labels: &[(&str, &str)], value: i64) {
        self.text.push_str(&std::mem::take(&mut self.header));
        self.text.push_str(self.family);
        if !labels.is_empty() {
            let pairs: Vec<String> = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
                .collect();
            let _ = write!(self.text, "{{{}}}", pairs.join(","));
        }
        let _ = writeln!(self.text, " {value}");
    }

    /// A family with a sample for each token that has a value.
    fn each(
        &mut self,
        status: &StatusReport,
        name: &'static str,
        help: &str,
        value: impl Fn(&TokenReport) -> Option<i64>,
    ) {
        self.gauge(name, help);
        for token in &status.tokens {
            if let Some(value) = value(token) {
                self.sample(&of(token), value);
            }
        }
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_without_a_sample_is_absent_and_labels_are_escaped() {
        let mut page = Page::default();
        page.gauge("empty", "Nothing.");
        page.gauge("full", "One.");
        page.sample(&[("target", "a\"b\\c\nd")], 1);
        page.sample(&[], 2);
        assert_eq!(
            page.text,
            "# HELP full One.\n# TYPE full gauge\nfull{target=\"a\\\"b\\\\c\\nd\"} 1\nfull 2\n"
        );
    }
}

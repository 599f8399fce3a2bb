//! Holds what commands found, as values, and renders it.
//!
//! A report is built once and rendered as often as asked: the table, the JSON and the monitoring
//! line are read off the same value, so they cannot tell different stories. Nothing here prints.

mod act_by;
mod check;
mod config_check;
mod deliveries;
mod github;
mod history;
mod html;
mod http_answer;
mod import;
mod json;
mod markdown;
mod nagios;
mod pages;
mod preview;
mod prometheus;
mod reached;
mod run;
mod runs;
mod status;
mod table;
mod text;
mod token_page;
mod token_report;
mod token_result;

pub use act_by::ActBy;
pub use check::{CheckReport, CheckScope};
pub use config_check::{CheckLines, CheckResult, ConfigCheck, ConfigReport};
pub use deliveries::{DeliveryReport, TokenDeliveries};
pub use github::github;
pub use history::{HistoryEntry, HistoryReport};
pub use html::{
    PAGE_BEGINS, PageSettings, PastMonth, PastRun, TokenPast, html_page, worth_opening,
};
pub use http_answer::{AnswerDetail, AnswerOptions, FailOn, bad_request_body, error_body};
pub use import::{ImportReport, RefusedLine};
pub use json::{VERSION, complaint_json, document, reasons as reasons_json, time as time_json};
pub use markdown::markdown;
pub use nagios::{Perfdata, nagios, plugin_line};
pub use pages::{PagesReport, ReachedPage};
pub use preview::{PreviewReport, PreviewedDelivery, Would};
pub use prometheus::prometheus;
pub use reached::{ReachedPlace, ReachedTarget};
pub use run::RunReport;
pub use runs::{ListedRun, RunsReport};
pub use status::{LastRuns, PageRows, StatusReport, StatusSort};
pub use text::{TextColor, TextStyle, Times, wrapped};
pub use token_page::{BackupStanding, PageCounts, TokenBackground, token_page};
pub use token_report::{ProbeReport, Refresh, TokenReport, VerdictSource};
pub use token_result::TokenResult;

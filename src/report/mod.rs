//! What commands found, as values, and how each is shown.
//!
//! A report is built once and rendered as often as asked: the table, the JSON and the monitoring
//! line are read off the same value, so they cannot tell different stories. Nothing here prints.

mod check;
mod complaint;
mod deliveries;
mod github;
mod history;
mod json;
mod nagios;
mod perfdata;
mod prefix;
mod prometheus;
mod reasons;
mod rehearsal;
mod run;
mod status;
mod table;

pub use check::{CheckReport, Scope};
pub use complaint::complaint_json;
pub use deliveries::{DeliveryReport, TokenDeliveries};
pub use github::github;
pub use history::{Entry, HistoryReport};
pub use json::{
    VERSION, document, problem as problem_json, reasons as reasons_json, time as time_json,
};
pub use nagios::{nagios, plugin_line};
pub use perfdata::Perfdata;
pub use prefix::prefixed;
pub use prometheus::prometheus;
pub use rehearsal::{RehearsalReport, RehearsedDelivery, Would};
pub use run::{RunReport, TokenResult};
pub use status::{LastRuns, Refresh, Source, StatusReport, TokenReport};

/// How wide and how colourful a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canvas {
    /// The terminal's width; nothing when the text goes to a file or a pipe.
    pub width: Option<u16>,
    /// Whether words may be coloured.
    pub ink: Ink,
}

/// Whether words may be coloured. Colour never carries a meaning that the word does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Plain text.
    Plain,
    /// ANSI colours.
    Coloured,
}

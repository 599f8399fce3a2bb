//! `[alerts]`: what monitoring reads, and how remedies begin.

use std::path::PathBuf;

use chrono::TimeDelta;

use super::diagnostic::{Diagnostic, Span};
use super::reader::Section;
use super::reserved::{Reserved, Slot};
use super::wording::quoted_path;

/// `[alerts]`: what monitoring is told beside the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// Where `refresh` writes the metrics for a node exporter.
    pub textfile: Option<PathBuf>,
    /// How often runs are meant to happen.
    pub run_every: Option<TimeDelta>,
    /// What is put before the commands in remedies.
    pub prefix: Option<String>,
}

/// Reads `[alerts]`; the metrics must not go where something else is kept.
pub(super) fn read(alerts: &Section<'_>, reserved: &Reserved) -> AlertSettings {
    let textfile = alerts.path("textfile", "Where `refresh` writes metrics for a node exporter");
    let textfile = textfile.map(|path| path.components().collect::<PathBuf>());
    if let Some(path) = textfile.get()
        && let Some(what) = reserved.ruined_by(&Slot::whole(path))
    {
        let message = format!("{} {what}", quoted_path(path));
        textfile.refuse(message, "the metrics need a file of their own");
    }
    let run_every = alerts.duration("run_every", "How often runs are meant to happen");
    let prefix = alerts.string("prefix", "What goes before the commands in remedies");
    let settings = AlertSettings {
        textfile: textfile.optional(),
        run_every: run_every.positive().optional(),
        prefix: prefix.check(|prefix, span| bad_prefix(prefix, span)).optional(),
    };
    alerts.show();
    settings
}

/// The prefix goes before a command that a person types, on one line.
fn bad_prefix(prefix: &str, span: Span) -> Option<Diagnostic> {
    if prefix.trim().is_empty() {
        let wrong = Diagnostic::at(span, "`prefix` is empty");
        return Some(wrong.label("leave it out, or write what goes before `metatoken`"));
    }
    let message = "`prefix` must be on one line, without control characters";
    prefix.contains(char::is_control).then(|| Diagnostic::at(span, message))
}

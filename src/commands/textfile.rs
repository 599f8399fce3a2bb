//! Writes the metrics file that a node exporter reads.

use std::path::Path;

use super::own_file::replace;
use crate::files::Readers;
use crate::policy::{Health, Reason};
use crate::report::{StatusReport, prometheus};
use crate::shell::quoted;

/// The first characters of every metrics file of ours.
const BEGINNING: &str = "# HELP metatoken_";

/// Writes the metrics, readable by everybody; the error is a reason to report.
pub fn write(path: &Path, status: &StatusReport) -> Result<(), Box<Reason>> {
    replace(path, &prometheus(status), BEGINNING, &Readers::Everybody).map_err(|failed| {
        let shown = path.display();
        let message = format!("the metrics file `{shown}` cannot be written: {}", failed.cause);
        let command = format!("metatoken check --textfile {}", quoted(path));
        let step = format!("{}; then run `{command}`", failed.step);
        Box::new(Reason {
            about: Some(shown.to_string()),
            ..Reason::of_the_system("textfile_failed", Health::Warning, message, step)
        })
    })
}

//! The metrics file that a node exporter reads.

use std::io::ErrorKind;
use std::path::Path;

use crate::file;
use crate::policy::{Health, Reason};
use crate::report::{StatusReport, prometheus};
use crate::token::Action;

/// Writes the metrics for everybody to read; what is to be said where that fails.
pub(super) fn write(path: &Path, status: &StatusReport) -> Result<(), Reason> {
    file::publish(path, prometheus(status).as_bytes()).map_err(|error| {
        let (cause, remedy) = match error.kind() {
            ErrorKind::NotFound => ("its folder is not there".to_owned(), "make the folder"),
            ErrorKind::PermissionDenied => (
                error.kind().to_string(),
                "make its folder writable for the user who runs this command",
            ),
            other => (other.to_string(), "name a file that can be written"),
        };
        Reason {
            code: "textfile_failed",
            severity: Health::Warning,
            message: format!("the metrics file `{}` cannot be written: {cause}", path.display()),
            remedy: remedy.to_owned(),
            action: Action::FixConfiguration,
            labels: Vec::new(),
            held_by: None,
        }
    })
}

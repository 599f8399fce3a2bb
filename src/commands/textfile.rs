//! Writes the metrics file that a node exporter reads.
//!
//! It is replaced whole, so a mistyped name must not cost what is there: a key, an application's
//! settings, a device.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use crate::files::{self, Readers};
use crate::policy::{Health, Reason};
use crate::report::{StatusReport, prometheus};
use crate::shell::quoted;

/// The first bytes of every metrics file of ours.
const BEGINNING: &[u8] = b"# HELP metatoken_";

/// Writes the metrics, readable by everybody; the error is a reason to report.
pub fn write(path: &Path, status: &StatusReport) -> Result<(), Box<Reason>> {
    let failed = |(cause, step): (String, &str)| {
        let message = format!("the metrics file `{}` cannot be written: {cause}", path.display());
        let step = format!("{step}; then run `metatoken check --textfile {}`", quoted(path));
        Box::new(Reason {
            about: Some(path.display().to_string()),
            ..Reason::of_the_system("textfile_failed", Health::Warning, message, step)
        })
    };
    match is_taken(path) {
        Ok(true) => Err(failed((
            "something else has its name".to_owned(),
            "name another file, or move that one away",
        ))),
        Ok(false) => files::publish(path, prometheus(status).as_bytes(), &Readers::Everybody)
            .map_err(|error| failed(explained(&error))),
        Err(error) => Err(failed(explained(&error))),
    }
}

/// Whether there is something else than a metrics file of ours.
fn is_taken(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
        // Not opened: a pipe would block.
        Ok(about) if !about.is_file() => Ok(true),
        Ok(_) => {
            let mut beginning = Vec::new();
            File::open(path)?.take(BEGINNING.len() as u64).read_to_end(&mut beginning)?;
            Ok(!beginning.is_empty() && beginning != BEGINNING)
        }
    }
}

/// Why it failed, and what to do.
fn explained(error: &io::Error) -> (String, &'static str) {
    match error.kind() {
        ErrorKind::NotFound => ("its folder is not there".to_owned(), "make the folder"),
        ErrorKind::PermissionDenied => (
            error.kind().to_string(),
            "make its folder writable for the user who runs this command",
        ),
        other => (other.to_string(), "name a file that can be written"),
    }
}

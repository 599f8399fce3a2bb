//! Replaces a file of ours that others read: the metrics, the page.
//!
//! It is replaced whole, so a mistyped name must not cost what is there: a key, an application's
//! settings, a device.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use crate::files::{self, Readers};

/// Why a file was not written, and what to do.
#[derive(Debug)]
pub struct NotReplaced {
    pub cause: String,
    pub step: String,
}

impl NotReplaced {
    /// It was not written for this.
    pub fn because(cause: impl Into<String>, step: impl Into<String>) -> Self {
        Self { cause: cause.into(), step: step.into() }
    }
}

/// Writes the file, unless there is something that does not begin as every file of its kind.
pub fn replace(
    path: &Path,
    content: &str,
    beginning: &str,
    readers: &Readers,
) -> Result<(), NotReplaced> {
    match is_taken(path, beginning.as_bytes()) {
        Ok(true) => Err(NotReplaced::because(
            "something else has its name",
            "name another file, or move that one away",
        )),
        Ok(false) => {
            files::publish(path, content.as_bytes(), readers).map_err(|error| explained(&error))
        }
        Err(error) => Err(explained(&error)),
    }
}

/// Whether there is something else than a file of ours, or an empty one that was made for us.
fn is_taken(path: &Path, beginning: &[u8]) -> io::Result<bool> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
        // Not opened: a pipe would block.
        Ok(about) if !about.is_file() => Ok(true),
        Ok(_) => {
            let mut found = Vec::new();
            File::open(path)?.take(beginning.len() as u64).read_to_end(&mut found)?;
            Ok(!found.is_empty() && found != beginning)
        }
    }
}

fn explained(error: &io::Error) -> NotReplaced {
    let (cause, step) = match error.kind() {
        ErrorKind::NotFound => ("its folder is not there".to_owned(), "make the folder"),
        ErrorKind::PermissionDenied => (
            error.kind().to_string(),
            "make its folder writable for the user who runs this command",
        ),
        other => (other.to_string(), "name a file that can be written"),
    };
    NotReplaced::because(cause, step)
}

//! Replaces a file of ours that others read: the metrics, the page.
//!
//! It is replaced whole, so a mistyped name must not cost what is there: a key, an application's
//! settings, a device.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::Access;

use crate::files::{self, Readers};
use crate::shell::{group_name, quoted, user_name};

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
        Ok(false) => files::publish(path, content.as_bytes(), readers)
            .map_err(|error| explained(path, &error)),
        Err(error) if error.kind() == ErrorKind::PermissionDenied && path.exists() => {
            Err(NotReplaced::because(
                "another user's file has its name",
                "name another file, or move that one away",
            ))
        }
        Err(error) => Err(explained(path, &error)),
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

fn explained(path: &Path, error: &io::Error) -> NotReplaced {
    let folder = quoted(folder_of(path));
    let user = user_name(rustix::process::geteuid().as_raw());
    let (cause, step) = match error.kind() {
        ErrorKind::NotFound => {
            ("its folder is not there".to_owned(), format!("`mkdir -p {folder}`"))
        }
        ErrorKind::PermissionDenied if is_writable(folder_of(path)) => {
            let group = folder_of(path).metadata().map_or(0, |folder| folder.gid());
            let group = group_name(group);
            let step = format!(
                "as root, `usermod -aG {group} {user}`, or set `page_mode = \"0644\"` or \"0600\""
            );
            (format!("{user} is not in the group of its folder, {group}"), step)
        }
        ErrorKind::PermissionDenied => {
            let step = format!("as root, `setfacl -m u:{user}:rwx {folder}`");
            (error.kind().to_string(), step)
        }
        other => (other.to_string(), "name a file that can be written".to_owned()),
    };
    NotReplaced::because(cause, step)
}

fn is_writable(folder: &Path) -> bool {
    rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

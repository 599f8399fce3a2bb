//! `store backup`: a copy of the store to keep elsewhere.
//!
//! It takes no lock and needs no key, so it can be made at any time, by any user who may read the store:
//! what it holds is the store at one moment, whatever a run writes meanwhile.

use std::error::Error as _;
use std::path::Path;

use rustix::io::Errno;

use crate::error::{CliError, visible};
use crate::exit::Exit;
use crate::files::{self, FileError};
use crate::report;
use crate::session::Session;
use crate::shell::quoted;
use crate::store::{self, belongs_to_store};
use crate::ui::{OutputFormat, Verbosity};

/// The part of the hidden name that all backups share while they are written.
const KIND: &str = "metatoken-backup";

/// Writes a copy of the store to a new file.
pub fn back_up(session: &Session, file: &Path) -> Result<Exit, CliError> {
    let (path, key) = (&session.config.store.path, session.made_key());
    if file == Path::new("-") {
        let message = "a backup is written to a file, not to standard output";
        return Err(CliError::new(Exit::Usage, "usage", "-", message)
            .hint("name a file: `metatoken store backup FILE`"));
    }
    if belongs_to_store(file, path, key) {
        let message = "a backup cannot be written there: the file belongs to the store itself";
        return Err(CliError::new(Exit::Usage, "usage", shown(file), message)
            .hint("name a file in another folder, best on another disk"));
    }
    let Some(copy) = store::backup(path, key)? else {
        let message = "there is no store yet, so there is nothing to back up";
        return Err(CliError::new(Exit::Storage, "store_missing", shown(path), message)
            .hint("`metatoken refresh` makes it"));
    };
    files::create_dated(file, &copy, files::PRIVATE, KIND).map_err(|error| not_written(&error))?;
    show(session, file, copy.len(), key)
}

fn show(
    session: &Session,
    file: &Path,
    bytes: usize,
    key: Option<&Path>,
) -> Result<Exit, CliError> {
    let ui = &session.ui;
    if ui.format == OutputFormat::Json {
        let said = serde_json::json!({
            "version": report::VERSION,
            "backup": { "file": shown(file), "bytes": bytes, "key_included": false },
        });
        ui.data(&format!("{said:#}\n"))?;
    } else if ui.verbosity > Verbosity::Quiet {
        let key = match key {
            Some(key) => format!("keep a copy of `{}` apart from it", key.display()),
            None => "keep a copy of it apart from this file".to_owned(),
        };
        let file = visible(&file.to_string_lossy());
        let said = format!("{file}: {bytes} bytes, without the store key: {key}\n");
        ui.data(&ui.style().wrapped(&said, 2))?;
    }
    Ok(Exit::Ok)
}

fn not_written(error: &FileError) -> CliError {
    let file = shown(error.path());
    match error {
        FileError::Exists(_) => {
            let message = "the file exists, and a backup overwrites nothing";
            CliError::new(Exit::Usage, "file_exists", file, message).hint("name a new file")
        }
        FileError::NoFolder(path) => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            CliError::new(Exit::Storage, "backup_unwritable", file, "its folder is missing")
                .hint(format!("`mkdir -p {}`", quoted(folder)))
        }
        FileError::FolderUnwritable { folder, .. } => {
            let hint = format!(
                "name a file in a folder that you can write; who may write in this one: `ls -ld {}`",
                quoted(folder)
            );
            unwritten(file, error).hint(hint)
        }
        FileError::Unreadable(_, Errno::ACCESS) => {
            unwritten(file, error).hint("name a file in a folder that you can enter and write")
        }
        FileError::NotAFile(..) | FileError::Dangling { .. } => {
            unwritten(file, error).hint("name a new file")
        }
        FileError::Unwritten(..) => {
            unwritten(file, error).hint("make room there, or name a file on another disk")
        }
        _ => {
            let again = || "try it again, or name another file".to_owned();
            unwritten(file, error).hint(error.hint().unwrap_or_else(again))
        }
    }
}

fn unwritten(file: String, error: &FileError) -> CliError {
    let message = "the backup cannot be written";
    let mut complaint = CliError::new(Exit::Storage, "backup_unwritable", file, message);
    complaint.causes.push(error.source().map_or_else(|| error.message(), ToString::to_string));
    complaint
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

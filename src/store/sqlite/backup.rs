//! Copies the store while runs go on.

use std::path::Path;

use super::connection::{self, SchemaState};
use super::lock::lock_path;
use super::open::reader_of_living;
use super::place;
use crate::store::error::StoreError;
use crate::store::tx_error::{Doing, SystemCause, TxError};

/// The store as one file that needs no log, at one moment, whatever runs write meanwhile; `None` if
/// none was made yet. The key is not in it. `key` is the key file where it is one of our making.
///
/// What is damaged is not handed out as a backup.
pub fn backup(path: &Path, key: Option<&Path>) -> Result<Option<Vec<u8>>, StoreError> {
    let about = |error: rusqlite::Error| TxError::from(error).about(path, Doing::Reading);
    let Some((connection, standing)) = reader_of_living(path, key)? else { return Ok(None) };
    if standing == SchemaState::Blank {
        return Ok(None);
    }
    let mut copy = connection::copy(Some(&connection)).map_err(about)?;
    let verdict: String =
        copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(about)?;
    if verdict != "ok" {
        return Err(StoreError::Damaged(path.to_path_buf(), SystemCause::new(verdict)));
    }
    let bytes = copy.serialize("main").map_err(about)?.to_vec();
    Ok(Some(bytes))
}

/// Whether a path is one of the store's own: itself, what `SQLite` keeps beside it, its lock, the
/// mark of a failed run, the name under which it is made, or the key file; also by another way to
/// the same folder.
pub fn belongs_to_store(file: &Path, store: &Path, key: Option<&Path>) -> bool {
    let real = place::real(store);
    let beside = ["", place::LOG, place::INDEX, place::JOURNAL, place::MARK]
        .map(|ending| [place::beside(store, ending), place::beside(&real, ending)])
        .into_iter()
        .flatten();
    let own =
        beside.chain([lock_path(store), place::waiting(&real)]).chain(key.map(Path::to_path_buf));
    let place = |path: &Path| {
        let folder = std::fs::canonicalize(place::folder_of(path)).ok();
        (folder, path.file_name().map(std::ffi::OsStr::to_owned))
    };
    own.into_iter().any(|path| place(&path) == place(file))
}

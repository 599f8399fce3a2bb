//! Tells a store that was lost from one that was never made.
//!
//! A store is made where there is none, and only if there is no trace of an earlier one: not the lock
//! file, which remembers the last run that used it; not a key that was made with it; not a log
//! whose pages belong to it. A first run that was killed left a note in the lock file that it had
//! only begun, and does not count. A store that lived is restored, or put aside by a person, who
//! then hands over every access token again.

use std::fs;
use std::io;
use std::path::Path;

use super::lock::{self, LockMemory, Recalled};
use super::log::{self, LogState};
use super::lost_store::{LostStore, Sign, StoreLoss};
use super::place;
use crate::store::error::StoreError;
use crate::store::private_files;
use crate::store::tx_error::SystemCause;

/// What has the name of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// Nothing.
    Nothing,
    /// A file without a byte in it.
    Empty,
    /// A file with something in it.
    Something,
}

/// Looks what has the name of the store; a link that leads to nothing is an error, and so is what
/// is not a file, under the names of the log, its index and the journal too: to open a pipe waits
/// for ever.
pub fn file_state(store: &Path) -> Result<FileState, StoreError> {
    let unreadable = |error| StoreError::Unreadable(store.to_path_buf(), SystemCause::new(error));
    let real = place::real(store);
    if let Some(other) = [place::LOG, place::INDEX, place::JOURNAL]
        .map(|it| place::beside(&real, it))
        .iter()
        .find(|it| private_files::is_no_file(it))
    {
        return Err(StoreError::NotAFile(other.clone()));
    }
    match fs::metadata(store) {
        Ok(meta) if !meta.is_file() => Err(StoreError::NotAFile(store.to_path_buf())),
        Ok(meta) if meta.len() == 0 => Ok(FileState::Empty),
        Ok(_) => Ok(FileState::Something),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::read_link(store) {
            Ok(target) => Err(StoreError::Dangling { path: store.to_path_buf(), target }),
            Err(_) => Ok(FileState::Nothing),
        },
        Err(error) => Err(unreadable(error)),
    }
}

/// Looks what has the store's name. A store that lived and is missing or empty is an error.
pub fn look(store: &Path, key: Option<&Path>) -> Result<FileState, StoreError> {
    let found = file_state(store)?;
    let loss = match found {
        FileState::Something => return Ok(found),
        FileState::Nothing => StoreLoss::Missing,
        FileState::Empty => StoreLoss::Emptied,
    };
    let Some(sign) = sign(store, key) else { return Ok(found) };
    // A first run may have made it while we looked.
    match file_state(store)? {
        FileState::Something => Ok(FileState::Something),
        _ => Err(lost(store, key, loss, sign)),
    }
}

/// Turns the error of opening a store into the loss that it is where the store lived.
pub fn explain(error: StoreError, store: &Path, key: Option<&Path>) -> StoreError {
    let loss = match &error {
        StoreError::NotADatabase(_) | StoreError::Foreign(_) => StoreLoss::Overwritten,
        StoreError::Damaged(_, cause) => StoreLoss::Damaged(cause.clone()),
        _ => return error,
    };
    match sign(store, key) {
        Some(sign) => lost(store, key, loss, sign),
        None => error,
    }
}

/// Refuses a store with nothing in it, if it lived.
pub fn emptied(store: &Path, key: Option<&Path>) -> Result<(), StoreError> {
    match sign(store, key) {
        Some(sign) => Err(lost(store, key, StoreLoss::Emptied, sign)),
        None => Ok(()),
    }
}

fn lost(store: &Path, key: Option<&Path>, loss: StoreLoss, sign: Sign) -> StoreError {
    StoreError::Lost(Box::new(LostStore::new(store, key, loss, sign)))
}

fn sign(store: &Path, key: Option<&Path>) -> Option<Sign> {
    match lock::recall(store) {
        Recalled::Memory(LockMemory::Used(at)) => return Some(Sign::Used(at)),
        Recalled::Memory(LockMemory::Begun) => return None,
        Recalled::Closed => return Some(Sign::Locked),
        Recalled::Nothing => {}
    }
    if key.is_some_and(|key| key.metadata().is_ok_and(|it| it.len() > 0)) {
        return Some(Sign::Key);
    }
    let log = log::look(&place::real(store));
    log.is_ok_and(|log| log == LogState::Frames).then_some(Sign::Log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_stores_name_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("metatoken.db");
        assert_eq!(file_state(&store).unwrap(), FileState::Nothing);
        private_files::make_file(&store).unwrap();
        assert_eq!(file_state(&store).unwrap(), FileState::Empty);
        let link = dir.path().join("link.db");
        std::os::unix::fs::symlink(&store, &link).unwrap();
        assert_eq!(
            (file_state(&link).unwrap(), place::real(&link)),
            (FileState::Empty, place::real(&store))
        );
        fs::remove_file(&store).unwrap();
        assert_eq!(file_state(&link).unwrap_err().code(), "store_unreadable");
        assert!(
            matches!(file_state(dir.path()), Err(StoreError::NotAFile(path)) if path == dir.path())
        );
    }
}

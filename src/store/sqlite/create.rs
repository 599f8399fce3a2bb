//! Creates a new store: under another name until it is whole.
//!
//! A kill at any moment leaves no store or a whole one. The lock file first says that it is begun,
//! so that a key without a store is known for what it is; then the key is made, then the store,
//! which gets its name when it is on the disk.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::OpenFlags;

use super::connection;
use super::lock::RunLock;
use super::place;
use crate::crypto::Key;
use crate::failpoint;
use crate::store::error::StoreError;
use crate::store::key::KeySource;
use crate::store::private_files;
use crate::store::seal::Seals;
use crate::store::tx_error::{Doing, SystemCause, TxError};

/// Makes the store, where nothing or an empty file has its name and no trace of an earlier store is left.
pub fn create(lock: &RunLock, path: &Path, key: &KeySource) -> Result<(), StoreError> {
    let unwritable =
        |error: io::Error| StoreError::Unwritable(path.to_path_buf(), SystemCause::new(error));
    private_files::make_folder(private_files::folder_of(path)).map_err(unwritable)?;
    lock.begin_store()
        .map_err(|error| StoreError::Unwritable(path.to_path_buf(), SystemCause::new(error)))?;
    failpoint::reach("store-begun");
    let store_key = key.existing_or_new()?;
    failpoint::reach("key-made");
    let path = &place::real(path);
    let waiting = private_files::waiting(path);
    let made = fill(&waiting, path, &store_key).and_then(|()| {
        failpoint::reach("store-written");
        place::clear_beside(path)
            .and_then(|()| fs::rename(&waiting, path))
            .and_then(|()| {
                failpoint::reach("store-named");
                private_files::sync_folder(path)
            })
            .map_err(unwritable)
    });
    if made.is_err() {
        // The first error is the one to tell, and the next run clears away what stays.
        let _ = place::clear_away(&waiting);
    }
    made
}

/// Fills a store under the name `waiting`, with mode, owner and group for the one at `path`.
fn fill(waiting: &Path, path: &Path, key: &Key) -> Result<(), StoreError> {
    let unwritable =
        |error: io::Error| StoreError::Unwritable(path.to_path_buf(), SystemCause::new(error));
    place::clear_away(waiting).map_err(unwritable)?;
    {
        let file = private_files::make_file(waiting).map_err(unwritable)?;
        give_rights(&file, path).map_err(unwritable)?;
    }
    failpoint::reach("store-opened");
    let about = |error: TxError| error.about(path, Doing::Writing);
    let uri = place::uri(waiting, "mode=rw");
    let connection = connection::open(&uri, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .map_err(|error| about(error.into()))?;
    connection
        .pragma_update_and_check(None, "journal_mode", "memory", |_| Ok(()))
        .map_err(|error| about(error.into()))?;
    connection::migrate(&connection, |tx| Seals::create(tx, key)).map_err(about)?;
    connection.close().map_err(|(_, error)| about(error.into()))?;
    failpoint::reach("store-filled");
    File::open(waiting).and_then(|file| file.sync_all()).map_err(unwritable)
}

/// Takes over mode, owner and group of an empty file that was made beforehand.
fn give_rights(file: &File, path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(before) => private_files::give_rights(file, &before),
        Err(_) => file.set_permissions(Permissions::from_mode(place::mode_of_new(path))),
    }
}

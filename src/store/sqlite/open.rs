//! Opens the file of a store: to write, to read, or as a copy in memory, which may be handed out as
//! a backup.

use std::path::Path;

use rusqlite::Connection;

use super::connection::{self, SchemaState};
use super::create;
use super::lock::RunLock;
use super::loss::{self, FileState};
use super::place;
use super::room::Room;
use super::{Sqlite, SqliteTx};
use crate::store::error::StoreError;
use crate::store::key::KeySource;
use crate::store::private_files;
use crate::store::seal::Seals;
use crate::store::tx::Tx;
use crate::store::tx_error::{Doing, SystemCause, TxError};

type Result<T> = std::result::Result<T, StoreError>;

/// Opens the store to write it, after the lock was taken; makes store and key if there is no store,
/// and migrates an older one.
pub fn open(lock: &RunLock, path: &Path, key: &KeySource) -> Result<(Sqlite, Seals)> {
    if loss::look(path, key.made())? != FileState::Something {
        create::create(lock, path, key)?;
    }
    // A store that was closed and is open again: what SQLite keeps beside it has followed the
    // first, and would be opened for reading alone.
    place::carry_mode(path);
    let open = || connection::writer(path).map_err(|it| loss::explain(it, path, key.made()));
    let (connection, standing) = match open()? {
        // A file that was begun by an earlier version and has nothing in it.
        (blank, SchemaState::Blank) => {
            drop(blank);
            loss::emptied(path, key.made())?;
            create::create(lock, path, key)?;
            open()?
        }
        opened => opened,
    };
    let seals = prepare(&connection, standing, path, key)?;
    // What a first run that was killed has left, where the store came from a backup since.
    for made in [Some(place::real(path).as_path()), key.made()].into_iter().flatten() {
        let _ = place::clear_away(&private_files::waiting(made));
    }
    lock.use_store()
        .map_err(|error| StoreError::Unwritable(path.to_path_buf(), SystemCause::new(error)))?;
    place::carry_mode(path);
    Ok((start(connection, path, Some(Room::of(path)))?, seals))
}

/// Opens the store to write what needs no key, after the lock was taken; `None` if there is none of
/// today's schema.
pub fn open_without_key(path: &Path) -> Result<Option<Sqlite>> {
    if loss::file_state(path)? != FileState::Something {
        return Ok(None);
    }
    // By a reader first: to open an older one to write would already change it.
    if connection::reader(path)?.is_none_or(|(_, standing)| standing != SchemaState::Today) {
        return Ok(None);
    }
    let (connection, _) = connection::writer(path)?;
    place::carry_mode(path);
    start(connection, path, Some(Room::of(path))).map(Some)
}

/// Says whether there is a store, and refuses one of an older schema.
pub fn is_there(path: &Path, key: Option<&Path>) -> Result<bool> {
    match reader_of_living(path, key)? {
        Some((_, SchemaState::Today)) => Ok(true),
        Some((_, SchemaState::Older)) => Err(StoreError::Older(path.to_path_buf())),
        Some((_, SchemaState::Blank)) | None => Ok(false),
    }
}

/// Opens the store to read it; `None` if none was made yet.
///
/// Needs no key, no lock and no right to write. A store of an older schema is migrated in memory.
pub fn open_reader(path: &Path, key: Option<&Path>) -> Result<Option<Sqlite>> {
    let Some((connection, standing)) = reader_of_living(path, key)? else { return Ok(None) };
    let read_only = |error: rusqlite::Error| TxError::from(error).about(path, Doing::Reading);
    let connection = match standing {
        SchemaState::Today => connection,
        SchemaState::Older | SchemaState::Blank => {
            let copy = connection::copy(Some(&connection)).map_err(read_only)?;
            connection::migrate(&copy, |_| Ok(()))
                .map_err(|error| error.about(path, Doing::Reading))?;
            copy
        }
    };
    connection.pragma_update(None, "query_only", true).map_err(read_only)?;
    Ok(Some(Sqlite::read_only(connection, path)))
}

/// Opens a copy of the store in memory, or an empty one if none was made yet.
pub fn rehearsal(
    path: &Path,
    key: Option<&KeySource>,
    made: Option<&Path>,
) -> Result<(Sqlite, Option<Seals>)> {
    let about = |error: TxError| error.about(path, Doing::Reading);
    let source = reader_of_living(path, made)?;
    let standing = source.as_ref().map_or(SchemaState::Blank, |(_, standing)| *standing);
    let copy = connection::copy(source.as_ref().map(|(connection, _)| connection))
        .map_err(|error| about(error.into()))?;
    let seals = match (standing, key) {
        (SchemaState::Blank, _) => {
            let random = crate::crypto::random_key();
            Some(connection::migrate(&copy, |tx| Seals::create(tx, &random)).map_err(about)?)
        }
        (_, Some(key)) => Some(prepare(&copy, standing, path, key)?),
        (_, None) => connection::migrate(&copy, |_| Ok(None)).map_err(about)?,
    };
    Ok((start(copy, path, None)?, seals))
}

/// Copies the store as one file that needs no log, at one moment, whatever runs write meanwhile; `None` if
/// none was made yet. The key is not in it. `key` is the key file where it is one of our making.
///
/// What is damaged is not handed out as a backup.
pub fn backup(path: &Path, key: Option<&Path>) -> Result<Option<Vec<u8>>> {
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

/// Writes a few rows beside a run, without its lock, in one transaction.
///
/// Best effort: it waits a second at most, and leaves a store of another schema alone, and one whose
/// disk is so full that a run may need what is left.
pub fn beside_a_run(
    path: &Path,
    rows: usize,
    work: impl FnOnce(&mut dyn Tx) -> std::result::Result<(), TxError>,
) -> Result<()> {
    let room = Room::of(path);
    if !room.has_some_for_others(rows) {
        return Ok(());
    }
    let (connection, standing) = connection::writer(path)?;
    if standing == SchemaState::Today {
        connection::write_soon(&connection, |within| work(&mut SqliteTx::new(within, None)))
            .map_err(|error| error.about(path, Doing::Writing))?;
        place::carry_mode(path);
    }
    room.close(connection);
    Ok(())
}

fn start(connection: Connection, path: &Path, room: Option<Room>) -> Result<Sqlite> {
    Sqlite::start(connection, path, room)
        .map_err(|error| StoreError::Unreadable(path.to_path_buf(), SystemCause::new(error)))
}

/// Opens a reader of a store that was not lost; `None` if none was made yet.
pub fn reader_of_living(
    path: &Path,
    key: Option<&Path>,
) -> Result<Option<(Connection, SchemaState)>> {
    if loss::look(path, key)? != FileState::Something {
        return Ok(None);
    }
    let opened = connection::reader(path).map_err(|error| loss::explain(error, path, key))?;
    if opened.as_ref().is_some_and(|(_, standing)| *standing == SchemaState::Blank) {
        loss::emptied(path, key)?;
    }
    Ok(opened)
}

/// Brings an open file to today's schema, with its key at hand.
///
/// The key is tried first: a store that it does not open stays as it is.
fn prepare(
    connection: &Connection,
    standing: SchemaState,
    path: &Path,
    key: &KeySource,
) -> Result<Seals> {
    let about = |error: TxError| key.explain(error, path);
    let unwrap = |key| Seals::unwrap(&mut SqliteTx::new(connection, None), &key);
    match standing {
        SchemaState::Blank => Err(StoreError::NotADatabase(path.to_path_buf())),
        SchemaState::Older => {
            let seals = unwrap(key.existing()?).map_err(about)?;
            connection::migrate(connection, |_| Ok(seals)).map_err(about)
        }
        SchemaState::Today => unwrap(key.existing()?).map_err(about),
    }
}

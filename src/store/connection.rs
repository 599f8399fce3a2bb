//! Opening the file: as its writer, as a reader, or as a copy in memory.
//!
//! The journal is a write-ahead log whose two files are kept when the writer leaves. A reader of
//! another user, in a folder that it cannot write, can then always open the store: it reads the
//! log's index where a writer lives, and rebuilds one in its own memory after a writer was
//! killed. A rollback journal cannot do this: what a killed writer leaves there only somebody
//! who may write can undo. Without a log beside it (a copy, a backup) nobody writes the file, and
//! it is read as one that never changes.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, FileControl, OpenFlags, Transaction, TransactionBehavior};

use super::error::{Cause, StoreError};
use super::fault::{Doing, Fault};
use super::{migrations, place};

/// Marks our files among all of SQLite's: `MTKN`.
const APPLICATION: i64 = 0x4d54_4b4e;
/// How many statements stay prepared? All that one token's way through a run needs: the default
/// of 16 would have most of them read anew for every token.
const STATEMENTS: usize = 64;
/// How long to wait for another connection's lock.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to stand back before asking again.
const RETRY_AFTER: Duration = Duration::from_millis(10);
/// How often a reader asks while a writer is just opening its log.
const READER_TRIES: u32 = 100;

/// What an opened file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing in it: new, or cut short while it was made.
    Blank,
    /// A store of an older schema.
    Older,
    /// A store of today's schema.
    Today,
}

/// Opens the file to write it; it exists.
pub(super) fn writer(path: &Path) -> Result<(Connection, Standing), StoreError> {
    // What is not ours, or newer, is refused before it is opened in a way that could change it.
    drop(reader(path)?);
    let fault = |error: rusqlite::Error| Fault::from(error).about(path, Doing::Writing);
    let connection =
        open(&place::uri(path, "mode=rw"), OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(fault)?;
    keep_log(&connection).map_err(fault)?;
    let standing = standing(&connection, path)?;
    Ok((connection, standing))
}

/// Opens the file to read it; `None` if it does not exist. Makes nothing.
pub(super) fn reader(path: &Path) -> Result<Option<(Connection, Standing)>, StoreError> {
    match std::fs::metadata(path) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::Unreadable(path.to_path_buf(), Cause::new(error))),
    }
    let fault = |error: rusqlite::Error| Fault::from(error).about(path, Doing::Reading);
    let connection = open_patiently(path).map_err(fault)?;
    let standing = standing(&connection, path)?;
    Ok(Some((connection, standing)))
}

/// A copy in memory of an open file, or of nothing.
pub(super) fn copy(of: Option<&Connection>) -> rusqlite::Result<Connection> {
    let mut memory = Connection::open_in_memory()?;
    if let Some(source) = of {
        Backup::new(source, &mut memory)?.run_to_completion(i32::MAX, RETRY_AFTER, None)?;
    }
    set_up(&memory)?;
    Ok(memory)
}

/// Takes the missing migrations, and whatever `found` adds, in one exclusive transaction.
pub(super) fn migrate<T>(
    connection: &Connection,
    found: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let within = Transaction::new_unchecked(connection, TransactionBehavior::Exclusive)?;
    migrations::take(&within)?;
    within.pragma_update(None, "application_id", APPLICATION)?;
    let made = found(&within)?;
    within.commit()?;
    Ok(made)
}

/// Lets the log outlive the connection, emptied.
fn keep_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.file_control(None::<&str>, FileControl::PersistWal(&mut 1))?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", 0, |_| Ok(()))
}

fn open_patiently(path: &Path) -> rusqlite::Result<Connection> {
    patiently(|| {
        let connection = open(&reader_uri(path), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        migrations::schema_of(&connection).map(|_| connection)
    })
}

/// Reads, again and again for a second while a writer is just opening or recovering its log.
pub(super) fn patiently<T>(mut read: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let mut tries = 1;
    loop {
        match read() {
            Err(error) if tries < READER_TRIES && may_pass(&error) => tries += 1,
            outcome => return outcome,
        }
        std::thread::sleep(RETRY_AFTER);
    }
}

/// What a reader may meet while a writer is just opening or recovering its log.
fn may_pass(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::DatabaseBusy)
    )
}

fn reader_uri(path: &Path) -> PathBuf {
    let parameters = if !place::beside(path, place::LOG).exists() {
        "mode=ro&immutable=1"
    } else if place::beside(path, place::INDEX).exists() {
        "mode=ro&readonly_shm=1"
    } else {
        "mode=ro"
    };
    place::uri(path, parameters)
}

fn open(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    set_up(&connection)?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Or SQLite reads a prepared statement anew whenever a value is bound that might suit another
    // plan, which for ours none ever does.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;",
    )
}

fn standing(connection: &Connection, path: &Path) -> Result<Standing, StoreError> {
    let read = || -> rusqlite::Result<(i64, i64, i64)> {
        Ok((
            connection.pragma_query_value(None, "application_id", |row| row.get(0))?,
            migrations::schema_of(connection)?,
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?,
        ))
    };
    let read = patiently(read).map_err(|error| Fault::from(error).about(path, Doing::Reading))?;
    let known = migrations::latest();
    match read {
        (0, 0, 0) => Ok(Standing::Blank),
        (APPLICATION, schema, _) if schema == known => Ok(Standing::Today),
        (APPLICATION, schema, _) if schema > known => {
            Err(StoreError::Newer { path: path.to_path_buf(), schema, known })
        }
        (APPLICATION, schema, _) if schema > 0 => Ok(Standing::Older),
        _ => Err(StoreError::Foreign(path.to_path_buf())),
    }
}

//! Connects to the file: as its writer, as a reader, or as a copy in memory.
//!
//! The journal is a write-ahead log whose two files are kept when the writer leaves. A reader of
//! another user, in a folder that it cannot write, can then always open the store: through the
//! log's index where there is one and the log holds something, as a copy in memory otherwise. A
//! rollback journal cannot do this: what a killed writer leaves there only a user who may write
//! can undo.

use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, FileControl, OpenFlags, Transaction, TransactionBehavior};

use super::SqliteTx;
use super::log::{self, LogState};
use super::loss::{self, FileState};
use super::migrations;
use super::place;
use crate::store::error::StoreError;
use crate::store::tx::Tx;
use crate::store::tx_error::{Doing, SystemCause, TxError};

/// Marks our files among all of SQLite's: `MTKN`.
const APPLICATION: i64 = 0x4d54_4b4e;
/// How many statements stay prepared? All that one token's way through a run needs: the default
/// of 16 would have most of them read anew for every token.
const STATEMENTS: usize = 64;
/// How many pages the log holds before they are brought into the database. The default of 1000
/// would keep four times the room taken.
const CHECKPOINT_AT: i64 = 256;
/// How long to wait for another connection's lock.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long `status` waits for a writer before it lets its proofs go.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);
/// How long to stand back before asking again.
const RETRY_AFTER: Duration = Duration::from_millis(10);
/// For how long a reader asks while a writer is just opening its log.
const READER_PATIENCE: Duration = Duration::from_secs(1);

/// What an opened file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// Nothing in it: new, or cut short while it was made.
    Blank,
    /// A store of an older schema.
    Older,
    /// A store of today's schema.
    Today,
}

/// Opens the file to write it; it exists.
///
/// A user who may write recovers the log of a killed writer by opening it. Beyond that nothing is changed
/// before it is known that the file is ours, and not newer.
pub fn writer(path: &Path) -> Result<(Connection, SchemaState), StoreError> {
    let path = &place::real(path);
    let reading = |error: rusqlite::Error| TxError::from(error).about(path, Doing::Reading);
    let writing = |error: rusqlite::Error| TxError::from(error).about(path, Doing::Writing);
    let had_log = place::beside(path, place::LOG).exists();
    let connection =
        open(&place::uri(path, "mode=rw"), OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(reading)?;
    if connection.is_readonly("main").map_err(reading)? {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        return Err(StoreError::Unwritable(path.clone(), SystemCause::new(denied)));
    }
    // Another program's log is not put into its file when we leave.
    let leave_log = |leave| {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave).map(drop)
    };
    leave_log(had_log).map_err(reading)?;
    let standing = standing(&connection, path)?;
    refuse_cut(&connection, path)?;
    leave_log(false).map_err(reading)?;
    keep_log(&connection).map_err(writing)?;
    Ok((connection, standing))
}

/// Opens the file to read it; `None` if there is none, or nothing in it. Makes nothing.
pub fn reader(path: &Path) -> Result<Option<(Connection, SchemaState)>, StoreError> {
    if loss::file_state(path)? != FileState::Something {
        return Ok(None);
    }
    let path = &place::real(path);
    let connection = open_to_read(path)?;
    let standing = standing(&connection, path)?;
    Ok(Some((connection, standing)))
}

/// Copies an open file, or nothing, into memory.
pub fn copy(of: Option<&Connection>) -> rusqlite::Result<Connection> {
    let mut memory = Connection::open_in_memory()?;
    if let Some(source) = of {
        Backup::new(source, &mut memory)?.run_to_completion(i32::MAX, RETRY_AFTER, None)?;
    }
    set_up(&memory)?;
    set_up_to_write(&memory)?;
    Ok(memory)
}

/// Takes the missing migrations, and whatever `found` adds, in one exclusive transaction.
pub fn migrate<T>(
    connection: &Connection,
    found: impl FnOnce(&mut dyn Tx) -> Result<T, TxError>,
) -> Result<T, TxError> {
    let within = Transaction::new_unchecked(connection, TransactionBehavior::Exclusive)?;
    migrations::take(&within)?;
    within.pragma_update(None, "application_id", APPLICATION)?;
    let made = found(&mut SqliteTx::new(&within, None))?;
    within.commit()?;
    Ok(made)
}

/// Writes in one transaction, without a long wait for another writer.
pub fn write_soon(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<(), TxError>,
) -> Result<(), TxError> {
    connection.busy_timeout(SHORT_PATIENCE)?;
    let within = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    work(&within)?;
    Ok(within.commit()?)
}

/// Lets the log outlive the connection, and the room that is taken behind its end outlive every
/// reset; it is emptied by [`empty_log`].
fn keep_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.file_control(None::<&str>, FileControl::PersistWal(&mut 1))?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_AT, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", -1, |_| Ok(()))
}

/// Lets the log be emptied when the connection is closed: frames that lay on beside a store which
/// is restored from a backup would be taken for its own.
pub fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_size_limit", 0, |_| Ok(()))
}

/// Opens it through the log's index, or as a copy in memory where that cannot be: where the log
/// holds nothing, where it has no index, and where the index is closed to us.
fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let unreadable = |error| StoreError::Unreadable(path.to_path_buf(), SystemCause::new(error));
    let fault = |error: rusqlite::Error| TxError::from(error).about(path, Doing::Reading);
    let asked_at = Instant::now();
    let mut in_vain = None;
    loop {
        let has_index = place::beside(path, place::INDEX).exists();
        if has_index && log::look(path).map_err(unreadable)? == LogState::Frames {
            match open_live(path) {
                Err(error) if may_pass(&error) => in_vain = Some(error),
                opened => return opened.map_err(fault),
            }
        } else if let Some(copy) = log::hand_over(path, in_memory).map_err(unreadable)? {
            return whole(copy.map_err(fault)?, path);
        }
        if asked_at.elapsed() >= READER_PATIENCE {
            break;
        }
        std::thread::sleep(RETRY_AFTER);
    }
    match (log::hand_over(path, in_memory).map_err(unreadable)?, in_vain) {
        (Some(copy), _) => whole(copy.map_err(fault)?, path),
        (None, Some(error)) => Err(fault(error)),
        (None, None) => Err(unreadable(io::Error::from(io::ErrorKind::ResourceBusy))),
    }
}

fn open_live(path: &Path) -> rusqlite::Result<Connection> {
    let uri = place::uri(path, "mode=ro&readonly_shm=1");
    let connection = open(&uri, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    migrations::schema_of(&connection).map(|_| connection)
}

/// Opens bytes that are a whole file, and that long.
fn in_memory(bytes: &mut dyn Read, length: usize) -> rusqlite::Result<(Connection, usize)> {
    let mut connection = Connection::open_in_memory()?;
    set_up(&connection)?;
    connection.deserialize_read_exact("main", bytes, length, true)?;
    // Its pages are read where they lie, and not copied once more.
    connection.pragma_update(None, "mmap_size", i64::MAX)?;
    Ok((connection, length))
}

/// Refuses a copy that lost its end.
fn whole((copy, length): (Connection, usize), path: &Path) -> Result<Connection, StoreError> {
    let pages = pages(&copy).map_err(|error| TxError::from(error).about(path, Doing::Reading))?;
    refuse_shorter(length as u64, pages, path)?;
    Ok(copy)
}

/// Refuses a file that lost its end, which `SQLite` would read as zeros.
fn refuse_cut(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let unreadable = |error| StoreError::Unreadable(path.to_path_buf(), SystemCause::new(error));
    // What a log holds need not be in the file yet.
    if log::look(path).map_err(unreadable)? == LogState::Frames {
        return Ok(());
    }
    let pages = patiently(|| pages(connection))
        .map_err(|error| TxError::from(error).about(path, Doing::Reading))?;
    refuse_shorter(path.metadata().map_err(unreadable)?.len(), pages, path)
}

/// How long the file is by its own count of pages.
fn pages(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, u32>(0));
    Ok(u64::from(number("page_count")?) * u64::from(number("page_size")?))
}

fn refuse_shorter(length: u64, expected: u64, path: &Path) -> Result<(), StoreError> {
    if length >= expected {
        return Ok(());
    }
    let cut = format!("it is cut off: it has {length} of {expected} bytes");
    Err(StoreError::Damaged(path.to_path_buf(), SystemCause::new(cut)))
}

/// Reads, again and again for a second while a writer is just opening or recovering its log.
pub fn patiently<T>(mut read: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let asked_at = Instant::now();
    loop {
        match read() {
            Err(error) if may_pass(&error) && asked_at.elapsed() < READER_PATIENCE => {}
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

/// Opens a file by its URI.
pub fn open(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    set_up(&connection)?;
    set_up_to_write(&connection)?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Or SQLite reads a prepared statement anew whenever a value is bound that might suit another
    // plan, which for ours none ever does.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
}

fn set_up_to_write(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON",
    )
}

fn standing(connection: &Connection, path: &Path) -> Result<SchemaState, StoreError> {
    let read = || -> rusqlite::Result<(i64, i64, i64)> {
        Ok((
            connection.pragma_query_value(None, "application_id", |row| row.get(0))?,
            migrations::schema_of(connection)?,
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?,
        ))
    };
    let read = patiently(read).map_err(|error| TxError::from(error).about(path, Doing::Reading))?;
    let known = migrations::latest();
    match read {
        (0, 0, 0) => Ok(SchemaState::Blank),
        (APPLICATION, schema, _) if schema == known => Ok(SchemaState::Today),
        (APPLICATION, schema, _) if schema > known => {
            Err(StoreError::Newer { path: path.to_path_buf(), schema, known })
        }
        (APPLICATION, schema, _) if schema > 0 => Ok(SchemaState::Older),
        _ => Err(StoreError::Foreign(path.to_path_buf())),
    }
}

//! Opens the `SQLite` file of another program, to read a table of it and nothing else.
//!
//! The file is read into memory together with its log, so that nothing is written beside it and a
//! program that is writing it is not held up. What stands in it is mistrusted: no view, trigger or
//! virtual table of it is used, nothing in its schema may run a function, and a file that is not
//! sound is refused before a row is read.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, InterruptHandle};
use zeroize::Zeroizing;

use super::input::{self, LARGEST, refused, too_large};
use crate::error::CliError;
use crate::shell::quoted;
use crate::store::read_with_log;

/// How often a file is read that is written meanwhile.
const TRIES: usize = 5;
/// How long to wait before it is read again.
const PAUSE: Duration = Duration::from_millis(200);
/// Longer than any sound file of that size takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// A table of more rows is not a list of tokens.
const MOST_ROWS: usize = 100_000;
/// A longer value is not a token.
const LONGEST: i32 = 1024 * 1024;
/// No value that the file holds is longer, and none that its schema computes may be.
const LONGEST_OF_ALL: i32 = 64 * 1024 * 1024;

/// The database of another program.
pub struct Database<'a> {
    file: &'a Path,
    connection: Connection,
}

/// One row: its columns that hold something, as text.
pub type TableRow = Vec<(String, Zeroizing<String>)>;

impl<'a> Database<'a> {
    /// Reads the file into memory, and refuses one that is not sound.
    pub fn open(file: &'a Path) -> Result<Self, CliError> {
        if file == Path::new("-") {
            return Err(refused(file, "cannot be an SQLite database")
                .hint("name the file: other programs keep a log beside it"));
        }
        let image = image(file)?;
        if image.is_empty() {
            return Err(refused(file, "is empty").hint("name the database of the other program"));
        }
        let damaged = |error: rusqlite::Error| unsound(file, &error);
        let mut connection = Connection::open_in_memory().map_err(damaged)?;
        harden(&connection).map_err(damaged)?;
        connection
            .deserialize_read_exact("main", image.as_slice(), image.len(), true)
            .map_err(damaged)?;
        let database = Self { file, connection };
        database.patiently(|connection| {
            connection.execute_batch("PRAGMA cell_size_check = ON; PRAGMA query_only = ON")?;
            let found: String =
                connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if found == "ok" { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
        })?;
        Ok(database)
    }

    /// Reads all rows of a table; nothing where there is no such table.
    pub fn rows(&self, table: &str) -> Result<Option<Vec<TableRow>>, CliError> {
        let kind = self.patiently(|connection| {
            let sql = "SELECT type, coalesce(sql, '') FROM sqlite_schema WHERE name = ?1";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([table])?;
            Ok(match rows.next()? {
                Some(row) => Some((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
                None => None,
            })
        })?;
        let Some((kind, sql)) = kind else { return Ok(None) };
        if kind != "table" || !sql.to_ascii_uppercase().starts_with("CREATE TABLE") {
            return Err(refused(
                self.file,
                format!("`{table}` is not a table in it, but a {}", word(&kind)),
            )
            .hint("nothing was imported: make sure that the file is the other program's"));
        }
        let rows = self.patiently(|connection| {
            let sql = format!("SELECT * FROM \"{table}\" LIMIT {}", MOST_ROWS + 1);
            let mut statement = connection.prepare(&sql)?;
            let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let mut rows = statement.query([])?;
            let (mut read, mut length) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let mut cells = TableRow::new();
                for (at, name) in names.iter().enumerate() {
                    if let Some(text) = text(row.get_ref(at)?) {
                        length += text.len() as u64;
                        // The schema may compute more than the file holds.
                        if length > LARGEST {
                            return Err(rusqlite::Error::InvalidQuery);
                        }
                        cells.push((name.clone(), text));
                    }
                }
                read.push(cells);
            }
            Ok(read)
        })?;
        if rows.len() > MOST_ROWS {
            return Err(refused(self.file, format!("`{table}` has more than {MOST_ROWS} rows"))
                .hint("export the rows that are tokens to CSV: see `examples/moving/`"));
        }
        Ok(Some(rows))
    }

    /// Refuses a database for what is in it.
    pub fn refused(&self, message: impl Into<String>) -> CliError {
        refused(self.file, message)
    }

    /// Does what a damaged file could make endless, for a limited time.
    fn patiently<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CliError> {
        let (done, over) = mpsc::channel::<()>();
        let handle = self.connection.get_interrupt_handle();
        let guard = std::thread::spawn(move || interrupt_after(&over, &handle));
        let worked = work(&self.connection);
        drop(done);
        let _ = guard.join();
        worked.map_err(|error| unsound(self.file, &error))
    }
}

/// Ends what the connection does, unless that is over in time.
fn interrupt_after(over: &mpsc::Receiver<()>, handle: &InterruptHandle) {
    if over.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
        handle.interrupt();
    }
}

fn harden(connection: &Connection) -> rusqlite::Result<()> {
    for (what, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
    ] {
        connection.set_db_config(what, on)?;
    }
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_OF_ALL)?;
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, LONGEST)?;
    connection.set_limit(Limit::SQLITE_LIMIT_COLUMN, 200)?;
    Ok(())
}

/// The file with the committed part of its log. One that is written meanwhile is read again.
fn image(file: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let failed = |error: std::io::Error| refused(file, "cannot be read").because(error);
    for attempt in 0..TRIES {
        if attempt > 0 {
            std::thread::sleep(PAUSE);
        }
        drop(input::open(file)?);
        let log = beside(file, "-wal");
        let log = log.metadata().map_or(0, |metadata| metadata.len());
        if log > LARGEST {
            return Err(too_large(file));
        }
        // A transaction that was not ended stands half in the file, and what it replaced in its journal.
        let journal = beside(file, "-journal").metadata();
        let is_written =
            journal.is_ok_and(|journal| journal.len() > 0 && holds_more_than_zeros(file));
        if is_written {
            continue;
        }
        if let Some(image) = read_with_log(file).map_err(failed)? {
            return Ok(Zeroizing::new(image));
        }
    }
    let stop = format!("stop the program that writes it: `fuser {}` names it", quoted(file));
    Err(refused(file, "is being written by another program")
        .hint(stop)
        .hint("then run the same again; nothing was imported"))
}

/// Whether the journal beside the file is one that has to be undone: one that is ended without being
/// removed begins with zeros.
fn holds_more_than_zeros(file: &Path) -> bool {
    use std::io::Read as _;
    let mut head = [0; 8];
    let read =
        std::fs::File::open(beside(file, "-journal")).and_then(|mut it| it.read_exact(&mut head));
    read.is_err() || head != [0; 8]
}

fn beside(file: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A value as text, if it is one and not too long.
fn text(value: ValueRef<'_>) -> Option<Zeroizing<String>> {
    let text = match value {
        ValueRef::Null => return None,
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let fits = i32::try_from(bytes.len()).is_ok_and(|length| length <= LONGEST);
            std::str::from_utf8(bytes).ok().filter(|_| fits)?.to_owned()
        }
    };
    Some(Zeroizing::new(text))
}

/// A word of the file's own that may be anything.
fn word(kind: &str) -> &str {
    match kind {
        "view" | "index" | "trigger" => kind,
        _ => "virtual table",
    }
}

/// The library's own words may quote the file.
fn unsound(file: &Path, error: &rusqlite::Error) -> CliError {
    let code = error.sqlite_error_code();
    let why = match code {
        Some(rusqlite::ErrorCode::NotADatabase) => "not an SQLite database",
        Some(rusqlite::ErrorCode::OperationInterrupted) => "is damaged: reading it does not end",
        Some(rusqlite::ErrorCode::OutOfMemory) => "needs more memory than there is",
        _ => "is damaged, or no database of that program",
    };
    refused(file, why).hint(format!(
        "look at it: `sqlite3 -readonly {} 'PRAGMA integrity_check'`; nothing was imported",
        quoted(file)
    ))
}

//! Carries out the statements of a transaction by `SQLite`.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, ffi, params_from_iter};

use crate::store::row::{Cells, Row};
use crate::store::tx::{EachRow, Tx};
use crate::store::tx_error::{EngineFailure, SystemCause, TxError};
use crate::store::value::SqlValue;
use crate::token::Time;

/// A connection on which a transaction is under way.
pub struct SqliteTx<'a> {
    connection: &'a Connection,
    now: Option<Time>,
}

impl<'a> SqliteTx<'a> {
    /// Wraps the transaction that is under way, dated with that time if it dates anything.
    pub const fn new(connection: &'a Connection, now: Option<Time>) -> Self {
        Self { connection, now }
    }
}

impl Tx for SqliteTx<'_> {
    fn execute_counted(&mut self, sql: &str, values: &[SqlValue<'_>]) -> Result<usize, TxError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.execute(params_from_iter(values))?)
    }

    fn rows(
        &mut self,
        sql: &str,
        values: &[SqlValue<'_>],
        each: EachRow<'_>,
    ) -> Result<(), TxError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if each(Row::new(&SqliteRow(row)))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn now(&self) -> Time {
        self.now.expect("a verb that dates rows names the time")
    }
}

impl ToSql for SqlValue<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(number),
            Self::Text(text) => ValueRef::Text(text),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

struct SqliteRow<'a, 'statement>(&'a rusqlite::Row<'statement>);

impl Cells for SqliteRow<'_, '_> {
    fn value(&self, at: usize) -> Option<SqlValue<'_>> {
        match self.0.get_ref(at).ok()? {
            ValueRef::Null => Some(SqlValue::Null),
            ValueRef::Integer(number) => Some(SqlValue::Integer(number)),
            ValueRef::Text(text) => Some(SqlValue::Text(text)),
            ValueRef::Blob(bytes) => Some(SqlValue::Blob(bytes)),
            ValueRef::Real(_) => None,
        }
    }

    fn column(&self, at: usize) -> &str {
        self.0.as_ref().column_name(at).unwrap_or_default()
    }
}

impl From<rusqlite::Error> for TxError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(failure(&error), SystemCause::new(error))
    }
}

fn failure(error: &rusqlite::Error) -> EngineFailure {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => EngineFailure::NotADatabase,
        Some(ErrorCode::DatabaseCorrupt) => EngineFailure::Damaged,
        _ if is_conversion(error) => EngineFailure::Damaged,
        _ if is_full(error) => EngineFailure::Full,
        Some(ErrorCode::ReadOnly) => EngineFailure::ReadOnly,
        Some(ErrorCode::OperationInterrupted) => EngineFailure::Interrupted,
        _ => EngineFailure::Other,
    }
}

/// Whether a cell of the engine's own tables holds what it cannot.
fn is_conversion(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
    )
}

/// Whether it says that a disk is full, or a quota used up.
fn is_full(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || matches!(extended, Some(ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE))
}

//! What a job meets inside the store's thread, before anybody knows which file it was.
//!
//! The thread knows no path and the verbs do; the verb turns the fault into the error that its
//! caller reads.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{ErrorCode, ffi};
use rustix::io::Errno;

use super::error::{Cause, StoreError};

/// Why a job did not do its work.
#[derive(Debug, Clone)]
pub enum Fault {
    /// `SQLite` failed.
    Sqlite(Arc<rusqlite::Error>),
    /// The row stands otherwise than the write supposed.
    Superseded(&'static str),
    /// The string is wiped.
    Purged,
    /// No such row.
    Absent(&'static str),
    /// A seal does not open in its place.
    BrokenSeal,
    /// The key does not open the data key.
    WrongKey,
    /// `SQLite` undid the whole transaction while another verb's work was being done.
    RolledBack,
    /// The system refused what was asked of it without `SQLite`.
    System(Errno),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

/// What was being done when `SQLite` failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Opening or reading.
    Reading,
    /// Making, migrating or writing.
    Writing,
}

impl Fault {
    /// Whether the disk has no room: for a page of the log, or of its index.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Sqlite(error) => is_full(error),
            Self::RolledBack => true,
            Self::System(errno) => matches!(*errno, Errno::NOSPC | Errno::DQUOT | Errno::FBIG),
            _ => false,
        }
    }

    /// The fault as the caller of a verb sees it.
    pub fn about(self, path: &Path, doing: Doing) -> StoreError {
        let path = path.to_path_buf();
        match self {
            Self::Superseded(expected) => StoreError::Superseded { path, expected },
            Self::Purged => StoreError::Purged(path),
            Self::Absent(what) => StoreError::Absent { path, what },
            Self::WrongKey => StoreError::KeyWrong(path),
            Self::BrokenSeal => {
                StoreError::Damaged(path, Cause::new("a sealed string does not open in its place"))
            }
            Self::RolledBack => {
                StoreError::Full(path, Cause::new("the whole transaction was undone"))
            }
            Self::System(errno) => {
                StoreError::Unwritable(path, Cause::new(std::io::Error::from(errno)))
            }
            Self::Sqlite(error) => sqlite(error, path, doing),
        }
    }
}

fn sqlite(error: Arc<rusqlite::Error>, path: PathBuf, doing: Doing) -> StoreError {
    let damaged = matches!(
        &*error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
    );
    let (code, full) = (error.sqlite_error_code(), is_full(&error));
    let cause = Cause::shared(error);
    match (code, doing) {
        (Some(ErrorCode::NotADatabase), _) => StoreError::NotADatabase(path),
        (Some(ErrorCode::DatabaseCorrupt), _) => StoreError::Damaged(path, cause),
        _ if damaged => StoreError::Damaged(path, cause),
        _ if full => StoreError::Full(path, cause),
        // A file that SQLite could open for reading alone: only a writer is told so.
        (Some(ErrorCode::ReadOnly), _) | (_, Doing::Writing) => StoreError::Unwritable(path, cause),
        (_, Doing::Reading) => StoreError::Unreadable(path, cause),
    }
}

/// What a full disk, or a used-up quota, makes `SQLite` say.
fn is_full(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || matches!(extended, Some(ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE))
}

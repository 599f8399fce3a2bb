//! Says why the work of a transaction failed, before it is known which store it was.
//!
//! The rules know no path and the verbs do; the verb turns this error into the one that its caller
//! reads. What an engine's own error means is decided once, in the engine's folder.

use std::path::Path;

use super::engine::Shortage;
use super::error::{StoreError, SystemCause};
use super::row::BadCell;

/// Why the work of a transaction failed.
#[derive(Debug, Clone)]
pub enum TxError {
    /// The engine failed.
    Engine(EngineFailure, SystemCause),
    /// A cell holds what no version of metatoken writes.
    BadCell(BadCell),
    /// The row is not what the write expected.
    Superseded(&'static str),
    /// The access token is wiped.
    Purged,
    /// No such row.
    Absent(&'static str),
    /// A sealed value does not open in its place.
    BrokenSeal,
    /// The key does not open the data key.
    WrongKey,
    /// The disk has too little room for what Meta would grant.
    NoRoom(Shortage),
}

/// How an engine failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineFailure {
    /// The file is not a database.
    NotADatabase,
    /// The database is damaged.
    Damaged,
    /// There is no room left to write.
    Full,
    /// Only reading is allowed.
    ReadOnly,
    /// It was told to stop.
    Interrupted,
    /// Anything else.
    Other,
}

/// What was being done when the engine failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Opening or reading.
    Reading,
    /// Making, migrating or writing.
    Writing,
}

impl From<BadCell> for TxError {
    fn from(cell: BadCell) -> Self {
        Self::BadCell(cell)
    }
}

impl TxError {
    /// Whether there is no room left to write.
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Engine(EngineFailure::Full, _))
    }

    /// The error as the caller of a verb sees it.
    pub fn about(self, path: &Path, doing: Doing) -> StoreError {
        let path = path.to_path_buf();
        match self {
            Self::Superseded(expected) => StoreError::Superseded { path, expected },
            Self::Purged => StoreError::Purged(path),
            Self::Absent(what) => StoreError::Absent { path, what },
            Self::WrongKey => StoreError::KeyWrong(path),
            Self::BrokenSeal => StoreError::Damaged(
                path,
                SystemCause::new("a sealed string does not open in its place"),
            ),
            Self::NoRoom(shortage) => StoreError::NoRoom(path, shortage),
            Self::BadCell(cell) => StoreError::Damaged(path, SystemCause::new(cell)),
            Self::Engine(failure, cause) => match (failure, doing) {
                (EngineFailure::NotADatabase, _) => StoreError::NotADatabase(path),
                (EngineFailure::Damaged, _) => StoreError::Damaged(path, cause),
                (EngineFailure::Full, _) => StoreError::Full(path, cause),
                // A file that could be opened for reading alone: only a writer learns of it.
                (EngineFailure::ReadOnly, _) | (_, Doing::Writing) => {
                    StoreError::Unwritable(path, cause)
                }
                (_, Doing::Reading) => StoreError::Unreadable(path, cause),
            },
        }
    }
}

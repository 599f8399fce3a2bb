//! Says why the work of a transaction failed, before it is known which store it was.
//!
//! The rules know no path and the verbs do; the verb turns this error into the one that its caller
//! reads. What an engine's own error means is decided once, in the engine's folder.

use std::fmt;
use std::sync::Arc;

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
    /// Returns whether there is no room left to write.
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Engine(EngineFailure::Full, _))
    }
}

/// The reason beneath a failure; shared, because one failed commit fails many verbs.
#[derive(Clone)]
pub struct SystemCause(Arc<dyn std::error::Error + Send + Sync>);

impl SystemCause {
    /// Wraps an error of the system or of `SQLite`.
    pub(super) fn new(
        source: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
    ) -> Self {
        Self(Arc::from(source.into()))
    }

    /// Returns the error that it wraps.
    pub fn as_error(&self) -> &(dyn std::error::Error + 'static) {
        &*self.0
    }
}

impl fmt::Display for SystemCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SystemCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How much room is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// How many bytes are needed.
    pub needed: u64,
    /// How many are left.
    pub free: u64,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB needed, {} KiB free", self.needed.div_ceil(1024), self.free / 1024)
    }
}

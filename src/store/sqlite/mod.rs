//! Keeps the store in one `SQLite` file.
//!
//! `open` opens the file by `connection`: to write, to read, as a copy in memory; `create` makes a
//! new one, `migrations` bring an older one to today's schema, and `loss` tells one that was lost
//! from one that never was. `lock` lets one command write at a time. `queue` gathers jobs on the
//! thread that owns the connection and commits them together, `tx` carries out their statements,
//! and `room` takes room on the disk for what Meta is about to grant. `log` reads the write-ahead
//! log where `SQLite` cannot, `check` looks the file over, and `backup` copies it. `place` says
//! where the files lie and who may read them, and `filesystem` which file systems cannot carry them.

mod backup;
mod check;
mod connection;
mod create;
mod filesystem;
mod lock;
mod log;
pub mod loss;
mod migrations;
mod open;
pub mod place;
mod queue;
mod room;
mod tx;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use self::queue::{Queue, snapshot};
use self::room::Room;
use super::engine::{Access, Engine, GrantRoom, RowCheck, Shortage, StoreJob};
use super::tx_error::TxError;

pub use backup::{backup, belongs_to_store};
pub use filesystem::{filesystem_trouble, refused_filesystem};
pub use lock::{Holder, LockError, RunLock, lock_path};
pub use loss::{LostStore, StoreLoss};
pub use place::mark_path;

use open::reader_of_living;
pub use open::{beside_a_run, open, open_reader, open_without_key, rehearsal};
pub use tx::SqliteTx;

/// The `SQLite` engine: one connection, and the file that it is for.
pub struct Sqlite {
    queue: Queue,
    /// The file, also where the connection only reads it or is to a copy in memory.
    path: PathBuf,
    /// The room on the disk that a writer takes.
    room: Option<Arc<Room>>,
}

impl Sqlite {
    /// Hands a connection to a thread of its own.
    fn start(
        connection: Connection,
        path: &Path,
        room: Option<Arc<Room>>,
    ) -> std::io::Result<Self> {
        let queue = Queue::start(connection, room.clone())?;
        Ok(Self { queue, path: path.to_path_buf(), room })
    }

    /// Reads by a connection that writes nothing.
    fn read_only(connection: Connection, path: &Path) -> Self {
        Self { queue: Queue::here(connection), path: path.to_path_buf(), room: None }
    }
}

impl Engine for Sqlite {
    fn submit(&self, job: Box<dyn StoreJob>, access: Access) {
        self.queue.submit(job, access);
    }

    fn room_for_grant(&self) -> Result<GrantRoom, TxError> {
        match &self.room {
            Some(room) => room::for_grant(room, &self.queue),
            None => Ok(GrantRoom::unlimited()),
        }
    }

    fn has_room_to_announce(&self, renewals: usize) -> Result<bool, TxError> {
        match &self.room {
            Some(room) => room::to_announce(room, &self.queue, renewals),
            None => Ok(true),
        }
    }

    fn shortage(&self) -> Option<Shortage> {
        Room::shortage_for_grant(&self.path)
    }

    fn look_over(
        &self,
        patience: Duration,
        check: RowCheck,
    ) -> Result<Option<Vec<String>>, TxError> {
        self.queue.alone(move |connection| {
            snapshot(connection, |within| check::look_over(within, patience, check))?
        })
    }
}

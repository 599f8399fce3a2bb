//! Keeps the store in one `SQLite` file.
//!
//! `open` opens the file by `connection`: to write, to read, as a copy in memory; `create` makes a
//! new one, `migrations` bring an older one to today's schema, `loss` tells one that was lost from
//! one that never was, and `lost_store` says what brings it back. `lock` lets one command write at a
//! time. `queue` gathers jobs on the thread that owns the connection and commits them together, `tx`
//! carries out their statements, and `room` takes room on the disk for what Meta is about to grant.
//! `log` reads the write-ahead log where `SQLite` cannot, and `check` looks the file over. `place`
//! says where the files lie and who may read them, and `filesystem` which file systems cannot carry
//! them.

mod check;
mod connection;
mod create;
mod filesystem;
mod lock;
mod log;
mod loss;
pub mod lost_store;
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

use self::queue::{JobQueue, snapshot};
use self::room::Room;
use super::engine::{Access, Engine, GrantRoom, RowCheck, StoreJob};
use super::tx_error::{Shortage, TxError};

pub use filesystem::{filesystem_trouble, refused_filesystem};
pub use lock::{Holder, LockError, RunLock};
pub use log::snapshot as read_with_log;
pub use place::{belongs_to_store, lock_path, mark_path};

pub use open::{backup, beside_a_run, is_there, open, open_reader, open_without_key, rehearsal};
pub use tx::SqliteTx;

/// The `SQLite` engine.
pub struct Sqlite {
    queue: JobQueue,
    store: PathBuf,
}

impl Sqlite {
    /// Hands a connection to a thread of its own; `room` is where its log lies on a disk.
    fn start(connection: Connection, store: &Path, room: Option<Room>) -> std::io::Result<Self> {
        let queue = JobQueue::start(connection, room.map(Arc::new))?;
        Ok(Self { queue, store: store.to_path_buf() })
    }

    /// Reads by a connection that writes nothing.
    fn read_only(connection: Connection, store: &Path) -> Self {
        Self { queue: JobQueue::here(connection), store: store.to_path_buf() }
    }
}

impl Engine for Sqlite {
    fn submit(&self, job: Box<dyn StoreJob>, access: Access) {
        self.queue.submit(job, access);
    }

    fn room_for_grant(&self) -> Result<GrantRoom, TxError> {
        self.queue.room_for_grant()
    }

    fn has_room_to_announce(&self, renewals: usize) -> Result<bool, TxError> {
        self.queue.has_room_to_announce(renewals)
    }

    fn rewrite(&self) -> Result<bool, TxError> {
        self.queue.alone(|connection| {
            // A page whose cells were moved keeps copies of them, whatever `secure_delete` says.
            connection.execute_batch("PRAGMA temp_store = MEMORY; VACUUM")?;
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            let busy: i64 = connection.query_row(sql, [], |row| row.get(0))?;
            Ok(busy == 0)
        })
    }

    fn shortage(&self) -> Option<Shortage> {
        Room::shortage_for_grant(&self.store)
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

//! The store: what metatoken promises to remember.
//!
//! Verbs in the trade's words, and under them one SQLite file and one key. The promises:
//!
//! - A verb that returns has committed: what it wrote survives a kill and a power cut.
//! - A string is sealed before anyone looks at it, and no string lies on the disk in the clear.
//! - Before Meta is asked for a grant, the room that it needs on the disk is taken.
//! - A write names what it replaces, and does nothing if that is no longer there.
//! - What a target is owed is written with the promotion that owes it, and stays until it is settled.
//! - Whoever may read the files can read the store, without its key, also after a writer was
//!   killed; reading makes and changes nothing.
//! - Only who holds the [`RunLock`] opens the store to write. `status` alone adds its proofs
//!   without it.
//!
//! A dry run works on a copy in memory: the real code, and nothing that reaches the disk.

mod arrival;
mod backup;
mod columns;
mod connection;
mod damage;
mod deliveries;
mod error;
mod events;
mod examination;
mod fault;
mod filesystem;
mod generations;
mod hooks;
mod key;
mod known;
mod ledger;
mod life;
mod lock;
mod log;
mod making;
mod migrations;
mod notices;
mod overwrites;
mod pauses;
mod place;
mod proofs;
mod purge;
mod replaced;
mod room;
mod runs;
mod seal;
mod succession;
mod tokens;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use rusqlite::Connection;

use connection::Standing;
use fault::{Doing, Fault};
use known::{Changes, Known};
use place::Found;
use room::Room;
use seal::Seals;
use writer::Writer;

pub use arrival::Arrival;
pub use backup::{backup, belongs_to_store};
pub use damage::Mended;
pub use deliveries::{DeliveryFailure, Settlement};
pub use error::{Cause, FULL, StoreError};
pub use events::{Event, EventQuery, History};
pub use examination::Examination;
pub use filesystem::{filesystem_trouble, refused_filesystem};
pub use generations::Sighting;
pub use hooks::HookProcess;
pub use key::{BadKey, KeySource, read_key};
pub use ledger::{Interrupted, Setback};
pub use life::{Loss, Lost};
pub use lock::{Holder, LockError, RunLock, lock_path};
pub use notices::{Channel, FailingChannel};
pub use overwrites::{Contents, Overwrite, Overwriting};
pub use place::mark_path;
pub use purge::Keep;
pub use replaced::Replaced;
pub use room::{GrantRoom, Shortage};
pub use runs::{Machinery, RunId, RunRow};
pub use succession::{Extension, Promotion, Refusal};
pub use tokens::{Enrolment, Stock};

/// What a verb of the store gives.
type Result<T, E = StoreError> = std::result::Result<T, E>;

/// An open store. Shared by reference among the workers; its verbs wait for their commit.
pub struct Store {
    path: PathBuf,
    writer: Writer,
    room: Option<Arc<Room>>,
    seals: OnceLock<Seals>,
    /// The run that was begun through this value, 0 for none.
    run: AtomicI64,
    changes: Changes,
    known: Known,
}

impl Store {
    /// Opens the store to write it, after the lock was taken; makes store and key if there is no
    /// store, and migrates an older one.
    pub fn open(lock: &RunLock, path: &Path, key: &KeySource) -> Result<Self> {
        if life::look(path, key.made())? != Found::Something {
            making::make(lock, path, key)?;
        }
        // A store that was closed and is open again: what SQLite keeps beside it has followed the
        // first, and would be opened for reading alone.
        place::carry_mode(path);
        let open = || connection::writer(path).map_err(|it| life::explain(it, path, key.made()));
        let (connection, standing) = match open()? {
            // A file that was begun by an earlier version and has nothing in it.
            (blank, Standing::Blank) => {
                drop(blank);
                life::emptied(path, key.made())?;
                making::make(lock, path, key)?;
                open()?
            }
            opened => opened,
        };
        let seals = prepare(&connection, standing, path, key)?;
        // What a first run that was killed has left, where the store came from a backup since.
        for made in [Some(place::real(path).as_path()), key.made()].into_iter().flatten() {
            let _ = place::clear_away(&place::waiting(made));
        }
        lock.use_store()
            .map_err(|error| StoreError::Unwritable(path.to_path_buf(), Cause::new(error)))?;
        place::carry_mode(path);
        Self::over(connection, path, Some(seals), Some(Room::of(path)))
    }

    /// Opens the store to write what needs no key, after the lock was taken; `None` if there is
    /// none of today's schema.
    pub fn open_without_key(_lock: &RunLock, path: &Path) -> Result<Option<Self>> {
        if place::look(path)? != Found::Something {
            return Ok(None);
        }
        // By a reader first: to open an older one to write would already change it.
        if connection::reader(path)?.is_none_or(|(_, standing)| standing != Standing::Today) {
            return Ok(None);
        }
        let (connection, _) = connection::writer(path)?;
        place::carry_mode(path);
        Self::over(connection, path, None, Some(Room::of(path))).map(Some)
    }

    /// Opens the store to read it; `None` if none was made yet. `key` is the key file where it is
    /// one of our making, which with no store beside it says that a store was lost.
    ///
    /// Needs no key, no lock and no right to write. A store of an older schema is migrated in
    /// memory.
    pub fn open_reader(path: &Path, key: Option<&Path>) -> Result<Option<Self>> {
        let Some((connection, standing)) = reader_of_living(path, key)? else { return Ok(None) };
        let read_only = |error: rusqlite::Error| Fault::from(error).about(path, Doing::Reading);
        let connection = match standing {
            Standing::Today => connection,
            Standing::Older | Standing::Blank => {
                let copy = connection::copy(Some(&connection)).map_err(read_only)?;
                connection::migrate(&copy, |_| Ok(()))
                    .map_err(|fault| fault.about(path, Doing::Reading))?;
                copy
            }
        };
        connection.pragma_update(None, "query_only", true).map_err(read_only)?;
        Ok(Some(Self::with(Writer::here(connection), path, None, None)))
    }

    /// A copy of the store in memory, or an empty one if none was made yet: every verb works and
    /// nothing reaches the disk. `made` is the key file where it is one of our making.
    pub fn rehearsal(path: &Path, key: Option<&KeySource>, made: Option<&Path>) -> Result<Self> {
        let fault = |fault: Fault| fault.about(path, Doing::Reading);
        let source = reader_of_living(path, made)?;
        let standing = source.as_ref().map_or(Standing::Blank, |(_, standing)| *standing);
        let copy = connection::copy(source.as_ref().map(|(connection, _)| connection))
            .map_err(|error| fault(error.into()))?;
        let seals = match (standing, key) {
            (Standing::Blank, _) => {
                let random = crate::crypto::random_key();
                Some(connection::migrate(&copy, |it| Seals::found(it, &random)).map_err(fault)?)
            }
            (_, Some(key)) => Some(prepare(&copy, standing, path, key)?),
            (_, None) => connection::migrate(&copy, |_| Ok(None)).map_err(fault)?,
        };
        Self::over(copy, path, seals, None)
    }

    /// Brings the key to a store that was opened without it.
    pub fn unlock(&self, key: &KeySource) -> Result<()> {
        let store_key = key.existing()?;
        let seals = self
            .writer
            .read(move |connection| Seals::unwrap(connection, &store_key))
            .map_err(|fault| blame(fault, key, &self.path))?;
        // Whoever brought it first brought the same.
        let _ = self.seals.set(seals);
        Ok(())
    }

    /// Where the store lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn over(
        connection: Connection,
        path: &Path,
        seals: Option<Seals>,
        room: Option<Room>,
    ) -> Result<Self> {
        let room = room.map(Arc::new);
        let writer = Writer::start(connection, room.clone())
            .map_err(|error| StoreError::Unreadable(path.to_path_buf(), Cause::new(error)))?;
        Ok(Self::with(writer, path, seals, room))
    }

    fn with(writer: Writer, path: &Path, seals: Option<Seals>, room: Option<Arc<Room>>) -> Self {
        let store = Self {
            path: path.to_path_buf(),
            writer,
            room,
            seals: OnceLock::new(),
            run: AtomicI64::new(0),
            changes: Changes::default(),
            known: Known::default(),
        };
        if let Some(seals) = seals {
            let _ = store.seals.set(seals);
        }
        store
    }

    fn seals(&self) -> Result<&Seals> {
        self.seals.get().ok_or_else(|| StoreError::KeyNeeded(self.path.clone()))
    }

    fn works_for(&self, run: RunId) {
        self.run.store(run.0, Ordering::Relaxed);
    }

    /// The run that was begun here; its open attempts are work, not wreckage.
    fn own_run(&self) -> RunId {
        RunId(self.run.load(Ordering::Relaxed))
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        self.writer.read(work).map_err(|fault| fault.about(&self.path, Doing::Reading))
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        let changes = self.changes.clone();
        let work = move |connection: &Connection| changes.counting(connection, work);
        self.writer.write(work).map_err(|fault| fault.about(&self.path, Doing::Writing))
    }

    fn write_now<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        let changes = self.changes.clone();
        let work = move |connection: &Connection| changes.counting(connection, work);
        self.writer.write_now(work).map_err(|fault| fault.about(&self.path, Doing::Writing))
    }

    fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        let changes = self.changes.clone();
        let work = move |connection: &Connection| changes.counting(connection, work);
        self.writer.alone(work).map_err(|fault| fault.about(&self.path, Doing::Writing))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.path.display())
    }
}

/// A reader of a store that was not lost; `None` if none was made yet.
fn reader_of_living(path: &Path, key: Option<&Path>) -> Result<Option<(Connection, Standing)>> {
    if life::look(path, key)? != Found::Something {
        return Ok(None);
    }
    let opened = connection::reader(path).map_err(|error| life::explain(error, path, key))?;
    if opened.as_ref().is_some_and(|(_, standing)| *standing == Standing::Blank) {
        life::emptied(path, key)?;
    }
    Ok(opened)
}

/// Brings an open file to today's schema, with its key at hand.
///
/// The key is tried first: a store that it does not open stays as it is.
fn prepare(
    connection: &Connection,
    standing: Standing,
    path: &Path,
    key: &KeySource,
) -> Result<Seals> {
    let fault = |fault| blame(fault, key, path);
    match standing {
        Standing::Blank => Err(StoreError::NotADatabase(path.to_path_buf())),
        Standing::Older => {
            let seals = Seals::unwrap(connection, &key.existing()?).map_err(fault)?;
            connection::migrate(connection, |_| Ok(seals)).map_err(fault)
        }
        Standing::Today => Seals::unwrap(connection, &key.existing()?).map_err(fault),
    }
}

/// A wrong key is the key's fault and not the store's.
fn blame(fault: Fault, key: &KeySource, store: &Path) -> StoreError {
    match fault {
        Fault::WrongKey => StoreError::KeyWrong(key.blamed(store).to_path_buf()),
        other => other.about(store, Doing::Writing),
    }
}

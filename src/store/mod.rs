//! Keeps what metatoken promises to remember.
//!
//! Verbs in the trade's words; under them rules over one small transaction type, [`tx`]; under those
//! an [`engine`], which is one `SQLite` file. The promises:
//!
//! - A verb that returns has committed: what it wrote survives a kill and a power cut.
//! - An access token is sealed before anything looks at it, and none lies on the disk in the clear.
//! - Before Meta is asked for a grant, the room that it needs on the disk is taken.
//! - A write names what it replaces, and does nothing if that is no longer there. A verb that changes
//!   a token takes what the caller knows of it by value, and gives back what is so then.
//! - A pending delivery is written with the promotion that causes it, and stays until it is settled.
//! - A user who may read the files can read the store, without its key, also after a writer was
//!   killed; reading makes and changes nothing.
//! - Only the holder of the [`RunLock`] opens the store to write. `status` alone adds its proofs
//!   without it.
//!
//! A dry run works on a copy in memory: the real code, and nothing that reaches the disk.

mod attempts;
mod candidate;
mod columns;
mod damage;
mod deliveries;
mod earlier;
mod engine;
mod error;
mod events;
mod examination;
mod exchanges;
mod forget;
mod generations;
mod hooks;
mod key;
mod key_change;
mod key_text;
mod known;
mod labels;
mod load;
mod logins;
mod minting;
mod notices;
mod overwrites;
mod private_files;
mod promote;
mod proofs;
mod purge;
mod reserve;
mod revocations;
mod rotations;
mod row;
mod runs;
mod seal;
mod sqlite;
mod target_backups;
mod throttles;
mod tokens;
mod tx;
mod tx_error;
mod value;
mod versions;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use engine::{Access, Engine, call};
use known::{Changes, KnownTokens};
use seal::Seals;
use tx::Tx;
use tx_error::{Doing, TxError};

use crate::token::Time;

pub use attempts::{Interrupted, Setback};
pub use candidate::NewCandidate;
pub use damage::Repaired;
pub use deliveries::{DeliveryFailure, Settlement};
pub use earlier::Remains;
pub use engine::GrantRoom;
pub use error::{FULL, StoreError};
pub use events::{Event, EventQuery, History, PastNote};
pub use forget::TargetPlace;
pub use generations::Sighting;
pub use hooks::HookProcess;
pub use key::{KeySource, NewKeyFile};
pub use key_change::{KeyChange, KeyStanding, Resealed, Sealing};
pub use key_text::read_key;
pub use known::{Enrolment, StoredTokens};
pub use logins::{LoginUse, SignedState};
pub use notices::{ChannelRecord, SentNotification};
pub use overwrites::{FileContents, Overwrite, Overwriting};
pub use promote::{ExtendedExpiry, Predecessor, Promotion, RefusedCandidate, Successor};
pub use purge::Retention;
pub use reserve::BackupPromotion;
pub use rotations::AdoptionFrom;
pub use runs::{RunRow, RunSummary};
pub use sqlite::{
    Holder, LockError, RunLock, backup, belongs_to_store, filesystem_trouble, lock_path, mark_path,
    read_with_log, refused_filesystem,
};
pub use tx_error::Shortage;
pub use value::RunId;

/// What a verb of the store gives.
type Result<T, E = StoreError> = std::result::Result<T, E>;

/// An open store. Shared by reference among the workers; its verbs wait for their commit.
pub struct Store {
    path: PathBuf,
    /// What was opened; another one where the key was changed meanwhile.
    engine: RwLock<Arc<dyn Engine>>,
    seals: RwLock<Option<Seals>>,
    /// The run that was begun through this value, 0 for none.
    run: AtomicI64,
    changes: Changes,
    known: KnownTokens,
}

/// So often a reader looks again at key and store, which may be on their way from one key to another.
const KEY_CHANGES: u32 = 15;
/// How long it waits before that: on a busy machine the key's file follows its row in a tenth of a second.
const KEY_PAUSE: Duration = Duration::from_millis(20);

impl Store {
    /// Opens the store to write it, after the lock was taken; makes store and key if there is no
    /// store, and migrates an older one.
    pub fn open(lock: &RunLock, path: &Path, key: &KeySource) -> Result<Self> {
        let (sqlite, seals) = sqlite::open(lock, path, key)?;
        Ok(Self::over(Arc::new(sqlite), path, Some(seals)))
    }

    /// Opens the store to write what needs no key, after the lock was taken; `None` if there is
    /// none of today's schema.
    pub fn open_without_key(_lock: &RunLock, path: &Path) -> Result<Option<Self>> {
        let sqlite = sqlite::open_without_key(path)?;
        Ok(sqlite.map(|sqlite| Self::over(Arc::new(sqlite), path, None)))
    }

    /// Says whether there is a store, for a command that makes and migrates none: one of an older
    /// schema is refused. `key` is the key file where it is one of our making.
    pub fn is_there(path: &Path, key: Option<&Path>) -> Result<bool> {
        sqlite::is_there(path, key)
    }

    /// Opens the store to read it; `None` if none was made yet. `key` is the key file where it is
    /// one of our making, which with no store beside it says that a store was lost.
    ///
    /// Needs no key, no lock and no right to write. A store of an older schema is migrated in
    /// memory.
    pub fn open_reader(path: &Path, key: Option<&Path>) -> Result<Option<Self>> {
        let sqlite = sqlite::open_reader(path, key)?;
        Ok(sqlite.map(|sqlite| Self::over(Arc::new(sqlite), path, None)))
    }

    /// Opens a copy of the store in memory, or an empty one if none was made yet: every verb works and
    /// nothing reaches the disk. `made` is the key file where it is one of our making.
    pub fn rehearsal(path: &Path, key: Option<&KeySource>, made: Option<&Path>) -> Result<Self> {
        let (sqlite, seals) = sqlite::rehearsal(path, key, made)?;
        Ok(Self::over(Arc::new(sqlite), path, seals))
    }

    /// Brings the key to a store that was opened without it.
    pub fn unlock(&self, key: &KeySource) -> Result<()> {
        let mut unwrapped = self.unwrap(key);
        for _ in 0..KEY_CHANGES {
            // A key file that is changed meanwhile opens what is there now.
            if key.made().is_none() || !matches!(unwrapped, Err(StoreError::KeyWrong(_))) {
                break;
            }
            std::thread::sleep(KEY_PAUSE);
            if let Some(now) = Self::open_reader(&self.path, key.made())? {
                *self.engine.write().unwrap_or_else(PoisonError::into_inner) = now.engine();
            }
            unwrapped = self.unwrap(key);
        }
        self.keep_seals(unwrapped?);
        Ok(())
    }

    fn unwrap(&self, key: &KeySource) -> Result<Seals> {
        let store_key = key.existing()?;
        let unwrap = move |tx: &mut dyn Tx| Seals::unwrap(tx, &store_key);
        call(&*self.engine(), Access::Read, None, unwrap)
            .map_err(|error| key.explain(error, &self.path))
    }

    /// Returns the path of the store.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes room on the disk for one grant, before Meta is asked for it. Waits for others to give
    /// theirs back while there is too little for all.
    ///
    /// [`NoRoom`](StoreError::NoRoom) if there is not even enough for one.
    pub fn room_for_grant(&self) -> Result<GrantRoom> {
        self.engine().room_for_grant().map_err(|error| error.about(&self.path, Doing::Writing))
    }

    /// Takes room on the disk for the note of what is sent; nothing where there is too little for a
    /// grant.
    pub fn room_to_note(&self) -> Result<Option<GrantRoom>> {
        match self.room_for_grant() {
            Err(error) if error.shortage().is_some() => Ok(None),
            room => room.map(Some),
        }
    }

    /// Returns whether so many renewals can be announced at once.
    pub fn has_room_to_announce(&self, renewals: usize) -> Result<bool> {
        let answer = self.engine().has_room_to_announce(renewals);
        answer.map_err(|error| error.about(&self.path, Doing::Writing))
    }

    /// Returns how much is missing for one grant, as far as a look at the disk can tell; writes
    /// nothing.
    pub fn shortage(&self) -> Option<Shortage> {
        self.engine().shortage()
    }

    /// A store that an engine keeps.
    fn over(engine: Arc<dyn Engine>, path: &Path, seals: Option<Seals>) -> Self {
        Self {
            path: path.to_path_buf(),
            engine: RwLock::new(engine),
            seals: RwLock::new(seals),
            run: AtomicI64::new(0),
            changes: Changes::default(),
            known: KnownTokens::default(),
        }
    }

    fn engine(&self) -> Arc<dyn Engine> {
        self.engine.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn seals(&self) -> Result<Seals> {
        let seals = self.seals.read().unwrap_or_else(PoisonError::into_inner);
        seals.clone().ok_or_else(|| StoreError::KeyNeeded(self.path.clone()))
    }

    fn keep_seals(&self, seals: Seals) {
        *self.seals.write().unwrap_or_else(PoisonError::into_inner) = Some(seals);
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
        work: impl FnOnce(&mut dyn Tx) -> Result<T, TxError> + Send + 'static,
    ) -> Result<T> {
        call(&*self.engine(), Access::Read, None, work)
            .map_err(|error| error.about(&self.path, Doing::Reading))
    }

    /// Writes what needs no date.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, TxError> + Send + 'static,
    ) -> Result<T> {
        self.write_with(Access::Write, None, work)
    }

    /// Writes what is dated with `now`.
    fn write_at<T: Send + 'static>(
        &self,
        now: Time,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, TxError> + Send + 'static,
    ) -> Result<T> {
        self.write_with(Access::Write, Some(now), work)
    }

    /// The same, without waiting for grants that are under way: the process is about to end.
    fn write_now<T: Send + 'static>(
        &self,
        now: Time,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, TxError> + Send + 'static,
    ) -> Result<T> {
        self.write_with(Access::WriteNow, Some(now), work)
    }

    fn write_with<T: Send + 'static>(
        &self,
        access: Access,
        now: Option<Time>,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, TxError> + Send + 'static,
    ) -> Result<T> {
        let changes = self.changes.clone();
        let work = move |tx: &mut dyn Tx| changes.counting(tx, work);
        call(&*self.engine(), access, now, work)
            .map_err(|error| error.about(&self.path, Doing::Writing))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.path.display())
    }
}

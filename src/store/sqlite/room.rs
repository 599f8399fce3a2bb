//! Takes room on the disk for what Meta is about to grant.
//!
//! A grant that meets a full disk is lost, and where Meta ends the old access token with it the
//! token is dead. So room is taken before Meta is asked: blocks are allocated behind the end of
//! the log, which makes the file look no longer, and the pages of the grant are written into them.
//! A worker holds its room until the new access token is promoted; meanwhile every commit
//! that lengthens the log takes its length anew, and where that fails the others wait.
//!
//! The database itself needs no room before a grant: a checkpoint that cannot make it longer
//! leaves all frames in the log, which grows on. What cannot be taken so, because the file
//! system does not know how or copies what is written, is written and undone instead.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use rustix::fs::{FallocateFlags, fallocate, statfs, statvfs};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::connection::empty_log;
use super::place;
use crate::store::tx_error::{EngineFailure, Shortage, SystemCause, TxError};

/// What a page costs in the log, with its header.
pub const FRAME: u64 = 4096 + 24;
/// What a run writes beside its grants while they are under way: its own row, events, verdicts.
const BESIDE: u64 = 32 * FRAME;
/// What one token writes from the announcement of its renewal to the promotion of what came of it:
/// six commits, each of which touches a leaf of up to eight trees, and some of which split it.
pub const GRANT: u64 = 64 * FRAME;
/// What one announcement writes: its row, its token's, and leaves of two indices.
const ANNOUNCEMENT: u64 = 2 * FRAME;
/// What one verdict writes that `status` brings.
const VERDICT: u64 = 2 * FRAME;
/// What stays taken between two runs, so that a disk which fills meanwhile stops none of them.
const KEPT: u64 = BESIDE + 4 * GRANT;
/// How long the log is at most before its index must grow too: 4062 frames. It comes to that only
/// while a reader that hangs keeps the log from being emptied.
const INDEXED: u64 = 4062 * FRAME;

/// File systems on which blocks that were allocated are there when they are written: ext2 to
/// ext4, XFS, tmpfs, and overlays, which hand the call on to one of those.
const KEEP_THEIR_WORD: [u64; 4] = [0xef53, 0x5846_5342, 0x0102_1994, 0x794c_7630];

/// The room of one store, shared by its callers and its thread.
#[derive(Debug)]
pub struct Room {
    log: PathBuf,
    /// Whether blocks can be taken ahead; else they are written.
    pub takes: AtomicBool,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The threads with a grant under way.
    holders: Vec<ThreadId>,
    /// How often one has given its room back.
    returned: u64,
    /// Whether others must wait, or they would use up what the holders were promised.
    tight: bool,
    /// There was none for a single grant; it is not looked for again in this run.
    refused: Option<Shortage>,
}

/// What came of asking for room.
pub enum Asked {
    Taken,
    /// There may be some when another thread has given its room back: so many had by then.
    Later(u64),
    /// There is not enough for one grant.
    None(Shortage),
}

/// Room for one grant, held by the thread that asked for it until the value is dropped.
pub struct Held(pub Arc<Room>);

impl Drop for Held {
    fn drop(&mut self) {
        let Self(room) = self;
        let me = std::thread::current().id();
        let mut state = room.lock();
        if let Some(place) = state.holders.iter().position(|holder| *holder == me) {
            state.holders.swap_remove(place);
        }
        state.returned += 1;
        state.tight &= !state.holders.is_empty();
        room.returned.notify_all();
    }
}

impl Room {
    /// Looks where the log of this store lies, and whether blocks can be taken there.
    pub fn of(store: &Path) -> Self {
        let store = &place::real(store);
        let folder = folder(store);
        let keeps = statfs(folder).is_ok_and(|found| {
            u64::try_from(found.f_type).is_ok_and(|kind| KEEP_THEIR_WORD.contains(&kind))
        });
        Self {
            log: place::beside(store, place::LOG),
            takes: AtomicBool::new(keeps),
            state: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    /// Returns whether this thread has a grant under way: what it writes shares its commit with no
    /// other.
    pub fn is_held_by(&self, thread: ThreadId) -> bool {
        self.lock().holders.contains(&thread)
    }

    /// Makes a thread without a grant wait until what it writes takes nothing from threads with one.
    pub fn wait_while_tight(&self) {
        let me = std::thread::current().id();
        let blocked = |state: &mut State| state.tight && !state.holders.contains(&me);
        drop(self.returned.wait_while(self.lock(), blocked));
    }

    /// After a commit: takes what the holders were promised anew, behind the log's new end.
    pub fn keep_up(&self) {
        let mut state = self.lock();
        if state.holders.is_empty() {
            return;
        }
        let needed = needed(state.holders.len());
        state.tight = if self.takes.load(Ordering::Relaxed) {
            !matches!(self.take(needed), Ok(true))
        } else {
            shortage(&self.log, 4 * needed).is_some()
        };
    }

    /// Returns whether the disk has place for so many verdicts beside what runs have taken.
    pub fn has_some_for_others(&self, verdicts: usize) -> bool {
        let needed = BESIDE + VERDICT * verdicts as u64;
        free(&self.log).is_none_or(|free| free >= needed)
    }

    /// Closes the store: leaves the log empty, with room that is taken for the next run.
    pub fn close(&self, connection: Connection) {
        // A log that is not emptied is read once more by the next writer.
        let _ = empty_log(&connection);
        drop(connection);
        // A run that finds no room says so: this is only for a disk that fills meanwhile.
        if self.takes.load(Ordering::Relaxed) {
            let _ = self.take(KEPT);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until another thread has given its room back, after so many had.
    pub fn wait_for_a_return(&self, seen: u64) {
        let same = |state: &mut State| state.returned == seen && !state.holders.is_empty();
        drop(self.returned.wait_while(self.lock(), same));
    }

    /// Takes room for one grant of this thread, if there is enough.
    pub fn ask(&self, connection: &Connection, who: ThreadId) -> Result<Asked, TxError> {
        let mut state = self.lock();
        if let Some(shortage) = state.refused {
            return Ok(Asked::None(shortage));
        }
        let needed = needed(state.holders.len() + 1);
        if self.prove(connection, needed)? {
            state.holders.push(who);
            return Ok(Asked::Taken);
        }
        if !state.holders.is_empty() {
            return Ok(Asked::Later(state.returned));
        }
        let shortage = shortage(&self.log, needed).unwrap_or(Shortage { needed, free: 0 });
        state.refused = Some(shortage);
        Ok(Asked::None(shortage))
    }

    /// Returns how much is missing for one grant, as far as a look at the disk can tell; writes
    /// nothing.
    pub fn shortage_for_grant(store: &Path) -> Option<Shortage> {
        shortage(&place::beside(&place::real(store), place::LOG), BESIDE + GRANT)
    }

    /// Returns whether so many renewals can be announced at once.
    pub fn can_announce(&self, connection: &Connection, renewals: usize) -> Result<bool, TxError> {
        self.prove(connection, BESIDE + ANNOUNCEMENT * renewals as u64)
    }

    /// Proves that so many bytes can be written to the log from now on.
    fn prove(&self, connection: &Connection, needed: u64) -> Result<bool, TxError> {
        if self.take_or_write(connection, needed)? {
            return Ok(true);
        }
        // What is in the database already frees its place in the log.
        let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.take_or_write(connection, needed)
    }

    fn take_or_write(&self, connection: &Connection, needed: u64) -> Result<bool, TxError> {
        if self.takes.load(Ordering::Relaxed) && self.is_indexed(needed) {
            match self.take(needed) {
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                    self.takes.store(false, Ordering::Relaxed);
                }
                Ok(taken) => return Ok(taken),
                Err(errno) => return Err(refused(errno)),
            }
        }
        self.write(connection, needed)
    }

    /// Whether the index of the log has a place for so many bytes more: no room can be taken for it.
    fn is_indexed(&self, needed: u64) -> bool {
        fs::metadata(&self.log).is_ok_and(|log| log.len() + needed < INDEXED)
    }

    /// Allocates so many bytes behind the log's end; the file looks no longer than before. By plain
    /// I/O: no lock of `SQLite`'s lies on the log.
    fn take(&self, needed: u64) -> Result<bool, Errno> {
        let errno = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
        let log = OpenOptions::new().write(true).open(&self.log).map_err(errno)?;
        let length = log.metadata().map_err(errno)?.len();
        // Blocks behind a file's end are given out beyond the limit too; to write there fails.
        if longest().is_some_and(|longest| length + needed > longest) {
            return Ok(false);
        }
        match fallocate(&log, FallocateFlags::KEEP_SIZE, 0, length + needed) {
            Ok(()) => Ok(true),
            Err(Errno::NOSPC | Errno::DQUOT | Errno::FBIG) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Writes so many bytes into the log, in a transaction that is undone: the next takes its
    /// place.
    fn write(&self, connection: &Connection, needed: u64) -> Result<bool, TxError> {
        let within = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        let bytes = i64::try_from(needed / FRAME * 4096).unwrap_or(i64::MAX);
        let written = within
            .execute_batch("CREATE TABLE room (filler BLOB)")
            .and_then(|()| within.execute("INSERT INTO room VALUES (zeroblob(?1))", [bytes]))
            .and_then(|_| within.cache_flush())
            .map_err(TxError::from)
            .and_then(|()| self.sync().map_err(refused));
        if !within.is_autocommit() {
            within.rollback()?;
        }
        match written {
            Err(error) if error.is_full() => Ok(false),
            written => written.map(|()| true),
        }
    }

    fn sync(&self) -> Result<(), Errno> {
        let log = OpenOptions::new().write(true).open(&self.log);
        let synced = log.and_then(|log| log.sync_data());
        synced.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
    }
}

/// What the system refused without `SQLite`.
fn refused(errno: Errno) -> TxError {
    let failure = match errno {
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => EngineFailure::Full,
        _ => EngineFailure::Other,
    };
    TxError::Engine(failure, SystemCause::new(std::io::Error::from(errno)))
}

/// Returns how many bytes so many grants need that are under way at once.
pub const fn needed(grants: usize) -> u64 {
    BESIDE + GRANT * grants as u64
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// How much is missing, by what the log has taken and what the disk has left.
fn shortage(log: &Path, needed: u64) -> Option<Shortage> {
    let (length, blocks) = fs::metadata(log).map_or((0, 0), |log| (log.len(), log.blocks() * 512));
    let on_disk = free(log).map(|disk| blocks.saturating_sub(length) + disk);
    let within_limit = longest().map(|longest| longest.saturating_sub(length));
    let free = on_disk.into_iter().chain(within_limit).min()?;
    (free < needed).then_some(Shortage { needed, free })
}

/// How long a file may become, where this process is limited (`ulimit -f`, `LimitFSIZE=`).
fn longest() -> Option<u64> {
    getrlimit(Resource::Fsize).current
}

/// What is left on the disk, where that can be said: some file systems in memory know no size.
fn free(log: &Path) -> Option<u64> {
    let disk = statvfs(folder(log)).ok().filter(|disk| disk.f_blocks > 0)?;
    Some(disk.f_bavail * disk.f_frsize)
}

//! Gathers jobs on the one thread that owns the connection.
//!
//! Workers hand it jobs and wait. It takes all that is queued, gives each writing job a savepoint
//! of its own, commits once and only then acknowledges: a hundred renewals cost a few syncs, one
//! job's failure undoes that job alone, and no caller sees a row before it is on the disk.
//!
//! While a thread has a grant under way, what it writes shares its commit with no other: a full disk
//! undoes a commit whole, and the grant must not be undone for what another wanted to write.
//!
//! A reader has nothing to gather: then there is no thread, and each caller does its own work.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, ThreadId};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::connection::patiently;
use super::room::{Asked, Held, Room};
use super::tx::SqliteTx;
use crate::store::engine::{Access, Done, GrantRoom, StoreJob};
use crate::store::tx_error::{EngineFailure, SystemCause, TxError};

/// The connection, and the way to it.
pub struct JobQueue {
    backend: Backend,
    /// Where the log lies, if it lies on a disk.
    pub room: Option<Arc<Room>>,
    thread: Option<JoinHandle<()>>,
}

/// Where orders go.
enum Backend {
    /// To the thread.
    Thread(Sender<Order>),
    /// Nowhere: the caller does the work.
    Here(Mutex<Connection>),
    /// The thread is being told to end.
    Closed,
}

/// What is asked of the thread.
enum Order {
    Read(Box<dyn StoreJob>),
    /// By this thread.
    Write(Box<dyn StoreJob>, ThreadId),
    /// In no transaction.
    Alone(Box<dyn FnOnce(&Connection) + Send>),
}

impl JobQueue {
    /// Hands the connection to a thread of its own; `room` is where its log lies on a disk.
    pub fn start(connection: Connection, room: Option<Arc<Room>>) -> std::io::Result<Self> {
        let (orders, queue) = channel();
        let theirs = room.clone();
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || {
            serve(&connection, &queue, theirs.as_deref());
            if let Some(room) = theirs {
                room.close(connection);
            }
        })?;
        Ok(Self { backend: Backend::Thread(orders), room, thread: Some(thread) })
    }

    /// Leaves the connection to its callers, one at a time.
    pub fn here(connection: Connection) -> Self {
        Self { backend: Backend::Here(Mutex::new(connection)), room: None, thread: None }
    }

    /// Carries out a job, and acknowledges it when its commit is on the disk.
    pub fn submit(&self, job: Box<dyn StoreJob>, access: Access) {
        if let (Some(room), Access::Write) = (&self.room, access) {
            room.wait_while_tight();
        }
        self.order(match access {
            Access::Read => Order::Read(job),
            Access::Write | Access::WriteNow => Order::Write(job, std::thread::current().id()),
        });
    }

    /// Works with the connection while nothing else is under way, in no transaction.
    pub fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, TxError> + Send + 'static,
    ) -> Result<T, TxError> {
        let (reply, answer) = sync_channel(1);
        self.order(Order::Alone(Box::new(move |connection| {
            // A caller that no longer waits has panicked.
            let _ = reply.send(catch_unwind(AssertUnwindSafe(|| work(connection))));
        })));
        match answer.recv().expect("the store's thread answers every order") {
            Ok(outcome) => outcome,
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Takes room for one grant; waits for others to give theirs back while there is too little for
    /// all.
    pub fn room_for_grant(&self) -> Result<GrantRoom, TxError> {
        let Some(room) = &self.room else { return Ok(GrantRoom::unlimited()) };
        let me = std::thread::current().id();
        loop {
            let theirs = Arc::clone(room);
            match self.alone(move |connection| theirs.ask(connection, me))? {
                Asked::Taken => return Ok(GrantRoom::held(Held(Arc::clone(room)))),
                Asked::Later(seen) => room.wait_for_a_return(seen),
                Asked::None(shortage) => return Err(TxError::NoRoom(shortage)),
            }
        }
    }

    /// Returns whether so many renewals can be announced at once.
    pub fn has_room_to_announce(&self, renewals: usize) -> Result<bool, TxError> {
        let Some(room) = self.room.clone() else { return Ok(true) };
        self.alone(move |connection| room.can_announce(connection, renewals))
    }

    fn order(&self, order: Order) {
        match &self.backend {
            Backend::Thread(orders) => {
                orders.send(order).expect("the store's thread outlives its panics");
            }
            Backend::Here(connection) => {
                let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                settle(&connection, std::iter::once(order), None);
            }
            Backend::Closed => unreachable!("the store's thread ends with the store"),
        }
    }
}

impl Drop for JobQueue {
    fn drop(&mut self) {
        if let Backend::Here(connection) = std::mem::replace(&mut self.backend, Backend::Closed) {
            let connection = connection.into_inner().unwrap_or_else(PoisonError::into_inner);
            // A copy in memory goes with the process: to give it back piece by piece takes as long as to
            // read the config.
            if connection.path().is_none_or(str::is_empty) {
                std::mem::forget(connection);
            }
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(connection: &Connection, queue: &Receiver<Order>, room: Option<&Room>) {
    while let Ok(first) = queue.recv() {
        settle(connection, std::iter::once(first).chain(queue.try_iter()), room);
    }
}

/// Does what was ordered: what hangs on a grant in one commit, all other writes in another, and
/// then the reads, which see both.
fn settle(connection: &Connection, orders: impl Iterator<Item = Order>, room: Option<&Room>) {
    let (mut of_grants, mut writes) = (Vec::new(), Vec::new());
    let (mut alone, mut reads) = (Vec::new(), Vec::new());
    for order in orders {
        match order {
            Order::Write(job, by) if room.is_some_and(|room| room.is_held_by(by)) => {
                of_grants.push(job);
            }
            Order::Write(job, _) => writes.push(job),
            Order::Alone(job) => alone.push(job),
            Order::Read(job) => reads.push(job),
        }
    }
    for mut writes in [of_grants, writes] {
        if writes.is_empty() {
            continue;
        }
        let commit = commit(connection, &mut writes);
        if let Some(room) = room {
            room.keep_up();
        }
        for job in writes {
            job.acknowledge(commit.clone());
        }
    }
    for work in alone {
        work(connection);
    }
    for mut job in reads {
        let now = job.now();
        let seen = snapshot(connection, |within| {
            job.run(&mut SqliteTx::new(within, now));
        });
        job.acknowledge(seen);
    }
}

/// Runs all jobs in one transaction; an error means that none of them left anything.
fn commit(connection: &Connection, jobs: &mut [Box<dyn StoreJob>]) -> Result<(), TxError> {
    let within = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    for job in jobs {
        within.execute_batch("SAVEPOINT job")?;
        let now = job.now();
        let done = job.run(&mut SqliteTx::new(&within, now));
        // A full disk makes SQLite undo everything at once, the jobs before this one too.
        if within.is_autocommit() {
            let undone = SystemCause::new("the whole transaction was undone");
            return Err(TxError::Engine(EngineFailure::Full, undone));
        }
        within.execute_batch(match done {
            Done::Keep => "RELEASE job",
            Done::Undo => "ROLLBACK TO job; RELEASE job",
        })?;
    }
    Ok(within.commit()?)
}

/// Reads one state of the store, however many statements it takes.
pub fn snapshot<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> T,
) -> Result<T, TxError> {
    // Which state that is the first read decides; from then on no writer is in the way.
    let within = patiently(|| {
        let within = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
        within.prepare_cached("SELECT count(*) FROM sqlite_schema")?.query_row([], |_| Ok(()))?;
        Ok(within)
    })?;
    Ok(read(&within))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::store::engine::{self, JobOutcome, WaitingJob};
    use crate::store::sqlite::Sqlite;
    use crate::store::tx::Tx;
    use crate::store::value::values;

    fn sqlite() -> Sqlite {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE meta (n INTEGER PRIMARY KEY) STRICT").unwrap();
        Sqlite::start(connection, Path::new("metatoken.db"), None).unwrap()
    }

    fn add(tx: &mut dyn Tx, n: i64) -> Result<(), TxError> {
        tx.execute("INSERT INTO meta (n) VALUES (?1)", values![n])
    }

    fn write(sqlite: &Sqlite, n: i64) -> Result<(), TxError> {
        engine::call(sqlite, Access::Write, None, move |tx| add(tx, n))
    }

    fn rows(sqlite: &Sqlite) -> Vec<i64> {
        engine::call(sqlite, Access::Read, None, |tx| {
            tx.all("SELECT n FROM meta ORDER BY n", &[], |mut row| row.integer("meta.n"))
        })
        .unwrap()
    }

    #[test]
    fn what_is_queued_becomes_one_commit_and_a_failure_undoes_itself_alone() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE meta (n INTEGER PRIMARY KEY) STRICT").unwrap();
        let (acknowledged, commits) = sync_channel(3);
        let outcomes = [(); 3].map(|()| Arc::new(JobOutcome::new(None)));
        let job = |outcome: &Arc<JobOutcome<()>>, n: i64, twice: i64| -> Box<dyn StoreJob> {
            Box::new(WaitingJob {
                work: Some(move |tx: &mut dyn Tx| {
                    add(tx, n)?;
                    add(tx, twice)
                }),
                outcome: Arc::clone(outcome),
                now: None,
                commit: acknowledged.clone(),
            })
        };
        let mut jobs = [job(&outcomes[0], 1, 2), job(&outcomes[1], 3, 3), job(&outcomes[2], 4, 5)];
        let before = connection.total_changes();
        commit(&connection, &mut jobs).unwrap();
        assert!(connection.is_autocommit());
        assert!(before < connection.total_changes());
        for job in jobs {
            job.acknowledge(Ok(()));
        }
        assert!(commits.try_iter().all(|commit| commit.is_ok()));
        let is_done =
            outcomes.map(|outcome| matches!(outcome.lock().unwrap().take(), Some(Ok(Ok(())))));
        assert_eq!(is_done, [true, false, true]);
        let left: i64 =
            connection.query_row("SELECT sum(n) FROM meta", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 1 + 2 + 4 + 5);
    }

    #[test]
    fn many_workers_share_the_thread() {
        let sqlite = sqlite();
        std::thread::scope(|scope| {
            for n in 0..16 {
                let sqlite = &sqlite;
                scope.spawn(move || write(sqlite, n).unwrap());
            }
        });
        assert_eq!(rows(&sqlite), (0..16).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_is_the_callers_and_leaves_nothing() {
        let sqlite = sqlite();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            engine::call(&sqlite, Access::Write, None, |tx| -> Result<(), TxError> {
                add(tx, 1)?;
                panic!("a bug")
            })
        }));
        assert!(panic.is_err());
        write(&sqlite, 2).unwrap();
        assert_eq!(rows(&sqlite), [2]);
    }
}

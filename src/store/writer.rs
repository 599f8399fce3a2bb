//! The one thread that owns the connection.
//!
//! Workers hand it jobs and wait. It takes all that is queued, gives each writing job a savepoint
//! of its own, commits once and only then acknowledges: a hundred renewals cost a few syncs, one
//! job's failure undoes that job alone, and nobody looks at a row before it is on the disk.
//!
//! While somebody has a grant under way, what he writes shares its commit with nobody else: a full
//! disk undoes a commit whole, and the grant must not be undone for what another wanted to write.
//!
//! Who only reads has nothing to gather: then there is no thread, and each caller does its own work.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, ThreadId};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::connection::patiently;
use super::fault::Fault;
use super::room::Room;

/// The connection, and the way to it.
pub struct Writer {
    desk: Desk,
    room: Option<Arc<Room>>,
    thread: Option<JoinHandle<()>>,
}

/// Where orders go.
enum Desk {
    /// To the thread.
    Thread(Sender<Order>),
    /// Nowhere: who asks does the work.
    Here(Mutex<Connection>),
    /// The thread is being told to end.
    Closed,
}

/// What is asked of the thread.
enum Order {
    Read(Box<dyn Job>),
    /// By this thread.
    Write(Box<dyn Job>, ThreadId),
    /// In no transaction.
    Alone(Box<dyn Job>),
}

/// When a write may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// When it takes no room from a grant that is under way.
    AfterGrants,
    /// Now: the process is about to end.
    Now,
}

/// One verb's work, and whoever waits for its end.
trait Job: Send {
    /// Does the work.
    fn run(&mut self, connection: &Connection) -> Done;
    /// Tells the caller how it ended, now that `commit` is known.
    fn acknowledge(self: Box<Self>, commit: Result<(), Fault>);
}

/// Whether a job's rows are to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Keep,
    Undo,
}

/// What came of a job: its value, its fault, or its panic.
type Outcome<T> = Result<Result<T, Fault>, Box<dyn Any + Send>>;

struct Asked<T, W> {
    work: Option<W>,
    outcome: Option<Outcome<T>>,
    reply: SyncSender<Outcome<T>>,
}

impl<T, W> Job for Asked<T, W>
where
    T: Send,
    W: FnOnce(&Connection) -> Result<T, Fault> + Send,
{
    fn run(&mut self, connection: &Connection) -> Done {
        let Some(work) = self.work.take() else { return Done::Undo };
        let outcome = catch_unwind(AssertUnwindSafe(|| work(connection)));
        let done = if matches!(outcome, Ok(Ok(_))) { Done::Keep } else { Done::Undo };
        self.outcome = Some(outcome);
        done
    }

    fn acknowledge(self: Box<Self>, commit: Result<(), Fault>) {
        let outcome = match (self.outcome, commit) {
            (Some(Ok(Ok(_))) | None, Err(fault)) => Ok(Err(fault)),
            (Some(outcome), _) => outcome,
            (None, Ok(())) => return,
        };
        // A caller that no longer waits has panicked; there is nobody to tell.
        let _ = self.reply.send(outcome);
    }
}

impl Writer {
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
        Ok(Self { desk: Desk::Thread(orders), room, thread: Some(thread) })
    }

    /// Leaves the connection to its callers, one at a time.
    pub fn here(connection: Connection) -> Self {
        Self { desk: Desk::Here(Mutex::new(connection)), room: None, thread: None }
    }

    /// Reads, seeing only what is committed.
    pub fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.ask(work, Order::Read)
    }

    /// Writes, and returns when the commit is on the disk.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.ask_to_write(work, Turn::AfterGrants)
    }

    /// Writes without waiting for others whose grants are under way.
    pub fn write_now<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.ask_to_write(work, Turn::Now)
    }

    /// Works with the connection while nothing else is under way, in no transaction.
    pub fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.ask(work, Order::Alone)
    }

    fn ask_to_write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        turn: Turn,
    ) -> Result<T, Fault> {
        if let (Some(room), Turn::AfterGrants) = (&self.room, turn) {
            room.wait_while_tight();
        }
        let me = std::thread::current().id();
        self.ask(work, move |job| Order::Write(job, me))
    }

    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        order: impl FnOnce(Box<dyn Job>) -> Order,
    ) -> Result<T, Fault> {
        let (reply, answer) = sync_channel(1);
        let job = Box::new(Asked { work: Some(work), outcome: None, reply });
        match &self.desk {
            Desk::Thread(orders) => {
                orders.send(order(job)).expect("the store's thread outlives its panics");
            }
            Desk::Here(connection) => {
                let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                settle(&connection, std::iter::once(order(job)), None);
            }
            Desk::Closed => unreachable!("the store's thread ends with the store"),
        }
        match answer.recv().expect("the store's thread answers every job") {
            Ok(outcome) => outcome,
            // The panic is the caller's: it asked for this work.
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.desk = Desk::Closed;
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
    for mut job in alone {
        job.run(connection);
        job.acknowledge(Ok(()));
    }
    for mut job in reads {
        let seen = snapshot(connection, &mut *job);
        job.acknowledge(seen);
    }
}

/// Runs all jobs in one transaction; an error means that none of them left anything.
fn commit(connection: &Connection, jobs: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    let within = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    for job in jobs {
        within.execute_batch("SAVEPOINT job")?;
        let done = job.run(&within);
        // A full disk makes SQLite undo everything at once, the jobs before this one too.
        if within.is_autocommit() {
            return Err(Fault::RolledBack);
        }
        within.execute_batch(match done {
            Done::Keep => "RELEASE job",
            Done::Undo => "ROLLBACK TO job; RELEASE job",
        })?;
    }
    Ok(within.commit()?)
}

/// Runs a reading job on one state of the store, however many statements it takes.
fn snapshot(connection: &Connection, job: &mut dyn Job) -> Result<(), Fault> {
    // Which state that is the first read decides; from then on no writer is in the way.
    let within = patiently(|| {
        let within = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
        within.prepare_cached("SELECT count(*) FROM sqlite_schema")?.query_row([], |_| Ok(()))?;
        Ok(within)
    })?;
    job.run(&within);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> Writer {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE meta (n INTEGER PRIMARY KEY) STRICT").unwrap();
        Writer::start(connection, None).unwrap()
    }

    fn add(connection: &Connection, n: i64) -> Result<(), Fault> {
        connection.execute("INSERT INTO meta (n) VALUES (?1)", [n])?;
        Ok(())
    }

    fn rows(writer: &Writer) -> Vec<i64> {
        writer
            .read(|connection| {
                let mut statement = connection.prepare("SELECT n FROM meta ORDER BY n")?;
                let rows = statement.query_map([], |row| row.get(0))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .unwrap()
    }

    #[test]
    fn what_is_queued_becomes_one_commit_and_a_failure_undoes_itself_alone() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE meta (n INTEGER PRIMARY KEY) STRICT").unwrap();
        let (reply, answers) = sync_channel(3);
        let job = |n: i64, twice: i64| -> Box<dyn Job> {
            Box::new(Asked {
                work: Some(move |connection: &Connection| {
                    add(connection, n)?;
                    add(connection, twice)
                }),
                outcome: None,
                reply: reply.clone(),
            })
        };
        let mut jobs = [job(1, 2), job(3, 3), job(4, 5)];
        let commits = connection.total_changes();
        commit(&connection, &mut jobs).unwrap();
        assert!(connection.is_autocommit());
        assert!(commits < connection.total_changes());
        for job in jobs {
            job.acknowledge(Ok(()));
        }
        let outcomes: Vec<bool> = answers
            .try_iter()
            .map(|outcome| outcome.is_ok_and(|outcome| outcome.is_ok()))
            .collect();
        assert_eq!(outcomes, [true, false, true]);
        let left: i64 =
            connection.query_row("SELECT sum(n) FROM meta", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 1 + 2 + 4 + 5);
    }

    #[test]
    fn many_workers_share_the_thread() {
        let writer = writer();
        std::thread::scope(|scope| {
            for n in 0..16 {
                let writer = &writer;
                scope.spawn(move || writer.write(move |connection| add(connection, n)).unwrap());
            }
        });
        assert_eq!(rows(&writer), (0..16).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_is_the_callers_and_leaves_nothing() {
        let writer = writer();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            writer.write(|connection| -> Result<(), Fault> {
                add(connection, 1)?;
                panic!("a bug")
            })
        }));
        assert!(panic.is_err());
        writer.write(|connection| add(connection, 2)).unwrap();
        assert_eq!(rows(&writer), [2]);
    }
}

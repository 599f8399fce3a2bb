//! Defines what a database engine does for the store: it carries out jobs, and says how they ended
//! when that is certain.
//!
//! The rules know [`Tx`] and nothing else. How jobs are queued, gathered into commits and brought to
//! the disk, and what room there is on it, is the engine's.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::tx::Tx;
use super::tx_error::{Shortage, TxError};
use crate::token::Time;

/// What a job may do, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It reads, and sees only what is committed.
    Read,
    /// It writes, when that takes no room from a grant that is under way.
    Write,
    /// It writes now: the process is about to end.
    WriteNow,
}

/// Looks for rows that cannot be read, and says which.
pub type RowCheck = fn(&mut dyn Tx) -> Result<Vec<String>, TxError>;

/// A database that keeps a store.
pub trait Engine: Send + Sync {
    /// Carries out a job in a transaction, and acknowledges it when its commit is certain.
    fn submit(&self, job: Box<dyn StoreJob>, access: Access);

    /// Takes room for one grant; waits for others to give theirs back while there is too little for
    /// all. [`TxError::NoRoom`] if there is not even enough for one.
    fn room_for_grant(&self) -> Result<GrantRoom, TxError>;

    /// Whether so many renewals can be announced at once.
    fn has_room_to_announce(&self, renewals: usize) -> Result<bool, TxError>;

    /// Writes the whole file again, so that nothing is left of rows that were changed, and empties the
    /// log; false while another program reads what that holds.
    fn rewrite(&self) -> Result<bool, TxError>;

    /// How much room is missing for one grant, as far as a look can tell; writes nothing.
    fn shortage(&self) -> Option<Shortage>;

    /// Looks the whole database over, the rows by `check`: what is damaged. Nothing if that takes
    /// longer than `patience`.
    fn look_over(
        &self,
        patience: Duration,
        check: RowCheck,
    ) -> Result<Option<Vec<String>>, TxError>;
}

/// Room for one grant, held by the thread that asked for it until the value is dropped.
#[must_use]
pub struct GrantRoom {
    _held: Option<Box<dyn Any>>,
}

impl GrantRoom {
    /// Room that is given back when `held` is dropped.
    pub(super) fn held(held: impl Any) -> Self {
        Self { _held: Some(Box::new(held)) }
    }

    /// All the room there is.
    pub(super) const fn unlimited() -> Self {
        Self { _held: None }
    }
}

/// The work of one verb, and the caller that waits for its end.
pub trait StoreJob: Send {
    /// The time that its transaction is dated with, if it dates anything.
    fn now(&self) -> Option<Time>;

    /// Does the work.
    fn run(&mut self, tx: &mut dyn Tx) -> Done;

    /// Tells the caller how it ended, now that `commit` is known.
    fn acknowledge(self: Box<Self>, commit: Result<(), TxError>);
}

/// Whether the rows of a job are to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// They stay.
    Keep,
    /// They are undone.
    Undo,
}

/// What came of a job once it has run: its value, its error, or its panic.
pub type JobOutcome<T> = Mutex<Option<thread::Result<Result<T, TxError>>>>;

/// A job whose caller waits for its commit. What it came to is not sent but left behind, so that the
/// channel is the same for every job.
pub struct WaitingJob<T, W> {
    pub work: Option<W>,
    pub outcome: Arc<JobOutcome<T>>,
    pub now: Option<Time>,
    pub commit: SyncSender<Result<(), TxError>>,
}

impl<T, W> StoreJob for WaitingJob<T, W>
where
    T: Send,
    W: FnOnce(&mut dyn Tx) -> Result<T, TxError> + Send,
{
    fn now(&self) -> Option<Time> {
        self.now
    }

    fn run(&mut self, tx: &mut dyn Tx) -> Done {
        let Some(work) = self.work.take() else { return Done::Undo };
        let outcome = catch_unwind(AssertUnwindSafe(|| work(tx)));
        let done = if matches!(outcome, Ok(Ok(_))) { Done::Keep } else { Done::Undo };
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        done
    }

    fn acknowledge(self: Box<Self>, commit: Result<(), TxError>) {
        // A caller that no longer waits has panicked.
        let _ = self.commit.send(commit);
    }
}

/// Has a job carried out by an engine, and waits for its end.
pub fn call<T: Send + 'static>(
    engine: &dyn Engine,
    access: Access,
    now: Option<Time>,
    work: impl FnOnce(&mut dyn Tx) -> Result<T, TxError> + Send + 'static,
) -> Result<T, TxError> {
    let (commit, ended) = sync_channel(1);
    let outcome = Arc::new(JobOutcome::new(None));
    let job = WaitingJob { work: Some(work), outcome: Arc::clone(&outcome), now, commit };
    engine.submit(Box::new(job), access);
    let commit = ended.recv().expect("the engine acknowledges every job");
    let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
    match outcome {
        Some(Ok(value)) => value.and_then(|value| commit.map(|()| value)),
        // The panic is the caller's: it asked for this work.
        Some(Err(panic)) => resume_unwind(panic),
        None => Err(commit.expect_err("a job that is committed has run")),
    }
}

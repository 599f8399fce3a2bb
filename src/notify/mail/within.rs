//! A limit to all of something that only knows limits to its parts.

use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

/// How long a conversation that has its outcome may take over its goodbye.
const GOODBYE: Duration = Duration::from_millis(100);

/// Does the work beside and waits for what it tells, no longer than the limit.
///
/// Work that outlives the limit is left to itself, so it must look at the instant that it is
/// given before each step that has consequences.
pub(super) fn limit<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce(Instant, &Sender<T>) + Send + 'static,
) -> Option<T> {
    let (tell, told) = mpsc::channel();
    let until = Instant::now() + limit;
    std::thread::Builder::new().spawn(move || work(until, &tell)).ok()?;
    let outcome = told.recv_timeout(limit).ok()?;
    // The other end goes away when the work is done.
    let _ = told.recv_timeout(GOODBYE);
    Some(outcome)
}

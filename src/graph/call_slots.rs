//! Limits how many calls are under way at once, whatever number of threads make them.
//!
//! There are more threads than slots: while one stores what it was answered, another asks.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The slots for calls.
#[derive(Debug)]
pub struct CallSlots {
    free: Mutex<usize>,
    returned: Condvar,
}

/// A slot for one call, given back when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct CallSlot<'a>(&'a CallSlots);

impl CallSlots {
    /// So many slots, at least one.
    pub fn new(slots: usize) -> Self {
        Self { free: Mutex::new(slots.max(1)), returned: Condvar::new() }
    }

    /// Takes a slot; waits while all are taken, which ends because each call has its limit.
    pub fn take(&self) -> CallSlot<'_> {
        let waiting = self.returned.wait_while(self.free(), |free| *free == 0);
        *waiting.unwrap_or_else(PoisonError::into_inner) -= 1;
        CallSlot(self)
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CallSlot<'_> {
    fn drop(&mut self) {
        let Self(slots) = self;
        *slots.free() += 1;
        slots.returned.notify_one();
    }
}

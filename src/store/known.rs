//! Keeps what was read of all tokens at once, for as long as no row changes.
//!
//! A run asks for each token several times, and every time that takes a trip to the store's thread
//! and four statements. It reads all tokens when it begins; until something is written, what was
//! read then is what would be read again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::fault::Fault;
use super::runs::RunId;
use super::tokens::{Enrolment, Stock};
use crate::token::{Credential, Label, TokenId};

/// How often rows were changed through this store; shared with the work that its thread does.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes(Arc<AtomicU64>);

impl Changes {
    /// Does the work, and counts it if it changed a row. It is counted before the commit: what is
    /// undone in the end costs no more than reading again.
    pub(super) fn counting<T>(
        &self,
        connection: &Connection,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let before = connection.total_changes();
        let done = work(connection);
        if connection.total_changes() != before {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        done
    }

    /// How often so far.
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// All tokens as they were read last.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Option<Snapshot>>);

#[derive(Debug)]
struct Snapshot {
    changes: u64,
    own: RunId,
    stock: Stock,
    /// Where in the stock each token stands.
    places: HashMap<TokenId, usize>,
}

impl Known {
    /// Keeps what was read after so many changes, on behalf of this run.
    pub(super) fn keep(&self, stock: Stock, changes: u64, own: RunId) {
        let places = stock.credentials.iter().enumerate().map(|(place, it)| (it.id, place));
        let places = places.collect();
        *self.lock() = Some(Snapshot { changes, own, stock, places });
    }

    /// All tokens, if nothing has changed since they were read.
    pub(super) fn stock(&self, changes: u64, own: RunId) -> Option<Stock> {
        self.with(changes, own, |known| Some(known.stock.clone()))
    }

    /// One token, if nothing has changed since it was read.
    pub(super) fn credential(
        &self,
        token: TokenId,
        changes: u64,
        own: RunId,
    ) -> Option<Credential> {
        self.with(changes, own, |known| {
            known
                .places
                .get(&token)
                .map(|place| Credential::clone(&known.stock.credentials[*place]))
        })
    }

    /// The numbers of these tokens, if all are enrolled already just like that.
    pub(super) fn enrolled(
        &self,
        enrolments: &[Enrolment],
        changes: u64,
        own: RunId,
    ) -> Option<Vec<TokenId>> {
        self.with(changes, own, |known| {
            let by_label: HashMap<&Label, &Credential> =
                known.stock.credentials.iter().map(|it| (&it.label, &**it)).collect();
            let enrolled = |each: &Enrolment| {
                by_label.get(&each.label).filter(|it| each.is_enrolled_as(it)).map(|it| it.id)
            };
            enrolments.iter().map(enrolled).collect()
        })
    }

    fn with<T>(
        &self,
        changes: u64,
        own: RunId,
        read: impl FnOnce(&Snapshot) -> Option<T>,
    ) -> Option<T> {
        let known = self.lock();
        let current = known.as_ref().filter(|it| it.changes == changes && it.own == own);
        current.and_then(read)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Snapshot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Keeps what was read of all tokens at once, for as long as no row changes.
//!
//! A run asks for each token several times, and every time that takes a trip to the store's thread
//! and four statements. It reads all tokens when it begins; until something is written, what was
//! read then is what would be read again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::tx::{EachRow, Tx};
use super::tx_error::TxError;
use super::value::{RunId, SqlValue};
use crate::token::{Credential, Label, Time, TokenId, TokenType};

/// A token as the config, or a list of Pages, has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Its label.
    pub label: Label,
    /// The label that it had before.
    pub was: Option<Label>,
    /// Its type.
    pub token_type: TokenType,
    /// The Page that it is for; what the store knows stays where this says nothing.
    pub page_id: Option<String>,
    /// The Page's name, likewise.
    pub name: Option<String>,
}

impl Enrolment {
    /// Whether the store has this token just like that; a damaged row never does.
    pub(super) fn is_enrolled_as(&self, known: &Credential) -> bool {
        let stays = |new: &Option<String>, old: &Option<String>| new.is_none() || new == old;
        known.damage.is_none()
            && self.label == known.label
            && self.token_type == known.token_type
            && stays(&self.page_id, &known.page_id)
            && stays(&self.name, &known.name)
    }
}

/// All tokens that the store ever heard of.
#[derive(Debug, Clone, Default)]
pub struct Stock {
    /// The tokens, by label.
    pub credentials: Vec<Arc<Credential>>,
    /// Damaged rows that cannot be assigned to a token.
    pub strays: Vec<&'static str>,
}

/// How often rows were changed through this store; shared with the work that its thread does.
#[derive(Debug, Clone, Default)]
pub struct Changes(Arc<AtomicU64>);

impl Changes {
    /// Does the work, and counts it if it changed a row. It is counted before the commit: what is
    /// undone in the end costs no more than reading again.
    pub fn counting<T>(
        &self,
        tx: &mut dyn Tx,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, TxError>,
    ) -> Result<T, TxError> {
        let mut counting = CountingTx { tx, has_changed: false };
        let done = work(&mut counting);
        if counting.has_changed {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        done
    }

    /// How often so far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A transaction that knows whether it has changed a row.
struct CountingTx<'a> {
    tx: &'a mut dyn Tx,
    has_changed: bool,
}

impl Tx for CountingTx<'_> {
    fn execute(&mut self, sql: &str, values: &[SqlValue<'_>]) -> Result<usize, TxError> {
        let changed = self.tx.execute(sql, values)?;
        self.has_changed |= changed > 0;
        Ok(changed)
    }

    fn rows(
        &mut self,
        sql: &str,
        values: &[SqlValue<'_>],
        each: EachRow<'_>,
    ) -> Result<(), TxError> {
        self.has_changed |= sql.contains("RETURNING");
        self.tx.rows(sql, values, each)
    }

    fn now(&self) -> Time {
        self.tx.now()
    }
}

/// All tokens as they were read last.
#[derive(Debug, Default)]
pub struct Known(Mutex<Option<Snapshot>>);

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
    pub fn keep(&self, stock: Stock, changes: u64, own: RunId) {
        let places = stock.credentials.iter().enumerate().map(|(place, it)| (it.id, place));
        let places = places.collect();
        *self.lock() = Some(Snapshot { changes, own, stock, places });
    }

    /// All tokens, if nothing has changed since they were read.
    pub fn stock(&self, changes: u64, own: RunId) -> Option<Stock> {
        self.with(changes, own, |known| Some(known.stock.clone()))
    }

    /// One token, if nothing has changed since it was read.
    pub fn credential(&self, token: TokenId, changes: u64, own: RunId) -> Option<Credential> {
        self.with(changes, own, |known| {
            known
                .places
                .get(&token)
                .map(|place| Credential::clone(&known.stock.credentials[*place]))
        })
    }

    /// The numbers of these tokens, if all are enrolled already just like that.
    pub fn enrolled(
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

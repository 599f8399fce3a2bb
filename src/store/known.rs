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
    /// The person who can log in again.
    pub owner: Option<String>,
    /// The name of its app in the config.
    pub app: Option<String>,
}

impl Enrolment {
    /// Whether the store has this token just like that; a damaged row never does.
    fn is_enrolled_as(&self, known: &Credential) -> bool {
        let stays = |new: &Option<String>, old: &Option<String>| new.is_none() || new == old;
        known.damage.is_none()
            && self.label == known.label
            && self.token_type == known.token_type
            && stays(&self.page_id, &known.page_id)
            && stays(&self.name, &known.name)
            && self.owner == known.owner
            && self.app == known.app
    }
}

/// All tokens that the store ever heard of.
#[derive(Debug, Clone, Default)]
pub struct StoredTokens {
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

    /// Returns how often rows were changed so far.
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
    fn execute_counted(&mut self, sql: &str, values: &[SqlValue<'_>]) -> Result<usize, TxError> {
        let changed = self.tx.execute_counted(sql, values)?;
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
pub struct KnownTokens(Mutex<Option<Snapshot>>);

#[derive(Debug)]
struct Snapshot {
    changes: u64,
    own: RunId,
    stored: StoredTokens,
    /// Where among them each token stands.
    places: HashMap<TokenId, usize>,
}

impl KnownTokens {
    /// Keeps what was read after so many changes, on behalf of this run.
    pub fn keep(&self, stored: StoredTokens, changes: u64, own: RunId) {
        let places = stored.credentials.iter().enumerate().map(|(place, it)| (it.id, place));
        let places = places.collect();
        *self.lock() = Some(Snapshot { changes, own, stored, places });
    }

    /// Returns all tokens, if nothing has changed since they were read.
    pub fn stored_tokens(&self, changes: u64, own: RunId) -> Option<StoredTokens> {
        self.with(changes, own, |known| Some(known.stored.clone()))
    }

    /// Returns one token, if nothing has changed since it was read.
    pub fn credential(&self, token: TokenId, changes: u64, own: RunId) -> Option<Credential> {
        self.with(changes, own, |known| {
            known
                .places
                .get(&token)
                .map(|place| Credential::clone(&known.stored.credentials[*place]))
        })
    }

    /// Returns the numbers of these tokens, if all are enrolled already just like that.
    pub fn enrolled(
        &self,
        enrolments: &[Enrolment],
        changes: u64,
        own: RunId,
    ) -> Option<Vec<TokenId>> {
        self.with(changes, own, |known| {
            let by_label: HashMap<&Label, &Credential> =
                known.stored.credentials.iter().map(|it| (&it.label, &**it)).collect();
            let is_renamed = |each: &Enrolment, it: &Credential| {
                let old = each.was.as_ref().and_then(|was| by_label.get(was));
                old.is_some_and(|old| it.is_renamed_from(old))
            };
            let enrolled = |each: &Enrolment| {
                let known = by_label.get(&each.label)?;
                (each.is_enrolled_as(known) && !is_renamed(each, known)).then_some(known.id)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{Shelf, day, enrolment, label};
    use crate::token::{Damage, Problem, ProblemKind};

    /// A transaction in which every statement changes so many rows.
    struct Changing(usize);

    impl Tx for Changing {
        fn execute_counted(&mut self, _: &str, _: &[SqlValue<'_>]) -> Result<usize, TxError> {
            Ok(self.0)
        }

        fn rows(&mut self, _: &str, _: &[SqlValue<'_>], _: EachRow<'_>) -> Result<(), TxError> {
            Ok(())
        }

        fn now(&self) -> Time {
            day(0)
        }
    }

    #[test]
    fn work_counts_if_it_changed_a_row() {
        for (rows, expected) in [(0, 0), (1, 1), (7, 1)] {
            let changes = Changes::default();
            let done = changes.counting(&mut Changing(rows), |tx| {
                tx.execute("UPDATE token SET name = NULL", &[])?;
                tx.execute_counted("UPDATE token SET name = NULL", &[])
            });
            assert_eq!((done.unwrap(), changes.count()), (rows, expected), "{rows} rows");
        }
        for (sql, expected) in [("SELECT id FROM run", 0), ("INSERT INTO run RETURNING id", 1)] {
            let changes = Changes::default();
            changes.counting(&mut Changing(1), |tx| tx.has_row(sql, &[])).unwrap();
            assert_eq!(changes.count(), expected, "{sql}");
        }
        let changes = Changes::default();
        let failed: Result<(), TxError> = changes.counting(&mut Changing(1), |tx| {
            tx.execute("DELETE FROM token", &[])?;
            Err(TxError::Purged)
        });
        assert!(failed.is_err());
        assert_eq!(changes.count(), 1, "what is undone costs no more than reading again");
    }

    /// What a store knows of the tokens `a` and `b`.
    fn stored_tokens() -> StoredTokens {
        let shelf = Shelf::new();
        shelf.store.enrol(&[enrolment("a"), enrolment("b")], day(0)).unwrap();
        shelf.store.stored_tokens().unwrap()
    }

    #[test]
    fn what_was_read_is_known_until_a_row_changes_or_another_run_asks() {
        let known = KnownTokens::default();
        assert!(known.stored_tokens(0, RunId(1)).is_none(), "nothing was read yet");
        let stored = stored_tokens();
        let [a, b] = [0, 1].map(|at| Credential::clone(&stored.credentials[at]));
        known.keep(stored.clone(), 3, RunId(1));
        assert_eq!(known.stored_tokens(3, RunId(1)).unwrap().credentials, stored.credentials);
        assert_eq!(known.credential(b.id, 3, RunId(1)), Some(b.clone()));
        assert_eq!(known.credential(a.id, 3, RunId(1)), Some(a.clone()));
        assert_eq!(known.credential(TokenId(99), 3, RunId(1)), None);
        for (changes, run) in [(2, 1), (4, 1), (3, 2)] {
            assert!(known.stored_tokens(changes, RunId(run)).is_none(), "{changes} {run}");
            assert_eq!(known.credential(a.id, changes, RunId(run)), None, "{changes} {run}");
            assert_eq!(known.enrolled(&[enrolment("a")], changes, RunId(run)), None);
        }
    }

    #[test]
    fn tokens_are_enrolled_if_each_is_known_just_like_that() {
        let (known, stored) = (KnownTokens::default(), stored_tokens());
        let ids = [0, 1].map(|at| stored.credentials[at].id);
        known.keep(stored.clone(), 0, RunId(1));
        let enrolled = |all: &[Enrolment]| known.enrolled(all, 0, RunId(1));
        assert_eq!(enrolled(&[enrolment("b"), enrolment("a")]), Some(vec![ids[1], ids[0]]));
        assert_eq!(enrolled(&[]), Some(Vec::new()));
        let with_page = Enrolment { page_id: Some("7".into()), ..enrolment("a") };
        let as_page = Enrolment { token_type: TokenType::Page, ..enrolment("a") };
        let called = Enrolment { name: Some("Brand".into()), ..enrolment("a") };
        for other in [enrolment("c"), with_page, as_page, called] {
            assert_eq!(enrolled(&[enrolment("b"), other.clone()]), None, "{other:?}");
        }
        let mut damaged = stored;
        Arc::make_mut(&mut damaged.credentials[0]).damage =
            Some(Damage { in_place: None, parts: Vec::new() });
        known.keep(damaged, 0, RunId(1));
        let enrolled = |name| known.enrolled(&[enrolment(name)], 0, RunId(1));
        assert_eq!((enrolled("a"), enrolled("b")), (None, Some(vec![ids[1]])));
    }

    #[test]
    fn a_store_reads_anew_what_it_has_changed() {
        let shelf = Shelf::new();
        let (token, store) = (shelf.token("brand"), &shelf.store);
        assert_eq!(store.repair(day(1)).unwrap(), []);
        let known = || store.known.credential(token, store.changes.count(), store.own_run());
        let before = known().expect("all tokens were read");
        let problem = Problem::new(ProblemKind::Unknown, "refused");
        store.note_trouble(before, Some(&problem)).unwrap();
        assert_eq!(known(), None);
        let after = store.credential_called(&label("brand"), None).unwrap().unwrap();
        assert_eq!(store.credential(token).unwrap(), after);
        assert_eq!(after.attempts.problem, Some(problem));
    }
}

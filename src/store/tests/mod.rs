//! The store's promises, each tried on a store of its own.
//!
//! What the rules promise is tried on every engine: a `contract!` names those tests, and a second
//! database adds its line there. What hangs on files is tried on the disk alone.

/// Makes an empty store of some engine.
type Make = fn() -> Shelf;

/// Tries promises on every engine.
macro_rules! contract {
    ($($promise:ident,)*) => {
        mod on_disk {
            $(
                #[test]
                fn $promise() {
                    super::$promise(super::Shelf::new);
                }
            )*
        }
        mod in_memory {
            $(
                #[test]
                fn $promise() {
                    super::$promise(super::Shelf::in_memory);
                }
            )*
        }
    };
}

mod delivery;
mod generations;
mod history;
mod notices;
mod overwrites;
mod purge;
mod target_backups;
mod throttles;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};

use super::*;
use crate::crypto::Key;
use crate::token::{
    AccessToken, Arrival, Credential, EventKind, Expiry, Generation, GenerationId, GenerationState,
    Inspection, Label, Origin, Problem, ProblemKind, Proof, Time, TokenId, TokenType, Trigger,
};

/// Midnight of the day `n` days after the first of January 2026.
pub fn day(n: i64) -> Time {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::days(n)
}

pub fn string(text: &str) -> AccessToken {
    AccessToken::parse(text).unwrap()
}

pub fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

pub fn proof(at: Time, valid: bool, expiry: Expiry) -> Proof {
    let problem = (!valid).then(|| Problem::new(ProblemKind::Revoked, "it was revoked"));
    let inspection = Inspection { expiry, ..Inspection::bare(Some(valid), problem) };
    Proof { at, inspection }
}

pub fn enrolment(name: &str) -> Enrolment {
    Enrolment {
        label: label(name),
        was: None,
        token_type: TokenType::User,
        page_id: None,
        name: None,
        owner: None,
        app: None,
    }
}

pub fn key() -> KeySource {
    KeySource::Given(Key::new([7; 32]))
}

pub fn lock(path: &Path) -> RunLock {
    let holder = Holder { pid: 1, command: "metatoken refresh".into(), started_at: day(0) };
    RunLock::take(path, &holder, Duration::from_secs(10)).unwrap()
}

/// A store in a folder that goes when it goes.
pub struct Shelf {
    pub store: Store,
    pub lock: RunLock,
    pub run: RunId,
    pub path: PathBuf,
    pub folder: tempfile::TempDir,
}

impl Shelf {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metatoken.db");
        let lock = lock(&path);
        let store = Store::open(&lock, &path, &key()).unwrap();
        let run = store.begin_run("refresh", Trigger::Scheduled, day(0)).unwrap();
        Self { store, lock, run, path, folder }
    }

    /// A store that no file keeps.
    fn in_memory() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metatoken.db");
        let lock = lock(&path);
        let store = Store::rehearsal(&path, None, None).unwrap();
        let run = store.begin_run("refresh", Trigger::Scheduled, day(0)).unwrap();
        Self { store, lock, run, path, folder }
    }

    pub fn token(&self, name: &str) -> TokenId {
        self.store.enrol(&[enrolment(name)], day(0)).unwrap()[0]
    }

    pub fn candidate(&self, token: TokenId, text: &str, expiry: Expiry, now: Time) -> Generation {
        let new = NewCandidate::granted(string(text), Origin::Refreshed, expiry);
        self.store.seal_candidate(self.credential(token), new, now).unwrap().1
    }

    pub fn promotion(candidate: &Generation) -> Promotion {
        Promotion {
            candidate: candidate.id,
            successor: crate::store::Successor::Candidate,
            proof: None,
            arrival: Arrival::Refreshed,
            problem: None,
            predecessor: Predecessor::Kept,
            pending_for: Vec::new(),
        }
    }

    /// Seals a string and makes it the current one.
    pub fn current(&self, token: TokenId, text: &str, expiry: Expiry, now: Time) -> Generation {
        let candidate = self.candidate(token, text, expiry, now);
        self.promote(token, Shelf::promotion(&candidate), now).unwrap();
        Generation { state: GenerationState::Current, ..candidate }
    }

    /// Promotes a candidate in the place of the one that is current now.
    pub fn promote(&self, token: TokenId, promotion: Promotion, now: Time) -> Result<Credential> {
        self.store.promote(self.run, self.credential(token), promotion, now)
    }

    /// Records an answer of Graph's.
    pub fn note_proof(
        &self,
        token: TokenId,
        generation: GenerationId,
        proof: Proof,
    ) -> Option<EventKind> {
        let credential = self.credential(token);
        self.store.note_proof(self.run, credential, generation, proof).unwrap().1
    }

    pub fn credential(&self, token: TokenId) -> Credential {
        let all = self.store.credentials().unwrap();
        std::sync::Arc::unwrap_or_clone(
            all.into_iter().find(|credential| credential.id == token).unwrap(),
        )
    }

    pub fn kinds(&self) -> Vec<EventKind> {
        let mut events = self.store.events(&EventQuery::default()).unwrap();
        events.reverse();
        events.into_iter().map(|event| event.kind).collect()
    }
}

//! The store's promises, each tried on a store of its own.

// A release build has no fail points.
#[cfg(debug_assertions)]
mod crash;
mod damage;
mod delivery;
mod files;
mod generations;
mod history;
mod keys;
mod notices;
mod other_user;
mod overwrites;
mod pauses;
mod purge;
mod replaced;
mod room;
mod schema;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};

use super::*;
use crate::crypto::Key;
use crate::token::{
    AccessToken, EventKind, Expiry, Generation, GenerationId, Inspection, Label, Origin, Problem,
    ProblemKind, Proof, Time, TokenId, TokenType, Trigger,
};

/// Midnight of the day `n` days after the first of January 2026.
fn day(n: i64) -> Time {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::days(n)
}

fn string(text: &str) -> AccessToken {
    AccessToken::parse(text).unwrap()
}

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn proof(at: Time, valid: bool, expiry: Expiry) -> Proof {
    let problem = (!valid).then(|| Problem::new(ProblemKind::Revoked, "it was revoked"));
    let inspection = Inspection { expiry, ..Inspection::bare(Some(valid), problem) };
    Proof { at, inspection }
}

fn enrolment(name: &str) -> Enrolment {
    Enrolment {
        label: label(name),
        was: None,
        token_type: TokenType::User,
        page_id: None,
        name: None,
    }
}

fn key() -> KeySource {
    KeySource::Given(Key::new([7; 32]))
}

fn lock(path: &Path) -> RunLock {
    let holder = Holder { pid: 1, command: "metatoken refresh".into(), started_at: day(0) };
    RunLock::take(path, &holder, Duration::from_secs(10)).unwrap()
}

/// A store in a folder that goes when it goes.
struct Shelf {
    store: Store,
    lock: RunLock,
    run: RunId,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Shelf {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metatoken.db");
        let lock = lock(&path);
        let store = Store::open(&lock, &path, &key()).unwrap();
        let run = store.begin_run("refresh", Trigger::Scheduled, day(0)).unwrap();
        Self { store, lock, run, path, _folder: folder }
    }

    fn token(&self, name: &str) -> TokenId {
        self.store.enrol(&[enrolment(name)]).unwrap()[0]
    }

    fn candidate(&self, token: TokenId, text: &str, expiry: Expiry, now: Time) -> Generation {
        let arrival = Arrival {
            token,
            string: string(text),
            origin: Origin::Refreshed,
            expiry,
            parent: None,
        };
        self.store.seal_candidate(arrival, now).unwrap()
    }

    fn promotion(&self, token: TokenId, candidate: &Generation) -> Promotion {
        let supersedes = self.credential(token).current.map(|current| current.id);
        Promotion {
            token,
            candidate: candidate.id,
            supersedes,
            proof: None,
            event: EventKind::Refreshed,
            problem: None,
            owes: Vec::new(),
        }
    }

    /// Seals a string and makes it the current one.
    fn current(&self, token: TokenId, text: &str, expiry: Expiry, now: Time) -> Generation {
        let candidate = self.candidate(token, text, expiry, now);
        self.store.promote(self.run, self.promotion(token, &candidate), now).unwrap()
    }

    fn credential(&self, token: TokenId) -> crate::token::Credential {
        let all = self.store.credentials().unwrap();
        std::sync::Arc::unwrap_or_clone(
            all.into_iter().find(|credential| credential.id == token).unwrap(),
        )
    }

    fn kinds(&self) -> Vec<EventKind> {
        let mut events = self.store.events(&EventQuery::default()).unwrap();
        events.reverse();
        events.into_iter().map(|event| event.kind).collect()
    }
}

/// This binary once more, in this folder, to run one of its ignored tests.
fn again(test: &str, folder: &Path) -> Command {
    // The build's folder may be closed to others.
    let binary = folder.join("reader");
    if !binary.exists() {
        std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    }
    let mut command = Command::new(binary);
    command
        .args(["--ignored", "--exact", &format!("store::tests::{test}")])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Whether such a test was started by [`again`], and not by somebody who runs all that is ignored.
fn is_child() -> bool {
    std::env::current_exe()
        .is_ok_and(|binary| binary.parent() == std::env::current_dir().ok().as_deref())
}

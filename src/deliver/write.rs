//! A string's way into a file.
//!
//! The file is read, edited as bytes, and put back; if somebody wrote it in between, it is read
//! again. A string that nobody knows is never overwritten unless the caller says so: it may be the
//! one that a person pasted at three in the morning.

use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use super::target::{FirstDelivery, FormatFrom};
use super::{Fault, FileTarget, Writing};
use crate::edit::{Edited, Held, Missing};
use crate::file::{self, FileError, Opened};
use crate::token::{AccessToken, Secret};

/// How often a file that changes under us is read again.
pub(super) const ATTEMPTS: usize = 5;

/// Who writes in place in this process: one at a time.
static IN_PLACE: Mutex<()> = Mutex::new(());

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It holds the string already.
    Already,
    /// It holds the string now.
    Replaced,
    /// It went its own way, and was left alone.
    Foreign,
}

/// Whether what a file holds may give way to another access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Whatever it is.
    Given,
    /// If it is one of what a first delivery may replace.
    First,
    /// It went its own way, and is left alone.
    Refused,
}

/// The string that a file holds; none where there is no file, no such key, or nothing at it.
pub fn look(target: &FileTarget) -> Result<Option<Secret>, Fault> {
    match Opened::open(&target.path)? {
        Some(opened) => held(target, opened.bytes()),
        None => Ok(None),
    }
}

/// Remembers what a write replaces, so that it can be finished or undone.
pub trait Memory {
    /// Why nothing could be remembered.
    type Error;

    /// Keeps what a file holds and what it is about to hold, before anything is changed. Its
    /// failure ends the write.
    fn begin(&self, writing: Writing, old: &[u8], new: &[u8]) -> Result<(), Self::Error>;

    /// Forgets that again: nothing was written.
    fn cancel(&self, writing: Writing) -> Result<(), Self::Error>;
}

/// Puts `string` into the file.
///
/// `may_go` says of what the file holds, a string or nothing, whether another may take its place.
pub fn write<M: Memory>(
    target: &FileTarget,
    string: &AccessToken,
    may_go: &dyn Fn(Option<&Secret>) -> Consent,
    memory: &M,
) -> Result<Result<Written, Fault>, M::Error> {
    let written = rewrite(target, memory, |bytes| plan(target, bytes, string, may_go))?;
    Ok(written.and_then(|written| match written {
        Some(written) => Ok(written),
        None => create(target, string, may_go),
    }))
}

/// Reads the file, asks what it is to hold, and puts that there; `None` if there is no file.
///
/// A file of several names cannot be replaced without losing the others, so it is written in place.
pub(super) fn rewrite<M: Memory>(
    target: &FileTarget,
    memory: &M,
    plan: impl Fn(&[u8]) -> Result<Plan, Fault>,
) -> Result<Result<Option<Written>, Fault>, M::Error> {
    let mut writing = target.writing;
    for _ in 0..ATTEMPTS {
        // Several tokens may stand in one file, and what is remembered of it is one write.
        let _turn = (writing == Writing::InPlace)
            .then(|| IN_PLACE.lock().unwrap_or_else(PoisonError::into_inner));
        let opened = match Opened::open(&target.path) {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error.into())),
        };
        let bytes = match plan(opened.bytes()) {
            Ok(Plan::Change(bytes)) => bytes,
            Ok(Plan::Leave(written)) => return Ok(Ok(Some(written))),
            Err(fault) => return Ok(Err(fault)),
        };
        memory.begin(writing, opened.bytes(), &bytes)?;
        let outcome = match writing {
            Writing::Atomic => opened.replace(&bytes),
            Writing::InPlace => opened.overwrite(&bytes),
        };
        let error = match outcome {
            Ok(()) => return Ok(Ok(Some(Written::Replaced))),
            Err(error) => error,
        };
        if !matches!(error, FileError::HalfWritten(..) | FileError::Unsynced(..)) {
            memory.cancel(writing)?;
        }
        match error {
            FileError::ChangedMeanwhile(_) => {}
            FileError::ManyNames(..) => writing = Writing::InPlace,
            error => return Ok(Err(error.into())),
        }
    }
    Ok(Err(Fault::restless(&target.path)))
}

/// What is to be done with a file.
pub(super) enum Plan {
    /// It gets these bytes.
    Change(Zeroizing<Vec<u8>>),
    /// Nothing.
    Leave(Written),
}

/// What is to be done with a file that holds `bytes`.
pub(super) fn plan(
    target: &FileTarget,
    bytes: &[u8],
    string: &AccessToken,
    may_go: &dyn Fn(Option<&Secret>) -> Consent,
) -> Result<Plan, Fault> {
    let found = held(target, bytes)?;
    let is_there = found.as_ref().is_some_and(|found| found.expose() == string.expose());
    if !is_there {
        match may_go(found.as_ref()) {
            Consent::Refused => return Ok(Plan::Leave(Written::Foreign)),
            Consent::First => allow_first(target, bytes)?,
            Consent::Given => {}
        }
    }
    match edited(target, bytes, string)? {
        Edited::Unchanged => Ok(Plan::Leave(Written::Already)),
        Edited::Changed(bytes) => Ok(Plan::Change(bytes)),
    }
}

fn create(
    target: &FileTarget,
    string: &AccessToken,
    may_go: &dyn Fn(Option<&Secret>) -> Consent,
) -> Result<Written, Fault> {
    if may_go(None) == Consent::Refused {
        return Ok(Written::Foreign);
    }
    if target.missing == Missing::Refuse {
        return Err(Fault::no_file(&target.path));
    }
    match edited(target, b"", string)? {
        Edited::Unchanged => Ok(Written::Already),
        Edited::Changed(bytes) => {
            file::create(&target.path, &bytes, file::PRIVATE)?;
            Ok(Written::Replaced)
        }
    }
}

fn edited(target: &FileTarget, bytes: &[u8], string: &AccessToken) -> Result<Edited, Fault> {
    target
        .address()
        .replace(bytes, string.expose(), target.missing)
        .map_err(|error| Fault::in_file(&target.path, &error))
}

/// Refuses a first delivery into `bytes` that would replace what may be needed.
fn allow_first(target: &FileTarget, bytes: &[u8]) -> Result<(), Fault> {
    let address = target.address();
    let allowed = match (target.rules.first, target.rules.format_from) {
        (FirstDelivery::Overwrite, _) => Ok(()),
        (FirstDelivery::Careful, FormatFrom::Name) => {
            address.is_one_word(bytes).and_then(|()| address.may_be_replaced(bytes))
        }
        (FirstDelivery::Careful, FormatFrom::Config) => address.may_be_replaced(bytes),
    };
    allowed.map_err(|error| Fault::in_file(&target.path, &error))
}

/// Why a first delivery into the file as it is now would fail, as far as its content shows; none
/// where there is no file, or where it cannot be read.
pub fn foresee_first(target: &FileTarget, string: &AccessToken) -> Option<Fault> {
    let opened = Opened::open(&target.path).ok()??;
    let allowed = allow_first(target, opened.bytes());
    allowed.and_then(|()| edited(target, opened.bytes(), string).map(drop)).err()
}

/// What the file holds; of what is not text, such as a number, what is written there.
fn held(target: &FileTarget, bytes: &[u8]) -> Result<Option<Secret>, Fault> {
    match target.address().held(bytes) {
        Ok(Held::Nothing) => Ok(None),
        Ok(Held::Text(text) | Held::Other(text)) => Ok(Some(Secret::new(text.trim()))),
        Err(error) => Err(Fault::in_file(&target.path, &error)),
    }
}

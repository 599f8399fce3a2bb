//! Writes an access token into a file.
//!
//! The file is read, edited as bytes, and put back; if another program wrote it in between, it is
//! read again. An unknown value is never overwritten unless the caller says so: it may be the one
//! that a person pasted at three in the morning.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::error::DeliveryError;
use crate::config::{FileTarget, FirstDelivery, FormatFrom, Writing};
use crate::edit::{self, Edited, HeldValue, Missing};
use crate::files::{self, FileError, Opened};
use crate::token::{AccessToken, Secret};

/// How often a file that changes under us is read again.
pub const ATTEMPTS: usize = 5;

/// Held by the thread that writes in place: one at a time in this process.
static IN_PLACE: Mutex<()> = Mutex::new(());

/// The files that threads of this process write now.
static WRITTEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Wakes the threads that wait for a file when one was written.
static TURN_OVER: Condvar = Condvar::new();

/// A thread's turn at a file: several tokens may stand in one, and are delivered by as many threads.
struct Turn<'a>(&'a Path);

impl<'a> Turn<'a> {
    fn wait_for(path: &'a Path) -> Self {
        let written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
        let is_written = |written: &mut BTreeSet<PathBuf>| written.contains(path);
        let mut written =
            TURN_OVER.wait_while(written, is_written).unwrap_or_else(PoisonError::into_inner);
        written.insert(path.to_owned());
        Self(path)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).remove(self.0);
        TURN_OVER.notify_all();
    }
}

/// How a delivery left a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It held the access token already.
    Already,
    /// It holds the access token now.
    Replaced,
    /// It holds an unknown value and was left untouched.
    Foreign,
}

/// Whether what a file holds may be replaced by another access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consent {
    /// Whatever it is.
    Given,
    /// If it is one of what a first delivery may replace.
    First,
    /// It has drifted, and is left untouched.
    Refused,
    /// A first delivery may not replace it, for this reason.
    Kept(DeliveryError),
}

/// Reads the value that a file holds; none where there is no file, no such key, or nothing at it.
pub fn read_value(target: &FileTarget) -> Result<Option<Secret>, DeliveryError> {
    match Opened::open(&target.path)? {
        Some(opened) => held(target, opened.bytes()),
        None => Ok(None),
    }
}

/// Reads the access token that a first delivery would replace in a file.
pub fn replaceable_token(target: &FileTarget) -> Option<AccessToken> {
    let opened = Opened::open(&target.path).ok()??;
    let found = held(target, opened.bytes()).ok()??;
    let is_replaceable = || {
        allow_first(target, opened.bytes()).is_ok()
            && edited(target, opened.bytes(), &sample_token()).is_ok()
    };
    let is_token = edit::looks_like_a_token(found.expose()) && is_replaceable();
    AccessToken::parse(found.expose()).ok().filter(|_| is_token)
}

/// Returns a plainly fake access token, to try a delivery with.
pub fn sample_token() -> AccessToken {
    AccessToken::parse("EAAFAKEREHEARSAL").expect("a constant that is well formed")
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

/// Puts the access token into the file.
///
/// `may_replace` says of what the file holds, a value or nothing, whether another may take its place.
pub fn write<M: Memory>(
    target: &FileTarget,
    access_token: &AccessToken,
    may_replace: &dyn Fn(Option<&Secret>) -> Consent,
    memory: &M,
) -> Result<Result<Written, DeliveryError>, M::Error> {
    let _turn = Turn::wait_for(&target.path);
    let written = rewrite(target, memory, |bytes| plan(target, bytes, access_token, may_replace))?;
    Ok(written.and_then(|written| match written {
        Some(written) => Ok(written),
        None => create(target, access_token, may_replace),
    }))
}

/// Reads the file, asks what it is to hold, and puts that there; `None` if there is no file.
///
/// A file of several names cannot be replaced without losing the others, so it is written in place.
pub fn rewrite<M: Memory>(
    target: &FileTarget,
    memory: &M,
    plan: impl Fn(&[u8]) -> Result<PlannedWrite, DeliveryError>,
) -> Result<Result<Option<Written>, DeliveryError>, M::Error> {
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
            Ok(PlannedWrite::Change(bytes)) => bytes,
            Ok(PlannedWrite::Leave(written)) => return Ok(Ok(Some(written))),
            Err(error) => return Ok(Err(error)),
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
    Ok(Err(DeliveryError::keeps_changing(&target.path)))
}

/// What is to be done with a file.
pub enum PlannedWrite {
    /// It gets these bytes.
    Change(Zeroizing<Vec<u8>>),
    /// Nothing.
    Leave(Written),
}

/// Returns what is to be done with a file that holds `bytes`.
pub fn plan(
    target: &FileTarget,
    bytes: &[u8],
    access_token: &AccessToken,
    may_replace: &dyn Fn(Option<&Secret>) -> Consent,
) -> Result<PlannedWrite, DeliveryError> {
    let found = held(target, bytes)?;
    let is_there = found.as_ref().is_some_and(|found| found.expose() == access_token.expose());
    let consent = if is_there { Consent::Given } else { may_replace(found.as_ref()) };
    if consent == Consent::First {
        allow_first(target, bytes)?;
    }
    // What cannot be edited is not left alone but broken: `deliver --force` would not help.
    let edited = edited(target, bytes, access_token)?;
    match consent {
        Consent::Given | Consent::First => {}
        Consent::Refused => return Ok(PlannedWrite::Leave(Written::Foreign)),
        Consent::Kept(why) => return Err(why),
    }
    match edited {
        Edited::Unchanged => Ok(PlannedWrite::Leave(Written::Already)),
        Edited::Changed(bytes) => Ok(PlannedWrite::Change(bytes)),
    }
}

fn create(
    target: &FileTarget,
    access_token: &AccessToken,
    may_replace: &dyn Fn(Option<&Secret>) -> Consent,
) -> Result<Written, DeliveryError> {
    if target.missing == Missing::Refuse {
        return Err(DeliveryError::no_file(&target.path));
    }
    if may_replace(None) == Consent::Refused {
        return Ok(Written::Foreign);
    }
    match edited(target, b"", access_token)? {
        Edited::Unchanged => Ok(Written::Already),
        Edited::Changed(bytes) => {
            files::create(&target.path, &bytes, files::PRIVATE)?;
            Ok(Written::Replaced)
        }
    }
}

/// Returns what the file holds when the value in it is this access token.
pub fn edited(
    target: &FileTarget,
    bytes: &[u8],
    access_token: &AccessToken,
) -> Result<Edited, DeliveryError> {
    target
        .address()
        .replace(bytes, access_token.expose(), target.missing)
        .map_err(|error| DeliveryError::in_file(&target.path, &error))
}

/// Refuses a first delivery into `bytes` that would replace what may be needed.
fn allow_first(target: &FileTarget, bytes: &[u8]) -> Result<(), DeliveryError> {
    let address = target.address();
    let allowed = match (target.rules.first, target.rules.format_from) {
        (FirstDelivery::Overwrite, _) => Ok(()),
        (FirstDelivery::Careful, FormatFrom::Name) => {
            address.is_one_word(bytes).and_then(|()| address.may_be_replaced(bytes))
        }
        (FirstDelivery::Careful, FormatFrom::Config) => address.may_be_replaced(bytes),
    };
    allowed.map_err(|error| DeliveryError::in_file(&target.path, &error))
}

/// Why a first delivery into the file as it is now would fail, as far as its content shows; none
/// where there is no file, or where it cannot be read.
pub fn foresee_first(target: &FileTarget, access_token: &AccessToken) -> Option<DeliveryError> {
    let opened = Opened::open(&target.path).ok()??;
    let allowed = allow_first(target, opened.bytes());
    allowed.and_then(|()| edited(target, opened.bytes(), access_token).map(drop)).err()
}

/// What the file holds; of what is not text, such as a number, what is written there.
fn held(target: &FileTarget, bytes: &[u8]) -> Result<Option<Secret>, DeliveryError> {
    match target.address().held(bytes) {
        Ok(HeldValue::Nothing) => Ok(None),
        Ok(HeldValue::Text(text) | HeldValue::Other(text)) => Ok(Some(Secret::new(text.trim()))),
        Err(error) => Err(DeliveryError::in_file(&target.path, &error)),
    }
}

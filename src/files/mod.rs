//! Replaces the content of a file that belongs to somebody else, and nothing but its content.
//!
//! Some application reads a file of ours and stops if it cannot. So the new content is there as a
//! whole or not at all, with the owner, group, mode and access list of the old; what cannot be
//! carried over leaves the file as it was. The old content may hold a token: no copy of it is
//! ever left beside the file, and the new one waits under a hidden name that the next run knows
//! and clears away. What was read is what is replaced: a file that somebody wrote meanwhile is
//! theirs again until it is read again.
//!
//! Nothing is looked up by its path twice. `place` walks there once, link by link, and from
//! then on the folder's descriptor and one name are the file; the path is walked again only to
//! prove that it still leads there.
//!
//! - `place`: where a path leads, and whose links lead there.
//! - `identity`: whether a file is still the one that was read.
//! - `rights`: who may do what with it, carried from one file to another.
//! - `temp`: the new content while it has no name yet.
//! - `turn`: who of several writers may write.
//! - `in_place`: the other way to write, for a file that cannot be renamed over, and how far a
//!   write that was stopped has come.
//! - `exposed`: whether every user of the machine can read a file.
//! - `foresight`: whether any of it could be done, without doing it.
//! - `publish`: the opposite of a secret: a file of ours that others read.

mod content;
mod error;
mod exposed;
mod foresight;
mod identity;
mod in_place;
mod place;
mod publish;
mod rights;
mod temp;
#[cfg(test)]
mod tests;
mod turn;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

use self::identity::Identity;
use self::place::{End, Place};
use self::rights::Rights;
use self::temp::Temp;

pub use self::error::{FileError, Right};
pub use self::exposed::is_readable_by_others;
pub use self::foresight::foresee_create;
pub use self::in_place::Progress;
pub use self::publish::{Readers, publish};

/// The mode of a new file unless its application needs another: its owner's alone.
pub const PRIVATE: u32 = 0o600;

/// No application's config is larger, in bytes.
pub const LARGEST: u64 = 16 * 1024 * 1024;

/// How often a file that changes while it is read is read again.
const ATTEMPTS: usize = 8;

/// A file as it was read, held so that it can be replaced.
pub struct Opened {
    path: PathBuf,
    place: Place,
    file: OwnedFd,
    identity: Identity,
    bytes: Zeroizing<Vec<u8>>,
}

impl Opened {
    /// Reads a file of at most [`LARGEST`] bytes; `None` if the path leads to nothing.
    ///
    /// A link is followed if root, the caller or the owner of the file that it leads to made it,
    /// in the middle of the path as at its end. Anything but a regular file is refused before it
    /// is opened, so that a pipe is not waited for and a device is not woken.
    pub fn open(path: &Path) -> Result<Option<Self>, FileError> {
        for _ in 0..ATTEMPTS {
            match Self::try_open(path) {
                Err(FileError::ChangedMeanwhile(_)) => {}
                settled => return settled,
            }
        }
        Err(FileError::ChangedMeanwhile(path.to_owned()))
    }

    fn try_open(path: &Path) -> Result<Option<Self>, FileError> {
        let place = match Place::find(path) {
            Err(FileError::NoFolder(_)) => return Ok(None),
            found => found?,
        };
        let End::File(identity) = place.end else { return Ok(None) };
        if identity.size > LARGEST {
            return Err(FileError::TooLarge(path.to_owned()));
        }
        let file = place.open(OFlags::RDONLY).map_err(|errno| match errno {
            Errno::NOENT | Errno::LOOP | Errno::NXIO => {
                FileError::ChangedMeanwhile(path.to_owned())
            }
            errno => FileError::Unreadable(path.to_owned(), errno),
        })?;
        let unreadable = |errno| FileError::Unreadable(path.to_owned(), errno);
        let bytes = content::read(&file, identity.size).map_err(unreadable)?;
        let after = Identity::of_open(&file).map_err(unreadable)?;
        match bytes {
            Some(bytes) if after == identity => {
                Ok(Some(Self { path: path.to_owned(), place, file, identity, bytes }))
            }
            _ => Err(FileError::ChangedMeanwhile(path.to_owned())),
        }
    }

    /// What it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Puts a file with these bytes in its place, in one step that a reader and a crash see as
    /// done or not done.
    ///
    /// Owner, group, mode, access list and attributes are carried over, or the file is not
    /// touched: [`FileError::NotCarried`]. A file that is not what was read is not touched
    /// either: [`FileError::ChangedMeanwhile`], after which the caller reads again. The check
    /// comes right before the step; only a writer that renames in the instant between the two,
    /// and takes no part in the lock that all of ours take, can still be overtaken.
    ///
    /// It is a new file that has the name afterwards. Who holds the old one by something else
    /// than its name does not see it: an open descriptor, or a container into which that one
    /// file is mounted. For those there is [`Opened::overwrite`].
    pub fn replace(self, bytes: &[u8]) -> Result<(), FileError> {
        let temp = Temp::claim(&self.path, &self.place, self.identity.owner);
        if self.identity.names > 1 {
            // What a killed run left may have been the other name, and is gone by now.
            self.unchanged()?;
            return Err(self.many_names());
        }
        let mut temp = temp?;
        temp.write(bytes)?;
        let rights = Rights::of(&self.file, &self.identity);
        let rights = rights.map_err(|loss| loss.about(&self.path))?;
        temp.carry(&rights)?;
        temp.sync()?;
        self.unchanged()?;
        temp.rename_over()
    }

    /// Why a file of several names is not replaced.
    fn many_names(&self) -> FileError {
        let many = || FileError::ManyNames(self.path.clone(), self.identity.names);
        self.names_of_another().unwrap_or_else(many)
    }

    /// Proves that the path still leads to the file that was read, and that it still holds what
    /// was read. The times of a file are coarse, so its content is compared as well. A file that
    /// was moved is not the same: that too changes its times.
    fn unchanged(&self) -> Result<(), FileError> {
        let changed = || FileError::ChangedMeanwhile(self.path.clone());
        let unreadable = |errno| FileError::Unreadable(self.path.clone(), errno);
        let now = match Place::find(&self.path) {
            Err(FileError::NoFolder(_) | FileError::NotAFile(..) | FileError::Dangling { .. }) => {
                return Err(changed());
            }
            found => found?,
        };
        let same = now.end == End::File(self.identity)
            && content::read(&self.file, self.identity.size)
                .map_err(unreadable)?
                .is_some_and(|bytes| bytes == self.bytes);
        if same { Ok(()) } else { Err(changed()) }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({}, {} bytes)", self.path.display(), self.bytes.len())
    }
}

/// Makes a file that was not there, whole or not at all, with that mode (such as [`PRIVATE`]).
///
/// What appeared under the name meanwhile is not overwritten ([`FileError::Exists`]), and a link
/// that leads to nothing is not followed ([`FileError::Dangling`]). A link on the way to the
/// folder counts as the folder's owner's. The caller owns the file.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    create_as(path, bytes, mode, |place| temp::hidden(&place.name))
}

/// Makes a file as [`create`] does, under a hidden name that all files of that `kind` share. What a
/// killed run left in the folder is then found by the next, though it makes a file of another name.
pub fn create_dated(path: &Path, bytes: &[u8], mode: u32, kind: &str) -> Result<(), FileError> {
    create_as(path, bytes, mode, |_| temp::hidden(kind.as_ref()))
}

fn create_as(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    hidden: impl FnOnce(&Place) -> OsString,
) -> Result<(), FileError> {
    let place = Place::find(path)?;
    if place.end != End::Nothing {
        return Err(FileError::Exists(path.to_owned()));
    }
    let caller = rustix::process::geteuid().as_raw();
    let mut temp = Temp::claim_as(hidden(&place), path, &place, caller)?;
    temp.write(bytes)?;
    fs::fchmod(temp.file(), Mode::from_raw_mode(mode & 0o7777))
        .map_err(|errno| FileError::Unwritten(path.to_owned(), errno))?;
    temp.sync()?;
    temp.name_anew()
}

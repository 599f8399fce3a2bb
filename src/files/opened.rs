//! Reads a file and holds it, so that what was read is what is replaced.

use std::fmt;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{self, OFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::error::FileError;
use super::path::{FileIdentity, FolderEntry, Leaf};
use super::temp::read_content;

/// No application's config is larger, in bytes.
pub const LARGEST: u64 = 16 * 1024 * 1024;

/// How often a file that changes while it is read is read again.
const ATTEMPTS: usize = 8;

/// A file as it was read, held so that it can be replaced.
pub struct Opened {
    pub(super) path: PathBuf,
    pub(super) place: FolderEntry,
    pub(super) file: OwnedFd,
    pub(super) identity: FileIdentity,
    pub(super) bytes: Zeroizing<Vec<u8>>,
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
        let place = match FolderEntry::find(path) {
            Err(FileError::NoFolder(_)) => return Ok(None),
            found => found?,
        };
        let Leaf::File(identity) = place.end else { return Ok(None) };
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
        let bytes = read_content(&file, identity.size).map_err(unreadable)?;
        let after = FileIdentity::of_open(&file).map_err(unreadable)?;
        match bytes {
            Some(bytes) if after == identity => {
                Ok(Some(Self { path: path.to_owned(), place, file, identity, bytes }))
            }
            _ => Err(FileError::ChangedMeanwhile(path.to_owned())),
        }
    }

    /// Returns what it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Brings what the file holds to the disk.
    pub fn sync(&self) -> Result<(), FileError> {
        fs::fsync(&self.file).map_err(|errno| FileError::Unsynced(self.path.clone(), errno))
    }

    /// Why a file of several names is not replaced.
    pub(super) fn many_names(&self) -> FileError {
        let many = || FileError::ManyNames(self.path.clone(), self.identity.names);
        self.names_of_another().unwrap_or_else(many)
    }

    /// Why root does not write into this file, if that is so.
    pub(super) fn names_of_another(&self) -> Option<FileError> {
        let FileIdentity { names, owner, .. } = self.identity;
        let refused = names > 1 && owner != 0 && rustix::process::geteuid().is_root();
        refused.then(|| FileError::NamesOfAnother { path: self.path.clone(), names, owner })
    }

    /// Proves that the path still leads to the file that was read, and that it still holds what
    /// was read. The times of a file are coarse, so its content is compared as well. A file that
    /// was moved is not the same: that too changes its times.
    pub(super) fn unchanged(&self) -> Result<(), FileError> {
        let changed = || FileError::ChangedMeanwhile(self.path.clone());
        let unreadable = |errno| FileError::Unreadable(self.path.clone(), errno);
        let now = match FolderEntry::find(&self.path) {
            Err(FileError::NoFolder(_) | FileError::NotAFile(..) | FileError::Dangling { .. }) => {
                return Err(changed());
            }
            found => found?,
        };
        let same = now.end == Leaf::File(self.identity)
            && read_content(&self.file, self.identity.size)
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

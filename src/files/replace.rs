//! Replaces the content of a file whole, with all its rights, or not at all; makes a file anew; and
//! foretells whether either could be done.
//!
//! A rehearsal leaves no trace, so it can only ask: who may write where, whose the file is, what is
//! mounted over it. A full disk, a label that is not carried or a writer in the same moment show
//! themselves only when it is done.

use std::ffi::OsString;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::{self, Access, AtFlags, Mode, StatxAttributes, StatxFlags};
use rustix::io::Errno;
use rustix::process;

use super::error::{FileError, Right};
use super::opened::Opened;
use super::path::{FolderEntry, Leaf};
use super::rights::Rights;
use super::temp::{Temp, hidden, unmade};

/// The mode of a new file unless its application needs another: its owner's alone.
pub const PRIVATE: u32 = 0o600;

impl Opened {
    /// Puts a file with these bytes in its place, in one step that a reader and a crash see as
    /// done or not done.
    ///
    /// Owner, group, mode, access list and attributes are carried over, or the file is not
    /// touched: [`FileError::NotCarried`]. A file that is not what was read is not touched
    /// either: [`FileError::ChangedMeanwhile`], after which the caller reads again. The check
    /// comes right before the step; only a writer that renames in the instant between the two,
    /// and takes no part in the lock that all of ours take, can still be overtaken.
    ///
    /// It is a new file that has the name afterwards. A program that holds the old one by something
    /// else than its name does not see it: an open descriptor, or a container into which that one
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
}

/// Makes a file that was not there, whole or not at all, with that mode (such as [`PRIVATE`]).
///
/// What appeared under the name meanwhile is not overwritten ([`FileError::Exists`]), and a link
/// that leads to nothing is not followed ([`FileError::Dangling`]). A link on the way to the
/// folder counts as the folder's owner's. The caller owns the file.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    create_as(path, bytes, mode, |place| hidden(&place.name))
}

/// Makes a file as [`create`] does, under a hidden name that all files of that `kind` share. What a
/// killed run left in the folder is then found by the next, though it makes a file of another name.
pub fn create_dated(path: &Path, bytes: &[u8], mode: u32, kind: &str) -> Result<(), FileError> {
    create_as(path, bytes, mode, |_| hidden(kind.as_ref()))
}

fn create_as(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    hidden: impl FnOnce(&FolderEntry) -> OsString,
) -> Result<(), FileError> {
    let place = FolderEntry::find(path)?;
    if place.end != Leaf::Nothing {
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

impl Opened {
    /// Returns the error that [`Opened::replace`] would meet.
    pub fn foresee_replace(&self) -> Result<(), FileError> {
        if self.identity.names > 1 {
            return Err(self.many_names());
        }
        folder_is_writable(&self.path, &self.place)?;
        if is_mounted(&self.file) {
            return Err(FileError::Mounted(self.path.clone()));
        }
        match self.right_that_is_not_ours_to_give() {
            Some(right) => {
                let (path, cause) = (self.path.clone(), Some(Errno::PERM));
                Err(FileError::NotCarried { path, right, cause })
            }
            None => Ok(()),
        }
    }

    /// Returns the error that [`Opened::overwrite`] would meet.
    pub fn foresee_overwrite(&self) -> Result<(), FileError> {
        if let Some(refused) = self.names_of_another() {
            return Err(refused);
        }
        let FolderEntry { folder, name, .. } = &self.place;
        fs::accessat(folder, name, Access::WRITE_OK, AtFlags::empty())
            .map_err(|errno| FileError::Unwritten(self.path.clone(), errno))
    }

    fn right_that_is_not_ours_to_give(&self) -> Option<Right> {
        let user = process::geteuid();
        if user.is_root() {
            return None;
        }
        let (owner, group) = (self.identity.owner, self.identity.group);
        let is_ours = || {
            let groups = process::getgroups().unwrap_or_default();
            process::getegid().as_raw() == group || groups.iter().any(|it| it.as_raw() == group)
        };
        if !is_ours() {
            Some(Right::Group(group))
        } else if owner != user.as_raw() {
            Some(Right::Owner(owner))
        } else {
            None
        }
    }
}

/// Returns the error that [`create`](super::create) would meet.
pub fn foresee_create(path: &Path) -> Result<(), FileError> {
    let place = FolderEntry::find(path)?;
    if place.end != Leaf::Nothing {
        return Err(FileError::Exists(path.to_owned()));
    }
    folder_is_writable(path, &place)
}

fn folder_is_writable(path: &Path, place: &FolderEntry) -> Result<(), FileError> {
    let access = Access::WRITE_OK | Access::EXEC_OK;
    fs::accessat(&place.folder, ".", access, AtFlags::empty())
        .map_err(|errno| unmade(path, place, errno))
}

/// Whether something is mounted at the file itself; an old kernel does not tell.
fn is_mounted(file: &OwnedFd) -> bool {
    let seen = fs::statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::empty());
    seen.is_ok_and(|seen| seen.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

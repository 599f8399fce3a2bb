//! Whether a file could be replaced, as far as that shows without making anything.
//!
//! A rehearsal leaves no trace, so it can only ask: who may write where, whose the file is, what
//! is mounted over it. A full disk, a label that is not carried or a writer in the same moment
//! show themselves only when it is done.

use rustix::fd::OwnedFd;
use rustix::fs::{self, Access, AtFlags, StatxAttributes, StatxFlags};
use rustix::io::Errno;
use rustix::process;

use super::error::{FileError, Right};
use super::place::{End, Place};
use super::{Opened, Path};

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
        let Place { folder, name, .. } = &self.place;
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
    let place = Place::find(path)?;
    if place.end != End::Nothing {
        return Err(FileError::Exists(path.to_owned()));
    }
    folder_is_writable(path, &place)
}

fn folder_is_writable(path: &Path, place: &Place) -> Result<(), FileError> {
    let access = Access::WRITE_OK | Access::EXEC_OK;
    fs::accessat(&place.folder, ".", access, AtFlags::empty())
        .map_err(|errno| super::temp::unmade(path, place, errno))
}

/// Whether something is mounted at the file itself; an old kernel does not tell.
fn is_mounted(file: &OwnedFd) -> bool {
    let seen = fs::statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::empty());
    seen.is_ok_and(|seen| seen.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

//! Writing into the file itself, for one that cannot be renamed over.
//!
//! A file that was bind-mounted from outside, a folder in which nothing may be made, an owner
//! that cannot be given: there the name has to keep its file. What is lost is the single step,
//! so the caller asks for it by name and has the old content sealed elsewhere first.

use rustix::fd::OwnedFd;
use rustix::fs::{self, FallocateFlags, OFlags};
use rustix::io::Errno;

use super::error::FileError;
use super::identity::Identity;
use super::turn::Turn;
use super::{Opened, content};
use crate::failpoint;

impl Opened {
    /// Writes these bytes over what the file holds, and cuts off what is longer.
    ///
    /// A reader may see some of the old and some of the new; a crash in the middle leaves the
    /// new content up to some byte and the old one behind it, for ever. So the caller keeps the
    /// old content, and no less than that, before it calls this. Room for the new content is
    /// taken beforehand where the file system can do that; if a write fails all the same, the old
    /// content is written back ([`FileError::Unwritten`]), and only where that fails too is the
    /// file left torn ([`FileError::HalfWritten`]).
    ///
    /// What keeps [`Opened::replace`] from overtaking another writer holds here as well: a file
    /// that is not what was read is not touched.
    pub fn overwrite(self, bytes: &[u8]) -> Result<(), FileError> {
        let file = self.place.open(OFlags::WRONLY).map_err(|errno| match errno {
            Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::ISDIR => {
                FileError::ChangedMeanwhile(self.path.clone())
            }
            errno => self.unwritten(errno),
        })?;
        let turn = Turn::take(file).map_err(|errno| self.unwritten(errno))?;
        let turn = turn.ok_or_else(|| FileError::Busy(self.path.clone()))?;
        let file = &turn.file;
        if Identity::of_open(file) != Ok(self.identity) {
            return Err(FileError::ChangedMeanwhile(self.path.clone()));
        }
        self.unchanged()?;
        reserve(file, bytes.len()).map_err(|errno| self.unwritten(errno))?;
        fill(file, bytes).map_err(|errno| match fill(file, &self.bytes) {
            Ok(()) => self.unwritten(errno),
            Err(_) => FileError::HalfWritten(self.path.clone(), errno),
        })
    }

    fn unwritten(&self, errno: Errno) -> FileError {
        FileError::Unwritten(self.path.clone(), errno)
    }
}

/// Takes room on the disk, so that it does not run out halfway.
fn reserve(file: &OwnedFd, length: usize) -> Result<(), Errno> {
    if length == 0 {
        return Ok(());
    }
    match fs::fallocate(file, FallocateFlags::KEEP_SIZE, 0, length as u64) {
        Err(errno @ (Errno::NOSPC | Errno::DQUOT)) => Err(errno),
        // Whatever else it says, the file system can write without.
        _ => Ok(()),
    }
}

fn fill(file: &OwnedFd, bytes: &[u8]) -> Result<(), Errno> {
    content::write(file, bytes)?;
    failpoint::reach("overwritten");
    fs::ftruncate(file, bytes.len() as u64)?;
    fs::fsync(file)
}

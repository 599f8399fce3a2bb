//! Whether a file is still the one that was read.
//!
//! Everything that the kernel changes when somebody writes, renames, links or re-owns a file.

use rustix::fd::OwnedFd;
use rustix::fs::{self, Stat};
use rustix::io::Errno;

/// What tells a file from another one, and from itself a moment later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: i128,
    inode: i128,
    /// How many names it has.
    pub(super) names: u64,
    pub(super) owner: u32,
    pub(super) group: u32,
    /// Its twelve permission bits.
    pub(super) mode: u32,
    /// In bytes.
    pub(super) size: u64,
    modified: Instant,
    changed: Instant,
}

/// Seconds and nanoseconds; the kernel's types differ between machines, and all fit in here.
type Instant = (i128, i128);

impl Identity {
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            device: i128::from(stat.st_dev),
            inode: i128::from(stat.st_ino),
            names: u64::try_from(i128::from(stat.st_nlink)).unwrap_or(u64::MAX),
            owner: stat.st_uid,
            group: stat.st_gid,
            mode: stat.st_mode & 0o7777,
            size: u64::try_from(stat.st_size).unwrap_or(u64::MAX),
            modified: (i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec)),
            changed: (i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec)),
        }
    }

    pub(super) fn of_open(file: &OwnedFd) -> Result<Self, Errno> {
        Ok(Self::of(&fs::fstat(file)?))
    }

    /// Whether both are one file, whatever was done to it between the two looks.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

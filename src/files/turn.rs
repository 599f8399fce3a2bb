//! Whose turn it is to write a file.
//!
//! A kernel lock on an open file: it ends with its holder, however that ends.

use rustix::fd::OwnedFd;
use rustix::fs::{self, FlockOperation};
use rustix::io::Errno;

/// An open file that is locked, and no longer than this value lives.
pub(super) struct Turn {
    pub(super) file: OwnedFd,
}

impl Turn {
    /// Locks it without waiting; `None` if somebody else has it.
    pub(super) fn take(file: OwnedFd) -> Result<Option<Self>, Errno> {
        match fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { file })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(errno),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // To close it is not enough: a program that another thread is just starting holds all
        // that was open until it runs.
        let _ = fs::flock(&self.file, FlockOperation::Unlock);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_turn_ends_although_somebody_else_has_inherited_the_descriptor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = File::create(&path).unwrap();
        let _inherited = file.try_clone().unwrap();
        let next = || Turn::take(File::open(&path).unwrap().into()).unwrap();
        let turn = Turn::take(file.into()).unwrap();
        assert!(next().is_none(), "it is another's turn");
        drop(turn);
        assert!(next().is_some());
    }
}

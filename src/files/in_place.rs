//! Writes into the file itself, where no other file can take its place.
//!
//! A file that was bind-mounted from outside, one of several names, a folder in which nothing may
//! be made, an owner that cannot be given: there the name has to keep its file. What is lost is
//! the single step. So the caller keeps the old content and the new one elsewhere first, and a
//! file that a killed process left half-written is recognised by them: see [`Progress`].

use rustix::fd::OwnedFd;
use rustix::fs::{self, FallocateFlags, OFlags};
use rustix::io::{self, Errno};

use super::error::FileError;
use super::opened::Opened;
use super::path::FileIdentity;
use super::temp::Turn;
use super::temp::write_content;
use crate::failpoint;

/// How much is put back at once when a write is undone, in bytes. No process is killed within a
/// page, so the file is never anything but new up to some byte and old behind it.
const PAGE: usize = 4096;

/// How far a write in place has come, by what the file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Not begun: the file holds the old content.
    NotBegun,
    /// Stopped halfway: new content up to some byte, the old one behind it.
    Half,
    /// Done: the file holds the new content and nothing else.
    Whole,
    /// Neither: something else has written the file.
    Foreign,
}

impl Progress {
    /// Tells how far a write of `new` over `old` has come in a file that holds `found`.
    pub fn of(found: &[u8], old: &[u8], new: &[u8]) -> Self {
        if found == new {
            Self::Whole
        } else if found == old {
            Self::NotBegun
        } else if is_half(found, old, new) {
            Self::Half
        } else {
            Self::Foreign
        }
    }
}

/// Whether there is a `k` so that `found` is `new[..k]` followed by `old[k..]`.
fn is_half(found: &[u8], old: &[u8], new: &[u8]) -> bool {
    let agree = |(a, b): &(&u8, &u8)| a == b;
    let written = found.iter().zip(new).take_while(agree).count();
    if found.len() == old.len() {
        let left = found.iter().rev().zip(old.iter().rev()).take_while(agree).count();
        written + left >= found.len()
    } else {
        // Only a write that went beyond the old end has made the file longer.
        found.len() > old.len() && written == found.len()
    }
}

impl Opened {
    /// Writes these bytes over what the file holds, and cuts off what is longer.
    ///
    /// A reader may see some of the old and some of the new; a kill in the middle leaves the new
    /// content up to some byte and the old one behind it ([`Progress::Half`]). So the caller keeps
    /// both contents before it calls this. Room for the new content is taken beforehand where the
    /// file system can do that. If a write fails all the same, the old content is written back
    /// ([`FileError::Unwritten`]), from its end, so that a kill leaves no other mixture than that
    /// either; only where that fails too is the file left half-written
    /// ([`FileError::HalfWritten`]).
    ///
    /// What keeps [`Opened::replace`] from overtaking another writer holds here as well: a file
    /// that is not what was read is not touched. One of several names is written by root only if
    /// root owns it: another user may have given it its second name
    /// ([`FileError::NamesOfAnother`]).
    pub fn overwrite(self, bytes: &[u8]) -> Result<(), FileError> {
        if let Some(refused) = self.names_of_another() {
            return Err(refused);
        }
        let file = self.place.open(OFlags::WRONLY).map_err(|errno| match errno {
            Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::ISDIR => {
                FileError::ChangedMeanwhile(self.path.clone())
            }
            errno => self.unwritten(errno),
        })?;
        let turn = Turn::take(file).map_err(|errno| self.unwritten(errno))?;
        let turn = turn.ok_or_else(|| FileError::Busy(self.path.clone()))?;
        let file = &turn.file;
        if FileIdentity::of_open(file) != Ok(self.identity) {
            return Err(FileError::ChangedMeanwhile(self.path.clone()));
        }
        self.unchanged()?;
        reserve(file, bytes.len()).map_err(|errno| self.unwritten(errno))?;
        fill(file, bytes).map_err(|errno| match undo(file, &self.bytes) {
            Ok(()) => self.unwritten(errno),
            Err(_) => FileError::HalfWritten(self.path.clone(), errno),
        })?;
        fs::fsync(file).map_err(|errno| FileError::Unsynced(self.path.clone(), errno))?;
        failpoint::reach("overwrite-synced");
        Ok(())
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

/// Writes the new content, and then cuts off what is left of the old one.
fn fill(file: &OwnedFd, bytes: &[u8]) -> Result<(), Errno> {
    write_content(file, bytes)?;
    failpoint::reach("overwritten");
    fs::ftruncate(file, bytes.len() as u64)?;
    failpoint::reach("cut");
    Ok(())
}

/// Writes the old content back over a new one that was not written to its end.
fn undo(file: &OwnedFd, old: &[u8]) -> Result<(), Errno> {
    fs::ftruncate(file, old.len() as u64)?;
    for (page, bytes) in old.chunks(PAGE).enumerate().rev() {
        let at = (page * PAGE) as u64;
        if io::retry_on_intr(|| io::pwrite(file, bytes, at))? < bytes.len() {
            return Err(Errno::IO);
        }
    }
    fs::fsync(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file may hold while `new` is written over `old`, and how far it has come then.
    fn states<'a>(old: &'a [u8], new: &'a [u8]) -> impl Iterator<Item = (Progress, Vec<u8>)> + 'a {
        (0..=new.len()).map(move |k| {
            let found = [&new[..k], old.get(k..).unwrap_or_default()].concat();
            let progress = if found == new {
                Progress::Whole
            } else if found == old {
                Progress::NotBegun
            } else {
                Progress::Half
            };
            (progress, found)
        })
    }

    #[test]
    fn every_step_of_a_write_is_recognised_and_nothing_else() {
        let cases: [(&[u8], &[u8]); 8] = [
            (b"a = old\nb", b"a = new\nb"),
            (b"a = older\nb", b"a = new\nb"),
            (b"a = old\nb", b"a = newer\nb"),
            (b"", b"new"),
            (b"old", b""),
            (b"aaaa", b"aa"),
            (b"aa", b"aaaa"),
            (b"abab", b"ababab"),
        ];
        for (old, new) in cases {
            let known: Vec<_> = states(old, new).collect();
            for (progress, found) in &known {
                assert_eq!(Progress::of(found, old, new), *progress, "{}", found.escape_ascii());
            }
            // Whatever differs from all of them by one byte, or is longer or shorter, is foreign.
            for (_, found) in &known {
                for at in 0..found.len() {
                    let mut bent = found.clone();
                    bent[at] = b'?';
                    assert_eq!(Progress::of(&bent, old, new), Progress::Foreign);
                }
                let longer = [found.as_slice(), b"?"].concat();
                assert_eq!(Progress::of(&longer, old, new), Progress::Foreign);
                let Some((_, shorter)) = found.split_last() else { continue };
                let is_known = [old, new].contains(&shorter)
                    || known.iter().any(|(_, known)| known == shorter);
                let is_foreign = Progress::of(shorter, old, new) == Progress::Foreign;
                assert_eq!(is_foreign, !is_known, "{}", shorter.escape_ascii());
            }
        }
    }

    #[test]
    fn an_undone_write_leaves_the_old_content_however_far_it_came() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let long = |byte: u8, pages: usize| vec![byte; pages * PAGE + 7];
        for (old, new) in [(long(b'o', 3), long(b'n', 5)), (long(b'o', 5), long(b'n', 3))] {
            for k in [0, 1, PAGE, 2 * PAGE + 9, new.len()] {
                let torn = [&new[..k], old.get(k..).unwrap_or_default()].concat();
                let mut file = std::fs::File::create(&path).unwrap();
                std::io::Write::write_all(&mut file, &torn).unwrap();
                undo(&file.into(), &old).unwrap();
                assert!(std::fs::read(&path).unwrap() == old, "{k}");
            }
        }
    }
}

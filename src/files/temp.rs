//! Holds the new content while it has no name yet.
//!
//! It waits beside the file under a hidden name that follows from the file's. A fixed name is one
//! that the next run finds again, so nothing is left for ever by one that was killed; and it is
//! the lock by which writers of one file take turns. A run that lives holds a kernel lock on
//! it; a file without one, which may be ours, is what a dead run left.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::{self, AtFlags, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::{self, Errno};
use zeroize::Zeroizing;

use crate::failpoint;

use super::error::FileError;
use super::path::{FileIdentity, FolderEntry};
use super::rights::Rights;

const ENDING: &[u8] = b".metatoken-tmp";

/// How much of a file's name fits beside a dot and the ending, in bytes. Two names that are alike
/// so far share the hidden one, and take turns as if they were one file.
const LONGEST: usize = 255 - 1 - ENDING.len();

/// How often a hidden name that comes and goes is tried.
const ATTEMPTS: usize = 8;

/// A file under a hidden name, ours and locked; it goes when the value does.
pub struct Temp<'a> {
    path: &'a Path,
    place: &'a FolderEntry,
    name: OsString,
    turn: Turn,
    named: bool,
}

impl<'a> Temp<'a> {
    /// Makes an empty one, and clears away what a killed run left. `owner` is the other user to
    /// whom that run may have given it already: the one whose file it was to replace.
    pub fn claim(path: &'a Path, place: &'a FolderEntry, owner: u32) -> Result<Self, FileError> {
        Self::claim_as(hidden(&place.name), path, place, owner)
    }

    /// Makes an empty one under a hidden name that does not follow from the file's.
    pub fn claim_as(
        name: OsString,
        path: &'a Path,
        place: &'a FolderEntry,
        owner: u32,
    ) -> Result<Self, FileError> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for _ in 0..ATTEMPTS {
            match fs::openat(&place.folder, &name, flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => {
                    // Before it was locked, another run may have taken it for a dead one's.
                    if let Some(turn) = take(path, file)?.filter(|turn| turn.has(place, &name)) {
                        return Ok(Self { path, place, name, turn, named: true });
                    }
                }
                Err(Errno::EXIST) => clear_away(path, place, &name, owner)?,
                Err(errno) => return Err(unmade(path, place, errno)),
            }
        }
        Err(FileError::Busy(path.to_owned()))
    }

    /// Returns the file, open to write.
    pub fn file(&self) -> &OwnedFd {
        &self.turn.file
    }

    /// Writes the new content.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        write_content(self.file(), bytes).map_err(|errno| self.unwritten(errno))?;
        failpoint::reach("temp-written");
        Ok(())
    }

    /// Gives it the rights of the old file.
    pub fn carry(&mut self, rights: &Rights) -> Result<(), FileError> {
        rights.carry_to(self.file()).map_err(|loss| loss.about(self.path))
    }

    /// Brings its content to the disk.
    pub fn sync(&mut self) -> Result<(), FileError> {
        fs::fsync(self.file()).map_err(|errno| self.unwritten(errno))?;
        failpoint::reach("temp-synced");
        Ok(())
    }

    /// Takes the name of the file, whatever has it.
    pub fn rename_over(mut self) -> Result<(), FileError> {
        let FolderEntry { folder, name, .. } = self.place;
        fs::renameat(folder, &self.name, folder, name).map_err(|errno| {
            let path = self.path.to_owned();
            match errno {
                Errno::BUSY => FileError::Mounted(path),
                Errno::XDEV => FileError::OtherFilesystem(path),
                Errno::PERM | Errno::ACCESS | Errno::ROFS => FileError::Protected(path, errno),
                Errno::NOENT | Errno::ISDIR => FileError::ChangedMeanwhile(path),
                errno => FileError::Unwritten(path, errno),
            }
        })?;
        self.settle()
    }

    /// Takes the name of the file, if nothing has it.
    pub fn name_anew(mut self) -> Result<(), FileError> {
        let FolderEntry { folder, name, .. } = self.place;
        let flags = RenameFlags::NOREPLACE;
        let renamed = match fs::renameat_with(folder, &self.name, folder, name, flags) {
            // Network file systems rename without such a condition, but they link.
            Err(Errno::INVAL | Errno::NOSYS) => self.link_anew(),
            settled => settled,
        };
        renamed.map_err(|errno| match errno {
            Errno::EXIST => FileError::Exists(self.path.to_owned()),
            errno => self.unwritten(errno),
        })?;
        self.settle()
    }

    /// Takes the name in two steps; a kill between them leaves the hidden name to the next run.
    pub fn link_anew(&self) -> Result<(), Errno> {
        let FolderEntry { folder, name, .. } = self.place;
        fs::linkat(folder, &self.name, folder, name, AtFlags::empty())?;
        fs::unlinkat(folder, &self.name, AtFlags::empty())
    }

    fn settle(&mut self) -> Result<(), FileError> {
        self.named = false;
        failpoint::reach("renamed");
        self.place
            .sync(self.file())
            .map_err(|errno| FileError::Unsynced(self.path.to_owned(), errno))
    }

    fn unwritten(&self, errno: Errno) -> FileError {
        FileError::Unwritten(self.path.to_owned(), errno)
    }
}

impl Drop for Temp<'_> {
    fn drop(&mut self) {
        if self.named {
            // What cannot be removed is left to the next run; the first error is the one to tell.
            let _ = fs::unlinkat(&self.place.folder, &self.name, AtFlags::empty());
        }
    }
}

/// Returns the hidden name of a file.
pub fn hidden(name: &OsStr) -> OsString {
    let kept = name.as_bytes();
    let kept = kept.get(..LONGEST).unwrap_or(kept);
    OsString::from_vec([b".", kept, ENDING].concat())
}

fn take(path: &Path, file: OwnedFd) -> Result<Option<Turn>, FileError> {
    Turn::take(file).map_err(|errno| FileError::Unwritten(path.to_owned(), errno))
}

fn seen(place: &FolderEntry, name: &OsStr) -> Option<fs::Stat> {
    fs::statat(&place.folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()
}

impl Turn {
    /// Whether the file that is locked still has that name.
    fn has(&self, place: &FolderEntry, name: &OsStr) -> bool {
        let named = seen(place, name).map(|stat| FileIdentity::of(&stat));
        let open = FileIdentity::of_open(&self.file).ok();
        named.zip(open).is_some_and(|(named, open)| named.is_same_file(&open))
    }
}

/// Removes what a dead run left; what a living run holds, or another user made, is an error.
fn clear_away(path: &Path, place: &FolderEntry, name: &OsStr, owner: u32) -> Result<(), FileError> {
    let in_the_way = |cause| FileError::InTheWay {
        path: path.to_owned(),
        temp: place.folder_path.join(name),
        cause,
    };
    let Some(stat) = seen(place, name) else { return Ok(()) };
    let ours = [rustix::process::geteuid().as_raw(), owner].contains(&stat.st_uid);
    if !ours || FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(in_the_way(None));
    }
    let file = match open_any(place, name) {
        Err(Errno::NOENT) => return Ok(()),
        file => file.map_err(|errno| in_the_way(Some(errno)))?,
    };
    let turn = take(path, file)?.ok_or_else(|| FileError::Busy(path.to_owned()))?;
    // Another run that would remove it needs the lock for that.
    if turn.has(place, name) {
        fs::unlinkat(&place.folder, name, AtFlags::empty())
            .map_err(|errno| in_the_way(Some(errno)))?;
    }
    Ok(())
}

/// Opens it to lock it: over the network that asks for the right to write, and here any will do.
fn open_any(place: &FolderEntry, name: &OsStr) -> Result<OwnedFd, Errno> {
    let careful = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = |access| fs::openat(&place.folder, name, access | careful, Mode::empty());
    match open(OFlags::WRONLY) {
        Err(Errno::ACCESS | Errno::ROFS) => open(OFlags::RDONLY),
        settled => settled,
    }
}

/// Says what it means that no file can be made beside this one.
pub fn unmade(path: &Path, place: &FolderEntry, errno: Errno) -> FileError {
    let path = path.to_owned();
    match errno {
        Errno::ACCESS | Errno::PERM | Errno::ROFS => {
            let mut folder = place.folder_path.clone();
            if folder.as_os_str().is_empty() {
                folder.push(".");
            }
            FileError::FolderUnwritable { path, folder, cause: errno }
        }
        Errno::NOENT => FileError::ChangedMeanwhile(path),
        errno => FileError::Unwritten(path, errno),
    }
}

/// An open file that is locked, and no longer than this value lives.
pub struct Turn {
    pub file: OwnedFd,
}

impl Turn {
    /// Locks it without waiting; `None` if another process has it.
    pub fn take(file: OwnedFd) -> Result<Option<Self>, Errno> {
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

/// Reads a file of that size; `None` if it has another by now.
pub fn read_content(file: &OwnedFd, size: u64) -> Result<Option<Zeroizing<Vec<u8>>>, Errno> {
    let size = usize::try_from(size).map_err(|_| Errno::FBIG)?;
    // One byte more than there should be, to see one that was added.
    let mut bytes = Zeroizing::new(vec![0; size + 1]);
    let mut read = 0;
    while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match io::retry_on_intr(|| io::pread(file, &mut *rest, read as u64))? {
            0 => break,
            more => read += more,
        }
    }
    bytes.truncate(size);
    Ok((read == size).then_some(bytes))
}

/// Writes from the first byte on; what lies behind the last one stays.
pub fn write_content(file: &OwnedFd, bytes: &[u8]) -> Result<(), Errno> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match io::retry_on_intr(|| io::pwrite(file, rest, written as u64))? {
            0 => return Err(Errno::IO),
            more => written += more,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_turn_ends_although_another_process_has_inherited_the_descriptor() {
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

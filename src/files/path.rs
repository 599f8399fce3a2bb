//! Finds where a path leads, and whose links lead there.
//!
//! In a folder that many can write, a link is a stranger's way to have us write into a file of
//! their choice. The kernel follows links without telling whose they are, so the way is walked
//! here, one name at a time, each looked up in the folder that is held open: a folder that is
//! swapped meanwhile changes nothing. Owner and target of a link are read from the same
//! descriptor, for the same reason.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{self, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::error::FileError;

/// How many links the kernel itself would follow.
const MOST_LINKS: usize = 40;

/// Stands for every user whom our user namespace does not map.
const UNMAPPED: u32 = 65534;

/// The end of the way: an open folder, a name in it, and what had that name.
#[derive(Debug)]
pub struct FolderEntry {
    /// Held by its path only, so that it need not be readable.
    pub folder: OwnedFd,
    /// The folder as a person would name it.
    pub folder_path: PathBuf,
    pub name: OsString,
    pub end: Leaf,
}

/// What has the last name of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    File(FileIdentity),
    Nothing,
}

impl FolderEntry {
    /// Walks there; [`FileError::NoFolder`] if a folder on the way is missing.
    pub fn find(path: &Path) -> Result<Self, FileError> {
        let unreadable = |errno| FileError::Unreadable(path.to_owned(), errno);
        let folder = fs::openat(CWD, ".", PIN | OFlags::DIRECTORY, Mode::empty());
        let mut walk = Walk {
            path,
            ahead: steps(path).collect(),
            folder: folder.map_err(unreadable)?,
            folder_path: PathBuf::new(),
            links: Vec::new(),
            renamed: false,
        };
        while let Some(step) = walk.ahead.pop_front() {
            if let Some(end) = walk.take(&step)? {
                return walk.arrive(step, end);
            }
        }
        Err(unreadable(Errno::NOENT))
    }

    /// Opens what has the name now, never through a link, never waiting.
    pub fn open(&self, access: OFlags) -> Result<OwnedFd, Errno> {
        let careful = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        fs::openat(&self.folder, &self.name, access | careful, Mode::empty())
    }

    /// Brings the folder's names to the disk. One that may be written but not read cannot be
    /// opened for that; then all of the file system that `neighbour` is on goes to the disk.
    pub fn sync(&self, neighbour: &OwnedFd) -> Result<(), Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let synced = match fs::openat(&self.folder, ".", flags, Mode::empty()) {
            Ok(folder) => fs::fsync(folder),
            Err(Errno::ACCESS) => fs::syncfs(neighbour),
            Err(errno) => Err(errno),
        };
        match synced {
            // Some network file systems have no such call, and need none.
            Err(Errno::INVAL) => Ok(()),
            settled => settled,
        }
    }
}

/// Opens a thing without touching it.
const PIN: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn steps(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    path.components().map(|step| step.as_os_str().to_owned())
}

/// What a name in a folder stands for.
enum Seen {
    Nothing,
    Folder(OwnedFd),
    Link { target: PathBuf, owner: u32 },
    File(FileIdentity),
    Other(&'static str),
}

fn look(folder: &OwnedFd, name: &OsStr) -> Result<Seen, Errno> {
    // Asked for as a folder first: only so does the kernel mount what is mounted on demand.
    match fs::openat(folder, name, PIN | OFlags::DIRECTORY, Mode::empty()) {
        Ok(folder) => return Ok(Seen::Folder(folder)),
        Err(Errno::NOENT) => return Ok(Seen::Nothing),
        Err(Errno::NOTDIR | Errno::LOOP) => {}
        Err(errno) => return Err(errno),
    }
    let pinned = match fs::openat(folder, name, PIN, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(Seen::Nothing),
        pinned => pinned?,
    };
    let stat = fs::fstat(&pinned)?;
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Seen::File(FileIdentity::of(&stat)),
        FileType::Symlink => {
            let target = fs::readlinkat(&pinned, "", Vec::new())?.into_bytes();
            Seen::Link { target: OsString::from_vec(target).into(), owner: stat.st_uid }
        }
        FileType::Fifo => Seen::Other("a pipe"),
        FileType::Socket => Seen::Other("a socket"),
        FileType::CharacterDevice | FileType::BlockDevice => Seen::Other("a device"),
        _ => Seen::Other("something else"),
    })
}

struct Walk<'a> {
    path: &'a Path,
    ahead: VecDeque<OsString>,
    folder: OwnedFd,
    folder_path: PathBuf,
    links: Vec<Link>,
    /// Whether a link stood at the very end, so that it names the file.
    renamed: bool,
}

struct Link {
    path: PathBuf,
    owner: u32,
}

impl Walk<'_> {
    /// Takes one step; says what is at the end, if that was the last.
    fn take(&mut self, step: &OsStr) -> Result<Option<Leaf>, FileError> {
        let unreadable = |errno| FileError::Unreadable(self.path.to_owned(), errno);
        let last = self.ahead.is_empty();
        match look(&self.folder, step).map_err(unreadable)? {
            Seen::Link { target, owner } => self.turn(step, &target, owner).map(|()| None),
            Seen::Folder(_) if last => Err(FileError::NotAFile(self.path.to_owned(), "a folder")),
            Seen::Folder(folder) => {
                self.folder = folder;
                self.folder_path.push(step);
                Ok(None)
            }
            Seen::Nothing if last => match self.links.last() {
                Some(link) if self.renamed => {
                    Err(FileError::Dangling { path: self.path.to_owned(), link: link.path.clone() })
                }
                _ => Ok(Some(Leaf::Nothing)),
            },
            Seen::Nothing => Err(FileError::NoFolder(self.path.to_owned())),
            Seen::File(identity) if last => Ok(Some(Leaf::File(identity))),
            Seen::Other(kind) if last => Err(FileError::NotAFile(self.path.to_owned(), kind)),
            Seen::File(_) | Seen::Other(_) => Err(unreadable(Errno::NOTDIR)),
        }
    }

    /// Goes where a link points to, from the folder that it is in.
    fn turn(&mut self, step: &OsStr, target: &Path, owner: u32) -> Result<(), FileError> {
        if self.links.len() == MOST_LINKS {
            return Err(FileError::TooManyLinks(self.path.to_owned()));
        }
        self.renamed |= self.ahead.is_empty();
        self.links.push(Link { path: self.folder_path.join(step), owner });
        for step in steps(target).rev() {
            self.ahead.push_front(step);
        }
        Ok(())
    }

    /// Ends the way, if all who made links on it may.
    fn arrive(self, name: OsString, end: Leaf) -> Result<FolderEntry, FileError> {
        let owner = match end {
            Leaf::File(identity) => identity.owner,
            Leaf::Nothing => {
                let folder = FileIdentity::of_open(&self.folder);
                folder.map_err(|errno| FileError::Unreadable(self.path.to_owned(), errno))?.owner
            }
        };
        let caller = rustix::process::geteuid().as_raw();
        match self.links.into_iter().find(|link| !may_lead(link.owner, caller, owner)) {
            Some(Link { path: link, owner }) => {
                Err(FileError::LinkRefused { path: self.path.to_owned(), link, owner })
            }
            None => {
                Ok(FolderEntry { folder: self.folder, folder_path: self.folder_path, name, end })
            }
        }
    }
}

/// Whether a link of `maker` may lead `caller` to what `owner` owns.
fn may_lead(maker: u32, caller: u32, owner: u32) -> bool {
    maker == 0 || maker == caller || (maker == owner && maker != UNMAPPED)
}

/// What tells a file from another one, and from itself a moment later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileIdentity {
    device: i128,
    inode: i128,
    /// How many names it has.
    pub names: u64,
    pub owner: u32,
    pub group: u32,
    /// Its twelve permission bits.
    pub mode: u32,
    /// In bytes.
    pub size: u64,
    modified: Instant,
    changed: Instant,
}

/// Seconds and nanoseconds; the kernel's types differ between machines, and all fit in here.
type Instant = (i128, i128);

impl FileIdentity {
    /// Reads what the system says of a file.
    pub fn of(stat: &Stat) -> Self {
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

    /// Asks the system about an open file.
    pub fn of_open(file: &OwnedFd) -> Result<Self, Errno> {
        Ok(Self::of(&fs::fstat(file)?))
    }

    /// Returns whether both are one file, whatever was done to it between the two looks.
    pub fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_if_root_the_caller_or_the_owner_of_its_file_made_it() {
        for (maker, caller, owner, expected) in [
            (0, 1, 2, true),
            (1, 1, 2, true),
            (2, 1, 2, true),
            (3, 1, 2, false),
            (3, 0, 0, false),
            (2, 0, 2, true),
            (UNMAPPED, 1, UNMAPPED, false),
            (UNMAPPED, UNMAPPED, 2, true),
        ] {
            assert_eq!(may_lead(maker, caller, owner), expected, "{maker} {caller} {owner}");
        }
    }
}

//! Says why a file was not read or not replaced, and what fixes it.
//!
//! Every variant says which file, and none holds anything out of it: paths, numbers and the words
//! of the system are all that gets in. Unless a variant says otherwise, the file is as it was.

use std::fmt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::shell::quoted;

/// A failure to read or to replace a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// It cannot be found, opened or read.
    Unreadable(PathBuf, Errno),
    /// It is something else than a file.
    NotAFile(PathBuf, &'static str),
    /// It holds more than [`LARGEST`](super::LARGEST).
    TooLarge(PathBuf),
    /// A link on the way was made by a user who has no say about the file.
    LinkRefused {
        /// The file as it was named.
        path: PathBuf,
        /// The link.
        link: PathBuf,
        /// The user who made it.
        owner: u32,
    },
    /// Its links lead on and on.
    TooManyLinks(PathBuf),
    /// Its last link leads to nothing.
    Dangling {
        /// The file as it was named.
        path: PathBuf,
        /// The link.
        link: PathBuf,
    },
    /// The folder in which it is to be made is not there.
    NoFolder(PathBuf),
    /// It was to be made and is there.
    Exists(PathBuf),
    /// It is not what was read any more; to replace it, it is read again.
    ChangedMeanwhile(PathBuf),
    /// Another program is writing it at this moment.
    Busy(PathBuf),
    /// The name beside it that the new content needs is taken by something that is not ours.
    InTheWay {
        /// The file.
        path: PathBuf,
        /// What is in the way.
        temp: PathBuf,
        /// Why it could not be removed, if that was tried.
        cause: Option<Errno>,
    },
    /// Nothing may be made beside it.
    FolderUnwritable {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
        /// The system's reason.
        cause: Errno,
    },
    /// A right on it would be lost.
    NotCarried {
        /// The file.
        path: PathBuf,
        /// What would be lost.
        right: Right,
        /// The system's reason; none if it said yes and did not do it.
        cause: Option<Errno>,
    },
    /// It has that many names, and the others would keep the old content; it can be written in
    /// place.
    ManyNames(PathBuf, u64),
    /// It has several names, and root may not write into it either: it is another user's, who may
    /// have linked it from elsewhere.
    NamesOfAnother {
        /// The file.
        path: PathBuf,
        /// How many names it has.
        names: u64,
        /// The user who owns it.
        owner: u32,
    },
    /// It is mounted there from elsewhere, so that nothing can take its place.
    Mounted(PathBuf),
    /// The system takes it and its folder for two file systems, so that nothing can take its
    /// place.
    OtherFilesystem(PathBuf),
    /// The system forbids to put another file in its place.
    Protected(PathBuf, Errno),
    /// Writing failed, by a full disk for example.
    Unwritten(PathBuf, Errno),
    /// Writing in place failed halfway, and so did undoing it. The file is torn.
    HalfWritten(PathBuf, Errno),
    /// It was replaced, but the disk did not confirm it. The file has the new content, unless the
    /// machine fails soon.
    Unsynced(PathBuf, Errno),
}

/// A right that a file gives, or a label by which it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// The user who owns it.
    Owner(u32),
    /// The group that owns it.
    Group(u32),
    /// Its permission bits.
    Mode(u32),
    /// Its access control list.
    Acl,
    /// An extended attribute, by name.
    Attribute(String),
    /// All its extended attributes.
    Attributes,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(user) => write!(f, "its owner (user {user})"),
            Self::Group(group) => write!(f, "its group (group {group})"),
            Self::Mode(mode) => write!(f, "its mode ({mode:04o})"),
            Self::Acl => f.write_str("its access list"),
            Self::Attribute(name) => write!(f, "its attribute `{}`", name.escape_debug()),
            Self::Attributes => f.write_str("its attributes"),
        }
    }
}

impl FileError {
    /// Returns the file that is concerned, as it was named.
    pub fn path(&self) -> &Path {
        match self {
            Self::Unreadable(path, _)
            | Self::NotAFile(path, _)
            | Self::TooLarge(path)
            | Self::LinkRefused { path, .. }
            | Self::TooManyLinks(path)
            | Self::Dangling { path, .. }
            | Self::NoFolder(path)
            | Self::Exists(path)
            | Self::ChangedMeanwhile(path)
            | Self::Busy(path)
            | Self::InTheWay { path, .. }
            | Self::FolderUnwritable { path, .. }
            | Self::NotCarried { path, .. }
            | Self::ManyNames(path, _)
            | Self::NamesOfAnother { path, .. }
            | Self::Mounted(path)
            | Self::OtherFilesystem(path)
            | Self::Protected(path, _)
            | Self::Unwritten(path, _)
            | Self::HalfWritten(path, _)
            | Self::Unsynced(path, _) => path,
        }
    }

    fn cause(&self) -> Option<&Errno> {
        match self {
            Self::Unreadable(_, cause)
            | Self::Protected(_, cause)
            | Self::Unwritten(_, cause)
            | Self::HalfWritten(_, cause)
            | Self::Unsynced(_, cause)
            | Self::FolderUnwritable { cause, .. } => Some(cause),
            Self::InTheWay { cause, .. } | Self::NotCarried { cause, .. } => cause.as_ref(),
            _ => None,
        }
    }

    /// Returns what happened, without the file's name.
    pub fn message(&self) -> String {
        match self {
            Self::Unreadable(..) => "the file cannot be read".into(),
            Self::NotAFile(_, kind) => format!("it is {kind}, not a file"),
            Self::TooLarge(_) => "the file is larger than 16 MiB".into(),
            Self::LinkRefused { link, owner, .. } => format!(
                "the link `{}` was not followed: user {owner} made it, who is neither root, nor you, nor the owner of what it leads to",
                shown(link)
            ),
            Self::TooManyLinks(_) => "too many links, or links that lead in a circle".into(),
            Self::Dangling { link, .. } => format!("the link `{}` leads to nothing", shown(link)),
            Self::NoFolder(_) => "its folder is missing".into(),
            Self::Exists(_) => "the file was to be made, and is there already".into(),
            Self::ChangedMeanwhile(_) => {
                "the file was changed by another program between reading and writing".into()
            }
            Self::Busy(_) => "another program is writing the file".into(),
            Self::InTheWay { temp, .. } => {
                format!("`{}` is in the way of writing it", shown(temp))
            }
            Self::FolderUnwritable { folder, .. } => {
                format!("not replaced: nothing can be made in its folder `{}`", shown(folder))
            }
            Self::NotCarried { right, cause: Some(_), .. } => {
                format!("not replaced: {right} cannot be carried over")
            }
            Self::NotCarried { right, cause: None, .. } => {
                format!("not replaced: {right} is not kept on this file system")
            }
            Self::ManyNames(_, names) => format!(
                "not replaced: the file has {names} names (hard links), and the others would keep the old content"
            ),
            Self::NamesOfAnother { names, owner, .. } => format!(
                "not replaced: the file has {names} names (hard links), and the others would keep the old content; not written in place: user {owner} owns it and may have linked it from elsewhere, so root does not write into it"
            ),
            Self::Mounted(_) => {
                "not replaced: the file is mounted there by itself, so that no other can take its place".into()
            }
            Self::OtherFilesystem(_) => {
                "not replaced: the system takes the file and its folder for two file systems".into()
            }
            Self::Protected(..) => {
                "not replaced: the system does not allow another file in its place".into()
            }
            Self::Unwritten(..) => "the file cannot be written; it is as it was".into(),
            Self::HalfWritten(..) => {
                "writing the file failed halfway: it holds some of the new content and some of the old".into()
            }
            Self::Unsynced(..) => {
                "the file was replaced, but the disk did not confirm it".into()
            }
        }
    }

    /// Returns what recovers it; commands and settings in backticks.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable(_, Errno::NOTDIR) => {
                "name a file in a folder: a part of this path is a file itself".into()
            }
            Self::Unreadable(_, Errno::NAMETOOLONG) => "name a file with a shorter path".into(),
            Self::Unreadable(_, Errno::IO) => "look for a failing disk".into(),
            Self::Unreadable(..) => {
                "let the user who runs metatoken read the file and enter its folders".into()
            }
            Self::NotAFile(..) | Self::TooLarge(_) => "name the file that holds the value".into(),
            Self::LinkRefused { link, .. } => format!(
                "name the file itself; or, if the link is right, make it yours: `chown -h root {}`",
                quoted(link)
            ),
            Self::TooManyLinks(_) => "name the file itself".into(),
            Self::Dangling { .. } => "remove the link, or make the file that it leads to".into(),
            Self::NoFolder(path) => match path.parent() {
                Some(folder) => {
                    format!("`mkdir -p {}`, for the user who reads it", quoted(folder))
                }
                None => return None,
            },
            Self::InTheWay { temp, .. } if temp.is_dir() && !temp.is_symlink() => {
                format!("look at it, then `rm -r {}`", quoted(temp))
            }
            Self::InTheWay { temp, .. } => format!("look at it, then `rm {}`", quoted(temp)),
            Self::NotCarried { .. } => {
                format!("run metatoken as the owner of the file or as root, or {IN_PLACE}")
            }
            Self::FolderUnwritable { .. } => {
                format!("let the user who runs metatoken write in the folder, or {IN_PLACE}")
            }
            Self::Protected(..) => format!(
                "look for an immutable file with `lsattr`, or for another owner in a sticky folder; or {IN_PLACE}"
            ),
            Self::Mounted(_) | Self::OtherFilesystem(_) | Self::ManyNames(..) => IN_PLACE.into(),
            Self::NamesOfAnother { path, owner, .. } => format!(
                "run metatoken as user {owner}, or give the file a single name: `cp -p {path} {path}.new && mv {path}.new {path}`",
                path = quoted(path)
            ),
            Self::Unwritten(..) => {
                "look for a full disk, or for a file that the user who runs metatoken may not write"
                    .into()
            }
            Self::HalfWritten(..) => "fix the disk; the next run finishes the file".into(),
            Self::Exists(_) | Self::ChangedMeanwhile(_) | Self::Busy(_) | Self::Unsynced(..) => {
                return None;
            }
        })
    }
}

const IN_PLACE: &str = "write into the file itself: `write = \"in-place\"`";

/// A path that another user may have chosen, fit for a terminal.
fn shown(path: &Path) -> String {
    path.to_string_lossy().replace(char::is_control, "?")
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path().display(), self.message())
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause().map(|cause| cause as _)
    }
}

//! Carries from one file to another who may do what with it.
//!
//! Owner, group, mode, access list, the labels that mandatory access control goes by, and what
//! else its owner has noted on it. An application that can no longer read its file is the outage
//! that all this is to prevent, so nothing counts as carried before it was read back: there are
//! file systems that agree to everything and do nothing.

use std::ffi::CString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::{self, Gid, Mode, Uid, XattrFlags};
use rustix::io::Errno;

use super::error::{FileError, Right};
use super::path::FileIdentity;

/// The number of a group that has none here, unless the kernel was told another.
const NOGROUP: u32 = 65534;

const ACL: &str = "system.posix_acl_access";

/// Attributes that are carried. What is left out belongs to the inode and not to the file, such
/// as signatures of its content (`security.ima`) and the notes of a layered file system
/// (`trusted.overlay`).
const CARRIED: [&str; 4] = ["system.", "user.", "security.selinux", "security.SMACK64"];

/// What a file allows to which users.
pub struct Rights {
    owner: u32,
    group: u32,
    mode: u32,
    attributes: Vec<Attribute>,
}

struct Attribute {
    name: CString,
    value: Vec<u8>,
}

/// What could not be carried over, and why; no cause if nothing failed and nothing happened.
#[derive(Debug)]
pub struct LostRight {
    right: Right,
    cause: Option<Errno>,
}

impl LostRight {
    /// Names the file that is not replaced for it.
    pub fn about(self, path: &Path) -> FileError {
        FileError::NotCarried { path: path.to_owned(), right: self.right, cause: self.cause }
    }
}

impl Rights {
    /// Reads the rights of an open file, of which `identity` was seen.
    pub fn of(file: &OwnedFd, identity: &FileIdentity) -> Result<Self, LostRight> {
        let mut attributes = Vec::new();
        for name in names(file).map_err(|errno| lost(Right::Attributes, errno))? {
            let value = read(file, &name).map_err(|errno| lost(right(&name), errno))?;
            attributes.extend(value.map(|value| Attribute { name, value }));
        }
        let FileIdentity { owner, group, mode, .. } = *identity;
        Ok(Self { owner, group, mode, attributes })
    }

    /// Gives these rights to a file that is new and its owner's alone.
    ///
    /// The mode comes last: a change of owner may clear bits of it, and until then it keeps
    /// everybody else out, whatever the folder hands down to new files.
    pub fn carry_to(&self, file: &OwnedFd) -> Result<(), LostRight> {
        let new = fs::fstat(file).map_err(|errno| lost(Right::Owner(self.owner), errno))?;
        if is_hidden(self.group) {
            return Err(lost(Right::Group(self.group), Errno::PERM));
        }
        if new.st_gid != self.group {
            fs::fchown(file, None, Some(Gid::from_raw(self.group)))
                .map_err(|errno| lost(Right::Group(self.group), errno))?;
        }
        if new.st_uid != self.owner {
            fs::fchown(file, Some(Uid::from_raw(self.owner)), None)
                .map_err(|errno| lost(Right::Owner(self.owner), errno))?;
        }
        for attribute in &self.attributes {
            attribute.carry_to(file).map_err(|errno| lost(right(&attribute.name), errno))?;
        }
        if !self.has_acl() {
            remove_inherited_acl(file).map_err(|errno| lost(Right::Acl, errno))?;
        }
        fs::fchmod(file, Mode::from_raw_mode(self.mode))
            .map_err(|errno| lost(Right::Mode(self.mode), errno))?;
        self.prove(file)
    }

    fn has_acl(&self) -> bool {
        self.attributes.iter().any(|attribute| right(&attribute.name) == Right::Acl)
    }

    fn prove(&self, file: &OwnedFd) -> Result<(), LostRight> {
        let found =
            FileIdentity::of_open(file).map_err(|errno| lost(Right::Mode(self.mode), errno))?;
        let missing = if found.owner != self.owner {
            Some(Right::Owner(self.owner))
        } else if found.group != self.group {
            Some(Right::Group(self.group))
        } else if found.mode != self.mode {
            Some(Right::Mode(self.mode))
        } else {
            let lost = self.attributes.iter().find(|attribute| !attribute.is_on(file));
            lost.map(|attribute| right(&attribute.name))
        };
        missing.map_or(Ok(()), |right| Err(LostRight { right, cause: None }))
    }
}

impl Attribute {
    fn is_on(&self, file: &OwnedFd) -> bool {
        read(file, &self.name).is_ok_and(|value| value.as_deref() == Some(&*self.value))
    }

    fn carry_to(&self, file: &OwnedFd) -> Result<(), Errno> {
        // Labels that come by themselves may be forbidden to set.
        if self.is_on(file) {
            return Ok(());
        }
        fs::fsetxattr(file, self.name.as_c_str(), &self.value, XattrFlags::empty())
    }
}

/// Whether this number may stand for any group: in a user namespace, such as a unit with
/// `PrivateUsers=` has, all groups look alike that are not mapped into it. Source:
/// `user_namespaces(7)`, unmapped user and group IDs.
fn is_hidden(group: u32) -> bool {
    let number = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let maps_all = |line: &str| line.split_ascii_whitespace().eq(["0", "0", "4294967295"]);
    // A unit may see nothing of `/proc` but processes.
    let overflow = number("/proc/sys/kernel/overflowgid").trim().parse().unwrap_or(NOGROUP);
    let map = number("/proc/self/gid_map");
    overflow == group && !map.is_empty() && !map.lines().any(maps_all)
}

fn lost(right: Right, cause: Errno) -> LostRight {
    LostRight { right, cause: Some(cause) }
}

fn right(name: &CString) -> Right {
    match name.to_string_lossy() {
        name if name == ACL || name == "system.nfs4_acl" => Right::Acl,
        name => Right::Attribute(name.into_owned()),
    }
}

/// The new file has a list of its own where the folder hands one down.
fn remove_inherited_acl(file: &OwnedFd) -> Result<(), Errno> {
    match fs::fremovexattr(file, ACL) {
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(()),
        settled => settled,
    }
}

/// The names of all attributes that are to be carried.
fn names(file: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let list = match measured(|| fs::flistxattr_query(file), |buffer| fs::flistxattr(file, buffer))
    {
        Err(Errno::NOTSUP) => Vec::new(),
        list => list?,
    };
    let listed = list.split(|byte| *byte == 0).filter(|name| {
        CARRIED.iter().any(|start| name.starts_with(start.as_bytes())) && *name != ACL.as_bytes()
    });
    // Not every file system lists the access list.
    Ok([ACL.as_bytes()]
        .into_iter()
        .chain(listed)
        .filter_map(|name| CString::new(name).ok())
        .collect())
}

fn read(file: &OwnedFd, name: &CString) -> Result<Option<Vec<u8>>, Errno> {
    let name = name.as_c_str();
    match measured(|| fs::fgetxattr_query(file, name), |buffer| fs::fgetxattr(file, name, buffer)) {
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(None),
        value => value.map(Some),
    }
}

/// Asks how long the answer is, then for the answer, until both agree.
fn measured(
    length: impl Fn() -> Result<usize, Errno>,
    answer: impl Fn(&mut [u8]) -> Result<usize, Errno>,
) -> Result<Vec<u8>, Errno> {
    loop {
        let mut buffer = vec![0; length()?];
        if buffer.is_empty() {
            return Ok(buffer);
        }
        match answer(&mut buffer) {
            Err(Errno::RANGE) => {}
            Err(errno) => return Err(errno),
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
        }
    }
}

/// What lets every user of the machine read a file.
const READ: u32 = 0o004;
/// What lets every user of the machine pass through a folder.
const PASS: u32 = 0o001;

/// Returns whether every user of this machine can read the file: by its own mode, and by those of
/// the folders on the way to it. A file or folder that cannot be looked at counts as closed.
pub fn is_readable_by_others(path: &Path) -> bool {
    let grants = |path: &Path, bits| {
        std::fs::metadata(path).is_ok_and(|it| it.permissions().mode() & bits == bits)
    };
    let Ok(real) = path.canonicalize() else { return false };
    grants(&real, READ) && real.ancestors().skip(1).all(|folder| grants(folder, PASS))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn a_file_lies_open_if_it_and_its_folders_do() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("folder");
        let file = folder.join("secret");
        fs::create_dir(&folder).unwrap();
        fs::File::create(&file).unwrap();
        std::os::unix::fs::symlink(&file, root.path().join("link")).unwrap();
        let set =
            |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        for (top, inner, mode, open) in [
            (0o755, 0o755, 0o644, true),
            (0o711, 0o701, 0o604, true),
            (0o755, 0o755, 0o640, false),
            (0o755, 0o750, 0o644, false),
            (0o700, 0o755, 0o644, false),
        ] {
            set(&file, mode);
            set(&folder, inner);
            set(root.path(), top);
            assert_eq!(is_readable_by_others(&file), open, "{top:o} {inner:o} {mode:o}");
            assert_eq!(is_readable_by_others(&root.path().join("link")), open);
        }
        assert!(!is_readable_by_others(&root.path().join("none")));
    }
}

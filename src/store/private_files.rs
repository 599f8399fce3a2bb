//! Makes the files of a store and its key, its owner's alone, and says what opens one that is closed.
//!
//! Explicit modes, whatever the umask; what root makes goes to the owner of its folder.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, OFlags};

use crate::shell::{quoted, user_name};

/// Returns whether something else than a file has this name; a link is something else.
pub fn is_no_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_file())
}

/// Returns what has this name, where it is not a file.
pub fn kind(path: &Path) -> &'static str {
    match fs::symlink_metadata(path).map(|meta| meta.file_type()) {
        Ok(kind) if kind.is_dir() => "it is a folder",
        Ok(kind) if kind.is_symlink() => "it is a link",
        _ => "it is not a file",
    }
}

/// Returns the folder of a file.
pub fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Makes a folder, and those above it, for the owner alone; one that exists is left as it is.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folder(above)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    hand_over(&open_plain(folder, OpenOptions::new().read(true), flags)?, folder)
}

/// Makes a file that was not there, for its owner alone. Made by root it goes to the owner of its
/// folder: what a person tries as root must not be closed to the timer's user afterwards.
pub fn make_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    let file = open_plain(path, &options, OFlags::empty())?;
    hand_over(&file, path)?;
    Ok(file)
}

/// Returns the name under which a file of ours is made until it is whole. It follows from the
/// file's, so that the next run finds what a killed one left.
pub fn waiting(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".metatoken-tmp");
    path.with_file_name(name)
}

/// Removes a file, if it is there.
pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens a file, never through a link and never waiting for the other end of a pipe.
pub fn open_plain(path: &Path, how: &OpenOptions, more: OFlags) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | more;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file = how.clone().custom_flags(flags).open(path)?;
    let is_plain = more.contains(OFlags::DIRECTORY) || file.metadata()?.is_file();
    if is_plain { Ok(file) } else { Err(io::Error::other("it is not a file")) }
}

/// Returns whether nothing more can be written: by the disk, a quota, or a limit of this process.
pub const fn is_full(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// Returns whether a file was not opened because its name is a link.
pub fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Gives what root has just made to the owner and the group of its folder.
fn hand_over(made: &File, path: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let folder = fs::metadata(folder_of(path))?;
    let made_as = made.metadata()?;
    if (made_as.uid(), made_as.gid()) != (folder.uid(), folder.gid()) {
        std::os::unix::fs::fchown(made, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}

/// Gives a file the owner, group and mode of another.
pub fn give_rights(file: &File, like: &fs::Metadata) -> io::Result<()> {
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (like.uid(), like.gid()) {
        std::os::unix::fs::fchown(file, Some(like.uid()), Some(like.gid()))?;
    }
    file.set_permissions(Permissions::from_mode(like.permissions().mode() & 0o777))
}

/// Returns what lets us write where the whole file system is closed to everybody.
pub fn read_only_mount(file: &Path) -> Option<String> {
    let denied = rustix::fs::access(folder_of(file), Access::WRITE_OK).err()?;
    (denied == rustix::io::Errno::ROFS).then(|| {
        let folder = quoted(folder_of(file));
        format!("its file system is mounted read-only, see `findmnt -T {folder}`: mount it writable, or name another place with `path` in `[store]`")
    })
}

/// Returns what opens the first of these files that we may not read and write: to the user who owns
/// it, or to us.
pub fn closed(files: &[PathBuf]) -> Option<String> {
    closed_by_another(files).or_else(|| closed_by_mode(files))
}

/// What opens a file of our own, or a folder.
fn closed_by_mode(files: &[PathBuf]) -> Option<String> {
    let us = rustix::process::geteuid();
    files.iter().find_map(|path| {
        let meta = fs::metadata(path).ok().filter(|meta| meta.uid() == us.as_raw())?;
        let wanted = if meta.is_dir() { 0o700 } else { 0o600 };
        let right = if meta.is_dir() { "u+rwx" } else { "u+rw" };
        let is_closed = !us.is_root() && meta.mode() & wanted != wanted;
        is_closed.then(|| format!("`chmod {right} {}`", quoted(path)))
    })
}

fn closed_by_another(files: &[PathBuf]) -> Option<String> {
    let us = rustix::process::geteuid();
    let (path, meta) = files.iter().find_map(|path| {
        let meta = fs::metadata(path).ok()?;
        let is_open =
            us.is_root() || rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK).is_ok();
        (!is_open && meta.uid() != us.as_raw()).then_some((path, meta))
    })?;
    let folder = fs::metadata(folder_of(path)).ok()?;
    let (file, owner) = (quoted(path), user_name(meta.uid()));
    Some(if folder.uid() == us.as_raw() && !meta.is_dir() {
        let (user, group) = (user_name(folder.uid()), folder.gid());
        format!(
            "`{}` belongs to {owner}: as root run `chown {user}:{group} {file}`",
            path.display()
        )
    } else {
        format!(
            "`{}` belongs to {owner}: run metatoken as {owner}, or as root give the store to the user \
             who runs it: `chown {}: {}`",
            path.display(),
            user_name(us.as_raw()),
            all_of(path, meta.uid()).join(" ")
        )
    })
}

/// The files of the store beside this one that belong to `owner`, and their folder where we may not
/// write into it.
fn all_of(path: &Path, owner: u32) -> Vec<String> {
    let folder = if path.is_dir() { path } else { folder_of(path) };
    let is_ours = |name: &str| {
        let ending = name.rsplit('.').next().unwrap_or_default();
        ending.starts_with("db") || matches!(ending, "lock" | "key")
    };
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_ours))
        .filter(|path| {
            fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.uid() == owner)
        })
        .collect();
    files.sort();
    let is_closed = rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).is_err();
    let folder = is_closed.then(|| folder.to_path_buf());
    folder.into_iter().chain(files).map(|path| quoted(&path)).collect()
}

/// Makes the name of a new file survive a power cut.
pub fn sync_folder(of: &Path) -> io::Result<()> {
    File::open(folder_of(of))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_for_the_owner_and_left_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        make_folder(&folder).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir.path().join("a")), mode(&folder)), (0o700, 0o700));
        fs::set_permissions(&folder, Permissions::from_mode(0o750)).unwrap();
        make_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o750);
    }
}

//! Puts up a new file in two steps.
//!
//! Its content is on the disk, under a hidden name, before anything else is done that the file
//! speaks of: a full disk or a folder that cannot be written is found then. The second step gives it
//! its name, and never takes the name from another file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, Mode, OFlags, RenameFlags, flock, renameat_with};
use rustix::io::Errno;

use super::publish::waiting;
use crate::failpoint;

/// A file that has its content and not its name yet. Unless it gets that, it goes with the value.
#[derive(Debug)]
pub struct Prepared {
    path: PathBuf,
    hidden: PathBuf,
    /// Locked as long as this process works on it.
    file: Option<File>,
    /// The folder, if it was made for this file.
    made: Option<PathBuf>,
    is_named: bool,
}

impl Prepared {
    /// Writes the content beside `path`, with owner, group and mode of the folder, which is made if
    /// it is not there. What a killed process left under the hidden name is cleared away.
    pub fn write(path: &Path, content: &[u8]) -> io::Result<Self> {
        let folder = path.parent().ok_or(io::ErrorKind::IsADirectory)?;
        let made = make_folder(folder)?.then(|| folder.to_owned());
        let hidden = waiting(path)?;
        match fs::remove_file(&hidden) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut this = Self { path: path.to_owned(), hidden, file: None, made, is_named: false };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&this.hidden)?;
        // Where files cannot be locked it is cleared away by its own name alone.
        let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
        give(&file, &fs::metadata(folder)?)?;
        file.write_all(content)?;
        file.sync_all()?;
        this.file = Some(file);
        failpoint::reach("prepared");
        Ok(this)
    }

    /// Clears away what killed processes left under hidden names in a folder, as far as this user may.
    pub fn clear_left_behind(folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        let hidden = entries.flatten().filter(|it| is_hidden(&it.file_name()));
        for entry in hidden {
            let path = entry.path();
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let Ok(file) = rustix::fs::open(&path, flags, Mode::empty()) else { continue };
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// Gives it its name, unless another file has it.
    pub fn name(mut self) -> io::Result<()> {
        let renamed = renameat_with(CWD, &self.hidden, CWD, &self.path, RenameFlags::NOREPLACE);
        match renamed {
            // Network file systems rename without such a condition, but they link.
            Err(Errno::INVAL | Errno::NOSYS) => {
                fs::hard_link(&self.hidden, &self.path)?;
                fs::remove_file(&self.hidden)?;
            }
            renamed => renamed?,
        }
        self.is_named = true;
        File::open(self.path.parent().unwrap_or(Path::new("/")))?.sync_all()
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if !self.is_named {
            // What stays is cleared away by the next one.
            let _ = fs::remove_file(&self.hidden);
            let _ = self.made.as_ref().map(fs::remove_dir);
        }
    }
}

/// Whether a file has the name of one that was never given its own.
fn is_hidden(name: &std::ffi::OsStr) -> bool {
    let name = name.as_bytes();
    name.starts_with(b".") && name.ends_with(b".toml.new")
}

/// Makes the folder with the owner, the group and the rights of the one that it is in, unless it is
/// there; says whether it was made.
fn make_folder(folder: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error),
    }
    let around = fs::metadata(folder.parent().unwrap_or(Path::new("/")))?;
    let made = File::open(folder)?;
    own(&made, &around)?;
    // A user who can write there decides which programs run.
    made.set_permissions(fs::Permissions::from_mode(around.mode() & 0o755 | 0o700))?;
    Ok(true)
}

/// Gives the file the owner and the group of its folder, and the mode of that without what is for
/// folders only.
fn give(file: &File, folder: &fs::Metadata) -> io::Result<()> {
    own(file, folder)?;
    file.set_permissions(fs::Permissions::from_mode(folder.mode() & 0o644 | 0o600))
}

fn own(file: &File, like: &fs::Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    let owner = (now.uid() != like.uid()).then_some(like.uid());
    let group = (now.gid() != like.gid()).then_some(like.gid());
    if owner.is_none() && group.is_none() { Ok(()) } else { fchown(file, owner, group) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            names.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn it_has_its_name_only_when_that_is_given() {
        let around = tempfile::tempdir().unwrap();
        fs::set_permissions(around.path(), fs::Permissions::from_mode(0o750)).unwrap();
        let folder = around.path().join("tokens.d");
        let path = folder.join("shop.toml");
        drop(Prepared::write(&path, b"0").unwrap());
        assert!(!folder.exists());
        let prepared = Prepared::write(&path, b"1").unwrap();
        assert_eq!(names(&folder), [".shop.toml.new"]);
        prepared.name().unwrap();
        assert_eq!(names(&folder), ["shop.toml"]);
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o750);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        // Another's file keeps its name, and nothing is left beside it.
        let error = Prepared::write(&path, b"2").unwrap().name().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        drop(Prepared::write(&path, b"3").unwrap());
        assert_eq!(
            (names(&folder), fs::read(&path).unwrap()),
            (vec!["shop.toml".into()], b"1".into())
        );
    }

    #[test]
    fn what_a_killed_process_left_is_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.toml");
        File::create(folder.path().join(".shop.toml.new")).unwrap().write_all(b"half").unwrap();
        Prepared::write(&path, b"whole").unwrap().name().unwrap();
        assert_eq!(names(folder.path()), ["shop.toml"]);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn what_others_left_is_cleared_away_and_what_they_work_on_stays() {
        let folder = tempfile::tempdir().unwrap();
        let left = [".a.toml.new", ".b.toml.new", ".notes", "c.toml.new", "d.toml"];
        for name in left {
            File::create(folder.path().join(name)).unwrap();
        }
        let at_work = Prepared::write(&folder.path().join("e.toml"), b"e").unwrap();
        Prepared::clear_left_behind(folder.path());
        assert_eq!(names(folder.path()), [".e.toml.new", ".notes", "c.toml.new", "d.toml"]);
        at_work.name().unwrap();
        Prepared::clear_left_behind(folder.path());
        assert_eq!(names(folder.path()), [".notes", "c.toml.new", "d.toml", "e.toml"]);
        Prepared::clear_left_behind(&folder.path().join("none"));
    }
}

//! Writes a file that others read too.
//!
//! It may be read at any moment, so it is there whole or as it was before. Unlike a
//! file that is replaced for its owner, nothing of the old one is carried over: it is ours.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// Who may read such a file.
#[derive(Debug, Clone)]
pub enum Readers {
    /// Every user.
    Everybody,
    /// The owner and the group.
    Group,
    /// The users who may read the file that this is about.
    Of(fs::Metadata),
    /// Whom the mode says, the group being that of the folder.
    OfItsFolder { mode: u32 },
}

impl Readers {
    fn mode(&self) -> u32 {
        match self {
            Self::Everybody => 0o644,
            Self::Group => 0o640,
            Self::OfItsFolder { mode } => *mode,
            Self::Of(other) => other.permissions().mode() & 0o044 | 0o600,
        }
    }
}

/// Writes a file for these readers, by a rename in its folder.
///
/// Meanwhile it has a hidden name that does not end like its own, because a program that
/// reads all files of an ending must not find it. What a killed process left under that name is cleared away.
pub fn publish(path: &Path, content: &[u8], readers: &Readers) -> io::Result<()> {
    let waiting = waiting(path)?;
    match fs::remove_file(&waiting) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write(&waiting, content, readers).and_then(|()| fs::rename(&waiting, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&waiting);
    }
    written
}

/// The hidden name under which the new content of a file waits.
pub fn waiting(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".new");
    Ok(path.with_file_name(hidden))
}

fn write(path: &Path, content: &[u8], readers: &Readers) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    match readers {
        Readers::Everybody | Readers::Group => {}
        // Only root, and members of that group, may; then their own group reads it.
        Readers::Of(other) => drop(fchown(&file, None, Some(other.gid()))),
        Readers::OfItsFolder { mode } => hand_to_the_group_of_its_folder(&file, path, *mode)?,
    }
    // The umask of our user is for secrets.
    file.set_permissions(fs::Permissions::from_mode(readers.mode()))?;
    file.write_all(content)?;
    file.sync_all()
}

/// Gives the file the group of its folder. That this is not allowed is an error where only the group
/// could read it.
fn hand_to_the_group_of_its_folder(file: &File, path: &Path, mode: u32) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let group = fs::metadata(folder)?.gid();
    if file.metadata()?.gid() == group {
        return Ok(());
    }
    match fchown(file, None, Some(group)) {
        Err(error) if mode & 0o044 == 0o040 => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_put_up_for_everybody_and_nothing_lies_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metatoken.prom");
        File::create(folder.path().join(".metatoken.prom.new")).unwrap();
        for content in ["a long first text\n", "short\n"] {
            publish(&path, content.as_bytes(), &Readers::Everybody).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn what_cannot_be_put_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("folder.prom");
        fs::create_dir(&taken).unwrap();
        let missing = folder.path().join("none/metatoken.prom");
        for path in [&taken, &missing, Path::new("/")] {
            assert!(publish(path, b"x", &Readers::Everybody).is_err());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

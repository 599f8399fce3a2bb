//! Files of the sandbox: whole or not at all, and nobody else's to read.
//!
//! A rehearsal may be killed at any point like the real thing; what Graph remembers must then be
//! from before the call or from after it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::crypto;

/// Makes a folder and those above it, where they are missing, for the owner alone.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Puts `bytes` in the place of what `path` holds.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", crypto::hex(&crypto::random::<6>())));
    let beside = folder.join(name);
    let written = write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What cannot be removed is only litter; the first error is the one to tell.
        drop(fs::remove_file(&beside));
        return written;
    }
    File::open(folder)?.sync_all()
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, path) = (folder.path().join("a/b"), folder.path().join("a/b/c"));
        make_folder(&inner).unwrap();
        make_folder(&inner).unwrap();
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1, "no litter");
        assert!(replace(&folder.path().join("none/c"), b"x").is_err());
    }
}

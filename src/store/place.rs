//! The files of a store: where they lie and who may read them.
//!
//! What we make is the owner's alone, by explicit modes and whatever the umask. What an operator
//! has loosened stays loosened, and the files that `SQLite` keeps beside the store follow it, or
//! a monitoring user could open the one and not the others.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The write-ahead log's ending.
pub(super) const LOG: &str = "-wal";
/// The ending of the log's index.
pub(super) const INDEX: &str = "-shm";

/// The file beside the store with this ending.
pub(super) fn beside(store: &Path, ending: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Makes a folder, and those above it, for the owner alone; one that exists is left as it is.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes an empty store for the owner alone; one that exists is left as it is.
pub(super) fn make_store(store: &Path) -> io::Result<()> {
    if let Some(folder) = store.parent() {
        make_folder(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(store) {
        Ok(file) => {
            file.sync_all()?;
            sync_folder(store)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the name of a new file survive a power cut.
pub(super) fn sync_folder(of: &Path) -> io::Result<()> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Gives the log and its index the store's mode.
///
/// Only the owner may, so a failure is no error: then somebody else's modes stand.
pub(super) fn carry_mode(store: &Path) {
    let Ok(wanted) = fs::metadata(store).map(|meta| meta.permissions().mode() & 0o777) else {
        return;
    };
    for ending in [LOG, INDEX] {
        let path = beside(store, ending);
        let differs =
            fs::metadata(&path).is_ok_and(|meta| meta.permissions().mode() & 0o777 != wanted);
        if differs {
            let _ = fs::set_permissions(&path, Permissions::from_mode(wanted));
        }
    }
}

/// The store's path as an SQLite URI with these parameters.
pub(super) fn uri(store: &Path, parameters: &str) -> PathBuf {
    use std::fmt::Write as _;
    let mut uri = String::from("file:");
    for byte in store.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_') {
            uri.push(char::from(*byte));
        } else {
            let _ = write!(uri, "%{byte:02x}");
        }
    }
    PathBuf::from(uri + "?" + parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_holds_any_path() {
        assert_eq!(
            uri(Path::new("/a b/ä?.db"), "mode=ro"),
            Path::new("file:/a%20b/%c3%a4%3f.db?mode=ro")
        );
    }

    #[test]
    fn folders_and_stores_are_made_for_the_owner_and_left_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("a/b/metatoken.db");
        make_store(&store).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(store.parent().unwrap()), mode(&store)), (0o700, 0o600));

        fs::set_permissions(&store, Permissions::from_mode(0o640)).unwrap();
        make_store(&store).unwrap();
        assert_eq!(mode(&store), 0o640);
    }
}

//! Says where the files of a store lie.
//!
//! A store is its owner's alone. What an operator has loosened stays loosened, and the files that
//! `SQLite` keeps beside the store follow it, or a monitoring user could open the one and not the
//! others.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::shell::quoted;
use crate::store::private_files::{folder_of, remove_if_there, waiting};

/// The write-ahead log's ending.
pub const LOG: &str = "-wal";

/// The ending of the log's index.
pub const INDEX: &str = "-shm";

/// The ending of the journal that is kept while the file learns to have a log.
pub const JOURNAL: &str = "-journal";

/// The ending of the mark that a scheduled run leaves when it could not do its work.
pub const MARK: &str = "-failed-run";

/// Returns the file beside the store with this ending.
pub fn beside(store: &Path, ending: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Returns where the mark of a failed run lies, beside the store.
pub fn mark_path(store: &Path) -> PathBuf {
    beside(store, MARK)
}

/// Returns where the lock of the store at `store` is: beside the file itself, so that a config that
/// names the file and one that names a link to it exclude each other.
pub fn lock_path(store: &Path) -> PathBuf {
    beside(&real(store), ".lock")
}

/// Returns whether a path is one of the store's own: itself, what `SQLite` keeps beside it, its
/// lock, the mark of a failed run, the name under which it is made, or the key file; also by
/// another way to the same folder.
pub fn belongs_to_store(file: &Path, store: &Path, key: Option<&Path>) -> bool {
    let real = real(store);
    let beside = ["", LOG, INDEX, JOURNAL, MARK]
        .map(|ending| [beside(store, ending), beside(&real, ending)])
        .into_iter()
        .flatten();
    let own = beside.chain([lock_path(store), waiting(&real)]).chain(key.map(Path::to_path_buf));
    let found = |path: &Path| {
        let folder = fs::canonicalize(folder_of(path)).ok();
        (folder, path.file_name().map(std::ffi::OsStr::to_owned))
    };
    own.into_iter().any(|path| found(&path) == found(file))
}

/// Returns whether a key lies in the folder of the store: one is made together with a store.
pub fn has_key_beside(store: &Path) -> bool {
    folder_of(store).join("metatoken.key").exists()
}

/// Returns how to put aside what is not ours to delete.
pub fn aside_hint(path: &Path) -> String {
    // The `X`s are for `mktemp`, which makes a name of them that is not taken.
    let aside = beside(path, "-aside.XXXXXX");
    format!(
        "find out who made it, and put it aside: `mv {} \"$(mktemp -d {})\"`",
        quoted(path),
        quoted(&aside)
    )
}

/// Returns the file itself where the store's name is a link: `SQLite` keeps its files beside that.
pub fn real(store: &Path) -> PathBuf {
    let is_link = fs::symlink_metadata(store).is_ok_and(|meta| meta.is_symlink());
    let real = if is_link { fs::canonicalize(store).ok() } else { None };
    real.unwrap_or_else(|| store.to_path_buf())
}

/// Removes what a killed run left under such a name, with what `SQLite` kept beside it. The caller
/// holds the run lock, so no other command is making it.
pub fn clear_away(waiting: &Path) -> io::Result<()> {
    for ending in ["", LOG, INDEX, JOURNAL] {
        remove_if_there(&beside(waiting, ending))?;
    }
    Ok(())
}

/// Removes what `SQLite` kept beside a store that is not there any more: its pages would be put
/// into the new one.
pub fn clear_beside(store: &Path) -> io::Result<()> {
    for ending in [LOG, INDEX, JOURNAL] {
        remove_if_there(&beside(store, ending))?;
    }
    Ok(())
}

/// Returns the mode of a new store: its owner's alone, and readable by the group of a folder that
/// lets its group in and no others. Such a folder was made for those who watch the tokens.
pub fn mode_of_new(store: &Path) -> u32 {
    const OTHERS: u32 = 0o057;
    const GROUP_ALONE: u32 = 0o050;
    let folder = fs::metadata(folder_of(store)).map(|meta| meta.permissions().mode());
    match folder {
        Ok(mode) if mode & OTHERS == GROUP_ALONE => 0o640,
        _ => 0o600,
    }
}

/// Gives the log and its index the store's mode.
///
/// Only the owner may, so a failure is not an error: then another user's modes stand.
pub fn carry_mode(store: &Path) {
    let store = &real(store);
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

/// Returns the store's path as an SQLite URI with these parameters.
pub fn uri(store: &Path, parameters: &str) -> PathBuf {
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
    fn a_new_store_is_the_groups_to_read_where_the_folder_was_made_for_the_group() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("metatoken.db");
        for (folder, expected) in [
            (0o700, 0o600),
            (0o710, 0o600),
            (0o750, 0o640),
            (0o770, 0o640),
            (0o2750, 0o640),
            (0o751, 0o600),
            (0o755, 0o600),
            (0o777, 0o600),
        ] {
            fs::set_permissions(dir.path(), Permissions::from_mode(folder)).unwrap();
            assert_eq!(mode_of_new(&store), expected, "{folder:o}");
        }
    }
}

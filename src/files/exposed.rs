//! Whether a file with secrets lies open.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What lets every user of the machine read a file.
const READ: u32 = 0o004;
/// What lets every user of the machine pass through a folder.
const PASS: u32 = 0o001;

/// Whether every user of this machine can read the file: by its own mode, and by those of the
/// folders on the way to it. What cannot be looked at is not readable by everybody.
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

//! Every file of a folder as text: kind, mode and content.

use std::fmt::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::record::Counts;
use crate::rows;

/// What tells whether anything below a folder was written since it was last looked at.
pub(crate) fn stamp(folder: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    for path in below(folder)? {
        let it = std::fs::symlink_metadata(&path)?;
        let (size, mode, inode) = (it.len(), it.mode(), it.ino());
        let (seconds, nanoseconds) = (it.ctime(), it.ctime_nsec());
        let _ = writeln!(text, "{} {size} {mode} {inode} {seconds}.{nanoseconds}", path.display());
    }
    Ok(text)
}

/// What lies below a folder, in the order of the names.
pub(crate) fn look(folder: &Path, counts: &mut Counts) -> anyhow::Result<String> {
    let mut text = String::new();
    for path in below(folder)? {
        counts.files += 1;
        let metadata = std::fs::symlink_metadata(&path)?;
        let name = path.strip_prefix(folder)?.display();
        let rights = metadata.permissions().mode() & 0o7777;
        let (owner, group, links) = (metadata.uid(), metadata.gid(), metadata.nlink());
        let kind = metadata.file_type();
        if kind.is_dir() {
            let _ = writeln!(text, "{name}/ {rights:04o} {owner}:{group}");
            continue;
        }
        if kind.is_symlink() {
            let _ = writeln!(text, "{name} -> {}", std::fs::read_link(&path)?.display());
            continue;
        }
        let _ = write!(text, "{name} {rights:04o} {owner}:{group} {links} ");
        let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        match extension {
            "db" if is_database(&path)? => {
                let _ = write!(text, "\n{}", rows::dump(&path, counts)?);
            }
            // How much of the log is written back is SQLite's affair; its rows were read above.
            "db-wal" | "db-shm" => text.push_str("(there)\n"),
            // It names a process, whose number has more or fewer digits.
            "lock" => lines(&mut text, &path)?,
            // The second is cut off where random bytes of a key or of a store are being written.
            "key" | "metatoken-tmp" => {
                let _ = writeln!(text, "({} bytes)", metadata.len());
            }
            _ => {
                let _ = write!(text, "{} bytes", metadata.len());
                lines(&mut text, &path)?;
            }
        }
    }
    Ok(text)
}

fn lines(text: &mut String, path: &Path) -> std::io::Result<()> {
    text.push('\n');
    for line in String::from_utf8_lossy(&std::fs::read(path)?).split_inclusive('\n') {
        let _ = writeln!(text, "  | {}", line.escape_debug());
    }
    Ok(())
}

fn is_database(path: &Path) -> std::io::Result<bool> {
    Ok(std::fs::read(path)?.starts_with(b"SQLite format 3\0"))
}

fn below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_folder = path.is_dir() && !path.is_symlink();
        paths.push(path.clone());
        if is_folder {
            paths.extend(below(&path)?);
        }
    }
    paths.sort();
    Ok(paths)
}

//! One value in one file: what a delivery writes, or a secret is read from.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::deliver::FileTarget;
use crate::edit::{self, Edited, Format, Missing};

/// A file, or one value in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot<'a> {
    pub(super) path: &'a Path,
    /// Without one it is the whole file.
    pub(super) key: Option<&'a str>,
    pub(super) format: Format,
}

impl<'a> Slot<'a> {
    /// All of a file.
    pub(super) const fn whole(path: &'a Path) -> Self {
        Self { path, key: None, format: Format::Raw }
    }

    /// What the target writes.
    pub(super) fn of(file: &'a FileTarget) -> Self {
        Self { path: &file.path, key: file.key.as_deref(), format: file.format }
    }

    /// Whether what is written here is read there.
    pub(super) fn meets(self, other: Self) -> bool {
        if plain(self.path) != plain(other.path) {
            return false;
        }
        match (self.key, other.key) {
            (Some(key), Some(others)) => key == others || self.says_the_same(key, other, others),
            _ => true,
        }
    }

    /// A key can be spelled in several ways, such as `a.b` and `/a/b`; the editor knows them.
    fn says_the_same(self, key: &str, other: Self, others: &str) -> bool {
        let empty: &[u8] = if self.format == Format::Json { b"{}" } else { b"" };
        let written = edit::replace(self.format, empty, Some(key), "value", Missing::Create);
        let Ok(Edited::Changed(bytes)) = written else { return false };
        self.format == other.format && edit::locate(other.format, &bytes, Some(others)).is_ok()
    }
}

/// The path without detours, as far as can be told without asking the disk.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push::<&OsStr>(part.as_ref()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_slots_meet_where_one_write_undoes_the_other() {
        let slot = |path, key, format| Slot { path: Path::new(path), key, format };
        let raw = |path| slot(path, None, Format::Raw);
        let json = |key| slot("/a.json", Some(key), Format::Json);
        let toml = |key| slot("/a.toml", Some(key), Format::Toml);
        for (one, other, meet) in [
            (raw("/a"), raw("/a"), true),
            (raw("/a"), raw("/b"), false),
            (raw("/x/../a"), raw("/./a"), true),
            (raw("/a.json"), json("t"), true),
            (json("a.b"), json("a.b"), true),
            (json("a.b"), json("/a/b"), true),
            (json("a.b"), json("a.c"), false),
            (toml("a.b"), toml("a.\"b\""), true),
            (toml("a.b"), json("a.b"), false),
            (toml("a.b"), toml("a.b.c"), false),
        ] {
            assert_eq!(one.meets(other), meet, "{one:?} {other:?}");
            assert_eq!(other.meets(one), meet, "{other:?} {one:?}");
        }
    }
}

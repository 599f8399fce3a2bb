//! Compares the places that are written and read, and reserves those that metatoken itself lives by.
//!
//! The config is not one of these: a token that is delivered into it is the seed of another start.

use std::borrow::Cow;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};

use super::FileTarget;
use super::source::SecretSource;
use super::store::{KeySetting, StoreSettings};
use crate::edit::{self, Edited, Format, Missing};

const STORE: &str = "is metatoken's own store";
const KEY: &str = "is metatoken's own key";

/// What `SQLite` and the run lock keep beside the store.
const BESIDE: [(&str, &str); 4] =
    [("-wal", STORE), ("-shm", STORE), ("-journal", STORE), (".lock", "is metatoken's own lock")];

/// Every value that a delivery would ruin, by its file.
#[derive(Debug)]
pub struct Reserved {
    config: PathBuf,
    values: HashMap<PathBuf, Vec<Value>>,
}

/// A value, and what it is as the end of a sentence.
#[derive(Debug)]
struct Value {
    key: Option<String>,
    format: Format,
    what: String,
}

impl Reserved {
    /// Reserves the store and its key for the config at `config`.
    pub fn new(config: &Path, store: &StoreSettings) -> Self {
        let mut this = Self { config: config.to_owned(), values: HashMap::new() };
        this.reserve_file(&store.path, STORE);
        for (ending, what) in BESIDE {
            let mut path = store.path.clone().into_os_string();
            path.push(ending);
            this.reserve_file(Path::new(&path), what);
        }
        match &store.key {
            KeySetting::Beside(path) => this.reserve_file(path, KEY),
            KeySetting::Given(source) => this.reserve_source(source, KEY.to_owned()),
        }
        this
    }

    /// Reserves a file as a whole.
    pub fn reserve_file(&mut self, path: &Path, what: &str) {
        let value = Value { key: None, format: Format::Raw, what: what.to_owned() };
        self.reserve(path, value);
    }

    /// Reserves what a secret is read from, if that is a file.
    pub fn reserve_source(&mut self, source: &SecretSource, what: String) {
        if let SecretSource::File { path, key, format } = source {
            self.reserve(path, Value { key: key.clone(), format: *format, what });
        }
    }

    fn reserve(&mut self, path: &Path, value: Value) {
        let path = Slot::whole(path).path().to_owned();
        self.values.entry(path).or_default().push(value);
    }

    /// Says what would be ruined by writing into the slot.
    pub fn ruined_by(&self, slot: &Slot<'_>) -> Option<&str> {
        if slot.key().is_none() && slot.meets(&Slot::whole(&self.config)) {
            return Some("is this config, which would be replaced as a whole");
        }
        let (path, values) = self.values.get_key_value(slot.path())?;
        let is_met =
            |value: &&Value| slot.meets(&Slot::new(path, value.key.as_deref(), value.format));
        values.iter().find(is_met).map(|value| value.what.as_str())
    }
}

/// A file, or one value in it.
#[derive(Debug, Clone)]
pub struct Slot<'a> {
    /// Without detours, as far as can be told without asking the disk.
    path: Cow<'a, Path>,
    /// Without one it is the whole file.
    key: Option<&'a str>,
    format: Format,
    /// The document that is meant, where the file may have several; without one it may be any.
    document: Option<NonZeroUsize>,
}

impl<'a> Slot<'a> {
    /// Names one value of a file, or with no key all of it.
    pub fn new(path: &'a Path, key: Option<&'a str>, format: Format) -> Self {
        Self { path: plain(path), key, format, document: None }
    }

    /// Names all of a file.
    pub fn whole(path: &'a Path) -> Self {
        Self::new(path, None, Format::Raw)
    }

    /// Names what the target writes.
    pub fn of(file: &'a FileTarget) -> Self {
        let document = file.rules.options.document;
        Self { document, ..Self::new(&file.path, file.key.as_deref(), file.format) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key; without one it is the whole file.
    pub const fn key(&self) -> Option<&'a str> {
        self.key
    }

    /// Whether what is written here is read there.
    pub fn meets(&self, other: &Self) -> bool {
        let apart = |(one, other)| one != other;
        if self.path != other.path || self.document.zip(other.document).is_some_and(apart) {
            return false;
        }
        match (self.key, other.key) {
            (Some(key), Some(others)) => key == others || self.says_the_same(key, other, others),
            _ => true,
        }
    }

    /// A key can be spelled in several ways, such as `a.b` and `/a/b`; the editor knows them.
    fn says_the_same(&self, key: &str, other: &Self, others: &str) -> bool {
        let empty: &[u8] = if self.format == Format::Json { b"{}" } else { b"" };
        let written = edit::replace(self.format, empty, Some(key), "value", Missing::Create);
        let Ok(Edited::Changed(bytes)) = written else { return false };
        self.format == other.format && edit::locate(other.format, &bytes, Some(others)).is_ok()
    }
}

fn plain(path: &Path) -> Cow<'_, Path> {
    if !path.components().any(|part| part == Component::ParentDir) {
        return Cow::Borrowed(path);
    }
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_slots_meet_where_one_write_undoes_the_other() {
        let slot = |path, key, format| Slot::new(Path::new(path), key, format);
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
            assert_eq!(one.meets(&other), meet, "{one:?} {other:?}");
            assert_eq!(other.meets(&one), meet, "{other:?} {one:?}");
        }
    }

    #[test]
    fn two_documents_of_a_file_are_two_places() {
        let of = |document| Slot {
            document: NonZeroUsize::new(document),
            ..Slot::new(Path::new("/a.yaml"), Some("token"), Format::Yaml)
        };
        for (one, other, meet) in
            [(1, 1, true), (1, 2, false), (2, 1, false), (0, 1, true), (0, 0, true)]
        {
            assert_eq!(of(one).meets(&of(other)), meet, "{one} {other}");
        }
    }
}

//! Reserves the files that metatoken itself lives by: no token goes there.
//!
//! The config is not one of them: a token that is delivered into it is the seed of another start.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::slot::Slot;
use super::source::SecretSource;
use super::store::{KeySetting, StoreSettings};
use crate::edit::Format;

const STORE: &str = "is metatoken's own store";
const KEY: &str = "is metatoken's own key";

/// What `SQLite` and the run lock keep beside the store.
const BESIDE: [(&str, &str); 4] =
    [("-wal", STORE), ("-shm", STORE), ("-journal", STORE), (".lock", "is metatoken's own lock")];

/// Every value that a delivery would ruin, by its file.
pub struct Reserved {
    config: PathBuf,
    values: HashMap<PathBuf, Vec<Value>>,
}

/// A value, and what it is as the end of a sentence.
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

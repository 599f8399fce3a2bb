//! The files that metatoken itself lives by: no token goes there.
//!
//! The config is not one of them: a token that is delivered into it is the seed of another start.

use std::path::{Path, PathBuf};

use super::slot::Slot;
use crate::config::mask::quoted;
use crate::config::settings::{KeySetting, StoreSettings};
use crate::config::source::SecretSource;
use crate::config::wire::Wire;
use crate::edit::Format;

const STORE: &str = "is metatoken's own store";
const KEY: &str = "is metatoken's own key";

/// What `SQLite` and the run lock keep beside the store.
const BESIDE: [(&str, &str); 4] =
    [("-wal", STORE), ("-shm", STORE), ("-journal", STORE), (".lock", "is metatoken's own lock")];

/// Every value that a delivery would ruin, and what it is as the end of a sentence.
pub(super) struct Own {
    config: PathBuf,
    values: Vec<Value>,
}

struct Value {
    path: PathBuf,
    key: Option<String>,
    format: Format,
    what: String,
}

impl Own {
    pub(super) fn of(config: &Path, store: &StoreSettings, wire: &Wire) -> Self {
        let mut values = vec![Value::whole(store.path.clone(), STORE)];
        for (ending, what) in BESIDE {
            let mut path = store.path.clone().into_os_string();
            path.push(ending);
            values.push(Value::whole(path.into(), what));
        }
        match &store.key {
            KeySetting::Beside(path) => {
                values.push(Value::whole(path.clone(), KEY));
            }
            KeySetting::Given(source) => values.extend(Value::read(source, KEY)),
        }
        for app in &wire.apps {
            let name = quoted(&format!("[app.{}]", app.name.get_ref()));
            for (key, source) in [("id", &app.body.id), ("secret", &app.body.secret)] {
                let what = format!("holds the `{key}` of {name}");
                values.extend(source.as_ref().and_then(|it| Value::read(it.get_ref(), &what)));
            }
        }
        for channel in &wire.notify {
            values.extend(channel.via.secret().and_then(|(key, source)| {
                Value::read(source, &format!("holds the `{key}` of a `[[notify]]`"))
            }));
        }
        Self { config: config.to_owned(), values }
    }

    /// The same with one more file, which is written anew by every run.
    pub(super) fn and_written(mut self, path: Option<&PathBuf>, what: &str) -> Self {
        self.values.extend(path.map(|path| Value::whole(path.clone(), what)));
        self
    }

    /// The config that all this follows from.
    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    /// What would be ruined by writing into the slot.
    pub(super) fn ruined_by(&self, slot: Slot<'_>) -> Option<&str> {
        if slot.key.is_none() && slot.meets(Slot::whole(&self.config)) {
            return Some("is this config, which would be replaced as a whole");
        }
        let value = self.values.iter().find(|value| slot.meets(value.slot()))?;
        Some(&value.what)
    }
}

impl Value {
    fn whole(path: PathBuf, what: &str) -> Self {
        Self { path, key: None, format: Format::Raw, what: what.to_owned() }
    }

    fn read(source: &SecretSource, what: &str) -> Option<Self> {
        let SecretSource::File { path, key, format } = source else { return None };
        let (path, key) = (path.clone(), key.clone());
        Some(Self { path, key, format: *format, what: what.to_owned() })
    }

    fn slot(&self) -> Slot<'_> {
        Slot { path: &self.path, key: self.key.as_deref(), format: self.format }
    }
}

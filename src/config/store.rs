//! Reads `[store]`: where tokens are kept.
//!
//! Everything follows from where the config is, never from who runs metatoken: a timer and a
//! person at a terminal must meet the same store.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::find::SYSTEM_FOLDER;
use super::reader::Section;
use super::show::Shown;
use super::source::SecretSource;
use crate::environment::Environment;

/// Where the tokens are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// The database.
    pub path: PathBuf,
    /// What seals it.
    pub key: KeySetting,
    /// How long events are remembered.
    pub keep_events: TimeDelta,
    /// Whether it may be on a file system that cannot carry one safely.
    pub unsafe_filesystem: bool,
}

/// Where the store's key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetting {
    /// The default: this file beside the store, made together with a new store.
    Beside(PathBuf),
    /// Where the config says; never made by metatoken.
    Given(SecretSource),
}

impl Shown for KeySetting {
    fn shown(&self) -> Value {
        match self {
            Self::Beside(path) => json!({ "file": path.to_string_lossy() }),
            Self::Given(source) => source.shown(),
        }
    }
}

const DATABASE: &str = "metatoken.db";
const KEY: &str = "metatoken.key";

/// Reads `[store]`.
pub fn read(top: &Section<'_>, environment: &Environment) -> StoreSettings {
    let store = top.table("store", "Where tokens are kept");
    let default = store_of(store.folder(), environment);
    let path = store.path("path", "The database").or(default);
    let key = store.secret("key", "What seals the database").map(KeySetting::Given);
    let keep_events = store.duration("keep_events", "How long events are remembered").positive();
    let unsafe_filesystem = store
        .flag(
            "unsafe_filesystem",
            "Whether it may be on a network file system, where it can be lost",
        )
        .or(false);
    let settings = StoreSettings {
        key: key.or(KeySetting::Beside(path.with_file_name(KEY))),
        path,
        keep_events: keep_events.or(TimeDelta::days(2 * 365)),
        unsafe_filesystem,
    };
    store.show();
    settings
}

/// Where the store is that a config without a path of its own means.
pub fn default_store(config: &Path, environment: &Environment) -> PathBuf {
    store_of(config.parent().unwrap_or(Path::new("/")), environment)
}

fn store_of(folder: &Path, environment: &Environment) -> PathBuf {
    if folder == Path::new(SYSTEM_FOLDER) {
        return Path::new("/var/lib/metatoken").join(DATABASE);
    }
    let own = environment.config_home().is_some_and(|home| home.join("metatoken") == folder);
    match environment.state_home() {
        Some(state) if own => state.join("metatoken").join(DATABASE),
        _ => folder.join(DATABASE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_follows_from_the_config() {
        let home = Environment::new([("HOME".to_owned(), "/home/u".to_owned())]);
        let xdg = Environment::new([
            ("XDG_CONFIG_HOME".to_owned(), "/c".to_owned()),
            ("XDG_STATE_HOME".to_owned(), "/s".to_owned()),
        ]);
        for (config, environment, store) in [
            ("/etc/metatoken", &home, "/var/lib/metatoken/metatoken.db"),
            ("/etc/metatoken/sub", &home, "/etc/metatoken/sub/metatoken.db"),
            ("/home/u/.config/metatoken", &home, "/home/u/.local/state/metatoken/metatoken.db"),
            ("/c/metatoken", &xdg, "/s/metatoken/metatoken.db"),
            ("/home/u/.config/metatoken", &xdg, "/home/u/.config/metatoken/metatoken.db"),
            ("/srv", &home, "/srv/metatoken.db"),
        ] {
            assert_eq!(store_of(Path::new(config), environment), Path::new(store), "{config}");
        }
    }
}

//! Where files are: the store, its key, certificates.
//!
//! Everything follows from where the config is, never from who runs metatoken: a timer and a
//! person at a terminal must meet the same store.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use serde_spanned::Spanned;

use super::given_or;
use crate::config::find::SYSTEM_FOLDER;
use crate::config::settings::{KeySetting, Origins, StoreSettings};
use crate::config::wire::StoreWire;
use crate::environment::Environment;

const DATABASE: &str = "metatoken.db";
const KEY: &str = "metatoken.key";

pub(super) fn store(config: &Path, wire: &StoreWire, environment: &Environment) -> StoreSettings {
    let mut origins = Origins::new();
    let given =
        wire.path.as_ref().map(|path| Spanned::new(path.span(), absolute(config, path.get_ref())));
    let path = given_or(given, default_store(config, environment), "path", "store", &mut origins);
    let key = wire
        .key
        .clone()
        .map(|source| Spanned::new(source.span(), KeySetting::Given(source.into_inner())));
    let beside = KeySetting::Beside(path.with_file_name(KEY));
    let key = given_or(key, beside, "key", "store", &mut origins);
    let keep_events = given_or(
        wire.keep_events.clone(),
        TimeDelta::days(2 * 365),
        "keep_events",
        "store",
        &mut origins,
    );
    let unsafe_filesystem =
        given_or(wire.unsafe_filesystem.clone(), false, "unsafe_filesystem", "store", &mut origins);
    StoreSettings { path, key, keep_events, unsafe_filesystem, origins }
}

/// A path of the config; a relative one begins beside it.
pub(super) fn absolute(config: &Path, path: &str) -> PathBuf {
    folder(config).join(path)
}

/// Where the store is that a config without a path of its own means.
pub fn default_store(config: &Path, environment: &Environment) -> PathBuf {
    let folder = folder(config);
    if folder == Path::new(SYSTEM_FOLDER) {
        return Path::new("/var/lib/metatoken").join(DATABASE);
    }
    let own = environment.config_home().is_some_and(|home| home.join("metatoken") == folder);
    match environment.state_home() {
        Some(state) if own => state.join("metatoken").join(DATABASE),
        _ => folder.join(DATABASE),
    }
}

fn folder(config: &Path) -> &Path {
    config.parent().unwrap_or(Path::new("/"))
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
            ("/etc/metatoken/metatoken.toml", &home, "/var/lib/metatoken/metatoken.db"),
            ("/etc/metatoken/sub/x.toml", &home, "/etc/metatoken/sub/metatoken.db"),
            (
                "/home/u/.config/metatoken/metatoken.toml",
                &home,
                "/home/u/.local/state/metatoken/metatoken.db",
            ),
            ("/c/metatoken/other.toml", &xdg, "/s/metatoken/metatoken.db"),
            ("/home/u/.config/metatoken/m.toml", &xdg, "/home/u/.config/metatoken/metatoken.db"),
            ("/srv/x.toml", &home, "/srv/metatoken.db"),
        ] {
            assert_eq!(default_store(Path::new(config), environment), Path::new(store), "{config}");
        }
    }
}

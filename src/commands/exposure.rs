//! Looks at the files that the config names: who else can read what is secret, and who else can
//! change what decides.
//!
//! What a run would refuse it refuses by itself; here it is said beforehand, with what is merely
//! careless.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::config::{Config, KeySetting, SecretSource};
use crate::deliver::{self, Place, Target};
use crate::file;
use crate::policy::{Health, Reason, Tampering, judge_exposure, judge_tampering};
use crate::store::lock_path;
use crate::token::{Action, Label};

/// What is to be said of the files that the config names. What we may not look at ourselves is not
/// readable by everybody.
pub(super) fn exposures(config: &Config) -> Vec<Reason> {
    let mut reasons = readable(config);
    reasons.extend(changeable(config));
    reasons
}

/// The targets whose files show already that a first delivery would fail, such as for a key that
/// holds something else than an access token.
pub(super) fn undeliverable(config: &Config) -> Vec<Reason> {
    let undeliverable = |label: &Label, target: &Target| {
        let Place::File(file) = &target.place else { return None };
        let fault = deliver::foresee_first(file, &deliver::stand_in())?;
        Some(Reason {
            code: "not_deliverable",
            severity: Health::Warning,
            message: format!("`{label}` cannot be delivered to `{}`: {}", target.id, fault.message),
            remedy: fault.hint.unwrap_or_default(),
            action: Action::FixConfiguration,
            about: Some(target.id.to_string()),
            labels: vec![label.clone()],
            held_by: None,
        })
    };
    let tokens = config.tokens.iter();
    tokens
        .flat_map(|token| token.deliver.iter().filter_map(|it| undeliverable(&token.label, it)))
        .collect()
}

fn readable(config: &Config) -> Vec<Reason> {
    let files = config.tokens.iter().flat_map(|token| &token.deliver);
    let targets = files.filter_map(|target| match &target.place {
        Place::File(file) => Some(file.path.as_path()),
        Place::Command(_) => None,
    });
    let mut known: HashSet<&Path> = HashSet::new();
    let named = key_file(config).map(|path| ("the store key", path)).into_iter();
    let all = named
        .chain([("the store", config.store.path.as_path())])
        .chain(targets.map(|path| ("the target", path)))
        .chain(config.secret_files().into_iter().map(|path| ("the secret file", path)));
    let once = all.filter(|(_, path)| known.insert(path));
    // A device is meant to be read by everybody.
    let exposed = once.filter(|(_, path)| path.is_file() && file::is_readable_by_others(path));
    exposed.map(|(what, path)| judge_exposure(what, path)).collect()
}

fn changeable(config: &Config) -> Vec<Reason> {
    let of_the_store = of_the_store(config);
    let told: HashSet<PathBuf> = of_the_store.iter().map(|(_, path)| path.clone()).collect();
    let of_the_store = of_the_store
        .iter()
        .map(|(what, path)| (*what, path.as_path(), writers(path), Health::Critical));
    let secrets = config
        .secret_files()
        .into_iter()
        .filter(|path| path.is_file() && !told.contains(*path))
        .map(|path| {
            // An application's file that holds a secret may be the application's own.
            ("the secret file", path, writers(path), Health::Warning)
        });
    let programs = config.programs().into_iter().map(|path| {
        let who = writers(path).or_else(|| stranger(path, &config.path));
        ("the program", path, who, Health::Warning)
    });
    let folders = open_folders(config);
    let folders = folders
        .iter()
        .map(|(what, folder)| (*what, folder.as_path(), Some(Tampering::Others), Health::Warning));
    let all = of_the_store.chain(secrets).chain(programs).chain(folders);
    all.filter_map(|(what, path, who, severity)| Some(judge_tampering(what, path, who?, severity)))
        .collect()
}

/// Folders in which every user of the machine can put another file in the place of a secret or a
/// program. Where the sticky bit stands, only its owner can move a file.
fn open_folders(config: &Config) -> Vec<(&'static str, PathBuf)> {
    const STICKY: u32 = 0o1000;
    let is_open = |folder: &Path| {
        folder.metadata().is_ok_and(|it| it.mode() & 0o002 != 0 && it.mode() & STICKY == 0)
    };
    let secrets = config.secret_files().into_iter().map(|path| ("the folder of a secret", path));
    let programs = config.programs().into_iter().map(|path| ("the folder of a program", path));
    let folders = secrets
        .chain(programs)
        .filter_map(|(what, path)| Some((what, path.canonicalize().ok()?.parent()?.to_owned())));
    let mut known = HashSet::new();
    folders.filter(|(_, folder)| is_open(folder) && known.insert(folder.clone())).collect()
}

/// The store, its folder, its lock and its key: who can write one of them can put another in its
/// place.
fn of_the_store(config: &Config) -> Vec<(&'static str, PathBuf)> {
    let store = &config.store.path;
    let folder = store.parent().map(|folder| ("the store's folder", folder.to_owned()));
    let files = [("the store", store.clone()), ("the store's lock", lock_path(store))];
    let key = key_file(config).map(|path| ("the store key", path.to_owned()));
    folder.into_iter().chain(files).chain(key).collect()
}

fn key_file(config: &Config) -> Option<&Path> {
    match &config.store.key {
        KeySetting::Beside(path) | KeySetting::Given(SecretSource::File { path, .. }) => Some(path),
        KeySetting::Given(_) => None,
    }
}

/// Who else can write the file, by its mode.
fn writers(path: &Path) -> Option<Tampering> {
    const STICKY: u32 = 0o1000;
    let about = path.metadata().ok()?;
    let mode = about.mode();
    if about.is_dir() && mode & (STICKY | 0o002) == STICKY | 0o002 {
        return Some(Tampering::Shared);
    }
    let grants = |bit| mode & bit != 0;
    grants(0o002).then_some(Tampering::Others).or(grants(0o020).then_some(Tampering::Group))
}

/// Whether the file belongs to somebody who is neither root nor the owner of the config, who can
/// have anything run already.
fn stranger(path: &Path, config: &Path) -> Option<Tampering> {
    /// How a user namespace shows the files of users that it hides, root's among them.
    const HIDDEN: u32 = 65534;
    let owner = path.metadata().ok()?.uid();
    let trusted = [0, HIDDEN, config.metadata().ok()?.uid()];
    (!trusted.contains(&owner)).then_some(Tampering::Owner)
}

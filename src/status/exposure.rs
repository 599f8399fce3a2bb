//! Finds files of the config that other users can read although they are secret, or change although
//! they decide what is run.
//!
//! A run refuses some of them; `check` and `config check` report them before, and others besides.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Config, KeySetting, Place, SecretSource, Target, TokenConfig};
use crate::deliver::{foresee_first, sample_token};
use crate::files;
use crate::policy::{
    Health, Reason, Tampering, judge_exposure, judge_tampering, tell_pages_apart, without_parent,
};
use crate::run::tokens::subject;
use crate::store::lock_path;
use crate::token::Label;

/// Reasons about the files that the config names, and those that the Pages that were `found` are
/// delivered to. A file that this user may not look at is not
/// readable by every user.
pub fn exposures(config: &Config, found: &[Arc<TokenConfig>]) -> Vec<Reason> {
    let mut reasons = readable(config, found);
    reasons.extend(changeable(config));
    reasons
}

/// Reasons about targets whose files show already that a first delivery would fail, such as for a
/// key that holds something else than an access token.
pub fn undeliverable(config: &Config) -> Vec<Reason> {
    let undeliverable = |label: &Label, target: &Target| {
        let Place::File(file) = &target.place else { return None };
        let error = foresee_first(file, &sample_token())?;
        let message =
            format!("`{label}` cannot be delivered to `{}`: {}", target.id, error.message);
        let step = error.hint.unwrap_or_default();
        Some(Reason {
            about: Some(target.id.to_string()),
            labels: vec![label.clone()],
            ..Reason::of_the_system("not_deliverable", Health::Warning, message, step)
        })
    };
    let tokens = config.tokens.iter();
    tokens
        .flat_map(|token| token.deliver.iter().filter_map(|it| undeliverable(&token.label, it)))
        .collect()
}

/// Reasons about targets that all Pages of a parent share and that are the same for each of them: with
/// two Pages neither is delivered.
pub fn same_for_all_pages(config: &Config) -> Vec<Reason> {
    let of = |parent: &Label, target: &Target| {
        let is_meant = matches!(target.place, Place::File(_)) && target.is_the_same_for_all();
        let message = format!("two Pages of `{parent}` would write the same value: {}", target.id);
        is_meant.then(|| Reason {
            remedy: tell_pages_apart(),
            about: Some(target.id.to_string()),
            labels: vec![parent.clone()],
            ..Reason::of_the_system("same_target_for_all_pages", Health::Warning, message, "")
        })
    };
    let parents = config.tokens.iter();
    parents
        .flat_map(|it| it.page_deliver.iter().filter_map(|target| of(&it.label, target)))
        .collect()
}

/// Reasons about tokens that are not what their settings take for granted: a Page's that no parent
/// renews, and permissions that Meta does not tell of.
pub fn misplaced(config: &Config) -> Vec<Reason> {
    let reason = |code, label: &Label, message: String, step: String| Reason {
        labels: vec![label.clone()],
        ..Reason::of_the_system(code, Health::Warning, message, step)
    };
    let mut reasons = Vec::new();
    for token in config.tokens.iter().filter(|token| token.policy.enabled) {
        let (label, policy) = (&token.label, &token.policy);
        if let Some((why, how)) = without_parent(&subject(token, None, None)) {
            let message = format!("`{label}` has no `parent`: {why}");
            reasons.push(reason("no_parent", label, message, how));
        }
        if token.token_type.tells_no_scopes() {
            let keys = [
                ("required_scopes", policy.required_scopes.is_empty()),
                ("required_targets", policy.required_targets.is_empty()),
            ];
            for (key, _) in keys.into_iter().filter(|(_, is_empty)| !is_empty) {
                let message = format!(
                    "`{label}` has `{key}`, but Meta does not report the permissions of {} tokens",
                    token.token_type
                );
                let remedy = format!("remove `{key}` from `[token.{label}]`: it is never checked");
                reasons.push(reason("scopes_unknown", label, message, remedy));
            }
        }
    }
    reasons
}

fn readable(config: &Config, found: &[Arc<TokenConfig>]) -> Vec<Reason> {
    let files = config.tokens.iter().chain(found).flat_map(|token| &token.deliver);
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
    // A device is meant to be readable.
    let exposed = once.filter(|(_, path)| path.is_file() && files::is_readable_by_others(path));
    exposed.map(|(what, path)| judge_exposure(what, path)).collect()
}

fn changeable(config: &Config) -> Vec<Reason> {
    let of_the_store = of_the_store(config);
    let reported: HashSet<PathBuf> = of_the_store.iter().map(|(_, path)| path.clone()).collect();
    let of_the_store = of_the_store
        .iter()
        .map(|(what, path)| (*what, path.as_path(), writers(path), Health::Critical));
    let secrets = config
        .secret_files()
        .into_iter()
        .filter(|path| path.is_file() && !reported.contains(*path))
        .map(|path| {
            // A file with a secret may be the application's own.
            ("the secret file", path, writers(path), Health::Warning)
        });
    let programs = config.programs().into_iter().map(|path| {
        let who = writers(path).or_else(|| other_owner(path, &config.path));
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

/// Folders in which every user can replace a secret or a program. With the sticky bit only the owner
/// can move a file.
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

/// The store, its folder, its lock and its key: a user who can write one of them can replace it.
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

/// Other users who can write the file, by its mode.
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

/// Whether the file belongs neither to root nor to the owner of the config, who can run anything
/// already.
fn other_owner(path: &Path, config: &Path) -> Option<Tampering> {
    /// The owner that a user namespace shows for the files of hidden users, root among them.
    const HIDDEN: u32 = 65534;
    let owner = path.metadata().ok()?.uid();
    let trusted = [0, HIDDEN, config.metadata().ok()?.uid()];
    (!trusted.contains(&owner)).then_some(Tampering::Owner)
}

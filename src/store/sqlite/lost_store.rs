//! Says of a store that lived and is gone how it is known, and what brings it back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::place::{self, lock_path};
use crate::shell::quoted;
use crate::store::tx_error::SystemCause;
use crate::token::Time;

/// What became of a store that lived.
#[derive(Debug, Clone)]
pub enum StoreLoss {
    /// It is not there.
    Missing,
    /// Its file has no byte in it.
    Emptied,
    /// Its file holds something else.
    Overwritten,
    /// It was cut or damaged.
    Damaged(SystemCause),
}

/// A store that lived and is gone, and what brings it back.
#[derive(Debug, Clone)]
pub struct LostStore {
    /// The store.
    pub store: PathBuf,
    /// What became of it.
    pub loss: StoreLoss,
    sign: Sign,
    key: Option<PathBuf>,
}

/// What says that a store lived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// A run had it open.
    Used(Time),
    /// Some run took its lock; we may not read when.
    Locked,
    /// The key that was made with it.
    Key,
    /// Its log.
    Log,
}

impl LostStore {
    /// Names a store that lived, what became of it, and what says that it lived.
    pub fn new(store: &Path, key: Option<&Path>, loss: StoreLoss, sign: Sign) -> Self {
        Self { store: store.to_path_buf(), loss, sign, key: key.map(Path::to_path_buf) }
    }

    /// Returns what happened, without the store's name.
    pub fn message(&self) -> String {
        let what = match &self.loss {
            StoreLoss::Missing => "the store is missing",
            StoreLoss::Emptied => "the store is empty",
            StoreLoss::Overwritten => return "the file is not a metatoken store".to_owned(),
            StoreLoss::Damaged(_) => return "the store is damaged".to_owned(),
        };
        match (&self.sign, &self.key) {
            (Sign::Used(at), _) => {
                format!("{what}: it was last used {}", at.format("%Y-%m-%d %H:%M UTC"))
            }
            (Sign::Key, Some(key)) => format!("{what}, but its key `{}` is there", key.display()),
            (Sign::Key, None) => format!("{what}, but its key is there"),
            (Sign::Locked, _) => {
                format!("{what}, but a run has been here, as the lock shows that it left")
            }
            (Sign::Log, _) => format!("{what}, but its log is there"),
        }
    }

    /// Returns what brings it back, and what begins a new one.
    pub fn hints(&self) -> Vec<String> {
        let mut restore = match &self.loss {
            // What is not ours is not written over.
            StoreLoss::Overwritten => aside_and_restore(&self.store),
            _ => restore_hint(&self.store),
        };
        if let Some(key) = self.key.as_ref().filter(|key| !key.exists()) {
            let _ = write!(restore, ", and its key to `{}`", key.display());
        }
        let mut hints = vec![restore];
        hints.push(format!(
            "without a backup, start over and paste every access token again: `{}`",
            self.put_aside()
        ));
        if let (Sign::Key, Some(key)) = (&self.sign, &self.key) {
            hints.push(format!(
                "to make a new store with that key: `key = {{ file = \"{}\" }}` in `[store]`",
                key.display()
            ));
        }
        hints
    }

    /// The command that puts aside whatever says that the store lived.
    fn put_aside(&self) -> String {
        let all = self.files().into_iter().chain([lock_path(&self.store)]).chain(self.key.clone());
        put_aside(&self.store, all)
    }

    fn files(&self) -> [PathBuf; 3] {
        files(&self.store)
    }
}

/// The store, its log, and the log's index.
fn files(store: &Path) -> [PathBuf; 3] {
    ["", place::LOG, place::INDEX].map(|ending| place::beside(store, ending))
}

/// Returns how to put a backup in the place of what is not a store, which is kept.
pub fn aside_and_restore(store: &Path) -> String {
    format!(
        "restore a backup (`metatoken store backup` makes them): `{} && cp BACKUP {}`",
        put_aside(store, files(store)),
        quoted(store)
    )
}

/// The command that moves those of the files that are there into a new folder beside the store.
fn put_aside(store: &Path, files: impl IntoIterator<Item = PathBuf>) -> String {
    let there: Vec<String> = files
        .into_iter()
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| quoted(&path))
        .collect();
    // The `X`s are for `mktemp`, which makes a name of them that is not taken.
    let aside = quoted(&place::beside(store, "-lost.XXXXXX"));
    format!("mv {} \"$(mktemp -d {aside})\"", there.join(" "))
}

/// Returns the command that puts a backup in a store's place.
pub fn restore_hint(store: &Path) -> String {
    // Where the name is a link, the log lies beside what it leads to.
    let store = &place::real(store);
    let [store, log, index] =
        ["", place::LOG, place::INDEX].map(|ending| quoted(&place::beside(store, ending)));
    format!(
        "restore a backup (`metatoken store backup` makes them): `rm -f {log} {index} && cp BACKUP {store}`"
    )
}

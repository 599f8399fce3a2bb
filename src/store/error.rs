//! Says what went wrong with the store, and what fixes it.
//!
//! Every variant says which file, and none can hold a secret: paths, numbers and the words of
//! `SQLite` and the system are all that gets in.

use std::fmt;
use std::path::{Path, PathBuf};

use super::key_text::BadKey;
use super::private_files;
use super::sqlite::lost_store::{LostStore, StoreLoss, aside_and_restore, restore_hint};
use super::sqlite::place;
use super::tx_error::{Doing, EngineFailure, Shortage, SystemCause, TxError};
use crate::error::CliError;
use crate::exit::Exit;

/// The stable name of a failure for want of room on the disk.
pub const FULL: &str = "store_full";

/// A failure of the store or its key.
#[derive(Debug, Clone)]
pub enum StoreError {
    /// The file cannot be opened or read.
    Unreadable(PathBuf, SystemCause),
    /// The file cannot be made or written.
    Unwritable(PathBuf, SystemCause),
    /// It cannot be written because the disk is full.
    Full(PathBuf, SystemCause),
    /// The disk has too little room for what Meta would grant.
    NoRoom(PathBuf, Shortage),
    /// Another application's database.
    Foreign(PathBuf),
    /// No database at all.
    NotADatabase(PathBuf),
    /// It lived and is gone.
    Lost(Box<LostStore>),
    /// Its name is a link that leads to nothing.
    Dangling {
        /// The store.
        path: PathBuf,
        /// Where the link leads.
        target: PathBuf,
    },
    /// Something that is not a file has the name of the store, its log or the log's index.
    NotAFile(PathBuf),
    /// An earlier version of metatoken wrote it, and the command migrates none.
    Older(PathBuf),
    /// A later version of metatoken wrote it.
    Newer {
        /// The store.
        path: PathBuf,
        /// The schema it has.
        schema: i64,
        /// The latest schema that this version knows.
        known: i64,
    },
    /// Its content breaks a promise.
    Damaged(PathBuf, SystemCause),
    /// The store exists but its key does not.
    KeyMissing(PathBuf),
    /// The key file cannot be read or made.
    KeyUnreadable(PathBuf, SystemCause),
    /// The key file cannot be replaced.
    KeyUnwritable(PathBuf, SystemCause),
    /// The name of the key file is a link.
    KeyIsLink(PathBuf),
    /// The key file holds no key.
    KeyMalformed(PathBuf, BadKey),
    /// The store was sealed with another key.
    KeyWrong(PathBuf),
    /// The store was opened without its key and a sealed access token is wanted.
    KeyNeeded(PathBuf),
    /// The generation that a write was to replace is not the one that stands there.
    Superseded {
        /// The store.
        path: PathBuf,
        /// What the write expected.
        expected: &'static str,
    },
    /// The access token is wiped: only its fingerprint is left.
    Purged(PathBuf),
    /// No row of that number.
    Absent {
        /// The store.
        path: PathBuf,
        /// `token`, `generation` or `run`.
        what: &'static str,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path().display(), self.message())
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause().map(SystemCause::as_error)
    }
}

impl StoreError {
    /// Returns the store or the key file that is concerned.
    pub fn path(&self) -> &Path {
        match self {
            Self::Unreadable(path, _)
            | Self::Unwritable(path, _)
            | Self::Full(path, _)
            | Self::NoRoom(path, _)
            | Self::Foreign(path)
            | Self::NotADatabase(path)
            | Self::Dangling { path, .. }
            | Self::NotAFile(path)
            | Self::KeyIsLink(path)
            | Self::Older(path)
            | Self::Newer { path, .. }
            | Self::Damaged(path, _)
            | Self::KeyMissing(path)
            | Self::KeyUnreadable(path, _)
            | Self::KeyMalformed(path, _)
            | Self::KeyWrong(path)
            | Self::KeyNeeded(path)
            | Self::Superseded { path, .. }
            | Self::Purged(path)
            | Self::KeyUnwritable(path, _)
            | Self::Absent { path, .. } => path,
            Self::Lost(lost) => &lost.store,
        }
    }

    /// Returns its stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(..) | Self::Dangling { .. } | Self::NotAFile(_) => "store_unreadable",
            Self::Unwritable(..) => "store_unwritable",
            Self::Full(..) | Self::NoRoom(..) => FULL,
            Self::Foreign(_) | Self::NotADatabase(_) => "store_foreign",
            Self::Lost(lost) => match lost.loss {
                StoreLoss::Missing | StoreLoss::Emptied => "store_lost",
                StoreLoss::Overwritten => "store_foreign",
                StoreLoss::Damaged(_) => "store_damaged",
            },
            Self::Older(_) => "store_older",
            Self::Newer { .. } => "store_newer",
            Self::Damaged(..) => "store_damaged",
            Self::KeyMissing(_) => "key_missing",
            Self::KeyUnreadable(..) | Self::KeyIsLink(_) => "key_unreadable",
            Self::KeyUnwritable(..) => "key_unwritable",
            Self::KeyMalformed(..) => "key_malformed",
            Self::KeyWrong(_) => "key_wrong",
            Self::KeyNeeded(_) => "key_needed",
            Self::Superseded { .. } => "superseded",
            Self::Purged(_) => "purged",
            Self::Absent { .. } => "absent",
        }
    }

    /// Returns whether the disk is full: what could not be written now can be written later.
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full(..) | Self::NoRoom(..))
    }

    /// Returns how full, where that was measured.
    pub fn shortage(&self) -> Option<Shortage> {
        match self {
            Self::NoRoom(_, shortage) => Some(*shortage),
            _ => None,
        }
    }

    fn cause(&self) -> Option<&SystemCause> {
        match self {
            Self::Unreadable(_, cause)
            | Self::Unwritable(_, cause)
            | Self::Full(_, cause)
            | Self::Damaged(_, cause)
            | Self::KeyUnwritable(_, cause)
            | Self::KeyUnreadable(_, cause) => Some(cause),
            Self::Lost(lost) => match &lost.loss {
                StoreLoss::Damaged(cause) => Some(cause),
                _ => None,
            },
            _ => None,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Unreadable(..) => "the store cannot be read".into(),
            Self::Unwritable(..) => "the store cannot be written".into(),
            Self::Full(..) => "the store cannot be written: its disk is full".into(),
            Self::NoRoom(_, shortage) => format!(
                "no room on the disk for a new access token ({shortage}): Meta was not asked for it"
            ),
            Self::Foreign(_) | Self::NotADatabase(_) => "the file is not a metatoken store".into(),
            Self::Lost(lost) => lost.message(),
            Self::Dangling { target, .. } => {
                format!("the store is a link to `{}`, and nothing is there", target.display())
            }
            Self::NotAFile(path) => {
                format!("the store cannot be opened: {}", private_files::kind(path))
            }
            Self::KeyIsLink(_) => "the store key is a link, and links are not followed".into(),
            Self::Older(_) => "the store was written by an older metatoken".into(),
            Self::Newer { schema, known, .. } => format!(
                "the store was written by a newer metatoken (schema {schema}, this one knows {known})"
            ),
            Self::Damaged(..) => "the store is damaged".into(),
            Self::KeyMissing(_) => {
                "the store key is missing, and the store is sealed with it".into()
            }
            Self::KeyUnreadable(..) => "the store key cannot be read or made".into(),
            Self::KeyUnwritable(..) => "the store key cannot be replaced: it is as it was".into(),
            Self::KeyMalformed(_, bad) => format!("the store key is malformed: {bad}"),
            Self::KeyWrong(_) => {
                "the store key is not the one that this store was sealed with".into()
            }
            Self::KeyNeeded(_) => "the store is locked: its key is needed".into(),
            Self::Superseded { expected, .. } => {
                format!("the write came too late: it expected {expected}")
            }
            Self::Purged(_) => "the access token was wiped and only its fingerprint is left".into(),
            Self::Absent { what, .. } => format!("the store has no such {what}"),
        }
    }

    fn hints(&self) -> Vec<String> {
        let one = |hint: &str| vec![hint.to_owned()];
        match self {
            Self::Unreadable(path, _) => vec![owner_hint(path).unwrap_or_else(|| {
                "run metatoken as the user who owns the store, or let others read it and its folder"
                    .to_owned()
            })],
            Self::Unwritable(path, _) => {
                vec![
                    private_files::read_only_mount(path)
                        .or_else(|| owner_hint(path))
                        .unwrap_or_else(|| {
                            "look for a full disk, or run metatoken as the user who owns the store"
                                .to_owned()
                        }),
                ]
            }
            Self::Dangling { .. } => one(
                "bring back what the link leads to, or name another file with `path` in `[store]`",
            ),
            // Beside a key there was a store, which must not be started over elsewhere.
            Self::NotAFile(path) if path.is_dir() && !place::has_key_beside(path) => {
                let file = path.join("metatoken.db");
                vec![
                    format!("name a file in it: `path = \"{}\"` in `[store]`", file.display()),
                    format!("or {}", place::aside_hint(path)),
                ]
            }
            Self::NotAFile(path) => vec![place::aside_hint(path)],
            Self::Foreign(_) => one("name a file of its own with `path` in `[store]`"),
            Self::NotADatabase(path) => vec![
                format!("if it was the store, {}", aside_and_restore(path)),
                "if it is another program's file, name a file of its own with `path` in `[store]`"
                    .to_owned(),
            ],
            Self::Full(..) | Self::NoRoom(..) => {
                one("free space on the file system of this folder, then run the command again")
            }
            Self::Lost(lost) => lost.hints(),
            Self::Older(_) => {
                one("run `metatoken refresh`, which brings it up to date; then run the same again")
            }
            Self::Newer { path, .. } => vec![
                "install the newer metatoken again".to_owned(),
                format!("or, from before the upgrade, {}", restore_hint(path)),
            ],
            Self::Damaged(path, _) => vec![restore_hint(path)],
            Self::KeyMissing(path) => vec![format!(
                "put back the copy of it that you keep, to `{}`, or say where it is with `key` in `[store]`; a new key could not open this store",
                path.display()
            )],
            Self::KeyUnreadable(path, _) if private_files::is_no_file(path) => {
                vec![
                    place::aside_hint(path)
                        + "; then put back the key, or the copy of it that you keep",
                ]
            }
            Self::KeyUnreadable(path, _) => vec![owner_hint(path).unwrap_or_else(|| {
                "let the user who runs metatoken read the key file and its folder".to_owned()
            })],
            Self::KeyUnwritable(path, _) => {
                vec![
                    private_files::read_only_mount(path)
                        .or_else(|| owner_hint(path))
                        .unwrap_or_else(|| {
                            format!(
                                "run it as a user who can replace it: `ls -ld {0} {1}`",
                                crate::shell::quoted(path),
                                crate::shell::quoted(private_files::folder_of(path))
                            )
                        }),
                ]
            }
            Self::KeyIsLink(path) => {
                let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                vec![format!(
                    "see who made it; to use what it leads to: `key = {{ file = \"{}\" }}` in `[store]`",
                    target.display()
                )]
            }
            Self::KeyMalformed(path, _) => vec![format!(
                "a key is 32 bytes as 64 hex digits or base64; put back the copy of it that you keep, to `{}`",
                path.display()
            )],
            Self::KeyWrong(_) => one(
                "put back the key that belongs to this store, or say where it is with `key` in `[store]`",
            ),
            Self::KeyNeeded(_) => one("say where the key is with `key` in `[store]`"),
            Self::Superseded { .. } | Self::Purged(_) | Self::Absent { .. } => Vec::new(),
        }
    }
}

impl TxError {
    /// Names the store that it is about: the error as the caller of a verb sees it.
    pub fn about(self, path: &Path, doing: Doing) -> StoreError {
        let path = path.to_path_buf();
        match self {
            Self::Superseded(expected) => StoreError::Superseded { path, expected },
            Self::Purged => StoreError::Purged(path),
            Self::Absent(what) => StoreError::Absent { path, what },
            Self::WrongKey => StoreError::KeyWrong(path),
            Self::BrokenSeal => StoreError::Damaged(
                path,
                SystemCause::new("a sealed access token does not open in its place"),
            ),
            Self::NoRoom(shortage) => StoreError::NoRoom(path, shortage),
            Self::BadCell(cell) => StoreError::Damaged(path, SystemCause::new(cell)),
            Self::Engine(failure, cause) => match (failure, doing) {
                (EngineFailure::NotADatabase, _) => StoreError::NotADatabase(path),
                (EngineFailure::Damaged, _) => StoreError::Damaged(path, cause),
                (EngineFailure::Full, _) => StoreError::Full(path, cause),
                // A file that could be opened for reading alone: only a writer learns of it.
                (EngineFailure::ReadOnly, _) | (_, Doing::Writing) => {
                    StoreError::Unwritable(path, cause)
                }
                (_, Doing::Reading) => StoreError::Unreadable(path, cause),
            },
        }
    }
}

/// What opens a file that is closed to us because another user owns it.
fn owner_hint(path: &Path) -> Option<String> {
    let files = ["", place::LOG, place::INDEX].map(|ending| place::beside(path, ending));
    let folder = private_files::folder_of(path).to_path_buf();
    private_files::closed(&[&files[..], &[folder]].concat())
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let subject = error.path().display().to_string();
        let mut complaint = Self::new(Exit::Storage, error.code(), subject, error.message());
        if let Some(cause) = error.cause() {
            complaint.causes.push(cause.to_string());
        }
        complaint.hints = error.hints();
        complaint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_names_the_file_the_cause_and_the_remedy() {
        let newer = StoreError::Newer { path: "/x.db".into(), schema: 7, known: 1 };
        assert_eq!(
            CliError::from(newer).render(),
            "error: /x.db: the store was written by a newer metatoken (schema 7, this one knows 1)\n\
             hint: install the newer metatoken again\n\
             hint: or, from before the upgrade, restore a backup (`metatoken store backup` makes them): `rm -f /x.db-wal /x.db-shm && cp BACKUP /x.db`"
        );
        let unreadable =
            StoreError::Unreadable("/x.db".into(), SystemCause::new("permission denied"));
        let complaint = CliError::from(unreadable);
        assert_eq!((complaint.exit, complaint.code), (Exit::Storage, "store_unreadable"));
        assert_eq!(complaint.causes, ["permission denied"]);
    }
}

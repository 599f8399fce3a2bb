//! Reads and makes the store key.
//!
//! A key is made together with a new store and never for an existing one: a fresh key beside old
//! seals would look like health and lose every token. It opens one thing only, the data key that
//! the store keeps wrapped, so that changing it re-seals nothing.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::error::StoreError;
use super::key_text::read_key;
use super::private_files;
use super::tx_error::{Doing, SystemCause, TxError};
use crate::crypto::{self, Key};
use crate::failpoint;

/// Where the store key comes from.
#[derive(Clone)]
pub enum KeySource {
    /// A file beside the store or elsewhere; made together with a new store.
    File(PathBuf),
    /// Already resolved from the config.
    Given(Key),
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "KeySource({})", path.display()),
            Self::Given(_) => f.write_str("KeySource(redacted)"),
        }
    }
}

/// No key file is longer; a big file is another one by mistake.
const LONGEST: u64 = 1024;

impl KeySource {
    /// The key of a store that exists.
    pub(super) fn existing(&self) -> Result<Key, StoreError> {
        match self {
            Self::Given(key) => Ok(key.clone()),
            Self::File(path) => match read_file(path)? {
                Some(text) => parse(path, &text),
                None => Err(StoreError::KeyMissing(path.clone())),
            },
        }
    }

    /// The key of a store that exists, as text for a safe.
    pub fn export(&self) -> Result<Zeroizing<String>, StoreError> {
        Ok(Zeroizing::new(crypto::hex(self.existing()?.as_ref())))
    }

    /// The key for a store that is being made: the one that is there, or a new one.
    pub(super) fn existing_or_new(&self) -> Result<Key, StoreError> {
        match self {
            Self::Given(key) => Ok(key.clone()),
            Self::File(path) => match read_file(path)? {
                // Earlier installations made an empty one beforehand, to give it to its user.
                Some(text) if !text.is_empty() => parse(path, &text),
                _ => make(path),
            },
        }
    }

    /// The key file, where it is one of our making: the config does not name it.
    pub(super) fn made(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Given(_) => None,
        }
    }

    /// The error of opening a store with this key: a wrong key is the fault of the key, not of the
    /// store.
    pub(super) fn explain(&self, error: TxError, store: &Path) -> StoreError {
        match (error, self) {
            (TxError::WrongKey, Self::File(key)) => StoreError::KeyWrong(key.clone()),
            (error, _) => error.about(store, Doing::Writing),
        }
    }
}

/// A new key that waits beside the file whose content it is to be.
#[derive(Debug)]
pub struct NewKeyFile {
    path: PathBuf,
    key: KeySource,
    is_put: bool,
}

impl NewKeyFile {
    /// Makes a key and writes it beside the key file at `path`, with its rights.
    pub fn write(path: &Path) -> Result<Self, StoreError> {
        let key = crypto::random_key();
        let this =
            Self { path: path.to_path_buf(), key: KeySource::Given(key.clone()), is_put: false };
        let unwritable = |error| this.unwritable(error);
        let before = fs::symlink_metadata(path).map_err(unwritable)?;
        let waiting = private_files::waiting(path);
        private_files::remove_if_there(&waiting).map_err(unwritable)?;
        let mut file = private_files::make_file(&waiting).map_err(unwritable)?;
        private_files::give_rights(&file, &before)
            .and_then(|()| file.write_all(text_of(&key).as_bytes()))
            .and_then(|()| file.sync_all())
            .map_err(unwritable)?;
        Ok(this)
    }

    /// The key.
    pub fn key(&self) -> &KeySource {
        &self.key
    }

    /// Puts it into the place of the old one.
    pub fn put(mut self) -> Result<(), StoreError> {
        fs::rename(private_files::waiting(&self.path), &self.path)
            .map_err(|it| self.unwritable(it))?;
        self.is_put = true;
        private_files::sync_folder(&self.path).map_err(|it| self.unwritable(it))
    }

    fn unwritable(&self, error: io::Error) -> StoreError {
        if private_files::is_full(error.kind()) {
            return StoreError::Full(self.path.clone(), SystemCause::new(error));
        }
        StoreError::KeyUnwritable(self.path.clone(), SystemCause::new(error))
    }
}

impl Drop for NewKeyFile {
    fn drop(&mut self) {
        if !self.is_put {
            // What stays is cleared away by the next run.
            let _ = fs::remove_file(private_files::waiting(&self.path));
        }
    }
}

fn text_of(key: &Key) -> Zeroizing<String> {
    Zeroizing::new(crypto::hex(key.as_ref()) + "\n")
}

fn parse(path: &Path, text: &str) -> Result<Key, StoreError> {
    read_key(text).map_err(|bad| StoreError::KeyMalformed(path.to_path_buf(), bad))
}

fn read_file(path: &Path) -> Result<Option<Zeroizing<String>>, StoreError> {
    let unreadable = |error| unusable(path, error);
    let file = match private_files::open_plain(path, OpenOptions::new().read(true), OFlags::empty())
    {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(128));
    file.take(LONGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    // What is not text is not a key either, and must not be lost in a copy that is not wiped.
    let text = std::str::from_utf8(&bytes).unwrap_or("?");
    Ok(Some(Zeroizing::new(text.to_owned())))
}

fn unusable(path: &Path, error: io::Error) -> StoreError {
    if private_files::is_link(&error) {
        return StoreError::KeyIsLink(path.to_path_buf());
    }
    if private_files::is_full(error.kind()) {
        return StoreError::Full(path.to_path_buf(), SystemCause::new(error));
    }
    StoreError::KeyUnreadable(path.to_path_buf(), SystemCause::new(error))
}

fn make(path: &Path) -> Result<Key, StoreError> {
    let key = crypto::random_key();
    write_new(path, text_of(&key).as_bytes()).map_err(|error| unusable(path, error))?;
    Ok(key)
}

/// Writes it under another name first: a kill leaves a whole key or none.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    private_files::make_folder(private_files::folder_of(path))?;
    let waiting = private_files::waiting(path);
    private_files::remove_if_there(&waiting)?;
    let mut file = private_files::make_file(&waiting)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| {
        failpoint::reach("key-written");
        // Only an absent or an empty file comes here, under the run lock.
        fs::rename(&waiting, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&waiting);
    }
    written?;
    failpoint::reach("key-named");
    private_files::sync_folder(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_shows_no_key() {
        assert_eq!(format!("{:?}", KeySource::Given(Key::new([7; 32]))), "KeySource(redacted)");
    }
}

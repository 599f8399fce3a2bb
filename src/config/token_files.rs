//! Finds and reads the files of `tokens.d`, if their owners and modes allow to trust them.
//!
//! One folder may stand beside the config and one beside the store. Each file is judged by itself:
//! one that cannot be read or trusted is kept apart with the reason, and holds up no other. Only a
//! folder whose files cannot be listed is an error: which labels there are is not known then.

use std::ffi::OsString;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use super::permissions::{JudgedFile, judge_token_folder};
use crate::error::CliError;
use crate::exit::Exit;
use crate::shell::quoted;

/// The name of the folder.
pub const FOLDER: &str = "tokens.d";

/// The files of both folders.
#[derive(Default)]
pub struct TokenFiles {
    /// Those that may be read, in the order in which they count.
    pub fit: Vec<TokenFile>,
    /// Files, or whole folders, that must not be trusted or cannot be read.
    pub unfit: Vec<UnfitFile>,
}

/// A file that may be trusted.
pub struct TokenFile {
    /// Where it is.
    pub path: Arc<Path>,
    /// Where relative paths in it begin.
    pub folder: Arc<Path>,
    /// Its path as messages show it.
    pub name: String,
    pub text: Zeroizing<String>,
    pub mode: u32,
}

/// A file that is not there yet.
#[derive(Debug, Clone)]
pub struct NewTokenFile {
    /// Where it will be.
    pub path: PathBuf,
    /// What it will hold.
    pub text: String,
}

/// What a file begins with that a command has written.
pub fn first_line(command: &str) -> String {
    format!("# Written by `metatoken {command}`; yours to edit.")
}

/// A file that is not read.
pub struct UnfitFile {
    /// Where it is; a folder, if that is at fault.
    pub path: PathBuf,
    /// What is wrong with it.
    pub complaint: CliError,
}

impl TokenFile {
    /// Whether `import` wrote it, and no person has changed it since: its first line still says so.
    pub fn is_imported(&self) -> bool {
        self.text.lines().next() == Some(&*first_line("import"))
    }

    /// The file as it would be read if it were there.
    pub fn of_new(new: &NewTokenFile) -> Self {
        let NewTokenFile { path, text } = new;
        let name = path.file_name().unwrap_or_default();
        Self {
            path: path.as_path().into(),
            folder: path.parent().unwrap_or(Path::new("/")).into(),
            name: Path::new(FOLDER).join(name).to_string_lossy().into_owned(),
            text: Zeroizing::new(text.clone()),
            mode: 0o600,
        }
    }
}

impl TokenFiles {
    /// A digest of all that was read, for a comparison with a later reading.
    pub fn digest(&self, config: &JudgedFile) -> u64 {
        let mut hasher = DefaultHasher::new();
        (config.text.as_str(), config.mode()).hash(&mut hasher);
        for file in &self.fit {
            (&file.path, file.text.as_str(), file.mode).hash(&mut hasher);
        }
        for UnfitFile { path, complaint } in &self.unfit {
            (path, &complaint.message, &complaint.causes).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Reads the files beside the config and beside the store, each folder in the order of names.
    pub fn read(config: &Path, store: &Path, caller: u32) -> Result<Self, CliError> {
        let mut files = Self::default();
        let mut seen: Option<PathBuf> = None;
        for (beside, shown) in [(config, Path::new(FOLDER)), (store, Path::new(""))] {
            let folder = beside.with_file_name(FOLDER);
            let real = match folder.canonicalize() {
                Ok(real) => real,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    // A link that leads nowhere is not a folder that is not there.
                    match folder.symlink_metadata() {
                        Ok(_) => return Err(unlisted(&folder, error)),
                        Err(_) => continue,
                    }
                }
                Err(error) => return Err(unlisted(&folder, error)),
            };
            if seen.as_ref() == Some(&real) {
                continue;
            }
            let shown = if shown.as_os_str().is_empty() { folder } else { shown.to_owned() };
            files.read_folder(&real, &shown, caller)?;
            seen = Some(real);
        }
        Ok(files)
    }

    fn read_folder(&mut self, real: &Path, shown: &Path, caller: u32) -> Result<(), CliError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(real, flags, Mode::empty());
        let opened = opened.map(File::from).map_err(|error| unlisted(real, error.into()))?;
        let names = names(real).map_err(|error| unlisted(real, error))?;
        if let Err(complaint) = judge_token_folder(real, &opened, caller) {
            self.unfit.push(UnfitFile { path: real.to_owned(), complaint });
            return Ok(());
        }
        let folder: Arc<Path> = real.into();
        for name in names {
            let path = real.join(&name);
            match read_file(&opened, &name, &path, caller) {
                Ok(None) => {}
                Ok(Some(file)) => self.fit.push(TokenFile {
                    path: path.into(),
                    folder: folder.clone(),
                    name: shown.join(&name).to_string_lossy().into_owned(),
                    mode: file.mode(),
                    text: file.text,
                }),
                Err(complaint) => self.unfit.push(UnfitFile { path, complaint }),
            }
        }
        Ok(())
    }
}

/// The names of the files that count, in their order.
fn names(folder: &Path) -> std::io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let counts = !name.as_bytes().starts_with(b".") && name.as_bytes().ends_with(b".toml");
        if counts {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Reads one file; nothing if it was removed meanwhile. A link is followed, and both its file and the
/// folder of that are judged.
fn read_file(
    folder: &File,
    name: &OsString,
    path: &Path,
    caller: u32,
) -> Result<Option<JudgedFile>, CliError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let read = match rustix::fs::openat(folder.as_fd(), name, flags, Mode::empty()) {
        Ok(file) => JudgedFile::judge(path, file.into(), caller).map(Some),
        Err(rustix::io::Errno::LOOP) => JudgedFile::read(path, caller).map(Some),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => {
            let subject = path.display().to_string();
            let unreadable = CliError::new(Exit::Config, CONFIG_FILE, subject, "cannot be read");
            Err(unreadable.because(std::io::Error::from(error)))
        }
    };
    read.map_err(|complaint| no_token_file(complaint, path))
}

/// Says of what is not even a file what helps here; of a config it would be another.
fn no_token_file(mut complaint: CliError, path: &Path) -> CliError {
    let leads_nowhere = path.is_symlink() && !path.exists();
    if leads_nowhere {
        "it is a link that leads to nothing".clone_into(&mut complaint.message);
    }
    if leads_nowhere || path.is_dir() {
        complaint.hints = vec![format!("remove it, or make it a file: `ls -ld {}`", quoted(path))];
    }
    complaint
}

/// The code of what is said of a file that is left out.
pub const CONFIG_FILE: &str = "config_file";

fn unlisted(folder: &Path, error: std::io::Error) -> CliError {
    let subject = folder.display().to_string();
    let message = "the files in it cannot be listed, so which tokens there are is not known";
    CliError::new(Exit::Config, "config_unreadable", subject, message).because(error).hint(format!(
        "make it a folder that you can read, or remove it: `ls -ld {}`",
        quoted(folder)
    ))
}

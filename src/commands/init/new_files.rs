//! Writes the files of a first config or of an app that is added: the app's secret, and the config last.

use std::error::Error as _;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::files::{self, FileError, Opened, PRIVATE};
use crate::shell::quoted;
use crate::token::Secret;
use crate::ui::Ui;

/// Root's config is read by the service's user; it holds no secret.
const READABLE: u32 = 0o644;

/// The files that `init` writes, and what is to be in them.
#[derive(Debug)]
pub struct NewFiles {
    /// Where the config goes.
    pub place: PathBuf,
    /// The config.
    pub text: Secret,
    /// What happens to the config.
    pub change: ConfigChange,
    /// Where the app's secret goes.
    pub secret_file: PathBuf,
    /// The app's secret.
    pub secret: Option<Secret>,
    /// The file from which the secret was read.
    pub secret_from: Option<PathBuf>,
}

/// What happens to the config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigChange {
    /// It is written.
    Written,
    /// The one that is there gets the app.
    Extended,
}

impl NewFiles {
    /// Makes the folder, and gives the files that are missing, the config last; one that exists and
    /// says something else is an error.
    pub fn prepare(&self, environment: &Environment) -> Result<Vec<NewFile>, CliError> {
        let Self { place, text, secret, .. } = self;
        let folder = place.parent().unwrap_or(Path::new("/"));
        if !folder.exists() {
            let mode = if is_root(environment) { 0o755 } else { 0o700 };
            DirBuilder::new().recursive(true).mode(mode).create(folder).map_err(|error| {
                let folder = folder.display().to_string();
                CliError::new(Exit::Storage, "file_unwritable", folder, "the folder cannot be made")
                    .because(error)
                    .hint("name another one with `--dir DIR`")
            })?;
        }
        config::judge_new_place(place, environment.user_id())?;
        let mut missing = Vec::new();
        if let Some(secret) = secret {
            let path = self.secret_file.clone();
            let bytes = Zeroizing::new(format!("{}\n", secret.expose()).into_bytes());
            missing.extend(NewFile::unless_there(path, bytes, PRIVATE)?);
        }
        let bytes = Zeroizing::new(text.expose().as_bytes().to_vec());
        let config = match self.change {
            ConfigChange::Written => {
                let mode = if is_root(environment) { READABLE } else { PRIVATE };
                NewFile::unless_there(place.clone(), bytes, mode)?
            }
            ConfigChange::Extended => NewFile::unless_it_says_so(place, bytes)?,
        };
        missing.extend(config);
        for file in &missing {
            file.foresee().map_err(|error| not_written(&error))?;
        }
        Ok(missing)
    }

    /// Says what a person should do about the files, besides the next command.
    /// `store` is the store's file.
    pub fn advise(&self, store: &Path, environment: &Environment, ui: &Ui) {
        let Self { secret_from, secret, secret_file: own, .. } = self;
        if let Some(from) = secret_from
            && from.canonicalize().ok() != own.canonicalize().ok()
        {
            ui.note(&format!(
                "hint: the app's secret is in `{}` now; delete the other copy: `rm {}`",
                own.display(),
                quoted(from)
            ));
        }
        let owner = |path: &Path| fs::metadata(path.parent()?).ok().map(|it| it.uid());
        let service = owner(store).filter(|it| *it != 0);
        if let (true, true, Some(user)) = (is_root(environment), secret.is_some(), service) {
            ui.note(&format!(
                "hint: user {user} owns the store's folder: let it read the secret, and run metatoken as that user: `chown {user} {}`",
                quoted(own)
            ));
        }
    }
}

/// A file that is missing, or lacks the app.
pub struct NewFile {
    pub path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
    /// The mode of a new file; nothing of one that is there.
    mode: Option<u32>,
}

impl NewFile {
    /// Writes it; one that was made meanwhile, or changed, is left as it is.
    pub fn write(&self) -> Result<(), CliError> {
        let written = match self.mode {
            Some(mode) => files::create(&self.path, &self.bytes, mode),
            None => self.opened().and_then(|file| file.replace(&self.bytes)),
        };
        written.map_err(|error| not_written(&error))
    }

    /// What was done, as a line.
    pub fn said(&self) -> String {
        let path = self.path.display();
        match self.mode {
            Some(mode) => format!("wrote `{path}` (mode {mode:04o})"),
            None => format!("added it to `{path}`"),
        }
    }

    /// Returns the error that writing it would meet.
    fn foresee(&self) -> Result<(), FileError> {
        match self.mode {
            Some(_) => files::foresee_create(&self.path),
            None => self.opened()?.foresee_replace(),
        }
    }

    fn opened(&self) -> Result<Opened, FileError> {
        let file = Opened::open(&self.path)?;
        // What is added to is what was read, and still begins so.
        file.filter(|file| self.bytes.starts_with(file.bytes().trim_ascii_end()))
            .ok_or_else(|| FileError::ChangedMeanwhile(self.path.clone()))
    }

    /// The config that gets more; nothing where it says all of it.
    fn unless_it_says_so(path: &Path, bytes: Zeroizing<Vec<u8>>) -> Result<Option<Self>, CliError> {
        let file = Self { path: path.to_owned(), bytes, mode: None };
        let found = file.opened().map_err(|error| not_written(&error))?;
        Ok((found.bytes() != &**file.bytes).then_some(file))
    }

    /// The file where it is missing; nothing where it is there and holds just that.
    fn unless_there(
        path: PathBuf,
        bytes: Zeroizing<Vec<u8>>,
        mode: u32,
    ) -> Result<Option<Self>, CliError> {
        if path.symlink_metadata().is_err() {
            return Ok(Some(Self { path, bytes, mode: Some(mode) }));
        }
        let found = fs::read(&path).map(Zeroizing::new);
        match found {
            Ok(found) if found.trim_ascii() == bytes.trim_ascii() => Ok(None),
            _ => Err(file_exists(&path)),
        }
    }
}

fn is_root(environment: &Environment) -> bool {
    environment.user_id() == 0
}

/// Complains of a file that is there already.
pub fn file_exists(path: &Path) -> CliError {
    let subject = path.display().to_string();
    let message = "is there already, and `init` overwrites nothing";
    let complaint = CliError::new(Exit::Usage, "file_exists", subject, message);
    if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-secret")) {
        return complaint
            .hint(format!("to use the secret in it: `--app-secret-file {}`", quoted(path)))
            .hint(format!("or move it away: `mv {0} {0}.old`", quoted(path)));
    }
    complaint
        .hint(format!("what it lacks: `metatoken --config {} config check`", quoted(path)))
        .hint("another token: `metatoken add LABEL --type TYPE`; another config: `--dir DIR`")
}

fn not_written(error: &FileError) -> CliError {
    let file = error.path().display().to_string();
    if let FileError::Exists(path) = error {
        return file_exists(path);
    }
    let mut complaint = CliError::new(Exit::Storage, "file_unwritable", file, "cannot be written");
    complaint.causes.push(error.source().map_or_else(|| error.message(), ToString::to_string));
    complaint.hint(match error {
        FileError::FolderUnwritable { folder, .. } => format!(
            "name another folder with `--dir DIR`; who may write in this one: `ls -ld {}`",
            quoted(folder)
        ),
        FileError::Unwritten(..) => {
            "make room there and type the command again: it goes on where it stopped".to_owned()
        }
        _ => error.hint().unwrap_or_else(|| "name another folder with `--dir DIR`".to_owned()),
    })
}

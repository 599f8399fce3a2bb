//! Fetches secrets, each when it is first needed and once.
//!
//! A command or a locked keyring is slow, and a run may never need it; two threads that need the
//! same one wait for a single fetch. What cannot be had is an answer like any other: it concerns
//! only the tokens that need it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use zeroize::Zeroizing;

use super::command;
use super::secret_variables::CREDENTIALS;
use super::source::SecretSource;
use crate::edit::{self, Format};
use crate::environment::Environment;
use crate::token::Secret;

/// What lets every user of the machine put another secret in the place of ours.
const WRITABLE_BY_OTHERS: u32 = 0o002;

/// No secret, and no application's config, is larger.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Why a secret is not there. Names the place, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretError {
    source: String,
    /// Whether the place is simply empty, as opposed to out of reach.
    pub unset: bool,
    why: String,
}

impl SecretError {
    fn unset(source: &SecretSource, why: impl Into<String>) -> Self {
        Self { source: source.to_string(), unset: true, why: why.into() }
    }

    fn unreadable(source: &SecretSource, why: impl Into<String>) -> Self {
        Self { source: source.to_string(), unset: false, why: why.into() }
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.source, self.why)
    }
}

impl std::error::Error for SecretError {}

type Answer = Result<Secret, SecretError>;

/// The secrets of one run.
pub struct Secrets {
    environment: Environment,
    of_programs: BTreeMap<String, String>,
    fetched: Mutex<Vec<(SecretSource, Arc<OnceLock<Answer>>)>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(redacted)")
    }
}

impl Secrets {
    /// Secrets that are read from `environment`, or printed by programs that see `of_programs`.
    /// Nothing is fetched yet.
    pub fn new(environment: Environment, of_programs: BTreeMap<String, String>) -> Self {
        Self { environment, of_programs, fetched: Mutex::new(Vec::new()) }
    }

    /// The secret, fetched now or before; one trailing newline is dropped, and empty is unset.
    pub fn resolve(&self, source: &SecretSource) -> Result<Secret, SecretError> {
        if let SecretSource::Literal(secret) = source {
            return Ok(secret.clone());
        }
        self.slot(source).get_or_init(|| self.fetch(source)).clone()
    }

    /// The place of one answer; the lock is not held while it is fetched.
    fn slot(&self, source: &SecretSource) -> Arc<OnceLock<Answer>> {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, slot)) = fetched.iter().find(|(known, _)| known == source) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(OnceLock::new());
        fetched.push((source.clone(), Arc::clone(&slot)));
        slot
    }

    fn fetch(&self, source: &SecretSource) -> Answer {
        let text = match source {
            SecretSource::Literal(secret) => return Ok(secret.clone()),
            SecretSource::Env(name) => {
                let value = self.environment.get(name);
                let value = value.ok_or_else(|| SecretError::unset(source, "is not set"))?;
                Zeroizing::new(value.to_owned())
            }
            SecretSource::File { path, key, format } => {
                from_file(source, path, *format, key.as_deref())?
            }
            SecretSource::Credential(name) => {
                let folder = self.environment.get(CREDENTIALS).ok_or_else(|| {
                    let why = "is not there: `CREDENTIALS_DIRECTORY` is not set; a systemd unit \
                               sets it by `LoadCredential=`";
                    SecretError::unset(source, why)
                })?;
                from_file(source, &Path::new(folder).join(name), Format::Raw, None)?
            }
            SecretSource::Command(words) => command::output(words, &self.of_programs)
                .map_err(|failure| SecretError::unreadable(source, failure.to_string()))?,
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(SecretError::unset(source, "is empty"));
        }
        Ok(Secret::new(text))
    }
}

/// The service manager answers for the modes of its credentials.
const fn is_credential(source: &SecretSource) -> bool {
    matches!(source, SecretSource::Credential(_))
}

fn from_file(
    source: &SecretSource,
    path: &Path,
    format: Format,
    key: Option<&str>,
) -> Result<Zeroizing<String>, SecretError> {
    let refused = |error: std::io::Error| {
        let why = format!("cannot be read: {}", error.kind());
        match error.kind() {
            std::io::ErrorKind::NotFound => SecretError::unset(source, "is not there"),
            _ => SecretError::unreadable(source, why),
        }
    };
    let file = File::open(path).map_err(refused)?;
    let mode = file.metadata().map_err(refused)?.mode();
    if mode & WRITABLE_BY_OTHERS != 0 && !is_credential(source) {
        let why = format!(
            "is refused: every user of this machine can write it (mode {:04o}); run `chmod o-w {}`",
            mode & 0o7777,
            path.display()
        );
        return Err(SecretError::unreadable(source, why));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(refused)?;
    if bytes.len() as u64 > LARGEST {
        return Err(SecretError::unreadable(source, "cannot be read: the file is too large"));
    }
    edit::locate(format, &bytes, key).map(|located| located.value).map_err(|error| match error {
        edit::EditError::Missing { .. } => SecretError::unset(source, "is not there"),
        other => SecretError::unreadable(source, format!("cannot be read: {other}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    fn secrets(variables: &[(&str, &str)]) -> Secrets {
        let ours = environment(variables);
        let programs = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        Secrets::new(ours, programs)
    }

    fn resolve(secrets: &Secrets, source: &SecretSource) -> String {
        match secrets.resolve(source) {
            Ok(secret) => secret.expose().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_kind_of_place_gives_its_secret() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::File::create(folder.path().join("raw"))
            .and_then(|mut file| std::io::Write::write_all(&mut file, b"EAAfakeRaw\r\n"))
            .unwrap();
        std::fs::File::create(folder.path().join(".env"))
            .and_then(|mut file| std::io::Write::write_all(&mut file, b"T='EAAfakeKey' # x\n"))
            .unwrap();
        let home = folder.path().to_str().unwrap();
        let secrets =
            secrets(&[("T", "EAAfakeEnv\n"), ("EMPTY", ""), ("CREDENTIALS_DIRECTORY", home)]);
        let file = |name: &str, key: Option<&str>, format| SecretSource::File {
            path: folder.path().join(name),
            key: key.map(str::to_owned),
            format,
        };
        let command =
            |script: &str| SecretSource::Command(["sh", "-c", script].map(str::to_owned).to_vec());
        for (source, expected) in [
            (SecretSource::Literal(Secret::new("lit")), "lit".to_owned()),
            (SecretSource::Env("T".to_owned()), "EAAfakeEnv".to_owned()),
            (
                SecretSource::Env("EMPTY".to_owned()),
                "the environment variable `EMPTY` is not set".to_owned(),
            ),
            (file("raw", None, Format::Raw), "EAAfakeRaw".to_owned()),
            (file(".env", Some("T"), Format::Env), "EAAfakeKey".to_owned()),
            (
                file(".env", Some("U"), Format::Env),
                format!("the key `U` of the file `{home}/.env` is not there"),
            ),
            (
                file(".env", Some("T"), Format::Json),
                format!(
                    "the key `T` of the file `{home}/.env` cannot be read: it cannot be read as \
                     json: line 1"
                ),
            ),
            (file("no", None, Format::Raw), format!("the file `{home}/no` is not there")),
            (SecretSource::Credential("raw".to_owned()), "EAAfakeRaw".to_owned()),
            (
                SecretSource::Credential("no".to_owned()),
                "the credential `no` is not there".to_owned(),
            ),
            (command("echo EAAfakeOut"), "EAAfakeOut".to_owned()),
            (command("true"), "the command `sh` is empty".to_owned()),
            (command("echo x; exit 1"), "the command `sh` failed: exit status: 1".to_owned()),
        ] {
            assert_eq!(resolve(&secrets, &source), expected);
        }
        assert_eq!(
            resolve(&self::secrets(&[]), &SecretSource::Credential("c".to_owned())),
            "the credential `c` is not there: `CREDENTIALS_DIRECTORY` is not set; a systemd unit \
             sets it by `LoadCredential=`"
        );
    }

    #[test]
    fn a_secret_is_fetched_once_for_all_threads() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let script = format!("echo x >> {}; echo EAAfake", log.display());
        let source = SecretSource::Command(vec!["sh".to_owned(), "-c".to_owned(), script]);
        let secrets = secrets(&[]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(resolve(&secrets, &source), "EAAfake"));
            }
        });
        assert_eq!(std::fs::read_to_string(log).unwrap(), "x\n");
    }
}

//! Fetches secrets, each when it is first needed and once.
//!
//! A command or a locked keyring is slow, and a run may never need it; two threads that need the
//! same one wait for a single fetch. What cannot be had is an answer like any other: it concerns
//! only the tokens that need it. A file that many secrets are in is read and parsed once.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use zeroize::Zeroizing;

use super::source::SecretSource;
use crate::edit::{Document, EditError, Format};
use crate::environment::Environment;
use crate::process::{self, CAP, Invocation, OutputEnd, ProcessError};
use crate::shell::{quoted, user_name};
use crate::token::Secret;

/// Where systemd puts the credentials of a unit.
pub const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// What lets every user of the machine put another secret in the place of ours.
const WRITABLE_BY_OTHERS: u32 = 0o002;

/// No secret, and no application's config, is larger.
const LARGEST: u64 = 4 * 1024 * 1024;

/// How long a program may take that prints a secret, or that is at the other end of a pipe.
const LIMIT: Duration = Duration::from_secs(10);

/// Why a secret is not there. Names the place, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretError {
    source: String,
    /// Whether the place is simply empty, as opposed to out of reach.
    pub unset: bool,
    why: String,
    /// What puts it right, with `{what}` for what is looked for.
    fix: String,
}

impl SecretError {
    fn unset(source: &SecretSource, why: impl Into<String>) -> Self {
        let fix = match source {
            SecretSource::Env(name) => format!("set the variable `{name}` to {{what}}"),
            SecretSource::File { path, key: None, .. } => {
                format!("write {{what}} into the file `{}` (mode 0600)", path.display())
            }
            SecretSource::File { path, key: Some(key), .. } => {
                format!("set `{key}` in `{}` to {{what}}", path.display())
            }
            SecretSource::Command(_) => format!("have {source} print {{what}}"),
            other => format!("put {{what}} into {other}"),
        };
        Self { source: source.to_string(), unset: true, why: why.into(), fix }
    }

    fn unreadable(source: &SecretSource, why: impl Into<String>) -> Self {
        let fix = match source {
            SecretSource::File { path, key, .. } => opening(path, key.is_some()),
            SecretSource::Command(words) => {
                let program = words.first().map_or("", String::as_str);
                format!("run `{program}` by hand, as the user who runs metatoken, to see why")
            }
            other => format!("let {other} hold {{what}}"),
        };
        Self { source: source.to_string(), unset: false, why: why.into(), fix }
    }

    /// The same with what puts it right.
    fn with_fix(self, fix: impl Into<String>) -> Self {
        Self { fix: fix.into(), ..self }
    }

    /// What puts it right; `what` is looked for.
    pub fn fix(&self, what: &str) -> String {
        self.fix.replace("{what}", what)
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
    fetched: Slots<SecretSource, Answer>,
    files: Slots<(PathBuf, Format), Result<SecretFile, Unread>>,
}

/// Answers by their questions, each found once.
type Slots<Q, A> = Mutex<HashMap<Q, Arc<OnceLock<A>>>>;

/// The place of one answer; the lock is not held while it is found.
fn slot<Q: Eq + std::hash::Hash, A>(slots: &Slots<Q, A>, question: Q) -> Arc<OnceLock<A>> {
    let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(slots.entry(question).or_default())
}

/// A file that secrets are in.
struct SecretFile {
    document: Document,
    mode: u32,
}

/// Why a file could not be read.
enum Unread {
    Missing,
    Folder,
    Closed(String),
    Because(String),
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
        Self { environment, of_programs, fetched: Mutex::default(), files: Mutex::default() }
    }

    /// The secret, fetched now or before; one trailing newline is dropped, and empty is unset.
    pub fn resolve(&self, source: &SecretSource) -> Result<Secret, SecretError> {
        if let SecretSource::Literal(secret) = source {
            return Ok(secret.clone());
        }
        slot(&self.fetched, source.clone()).get_or_init(|| self.fetch(source)).clone()
    }

    /// Where the secret stands, as people find it: the line too, of a value in a file.
    pub fn place(&self, source: &SecretSource) -> String {
        let line = self.line(source);
        line.map_or_else(|| source.to_string(), |line| format!("{source}, line {line}"))
    }

    /// The line on which a secret begins that was fetched, where it is a value in a file.
    pub fn line(&self, source: &SecretSource) -> Option<u32> {
        let SecretSource::File { path, key: Some(key), format } = source else { return None };
        let file = self.file(path, *format);
        let line = file.get()?.as_ref().ok()?.document.line(key).ok()?;
        u32::try_from(line).ok()
    }

    /// Whether the secret can be had, without running a program: of one it is seen that it is there.
    pub fn foresee(&self, source: &SecretSource) -> Result<(), SecretError> {
        match source {
            SecretSource::Command(words) => {
                let name = words.first().map_or("", String::as_str);
                let path = self.of_programs.get("PATH").map(String::as_str);
                let found = process::find(name, path);
                found.map(drop).map_err(|why| {
                    let error = SecretError::unreadable(source, why.to_string());
                    error.with_fix(found_program(words))
                })
            }
            other => self.resolve(other).map(drop),
        }
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
                self.in_file(source, path, *format, key.as_deref())?
            }
            SecretSource::Credential(name) => {
                let folder = self.environment.get(CREDENTIALS).ok_or_else(|| {
                    let why = "is not there: `CREDENTIALS_DIRECTORY` is not set; a systemd unit \
                               sets it by `LoadCredential=`";
                    let fix = format!("run it in a systemd unit with `LoadCredential={name}:…`");
                    SecretError::unset(source, why).with_fix(fix)
                })?;
                self.in_file(source, &Path::new(folder).join(name), Format::Raw, None)?
            }
            SecretSource::Command(words) => {
                printed(words, &self.of_programs).map_err(|failure| {
                    let error = SecretError::unreadable(source, failure.to_string());
                    match failure {
                        NoSecret::NotRun(_) => error.with_fix(found_program(words)),
                        _ => error,
                    }
                })?
            }
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(SecretError::unset(source, "is empty"));
        }
        Ok(Secret::new(text))
    }

    fn file(&self, path: &Path, format: Format) -> Arc<OnceLock<Result<SecretFile, Unread>>> {
        slot(&self.files, (path.to_owned(), format))
    }

    fn in_file(
        &self,
        source: &SecretSource,
        path: &Path,
        format: Format,
        key: Option<&str>,
    ) -> Result<Zeroizing<String>, SecretError> {
        let file = self.file(path, format);
        let file = file.get_or_init(|| read(path, format)).as_ref().map_err(|why| match why {
            Unread::Missing => SecretError::unset(source, "is missing"),
            Unread::Folder => SecretError::unreadable(source, "is a folder, not a file")
                .with_fix(format!("name a file in the config instead of `{}`", path.display())),
            Unread::Closed(why) => {
                SecretError::unreadable(source, format!("cannot be read: {why}"))
            }
            Unread::Because(why) => {
                let fix = format!("put {{what}} alone into `{}`", path.display());
                SecretError::unreadable(source, format!("cannot be read: {why}")).with_fix(fix)
            }
        })?;
        if file.mode & WRITABLE_BY_OTHERS != 0 && !is_credential(source) {
            let why = format!(
                "is refused: every user of this machine can write it (mode {:04o})",
                file.mode & 0o7777,
            );
            let fix = format!("run `chmod o-w {}`", quoted(path));
            return Err(SecretError::unreadable(source, why).with_fix(fix));
        }
        file.document.read(key).map_err(|error| match error {
            EditError::Missing { .. } => SecretError::unset(source, "is missing"),
            other => {
                let fix = match &other {
                    EditError::Encoded { found: found @ ("UTF-16" | "UTF-32") } => {
                        format!("convert the file, for example with `iconv -f {found} -t UTF-8`")
                    }
                    _ if key.is_some() => {
                        format!("correct `{}`, or `key` and `format` in the config", path.display())
                    }
                    _ => format!("put {{what}} alone into `{}`, as plain text", path.display()),
                };
                SecretError::unreadable(source, format!("cannot be read: {other}")).with_fix(fix)
            }
        })
    }
}

/// What lets us read a file: its mode where it is ours, else root. An application keeps what is its.
fn opening(path: &Path, is_an_applications: bool) -> String {
    let (file, us) = (quoted(path), rustix::process::geteuid().as_raw());
    let user = user_name(us);
    match path.metadata() {
        Ok(meta) if meta.uid() == us => format!("run `chmod u+r {file}`"),
        _ if is_an_applications => format!("as root, run `setfacl -m u:{user}:r {file}`"),
        _ => format!("as root, run `chown {user} {file}`"),
    }
}

/// What makes a program be found.
fn found_program(words: &[String]) -> String {
    let program = words.first().map_or("", String::as_str);
    format!("install `{program}`, or name it by its whole path in `command`")
}

/// The service manager answers for the modes of its credentials.
const fn is_credential(source: &SecretSource) -> bool {
    matches!(source, SecretSource::Credential(_))
}

/// The mode of a file, and its content.
type Contents = (u32, Zeroizing<Vec<u8>>);

/// The mode and the content of a file, or as much of it as shows that it is too large.
fn read_whole(path: &Path) -> std::io::Result<Contents> {
    let file = File::open(path)?;
    let mode = file.metadata()?.mode();
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok((mode, bytes))
}

/// The same for a pipe; the wait for its other end has a limit.
fn read_pipe(path: &Path, patience: Duration) -> Result<std::io::Result<Contents>, Unread> {
    let (sender, receiver) = mpsc::channel();
    let pipe = path.to_owned();
    std::thread::spawn(move || sender.send(read_whole(&pipe)));
    receiver.recv_timeout(patience).map_err(|_| {
        Unread::Because(format!("it is a pipe, and nothing was written into it for {patience:?}"))
    })
}

fn read(path: &Path, format: Format) -> Result<SecretFile, Unread> {
    let refused = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Unread::Missing,
        kind @ std::io::ErrorKind::PermissionDenied => Unread::Closed(kind.to_string()),
        kind => Unread::Because(kind.to_string()),
    };
    let about = path.metadata().map_err(refused)?;
    if about.is_dir() {
        return Err(Unread::Folder);
    }
    let (mode, bytes) = if about.file_type().is_fifo() {
        read_pipe(path, LIMIT)?.map_err(refused)?
    } else {
        read_whole(path).map_err(refused)?
    };
    if bytes.len() as u64 > LARGEST {
        return Err(Unread::Because("the file is too large".to_owned()));
    }
    Ok(SecretFile { document: Document::new(format, bytes), mode })
}

/// Why a program gave no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
enum NoSecret {
    NotRun(ProcessError),
    Failed(ExitStatus),
    TooLong,
    NotText,
}

impl fmt::Display for NoSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRun(failure) => failure.fmt(f),
            Self::Failed(status) => write!(f, "failed: {status}"),
            Self::TooLong => write!(f, "printed more than {} KiB", CAP / 1024),
            Self::NotText => f.write_str("printed something that is not UTF-8 text"),
        }
    }
}

/// Runs a program, and gives what it prints on standard output. Only a program that ended well has
/// answered, and only with text; what it says on standard error may hold the secret, and is not
/// looked at.
fn printed(
    words: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<Zeroizing<String>, NoSecret> {
    let call = Invocation {
        argv: words.to_vec(),
        stdin: Zeroizing::default(),
        environment: environment.clone(),
        timeout: LIMIT,
    };
    answer(call)
}

fn answer(call: Invocation) -> Result<Zeroizing<String>, NoSecret> {
    let ended = call.run().map_err(NoSecret::NotRun)?;
    if ended.stdout.end() == OutputEnd::Cap {
        return Err(NoSecret::TooLong);
    }
    if !ended.status.success() {
        return Err(NoSecret::Failed(ended.status));
    }
    let text = std::str::from_utf8(ended.stdout.bytes()).map_err(|_| NoSecret::NotText)?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[test]
    fn what_it_prints_is_the_secret() {
        let environment = BTreeMap::from([("HOME".to_owned(), "/home/fake".to_owned())]);
        for (script, expected) in [
            ("echo EAAFAKE", "EAAFAKE\n"),
            ("cat; echo done", "done\n"),
            ("echo $HOME", "/home/fake\n"),
        ] {
            assert_eq!(printed(&shell(script), &environment).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn a_failure_says_why_and_never_what_was_printed() {
        for (words, expected) in [
            (shell("echo EAAFAKE; echo EAAFAKE >&2; exit 3"), "failed: exit status: 3"),
            (shell("printf '\\377'"), "printed something that is not UTF-8 text"),
            (shell("head -c 70000 /dev/zero"), "printed more than 64 KiB"),
            (shell("head -c 70000 /dev/zero; exit 3"), "printed more than 64 KiB"),
            (vec!["/nowhere/pass".to_owned()], "is not there"),
            (Vec::new(), "names no program"),
        ] {
            assert_eq!(printed(&words, &BTreeMap::new()).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn what_was_printed_before_the_time_was_up_is_no_secret() {
        let call = Invocation {
            argv: shell("echo EAAFAKE; exec sleep 60"),
            stdin: Zeroizing::default(),
            environment: BTreeMap::new(),
            timeout: Duration::from_millis(200),
        };
        assert_eq!(answer(call).unwrap_err().to_string(), "did not end within 200ms");
    }

    #[test]
    fn a_pipe_is_read_and_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        let nobody = read_pipe(&pipe, Duration::from_millis(20));
        let Err(Unread::Because(why)) = nobody else { panic!("nobody writes") };
        assert_eq!(why, "it is a pipe, and nothing was written into it for 20ms");
        let other = folder.path().join("other");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &other, mode).unwrap();
        let end = other.clone();
        let writer = std::thread::spawn(move || {
            let mut pipe = File::options().write(true).open(end).unwrap();
            std::io::Write::write_all(&mut pipe, b"hushhush").unwrap();
        });
        let Ok(Ok((_, bytes))) = read_pipe(&other, LIMIT) else { panic!("it can be read") };
        assert_eq!(bytes.as_slice(), b"hushhush");
        writer.join().unwrap();
    }
}

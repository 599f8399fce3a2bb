//! Lets one command write at a time: the run lock.
//!
//! A kernel lock on a file beside the store, so that a killed holder leaves nothing behind that a
//! person would have to delete. It is never removed, because a lock on a name that is removed
//! is a lock on nothing. The file says who holds it, and remembers what became of the store: one
//! that was used and is gone is a loss, and not a first run.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Seek as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rustix::fs::OFlags;

use super::place;
use crate::error::CliError;
use crate::exit::Exit;
use crate::shell::quoted;
use crate::store::private_files;
use crate::token::Time;

/// How often a waiting command asks again.
const POLL: Duration = Duration::from_millis(50);

/// The command that holds the lock, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// What was typed, such as `metatoken refresh`.
    pub command: String,
    /// When it started.
    pub started_at: Time,
}

impl Holder {
    /// No command line worth reading is longer, in characters.
    const LONGEST_COMMAND: usize = 800;
    /// No lock file of ours is longer, in bytes.
    const LONGEST: u64 = 4096;

    fn to_text(&self) -> String {
        let command = self.command.replace(char::is_control, " ");
        let command: String = command.chars().take(Self::LONGEST_COMMAND).collect();
        format!("pid {}\ncommand {command}\nstarted {}\n", self.pid, self.started_at.to_rfc3339())
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        Some(Self {
            pid: lines.next()?.strip_prefix("pid ")?.parse().ok()?,
            command: lines.next()?.strip_prefix("command ")?.to_owned(),
            started_at: DateTime::parse_from_rfc3339(lines.next()?.strip_prefix("started ")?)
                .ok()?
                .with_timezone(&Utc),
        })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.started_at.format("%Y-%m-%d %H:%M UTC");
        write!(f, "pid {}, `{}`, since {since}", self.pid, self.command)
    }
}

/// What the lock file remembers of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMemory {
    /// Its first run began to make it.
    Begun,
    /// A run had it open to write, last at this time.
    Used(Time),
}

impl LockMemory {
    /// The line behind the holder's three.
    fn to_line(self) -> String {
        match self {
            Self::Begun => "store begun\n".to_owned(),
            Self::Used(at) => format!("store used {}\n", at.to_rfc3339()),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        match text.lines().nth(3)?.strip_prefix("store ")? {
            "begun" => Some(Self::Begun),
            line => {
                let at = DateTime::parse_from_rfc3339(line.strip_prefix("used ")?).ok()?;
                Some(Self::Used(at.with_timezone(&Utc)))
            }
        }
    }
}

/// What a look at a lock file gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recalled {
    /// Nothing: there is none, or it says nothing about the store.
    Nothing,
    /// This.
    Memory(LockMemory),
    /// Some run wrote it, and we may not read what.
    Closed,
}

/// Looks what the lock of the store at `store` remembers, without taking it.
pub fn recall(store: &Path) -> Recalled {
    let path = place::lock_path(store);
    let text = private_files::open_plain(&path, OpenOptions::new().read(true), OFlags::empty())
        .and_then(|file| read_text(&file));
    match text {
        Ok(text) => LockMemory::from_text(&text).map_or(Recalled::Nothing, Recalled::Memory),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let is_written = path.symlink_metadata().is_ok_and(|it| it.is_file() && it.len() > 0);
            if is_written { Recalled::Closed } else { Recalled::Nothing }
        }
        Err(_) => Recalled::Nothing,
    }
}

/// Why the lock was not taken.
#[derive(Debug)]
pub enum LockError {
    /// Another run holds it; which, where it said so.
    Busy(Option<Holder>),
    /// The lock file cannot be made or opened.
    Io(PathBuf, io::Error),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(None) => f.write_str("another run holds the lock"),
            Self::Busy(Some(holder)) => write!(f, "another run holds the lock: {holder}"),
            Self::Io(path, _) => write!(f, "{}: the lock cannot be taken", path.display()),
        }
    }
}

impl std::error::Error for LockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Busy(_) => None,
            Self::Io(_, error) => Some(error),
        }
    }
}

impl From<LockError> for CliError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Busy(_) => Self::new(Exit::Busy, "busy", "", error.to_string())
                .hint("wait for it with `--lock-wait 5m`"),
            LockError::Io(path, source) => {
                let remedy = lock_remedy(&path, &source);
                let subject = path.display().to_string();
                Self::new(Exit::Storage, "lock_unwritable", subject, "the lock cannot be taken")
                    .because(source)
                    .hint(remedy)
            }
        }
    }
}

fn lock_remedy(path: &Path, error: &io::Error) -> String {
    if private_files::is_link(error) {
        let path = quoted(path);
        return format!("a lock is never a link: see who made it, and remove it with `rm {path}`");
    }
    if private_files::is_no_file(path) {
        return place::aside_hint(path);
    }
    match error.kind() {
        kind if private_files::is_full(kind) => {
            "make room on the disk that the store is on".to_owned()
        }
        ErrorKind::PermissionDenied => private_files::closed(&[
            path.to_path_buf(),
            private_files::folder_of(path).to_path_buf(),
        ])
        .unwrap_or_else(|| "run metatoken as the user who owns the store".to_owned()),
        _ => private_files::read_only_mount(path)
            .unwrap_or_else(|| "name another place with `path` in `[store]`".to_owned()),
    }
}

/// The right to write, for as long as the value lives.
#[derive(Debug)]
pub struct RunLock {
    /// Closed on exec, so that no child keeps the lock, and unlocked when dropped.
    file: File,
    path: PathBuf,
    holder: Holder,
}

impl RunLock {
    /// Takes the lock of the store at `store`, waiting up to `wait` for another run to end.
    pub fn take(store: &Path, holder: &Holder, wait: Duration) -> Result<Self, LockError> {
        let path = place::lock_path(store);
        let failed = |error| LockError::Io(path.clone(), error);
        let file = open(&path).map_err(failed)?;
        let asked_at = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) => {
                    let left = wait.saturating_sub(asked_at.elapsed());
                    if left.is_zero() {
                        return Err(LockError::Busy(read_holder(&file)));
                    }
                    std::thread::sleep(left.min(POLL));
                }
            }
        }
        let memory = LockMemory::from_text(&read_text(&file).map_err(failed)?);
        match write(&file, holder, memory) {
            // Where there is no room to say who holds it, the lock is held all the same.
            Err(error) if private_files::is_full(error.kind()) => {}
            written => written.map_err(failed)?,
        }
        Ok(Self { file, path, holder: holder.clone() })
    }

    /// Remembers that the store's first run begins to make it.
    pub(super) fn begin_store(&self) -> Result<(), LockError> {
        self.remember(LockMemory::Begun)
    }

    /// Remembers that the store is whole, and in use by this run.
    pub(super) fn use_store(&self) -> Result<(), LockError> {
        self.remember(LockMemory::Used(self.holder.started_at))
    }

    /// Brings it to the disk when it says something new, and not only another time.
    fn remember(&self, memory: LockMemory) -> Result<(), LockError> {
        let failed = |error| LockError::Io(self.path.clone(), error);
        let known = match LockMemory::from_text(&read_text(&self.file).map_err(failed)?) {
            Some(LockMemory::Used(_)) => matches!(memory, LockMemory::Used(_)),
            known => known == Some(memory),
        };
        match write(&self.file, &self.holder, Some(memory)) {
            Err(error) if known && private_files::is_full(error.kind()) => {}
            written => written.map_err(failed)?,
        }
        if known {
            return Ok(());
        }
        self.file.sync_all().and_then(|()| private_files::sync_folder(&self.path)).map_err(failed)
    }
}

fn open(path: &Path) -> io::Result<File> {
    private_files::make_folder(private_files::folder_of(path))?;
    match private_files::make_file(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => private_files::open_plain(
            path,
            OpenOptions::new().read(true).write(true),
            OFlags::empty(),
        ),
        made => made,
    }
}

/// Writes over what is there, at once, and only then cuts off what was longer: a kill in between
/// and a full disk leave what the file remembers of the store.
fn write(file: &File, holder: &Holder, memory: Option<LockMemory>) -> io::Result<()> {
    let text = holder.to_text() + &memory.map(LockMemory::to_line).unwrap_or_default();
    file.write_all_at(text.as_bytes(), 0)?;
    file.set_len(text.len() as u64)
}

fn read_text(mut file: &File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(Holder::LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_holder(file: &File) -> Option<Holder> {
    Holder::from_text(&read_text(file).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder() -> Holder {
        Holder {
            pid: 4242,
            command: "metatoken refresh".into(),
            started_at: DateTime::from_timestamp(1_767_225_600, 0).unwrap(),
        }
    }

    #[test]
    fn one_holds_it_and_the_other_learns_who() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("new/metatoken.db");
        let lock = RunLock::take(&store, &holder(), Duration::ZERO).unwrap();
        let busy = RunLock::take(&store, &holder(), Duration::ZERO).unwrap_err();
        assert_eq!(
            CliError::from(busy).render(),
            "error: another run holds the lock: pid 4242, `metatoken refresh`, since 2026-01-01 00:00 UTC\n\
             hint: wait for it with `--lock-wait 5m`"
        );
        drop(lock);
        assert!(RunLock::take(&store, &holder(), Duration::ZERO).is_ok());
        assert!(place::beside(&store, ".lock").exists());
    }

    #[test]
    fn who_waits_gets_it_when_it_is_let_go() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("metatoken.db");
        let lock = RunLock::take(&store, &holder(), Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            let waiting =
                scope.spawn(|| RunLock::take(&store, &holder(), Duration::from_secs(30)).is_ok());
            drop(lock);
            assert!(waiting.join().unwrap());
        });
    }

    #[test]
    fn the_lock_remembers_the_store_whoever_takes_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("metatoken.db");
        assert_eq!(recall(&store), Recalled::Nothing);
        let lock = RunLock::take(&store, &holder(), Duration::ZERO).unwrap();
        assert_eq!(recall(&store), Recalled::Nothing);
        lock.begin_store().unwrap();
        assert_eq!(recall(&store), Recalled::Memory(LockMemory::Begun));
        lock.use_store().unwrap();
        let used = Recalled::Memory(LockMemory::Used(holder().started_at));
        assert_eq!(recall(&store), used);
        drop(lock);
        let long = Holder { command: "x".repeat(9000), pid: 7, ..holder() };
        for holder in [long, holder()] {
            let lock = RunLock::take(&store, &holder, Duration::ZERO).unwrap();
            assert_eq!(recall(&store), used);
            let busy = RunLock::take(&store, &holder, Duration::ZERO).unwrap_err();
            let LockError::Busy(Some(told)) = busy else { panic!("{busy:?}") };
            assert_eq!(told.pid, holder.pid);
            drop(lock);
        }
    }

    #[test]
    fn a_lock_file_of_an_earlier_version_is_read() {
        let text = holder().to_text();
        assert_eq!(Holder::from_text(&text), Some(holder()));
        assert_eq!(LockMemory::from_text(&text), None);
        for line in ["store", "store used", "store used never", "shop begun"] {
            assert_eq!(LockMemory::from_text(&format!("{text}{line}\n")), None, "{line}");
        }
    }

    #[test]
    fn a_link_is_no_lock() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("metatoken.db");
        let target = dir.path().join("target");
        File::create(&target).unwrap();
        let link = place::lock_path(&store);
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let error = RunLock::take(&store, &holder(), Duration::ZERO).unwrap_err();
        let complaint = CliError::from(error);
        assert_eq!((complaint.exit, complaint.code), (Exit::Storage, "lock_unwritable"));
        assert!(complaint.hints[0].contains(&format!("rm {}", link.display())), "{complaint:?}");
        assert_eq!(target.metadata().unwrap().len(), 0);
    }

    #[test]
    fn a_lock_file_that_says_nothing_is_still_a_lock() {
        for text in ["", "pid x", "pid 1\ncommand a\nstarted never\n"] {
            assert_eq!(Holder::from_text(text), None, "{text:?}");
        }
        let odd = Holder { command: "metatoken\nrefresh".into(), ..holder() };
        assert_eq!(Holder::from_text(&odd.to_text()).unwrap().command, "metatoken refresh");
    }
}

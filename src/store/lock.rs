//! The run lock: one command at a time may write.
//!
//! A kernel lock on a file beside the store, so that a killed holder leaves nothing behind that a
//! person would have to delete. The file only says who holds it; it is never removed, because a
//! lock on a name that somebody removes is a lock on nothing.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::place;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::token::Time;

/// How often a waiting command asks again.
const POLL: Duration = Duration::from_millis(50);

/// Who holds the lock, in its own words.
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
    /// No command line worth reading is longer.
    const LONGEST: u64 = 4096;

    fn to_text(&self) -> String {
        let command = self.command.replace(char::is_control, " ");
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

/// Why the lock was not taken.
#[derive(Debug)]
pub enum LockError {
    /// Another run holds it; who, where it said so.
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

impl From<LockError> for Complaint {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Busy(_) => Self::new(Exit::Busy, "busy", "", error.to_string())
                .hint("wait for it with `--lock-wait 5m`"),
            LockError::Io(path, source) => Self::new(
                Exit::Storage,
                "lock_unwritable",
                path.display().to_string(),
                "the lock cannot be taken",
            )
            .because(source)
            .hint("run metatoken as the user who owns the store"),
        }
    }
}

/// The right to write, for as long as the value lives.
#[derive(Debug)]
pub struct RunLock {
    /// Closed on exec, so that no child keeps the lock, and unlocked when dropped.
    _file: File,
}

impl RunLock {
    /// Takes the lock of the store at `store`, waiting up to `wait` for another run to end.
    pub fn take(store: &Path, holder: &Holder, wait: Duration) -> Result<Self, LockError> {
        let path = place::beside(store, ".lock");
        let failed = |error| LockError::Io(path.clone(), error);
        let mut file = open(&path).map_err(failed)?;
        let asked_at = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) => {
                    let left = wait.saturating_sub(asked_at.elapsed());
                    if left.is_zero() {
                        return Err(LockError::Busy(read_holder(&mut file)));
                    }
                    std::thread::sleep(left.min(POLL));
                }
            }
        }
        write_holder(&mut file, holder).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        place::make_folder(folder)?;
    }
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn write_holder(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(holder.to_text().as_bytes())
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(Holder::LONGEST).read_to_string(&mut text).ok()?;
    Holder::from_text(&text)
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
            Complaint::from(busy).render(),
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
    fn a_lock_file_that_says_nothing_is_still_a_lock() {
        for text in ["", "pid x", "pid 1\ncommand a\nstarted never\n"] {
            assert_eq!(Holder::from_text(text), None, "{text:?}");
        }
        let odd = Holder { command: "metatoken\nrefresh".into(), ..holder() };
        assert_eq!(Holder::from_text(&odd.to_text()).unwrap().command, "metatoken refresh");
    }
}

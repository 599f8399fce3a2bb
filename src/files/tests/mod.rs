//! What a file keeps and what it may lose, tried on real files.
//!
//! Another user, another view of the mounts and a kill each need another process, so this binary
//! starts itself again, in a folder with a note of what it is to do.

mod changes;
mod content;
// A release build has no fail points.
#[cfg(debug_assertions)]
mod kills;
mod links;
mod mounts;
mod other_user;
mod rights;

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::fs::Mode;
use rustix::io::Errno;

use super::path::FolderEntry;
use super::temp::Temp;
use super::*;

const OLD: &[u8] = b"; kept\r\ntoken = EAAFAKEOld\r\n";
const NEW: &[u8] = b"; kept\r\ntoken = EAAFAKENewAndLonger\r\n";
const SHORT: &[u8] = b"token";
/// Larger than what some tests leave room for.
const SWOLLEN: &[u8] = &[b'x'; 1 << 20];

/// `nobody`, everywhere.
const NOBODY: u32 = 65534;
/// Users whom no machine has.
const APPLICATION: u32 = 61_001;
const STRANGER: u32 = 61_002;

/// A folder with an application's file in it, which everybody may enter.
struct Desk {
    root: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        let desk = Self { root };
        fs::create_dir(desk.folder()).unwrap();
        desk.put("app.ini", OLD);
        desk
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("app")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("app.ini")
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        put(&self.path(name), bytes);
    }

    fn link(&self, target: impl AsRef<Path>, name: &str) -> PathBuf {
        std::os::unix::fs::symlink(target, self.path(name)).unwrap();
        self.path(name)
    }

    /// What is in the folder, sorted.
    fn names(&self) -> Vec<OsString> {
        let entries = fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    /// The file has these bytes and is alone.
    #[track_caller]
    fn holds(&self, bytes: &[u8]) {
        assert_eq!(
            fs::read(self.file()).unwrap().escape_ascii().to_string(),
            bytes.escape_ascii().to_string()
        );
        assert_eq!(self.names(), ["app.ini"], "nothing is left beside it");
    }

    /// This binary once more, to do that with the file at `path`.
    fn again(&self, verb: &str, path: &Path, armed: &str) -> Child {
        let room = self.root.path().join("child");
        if !room.exists() {
            fs::create_dir(&room).unwrap();
            let (from, to) = (std::env::current_exe().unwrap(), room.join("child"));
            // The build's folder may be closed to others. Where a link cannot be, a process of
            // its own copies it: a file that this one has open to write cannot be started.
            if fs::hard_link(&from, &to).is_err() {
                assert!(Command::new("cp").arg(from).arg(to).status().unwrap().success());
            }
        }
        put(&room.join("told"), format!("{verb}\n{armed}\n{}", path.display()).as_bytes());
        Child { room }
    }
}

fn put(path: &Path, bytes: &[u8]) {
    let mut file = File::create(path).unwrap();
    file.write_all(bytes).unwrap();
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    Opened::open(path)?.expect("there is such a file").replace(bytes)
}

fn overwrite(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    Opened::open(path)?.expect("there is such a file").overwrite(bytes)
}

fn chown(path: &Path, owner: u32, group: u32) {
    std::os::unix::fs::lchown(path, Some(owner), Some(group)).unwrap();
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn is_root(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skipped(&format!("only root can {what}"));
    }
    root
}

fn skipped(reason: &str) {
    // The harness shows a line of a passing test only when asked to; that is enough here.
    let _ = writeln!(std::io::stdout(), "skipped: {reason}");
}

struct Child {
    room: PathBuf,
}

impl Child {
    /// What starts it, behind the words of another program if there are any.
    fn behind(&self, words: &[&str]) -> Command {
        let child = self.room.join("child");
        let mut command = match words.split_first() {
            None => Command::new(&child),
            Some((program, rest)) => {
                let mut command = Command::new(program);
                command.args(rest).arg(&child);
                command
            }
        };
        command
            .args(["--ignored", "--exact", "files::tests::does_as_it_is_told"])
            .current_dir(&self.room)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// What a child said, between its marks.
#[track_caller]
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text.split_once("<<").and_then(|(_, rest)| rest.split_once(">>"));
    said.unwrap_or_else(|| panic!("the child said nothing: {output:?}")).0.to_owned()
}

#[test]
#[ignore = "started by the tests of this folder, as another process"]
fn does_as_it_is_told() {
    let binary = std::env::current_exe().unwrap();
    if binary.parent() != std::env::current_dir().ok().as_deref() {
        return;
    }
    let told = fs::read_to_string("told").unwrap();
    let mut told = told.splitn(3, '\n');
    let mut next = || told.next().unwrap();
    let (verb, armed, path) = (next(), next(), Path::new(next()));
    #[cfg(debug_assertions)]
    crate::failpoint::arm(armed);
    #[cfg(not(debug_assertions))]
    assert_eq!(armed, "");
    let modified = || fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let before = modified();
    let result = match verb {
        "replace" => replace(path, NEW),
        "overwrite" => overwrite(path, NEW),
        "shorten" => overwrite(path, SHORT),
        "swell" => replace(path, SWOLLEN),
        "swell in place" => overwrite(path, SWOLLEN),
        "create" => create(path, NEW, PRIVATE),
        verb => panic!("nobody knows how to {verb}"),
    };
    let written = modified();
    let holds = match fs::read(path).ok().as_deref() {
        Some(OLD) if written == before => "old",
        Some(OLD) => "old again",
        Some(NEW) => "new",
        Some(_) => "torn",
        None => "hidden",
    };
    let result = result.map_or_else(|error| format!("{error:?}"), |()| "done".to_owned());
    // Through a panic, because what a passing test prints is not shown.
    panic!("<<{holds}: {result}>>");
}

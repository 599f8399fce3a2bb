//! Opening the store: whatever a kill, a disk or a person left there.

mod backup;
// A release build has no fail points.
#[cfg(debug_assertions)]
mod first_run;
mod logs;
mod lost;
mod owners;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::{Ran, World};

/// No command may need longer to open a store; the machine may be busy. What this guards against
/// took ten seconds.
const AT_ONCE: Duration = Duration::from_secs(9);

/// Runs something that must not wait for anything.
#[track_caller]
fn at_once<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    assert!(began.elapsed() < AT_ONCE, "{what} took {:?}", began.elapsed());
    done
}

/// The command of the hint that begins so, as a person would type it.
#[track_caller]
fn remedy(world: &World, ran: &Ran, beginning: &str) -> String {
    let hint = ran.stderr.lines().find(|line| line.starts_with(&format!("hint: {beginning}")));
    let hint = hint.unwrap_or_else(|| panic!("no hint `{beginning}` in {}", ran.stderr));
    // What stands between two backticks, and is more than a name.
    let quoted = hint.split('`').skip(1).step_by(2).filter(|part| part.contains(' '));
    let command = quoted.last();
    let folder = world.path("");
    command.unwrap().replace("[DIR]", folder.to_str().unwrap().trim_end_matches('/'))
}

/// Types a command into a shell.
#[track_caller]
fn type_in(command: &str) {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
}

/// The names of all files of the world that begin or end so.
fn names(world: &World, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let entries = fs::read_dir(world.path(".")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| is_meant(name))
        .collect();
    names.sort();
    names
}

/// What nobody may find: a file that is only half made.
#[track_caller]
fn nothing_is_left_over(world: &World) {
    let left = names(world, |name| {
        ["metatoken-tmp", "-journal", ".new"].iter().any(|ending| name.ends_with(ending))
    });
    assert_eq!(left, Vec::<String>::new());
}

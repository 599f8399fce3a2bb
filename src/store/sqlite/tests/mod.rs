//! What the `SQLite` engine alone promises: of its files, and whatever becomes of them.

// A release build has no fail points.
#[cfg(debug_assertions)]
mod crash;
mod damage;
mod files;
mod keys;
mod other_user;
mod room;
mod schema;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::{migrations, place};
use crate::crypto::Key;
use crate::store::tests::{Shelf, day, enrolment, key, label, lock, proof, string};
use crate::store::*;
use crate::token::{Arrival, EventKind, Expiry, Origin, Trigger};

/// This binary once more, in this folder, to run one of its ignored tests.
fn again(test: &str, folder: &Path) -> Command {
    // The build's folder may be closed to others.
    let binary = folder.join("reader");
    if !binary.exists() {
        std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    }
    let mut command = Command::new(binary);
    command
        .args(["--ignored", "--exact", &format!("store::sqlite::tests::{test}")])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Whether such a test was started by [`again`], and not by somebody who runs all that is ignored.
fn is_child() -> bool {
    std::env::current_exe()
        .is_ok_and(|binary| binary.parent() == std::env::current_dir().ok().as_deref())
}

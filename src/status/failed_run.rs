//! Marks, beside the store, that a scheduled run could not do its work.
//!
//! Such a run writes nothing into the store: it could not open it, or failed before. The mark is a
//! small file with the readers of the store. It needs no key, and the next run that does its work
//! removes it. `check` and `status` report it.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::CliError;
use crate::exit::Exit;
use crate::files::{self, Readers};
use crate::policy::{Reason, judge_failed_run};
use crate::session::Session;
use crate::store::mark_path;
use crate::token::{Time, redact};

/// A longer file is not a mark.
const LONGEST: u64 = 16 * 1024;

/// What is known of a run when it fails; the later, the more.
#[derive(Debug, Default)]
pub struct Attempted {
    /// The path of the config.
    pub config: Option<PathBuf>,
    /// The store that it names, or, of a config that cannot be read, the default one.
    pub store: Option<PathBuf>,
    /// The default path of the store: the mark is written there if it cannot be written beside the
    /// store.
    pub default_store: Option<PathBuf>,
}

impl Attempted {
    /// Writes a mark that this run failed, unless it was only busy. If that is impossible nothing is
    /// reported: the error itself is printed all the same.
    pub fn note(&self, complaint: &CliError, now: Time) {
        let failed =
            matches!(complaint.exit, Exit::Usage | Exit::Bug | Exit::Storage | Exit::Config);
        let (Some(config), Some(store)) = (&self.config, &self.store) else { return };
        if !failed {
            return;
        }
        let mark = json!({
            "config": config.to_string_lossy(),
            "at": now.to_rfc3339(),
            "exit_code": complaint.exit.code(),
            "error": redact::sentence(&error(complaint), &[]),
            "hints": complaint.hints.iter().map(|it| redact::sentence(it, &[])).collect::<Vec<_>>(),
        });
        let readers = fs::metadata(store).map_or(Readers::Group, Readers::Of);
        for store in [Some(store), self.default_store.as_ref()].into_iter().flatten() {
            if !store.parent().is_some_and(Path::is_dir) {
                continue;
            }
            match files::publish(&mark_path(store), format!("{mark}\n").as_bytes(), &readers) {
                Ok(()) => return,
                Err(error) => tracing::debug!("the failed run is not marked: {error}"),
            }
        }
    }
}

fn error(complaint: &CliError) -> String {
    let subject = Some(complaint.subject.as_str()).filter(|subject| !subject.is_empty());
    let message = complaint.message.lines().find(|line| !line.trim().is_empty());
    let cause = complaint.causes.first().and_then(|cause| cause.lines().next());
    subject.into_iter().chain(message).chain(cause).collect::<Vec<_>>().join(": ")
}

/// Removes the marks, after a run that has done its work.
pub fn forget_failed_runs(session: &Session) {
    for store in stores(session) {
        match fs::remove_file(mark_path(&store)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let mark = mark_path(&store);
                session.ui.note(&format!("`{}` cannot be removed: {error}", mark.display()));
            }
            _ => {}
        }
    }
}

/// A reason if the last scheduled run of this config could not do its work.
pub fn failed_run(session: &Session, now: Time) -> Option<Reason> {
    let config = session.config.path.to_string_lossy();
    let marks = stores(session).filter_map(|store| read(&mark_path(&store)));
    let ours = marks.filter(|mark| mark["config"] == *config);
    let last = ours.max_by(|one, other| one["at"].as_str().cmp(&other["at"].as_str()))?;
    let at = last["at"].as_str()?.parse().ok()?;
    let code = last["exit_code"].as_u64()?;
    let hints: Vec<&str> = last["hints"].as_array()?.iter().filter_map(Value::as_str).collect();
    Some(judge_failed_run(at, code, last["error"].as_str()?, &hints, now))
}

/// Where a mark may be: beside the store, and beside the default store, which is all that is known
/// while the config cannot be read.
fn stores(session: &Session) -> impl Iterator<Item = PathBuf> {
    let own = session.config.store.path.clone();
    let default = crate::config::default_store(&session.config.path, &session.environment);
    let other = Some(default).filter(|default| *default != own);
    std::iter::once(own).chain(other)
}

/// Reads a mark; none where this user may not read it, or where it is something else.
fn read(mark: &Path) -> Option<Value> {
    // Opening a pipe would wait for ever.
    fs::metadata(mark).ok().filter(fs::Metadata::is_file)?;
    let mut text = String::new();
    File::open(mark).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

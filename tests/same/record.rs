//! What was seen of one binary in one world, without what differs from run to run by design.
//!
//! What is replaced, and why:
//!
//! - a fingerprint (a word of 12 hex digits): its key is made at random with each store. Each gets
//!   the number of its first appearance in the world, so two that were equal stay equal;
//! - the number of a notification channel (a word of 16 hex digits, random with each store);
//! - `duration_ms` in logs, the random wait before a call is made again (`after N ms`),
//!   `pid N` in the lock file and in messages about it;
//! - the port of a Graph that the binary starts itself (`--sandbox`); the recorder's ports are the
//!   same for both binaries;
//! - the order of requests to different notification channels, which are served at the same time;
//! - pid and start time of a hook that a killed run left, in its row;
//! - nonces and keys: sealed values are shown opened, the wrapped data key by its length, and so are
//!   files that a killed first run left unfinished;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

/// How many differences of one world are shown, and how many lines of each.
const SHOWN: usize = 3;
const LINES: usize = 60;

/// What was compared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) invocations: usize,
    pub(crate) requests: usize,
    pub(crate) files: usize,
    pub(crate) rows: usize,
    pub(crate) opened: usize,
    pub(crate) reached: BTreeSet<String>,
}

impl Counts {
    /// Adds what another world counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.invocations += other.invocations;
        self.requests += other.requests;
        self.files += other.files;
        self.rows += other.rows;
        self.opened += other.opened;
        self.reached.extend(other.reached.iter().cloned());
    }

    /// The counts as the last line has them, with the fail points at which nothing was killed.
    pub(crate) fn shown(&self, fail_points: &BTreeSet<String>) -> String {
        let Self { invocations, requests, files, rows, opened, reached } = self;
        let missed: Vec<_> = fail_points.difference(reached).map(String::as_str).collect();
        // Where a part was played, or release builds, most are missed, and nobody wonders which.
        let named = if missed.is_empty() || missed.len() * 2 > fail_points.len() {
            String::new()
        } else {
            format!(" (not {})", missed.join(", "))
        };
        format!(
            "{invocations} invocations, {requests} requests, {files} files, {rows} rows, {opened} \
             sealed values, {} of {} fail points{named}",
            reached.len(),
            fail_points.len()
        )
    }
}

/// One thing that was looked at.
struct Observation {
    title: String,
    text: String,
}

/// Everything that was seen in one world, in order.
#[derive(Default)]
pub(crate) struct Record {
    observations: Vec<Observation>,
    plain: Plain,
    pub(crate) counts: Counts,
}

impl Record {
    /// Notes what was seen.
    pub(crate) fn note(&mut self, title: &str, text: &str) {
        let text = self.plain.of(text);
        self.observations.push(Observation { title: title.to_owned(), text });
    }

    /// Writes all of it into a file.
    pub(crate) fn keep(&self, path: &Path) -> std::io::Result<()> {
        let mut file = File::create(path)?;
        for Observation { title, text } in &self.observations {
            writeln!(file, "== {title}\n{text}")?;
        }
        Ok(())
    }

    /// What was counted.
    pub(crate) fn counts(&self) -> Counts {
        self.counts.clone()
    }
}

/// Replaces what differs from run to run.
#[derive(Default)]
struct Plain {
    seen: Vec<String>,
}

impl Plain {
    fn of(&mut self, text: &str) -> String {
        let text = number_behind(text, "duration_ms=");
        let text = number_behind(&text, "\"duration_ms\":");
        let text = number_behind(&text, "\"pause_ms\":");
        let text = number_behind(&text, "pid ");
        let text = number_before(&text, " ms");
        self.words(&text)
    }

    fn words(&mut self, text: &str) -> String {
        let mut plain = String::with_capacity(text.len());
        for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let is_hex = bare.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
            let is_number = bare.chars().all(|c| c.is_ascii_digit());
            if !is_hex || !matches!(bare.len(), 12 | 16) || (is_number && bare.len() == 16) {
                plain.push_str(word);
                continue;
            }
            let place = self.seen.iter().position(|each| each == bare).unwrap_or_else(|| {
                self.seen.push(bare.to_owned());
                self.seen.len() - 1
            });
            // As wide as it was, so that tables stay as they are.
            let width = bare.len() - 1;
            let _ = write!(plain, "#{place:0width$}{}", &word[bare.len()..]);
        }
        plain
    }
}

/// The text with `_` for each number that stands behind the marker.
fn number_behind(text: &str, marker: &str) -> String {
    let mut parts = text.split(marker);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        plain.push_str(marker);
        plain.push_str(if rest.len() == part.len() { "" } else { "_" });
        plain.push_str(rest);
    }
    plain
}

/// The text with `_` for each number that stands before the marker.
fn number_before(text: &str, marker: &str) -> String {
    let mut parts: Vec<String> = text.split(marker).map(str::to_owned).collect();
    let last = parts.len() - 1;
    for part in &mut parts[..last] {
        let rest = part.trim_end_matches(|c: char| c.is_ascii_digit());
        if rest.len() < part.len() {
            *part = format!("{rest}_");
        }
    }
    parts.join(marker)
}

/// How the records differ, as people read it; empty when they do not.
pub(crate) fn difference(
    world: &str,
    old: &Record,
    new: &Record,
    root: &Path,
) -> anyhow::Result<String> {
    let (before, after) = (&old.observations, &new.observations);
    let mut shown = String::new();
    let mut count = 0;
    for (one, other) in before.iter().zip(after) {
        if one.title == other.title && one.text == other.text {
            continue;
        }
        count += 1;
        if count <= SHOWN {
            let _ = writeln!(shown, "\n== {world}: {}", one.title);
            if one.title != other.title {
                let _ = writeln!(shown, "   but the new one: {}", other.title);
            }
            shown.push_str(&unified(&one.text, &other.text, root)?);
        }
    }
    count += before.len().abs_diff(after.len());
    if count > SHOWN {
        let _ = writeln!(shown, "\n{world}: {count} of {} observations differ", before.len());
    } else if count > 0 && shown.is_empty() {
        let _ = writeln!(shown, "\n{world}: {} observations, then {}", before.len(), after.len());
    }
    Ok(shown)
}

fn unified(old: &str, new: &str, root: &Path) -> anyhow::Result<String> {
    let folder = tempfile::tempdir_in(root)?;
    let write = |name: &str, text: &str| -> anyhow::Result<_> {
        let path = folder.path().join(name);
        File::create(&path)?.write_all(text.as_bytes())?;
        Ok(path)
    };
    let mut command = Command::new("diff");
    command.args(["-u", "--label", "OLD", "--label", "NEW"]);
    command.arg(write("old", old)?).arg(write("new", new)?);
    let output = command.output().context("`diff` cannot be started")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines: Vec<&str> = text.lines().take(LINES).collect();
    let left = text.lines().count() - lines.len();
    let more = format!("({left} more lines)");
    if left > 0 {
        lines.push(&more);
    }
    Ok(lines.join("\n") + "\n")
}

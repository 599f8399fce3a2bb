//! What a delivery would do, without doing it.
//!
//! The file is edited in memory and the line that would change is shown, with the values taken
//! out; that the file could be written and that the program is there is tried as well as that can
//! be without leaving anything behind, and also where nothing is to be changed today.

use super::write::{Plan, plan};
use super::{Consent, Fault, FileTarget, Place, Target, Writing, Written};
use crate::edit::Missing;
use crate::file::{self, FileError, Opened};
use crate::process;
use crate::token::{AccessToken, Secret, redact};

/// What a delivery would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rehearsal {
    /// Nothing: the string is there.
    Already,
    /// It would change this line of the file.
    Change {
        /// How it is; empty where there is none yet.
        before: String,
        /// How it would be.
        after: String,
    },
    /// It would make the file.
    Create,
    /// It would finish the file, which a run that was stopped left half-written.
    Finish,
    /// The file went its own way, and would be left alone.
    Foreign,
    /// It would run the program.
    Run,
}

impl Rehearsal {
    /// What a file would be left as.
    pub fn as_written(self) -> Written {
        match self {
            Self::Already => Written::Already,
            Self::Foreign => Written::Foreign,
            Self::Change { .. } | Self::Create | Self::Finish | Self::Run => Written::Replaced,
        }
    }
}

/// A plainly fake string, for a rehearsal before there is a real one.
pub fn stand_in() -> AccessToken {
    AccessToken::parse("EAAFAKEREHEARSAL").expect("a constant that is well formed")
}

/// Tries a delivery without doing it; `may_go` says of what a file holds whether another may take
/// its place, and `path` is the `PATH` that a program would be searched in.
pub fn rehearse(
    target: &Target,
    string: &AccessToken,
    may_go: &dyn Fn(Option<&Secret>) -> Consent,
    path: Option<&str>,
) -> Result<Rehearsal, Fault> {
    match &target.place {
        Place::File(file) => of_file(file, string, may_go),
        Place::Command(argv) => {
            let name = argv.first().map_or("", String::as_str);
            process::find(name, path).map_err(|failure| {
                Fault::new(format!("`{name}` {failure}")).hint("mend `command` in the config")
            })?;
            Ok(Rehearsal::Run)
        }
    }
}

fn of_file(
    target: &FileTarget,
    string: &AccessToken,
    may_go: &dyn Fn(Option<&Secret>) -> Consent,
) -> Result<Rehearsal, Fault> {
    let Some(opened) = Opened::open(&target.path)? else {
        return of_new_file(target, may_go);
    };
    let plan = plan(target, opened.bytes(), string, may_go)?;
    if let Plan::Leave(Written::Foreign) = plan {
        return Ok(Rehearsal::Foreign);
    }
    match target.writing {
        Writing::Atomic => match opened.foresee_replace() {
            Err(FileError::ManyNames(..)) => opened.foresee_overwrite()?,
            foreseen => foreseen?,
        },
        Writing::InPlace => opened.foresee_overwrite()?,
    }
    let Plan::Change(after) = plan else { return Ok(Rehearsal::Already) };
    let [before, after] = [opened.bytes(), &after].map(|bytes| line(target, bytes));
    Ok(Rehearsal::Change { before, after })
}

fn of_new_file(
    target: &FileTarget,
    may_go: &dyn Fn(Option<&Secret>) -> Consent,
) -> Result<Rehearsal, Fault> {
    if may_go(None) == Consent::Refused {
        return Ok(Rehearsal::Foreign);
    }
    if target.missing == Missing::Refuse {
        return Err(Fault::no_file(&target.path));
    }
    file::foresee_create(&target.path)?;
    Ok(Rehearsal::Create)
}

/// The line that the value stands on, without the value, and without what else stands there:
/// a file may be a single line, with a password in it. Empty where there is no value yet.
fn line(target: &FileTarget, bytes: &[u8]) -> String {
    let Ok(located) = target.address().locate(bytes) else {
        return String::new();
    };
    let (before, after) = (&bytes[..located.span.start], &bytes[located.span.end..]);
    let before = before.rsplit(|byte| b"\n{[,".contains(byte)).next().unwrap_or_default();
    let after = after.split(|byte| b"\r\n}],".contains(byte)).next().unwrap_or_default();
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let indent = before.len() - before.trim_start().len();
    let value = Secret::new(located.value.as_str());
    let words = redact::sentence(&format!("{before}{}{after}", redact::HIDDEN), &[value]);
    format!("{}{words}", &before[..indent])
}

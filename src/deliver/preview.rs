//! Says what a delivery would do, without doing it.
//!
//! The file is edited in memory and the line that would change is shown, with the values taken
//! out; that the file could be written and that the program is there is tried as well as that can
//! be without leaving anything behind, and also where nothing is to be changed today.

use super::error::DeliveryError;
use super::file::{Consent, PlannedWrite, Written, plan, sample_token};
use crate::config::{FileTarget, Place, Target, Writing};
use crate::edit::Missing;
use crate::files::{self, FileError, Opened};
use crate::process;
use crate::token::{AccessToken, Secret, TargetId, redact};

/// What a delivery would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// Nothing: the access token is there.
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
    /// It would finish the file, which an interrupted run left half-written.
    Finish,
    /// The file holds an unknown value, and would be left untouched.
    Foreign,
    /// It would run the program.
    Run,
}

impl Preview {
    /// What a file would be left as.
    pub(super) fn into_written(self) -> Written {
        match self {
            Self::Already => Written::Already,
            Self::Foreign => Written::Foreign,
            Self::Change { .. } | Self::Create | Self::Finish | Self::Run => Written::Replaced,
        }
    }
}

/// Tries a first delivery of a plainly fake access token without doing it, by files and programs alone.
pub fn foresee(target: &Target, path: Option<&str>) -> Result<(), DeliveryError> {
    preview(target, &sample_token(), &|_| Consent::First, path).map(drop)
}

/// Tries a delivery without doing it; `may_replace` says of what a file holds whether another may
/// take its place, and `path` is the `PATH` that a program would be searched in.
pub fn preview(
    target: &Target,
    access_token: &AccessToken,
    may_replace: &dyn Fn(Option<&Secret>) -> Consent,
    path: Option<&str>,
) -> Result<Preview, DeliveryError> {
    match &target.place {
        Place::File(file) => of_file(file, access_token, may_replace),
        Place::Command(argv) => {
            let name = argv.first().map_or("", String::as_str);
            process::find(name, path).map_err(|failure| {
                DeliveryError::new(format!("`{name}` {failure}"))
                    .hint("correct `command` in the config")
            })?;
            Ok(Preview::Run)
        }
    }
}

fn of_file(
    target: &FileTarget,
    access_token: &AccessToken,
    may_replace: &dyn Fn(Option<&Secret>) -> Consent,
) -> Result<Preview, DeliveryError> {
    let Some(opened) = Opened::open(&target.path)? else {
        return of_new_file(target, may_replace);
    };
    let plan = plan(target, opened.bytes(), access_token, may_replace)?;
    if let PlannedWrite::Leave(Written::Foreign) = plan {
        return Ok(Preview::Foreign);
    }
    foresee_change(target, &opened)?;
    let PlannedWrite::Change(after) = plan else { return Ok(Preview::Already) };
    let [before, after] = [opened.bytes(), &after].map(|bytes| line(target, bytes));
    Ok(Preview::Change { before, after })
}

/// Tries whether a file could be changed, without doing it.
pub fn foresee_change(target: &FileTarget, opened: &Opened) -> Result<(), DeliveryError> {
    match target.writing {
        Writing::Atomic => match opened.foresee_replace() {
            Err(FileError::ManyNames(..)) => Ok(opened.foresee_overwrite()?),
            foreseen => Ok(foreseen?),
        },
        Writing::InPlace => Ok(opened.foresee_overwrite()?),
    }
}

fn of_new_file(
    target: &FileTarget,
    may_replace: &dyn Fn(Option<&Secret>) -> Consent,
) -> Result<Preview, DeliveryError> {
    if target.missing == Missing::Refuse {
        return Err(DeliveryError::no_file(&target.path));
    }
    if may_replace(None) == Consent::Refused {
        return Ok(Preview::Foreign);
    }
    files::foresee_create(&target.path)?;
    Ok(Preview::Create)
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

/// What a delivery to one target would do.
pub struct TargetPreview {
    /// The target.
    pub target: TargetId,
    /// What would be done, or why it could not.
    pub outcome: Result<Preview, DeliveryError>,
}

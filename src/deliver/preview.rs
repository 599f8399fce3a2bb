//! Says what a delivery would do, without doing it.
//!
//! The file is edited in memory and the line that would change is shown, with the values taken
//! out; that the file could be written and that the program is there is tried as well as that can
//! be without leaving anything behind, and also where nothing is to be changed today.

use super::DeliveryError;
use super::file::{Consent, Plan, Written, plan};
use super::token_delivery::{Payload, TokenDelivery};
use crate::config::{FileTarget, Place, Target, Writing};
use crate::edit::Missing;
use crate::files::{self, FileError, Opened};
use crate::process;
use crate::store::StoreError;
use crate::token::{AccessToken, Delivery, DryRun, Secret, TargetId, redact};

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

/// A plainly fake access token, for a preview before there is a real one.
pub fn sample_token() -> AccessToken {
    AccessToken::parse("EAAFAKEREHEARSAL").expect("a constant that is well formed")
}

/// Tries a delivery without doing it; `may_replace` says of what a file holds whether another may
/// take its place, and `path` is the `PATH` that a program would be searched in.
fn preview(
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
                    .hint("mend `command` in the config")
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
    if let Plan::Leave(Written::Foreign) = plan {
        return Ok(Preview::Foreign);
    }
    match target.writing {
        Writing::Atomic => match opened.foresee_replace() {
            Err(FileError::ManyNames(..)) => opened.foresee_overwrite()?,
            preview => preview?,
        },
        Writing::InPlace => opened.foresee_overwrite()?,
    }
    let Plan::Change(after) = plan else { return Ok(Preview::Already) };
    let [before, after] = [opened.bytes(), &after].map(|bytes| line(target, bytes));
    Ok(Preview::Change { before, after })
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

impl TokenDelivery<'_> {
    /// Tries every target with a plainly fake access token, where a dry run has no real one.
    pub(super) fn preview_with_a_sample(&self) -> Result<(), StoreError> {
        if self.context.dry_run == DryRun::No {
            return Ok(());
        }
        for target in &self.token_config.deliver {
            let delivered = self.delivered(target);
            if let Err(error) = self.preview(target, &sample_token(), &|_| Consent::First) {
                self.failed(delivered, &error)?;
            }
        }
        Ok(())
    }

    /// A dry run does not run a program; that it is there is seen whether anything is pending or not.
    pub(super) fn preview_command(
        &self,
        target: &Target,
        row: &Delivery,
        payload: &Payload,
        held_up: bool,
    ) -> Result<(), StoreError> {
        let delivered = self.delivered(target);
        let preview = match self.left_behind(target)? {
            Some(error) if row.owed.is_some() => Err(error),
            _ => self.preview(target, &payload.input.access_token, &|_| Consent::Given),
        };
        match preview {
            Err(error) => self.failed(delivered, &error),
            Ok(_) if row.owed.is_some() && !held_up => self.settled(delivered, payload),
            Ok(_) => Ok(()),
        }
    }

    /// The failure of a target's program that an interrupted run left behind, if it still runs.
    fn left_behind(&self, target: &Target) -> Result<Option<DeliveryError>, StoreError> {
        match &target.place {
            Place::File(_) => Ok(None),
            Place::Command(argv) => self.deliveries.still_running(self.token, &target.id, argv),
        }
    }

    pub(super) fn preview(
        &self,
        target: &Target,
        access_token: &AccessToken,
        may_replace: &dyn Fn(Option<&Secret>) -> Consent,
    ) -> Result<Preview, DeliveryError> {
        let path = self.context.environment.get("PATH");
        preview(target, access_token, may_replace, path)
    }

    /// Says what a delivery of the current access token would do to each target, in the config's order.
    pub fn preview_all(&self) -> Result<Vec<TargetPreview>, StoreError> {
        let credential = self.context.store.credential(self.token)?;
        let access_token = match &credential.current {
            Some(current) => self.context.store.reveal(current.id)?,
            None => sample_token(),
        };
        let preview = |target: &Target| {
            let known = credential.deliveries.iter().find(|row| row.target == target.id);
            let row = known.cloned().unwrap_or_else(|| Delivery::unseen(target.id.clone()));
            let in_the_way = match &target.place {
                Place::File(file) => self.not_whole(target, file),
                Place::Command(_) => self.left_behind(target)?.map(Err),
            };
            let outcome = match in_the_way {
                Some(outcome) => outcome,
                None => self
                    .asking(&row, |may_replace| self.preview(target, &access_token, may_replace))?,
            };
            Ok(TargetPreview { target: target.id.clone(), outcome })
        };
        self.token_config.deliver.iter().map(preview).collect()
    }
}

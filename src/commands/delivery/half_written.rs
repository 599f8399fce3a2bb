//! Files that a run left half-written when it was stopped, and what is remembered to finish them.
//!
//! They are finished before anything else is read from them: half an access token must not be
//! taken for a new one.

use std::path::Path;

use super::Deliveries;
use crate::deliver::{
    Ending, Fault, Memory, Place, Rehearsal, Target, Unfinished, Writing, not_ours_to_finish,
};
use crate::policy::{Health, Reason};
use crate::run::{DryRun, Run};
use crate::store::{Overwrite, Overwriting, Store, StoreError};
use crate::token::{Action, GenerationId, TargetId, Time, TokenId};

/// A file that is not whole, as far as is known.
pub(super) struct HalfWritten {
    write: Overwrite,
    /// What a run that is meant does with it; in such a run, only why it could not.
    pub(super) outcome: Result<Rehearsal, Fault>,
}

/// Finishes the files that a run left half-written, and returns those that are not whole.
pub(super) fn finish_files(run: &Run<'_>) -> Result<Vec<HalfWritten>, StoreError> {
    let mut left = Vec::new();
    for write in run.store.overwrites()? {
        left.extend(finish(run, write)?);
    }
    Ok(left)
}

fn finish(run: &Run<'_>, write: Overwrite) -> Result<Option<HalfWritten>, StoreError> {
    let (token, target, path) = (write.token, &write.target, write.path.display());
    let outcome = match (ending(run.dry_run, &write), is_target(run, &write)) {
        (Ok(Ending::NotBegun), _) => {
            run.store.cancel_overwrite(token, target)?;
            return Ok(None);
        }
        // It may come back, with what is mounted there. A delivery settles it.
        (Ok(Ending::Gone), true) => return Ok(None),
        (Ok(Ending::Finished), _) if run.dry_run == DryRun::Yes => Ok(foreseen(&write)),
        (Ok(Ending::Finished), _) => {
            run.store.end_overwrite(token, target)?;
            tracing::info!(
                event = "file_finished", label = %write.label, %target,
                "{path}: finished; a run was stopped while it wrote the file"
            );
            return Ok(None);
        }
        // Whoever took it out of the config and changed it looks after it.
        (Ok(Ending::Gone | Ending::Foreign), false) => {
            run.store.end_overwrite(token, target)?;
            return Ok(None);
        }
        (Ok(Ending::Foreign), true) => Err(not_ours_to_finish(&write.path, &write.label)),
        (Err(fault), _) => Err(fault),
    };
    Ok(Some(HalfWritten { write, outcome }))
}

fn ending(dry_run: DryRun, write: &Overwrite) -> Result<Ending, Fault> {
    let Some(contents) = &write.contents else { return Ok(Ending::Foreign) };
    let unfinished = Unfinished { path: &write.path, old: &contents.old, new: &contents.new };
    match dry_run {
        DryRun::No => unfinished.finish(),
        DryRun::Yes => unfinished.foresee(),
    }
}

/// Whether the config still delivers there.
fn is_target(run: &Run<'_>, write: &Overwrite) -> bool {
    let is_meant = |target: &Target| {
        target.id == write.target
            && matches!(&target.place, Place::File(file) if file.path == write.path)
    };
    let mut members = run.tokens.configs.iter().filter(|it| it.label == write.label);
    members.any(|member| member.deliver.iter().any(is_meant))
}

impl Deliveries<'_> {
    /// What is to be said of files that could not be finished and that no delivery speaks of,
    /// because they are no targets any more.
    pub(in crate::commands) fn unfinished_files(&self) -> impl Iterator<Item = Reason> {
        let others = self.half_written.iter().filter(|it| !is_target(self.run, &it.write));
        others.filter_map(|it| {
            let fault = it.outcome.as_ref().err()?;
            Some(Reason {
                code: "delivery_failed",
                severity: Health::Warning,
                message: format!(
                    "a run was stopped while it wrote a file that is no target any more, and the file cannot be finished: {}",
                    fault.message
                ),
                remedy: fault.hint.clone().unwrap_or_default(),
                action: Action::Retry,
                about: Some(it.write.target.to_string()),
                labels: vec![it.write.label.clone()],
                held_by: None,
            })
        })
    }

    /// Whether an interrupted write left this file half-written.
    pub(in crate::commands) fn is_half_written(&self, path: &Path) -> bool {
        self.half_written(path).is_some()
    }

    /// What is known of a file that is not whole; none of one that is.
    pub(super) fn half_written(&self, path: &Path) -> Option<&HalfWritten> {
        self.half_written.iter().find(|it| it.write.path == path)
    }
}

/// What a rehearsal says of a file that could be finished.
const fn foreseen(write: &Overwrite) -> Rehearsal {
    match write.generation {
        Some(_) => Rehearsal::Finish,
        // What is restored is none of the current generation.
        None => Rehearsal::Foreign,
    }
}

/// Remembers in the store what is written into one target's file.
pub(in crate::commands) struct Remembered<'a> {
    pub(in crate::commands) store: &'a Store,
    pub(in crate::commands) token: TokenId,
    pub(in crate::commands) target: &'a TargetId,
    pub(in crate::commands) path: &'a Path,
    /// What is delivered; none where the file is restored.
    pub(in crate::commands) generation: Option<GenerationId>,
    pub(in crate::commands) now: Time,
}

impl Remembered<'_> {
    /// Whether the new content must be remembered too: a delivery that puts another file in the
    /// place of the old one is done or not done, and is done again from the store.
    const fn keeps_both(&self, writing: Writing) -> bool {
        matches!(writing, Writing::InPlace) || self.generation.is_none()
    }
}

impl Memory for Remembered<'_> {
    type Error = StoreError;

    fn begin(&self, writing: Writing, old: &[u8], new: &[u8]) -> Result<(), StoreError> {
        let Self { store, token, target, generation, now, .. } = *self;
        if !self.keeps_both(writing) {
            return store.keep_target_backup(token, target, old, now);
        }
        let path = self.path.to_owned();
        store.begin_overwrite(&Overwriting { token, target, path, generation, old, new }, now)
    }

    fn cancel(&self, writing: Writing) -> Result<(), StoreError> {
        if self.keeps_both(writing) {
            self.store.cancel_overwrite(self.token, self.target)
        } else {
            Ok(())
        }
    }
}

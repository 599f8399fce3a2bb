//! Finishes files that an interrupted run left half-written, and remembers what that takes.
//!
//! They are finished before anything else is read from them: half an access token must not be
//! taken for a new one.

use std::path::Path;

use super::context::DeliveryContext;
use super::error::DeliveryError;
use super::file::Memory;
use super::preview::Preview;
use super::unfinished::{Ending, Unfinished};
use crate::config::{FileTarget, Writing};
use crate::policy::{Reason, judge_left_behind};
use crate::store::{FileContents, Overwrite, Overwriting, Store, StoreError};
use crate::token::{DryRun, GenerationId, Label, TargetId, Time, TokenId};

/// A file that is not whole, as far as is known.
pub struct HalfWritten {
    write: Overwrite,
    /// What a run that is meant does with it; in such a run, only why it could not.
    pub outcome: Result<Preview, DeliveryError>,
}

/// The files that an interrupted run left half-written and that are not whole.
pub struct HalfWrittenFiles(Vec<HalfWritten>);

impl HalfWrittenFiles {
    /// Finishes the files that an interrupted run left half-written, and keeps those that are not
    /// whole.
    pub fn finish(context: &DeliveryContext<'_>) -> Result<Self, StoreError> {
        let mut left = Vec::new();
        for write in context.store.overwrites()? {
            left.extend(finish(context, write)?);
        }
        Ok(Self(left))
    }

    /// Lists the files of these tokens that could not be finished and whose targets the config no
    /// longer has.
    pub fn without_target(
        &self,
        context: &DeliveryContext<'_>,
        is_meant: impl Fn(&Label) -> bool,
    ) -> impl Iterator<Item = Reason> {
        let all = self.0.iter().filter(move |it| is_meant(&it.write.label));
        all.filter(|it| !is_target(context, &it.write)).filter_map(|it| {
            let DeliveryError { message, hint } = it.outcome.as_ref().err()?;
            let Overwrite { label, target, begun_at, .. } = &it.write;
            let failure = Some((message.as_str(), hint.as_deref()));
            Some(judge_left_behind(label, target, *begun_at, failure, context.time.now()))
        })
    }

    /// Returns the half-written files of a token that could not be finished.
    pub fn failed_of(&self, label: &Label) -> impl Iterator<Item = &Overwrite> {
        let failed = self.0.iter().filter(|it| it.outcome.is_err());
        failed.map(|it| &it.write).filter(move |write| write.label == *label)
    }

    /// Returns the half-written file at this path, if it is not whole.
    pub fn at(&self, path: &Path) -> Option<&HalfWritten> {
        self.0.iter().find(|it| it.write.path == path)
    }

    /// Returns the half-written file that holds up a delivery to this target: its own file, or the
    /// one that it had before the config named another, whose old content the delivery would
    /// replace in the store.
    pub fn holding_up(
        &self,
        token: TokenId,
        target: &TargetId,
        path: &Path,
    ) -> Option<&HalfWritten> {
        let is_of_target = |it: &&HalfWritten| {
            it.write.token == token && it.write.target == *target && it.outcome.is_err()
        };
        self.at(path).or_else(|| self.0.iter().find(is_of_target))
    }
}

fn finish(
    context: &DeliveryContext<'_>,
    write: Overwrite,
) -> Result<Option<HalfWritten>, StoreError> {
    let (token, target, path) = (write.token, &write.target, write.path.display());
    let outcome = match ending(context.dry_run, &write) {
        Ok(Ending::NotBegun) => {
            context.store.cancel_overwrite(token, target)?;
            return Ok(None);
        }
        // It may come back, with what is mounted there. Until then there is nothing to finish.
        Ok(Ending::Gone) => return Ok(None),
        Ok(Ending::Finished) if context.dry_run == DryRun::Yes => Ok(preview(&write)),
        Ok(Ending::Finished) => {
            context.store.end_overwrite(token, target)?;
            tracing::info!(
                event = "file_finished", label = %write.label, %target,
                "{path}: finished the file that an interrupted run left half-written"
            );
            return Ok(None);
        }
        Ok(Ending::Foreign) => Err(left_untouched(context, &write)),
        Err(error) => Err(error),
    };
    Ok(Some(HalfWritten { write, outcome }))
}

fn ending(dry_run: DryRun, write: &Overwrite) -> Result<Ending, DeliveryError> {
    let Some(unfinished) = unfinished(write) else { return Ok(Ending::Foreign) };
    match dry_run {
        DryRun::No => unfinished.finish(),
        DryRun::Yes => unfinished.preview(),
    }
}

/// The write with both contents, if they can be read.
fn unfinished(write: &Overwrite) -> Option<Unfinished<'_>> {
    let FileContents { old, new } = write.contents.as_ref()?;
    Some(Unfinished { path: &write.path, old, new })
}

/// Whether what the file held can be restored, also where what it was to hold cannot be read.
fn can_be_restored(context: &DeliveryContext<'_>, write: &Overwrite) -> bool {
    matches!(context.store.target_backup(write.token, &write.target), Ok(Some(_)))
}

/// The failure of a half-written file that was changed since: only a person can judge it.
fn left_untouched(context: &DeliveryContext<'_>, write: &Overwrite) -> DeliveryError {
    let (path, label) = (write.path.display(), &write.label);
    let error = DeliveryError::new(format!(
        "{path}: half-written by an interrupted run and changed since; left untouched"
    ));
    let force = format!("check the file, then run `metatoken deliver --force {label}`");
    error.hint(if can_be_restored(context, write) {
        format!(
            "run `metatoken deliver --restore {label}` to restore the content from before that delivery; copy the file first if its present content is needed"
        )
    } else if is_target(context, write) {
        format!("the content from before that delivery is lost: {force}")
    } else {
        format!(
            "the content from before that delivery is lost: add the target to the config again, {force}"
        )
    })
}

impl HalfWritten {
    /// Returns whether `deliver --force` may write its value: the rest of the file is not torn, or
    /// a person had to check it, because the store cannot tell.
    pub fn may_be_forced(&self, context: &DeliveryContext<'_>, file: &FileTarget) -> bool {
        let Self { write, .. } = self;
        let is_whole = || {
            let unfinished = unfinished(write)?;
            unfinished.is_whole_but_for_its_value(file).ok()
        };
        write.path == file.path && (is_whole().unwrap_or(false) || !can_be_restored(context, write))
    }
}

/// Whether the config still has the target, also of a token that is not enabled.
fn is_target(context: &DeliveryContext<'_>, write: &Overwrite) -> bool {
    let all = context.config.tokens.iter().chain(context.tokens);
    let mut tokens = all.filter(|it| it.label == write.label);
    tokens.any(|token| token.deliver.iter().any(|target| target.id == write.target))
}

/// What a dry run says of a file that could be finished.
const fn preview(write: &Overwrite) -> Preview {
    match write.generation {
        Some(_) => Preview::Finish,
        // What is restored is none of the current generation.
        None => Preview::Foreign,
    }
}

/// Remembers in the store what is written into one target's file.
pub struct StoreMemory<'a> {
    pub store: &'a Store,
    pub token: TokenId,
    pub target: &'a TargetId,
    pub path: &'a Path,
    /// What is delivered; none where the file is restored.
    pub generation: Option<GenerationId>,
    pub now: Time,
}

impl StoreMemory<'_> {
    /// Whether the new content must be remembered too: a delivery that puts another file in the
    /// place of the old one is done or not done, and is done again from the store.
    const fn keeps_both(&self, writing: Writing) -> bool {
        matches!(writing, Writing::InPlace) || self.generation.is_none()
    }
}

impl Memory for StoreMemory<'_> {
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

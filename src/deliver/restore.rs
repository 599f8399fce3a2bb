//! Restores what files held before their last delivery.
//!
//! The whole file goes back, not only the value: what an application makes of a new access token may
//! have changed more than that.

use std::path::Path;

use zeroize::Zeroizing;

use super::deliveries::Deliveries;
use super::error::DeliveryError;
use super::file::{Memory, PlannedWrite, rewrite};
use super::half_written::StoreMemory;
use super::preview::foresee_change;
use crate::config::{FileTarget, Place, TokenConfig};
use crate::files::Opened;
use crate::store::StoreError;
use crate::token::{DryRun, Label, TargetId, TokenId};

/// What became of a token's files.
#[derive(Debug, Default)]
pub struct Restored {
    /// The targets whose files hold again what they held before.
    pub targets: Vec<TargetId>,
    /// The same of those that the config no longer has, or has elsewhere.
    pub former: Vec<TargetId>,
    /// Why the first of the others could not be restored.
    pub failed: Option<DeliveryError>,
}

impl Restored {
    /// Returns whether no file was replaced by a delivery, as far as the store knows.
    pub const fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.former.is_empty() && self.failed.is_none()
    }
}

impl Deliveries<'_> {
    /// Puts back what the last delivery to each of a token's files replaced; the config may no longer
    /// have the token.
    pub fn restore(
        &self,
        label: &Label,
        declared: Option<(TokenId, &TokenConfig)>,
    ) -> Result<Restored, StoreError> {
        let targets = declared.map(|(_, token)| token.deliver.as_slice()).unwrap_or_default();
        let is_configured = |target: &TargetId, path: &Path| {
            targets.iter().any(|it| {
                it.id == *target && matches!(&it.place, Place::File(file) if file.path == path)
            })
        };
        let mut restored = Restored::default();
        // The store has one content for each target, so that of a former file is not its new one's.
        let mut former = Vec::new();
        for write in self.half_written.failed_of(label) {
            if is_configured(&write.target, &write.path) {
                continue;
            }
            former.push(&write.target);
            let file = FileTarget::former(write.path.clone());
            match self.restore_file(write.token, &write.target, &file)? {
                Some(Ok(())) => restored.former.push(write.target.clone()),
                Some(Err(error)) => drop(restored.failed.get_or_insert(error)),
                None => {}
            }
        }
        for (token, target) in
            declared.iter().flat_map(|(token, config)| config.deliver.iter().map(|it| (*token, it)))
        {
            let Place::File(file) = &target.place else { continue };
            if former.contains(&&target.id) {
                continue;
            }
            match self.restore_file(token, &target.id, file)? {
                Some(Ok(())) => restored.targets.push(target.id.clone()),
                Some(Err(error)) => drop(restored.failed.get_or_insert(error)),
                None => {}
            }
        }
        Ok(restored)
    }

    /// Puts back what a file held before its last delivery; does nothing if that is not known.
    fn restore_file(
        &self,
        token: TokenId,
        target: &TargetId,
        file: &FileTarget,
    ) -> Result<Option<Result<(), DeliveryError>>, StoreError> {
        let store = self.context.store;
        let Some(replaced) = store.target_backup(token, target)? else { return Ok(None) };
        if self.context.dry_run == DryRun::Yes {
            return Ok(Some(foresee(file)));
        }
        // What it holds now is kept, so that a second time takes the first one back.
        let memory = StoreMemory {
            store,
            token,
            target,
            path: &file.path,
            generation: None,
            now: self.context.time.now(),
        };
        let restored = put_back(file, &replaced.content, &memory)?;
        if restored.is_ok() {
            store.end_overwrite(token, target)?;
        }
        Ok(Some(restored))
    }
}

/// Tries whether a file could be put back, without doing it.
fn foresee(file: &FileTarget) -> Result<(), DeliveryError> {
    match Opened::open(&file.path)? {
        Some(opened) => foresee_change(file, &opened),
        None => Err(no_file_to_put_back(&file.path)),
    }
}

/// The failure to put back a file that is gone.
fn no_file_to_put_back(path: &Path) -> DeliveryError {
    DeliveryError::new(format!("{}: the file is missing", path.display()))
        .hint("make an empty file with the rights that its application needs")
}

/// Puts `content` back into the file.
fn put_back<M: Memory>(
    file: &FileTarget,
    content: &[u8],
    memory: &M,
) -> Result<Result<(), DeliveryError>, M::Error> {
    let content = |_: &[u8]| Ok(PlannedWrite::Change(Zeroizing::new(content.to_vec())));
    let restored = rewrite(file, memory, content)?;
    Ok(restored.and_then(|restored| match restored {
        Some(_) => Ok(()),
        None => Err(no_file_to_put_back(&file.path)),
    }))
}

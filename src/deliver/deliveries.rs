//! Holds what the deliveries of one run share: what an earlier run left unfinished, and the hooks
//! that wait.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::context::DeliveryContext;
use super::error::DeliveryError;
use super::half_written::HalfWrittenFiles;
use super::hook_queue::HookQueue;
use super::places::Places;
use crate::config::{ContestedTarget, TokenConfig, contested};
use crate::policy::{Reason, judge_contested, tell_pages_apart};
use crate::store::StoreError;
use crate::token::{Label, TargetId};

/// The deliveries of one run.
pub struct Deliveries<'a> {
    pub(super) context: DeliveryContext<'a>,
    tokens: Mutex<Vec<Arc<TokenConfig>>>,
    contested: Mutex<Vec<ContestedTarget>>,
    pub(super) half_written: HalfWrittenFiles,
    pub(super) hooks: HookQueue,
    pub(super) places: Places,
}

impl<'a> Deliveries<'a> {
    /// Finishes the files that an earlier run left half-written.
    pub fn open(context: DeliveryContext<'a>) -> Result<Self, StoreError> {
        let half_written = HalfWrittenFiles::finish(&context)?;
        let hooks = HookQueue::of(context.config);
        let tokens = context.tokens.to_vec();
        let contested = Mutex::new(contested(context.config, &tokens));
        let places = Places::new(context.store.places(None)?);
        Ok(Self { context, tokens: Mutex::new(tokens), contested, half_written, hooks, places })
    }

    /// Adds Pages that were found in this run, before any of them is delivered.
    pub fn add(&self, found: impl IntoIterator<Item = Arc<TokenConfig>>) {
        let mut tokens = locked(&self.tokens);
        let known = tokens.len();
        tokens.extend(found);
        if tokens.len() > known {
            *locked(&self.contested) = contested(self.context.config, &tokens);
        }
    }

    /// Lists all tokens, with the Pages that were found in this run.
    pub fn tokens(&self) -> Vec<Arc<TokenConfig>> {
        locked(&self.tokens).clone()
    }

    /// Says why a target of a Page is left alone, if the ids that were filled in make it another's.
    pub(super) fn contest(&self, page: &Label, target: &TargetId) -> Option<DeliveryError> {
        let contested = locked(&self.contested);
        let is_it = |it: &&ContestedTarget| it.target == *target && it.pages.contains(page);
        let found = contested.iter().find(is_it)?;
        Some(DeliveryError::new(found.message.clone()).hint(tell_pages_apart().to_string()))
    }

    /// Lists the targets of these Pages that are left alone, because the ids that were filled in make
    /// them another's.
    pub fn contested_targets(&self, is_meant: impl Fn(&Label) -> bool) -> Vec<Reason> {
        let contested = locked(&self.contested);
        let meant = contested.iter().filter(|it| it.pages.iter().any(&is_meant));
        meant.map(|it| judge_contested(&it.pages, &it.target, &it.message)).collect()
    }

    /// Runs the hooks that wait: each program once, for all tokens that it serves.
    pub fn run_pending_hooks(&self) -> Result<(), StoreError> {
        self.hooks.run_pending(&self.context)
    }

    /// Lists the files of these tokens that could not be finished and whose targets the config no
    /// longer has, so that no delivery speaks of them.
    pub fn unfinished_files(
        &self,
        is_meant: impl Fn(&Label) -> bool,
    ) -> impl Iterator<Item = Reason> {
        self.half_written.without_target(&self.context, is_meant)
    }

    /// Returns whether an interrupted write left this file half-written.
    pub fn is_half_written(&self, path: &Path) -> bool {
        self.half_written.at(path).is_some()
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

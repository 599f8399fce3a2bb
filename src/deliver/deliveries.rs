//! Holds what the deliveries of one run share: what an earlier run left unfinished, and the hooks
//! that wait.

use std::path::Path;

use super::context::DeliveryContext;
use super::half_written::HalfWrittenFiles;
use super::hook_queue::HookQueue;
use crate::policy::Reason;
use crate::store::StoreError;
use crate::token::Label;

/// The deliveries of one run.
pub struct Deliveries<'a> {
    pub(super) context: DeliveryContext<'a>,
    pub(super) half_written: HalfWrittenFiles,
    pub(super) hooks: HookQueue,
}

impl<'a> Deliveries<'a> {
    /// Finishes the files that an earlier run left half-written.
    pub fn open(context: DeliveryContext<'a>) -> Result<Self, StoreError> {
        let half_written = HalfWrittenFiles::finish(&context)?;
        let hooks = HookQueue::of(context.config);
        Ok(Self { context, half_written, hooks })
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

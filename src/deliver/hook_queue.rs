//! Runs each program once for all tokens that it serves, and never beside one that an interrupted run
//! left behind.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::hook::{self, HookInput};
use super::log::DeliveryLog;
use super::{Deliveries, DeliveryError};
use crate::config::Place;
use crate::process::Process;
use crate::store::{DeliveryFailure, HookProcess, Settlement, StoreError};
use crate::token::{GenerationId, TargetId, TokenId};

/// One access token that one program is to get.
#[derive(Debug, Clone)]
pub struct PendingHook {
    pub argv: Vec<String>,
    pub timeout: Duration,
    pub token: TokenId,
    pub target: TargetId,
    pub generation: GenerationId,
    pub input: HookInput,
}

impl Deliveries<'_> {
    /// Whether more than one token of the config is delivered to the same program.
    pub fn is_shared(&self, argv: &[String]) -> bool {
        let serves = |place: &Place| matches!(place, Place::Command(other) if other == argv);
        let tokens = self.context.config.tokens.iter();
        tokens.filter(|token| token.deliver.iter().any(|it| serves(&it.place))).count() > 1
    }

    /// Keeps a hook until every token has had its turn.
    pub fn queue(&self, hook: PendingHook) {
        lock(&self.pending_hooks).push(hook);
    }

    /// Runs what was kept: programs alike once, for all tokens that they serve.
    pub fn run_pending_hooks(&self) -> Result<(), StoreError> {
        let mut groups: BTreeMap<Vec<String>, Vec<PendingHook>> = BTreeMap::new();
        for hook in std::mem::take(&mut *lock(&self.pending_hooks)) {
            groups.entry(hook.argv.clone()).or_default().push(hook);
        }
        for mut hooks in groups.into_values() {
            // Which worker came first is chance.
            hooks.sort_by(|a, b| a.input.label.cmp(&b.input.label));
            self.run_hook(&hooks)?;
        }
        Ok(())
    }

    /// Runs one program for these hooks, which are alike, and writes down how it went.
    pub fn run_hook(&self, hooks: &[PendingHook]) -> Result<(), StoreError> {
        let Some(first) = hooks.first() else { return Ok(()) };
        if self.context.time.is_over() {
            // They stay pending.
            return Ok(());
        }
        let timeout = hooks.iter().map(|hook| hook.timeout).max().unwrap_or(first.timeout);
        let inputs: Vec<&HookInput> = hooks.iter().map(|hook| &hook.input).collect();
        let environment = self.context.config.environment_of_programs(self.context.environment);
        let began = Instant::now();
        let outcome = if let Some(error) = self.left_behind(hooks)? {
            Err(error)
        } else {
            let note = |process: &Process| self.note(hooks, process);
            hook::run(&first.argv, timeout, &inputs, environment, note)?
        };
        for PendingHook { token, target, generation, input, .. } in hooks.iter().cloned() {
            let now = self.context.time.now();
            let (label, dry_run) = (&input.label, self.context.dry_run);
            let delivered = DeliveryLog { label, target: &target, dry_run, began };
            match &outcome {
                Ok(()) => {
                    let settlement = Settlement { token, target: target.clone(), generation };
                    self.context.store.settle(self.context.run, settlement, now)?;
                    delivered.settled();
                }
                Err(error) => {
                    let target = target.clone();
                    let failure = DeliveryFailure { token, target, problem: error.problem() };
                    self.context.store.note_delivery_failure(self.context.run, failure, now)?;
                    delivered.failed(error);
                }
            }
        }
        Ok(())
    }
}

impl Deliveries<'_> {
    /// Writes down the process that a program was started as, before it gets an access token.
    fn note(&self, hooks: &[PendingHook], process: &Process) -> Result<(), StoreError> {
        let Some(first) = hooks.first() else { return Ok(()) };
        let targets: Vec<_> = hooks.iter().map(|it| (it.token, it.target.clone())).collect();
        let Process { pid, start_ticks, boot } = process.clone();
        let hook = HookProcess { pid, start_ticks, boot, started_at: self.context.time.now() };
        self.context.store.note_hook(&targets, &first.argv, hook)
    }

    /// Why no program is started for these hooks, if one that an interrupted run left behind still
    /// runs.
    fn left_behind(&self, hooks: &[PendingHook]) -> Result<Option<DeliveryError>, StoreError> {
        for PendingHook { token, target, argv, .. } in hooks {
            if let Some(error) = self.still_running(*token, target, argv)? {
                return Ok(Some(error));
            }
        }
        Ok(None)
    }

    /// The error of a target's program that still runs, or of the same command for another.
    pub fn still_running(
        &self,
        token: TokenId,
        target: &TargetId,
        argv: &[String],
    ) -> Result<Option<DeliveryError>, StoreError> {
        let hooks = self.context.store.hooks(token, target, argv)?;
        Ok(hooks.into_iter().find_map(|hook| {
            let HookProcess { pid, start_ticks, boot, started_at } = hook;
            let process = Process { pid, start_ticks, boot };
            hook::still_running(argv, &process, started_at)
        }))
    }
}

fn lock(hooks: &Mutex<Vec<PendingHook>>) -> MutexGuard<'_, Vec<PendingHook>> {
    hooks.lock().unwrap_or_else(PoisonError::into_inner)
}

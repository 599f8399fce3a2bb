//! Runs the programs that tokens are delivered to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Deliveries;
use super::courier::problem;
use crate::config::Place;
use crate::deliver::{self, Fault, Parcel, Process};
use crate::run::log::Delivered;
use crate::store::{DeliveryFailure, HookProcess, Settlement, StoreError};
use crate::token::{GenerationId, TargetId, TokenId};

/// One string that one program is to get.
#[derive(Debug, Clone)]
pub struct PendingHook {
    pub argv: Vec<String>,
    pub timeout: Duration,
    pub token: TokenId,
    pub target: TargetId,
    pub generation: GenerationId,
    pub parcel: Parcel,
}

impl Deliveries<'_> {
    /// Whether more than one token of the config is delivered to the same program.
    pub fn is_shared(&self, argv: &[String]) -> bool {
        let serves = |place: &Place| matches!(place, Place::Command(other) if other == argv);
        let tokens = self.run.session.config.tokens.iter();
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
            hooks.sort_by(|a, b| a.parcel.label.cmp(&b.parcel.label));
            self.run_hook(&hooks)?;
        }
        Ok(())
    }

    /// Runs one program for these hooks, which are alike, and writes down how it went.
    pub fn run_hook(&self, hooks: &[PendingHook]) -> Result<(), StoreError> {
        let Some(first) = hooks.first() else { return Ok(()) };
        if self.run.out_of_time().is_some() {
            // They stay owed.
            return Ok(());
        }
        let timeout = hooks.iter().map(|hook| hook.timeout).max().unwrap_or(first.timeout);
        let parcels: Vec<&Parcel> = hooks.iter().map(|hook| &hook.parcel).collect();
        let environment =
            self.run.session.config.environment_of_programs(&self.run.session.environment);
        let began = Instant::now();
        let outcome = if let Some(fault) = self.left_behind(hooks)? {
            Err(fault)
        } else {
            let note = |process: &Process| self.note(hooks, process);
            deliver::hand_over(&first.argv, timeout, &parcels, environment, note)?
        };
        for PendingHook { token, target, generation, parcel, .. } in hooks.iter().cloned() {
            let now = self.run.now();
            let (label, dry_run) = (&parcel.label, self.run.dry_run);
            let delivered = Delivered { label, target: &target, dry_run, began };
            match &outcome {
                Ok(()) => {
                    let settlement = Settlement { token, target: target.clone(), generation };
                    self.run.store.settle(self.run.id, settlement, now)?;
                    delivered.settled();
                }
                Err(fault) => {
                    let target = target.clone();
                    let failure = DeliveryFailure { token, target, problem: problem(fault) };
                    self.run.store.note_delivery_failure(self.run.id, failure, now)?;
                    delivered.failed(fault);
                }
            }
        }
        Ok(())
    }
}

impl Deliveries<'_> {
    /// Writes down the process that a program was started as, before it gets a string.
    fn note(&self, hooks: &[PendingHook], process: &Process) -> Result<(), StoreError> {
        let Some(first) = hooks.first() else { return Ok(()) };
        let targets: Vec<_> = hooks.iter().map(|it| (it.token, it.target.clone())).collect();
        let Process { pid, start_ticks, boot } = process.clone();
        let hook = HookProcess { pid, start_ticks, boot, started_at: self.run.now() };
        self.run.store.note_hook(&targets, &first.argv, hook)
    }

    /// Why no program is started for these hooks, if one that a stopped run left behind still
    /// runs.
    fn left_behind(&self, hooks: &[PendingHook]) -> Result<Option<Fault>, StoreError> {
        for PendingHook { token, target, argv, .. } in hooks {
            if let Some(fault) = self.still_running(*token, target, argv)? {
                return Ok(Some(fault));
            }
        }
        Ok(None)
    }

    /// The fault of a target's program that still runs, or of the same command for another.
    pub fn still_running(
        &self,
        token: TokenId,
        target: &TargetId,
        argv: &[String],
    ) -> Result<Option<Fault>, StoreError> {
        let hooks = self.run.store.hooks(token, target, argv)?;
        Ok(hooks.into_iter().find_map(|hook| {
            let HookProcess { pid, start_ticks, boot, started_at } = hook;
            let process = Process { pid, start_ticks, boot };
            deliver::still_running(argv, &process, started_at)
        }))
    }
}

fn lock(hooks: &Mutex<Vec<PendingHook>>) -> MutexGuard<'_, Vec<PendingHook>> {
    hooks.lock().unwrap_or_else(PoisonError::into_inner)
}

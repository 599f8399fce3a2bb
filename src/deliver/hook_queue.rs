//! Runs each program once for all tokens that it serves, and never beside one that an interrupted run
//! left behind.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::context::{DeliveryContext, DeliveryRecord};
use super::error::DeliveryError;
use super::hook::{self, HookInput};
use crate::config::{Config, Place};
use crate::process::Process;
use crate::store::{HookProcess, StoreError};
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

/// The programs of one run.
pub struct HookQueue {
    /// Those that more than one token of the config is delivered to.
    shared: HashSet<Vec<String>>,
    /// Hooks of shared programs; run once for all, when every token has had its turn.
    pending: Mutex<Vec<PendingHook>>,
}

impl HookQueue {
    /// Finds the programs that several tokens of the config are delivered to.
    pub fn of(config: &Config) -> Self {
        let (mut known, mut shared) = (HashSet::new(), HashSet::new());
        for token in &config.tokens {
            let commands = token.deliver.iter().filter_map(|target| match &target.place {
                Place::Command(argv) => Some(argv),
                Place::File(_) => None,
            });
            for argv in commands.collect::<HashSet<_>>() {
                if !known.insert(argv) {
                    shared.insert(argv.clone());
                }
            }
        }
        // Pages may be found at any time.
        shared.extend(config.page_commands());
        Self { shared, pending: Mutex::default() }
    }

    /// Runs a program at once if it serves one token alone; one that serves several is run once for
    /// all, when every token has had its turn.
    pub fn submit(
        &self,
        context: &DeliveryContext<'_>,
        hook: PendingHook,
    ) -> Result<(), StoreError> {
        if self.shared.contains(&hook.argv) {
            lock(&self.pending).push(hook);
            Ok(())
        } else {
            run(context, &[hook])
        }
    }

    /// Runs the hooks that wait: programs alike once, for all tokens that they serve.
    pub fn run_pending(&self, context: &DeliveryContext<'_>) -> Result<(), StoreError> {
        let mut groups: BTreeMap<Vec<String>, Vec<PendingHook>> = BTreeMap::new();
        for hook in std::mem::take(&mut *lock(&self.pending)) {
            groups.entry(hook.argv.clone()).or_default().push(hook);
        }
        for mut hooks in groups.into_values() {
            // Which worker came first is chance.
            hooks.sort_by(|a, b| a.input.label.cmp(&b.input.label));
            run(context, &hooks)?;
        }
        Ok(())
    }
}

/// Runs one program for these hooks, which are alike, and records how it went.
fn run(context: &DeliveryContext<'_>, hooks: &[PendingHook]) -> Result<(), StoreError> {
    let Some(first) = hooks.first() else { return Ok(()) };
    if context.time.is_over() {
        // They stay pending.
        return Ok(());
    }
    let timeout = hooks.iter().map(|hook| hook.timeout).max().unwrap_or(first.timeout);
    let inputs: Vec<&HookInput> = hooks.iter().map(|hook| &hook.input).collect();
    let environment = context.config.environment_of_programs(context.environment);
    let began = Instant::now();
    let outcome = if let Some(error) = left_behind(context, hooks)? {
        Err(error)
    } else {
        let note = |process: &Process| note(context, hooks, process);
        hook::run(&first.argv, timeout, &inputs, environment, note)?
    };
    for PendingHook { token, target, generation, input, .. } in hooks {
        let label = &input.label;
        let record = DeliveryRecord { context, token: *token, label, target, began };
        match &outcome {
            Ok(()) => record.settled(*generation)?,
            Err(error) => record.failed(error)?,
        }
    }
    Ok(())
}

/// Writes down the process that a program was started as, before it gets an access token.
fn note(
    context: &DeliveryContext<'_>,
    hooks: &[PendingHook],
    process: &Process,
) -> Result<(), StoreError> {
    let Some(first) = hooks.first() else { return Ok(()) };
    let targets: Vec<_> = hooks.iter().map(|it| (it.token, it.target.clone())).collect();
    let Process { pid, start_ticks, boot } = process.clone();
    let hook = HookProcess { pid, start_ticks, boot, started_at: context.time.now() };
    context.store.note_hook(&targets, &first.argv, hook)
}

/// Why no program is started for these hooks, if one that an interrupted run left behind still runs.
fn left_behind(
    context: &DeliveryContext<'_>,
    hooks: &[PendingHook],
) -> Result<Option<DeliveryError>, StoreError> {
    for PendingHook { token, target, argv, .. } in hooks {
        if let Some(error) = still_running(context, *token, target, argv)? {
            return Ok(Some(error));
        }
    }
    Ok(None)
}

/// Returns the error of a target's program that still runs, or of the same command for another.
pub fn still_running(
    context: &DeliveryContext<'_>,
    token: TokenId,
    target: &TargetId,
    argv: &[String],
) -> Result<Option<DeliveryError>, StoreError> {
    let hooks = context.store.hooks(token, target, argv)?;
    Ok(hooks.into_iter().find_map(|hook| {
        let HookProcess { pid, start_ticks, boot, started_at } = hook;
        let process = Process { pid, start_ticks, boot };
        hook::still_running(argv, &process, started_at)
    }))
}

fn lock(hooks: &Mutex<Vec<PendingHook>>) -> MutexGuard<'_, Vec<PendingHook>> {
    hooks.lock().unwrap_or_else(PoisonError::into_inner)
}

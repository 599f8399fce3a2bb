//! The one who settles what is owed to one token's targets.

use std::cell::OnceCell;
use std::time::Instant;

use super::hooks::PendingHook;
use super::{Deliveries, Remembered, has_had, was_ever_had};
use crate::deliver::{self, Consent, Fault, FileTarget, Parcel, Place, Rehearsal, Target, Written};
use crate::run::log::Delivered;
use crate::run::tokens::TokenConfig;
use crate::run::{DryRun, Run};
use crate::store::{DeliveryFailure, Settlement, StoreError};
use crate::token::{
    AccessToken, Action, Delivery, EventKind, Generation, Origin, Problem, ProblemKind, Secret,
    TokenId,
};

/// What may be overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Manner {
    /// Nothing that is unknown.
    Careful,
    /// Whatever is there: `deliver --force`.
    Forced,
}

/// Settles what is owed to the targets of one token.
pub(in crate::commands) struct Courier<'a> {
    pub(super) deliveries: &'a Deliveries<'a>,
    pub(super) run: &'a Run<'a>,
    pub(super) member: &'a TokenConfig,
    pub(super) token: TokenId,
    manner: Manner,
}

/// What is to be brought.
pub(super) struct Load {
    current: Generation,
    pub(super) parcel: Parcel,
}

impl<'a> Courier<'a> {
    pub(super) const fn new(
        deliveries: &'a Deliveries<'a>,
        member: &'a TokenConfig,
        token: TokenId,
        manner: Manner,
    ) -> Self {
        Self { deliveries, run: deliveries.run, member, token, manner }
    }

    /// The strings in the token's files that it never had: somebody put them there.
    pub(in crate::commands) fn strangers(&self) -> Result<Vec<AccessToken>, StoreError> {
        let deliveries = self.run.store.credential(self.token)?.deliveries;
        let delivered_before = |target: &Target| {
            deliveries.iter().any(|row| row.target == target.id && row.settled.is_some())
        };
        let mut strangers = Vec::new();
        for target in self.member.deliver.iter().filter(|target| delivered_before(target)) {
            let Place::File(file) = &target.place else { continue };
            if self.deliveries.is_half_written(&file.path) {
                continue;
            }
            // A file that cannot be read is told when it is settled.
            let Ok(Some(found)) = deliver::look(file) else { continue };
            let Ok(string) = AccessToken::parse(found.expose()) else { continue };
            // Anything else is drift, and no access token that could be refused.
            if !string.begins_like_metas() {
                continue;
            }
            let fingerprint = self.run.store.fingerprint(&string)?;
            if self.run.store.sightings(&fingerprint)?.is_empty() && !strangers.contains(&string) {
                strangers.push(string);
            }
        }
        Ok(strangers)
    }

    /// Brings the string in use to every target that has not got it.
    ///
    /// A dead string is not brought anywhere: what a file holds may be better.
    pub(in crate::commands) fn settle(&self) -> Result<(), StoreError> {
        let targets = &self.member.deliver;
        if targets.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = targets.iter().map(|target| target.id.clone()).collect();
        self.run.store.owe(self.token, &ids, self.run.now())?;
        let credential = self.run.store.credential(self.token)?;
        let Some(current) = credential.current.clone() else {
            return self.try_with_stand_in();
        };
        if is_dead(&current) {
            return Ok(());
        }
        let load = self.load(current)?;
        let mut held_up = false;
        for target in targets {
            let Some(row) = credential.deliveries.iter().find(|row| row.target == target.id) else {
                continue;
            };
            match &target.place {
                Place::File(file) => held_up |= !self.file(target, file, row, &load)?,
                Place::Command(_) if self.run.dry_run == DryRun::Yes => {
                    self.try_command(target, row, &load, held_up)?;
                }
                Place::Command(_) if row.owed.is_none() || held_up => {}
                Place::Command(argv) => self.command(target, argv, &load)?,
            }
        }
        Ok(())
    }

    fn load(&self, current: Generation) -> Result<Load, StoreError> {
        let string = self.run.store.reveal(current.id)?;
        let parcel = Parcel {
            label: self.member.label.clone(),
            token_type: self.member.token_type,
            event: match current.origin {
                Origin::Adopted => EventKind::Adopted,
                Origin::Exchanged => EventKind::Exchanged,
                Origin::Refreshed => EventKind::Refreshed,
                Origin::Derived => EventKind::Derived,
            },
            expiry: current.expiry,
            fingerprint: current.fingerprint,
            generation: current.number,
            string,
        };
        Ok(Load { current, parcel })
    }

    /// Brings the string to a file, and says whether it is there afterwards.
    fn file(
        &self,
        target: &Target,
        file: &FileTarget,
        row: &Delivery,
        load: &Load,
    ) -> Result<bool, StoreError> {
        let remembered = Remembered {
            store: &self.run.store,
            token: self.token,
            target: &target.id,
            path: &file.path,
            generation: Some(load.current.id),
            now: self.run.now(),
        };
        let delivered = self.delivered(target);
        let string = &load.parcel.string;
        let outcome = match (self.not_whole(file), self.run.dry_run) {
            (Some(foreseen), _) => foreseen.map(Rehearsal::as_written),
            (None, DryRun::No) => {
                self.asking(row, |may_go| deliver::write(file, string, may_go, &remembered))??
            }
            (None, DryRun::Yes) => self
                .asking(row, |may_go| self.rehearse(target, string, may_go))?
                .map(Rehearsal::as_written),
        };
        match outcome {
            Ok(Written::Already) if !row.is_behind() && row.drifted_since.is_none() => Ok(true),
            Ok(Written::Already | Written::Replaced) => {
                self.settled(delivered, load)?;
                Ok(true)
            }
            Ok(Written::Foreign) => {
                let now = self.run.now();
                self.run.store.note_drift(self.token, &target.id, Some(now))?;
                delivered.left_alone();
                Ok(false)
            }
            Err(fault) => {
                self.failed(delivered, &fault)?;
                Ok(false)
            }
        }
    }

    /// What becomes of a file that is not whole; none where there is nothing to wait for.
    pub(super) fn not_whole(&self, file: &FileTarget) -> Option<Result<Rehearsal, Fault>> {
        let half_written = self.deliveries.half_written(&file.path)?;
        match self.manner {
            Manner::Careful => Some(half_written.outcome.clone()),
            Manner::Forced => None,
        }
    }

    /// Lets `act` ask what may be overwritten; a store that cannot answer is the first to be told.
    pub(super) fn asking<T>(
        &self,
        row: &Delivery,
        act: impl FnOnce(&dyn Fn(Option<&Secret>) -> Consent) -> T,
    ) -> Result<T, StoreError> {
        let trouble: OnceCell<StoreError> = OnceCell::new();
        let done = act(&|found| {
            self.may_overwrite(row, found).unwrap_or_else(|error| {
                let _ = trouble.set(error);
                Consent::Refused
            })
        });
        trouble.into_inner().map_or(Ok(done), Err)
    }

    /// The first delivery overwrites what any token ever had, and what is plainly no value that is
    /// needed; after that only what this token had itself, or nothing, and not even that where the
    /// file was found to have gone its own way.
    fn may_overwrite(&self, row: &Delivery, found: Option<&Secret>) -> Result<Consent, StoreError> {
        let is_first = row.settled.is_none()
            && row.drifted_since.is_none()
            && row.half_written_since.is_none();
        let is_ours = match found {
            Some(found) if is_first => was_ever_had(&self.run.store, found)?,
            Some(found) => has_had(&self.run.store, self.token, found)?,
            None => true,
        };
        Ok(match self.manner {
            _ if is_first && is_ours => Consent::Given,
            _ if is_first => Consent::First,
            Manner::Forced => Consent::Given,
            Manner::Careful if row.drifted_since.is_none() && is_ours => Consent::Given,
            Manner::Careful => Consent::Refused,
        })
    }

    /// Runs a program at once if it serves this token alone; one that serves several is run once
    /// for all, when the others are done.
    fn command(&self, target: &Target, argv: &[String], load: &Load) -> Result<(), StoreError> {
        let hook = PendingHook {
            argv: argv.to_vec(),
            timeout: target.timeout,
            token: self.token,
            target: target.id.clone(),
            generation: load.current.id,
            parcel: load.parcel.clone(),
        };
        if self.deliveries.is_shared(argv) {
            self.deliveries.queue(hook);
            Ok(())
        } else {
            self.deliveries.run_hook(&[hook])
        }
    }

    /// A delivery that begins now, as the log tells it.
    pub(super) fn delivered<'t>(&'t self, target: &'t Target) -> Delivered<'t> {
        Delivered {
            label: &self.member.label,
            target: &target.id,
            dry_run: self.run.dry_run,
            began: Instant::now(),
        }
    }

    pub(super) fn settled(&self, delivered: Delivered<'_>, load: &Load) -> Result<(), StoreError> {
        let settlement = Settlement {
            token: self.token,
            target: delivered.target.clone(),
            generation: load.current.id,
        };
        self.run.store.settle(self.run.id, settlement, self.run.now())?;
        delivered.settled();
        Ok(())
    }

    pub(super) fn failed(&self, delivered: Delivered<'_>, fault: &Fault) -> Result<(), StoreError> {
        let (token, target) = (self.token, delivered.target.clone());
        let failure = DeliveryFailure { token, target, problem: problem(fault) };
        let now = self.run.now();
        self.run.store.note_delivery_failure(self.run.id, failure, now)?;
        delivered.failed(fault);
        Ok(())
    }
}

fn is_dead(current: &Generation) -> bool {
    current.proof.as_ref().is_some_and(|proof| proof.inspection.valid == Some(false))
}

/// A delivery that failed, as the store remembers it: with the step that recovers it, for the
/// store has no place of its own for that.
pub(super) fn problem(fault: &Fault) -> Problem {
    let message = match &fault.hint {
        Some(hint) => format!("{}; {hint}", fault.message),
        None => fault.message.clone(),
    };
    Problem::new(ProblemKind::Unknown, message).with_action(Action::Retry)
}

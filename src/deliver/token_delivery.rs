//! Delivers a token to its targets.

use std::cell::OnceCell;
use std::time::Instant;

use super::context::{DeliveryContext, DeliveryRecord, has_had};
use super::deliveries::Deliveries;
use super::error::DeliveryError;
use super::file::{self, Consent, Written, sample_token};
use super::foreign::{ForeignToken, NextDelivery, SharedFiles, is_dead};
use super::half_written::StoreMemory;
use super::hook::HookInput;
use super::hook_queue::{PendingHook, still_running};
use super::preview::{Preview, TargetPreview, preview};
use crate::config::{FileTarget, Place, Target, TokenConfig};
use crate::store::StoreError;
use crate::token::{AccessToken, Delivery, DryRun, Generation, Secret, TargetId, TokenId};

/// What a delivery may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// What the token had before.
    Own,
    /// Whatever is there: `deliver --force`.
    Anything,
}

/// What the delivery of a new access token would come to.
#[derive(Debug, Default)]
pub struct ForeseenDelivery {
    /// The targets that would get it.
    pub reached: Vec<TargetId>,
    /// The programs that would wait for a file above them.
    pub waiting: Vec<TargetId>,
}

/// Delivers one token to its targets.
pub struct TokenDelivery<'a> {
    deliveries: &'a Deliveries<'a>,
    context: &'a DeliveryContext<'a>,
    token_config: &'a TokenConfig,
    token: TokenId,
    replace: Replace,
}

impl<'a> Deliveries<'a> {
    /// Delivers one token.
    pub const fn of_token(
        &'a self,
        token_config: &'a TokenConfig,
        token: TokenId,
        replace: Replace,
    ) -> TokenDelivery<'a> {
        TokenDelivery { deliveries: self, context: &self.context, token_config, token, replace }
    }
}

/// What is delivered.
struct Payload {
    current: Generation,
    access_token: AccessToken,
    /// What people call the Page, where Graph told.
    page_name: Option<String>,
}

impl TokenDelivery<'_> {
    /// Returns the access tokens in the token's files that another program or a person put there.
    pub fn foreign_tokens(&self) -> Result<Vec<ForeignToken>, StoreError> {
        self.files().foreign_tokens(|target, file| {
            self.is_contested(target) || self.deliveries.is_half_written(&file.path)
        })
    }

    /// Ends the drift of those targets whose files hold the current access token.
    pub fn end_drift(&self) -> Result<(), StoreError> {
        let store = self.context.store;
        let credential = store.credential(self.token)?;
        for target in &self.token_config.deliver {
            let row = credential.deliveries.iter().find(|row| row.target == target.id);
            let (Some(_), Place::File(file)) =
                (row.and_then(|row| row.drifted_since), &target.place)
            else {
                continue;
            };
            let found = file::read_value(file).ok().flatten();
            let found = found.and_then(|found| AccessToken::parse(found.expose()).ok());
            let found = found.map(|found| store.fingerprint(&found)).transpose()?;
            if found.is_some() && found == credential.current.as_ref().map(|it| it.fingerprint) {
                store.note_drift(self.token, &target.id, None)?;
            }
        }
        Ok(())
    }

    const fn files(&self) -> SharedFiles<'_> {
        let Self { context, token_config, token, .. } = *self;
        SharedFiles { context, token_config, token }
    }

    /// Delivers the current access token to every target that has not got it.
    ///
    /// A dead one is not delivered anywhere: what a file holds may be better.
    pub fn deliver(&self) -> Result<(), StoreError> {
        let targets = &self.token_config.deliver;
        if targets.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = targets.iter().map(|target| target.id.clone()).collect();
        self.context.store.set_pending(self.token, &ids, self.context.time.now())?;
        let changed = self.deliveries.places.changed(self.token, targets);
        if !changed.is_empty() {
            self.context.store.note_places(&changed)?;
        }
        let credential = self.context.store.credential(self.token)?;
        let Some(current) = credential.current.clone() else {
            return self.preview_with_a_sample();
        };
        if is_dead(&current) {
            return Ok(());
        }
        let access_token = self.context.store.reveal(current.id)?;
        let payload = Payload { current, access_token, page_name: credential.name.clone() };
        let mut held_up = false;
        for target in targets {
            let Some(row) = credential.deliveries.iter().find(|row| row.target == target.id) else {
                continue;
            };
            match &target.place {
                Place::File(_) if self.is_contested(target) => held_up = true,
                Place::File(file) => {
                    held_up |= !self.deliver_to_file(target, file, row, &payload)?;
                }
                Place::Command(_) if self.context.dry_run == DryRun::Yes => {
                    self.preview_command(target, row, &payload, held_up)?;
                }
                Place::Command(_) if row.pending.is_none() || held_up => {}
                Place::Command(argv) => self.deliver_to_command(target, argv, &payload)?,
            }
        }
        Ok(())
    }

    /// Whether the target became another's as ids were filled in: it is left alone.
    fn is_contested(&self, target: &Target) -> bool {
        self.deliveries.contest(&self.token_config.label, &target.id).is_some()
    }

    /// Writes the access token into a file, and says whether it is there afterwards.
    fn deliver_to_file(
        &self,
        target: &Target,
        file: &FileTarget,
        row: &Delivery,
        payload: &Payload,
    ) -> Result<bool, StoreError> {
        let memory = StoreMemory {
            store: self.context.store,
            token: self.token,
            target: &target.id,
            path: &file.path,
            generation: Some(payload.current.id),
            now: self.context.time.now(),
        };
        let record = self.record(target);
        let Payload { access_token, current, .. } = payload;
        let outcome = match (self.not_whole(target, file), self.context.dry_run) {
            (Some(preview), _) => preview.map(Preview::into_written),
            (None, DryRun::No) => self.asking(file, row, current, |may_replace| {
                file::write(file, access_token, may_replace, &memory)
            })??,
            (None, DryRun::Yes) => self
                .asking(file, row, current, |may_replace| {
                    self.preview(target, access_token, may_replace)
                })?
                .map(Preview::into_written),
        };
        match outcome {
            Ok(Written::Already) if !row.is_behind() && row.drifted_since.is_none() => Ok(true),
            Ok(Written::Already | Written::Replaced) => {
                record.settled(payload.current.id)?;
                Ok(true)
            }
            Ok(Written::Foreign) => {
                record.left_alone()?;
                Ok(false)
            }
            Err(error) => {
                record.failed(&error)?;
                Ok(false)
            }
        }
    }

    /// What becomes of a file that is not whole; none where there is nothing to wait for.
    fn not_whole(
        &self,
        target: &Target,
        file: &FileTarget,
    ) -> Option<Result<Preview, DeliveryError>> {
        let half_written =
            self.deliveries.half_written.holding_up(self.token, &target.id, &file.path)?;
        match self.replace {
            Replace::Anything if half_written.may_be_forced(self.context, file) => None,
            Replace::Own | Replace::Anything => Some(half_written.outcome.clone()),
        }
    }

    /// Lets `act` ask what may be overwritten; a store that cannot answer is the first to be told.
    fn asking<T>(
        &self,
        file: &FileTarget,
        row: &Delivery,
        current: &Generation,
        act: impl FnOnce(&dyn Fn(Option<&Secret>) -> Consent) -> T,
    ) -> Result<T, StoreError> {
        let trouble: OnceCell<StoreError> = OnceCell::new();
        let done = act(&|found| {
            self.may_overwrite(file, row, current, found).unwrap_or_else(|error| {
                let _ = trouble.set(error);
                Consent::Refused
            })
        });
        trouble.into_inner().map_or(Ok(done), Err)
    }

    /// The first delivery replaces what any token ever had, and what is plainly no value that is
    /// needed; after that only what this token had itself, or nothing, and not even that where the
    /// file has drifted.
    fn may_overwrite(
        &self,
        file: &FileTarget,
        row: &Delivery,
        current: &Generation,
        found: Option<&Secret>,
    ) -> Result<Consent, StoreError> {
        let Some(found) = found else {
            let is_given = self.replace == Replace::Anything || row.drifted_since.is_none();
            return Ok(if is_given { Consent::Given } else { Consent::Refused });
        };
        if NextDelivery::to(Some(row)) == NextDelivery::First {
            return self.files().first_consent(file, found, current);
        }
        Ok(match self.replace {
            Replace::Anything => Consent::Given,
            Replace::Own if row.drifted_since.is_some() => Consent::Refused,
            Replace::Own if has_had(self.context.store, self.token, found)? => Consent::Given,
            Replace::Own => Consent::Refused,
        })
    }

    /// Runs a program at once if it serves this token alone; one that serves several is run once
    /// for all, when the others are done.
    fn deliver_to_command(
        &self,
        target: &Target,
        argv: &[String],
        payload: &Payload,
    ) -> Result<(), StoreError> {
        let hook = PendingHook {
            argv: argv.to_vec(),
            timeout: target.timeout,
            token: self.token,
            target: target.id.clone(),
            generation: payload.current.id,
            input: self.hook_input(payload)?,
        };
        self.deliveries.hooks.submit(self.context, hook)
    }

    /// What a program is told of it.
    fn hook_input(&self, payload: &Payload) -> Result<HookInput, StoreError> {
        let Payload { current, access_token, page_name } = payload;
        let arrival = self.context.store.arrival(self.token, current.id)?;
        Ok(HookInput {
            label: self.token_config.label.clone(),
            token_type: self.token_config.token_type,
            event: arrival.unwrap_or_else(|| current.origin.into()),
            expiry: current.expiry,
            fingerprint: current.fingerprint,
            generation: current.number,
            page_name: page_name.clone(),
            access_token: access_token.clone(),
        })
    }

    /// A delivery to a target that begins now.
    fn record<'t>(&'t self, target: &'t Target) -> DeliveryRecord<'t> {
        DeliveryRecord {
            context: self.context,
            token: self.token,
            label: &self.token_config.label,
            target: &target.id,
            began: Instant::now(),
        }
    }
}

impl TokenDelivery<'_> {
    /// Tries every target with a plainly fake access token, where a dry run has no real one.
    fn preview_with_a_sample(&self) -> Result<(), StoreError> {
        if self.context.dry_run == DryRun::No {
            return Ok(());
        }
        for target in self.token_config.deliver.iter().filter(|it| !self.is_contested(it)) {
            let record = self.record(target);
            if let Err(error) = self.preview(target, &sample_token(), &|_| Consent::First) {
                record.failed(&error)?;
            }
        }
        Ok(())
    }

    /// A dry run does not run a program; that it is there is seen whether anything is pending or not.
    fn preview_command(
        &self,
        target: &Target,
        row: &Delivery,
        payload: &Payload,
        held_up: bool,
    ) -> Result<(), StoreError> {
        let record = self.record(target);
        let preview = match self.left_behind(target)? {
            Some(error) if row.pending.is_some() => Err(error),
            _ => self.preview(target, &payload.access_token, &|_| Consent::Given),
        };
        match preview {
            Err(error) => record.failed(&error),
            Ok(_) if row.pending.is_some() && !held_up => record.settled(payload.current.id),
            Ok(_) => Ok(()),
        }
    }

    /// The failure of a target's program that an interrupted run left behind, if it still runs.
    fn left_behind(&self, target: &Target) -> Result<Option<DeliveryError>, StoreError> {
        match &target.place {
            Place::File(_) => Ok(None),
            Place::Command(argv) => still_running(self.context, self.token, &target.id, argv),
        }
    }

    /// Tries a delivery to one target without doing it.
    fn preview(
        &self,
        target: &Target,
        access_token: &AccessToken,
        may_replace: &dyn Fn(Option<&Secret>) -> Consent,
    ) -> Result<Preview, DeliveryError> {
        let path = self.context.environment.get("PATH");
        preview(target, access_token, may_replace, path)
    }

    /// Foresees the delivery of a new access token, which only the real run has.
    pub fn foresee_a_new_one(&self) -> Result<ForeseenDelivery, StoreError> {
        let mut foreseen = ForeseenDelivery::default();
        let mut held_up = false;
        for TargetPreview { target, outcome } in self.preview_all()? {
            match outcome {
                Ok(Preview::Run) if held_up => foreseen.waiting.push(target),
                Ok(Preview::Foreign) | Err(_) => held_up = true,
                Ok(_) => foreseen.reached.push(target),
            }
        }
        Ok(foreseen)
    }

    /// Says what a delivery of the current access token would do to each target, in the config's order.
    pub fn preview_all(&self) -> Result<Vec<TargetPreview>, StoreError> {
        let credential = self.context.store.credential(self.token)?;
        let access_token = match &credential.current {
            Some(current) => self.context.store.reveal(current.id)?,
            None => sample_token(),
        };
        let try_one = |target: &Target, file: &FileTarget, row: &Delivery| match &credential.current
        {
            Some(current) => self.asking(file, row, current, |may_replace| {
                self.preview(target, &access_token, may_replace)
            }),
            None => Ok(self.preview(target, &access_token, &|_| Consent::First)),
        };
        let preview = |target: &Target| {
            let known = credential.deliveries.iter().find(|row| row.target == target.id);
            let row = known.cloned().unwrap_or_else(|| Delivery::unseen(target.id.clone()));
            let contest = self.deliveries.contest(&self.token_config.label, &target.id);
            let outcome = match &target.place {
                Place::File(file) => {
                    match contest.map(Err).or_else(|| self.not_whole(target, file)) {
                        Some(outcome) => outcome,
                        None => try_one(target, file, &row)?,
                    }
                }
                Place::Command(_) => match self.left_behind(target)? {
                    Some(error) => Err(error),
                    None => self.preview(target, &access_token, &|_| Consent::Given),
                },
            };
            Ok(TargetPreview { target: target.id.clone(), outcome })
        };
        self.token_config.deliver.iter().map(preview).collect()
    }
}

//! Holds the refresh of one token: what the store knows of it, and what has happened so far.
//!
//! Every step of it starts here: it has the store change the token, and knows the token from then
//! on as the store gives it back.

use chrono::TimeDelta;

use super::Run;
use super::job::TokenJob;
use super::outcome::OutcomeBuilder;
use super::refresh_run::RefreshRun;
use super::tokens::TokenConfig;
use crate::deliver::{Replace, TokenDelivery};
use crate::error::CliError;
use crate::graph::{App, CallError};
use crate::policy::next_try;
use crate::store::{ExtendedExpiry, GrantRoom, Setback, Store, StoreError};
use crate::token::{
    Credential, EventKind, Expiry, Fingerprint, Generation, GenerationId, Label, Problem, Source,
    Time,
};

/// The refresh of one token.
pub struct TokenRun<'a> {
    /// What the run is about.
    pub refresh: &'a RefreshRun<'a>,
    /// The open run.
    pub run: &'a Run<'a>,
    /// The token and, for a Page, the listing of its parent's Pages.
    pub job: &'a TokenJob,
    /// The token's config.
    pub token: &'a TokenConfig,
    /// What the store knows: read once, and replaced by what each change gives back.
    pub credential: Credential,
    /// What has happened so far.
    pub outcome: OutcomeBuilder,
    /// When the token expired before this refresh.
    pub old_expiry: Expiry,
    /// Whether the config's access token was looked at again because the current one is dead.
    pub has_looked_again: bool,
}

/// Whether there is more to do for this token in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Decide again.
    Decide,
    /// Nothing more.
    Stop,
}

impl<'a> TokenRun<'a> {
    /// Reads what the store knows of the token.
    pub fn load(refresh: &'a RefreshRun<'a>, job: &'a TokenJob) -> Result<Self, CliError> {
        let (run, token) = (refresh.run, &*job.token);
        let credential = run.store.credential(run.token_id(&token.label)?)?;
        let credential = with_another_app(run, token, credential)?;
        let old_expiry =
            credential.current.as_ref().map_or(Expiry::Unknown, |current| current.expiry);
        Ok(Self {
            refresh,
            run,
            job,
            token,
            credential,
            outcome: OutcomeBuilder::new(),
            old_expiry,
            has_looked_again: false,
        })
    }

    /// Has the store change the token, and knows it from then on as the store gives it back.
    pub fn change(
        &mut self,
        verb: impl FnOnce(&Store, Credential) -> Result<Credential, StoreError>,
    ) -> Result<(), StoreError> {
        self.credential = verb(&self.run.store, self.credential.clone())?;
        Ok(())
    }

    /// Does some steps; where the disk is full they end, and the token goes on to its targets, and
    /// the run to its other tokens.
    pub fn unless_full(
        &mut self,
        steps: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let done = steps(self);
        self.bear_full(done).map(drop)
    }

    fn bear_full<T>(&mut self, done: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        let borne = self.run.bear_full(done)?;
        if borne.is_none() {
            self.outcome.disk_is_full();
            // What was written before the disk was full did not come back.
            self.credential = self.run.store.credential(self.credential.id)?;
        }
        Ok(borne)
    }

    /// Takes room on the disk for what Meta may grant; without it Meta is not asked.
    pub fn room(&mut self) -> Result<Option<GrantRoom>, StoreError> {
        let room = self.run.store.room_for_grant();
        self.bear_full(room)
    }

    /// Reads the app that speaks for this token.
    pub fn app(&self) -> Result<App, CallError> {
        self.run.app(&self.token.app).map_err(CallError::of_token)
    }

    /// Reads what the store knows of the parent now: another worker may have renewed it meanwhile.
    pub fn parent(&self) -> Result<Option<Credential>, StoreError> {
        let Some(parent) = self.token.parent.as_ref().and_then(|it| self.run.known_id(it)) else {
            return Ok(None);
        };
        self.run.store.credential(parent).map(Some)
    }

    /// Whether it is a Page's and has no parent that could give a new access token.
    pub fn has_no_giver(&self) -> bool {
        matches!(self.token.token_type.spec().source, Source::Parent(_))
            && self.token.parent.is_none()
    }

    /// Names the parent.
    pub fn parent_label(&self) -> String {
        self.token.parent.as_ref().map_or_else(String::new, Label::to_string)
    }

    /// Opens the deliveries to this token's targets.
    pub fn delivery(&self) -> TokenDelivery<'_> {
        self.refresh.deliveries.of_token(self.token, self.credential.id, Replace::Own)
    }

    /// Whether Meta granted the candidate that waits, or it was handed over.
    pub fn has_granted_candidate(&self) -> bool {
        self.credential.candidate.as_ref().is_some_and(|candidate| !candidate.is_found())
    }

    /// Whether a generation was inspected within the token's `verify_every`.
    pub fn is_checked_lately(&self, generation: &Generation) -> bool {
        let now = self.run.now();
        generation
            .proof
            .as_ref()
            .is_some_and(|proof| proof.at <= now && now - proof.at < self.token.policy.verify_every)
    }

    /// Records that the current access token lives on.
    pub fn extend(&mut self, extension: ExtendedExpiry) -> Result<(), StoreError> {
        let (run, now) = (self.run.id, self.run.now());
        self.change(|store, credential| store.extend(run, credential, extension, now))
    }

    /// Records a failed attempt: what the next run finds, and when it tries again.
    pub fn note_failure(&mut self, problem: &Problem, expiry: Expiry) -> Result<(), StoreError> {
        self.note_failure_and_wait(problem, expiry, TimeDelta::zero())
    }

    /// Records a failed attempt, and no new one before Meta's own time is over.
    pub fn note_failure_and_wait(
        &mut self,
        problem: &Problem,
        expiry: Expiry,
        wait: TimeDelta,
    ) -> Result<(), StoreError> {
        let next = self.next_try(problem, expiry).max(self.run.now() + wait);
        self.set_back(problem, Some(next))
    }

    /// Records that a Page could not be derived with this generation of its parent, and when it is
    /// tried with it again.
    pub fn note_not_derived(
        &mut self,
        problem: &Problem,
        expiry: Expiry,
        refused_by: Option<GenerationId>,
    ) -> Result<(), StoreError> {
        let not_before = Some(self.next_try(problem, expiry));
        let (event, problem) = (Some(EventKind::RefreshFailed), Some(problem.clone()));
        self.record(Setback { event, generation: None, problem, not_before, refused_by })
    }

    fn next_try(&self, problem: &Problem, expiry: Expiry) -> Time {
        let failures = self.credential.attempts.consecutive_failures.saturating_add(1);
        next_try(problem, failures, expiry, self.run.now())
    }

    /// Records a failed attempt, and when the next one may be made.
    fn set_back(&mut self, problem: &Problem, not_before: Option<Time>) -> Result<(), StoreError> {
        self.record(Setback {
            event: Some(EventKind::RefreshFailed),
            generation: None,
            problem: Some(problem.clone()),
            not_before,
            refused_by: None,
        })
    }

    /// Records with which id and secret of the app a person is called: with others the next attempt is
    /// made at once.
    pub fn note_failed_with(&mut self, problem: &Problem) -> Result<(), StoreError> {
        if !problem.action.needs_a_person() {
            return Ok(());
        }
        let app = fingerprint_of_app(self.run, self.token)?;
        if self.credential.attempts.failed_with == app {
            return Ok(());
        }
        self.change(|store, credential| store.note_failed_with(credential, app))
    }

    /// Records what sets the token back.
    pub fn record(&mut self, setback: Setback) -> Result<(), StoreError> {
        let (run, now) = (self.run.id, self.run.now());
        let problem = setback.problem.clone();
        self.change(|store, credential| store.note_setback(run, credential, setback, now))?;
        problem.map_or(Ok(()), |problem| self.note_failed_with(&problem))
    }

    /// Names in the history what an earlier run asked Meta for and did not live to seal.
    pub fn note_interrupted(&mut self) -> Result<(), StoreError> {
        let (run, now) = (self.run.id, self.run.now());
        self.change(|store, credential| store.note_interrupted(run, credential, now))
    }
}

/// Ends the pause after an attempt that failed with another id or secret of the app than it has now: a
/// person has fixed them.
fn with_another_app(
    run: &Run<'_>,
    token: &TokenConfig,
    credential: Credential,
) -> Result<Credential, StoreError> {
    let attempts = &credential.attempts;
    let waits = attempts.problem.as_ref().is_some_and(|problem| problem.action.needs_a_person());
    if !waits || attempts.not_before.is_none() {
        return Ok(credential);
    }
    let is_the_same = attempts.failed_with == fingerprint_of_app(run, token)?;
    if is_the_same { Ok(credential) } else { run.store.end_pause(credential) }
}

/// Gives what stands for the id and secret of a token's app; nothing where they cannot be read.
fn fingerprint_of_app(
    run: &Run<'_>,
    token: &TokenConfig,
) -> Result<Option<Fingerprint>, StoreError> {
    let app = run.app(&token.app).ok();
    app.map(|app| run.store.fingerprint_of_app(&app.id, app.secret.as_ref())).transpose()
}

//! Puts the backup of a token in its place.
//!
//! The backup's access token becomes the token's current one in one transaction, in which the backup
//! loses it: no kill leaves it to both, or to neither. Graph is asked about it before.

use std::time::Instant;

use super::Run;
use super::candidate::{Candidates, IdentityChange, IfRefused};
use super::inspect::{inspect, wrong_app};
use super::log;
use super::refresh_run::RefreshRun;
use super::tokens::{TokenConfig, subject};
use crate::deliver::{Deliveries, Replace};
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::CallError;
use crate::policy::{
    Contest, Current, Death, Losses, Promote, cause, end_the_old_one, judge_handed_over,
    promotes_backup, quote, remedy, replace_it, table,
};
use crate::report::TokenResult;
use crate::store::{BackupPromotion, Predecessor, Remains, StoreError};
use crate::token::{Credential, DryRun, Generation, Label, Outcome, Problem, Proof};

/// Puts the backup of a token in its place, and delivers it to the token's files.
pub fn promote_backup(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    token: &TokenConfig,
) -> Result<TokenResult, CliError> {
    let began = Instant::now();
    let before = run.store.credential(run.token_id(&token.label)?)?;
    let promotion = Reserve::of(run, token, before)?;
    let Some(held) = promotion.held()? else {
        // An earlier run was cut short: only the targets may lack it.
        promotion.deliver(deliveries)?;
        let reason = format!("it has the access token of `{}` already", promotion.backup.label);
        return promotion.result(Outcome::Verified, reason, began);
    };
    let proof = promotion.ask(&held)?;
    let outlived = promotion.put_in_place(&held, proof.clone())?;
    promotion.deliver(deliveries)?;
    let label = &promotion.backup.label;
    let from = format!("the access token of `{label}`");
    let outlived = outlived.map(|old| {
        let subject = subject(token, Some(&promotion.before), None);
        run.hint(end_the_old_one(&subject, old));
        format!("generation {old} works on until it is revoked")
    });
    let said: Vec<String> =
        std::iter::once(from).chain(promotion.moved(&proof)).chain(outlived).collect();
    promotion.result(Outcome::Promoted, said.join("; "), began)
}

/// Puts the backups of dead tokens in their places, where the config lets a run do that; replaces their
/// results, and gives their labels. What keeps a backup from it leaves the token as it is.
pub fn promote_dead(
    refresh: &RefreshRun<'_>,
    results: &mut [TokenResult],
) -> Result<Vec<Label>, CliError> {
    let run = refresh.run;
    let mut promoted = Vec::new();
    for result in results {
        // A Page that was just found has no table, and no backup.
        let Some(token) = run.session.config.token(&result.label) else { continue };
        if !is_promoted_now(run, token)? || run.out_of_time().is_some() {
            continue;
        }
        let _about = log::about(&token.label);
        match promote_backup(run, &refresh.deliveries, token) {
            Ok(done) => {
                promoted.push(token.label.clone());
                *result = done;
            }
            Err(error) if matches!(error.exit, Exit::Storage | Exit::Bug) => return Err(error),
            // It is logged, and stands in the verdict on the backup.
            Err(_) => {}
        }
    }
    Ok(promoted)
}

fn is_promoted_now(run: &Run<'_>, token: &TokenConfig) -> Result<bool, CliError> {
    if token.policy.promote != Promote::Auto || token.backup.is_none() {
        return Ok(false);
    }
    let credential = run.store.credential(run.token_id(&token.label)?)?;
    let Some(current) = &credential.current else { return Ok(false) };
    let Some(dead) = run.store.dead_token(credential.id, current.id)? else { return Ok(false) };
    let death = Death {
        first_heard: (!dead.by_this_run).then_some(dead.since),
        promoted_at: dead.promoted_at,
    };
    Ok(promotes_backup(&run.subject(token, &credential, None), death, run.moment()))
}

/// The promotion of one backup.
struct Reserve<'a> {
    run: &'a Run<'a>,
    token: &'a TokenConfig,
    /// The config of the backup.
    backup: &'a TokenConfig,
    /// What the store knew of the token before anything was changed.
    before: Credential,
    /// What it knew of the backup.
    spare: Credential,
}

impl<'a> Reserve<'a> {
    fn of(run: &'a Run<'a>, token: &'a TokenConfig, before: Credential) -> Result<Self, CliError> {
        let Some(label) = &token.backup else { return Err(without_backup(run, token)) };
        let backup = run.tokens.one(label)?;
        let spare = run.store.credential(run.token_id(label)?)?;
        Ok(Self { run, token, backup, before, spare })
    }

    /// The access token of the backup; none where the token has it already.
    fn held(&self) -> Result<Option<Generation>, CliError> {
        let label = &self.backup.label;
        if let Some(current) = &self.spare.current {
            let past = self.run.store.past(self.spare.id)?;
            let itself = past.into_iter().find(|it| it.id == current.id);
            if itself.is_some_and(|it| it.remains == Remains::Revoked) {
                let refused = self.refused("revoked", format!("`{label}` was revoked here"));
                return Err(self.or_a_new_one(refused));
            }
            return Ok(Some(current.clone()));
        }
        if self.spare.is_lost() {
            let message = format!("not promoted: `{label}` is damaged in the store");
            return Err(CliError::new(
                Exit::Storage,
                "damaged",
                self.token.label.as_str(),
                message,
            )
            .hint(format!("`metatoken status {label}` shows how it is repaired")));
        }
        if self.spare.given_to.as_ref() == Some(&self.token.label) && self.has_it()? {
            return Ok(None);
        }
        let refused = self.refused("no_backup", format!("`{label}` has no access token"));
        Err(self.or_a_new_one(refused))
    }

    /// Whether the current access token is one that the backup had.
    fn has_it(&self) -> Result<bool, CliError> {
        let Some(current) = &self.before.current else { return Ok(false) };
        let sightings = self.run.store.sightings(&current.fingerprint)?;
        Ok(sightings.iter().any(|it| it.token == self.spare.id))
    }

    /// Asks Graph about the backup's access token as if it were this token's; what it answers is kept
    /// in any case.
    fn ask(&self, held: &Generation) -> Result<Proof, CliError> {
        let app = self.run.app(&self.token.app).map_err(CallError::of_token);
        let app = app.map_err(|error| self.not_answered(&error))?;
        let access_token = self.run.store.reveal(held.id).map_err(|error| match error {
            StoreError::Damaged(..) => {
                let message =
                    format!("not promoted: `{}` is damaged in the store", self.backup.label);
                CliError::new(Exit::Storage, "damaged", self.token.label.as_str(), message).hint(
                    format!("`metatoken status {}` shows how it is repaired", self.backup.label),
                )
            }
            other => other.into(),
        })?;
        let inspection = inspect(&self.run.graph, &app, &access_token);
        let inspection = inspection.map_err(|error| match wrong_app(&error, &app.name) {
            Some(problem) => self.unfit(&problem),
            None => self.not_answered(&error),
        })?;
        let candidates = Candidates {
            run: self.run,
            token: self.token,
            app_id: Some(app.id),
            parent: None,
            if_refused: IfRefused::Told,
            identity: IdentityChange::Accepted,
        };
        let expected = candidates.expected_identity(&self.before)?;
        let contest =
            Contest { current: Current::Gone, ..candidates.contest(&expected, &self.before) };
        let now = self.run.now();
        let verdict = judge_handed_over(&inspection, Losses::Accepted, &contest, now).problem();
        let proof = Proof { at: now, inspection };
        let (id, spare) = (self.run.id, self.spare.clone());
        match verdict {
            None => Ok(proof),
            Some(problem) => {
                self.run.store.note_proof(id, spare, held.id, proof)?;
                Err(self.unfit(&problem))
            }
        }
    }

    /// Makes it the token's current one, which the backup loses; gives the number of the one that works
    /// on beside it.
    fn put_in_place(&self, held: &Generation, proof: Proof) -> Result<Option<u32>, CliError> {
        let candidates = Candidates {
            run: self.run,
            token: self.token,
            app_id: None,
            parent: None,
            if_refused: IfRefused::Told,
            identity: IdentityChange::Accepted,
        };
        let predecessor = candidates.predecessor(&self.before);
        let promotion = BackupPromotion {
            backup: held.id,
            proof,
            predecessor,
            pending_for: self.token.deliver.iter().map(|target| target.id.clone()).collect(),
        };
        let (id, before) = (self.run.id, self.before.clone());
        self.run.store.promote_backup(id, before, promotion, self.run.now())?;
        let old = self.before.current.as_ref().map(|current| current.number);
        Ok(old.filter(|_| predecessor == Predecessor::Watched))
    }

    fn deliver(&self, deliveries: &Deliveries<'_>) -> Result<(), CliError> {
        let delivery = deliveries.of_token(self.token, self.before.id, Replace::Own);
        self.run.bear_full(delivery.deliver())?;
        Ok(())
    }

    /// Says whose it is now, if it is another's than before.
    fn moved(&self, proof: &Proof) -> Option<String> {
        let before = self.before.current.as_ref()?.proof.as_ref()?;
        let before = before.inspection.identity.user_id.as_ref()?;
        let now = proof.inspection.identity.user_id.as_ref()?;
        (before != now).then(|| format!("it belongs to user {now} now, and not to {before}"))
    }

    fn result(
        &self,
        outcome: Outcome,
        reason: String,
        began: Instant,
    ) -> Result<TokenResult, CliError> {
        // Its targets were served meanwhile.
        let credential = self.run.store.credential(self.before.id)?;
        let outcome = match self.run.dry_run {
            DryRun::No => outcome,
            DryRun::Yes => outcome.rehearsed(),
        };
        let (label, token_type) = (self.token.label.clone(), self.token.token_type);
        let result = TokenResult::of(label, token_type, outcome, reason)
            .moving(self.before.current.as_ref(), credential.current.as_ref());
        log::refreshed(&result, began);
        Ok(result)
    }

    fn refused(&self, code: &'static str, message: impl Into<String>) -> CliError {
        let message = format!("not promoted: {}", message.into());
        CliError::new(Exit::InputRefused, code, self.token.label.as_str(), message)
    }

    /// Says that the backup is dead, or not what the token needs, and what helps the backup.
    fn unfit(&self, problem: &Problem) -> CliError {
        log::not_taken(&self.token.label, problem);
        let subject = subject(self.backup, Some(&self.spare), None);
        let message = format!("`{}`: {}", self.backup.label, cause(problem, &subject));
        let refused = self.refused(problem.kind.as_str(), message);
        let refused = match quote(problem) {
            quote if quote.is_empty() => refused,
            quote => refused.because(anyhow::anyhow!("Meta says {quote}")),
        };
        match remedy(problem, &subject) {
            remedy if remedy.is_empty() => refused,
            remedy => refused.hint(remedy.to_string()),
        }
    }

    fn or_a_new_one(&self, refused: CliError) -> CliError {
        let subject = subject(self.backup, Some(&self.spare), None);
        refused.hint(replace_it(&subject).to_string())
    }

    fn not_answered(&self, error: &CallError) -> CliError {
        log::not_taken(&self.token.label, &error.problem);
        let problem = &error.problem;
        let refused = CliError::new(
            Exit::for_problem(problem),
            problem.kind.as_str(),
            self.token.label.as_str(),
            format!("not promoted: {problem}"),
        );
        let refused = if problem.action.needs_a_person() {
            let subject = subject(self.token, Some(&self.before), None);
            refused.hint(remedy(problem, &subject).to_string())
        } else {
            refused
        };
        refused.hint("nothing was changed: run the same again later")
    }
}

/// Says that a token has no backup; where it is one itself, what was meant.
fn without_backup(run: &Run<'_>, token: &TokenConfig) -> CliError {
    let label = &token.label;
    let message = "not promoted: it has no `backup`";
    let refused = CliError::new(Exit::InputRefused, "no_backup", label.as_str(), message);
    let mut others = run.tokens.configs.iter();
    match others.find(|other| other.backup.as_ref() == Some(label)) {
        Some(primary) => refused
            .hint(format!("it is the backup of `{0}`: run `metatoken promote {0}`", primary.label)),
        None => refused.hint(format!(
            "set `backup` of {} to the label of a token that is kept in reserve",
            table(label)
        )),
    }
}

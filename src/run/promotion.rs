//! Puts the backup of a token in its place.
//!
//! The backup's access token becomes the token's current one in one transaction, in which the backup
//! loses it: no kill leaves it to both, or to neither. Graph is asked about it before. Where a run finds
//! a token dead and does not replace it, it asks about the backup all the same: nobody is sent to a
//! backup that died with it.

use super::Run;
use super::inspect::inspect;
use super::log;
use super::refresh_run::RefreshRun;
use super::replacement::{Fitness, TokenReplacement};
use super::tokens::{TokenConfig, subject};
use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::{
    Backup, Death, Parent, Promote, Subject, judge, promotes_backup, put_back, remedy, replace_it,
    table,
};
use crate::report::TokenResult;
use crate::store::{BackupPromotion, Predecessor, Remains, StoreError};
use crate::token::{Action, Credential, Generation, Label, Outcome, Problem, Proof};

/// Puts the backup of a token in its place, and delivers it to the token's files.
pub fn promote_backup(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    token: &TokenConfig,
) -> Result<TokenResult, CliError> {
    let promotion = Reserve::of(TokenReplacement::begin(run, token, "not promoted")?)?;
    let backup = &promotion.backup.label;
    let Some(held) = promotion.held()? else {
        // An earlier run was cut short: only the targets may lack it.
        promotion.of.deliver(deliveries)?;
        let reason = format!("it has the access token of `{backup}` already");
        return promotion.of.result(Outcome::Verified, &reason);
    };
    let proof = promotion.ask(&held)?;
    let outlived = promotion.put_in_place(&held, proof.clone())?;
    promotion.of.deliver(deliveries)?;
    let from = format!("the access token of `{backup}`");
    promotion.of.put_in_place(Outcome::Promoted, from, &proof, outlived)
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

/// Names the remedies of dead tokens anew, now that it is known which of their backups work.
pub fn name_backups(refresh: &RefreshRun<'_>, results: &mut [TokenResult]) -> Result<(), CliError> {
    let run = refresh.run;
    let is_dead = |result: &&mut TokenResult| {
        result.problem.as_ref().is_some_and(|it| it.action == Action::Reauthenticate)
    };
    let mut dead: Vec<(&TokenConfig, &mut TokenResult)> = Vec::new();
    for result in results.iter_mut().filter(is_dead) {
        // A Page that was just found has none.
        if let Some(token) = run.tokens.with_backup(&result.label) {
            dead.push((token, result));
        }
    }
    // The Pages come after their parents, whose backups help them, too.
    for (token, _) in &dead {
        ask_about_backup(run, token)?;
    }
    dead.into_iter().try_for_each(|(token, result)| name_anew(run, token, result))
}

/// Asks Graph about the backup of a dead token, unless this run has; what it answers is kept.
fn ask_about_backup(run: &Run<'_>, token: &TokenConfig) -> Result<(), CliError> {
    let Some(Backup { label, .. }) = run.tokens.backup_of(&token.label) else { return Ok(()) };
    let (Some(id), Some(config)) = (run.known_id(label), run.session.config.token(label)) else {
        return Ok(());
    };
    let spare = run.store.credential(id)?;
    let Some(current) = spare.current.clone() else { return Ok(()) };
    let started = run.moment().run_started;
    let is_known = current.proof.as_ref().is_some_and(|proof| proof.at >= started);
    if is_known || run.out_of_time().is_some() {
        return Ok(());
    }
    let (Ok(app), Ok(access_token)) = (run.app(&config.app), run.store.reveal(current.id)) else {
        // What is wrong with either stands in the verdict on the backup.
        return Ok(());
    };
    let _about = log::about(label);
    // Without an answer its last verdict stands.
    if let Ok(inspection) = inspect(&run.graph, &app, &access_token) {
        let proof = Proof { at: run.now(), inspection };
        let noted = run.store.note_proof(run.id, spare, current.id, proof);
        run.bear_full(noted)?;
    }
    Ok(())
}

/// Names the remedies of one token by what is known of its backup, and of its parent's, now.
fn name_anew(run: &Run<'_>, token: &TokenConfig, result: &mut TokenResult) -> Result<(), CliError> {
    let read = |label: &Label| run.known_id(label).map(|id| run.store.credential(id)).transpose();
    let Some(own) = read(&token.label)? else { return Ok(()) };
    let parent = token.parent.as_ref().map(read).transpose()?.flatten();
    let then = run.subject(token, &own, parent.as_ref());
    let parents = then.parent.and_then(|parent| parent.backup);
    let spare = then.backup.map(|it| read(it.label)).transpose()?.flatten();
    let parents_spare = parents.map(|it| read(it.label)).transpose()?.flatten();
    let backup = then.backup.map(|it| Backup { credential: spare.as_ref(), ..it });
    let parents = parents.map(|it| Backup { credential: parents_spare.as_ref(), ..it });
    let parent = then.parent.map(|it| Parent { backup: parents, ..it });
    let now = Subject { parent, backup, ..then };
    if let Some(problem) = &result.problem {
        result.remedy = remedy(problem, &now);
    }
    let reasons = judge(&now, run.moment()).reasons;
    for issue in &mut result.issues {
        if let Some(same) = reasons.iter().find(|it| it.code == issue.code) {
            issue.remedy = same.remedy.clone();
        }
    }
    Ok(())
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
    of: TokenReplacement<'a>,
    /// The config of the backup.
    backup: &'a TokenConfig,
    /// What the store knew of the backup before anything was changed.
    spare: Credential,
}

impl<'a> Reserve<'a> {
    fn of(of: TokenReplacement<'a>) -> Result<Self, CliError> {
        let Some(label) = &of.token.backup else { return Err(without_backup(&of)) };
        let backup = of.run.tokens.one(label)?;
        let spare = of.run.store.credential(of.run.token_id(label)?)?;
        Ok(Self { of, backup, spare })
    }

    /// The access token of the backup; none where the token has it already.
    fn held(&self) -> Result<Option<Generation>, CliError> {
        let label = &self.backup.label;
        if let Some(current) = &self.spare.current {
            let past = self.of.run.store.past(self.spare.id)?;
            let itself = past.into_iter().find(|it| it.id == current.id);
            if itself.is_some_and(|it| it.remains == Remains::Revoked) {
                let refused = self.of.refused("revoked", format!("`{label}` was revoked here"));
                return Err(self.or_a_new_one(refused));
            }
            return Ok(Some(current.clone()));
        }
        if self.spare.is_lost() {
            return Err(self.damaged());
        }
        let given_to = self.spare.given_to.as_ref();
        if given_to.is_some_and(|it| it.label == self.of.token.label) && self.has_it()? {
            return Ok(None);
        }
        let refused = self.of.refused("no_backup", format!("`{label}` has no access token"));
        Err(self.or_a_new_one(refused))
    }

    /// Whether the current access token is one that the backup had.
    fn has_it(&self) -> Result<bool, CliError> {
        let Some(current) = &self.of.before.current else { return Ok(false) };
        let sightings = self.of.run.store.sightings(&current.fingerprint)?;
        Ok(sightings.iter().any(|it| it.token == self.spare.id))
    }

    /// Asks Graph about the backup's access token as if it were this token's; what it answers is kept
    /// in any case.
    fn ask(&self, held: &Generation) -> Result<Proof, CliError> {
        let run = self.of.run;
        let app = self.of.app()?;
        let access_token = run.store.reveal(held.id).map_err(|error| match error {
            StoreError::Damaged(..) => self.damaged(),
            other => other.into(),
        })?;
        match self.of.ask(&app, &access_token)? {
            Fitness::Fits(proof) => Ok(proof),
            Fitness::Unfit(problem, proof) => {
                run.store.note_proof(run.id, self.spare.clone(), held.id, proof)?;
                Err(self.unfit(&problem))
            }
            Fitness::OfAnotherApp(problem) => Err(self.unfit(&problem)),
        }
    }

    /// Makes it the token's current one, which the backup loses; gives the number of the one that works
    /// on beside it.
    fn put_in_place(&self, held: &Generation, proof: Proof) -> Result<Option<u32>, CliError> {
        let TokenReplacement { run, token, before, .. } = &self.of;
        let predecessor = self.of.candidates().predecessor(before);
        let promotion = BackupPromotion {
            backup: held.id,
            proof,
            predecessor,
            pending_for: token.deliver.iter().map(|target| target.id.clone()).collect(),
        };
        run.store.promote_backup(run.id, before.clone(), promotion, run.now())?;
        let old = before.current.as_ref().map(|current| current.number);
        Ok(old.filter(|_| predecessor == Predecessor::Watched))
    }

    fn damaged(&self) -> CliError {
        let label = &self.backup.label;
        let message = format!("`{label}` is damaged in the store");
        let error = self.of.error(Exit::Storage, "damaged", &message);
        error.hint(format!("`metatoken status {label}` shows how it is repaired"))
    }

    /// Says that the backup is dead, or not what the token needs, and what helps the backup.
    fn unfit(&self, problem: &Problem) -> CliError {
        let which = format!("`{}`", self.backup.label);
        let refused = self.of.unfit(&which, problem, self.backup, &self.spare);
        let subject = subject(self.backup, Some(&self.spare), None);
        refused.hint(remedy(problem, &subject).to_string())
    }

    fn or_a_new_one(&self, refused: CliError) -> CliError {
        let subject = subject(self.backup, Some(&self.spare), None);
        let new_one = replace_it(&subject);
        refused.hint(put_back(&subject, subject.fallback(), &new_one).to_string())
    }
}

/// Says that a token has no backup; where it is one itself, what was meant.
fn without_backup(of: &TokenReplacement<'_>) -> CliError {
    let label = &of.token.label;
    let refused = of.refused("no_backup", "it has no `backup`");
    let mut others = of.run.tokens.configs.iter();
    match others.find(|other| other.backup.as_ref() == Some(label)) {
        Some(primary) => refused
            .hint(format!("it is the backup of `{0}`: run `metatoken promote {0}`", primary.label)),
        None => refused.hint(format!(
            "set `backup` of {} to the label of a token that is kept in reserve",
            table(label)
        )),
    }
}

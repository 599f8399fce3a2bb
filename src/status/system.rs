//! Judges the timer, the clock, the store and its key.

use chrono::TimeDelta;
use rustix::fs::Access;

use super::failed_run::failed_run;
use std::collections::HashMap;
use std::sync::Arc;

use crate::config::{Config, KeySetting, SecretSource};
use crate::policy::{
    ADOPTIONS_WITHIN, Clocks, Health, Reason, Runs, judge_adoptions, judge_fullness,
    judge_left_behind, judge_runs, judge_store, judge_window, merge,
};
use crate::report::LastRuns;
use crate::run::tokens::{TokenConfig, Tokens};
use crate::session::Session;
use crate::store::{AdoptionFrom, RunSummary, Store, StoreError};
use crate::token::{Credential, Delivery, Label, Time, TokenId};

/// How the import that did not run to its end is finished; nothing where the last one did.
pub fn unfinished_import(store: Option<&Store>) -> Option<String> {
    let import = store?.unfinished_import().ok()??;
    Some(format!("run `{import}` again, which finishes what it began"))
}

/// Judges the timer by its runs, and the clock by what Graph last said; a cause that several tokens
/// share is reported once.
pub fn judge_system(
    session: &Session,
    tokens: &Tokens,
    selected: &[TokenConfig],
    run_summary: &RunSummary,
    clocks: &Clocks,
) -> Vec<Reason> {
    let now = clocks.now();
    let windows = tokens.configs.iter().map(|member| member.policy.refresh_within);
    let runs = Runs {
        every: session.config.alerts.run_every,
        narrowest_window: windows.filter(|window| *window > TimeDelta::zero()).min(),
        first_began: run_summary.first_began,
        last_finished: run_summary.last_finished.as_ref().and_then(|run| run.finished_at),
        longest_gap: run_summary.longest_gap,
    };
    let subjects = selected.iter().map(|member| tokens.subject(member));
    let windows = merge(subjects.filter_map(|subject| judge_window(&subject, &runs)));
    let timer = failed_run(session, now).into_iter();
    let timer = timer.chain(judge_runs(&runs, now)).chain(windows);
    timer.chain(clocks.reason()).collect()
}

/// The last runs, for the report.
pub fn last_runs(run_summary: &RunSummary) -> LastRuns {
    let finished = run_summary.last_finished.as_ref();
    let success = run_summary.last_success.as_ref();
    LastRuns {
        started: run_summary.last.as_ref().map(|run| run.started_at),
        finished: finished.and_then(|run| run.finished_at),
        success: success.and_then(|run| run.finished_at),
        exit_code: run_summary.last_ended.as_ref().and_then(|run| run.exit_code),
    }
}

/// The half-written files whose targets the config no longer has.
pub fn left_half_written(
    config: &Config,
    tokens: &Tokens,
    credentials: &[Arc<Credential>],
    now: Time,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for credential in credentials {
        let Credential { label, deliveries, .. } = &**credential;
        for Delivery { target, half_written_since, .. } in deliveries {
            let Some(since) = *half_written_since else { continue };
            let is_of =
                |it: &&Arc<TokenConfig>| it.label == *label || it.was.as_ref() == Some(label);
            let mut named = config.tokens.iter().chain(&tokens.configs).filter(is_of);
            if !named.any(|token| token.deliver.iter().any(|it| it.id == *target)) {
                reasons.push(judge_left_behind(label, target, since, None, now));
            }
        }
    }
    reasons
}

/// A reason if the store's disk has no room for the next renewal.
pub fn fullness(tokens: &Tokens, store: &Store, now: Time) -> Option<Reason> {
    let how = store.shortage()?.to_string();
    let critical = tokens.critical(&tokens.configs, now);
    Some(judge_fullness(store.path(), &how, Vec::new(), &critical))
}

/// A reason for each place from which another program keeps bringing access tokens, by token.
pub fn other_renewers(
    tokens: &Tokens,
    store: &Store,
    now: Time,
) -> Result<HashMap<Label, Vec<Reason>>, StoreError> {
    let adoptions = store.adoptions_since(now - ADOPTIONS_WITHIN)?;
    let labels: HashMap<TokenId, &Label> = tokens
        .configs
        .iter()
        .filter_map(|token| Some((tokens.credential(&token.label)?.id, &token.label)))
        .collect();
    let alike = |one: &AdoptionFrom, other: &AdoptionFrom| {
        one.token == other.token && one.place == other.place
    };
    let mut reasons: HashMap<Label, Vec<Reason>> = HashMap::new();
    for from_one_place in adoptions.chunk_by(alike) {
        let AdoptionFrom { token, place, .. } = &from_one_place[0];
        let times: Vec<Time> = from_one_place.iter().map(|adoption| adoption.at).collect();
        if let Some(label) = labels.get(token) {
            let reason = judge_adoptions(label, place, &times, now);
            reasons.entry((*label).clone()).or_default().extend(reason);
        }
    }
    Ok(reasons)
}

/// A reason if something is damaged that belongs to no token, as far as it is known without a key.
pub fn damage(store: &Store, strays: Vec<&str>) -> Result<Option<Reason>, StoreError> {
    let examined = store.last_examination()?.map(|it| it.findings).unwrap_or_default();
    let findings = strays.into_iter().map(str::to_owned).chain(examined);
    Ok(judge_store(&findings.collect::<Vec<_>>()))
}

/// A reason if the store key is missing or does not open the store. A key that is not a file, or one
/// that this user may not read, gives none: a run that needs it says so itself.
pub fn key_problem(session: &Session, store: &Store) -> Option<Reason> {
    let (KeySetting::Beside(path) | KeySetting::Given(SecretSource::File { path, .. })) =
        &session.config.store.key
    else {
        return None;
    };
    // Not opened: it may be a pipe.
    match rustix::fs::access(path, Access::READ_OK) {
        Err(error) if error != rustix::io::Errno::NOENT => return None,
        _ => {}
    }
    let opened = session.key().and_then(|key| Ok(store.unlock(&key)?));
    let complaint = opened.err()?;
    let causes = complaint.causes.iter().map(|cause| format!(": {cause}"));
    let causes = causes.collect::<String>();
    let message = format!("{}: {}{causes}", complaint.subject, complaint.message);
    let step = complaint.hints.join("; ");
    Some(Reason::of_the_system(complaint.code, Health::Critical, message, step))
}

//! Refreshes tokens: parents before their Pages, the soonest to expire first.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::job::TokenJob;
use super::promotion::{name_backups, promote_dead};
use super::refresh_run::{Only, RefreshOptions, RefreshRun};
use super::tokens::TokenConfig;
use super::{DryRun, Run, RunOptions, app_check, log, outcome, pages, token, worker_pool};
use crate::error::CliError;
use crate::exit::Exit;
use crate::failpoint;
use crate::graph::Extent;
use crate::policy::{Decision, Insistence, Policy, Reason, judge_cut_list, judge_store};
use crate::report::{RunReport, TokenResult};
use crate::session::Session;
use crate::store::{Retention, StoreError};
use crate::token::{Label, Pattern};

/// How long the store is examined at the end of a run.
const PATIENCE: Duration = Duration::from_secs(5);
/// The code of an error over a row that cannot be read.
const DAMAGED: &str = "store_damaged";
/// How many planned renewals are recorded in one commit.
const RECORDED_AT_ONCE: usize = 256;

/// Refreshes every token that is meant, and delivers it.
pub fn refresh(run: &mut Run<'_>, options: &RefreshOptions) -> Result<RunReport, CliError> {
    run.load_tokens()?;
    let run = &*run;
    let refresh = RefreshRun::open(run, options)?;
    let jobs = refresh.jobs();
    refresh.record_attempts(&jobs)?;
    failpoint::reach("announced");
    let mut results = run.session.interrupt.guard(|| run.aborted(), || refresh.work(jobs))?;
    if options.only == Only::All {
        let promote = || {
            refresh.promote_backups(&mut results)?;
            name_backups(&refresh, &mut results)
        };
        run.session.interrupt.guard(|| run.aborted(), promote)?;
    }
    let delivered = refresh.deliveries.run_pending_hooks();
    run.bear_full(delivered)?;
    run.add_deliveries(&refresh.deliveries, &mut results)?;
    if options.only == Only::All && options.patterns.is_empty() && run.dry_run == DryRun::No {
        let asked = app_check::ask_about_versions(run);
        run.bear_full(asked)?;
    }
    let purged = refresh.purge(&results);
    run.bear_full(purged)?;
    let examined = refresh.examine_store();
    let examined = run.bear_full(examined)?.flatten();
    let is_meant = |label: &Label| options.patterns.is_empty() || refresh.meant.contains(label);
    let contested = refresh.deliveries.contested_targets(is_meant);
    let unfinished = refresh.deliveries.unfinished_files(is_meant);
    Ok(RunReport {
        dry_run: run.dry_run == DryRun::Yes,
        started_at: run.started_at(),
        finished_at: run.now(),
        results: refresh.in_order(results),
        system: run
            .system()
            .into_iter()
            .chain(run.label_issues(&options.patterns))
            .chain(contested)
            .chain(unfinished)
            .chain(examined)
            .collect(),
    })
}

/// Refreshes more tokens after a command has dealt with its own, and adds to its report what it does
/// not report already.
pub fn add_refreshed(
    run: &mut Run<'_>,
    options: RunOptions,
    patterns: Vec<Pattern>,
    mut report: RunReport,
) -> Result<RunReport, CliError> {
    if patterns.is_empty() || run.session.interrupt.is_raised() {
        return Ok(report);
    }
    let options =
        RefreshOptions { run: options, patterns, insistence: Insistence::None, only: Only::All };
    let more = refresh(run, &options)?;
    let own: HashSet<Label> = report.results.iter().map(|result| result.label.clone()).collect();
    report.results.extend(more.results.into_iter().filter(|result| !own.contains(&result.label)));
    for reason in more.system {
        if !report.system.contains(&reason) {
            report.system.push(reason);
        }
    }
    report.finished_at = more.finished_at;
    Ok(report)
}

impl RefreshRun<'_> {
    /// What can start at once: everything meant but the Pages whose parents are meant too.
    fn jobs(&self) -> Vec<TokenJob> {
        let waits = |token: &TokenConfig| {
            token.parent.as_ref().is_some_and(|parent| self.meant.contains(parent))
        };
        let tokens = &self.run.tokens;
        tokens
            .configs
            .iter()
            .filter(|token| self.meant.contains(&token.label) && !waits(token))
            .map(|token| TokenJob::new(token.clone(), tokens.credential(&token.label), None))
            .collect()
    }

    /// Puts backups in the places of dead tokens, and derives the Pages of these anew.
    fn promote_backups(&self, results: &mut Vec<TokenResult>) -> Result<(), CliError> {
        let promoted = promote_dead(self, results)?;
        let tokens = &self.run.tokens;
        let pages = promoted.iter().flat_map(|label| tokens.pages_of(label));
        let jobs: Vec<TokenJob> = pages
            .map(|page| TokenJob::new(page.clone(), tokens.credential(&page.label), None))
            .collect();
        if jobs.is_empty() {
            return Ok(());
        }
        let anew = self.work(jobs)?;
        results.retain(|result| anew.iter().all(|page| page.label != result.label));
        results.extend(anew);
        Ok(())
    }

    /// Records every renewal that is planned, before the first request: a grant that is lost between
    /// Meta and our disk can then at least be named by the next run.
    ///
    /// What the disk has no room for is recorded when there is room for its grant.
    fn record_attempts(&self, jobs: &[TokenJob]) -> Result<(), StoreError> {
        let planned: Vec<_> = jobs
            .iter()
            .filter_map(|job| {
                let credential = self.run.tokens.credential(&job.token.label)?;
                let subject = self.run.tokens.subject(&job.token);
                let decision = self.decide(&job.token, &subject);
                matches!(decision, Decision::Renew(_)).then_some(credential.id)
            })
            .collect();
        for batch in planned.chunks(RECORDED_AT_ONCE) {
            if !self.run.store.has_room_to_announce(batch.len())? {
                break;
            }
            let recorded = self.run.record_attempts(batch);
            if self.run.bear_full(recorded)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Refreshes the tokens on worker threads.
    fn work(&self, jobs: Vec<TokenJob>) -> Result<Vec<TokenResult>, CliError> {
        let failed: Mutex<Option<CliError>> = Mutex::new(None);
        let Session { ui, interrupt, .. } = self.run.session;
        let bar = ui.progress(self.run.tokens.configs.len(), interrupt.flag());
        let held = Mutex::new(Vec::new());
        let act = |job: &TokenJob| {
            let done = self.refresh_with_pages(job).map(|(result, pages)| {
                if !self.waits_for_other_lists(&job.token) {
                    return (result, pages);
                }
                held.lock().unwrap_or_else(PoisonError::into_inner).extend(pages);
                (result, Vec::new())
            });
            done.unwrap_or_else(|complaint| {
                if complaint.exit == Exit::Storage && complaint.code == DAMAGED {
                    return (Some(job.met_damage(&complaint)), self.pages_of_damaged(job));
                }
                self.run.session.interrupt.raise();
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(complaint);
                (None, Vec::new())
            })
        };
        let workers = self.run.session.config.http.workers();
        let (mut results, mut panicked) = worker_pool::work(jobs, workers, act, |_| bar.inc(1));
        let held = std::mem::take(&mut *held.lock().unwrap_or_else(PoisonError::into_inner));
        if !held.is_empty() {
            let (later, bugs) = worker_pool::work(held, workers, act, |_| bar.inc(1));
            results.extend(later);
            panicked.extend(bugs);
        }
        bar.finish_and_clear();
        if let Some(complaint) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(complaint);
        }
        let panicked = panicked.iter().map(TokenJob::met_a_bug);
        Ok(results.into_iter().flatten().chain(panicked).collect())
    }

    /// Whether the Pages of this token wait until those of all others are known: where several parents
    /// share targets among their Pages, a Page of another may turn out to have the same target, and
    /// then both leave it alone.
    fn waits_for_other_lists(&self, token: &TokenConfig) -> bool {
        let shares = |token: &TokenConfig| !token.page_deliver.is_empty();
        let is_meant = |it: &TokenConfig| self.meant.contains(&it.label);
        let all = self.run.tokens.configs.iter();
        shares(token) && all.filter(|it| is_meant(it) && shares(it)).nth(1).is_some()
    }

    /// Refreshes one token, and gives the jobs for its Pages.
    fn refresh_with_pages(
        &self,
        job: &TokenJob,
    ) -> Result<(Option<TokenResult>, Vec<TokenJob>), CliError> {
        let (_about, began) = (log::about(&job.token.label), Instant::now());
        let mut result = token::refresh_token(self, job)?;
        let mut jobs = Vec::new();
        if self.has_pages(&job.token) {
            let following = pages::follow(self, &job.token)?;
            if let Some(error) = following.error {
                outcome::note_listing_error(&mut result, &error, &job.token);
            }
            if following.extent == Some(Extent::Cut) {
                result.issues.push(judge_cut_list(&job.token.label));
            }
            jobs = following.jobs;
        }
        log::refreshed(&result, began);
        Ok((Some(result), jobs))
    }

    /// The jobs for the Pages of a token with a row that cannot be read: theirs may be.
    fn pages_of_damaged(&self, job: &TokenJob) -> Vec<TokenJob> {
        if !self.has_pages(&job.token) {
            return Vec::new();
        }
        let tokens = &self.run.tokens;
        let pages = tokens.pages_of(&job.token.label);
        pages.map(|it| TokenJob::new(it.clone(), tokens.credential(&it.label), None)).collect()
    }

    /// Examines the store once a day, and says what is damaged.
    fn examine_store(&self) -> Result<Option<Reason>, StoreError> {
        if self.run.dry_run == DryRun::Yes || self.options.only != Only::All {
            return Ok(None);
        }
        let found = self.run.store.examine(self.run.session.clock.now(), PATIENCE)?;
        Ok(found.and_then(|found| judge_store(&found.findings)))
    }

    /// Purges old access tokens whose time is over; only by Graph's time, and not at all in a run
    /// that has not heard it.
    fn purge(&self, results: &[TokenResult]) -> Result<(), StoreError> {
        if self.run.graph.clock_skew().is_none() {
            return Ok(());
        }
        let refreshed: HashSet<&Label> = results.iter().map(|result| &result.label).collect();
        let limits: Vec<_> = self
            .run
            .tokens
            .configs
            .iter()
            .filter(|token| refreshed.contains(&token.label))
            .filter_map(|token| {
                let Policy { keep_generations, keep_for, .. } = token.policy;
                let keep = Retention { generations: keep_generations, at_least: keep_for };
                Some((self.run.known_id(&token.label)?, keep))
            })
            .collect();
        let now = self.run.now();
        self.run.store.purge(self.run.id, &limits, now)?;
        self.run.store.purge_events(now - self.run.session.config.store.keep_events).map(drop)
    }

    /// Sorts by the config's order, each parent followed by its Pages.
    fn in_order(&self, mut results: Vec<TokenResult>) -> Vec<TokenResult> {
        let declared = self.run.session.config.tokens.iter();
        let places: HashMap<&str, usize> =
            declared.enumerate().map(|(place, token)| (token.label.as_str(), place)).collect();
        results.sort_by_cached_key(|result| {
            let found_under = result.label.as_discovered().map(|(parent, _)| parent);
            let own = places.get(result.label.as_str());
            let place = own.or_else(|| places.get(found_under?)).copied();
            (place.unwrap_or(usize::MAX), found_under.is_some(), result.label.clone())
        });
        results
    }
}

//! `refresh`: the main job.
//!
//! The page below is the run as it happens. One token's way through it is `keeper`; `inquiry` asks
//! Graph about a string, `renew` and `derive` are the two ways to a new one, and what becomes of it is
//! `grant`; `rest` says why nothing is done. Pages are listed in `pages`; how the run ends, and whom it
//! tells, is `conclusion`.

mod conclusion;
mod derive;
mod diary;
mod grant;
mod inquiry;
mod keeper;
mod pages;
mod renew;
mod rest;
mod run;

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(in crate::commands) use diary::exit_for;
pub use run::{DryRun, Only, RefreshOrder};
pub(in crate::commands) use run::{Run, last_heard};

use self::conclusion::naming_the_critical;
use self::pages::Listing;
use super::Session;
use super::delivery;
use super::log;
use super::notify::Heartbeat;
use super::tokens::TokenConfig;
use super::worker_pool;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::failpoint;
use crate::policy::{Decision, Policy, Reason, judge_deliveries, judge_store};
use crate::report::{RunReport, TokenResult};
use crate::store::{Keep, StoreError};
use crate::token::{Action, Credential, Delivery, Label, Outcome, Problem, ProblemKind, Time};

/// How long the store is looked over at the end of a run.
const PATIENCE: Duration = Duration::from_secs(5);
/// The code of an error over a row that cannot be read.
const DAMAGED: &str = "store_damaged";

/// Renews what is due, verifies what was not proven lately, derives Pages.
pub fn refresh(session: &Session, order: &RefreshOrder) -> Result<Exit, Complaint> {
    let mut run = Run::open(session, order)
        .map_err(|why| naming_the_critical(session, why))
        .inspect_err(|why| Heartbeat::cannot_run(session, order, why))?;
    let heartbeat = Heartbeat::start(session, order);
    let mut report = run.run(order);
    let closed = run.close_over(&report);
    if let Err(error) = run.bear_full(closed) {
        report = Err(error.into());
    }
    if let Ok(report) = &mut report {
        report.system.extend(run.fullness(&report.results));
        run.tell(report);
    }
    heartbeat.end(&run, &report);
    run.show(report.map(|report| run.with_channel_troubles(report))?)
}

/// How many renewals are announced in one commit.
const ANNOUNCED_AT_ONCE: usize = 256;

impl Run<'_> {
    fn run(&mut self, order: &RefreshOrder) -> Result<RunReport, Complaint> {
        self.take_stock()?;
        let meant = self.meant(order)?;
        self.look_for_newcomers(&meant)?;
        let jobs = self.jobs(&meant);
        self.announce(&jobs)?;
        failpoint::reach("announced");
        let mut results = self.session.interrupt.guard(|| self.last_words(), || self.work(jobs))?;
        let delivered = self.run_pending_hooks();
        self.bear_full(delivered)?;
        self.account_for_deliveries(&mut results)?;
        let tidied = self.tidy(&results);
        self.bear_full(tidied)?;
        let examined = self.examine();
        let examined = self.bear_full(examined)?.flatten();
        Ok(RunReport {
            dry_run: self.dry_run == DryRun::Yes,
            started_at: self.started_at(),
            finished_at: self.now(),
            results: self.in_order(results),
            system: self.system().into_iter().chain(examined).collect(),
        })
    }

    /// The labels that this run is about: those that were typed, and the Pages of their parents.
    fn meant(&self, order: &RefreshOrder) -> Result<HashSet<Label>, Complaint> {
        let typed = self.tokens.select(&order.patterns)?;
        let pages = typed.iter().flat_map(|member| self.tokens.pages_of(&member.label));
        Ok(typed.iter().copied().chain(pages).map(|member| member.label.clone()).collect())
    }

    /// What can start at once: everything meant but the Pages whose parents are meant too.
    fn jobs(&self, meant: &HashSet<Label>) -> Vec<Job> {
        let waits = |member: &TokenConfig| {
            member.parent.as_ref().is_some_and(|parent| meant.contains(parent))
        };
        self.tokens
            .configs
            .iter()
            .filter(|member| meant.contains(&member.label) && !waits(member))
            .map(|member| Job::new(member.clone(), self.tokens.credential(&member.label), None))
            .collect()
    }

    /// Names in the store every renewal that is planned, before the first request: a grant that
    /// is lost between Meta and our disk can then at least be named by the next run.
    ///
    /// What the disk has no room for is announced when there is room for its grant.
    fn announce(&self, jobs: &[Job]) -> Result<(), StoreError> {
        let planned: Vec<_> = jobs
            .iter()
            .filter_map(|job| {
                let credential = self.tokens.credential(&job.member.label)?;
                let subject = self.tokens.subject(&job.member);
                let decision = self.only.narrow(self.decision(&job.member, &subject));
                matches!(decision, Decision::Renew(_)).then_some(credential.id)
            })
            .collect();
        for batch in planned.chunks(ANNOUNCED_AT_ONCE) {
            if !self.store.has_room_to_announce(batch.len())? {
                break;
            }
            let planned = self.plan(batch);
            if self.bear_full(planned)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Keeps every token, parents before their Pages, the soonest end first.
    fn work(&self, jobs: Vec<Job>) -> Result<Vec<TokenResult>, Complaint> {
        let failed: Mutex<Option<Complaint>> = Mutex::new(None);
        let bar = self.session.ui.progress(self.tokens.configs.len());
        let act = |job: &Job| {
            self.keep(job).unwrap_or_else(|complaint| {
                if complaint.exit == Exit::Storage && complaint.code == DAMAGED {
                    return (Some(damaged(&job.member, &complaint)), self.pages_without(job));
                }
                self.session.interrupt.raise();
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(complaint);
                (None, Vec::new())
            })
        };
        let workers = self.session.config.http.concurrency;
        let (results, panicked) = worker_pool::work(jobs, workers, act, |_| bar.inc(1));
        bar.finish_and_clear();
        if let Some(complaint) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(complaint);
        }
        let buried = panicked.iter().map(|job| bug(&job.member));
        Ok(results.into_iter().flatten().chain(buried).collect())
    }

    /// One token, and then the jobs for its Pages.
    fn keep(&self, job: &Job) -> Result<(Option<TokenResult>, Vec<Job>), Complaint> {
        let (_about, began) = (log::about(&job.member.label), Instant::now());
        let mut result = keeper::keep(self, &job.member, job.listing.as_deref())?;
        if job.member.parent.is_some() || self.only != Only::All {
            log::kept(&result, began);
            return Ok((Some(result), Vec::new()));
        }
        let following = pages::follow(self, &job.member)?;
        if let Some(fault) = following.fault {
            diary::blame(&mut result, &fault, &job.member);
        }
        log::kept(&result, began);
        Ok((Some(result), following.jobs))
    }

    /// The jobs for the Pages of a token that could not be kept: theirs may be.
    fn pages_without(&self, job: &Job) -> Vec<Job> {
        if job.member.parent.is_some() || self.only != Only::All {
            return Vec::new();
        }
        let pages = self.tokens.pages_of(&job.member.label);
        pages.map(|it| Job::new(it.clone(), self.tokens.credential(&it.label), None)).collect()
    }

    /// Looks the store over once a day, and says what is damaged.
    fn examine(&self) -> Result<Option<Reason>, StoreError> {
        if self.dry_run == DryRun::Yes || self.only != Only::All {
            return Ok(None);
        }
        let found = self.store.examine(self.session.clock.now(), PATIENCE)?;
        Ok(found.and_then(|found| judge_store(&found.findings)))
    }

    /// Wipes old strings whose time is over; only by Graph's time, and not at all in a run that has
    /// not heard it.
    fn tidy(&self, results: &[TokenResult]) -> Result<(), StoreError> {
        if self.graph.clock_skew().is_none() {
            return Ok(());
        }
        let kept: HashSet<&Label> = results.iter().map(|result| &result.label).collect();
        let limits: Vec<_> = self
            .tokens
            .configs
            .iter()
            .filter(|member| kept.contains(&member.label))
            .filter_map(|member| {
                let Policy { keep_generations, keep_for, .. } = member.policy;
                let keep = Keep { generations: keep_generations, at_least: keep_for };
                Some((self.known(&member.label)?, keep))
            })
            .collect();
        let now = self.now();
        self.store.purge(self.id, &limits, now)?;
        self.store.purge_events(now - self.session.config.store.keep_events).map(drop)
    }

    /// Adds to each result how its targets stand now that everything was brought that can be.
    pub(in crate::commands) fn account_for_deliveries(
        &self,
        results: &mut [TokenResult],
    ) -> Result<(), StoreError> {
        let delivered = self.tokens.configs.iter().filter(|member| !member.deliver.is_empty());
        let members: HashMap<&Label, &TokenConfig> =
            delivered.map(|member| (&member.label, member)).collect();
        for result in results {
            let Some(member) = members.get(&result.label) else { continue };
            let Some(token) = self.known(&result.label) else { continue };
            let credential = self.store.credential(token)?;
            result.deliveries = delivery::of_config(member, Some(&credential));
            result.standing.extend(judge_deliveries(&result.label, &result.deliveries, self.now()));
            if result.deliveries.iter().any(Delivery::is_behind) {
                result.exit = result.exit.or_worse(Exit::NotDelivered);
            }
        }
        Ok(())
    }

    /// The config's order, each parent followed by its Pages.
    fn in_order(&self, mut results: Vec<TokenResult>) -> Vec<TokenResult> {
        let declared = self.session.config.tokens.iter();
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

/// One token to keep.
#[derive(Debug, Clone)]
pub(super) struct Job {
    member: TokenConfig,
    ends: Option<Time>,
    listing: Option<Arc<Listing>>,
}

impl Job {
    fn new(member: TokenConfig, known: Option<&Credential>, listing: Option<Arc<Listing>>) -> Self {
        let ends = known.and_then(|known| known.current.as_ref()?.expiry.at());
        Self { member, ends, listing }
    }

    /// The soonest end is the greatest; without one the label decides, so that runs are alike.
    fn urgency(&self) -> (std::cmp::Reverse<Time>, std::cmp::Reverse<&Label>) {
        let never = chrono::DateTime::<chrono::Utc>::MAX_UTC;
        (std::cmp::Reverse(self.ends.unwrap_or(never)), std::cmp::Reverse(&self.member.label))
    }
}

impl Ord for Job {
    fn cmp(&self, other: &Self) -> Ordering {
        self.urgency().cmp(&other.urgency())
    }
}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Job {}

/// The result of a token whose worker met a bug.
fn bug(member: &TokenConfig) -> TokenResult {
    let problem =
        Problem::new(ProblemKind::Unknown, "metatoken met a bug while it worked on this token");
    let remedy = "report the place that was named on standard error".to_owned();
    not_kept(member, problem, remedy, Exit::Bug)
}

/// The result of a token of which a row was met that cannot be read.
fn damaged(member: &TokenConfig, complaint: &Complaint) -> TokenResult {
    let why = std::iter::once(&complaint.message).chain(&complaint.causes);
    let why = why.map(String::as_str).collect::<Vec<_>>().join(": ");
    let problem = Problem::new(ProblemKind::Unknown, why).with_action(Action::FixConfiguration);
    not_kept(member, problem, complaint.hints.join("; "), Exit::Storage)
}

fn not_kept(member: &TokenConfig, problem: Problem, remedy: String, exit: Exit) -> TokenResult {
    TokenResult {
        label: member.label.clone(),
        token_type: member.token_type,
        outcome: Outcome::Failed,
        reason: problem.message.clone(),
        old_expiry: crate::token::Expiry::Unknown,
        new_expiry: crate::token::Expiry::Unknown,
        generation: None,
        fingerprint: None,
        problem: Some(problem),
        remedy,
        exit,
        standing: Vec::new(),
        deliveries: Vec::new(),
    }
}

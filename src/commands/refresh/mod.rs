//! Refreshes tokens: the main command.
//!
//! The page below is the run as it happens. One token's way through it is `token`: `inspect`
//! inspects, `renew` and `derive` get a new access token, `candidate` examines it by `run::candidate`, and
//! `skip` says why nothing is done. `pages` lists Pages, and `finish` publishes how the run ended.

mod candidate;
mod derive;
mod finish;
mod inspect;
mod outcome;
mod pages;
mod renew;
mod skip;
mod token;

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::finish::{beat, is_watched, naming_the_critical, publish, with_channel_problems};
use self::pages::PageListing;
use crate::complaint::Complaint;
use crate::config::SecretSource;
use crate::deliver::Deliveries;
use crate::exit::Exit;
use crate::failpoint;
use crate::notify::Heartbeat;
use crate::policy::{
    Decision, Insistence, Policy, Reason, Renew, Skip, Subject, decide, judge_store, paced,
};
use crate::report::{RunReport, TokenResult};
use crate::run::configured_tokens::{self, ConfiguredToken};
use crate::run::log;
use crate::run::tokens::{TokenConfig, in_its_own_words};
use crate::run::worker_pool;
use crate::run::{DryRun, Run, RunOptions};
use crate::session::Session;
use crate::store::{Retention, StoreError};
use crate::token::{Action, Credential, Label, Outcome, Pattern, Problem, ProblemKind, Time};

/// How long the store is looked over at the end of a run.
const PATIENCE: Duration = Duration::from_secs(5);
/// The code of an error over a row that cannot be read.
const DAMAGED: &str = "store_damaged";

/// What was asked for.
#[derive(Debug)]
pub struct RefreshOrder {
    /// How the run is opened.
    pub run: RunOptions,
    /// The labels that were typed.
    pub patterns: Vec<Pattern>,
    /// How much the person insists.
    pub insistence: Insistence,
    /// Which decisions are carried out.
    pub only: Only,
}

/// Which decisions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// All.
    All,
    /// `exchange --stored`: only the exchange of short-lived strings.
    ShortLived,
}

impl Only {
    /// Leaves alone what was not asked for.
    pub(super) fn narrow(self, decision: Decision) -> Decision {
        match (self, &decision) {
            (Self::All, _)
            | (
                Self::ShortLived,
                Decision::Renew(Renew::ShortLived { .. } | Renew::PerhapsShortLived),
            ) => decision,
            (Self::ShortLived, _) => Decision::Skip(Skip::NotShortLived),
        }
    }
}

/// Renews what is due, verifies what was not proven lately, derives Pages.
pub fn refresh(session: &Session, order: &RefreshOrder) -> Result<Exit, Complaint> {
    let mut run = Run::open(session, order.run)
        .map_err(|why| naming_the_critical(session, why))
        .inspect_err(|why| {
            if is_watched(order) {
                Heartbeat::cannot_run(session, why);
            }
        })?;
    let heartbeat = is_watched(order).then(|| Heartbeat::start(session));
    let mut report = refresh_all(&mut run, order);
    let closed = run.close_over(&report);
    if let Err(error) = run.bear_full(closed) {
        report = Err(error.into());
    }
    if let Ok(report) = &mut report {
        report.system.extend(run.fullness(&report.results));
        publish(&run, order, report);
    }
    if let Some(heartbeat) = heartbeat {
        heartbeat.end(session, &run.store, run.id, beat(&report), run.now());
    }
    run.show(report.map(|report| with_channel_problems(&run, order, report))?)
}

/// How many renewals are announced in one commit.
const ANNOUNCED_AT_ONCE: usize = 256;

/// Refreshes every token that is meant, and delivers it.
fn refresh_all(run: &mut Run<'_>, order: &RefreshOrder) -> Result<RunReport, Complaint> {
    run.load_tokens()?;
    let run = &*run;
    let deliveries = run.deliveries()?;
    let mut refresh = RefreshRun { run, order, deliveries, configured: HashMap::new() };
    let meant = refresh.meant()?;
    refresh.configured = refresh.configured_tokens(&meant)?;
    let jobs = refresh.jobs(&meant);
    refresh.announce(&jobs)?;
    failpoint::reach("announced");
    let mut results = run.session.interrupt.guard(|| run.aborted(), || refresh.work(jobs))?;
    let delivered = refresh.deliveries.run_pending_hooks();
    run.bear_full(delivered)?;
    run.add_deliveries(&mut results)?;
    let purged = refresh.purge(&results);
    run.bear_full(purged)?;
    let examined = refresh.examine();
    let examined = run.bear_full(examined)?.flatten();
    let is_meant = |label: &Label| order.patterns.is_empty() || meant.contains(label);
    let unfinished = refresh.deliveries.unfinished_files(is_meant);
    Ok(RunReport {
        dry_run: run.dry_run == DryRun::Yes,
        started_at: run.started_at(),
        finished_at: run.now(),
        results: refresh.in_order(results),
        system: run.system().into_iter().chain(unfinished).chain(examined).collect(),
    })
}

/// What the workers of one refresh share.
struct RefreshRun<'a> {
    run: &'a Run<'a>,
    order: &'a RefreshOrder,
    deliveries: Deliveries<'a>,
    configured: HashMap<Label, ConfiguredToken>,
}

impl RefreshRun<'_> {
    /// Reads the new access tokens that the config points to, for these labels. A half-written file
    /// has none.
    fn configured_tokens(
        &self,
        labels: &HashSet<Label>,
    ) -> Result<HashMap<Label, ConfiguredToken>, Complaint> {
        let is_whole = |member: &&TokenConfig| match &member.access_token {
            Some(SecretSource::File { path, .. }) => !self.deliveries.is_half_written(path),
            _ => true,
        };
        let members =
            self.run.tokens.configs.iter().filter(|member| labels.contains(&member.label));
        let members = members.map(AsRef::as_ref);
        let meant: Vec<&TokenConfig> = members.filter(is_whole).collect();
        let is_lost =
            |label: &Label| self.run.tokens.credential(label).is_some_and(Credential::is_lost);
        configured_tokens::read_all(self.run.session, &meant, &self.run.store, is_lost)
    }

    /// A new access token for this token, or why there is none to read.
    pub fn configured_token(&self, label: &Label) -> Option<&ConfiguredToken> {
        self.configured.get(label)
    }

    /// What is to be done with a token now.
    pub fn decision(&self, member: &TokenConfig, subject: &Subject<'_>) -> Decision {
        let (insistence, moment) = (self.insistence_on(subject.label), self.run.moment());
        match in_its_own_words(decide(subject, insistence, moment), subject) {
            rest @ Decision::Skip(_) => rest,
            act => paced(act, subject, self.budget_used(member), insistence, moment),
        }
    }

    /// How much of its app's calls are used up, in percent, as far as this run was told.
    fn budget_used(&self, member: &TokenConfig) -> Option<u64> {
        self.run.graph.budget_used(&self.run.app(&member.app).ok()?)
    }

    /// How much the person insists on this token: only on those that were named.
    pub fn insistence_on(&self, label: &Label) -> Insistence {
        if self.order.patterns.iter().any(|pattern| pattern.matches(label)) {
            self.order.insistence
        } else {
            Insistence::None
        }
    }

    /// The labels that this run is about: those that were typed, and the Pages of their parents.
    fn meant(&self) -> Result<HashSet<Label>, Complaint> {
        let typed = self.run.tokens.select(&self.order.patterns)?;
        let pages = typed.iter().flat_map(|member| self.run.tokens.pages_of(&member.label));
        Ok(typed.iter().copied().chain(pages).map(|member| member.label.clone()).collect())
    }

    /// What can start at once: everything meant but the Pages whose parents are meant too.
    fn jobs(&self, meant: &HashSet<Label>) -> Vec<TokenJob> {
        let waits = |member: &TokenConfig| {
            member.parent.as_ref().is_some_and(|parent| meant.contains(parent))
        };
        self.run
            .tokens
            .configs
            .iter()
            .filter(|member| meant.contains(&member.label) && !waits(member))
            .map(|member| {
                TokenJob::new(member.clone(), self.run.tokens.credential(&member.label), None)
            })
            .collect()
    }

    /// Names in the store every renewal that is planned, before the first request: a grant that
    /// is lost between Meta and our disk can then at least be named by the next run.
    ///
    /// What the disk has no room for is announced when there is room for its grant.
    fn announce(&self, jobs: &[TokenJob]) -> Result<(), StoreError> {
        let planned: Vec<_> = jobs
            .iter()
            .filter_map(|job| {
                let credential = self.run.tokens.credential(&job.member.label)?;
                let subject = self.run.tokens.subject(&job.member);
                let decision = self.order.only.narrow(self.decision(&job.member, &subject));
                matches!(decision, Decision::Renew(_)).then_some(credential.id)
            })
            .collect();
        for batch in planned.chunks(ANNOUNCED_AT_ONCE) {
            if !self.run.store.has_room_to_announce(batch.len())? {
                break;
            }
            let planned = self.run.record_attempts(batch);
            if self.run.bear_full(planned)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Keeps every token, parents before their Pages, the soonest end first.
    fn work(&self, jobs: Vec<TokenJob>) -> Result<Vec<TokenResult>, Complaint> {
        let failed: Mutex<Option<Complaint>> = Mutex::new(None);
        let bar = self.run.session.ui.progress(self.run.tokens.configs.len());
        let act = |job: &TokenJob| {
            self.keep(job).unwrap_or_else(|complaint| {
                if complaint.exit == Exit::Storage && complaint.code == DAMAGED {
                    return (Some(damaged(&job.member, &complaint)), self.pages_without(job));
                }
                self.run.session.interrupt.raise();
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(complaint);
                (None, Vec::new())
            })
        };
        let workers = self.run.session.config.http.concurrency;
        let (results, panicked) = worker_pool::work(jobs, workers, act, |_| bar.inc(1));
        bar.finish_and_clear();
        if let Some(complaint) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(complaint);
        }
        let buried = panicked.iter().map(|job| bug(&job.member));
        Ok(results.into_iter().flatten().chain(buried).collect())
    }

    /// One token, and then the jobs for its Pages.
    fn keep(&self, job: &TokenJob) -> Result<(Option<TokenResult>, Vec<TokenJob>), Complaint> {
        let (_about, began) = (log::about(&job.member.label), Instant::now());
        let mut result = token::refresh_token(self, &job.member, job.listing.as_deref())?;
        if job.member.parent.is_some() || self.order.only != Only::All {
            log::kept(&result, began);
            return Ok((Some(result), Vec::new()));
        }
        let following = pages::follow(self, &job.member)?;
        if let Some(fault) = following.fault {
            outcome::blame(&mut result, &fault, &job.member);
        }
        log::kept(&result, began);
        Ok((Some(result), following.jobs))
    }

    /// The jobs for the Pages of a token that could not be kept: theirs may be.
    fn pages_without(&self, job: &TokenJob) -> Vec<TokenJob> {
        if job.member.parent.is_some() || self.order.only != Only::All {
            return Vec::new();
        }
        let pages = self.run.tokens.pages_of(&job.member.label);
        pages
            .map(|it| TokenJob::new(it.clone(), self.run.tokens.credential(&it.label), None))
            .collect()
    }

    /// Looks the store over once a day, and says what is damaged.
    fn examine(&self) -> Result<Option<Reason>, StoreError> {
        if self.run.dry_run == DryRun::Yes || self.order.only != Only::All {
            return Ok(None);
        }
        let found = self.run.store.examine(self.run.session.clock.now(), PATIENCE)?;
        Ok(found.and_then(|found| judge_store(&found.findings)))
    }

    /// Wipes old strings whose time is over; only by Graph's time, and not at all in a run that has
    /// not heard it.
    fn purge(&self, results: &[TokenResult]) -> Result<(), StoreError> {
        if self.run.graph.clock_skew().is_none() {
            return Ok(());
        }
        let kept: HashSet<&Label> = results.iter().map(|result| &result.label).collect();
        let limits: Vec<_> = self
            .run
            .tokens
            .configs
            .iter()
            .filter(|member| kept.contains(&member.label))
            .filter_map(|member| {
                let Policy { keep_generations, keep_for, .. } = member.policy;
                let keep = Retention { generations: keep_generations, at_least: keep_for };
                Some((self.run.known(&member.label)?, keep))
            })
            .collect();
        let now = self.run.now();
        self.run.store.purge(self.run.id, &limits, now)?;
        self.run.store.purge_events(now - self.run.session.config.store.keep_events).map(drop)
    }

    /// The config's order, each parent followed by its Pages.
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

/// One token to keep.
#[derive(Debug, Clone)]
pub struct TokenJob {
    member: Arc<TokenConfig>,
    ends: Option<Time>,
    listing: Option<Arc<PageListing>>,
}

impl TokenJob {
    fn new(
        member: impl Into<Arc<TokenConfig>>,
        known: Option<&Credential>,
        listing: Option<Arc<PageListing>>,
    ) -> Self {
        let ends = known.and_then(|known| known.current.as_ref()?.expiry.at());
        Self { member: member.into(), ends, listing }
    }

    /// The soonest end is the greatest; without one the label decides, so that runs are alike.
    fn urgency(&self) -> (std::cmp::Reverse<Time>, std::cmp::Reverse<&Label>) {
        let never = chrono::DateTime::<chrono::Utc>::MAX_UTC;
        (std::cmp::Reverse(self.ends.unwrap_or(never)), std::cmp::Reverse(&self.member.label))
    }
}

impl Ord for TokenJob {
    fn cmp(&self, other: &Self) -> Ordering {
        self.urgency().cmp(&other.urgency())
    }
}

impl PartialOrd for TokenJob {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for TokenJob {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for TokenJob {}

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
        issues: Vec::new(),
        deliveries: Vec::new(),
    }
}

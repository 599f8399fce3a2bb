//! Opens a run: takes the lock, opens the store, and reads the tokens.
//!
//! A command that changes something waits for its `turn`, and works with one [`Run`]: the lock, the
//! store, the client for Graph and the [`Tokens`]. Its files:
//!
//! - One refresh. [`refresh`] refreshes all tokens that a `refresh_run` is about, on the threads of
//!   `worker_pool`, a `job` a token. **One token's way is the page `token`**: it settles candidates
//!   (`sealed_earlier`), adopts what is found outside (`found`, `exchange_found`, `adopt_again`), and then
//!   inspects, renews (`renew`), derives (`derive`), mints (`mint_expired`) or skips (`skip`) it, and
//!   asks its `probe`. `token_run` is what these share, `outcome` gathers what happened.
//! - A new access token. `inspect` asks Graph about it, `candidate` seals, promotes and refuses it,
//!   `examine` compares it with the current one.
//! - A person's commands, opened by `command_run`. `handed_over` takes access tokens that a person hands
//!   over (`intake` is the taking of one, `exchanging` has Meta make it long-lived, `make_current` puts
//!   it in place), `login` invites to Meta's dialog, `minting` has Meta make one in an admin's name,
//!   `revocation` ends them at Meta, `imported` takes over those of another program. `rollback` puts an earlier one back (`earlier` finds it) and
//!   `promotion` a backup in its token's place, each as a `replacement`. `declaration` plans how a
//!   command declares a token, `hangs_on` finds what hangs on a person, `in_use` hands out the access
//!   token in use.
//! - What is there. `tokens` joins config and store, `declared` compares their labels,
//!   `configured_tokens` reads what the config points to. `apps` reads the Meta apps, `app_check` asks
//!   Meta about them. `pages` and `reached_pages` list Pages.
//! - The end. `finish` writes down how the run ended, and `log` tells what was done.

mod adopt_again;
pub mod app_check;
pub mod apps;
pub mod candidate;
mod command_run;
pub mod configured_tokens;
pub mod declaration;
pub mod declared;
mod derive;
mod earlier;
mod examine;
mod exchange_found;
mod exchanging;
mod finish;
pub mod found;
pub mod handed_over;
pub mod hangs_on;
pub mod imported;
pub mod in_use;
pub mod inspect;
pub mod intake;
mod job;
pub mod log;
pub mod login;
pub mod login_pages;
mod make_current;
mod mint_expired;
pub mod minting;
mod outcome;
mod pages;
mod probe;
pub mod promotion;
pub mod reached_pages;
mod refresh;
mod refresh_run;
mod renew;
mod replacement;
pub mod revocation;
pub mod rollback;
mod sealed_earlier;
mod settle;
mod skip;
mod token;
mod token_run;
pub mod tokens;
mod turn;
pub mod worker_pool;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::TimeDelta;

pub use self::command_run::{add_pages_of, in_a_run};
use self::declared::last_reading;
pub use self::finish::{hint, targets_of, with_prefix};
pub use self::refresh::{add_refreshed, refresh};
pub use self::refresh_run::{Only, RefreshOptions};
use self::tokens::{TokenConfig, Tokens};
pub use self::turn::{RunOptions, RunTurn};
use crate::deliver::{Deliveries, DeliveryContext, RunTime};
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{App, Graph};
use crate::policy::{
    Clocks, LastHeard, Moment, Reason, Repair, Subject, humanize, judge, judge_repaired,
    judge_store,
};
use crate::session::Session;
use crate::store::{Enrolment, Repaired, RunId, RunRow, Store, StoreError, StoredTokens};
pub use crate::token::DryRun;
use crate::token::{
    AttemptKind, Credential, Label, OpenAttempt, Pattern, Problem, ProblemKind, Time, TokenId,
};
use crate::ui::Verbosity;

/// Refuses labels that match nothing, before a run begins. A store that cannot be read is the run's
/// trouble.
pub fn refuse_unknown(session: &Session, patterns: &[Pattern]) -> Result<(), CliError> {
    if patterns.is_empty() {
        return Ok(());
    }
    let Ok(store) = session.reader() else { return Ok(()) };
    let credentials = store.as_ref().map_or_else(|| Ok(Vec::new()), Store::credentials);
    let last = last_reading(&session.config, store.as_ref());
    let (Ok(credentials), Ok(last)) = (credentials, last) else { return Ok(()) };
    Tokens::new(&session.config, credentials, &last).select(patterns).map(drop)
}

/// Gives the two clocks at the end of the run that last heard Graph.
pub fn last_heard(run: Option<&RunRow>) -> Option<LastHeard> {
    let run = run?;
    let (graph, skew) = (run.finished_at?, run.clock_skew?);
    Some(LastHeard { graph, host: graph + skew })
}

/// An open run: everything that its workers share.
pub struct Run<'a> {
    /// The config, the clock, the ways to the outside.
    pub session: &'a Session,
    /// The store, or its copy in a dry run.
    pub store: Store,
    /// The client for Graph.
    pub graph: Graph,
    /// The row of this run.
    pub id: RunId,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
    /// The tokens, as they were when they were loaded.
    pub tokens: Tokens,
    newly_undeclared: Option<Reason>,
    damage: Option<Reason>,
    repaired: Vec<Repaired>,
    ids: Mutex<HashMap<Label, TokenId>>,
    full: Mutex<Option<StoreError>>,
    /// By the host's clock.
    host_started_at: Time,
    last_heard: Option<LastHeard>,
    began: Instant,
    /// The lock is held as long as the run lives.
    _turn: &'a RunTurn,
}

impl<'a> Run<'a> {
    /// Opens the store and records the run.
    pub fn open(
        turn: &'a RunTurn,
        session: &'a Session,
        options: RunOptions,
    ) -> Result<Self, CliError> {
        let store = turn.open_store(session)?;
        session.interrupt.listen();
        let host = session.clock.now();
        let last_heard = last_heard(store.last_heard()?.as_ref());
        let graph = session.graph();
        let mut clocks = Clocks { host, heard: None, last: last_heard };
        // Nothing may be decided by a clock that is in doubt; a delivery asks Meta for nothing, and so
        // do `forget` and `key`.
        if clocks.is_in_doubt() && !matches!(options.command, "deliver" | "forget" | "key") {
            if let Some(app) = session.config.apps.first() {
                graph.ask_the_time(app.kind);
            }
            clocks.heard = graph.clock_skew();
        }
        let started_at = clocks.now();
        let id = store.begin_run(options.command, options.trigger, started_at)?;
        Ok(Self {
            session,
            graph,
            id,
            dry_run: options.dry_run,
            tokens: Tokens::default(),
            newly_undeclared: None,
            damage: None,
            repaired: Vec::new(),
            ids: Mutex::new(HashMap::new()),
            full: Mutex::default(),
            host_started_at: host,
            last_heard,
            began: Instant::now(),
            store,
            _turn: turn,
        })
    }

    /// Enrols what the config declares, and reads what the store knows.
    pub fn load_tokens(&mut self) -> Result<(), CliError> {
        let repaired = self.store.repair(self.session.clock.now())?;
        let declared = Tokens::declared(&self.session.config);
        self.enrol(declared.map(AsRef::as_ref), |_| None)?;
        self.repaired = repaired;
        self.survey()?;
        let config = &self.session.config;
        let labels = self.tokens.declared_labels();
        if labels.record(config, &self.store, self.moment())? {
            self.newly_undeclared = labels.judge_undeclared(config, self.moment());
        }
        self.name_interrupted_of_undeclared()
    }

    /// Names what an earlier run asked Meta for and did not live to seal, to the person and in the
    /// history.
    pub fn name_interrupted(&self, credential: Credential) -> Result<Credential, StoreError> {
        self.warn_of_interrupted(credential, "")
    }

    /// Names the same of the tokens that the config does not declare: no refresh looks at them.
    fn name_interrupted_of_undeclared(&self) -> Result<(), CliError> {
        let interrupted = self.store.interrupted_attempts()?;
        if interrupted.is_empty() {
            return Ok(());
        }
        let declared: HashSet<&Label> = self.tokens.configs.iter().map(|it| &it.label).collect();
        for interrupted in interrupted.iter().filter(|it| !declared.contains(&it.label)) {
            let how = match interrupted.attempt.kind {
                AttemptKind::Exchange => "; run the `metatoken add` that was cut short again",
                AttemptKind::Renewal | AttemptKind::Login => "",
            };
            let credential = self.store.credential(interrupted.token)?;
            self.bear_full(self.warn_of_interrupted(credential, how))?;
        }
        Ok(())
    }

    /// Tells of the same where the history has it already. Nobody has to do anything about it: the token
    /// has another access token now.
    pub fn tell_interrupted(&self, label: &Label, problem: &Problem) {
        if self.session.ui.verbosity > Verbosity::Quiet {
            self.session.ui.warn(&format!("{label}: {}", problem.message));
        }
    }

    fn warn_of_interrupted(
        &self,
        credential: Credential,
        how: &str,
    ) -> Result<Credential, StoreError> {
        let Some(problem) = credential.cut_short() else { return Ok(credential) };
        self.session.ui.warn(&format!("{}: {}{how}", credential.label, problem.message));
        let credential = match credential.attempts.open_attempt {
            // Where the one in use turns out to be dead, that may be why.
            Some(OpenAttempt { kind: AttemptKind::Renewal, began }) => {
                self.store.note_lost_answer(credential, began)?
            }
            _ => credential,
        };
        self.store.note_interrupted(self.id, credential, self.now())
    }

    /// Reads what the store knows, and writes nothing into it.
    pub fn survey(&mut self) -> Result<(), CliError> {
        let StoredTokens { credentials, strays } = self.store.stored_tokens()?;
        self.damage = judge_store(&strays);
        {
            let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
            for credential in &credentials {
                ids.insert(credential.label.clone(), credential.id);
            }
        }
        let throttled = apps::throttled_apps(&self.store, self.now())?;
        let config = &self.session.config;
        let last = declared::last_reading(config, Some(&self.store))?;
        self.tokens = Tokens::new(config, credentials, &last).with_throttled_apps(throttled);
        Ok(())
    }

    /// Opens the deliveries of this run: finishes the files that an earlier run left half-written.
    pub fn deliveries(&self) -> Result<Deliveries<'_>, StoreError> {
        Deliveries::open(DeliveryContext {
            store: &self.store,
            run: self.id,
            dry_run: self.dry_run,
            config: &self.session.config,
            environment: &self.session.environment,
            tokens: &self.tokens.configs,
            time: self,
        })
    }

    /// Says what was damaged in the store when the run looked, but for what is still so: that stands
    /// against its token.
    pub fn damage(&self) -> Vec<Reason> {
        let is_well = |label: &Label| {
            let token = self.known_id(label).map(|token| self.store.credential(token));
            token.is_some_and(|known| known.is_ok_and(|known| known.damage.is_none()))
        };
        let repaired = self.repaired.iter().filter(|it| is_well(&it.label));
        let repair = match self.dry_run {
            DryRun::No => Repair::Done,
            DryRun::Yes => Repair::Foreseen,
        };
        let repaired = repaired.map(|it| judge_repaired(&it.label, &it.parts, repair));
        self.damage.iter().cloned().chain(repaired).collect()
    }

    /// Says what is wrong with the labels of the config, as far as it is about those that were typed:
    /// files that are left out, and tokens that this run found to be declared no more.
    pub fn label_issues(&self, patterns: &[Pattern]) -> impl Iterator<Item = Reason> {
        let left_out = self.tokens.declared_labels().left_out(patterns);
        left_out.chain(self.newly_undeclared.clone())
    }

    /// Says of which tokens the access token is lost.
    pub fn lost(&self) -> Vec<Reason> {
        let lost = self.tokens.configs.iter().map(|token| self.tokens.subject(token));
        let lost = lost.filter(|subject| subject.credential.is_some_and(Credential::is_lost));
        let reasons = lost.flat_map(|subject| judge(&subject, self.moment()).reasons);
        reasons.filter(Reason::is_damage).collect()
    }

    /// Makes the store know these tokens.
    pub fn enrol<'t>(
        &self,
        tokens: impl IntoIterator<Item = &'t TokenConfig>,
        name: impl Fn(&Label) -> Option<String>,
    ) -> Result<Vec<TokenId>, StoreError> {
        let enrolments: Vec<Enrolment> = tokens
            .into_iter()
            .map(|token| Enrolment {
                label: token.label.clone(),
                was: token.was.clone(),
                token_type: token.token_type,
                page_id: token.page_id.clone(),
                name: name(&token.label),
                owner: token.policy.owner.clone(),
                app: Some(token.app.clone()),
            })
            .collect();
        let ids = self.store.enrol(&enrolments, self.now())?;
        let mut known = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        for (enrolled, id) in enrolments.into_iter().zip(&ids) {
            known.insert(enrolled.label, *id);
        }
        Ok(ids)
    }

    /// Gives the store's number for a token that is enrolled.
    pub fn token_id(&self, label: &Label) -> Result<TokenId, CliError> {
        self.known_id(label).ok_or_else(|| {
            CliError::new(Exit::Bug, "not_enrolled", label.as_str(), "is not in the store")
        })
    }

    /// Gives the store's number for a token, if it is enrolled.
    pub fn known_id(&self, label: &Label) -> Option<TokenId> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).get(label).copied()
    }

    /// Gives what is known of the time.
    pub fn clocks(&self) -> Clocks {
        let (host, heard) = (self.session.clock.now(), self.graph.clock_skew());
        Clocks { host, heard, last: self.last_heard }
    }

    /// Gives the time to go by.
    pub fn now(&self) -> Time {
        self.clocks().now()
    }

    /// Says when the run began.
    pub fn started_at(&self) -> Time {
        self.clocks().at(self.host_started_at)
    }

    /// Gives the moment at which something is judged.
    pub fn moment(&self) -> Moment {
        let clocks = self.clocks();
        let (now, run_started) = (clocks.now(), clocks.at(self.host_started_at));
        Moment { now, run_started, dates: clocks.dates() }
    }

    /// Reads the app of that name.
    pub fn app(&self, name: &str) -> Result<App, Problem> {
        apps::app(self.session, self.tokens.throttled_apps(), name)
    }

    /// Joins a token with what is known of it now, for policy to judge.
    pub fn subject<'t>(
        &'t self,
        token: &'t TokenConfig,
        credential: &'t Credential,
        parent: Option<&'t Credential>,
    ) -> Subject<'t> {
        self.tokens.subject_as(token, Some(credential), parent)
    }

    /// Says why nothing new may be begun, if that is so.
    fn out_of_time(&self) -> Option<Problem> {
        let limit = self.session.config.http.run_deadline;
        if self.session.interrupt.is_raised() {
            Some(Problem::new(ProblemKind::Unknown, "the run was stopped before its turn came"))
        } else if self.began.elapsed() >= limit {
            let limit = humanize::span(TimeDelta::from_std(limit).unwrap_or_default());
            let why = format!("the run had no time left for it (`run_deadline` is {limit})");
            Some(Problem::new(ProblemKind::Unknown, why))
        } else {
            None
        }
    }

    /// Lets the run go on where the disk is full, which is remembered for its report; any other
    /// failure of the store is given back.
    pub fn bear_full<T>(&self, done: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match done {
            Err(error) if error.is_full() => {
                self.full.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                Ok(None)
            }
            done => done.map(Some),
        }
    }

    /// Says why not everything could be written, if that is so.
    fn found_full(&self) -> Option<StoreError> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does the same for each item on the worker threads, with a progress bar.
    fn on_each<T: Sync, R: Send>(
        &self,
        items: &[T],
        act: impl Fn(&T) -> R + Sync,
    ) -> Vec<Option<R>> {
        let Session { ui, interrupt, config, .. } = self.session;
        let bar = ui.progress(items.len(), interrupt.flag());
        let workers = config.http.workers();
        let answers = worker_pool::work_on_each(items, workers, act, || bar.inc(1));
        bar.finish_and_clear();
        answers
    }

    /// Records renewals before their first request, each once a run.
    fn record_attempts(&self, tokens: &[TokenId]) -> Result<(), StoreError> {
        if tokens.is_empty() {
            return Ok(());
        }
        self.store.plan_attempts(self.id, tokens, self.now())
    }
}

impl RunTime for Run<'_> {
    fn now(&self) -> Time {
        Run::now(self)
    }

    fn is_over(&self) -> bool {
        self.out_of_time().is_some()
    }
}

//! What the workers of one run share.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::TimeDelta;

use crate::commands::Session;
use crate::commands::apps;
use crate::commands::configured_tokens::{self, ConfiguredToken};
use crate::commands::delivery::{HalfWritten, PendingHook};
use crate::commands::tokens::{TokenConfig, Tokens, in_its_own_words, subject};
use crate::complaint::Complaint;
use crate::config::SecretSource;
use crate::exit::Exit;
use crate::graph::{App, Graph};
use crate::policy::{
    Clocks, Decision, Insistence, LastHeard, Moment, Reason, Renew, Repair, Rest, Subject, decide,
    judge, judge_repaired, judge_store, paced, words,
};
use crate::store::{Enrolment, Mended, RunId, RunLock, RunRow, Stock, Store, StoreError};
use crate::token::{Credential, Label, Pattern, Problem, ProblemKind, Time, TokenId, Trigger};

/// Whether a run is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// It is.
    No,
    /// `--dry-run`: a copy of the store in memory, and only calls that change nothing at Meta.
    Yes,
}

/// Which decisions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// All.
    All,
    /// `exchange --stored`: only the exchange of short-lived strings.
    ShortLived,
}

/// What was asked for.
#[derive(Debug)]
pub struct RefreshOrder {
    /// The labels that were typed.
    pub patterns: Vec<Pattern>,
    /// How much the person insists.
    pub insistence: Insistence,
    /// Which decisions are carried out.
    pub only: Only,
    /// Whether it is meant.
    pub dry_run: DryRun,
    /// Who started it.
    pub trigger: Trigger,
    /// How long to wait for another run to end.
    pub lock_wait: std::time::Duration,
    /// The command, as the lock and the run row name it.
    pub command: &'static str,
}

/// Takes the lock and opens the store, or copies it into memory for a rehearsal.
fn open_store(
    session: &Session,
    order: &RefreshOrder,
) -> Result<(Option<RunLock>, Store), Complaint> {
    let path = &session.config.store.path;
    match order.dry_run {
        DryRun::Yes => {
            let key = if path.exists() { Some(session.key()?) } else { None };
            Ok((None, Store::rehearsal(path, key.as_ref(), session.made_key())?))
        }
        DryRun::No => {
            let lock = session.lock(order.command, order.lock_wait)?;
            let store = Store::open(&lock, path, &session.key()?)?;
            Ok((Some(lock), store))
        }
    }
}

/// The two clocks at the end of the run that last heard Graph.
pub(in crate::commands) fn last_heard(run: Option<&RunRow>) -> Option<LastHeard> {
    let run = run?;
    let (graph, skew) = (run.finished_at?, run.clock_skew?);
    Some(LastHeard { graph, host: graph + skew })
}

/// Everything that one run works with.
pub(in crate::commands) struct Run<'a> {
    pub(in crate::commands) session: &'a Session,
    pub(in crate::commands) store: Store,
    pub(in crate::commands) graph: Graph,
    pub(in crate::commands) id: RunId,
    pub(in crate::commands) dry_run: DryRun,
    pub(in crate::commands) only: Only,
    pub(in crate::commands) tokens: Tokens,
    damage: Option<Reason>,
    mended: Vec<Mended>,
    insistence: Insistence,
    named: Vec<Pattern>,
    configured_tokens: HashMap<Label, ConfiguredToken>,
    ids: Mutex<HashMap<Label, TokenId>>,
    pending_hooks: Mutex<Vec<PendingHook>>,
    full: Mutex<Option<StoreError>>,
    pub(in crate::commands) half_written: Vec<HalfWritten>,
    /// By the host's clock.
    host_started_at: Time,
    last_heard: Option<LastHeard>,
    pub(super) began: Instant,
    _lock: Option<RunLock>,
}

impl<'a> Run<'a> {
    /// Takes the lock, opens the store and writes the run down; nobody else can write from now on.
    pub(in crate::commands) fn open(
        session: &'a Session,
        order: &RefreshOrder,
    ) -> Result<Self, Complaint> {
        let (lock, store) = open_store(session, order)?;
        session.interrupt.listen();
        let host = session.clock.now();
        let last_heard = last_heard(store.last_heard()?.as_ref());
        let graph = session.graph();
        let mut clocks = Clocks { host, heard: None, last: last_heard };
        // Nothing may be decided by a clock that is in doubt; a delivery asks Meta for nothing.
        if clocks.is_in_doubt() && order.command != "deliver" {
            if let Some(app) = session.config.apps.first() {
                graph.ask_the_time(app.kind);
            }
            clocks.heard = graph.clock_skew();
        }
        let started_at = clocks.now();
        let id = store.begin_run(order.command, order.trigger, started_at)?;
        Ok(Self {
            session,
            graph,
            id,
            dry_run: order.dry_run,
            only: order.only,
            tokens: Tokens::default(),
            damage: None,
            mended: Vec::new(),
            insistence: order.insistence,
            named: order.patterns.clone(),
            configured_tokens: HashMap::new(),
            ids: Mutex::new(HashMap::new()),
            pending_hooks: Mutex::default(),
            full: Mutex::default(),
            half_written: Vec::new(),
            host_started_at: host,
            last_heard,
            began: Instant::now(),
            store,
            _lock: lock,
        })
    }

    /// Enrols what the config declares, reads what the store knows, and finishes the files that a
    /// run left half-written.
    pub(in crate::commands) fn take_stock(&mut self) -> Result<(), Complaint> {
        let mended = self.store.mend(self.session.clock.now())?;
        let declared = Tokens::declared(&self.session.config);
        self.enrol(&declared, |_| None)?;
        let Stock { credentials, strays } = self.store.stock()?;
        self.damage = judge_store(&strays);
        self.mended = mended;
        {
            let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
            for credential in &credentials {
                ids.insert(credential.label.clone(), credential.id);
            }
        }
        let pauses = apps::pauses(&self.store, self.now())?;
        self.tokens = Tokens::new(&self.session.config, credentials).mindful_of(pauses);
        self.half_written = self.finish_files()?;
        Ok(())
    }

    /// What was damaged in the store when the run looked, but for what is still so: that stands
    /// against its token.
    pub(in crate::commands) fn damage(&self) -> Vec<Reason> {
        let is_well = |label: &Label| {
            let token = self.known(label).map(|token| self.store.credential(token));
            token.is_some_and(|known| known.is_ok_and(|known| known.damage.is_none()))
        };
        let repaired = self.mended.iter().filter(|it| is_well(&it.label));
        let repair = match self.dry_run {
            DryRun::No => Repair::Done,
            DryRun::Yes => Repair::Foreseen,
        };
        let repaired = repaired.map(|it| judge_repaired(&it.label, &it.parts, repair));
        self.damage.iter().cloned().chain(repaired).collect()
    }

    /// The tokens whose access token is lost.
    pub(in crate::commands) fn lost(&self) -> Vec<Reason> {
        let lost = self.tokens.configs.iter().map(|member| self.tokens.subject(member));
        let lost = lost.filter(|subject| subject.credential.is_some_and(Credential::is_lost));
        let reasons = lost.flat_map(|subject| judge(&subject, self.moment()).reasons);
        reasons.filter(Reason::is_damage).collect()
    }

    /// Looks for new strings where the config points, for these labels. A file that is not whole
    /// has none.
    pub(in crate::commands) fn look_for_newcomers(
        &mut self,
        labels: &HashSet<Label>,
    ) -> Result<(), Complaint> {
        let is_whole = |member: &&TokenConfig| match &member.access_token {
            Some(SecretSource::File { path, .. }) => self.half_written(path).is_none(),
            _ => true,
        };
        let members = self.tokens.configs.iter().filter(|member| labels.contains(&member.label));
        let meant: Vec<&TokenConfig> = members.filter(is_whole).collect();
        let is_lost =
            |label: &Label| self.tokens.credential(label).is_some_and(Credential::is_lost);
        self.configured_tokens =
            configured_tokens::read_all(self.session, &meant, &self.store, is_lost)?;
        Ok(())
    }

    /// Makes the store know these tokens.
    pub(in crate::commands) fn enrol(
        &self,
        members: &[TokenConfig],
        name: impl Fn(&Label) -> Option<String>,
    ) -> Result<Vec<TokenId>, StoreError> {
        let enrolments: Vec<Enrolment> = members
            .iter()
            .map(|member| Enrolment {
                label: member.label.clone(),
                was: member.was.clone(),
                token_type: member.token_type,
                page_id: member.page_id.clone(),
                name: name(&member.label),
            })
            .collect();
        let ids = self.store.enrol(&enrolments)?;
        let mut known = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        for (member, id) in members.iter().zip(&ids) {
            known.insert(member.label.clone(), *id);
        }
        Ok(ids)
    }

    /// The store's number for a token that is enrolled.
    pub(in crate::commands) fn token(&self, label: &Label) -> Result<TokenId, Complaint> {
        self.known(label).ok_or_else(|| {
            Complaint::new(Exit::Bug, "not_enrolled", label.as_str(), "is not in the store")
        })
    }

    /// The store's number for a token, if it is enrolled.
    pub(in crate::commands) fn known(&self, label: &Label) -> Option<TokenId> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).get(label).copied()
    }

    /// A new string for this token, or why there is none to read.
    pub(in crate::commands) fn configured_token(&self, label: &Label) -> Option<&ConfiguredToken> {
        self.configured_tokens.get(label)
    }

    /// What is known of the time.
    pub(super) fn clocks(&self) -> Clocks {
        let (host, heard) = (self.session.clock.now(), self.graph.clock_skew());
        Clocks { host, heard, last: self.last_heard }
    }

    /// The time to go by.
    pub(in crate::commands) fn now(&self) -> Time {
        self.clocks().now()
    }

    /// When the run began.
    pub(in crate::commands) fn started_at(&self) -> Time {
        self.clocks().at(self.host_started_at)
    }

    /// The moment at which something is judged.
    pub(in crate::commands) fn moment(&self) -> Moment {
        let clocks = self.clocks();
        let (now, run_started) = (clocks.now(), clocks.at(self.host_started_at));
        Moment { now, run_started, dates: clocks.dates() }
    }

    /// The app of that name.
    pub(in crate::commands) fn app(&self, name: &str) -> Result<App, Problem> {
        apps::app(self.session, self.tokens.pauses(), name)
    }

    /// A token as policy judges it now.
    pub(super) fn subject<'m>(
        &self,
        member: &'m TokenConfig,
        credential: &'m Credential,
        parent: Option<&'m Credential>,
    ) -> Subject<'m> {
        let throttled_until = self.tokens.pauses().get(&member.app).copied();
        Subject { throttled_until, ..subject(member, Some(credential), parent) }
    }

    /// What is to be done with a token now.
    pub(super) fn decision(&self, member: &TokenConfig, subject: &Subject<'_>) -> Decision {
        let (insistence, moment) = (self.insistence_on(subject.label), self.moment());
        match in_its_own_words(decide(subject, insistence, moment), subject) {
            rest @ Decision::Rest(_) => rest,
            act => paced(act, subject, self.budget_used(member), insistence, moment),
        }
    }

    /// How much of its app's calls are used up, in percent, as far as this run was told.
    fn budget_used(&self, member: &TokenConfig) -> Option<u64> {
        self.graph.budget_used(&self.app(&member.app).ok()?)
    }

    /// How much the person insists on this token: only on those that were named.
    pub(in crate::commands) fn insistence_on(&self, label: &Label) -> Insistence {
        if self.named.iter().any(|pattern| pattern.matches(label)) {
            self.insistence
        } else {
            Insistence::None
        }
    }

    /// The programs that are to be run when every token has had its turn.
    pub(in crate::commands) fn pending_hooks(&self) -> MutexGuard<'_, Vec<PendingHook>> {
        self.pending_hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why nothing new may be begun, if that is so.
    pub(in crate::commands) fn out_of_time(&self) -> Option<Problem> {
        let limit = self.session.config.http.run_deadline;
        if self.session.interrupt.is_raised() {
            Some(Problem::new(ProblemKind::Unknown, "the run was ended before its turn came"))
        } else if self.began.elapsed() >= limit {
            let limit = words::span(TimeDelta::from_std(limit).unwrap_or_default());
            let why = format!("the run had no time left for it (`run_deadline` is {limit})");
            Some(Problem::new(ProblemKind::Unknown, why))
        } else {
            None
        }
    }

    /// Lets the run go on where the disk is full, which is remembered for its report; any other
    /// failure of the store is given back.
    pub(in crate::commands) fn bear_full<T>(
        &self,
        done: Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match done {
            Err(error) if error.is_full() => {
                self.full.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                Ok(None)
            }
            done => done.map(Some),
        }
    }

    /// Why not everything could be written, if that is so.
    pub(super) fn found_full(&self) -> Option<StoreError> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Announces renewals in the store before their first request, each once a run.
    pub(in crate::commands) fn plan(&self, tokens: &[TokenId]) -> Result<(), StoreError> {
        if tokens.is_empty() {
            return Ok(());
        }
        self.store.plan_attempts(self.id, tokens, self.now())
    }
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
            (Self::ShortLived, _) => Decision::Rest(Rest::NotShortLived),
        }
    }
}

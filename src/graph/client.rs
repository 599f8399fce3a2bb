//! Graph, as the commands ask it.
//!
//! It holds what one run learns on the way: whether Graph is there, which app is refused, how full
//! its budget is, how far our clock is off. All threads share one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::crypto;
use crate::token::{
    AccessToken, Grant, GrantType, Inspection, InspectionWay, Problem, ProblemKind, ProfileCall,
    Secret, Time,
};

use super::call::{Fault, Scope};
use super::facebook::{self, PageGrant};
use super::fault;
use super::gate::Gates;
use super::http::Transport;
use super::log::{self, Answered, Try};
use super::observations::{Observations, Throttle, VersionFallback};
use super::parking::Parking;
use super::request::Request;
use super::response::Response;
use super::retry::{Failure, Next, Patience, Reach};
use super::settings::{App, Settings};

/// The client of one run, shared by its threads.
#[derive(Debug)]
pub struct Graph {
    settings: Settings,
    clock: Clock,
    stop: Arc<AtomicBool>,
    transport: OnceLock<Result<Transport, Problem>>,
    parking: Mutex<Parking>,
    gates: Gates,
    observations: Mutex<Observations>,
    /// Apps that Threads does not let ask about tokens.
    not_let_ask: Mutex<BTreeSet<String>>,
    skew: OnceLock<TimeDelta>,
    calls: AtomicU64,
}

impl Graph {
    /// A client that has asked nothing yet; once `stop` is set it begins no request.
    pub fn new(settings: Settings, clock: Clock, stop: Arc<AtomicBool>) -> Self {
        Self {
            settings,
            clock,
            stop,
            transport: OnceLock::new(),
            parking: Mutex::default(),
            gates: Gates::default(),
            observations: Mutex::default(),
            not_let_ask: Mutex::default(),
            skew: OnceLock::new(),
            calls: AtomicU64::new(0),
        }
    }

    /// Asks what a token is worth, in the way of the app's provider.
    pub fn inspect(&self, app: &App, token: &AccessToken) -> Result<Inspection, Fault> {
        self.gates.first_alone(app, || match app.provider.inspection() {
            InspectionWay::DebugToken => self.debug_token(app, token),
            InspectionWay::Profile(call) => self.profile(app, call, token),
            InspectionWay::DebugTokenOrProfile(call) => {
                match self.debug_token_of_threads(app, token) {
                    Some(answer) => answer,
                    None => self.profile(app, call, token),
                }
            }
        })
    }

    fn debug_token(&self, app: &App, token: &AccessToken) -> Result<Inspection, Fault> {
        let secret = secret_of(app, "ask Graph about a token")?;
        let request = facebook::inspect(app, secret, token);
        let inspection = self.call(app, &request, facebook::read_inspection)?;
        let of_an_app = token.expose().contains('|');
        Ok(if of_an_app { facebook::as_app_token(inspection) } else { inspection })
    }

    fn profile(
        &self,
        app: &App,
        call: &ProfileCall,
        token: &AccessToken,
    ) -> Result<Inspection, Fault> {
        self.call(app, &facebook::profile(app, call, token), facebook::read_profile)
    }

    /// What Threads says of a token; nothing where it does not let this app ask, which is found
    /// out once.
    fn debug_token_of_threads(
        &self,
        app: &App,
        token: &AccessToken,
    ) -> Option<Result<Inspection, Fault>> {
        if self.not_let_ask().contains(&app.id) {
            return None;
        }
        let request = facebook::inspect_at_threads(app, app.secret.as_ref(), token);
        match self.try_call(app, &request, facebook::read_inspection) {
            Err(Defeat { fault, .. }) if fault.refuses_the_question() => {
                log::may_not_ask(app, &fault.problem);
                self.not_let_ask().insert(app.id.clone());
                None
            }
            Err(defeat) => Some(Err(self.park(app, defeat))),
            Ok(inspection) => Some(Ok(inspection)),
        }
    }

    /// Asks for a string: by `token`, the one in use, where the grant is for one that follows it.
    pub fn grant(
        &self,
        app: &App,
        grant: &GrantType,
        token: Option<&AccessToken>,
    ) -> Result<Grant, Fault> {
        let needed = grant.needs_the_secret().then(|| secret_of(app, "exchange a token"));
        let secret = needed.transpose()?;
        let request = facebook::grant(app, grant, facebook::Bid { secret, token });
        self.gates.first_alone(app, || {
            self.call(app, &request, |response| facebook::read_grant(response, self.present()))
        })
    }

    /// Lists all Pages of a user, to the end of the list.
    pub fn pages(&self, app: &App, token: &AccessToken) -> Result<Vec<PageGrant>, Fault> {
        /// Ten thousand Pages: nobody has more, and a list without an end is Graph's mistake.
        const STRETCHES: usize = 100;
        let mut pages: Vec<PageGrant> = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        loop {
            let after = seen.last().map(String::as_str);
            let request = facebook::accounts(app, app.secret.as_ref(), token, after);
            let stretch = self.call(app, &request, facebook::read_accounts)?;
            for page in stretch.pages {
                if pages.iter().all(|known| known.id != page.id) {
                    pages.push(page);
                }
            }
            match stretch.after {
                None => return Ok(pages),
                Some(after) if seen.contains(&after) || seen.len() + 1 >= STRETCHES => {
                    log::endless_list(app);
                    return Ok(pages);
                }
                Some(after) => seen.push(after),
            }
        }
    }

    /// Asks for one Page.
    pub fn page(&self, app: &App, token: &AccessToken, id: &str) -> Result<PageGrant, Fault> {
        let request = facebook::page(app, app.secret.as_ref(), token, id);
        self.call(app, &request, facebook::read_page)
    }

    /// Our clock minus Graph's, by the first answer that was dated; nothing before that.
    pub fn clock_skew(&self) -> Option<TimeDelta> {
        self.skew.get().copied()
    }

    /// The present by Graph's clock, which is the one that counts for what Graph grants.
    fn present(&self) -> Time {
        self.clock.now() - self.clock_skew().unwrap_or_default()
    }

    /// How many requests were really sent.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// How much of an app's rate limit was used up by the last answer that told, in percent.
    pub fn budget_used(&self, app: &App) -> Option<u64> {
        self.observations().budget_used(app)
    }

    /// Where another Graph version answered than the one asked for, by app.
    pub fn fallbacks(&self) -> Vec<VersionFallback> {
        self.observations().fallbacks()
    }

    /// The apps that Meta throttled as a whole, whatever token it was asked with.
    pub fn throttles(&self) -> Vec<Throttle> {
        self.observations().throttles()
    }

    fn call<T>(
        &self,
        app: &App,
        request: &Request,
        read: impl Fn(&Response) -> Result<T, Problem>,
    ) -> Result<T, Fault> {
        self.try_call(app, request, read).map_err(|defeat| self.park(app, defeat))
    }

    /// The same, but a defeat keeps nothing else back: the caller knows another way.
    fn try_call<T>(
        &self,
        app: &App,
        request: &Request,
        read: impl Fn(&Response) -> Result<T, Problem>,
    ) -> Result<T, Defeat> {
        self.held_back(app, request)?;
        let transport = self.transport.get_or_init(|| Transport::new(&self.settings));
        let transport = transport.as_ref().map_err(|problem| Fault {
            problem: problem.clone(),
            scope: Scope::Graph,
            held_back: false,
            wait: None,
        })?;
        let mut attempt = 1;
        loop {
            let this = Try { app, request, attempt };
            let failure = match self.attempt(transport, this, &read) {
                Ok(value) => {
                    self.parking().answered(app.provider);
                    return Ok(value);
                }
                Err(failure) => failure,
            };
            let next = self.patience().next(
                attempt,
                &failure,
                request.idempotence(),
                u32::from_ne_bytes(crypto::random()),
            );
            let Next::Again(pause) = next else { return Err(self.given_up(this, failure)) };
            if !self.waits(pause) || self.held_back(app, request).is_err() {
                return Err(self.given_up(this, failure));
            }
            this.retried(&failure, pause);
            attempt += 1;
        }
    }

    fn given_up(&self, last: Try<'_>, failure: Failure) -> Defeat {
        let outlived = last.attempt >= self.settings.attempts;
        let unreachable = outlived && failure.problem.kind == ProblemKind::Network;
        let scope = Scope::of(&failure.problem, last.app);
        if failure.problem.kind == ProblemKind::RateLimited && matches!(scope, Scope::App(_)) {
            last.throttled(&failure);
        }
        let wait = failure.wait();
        let fault = Fault { problem: failure.problem, scope, held_back: false, wait };
        Defeat { fault, unreachable }
    }

    /// Keeps back what would meet the same fault.
    fn park(&self, app: &App, Defeat { fault, unreachable }: Defeat) -> Fault {
        // What was cut short by a stop or a deadline proves nothing against Graph.
        let cut_short = self.is_stopped() || self.time_is_up();
        if !fault.held_back && (fault.scope != Scope::Graph || !cut_short) {
            self.parking().met(app.provider, &fault, unreachable);
        }
        fault
    }

    fn attempt<T>(
        &self,
        transport: &Transport,
        this: Try<'_>,
        read: impl Fn(&Response) -> Result<T, Problem>,
    ) -> Result<T, Failure> {
        let Try { app, request, .. } = this;
        let begun = Instant::now();
        let limit = self.settings.deadline.map_or(Duration::MAX, |end| end - begun);
        let answer = transport.send(request, limit);
        if !matches!(&answer, Err(Failure { reach: Reach::NotConnected, .. })) {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        if let Ok(response) = &answer {
            self.set_skew(response);
            self.observations().note(app, request.segments(), response);
        }
        let answered = answer.as_ref().map(Answered::by).unwrap_or_default();
        let outcome = answer.and_then(|response| {
            read(&response).map_err(|problem| {
                let reach = reach(&problem, &response);
                Failure { problem, reach }
            })
        });
        if let Err(failure) = &outcome {
            self.note_throttle(app, failure);
        }
        let problem = outcome.as_ref().err().map(|failure| &failure.problem);
        this.called(&answered, problem, begun.elapsed());
        outcome
    }

    /// Whether a call may begin; if not, the fault that stands in its way.
    fn held_back(&self, app: &App, request: &Request) -> Result<(), Fault> {
        if self.is_stopped() {
            return Err(not_asked("the run is being stopped"));
        }
        if self.time_is_up() {
            return Err(not_asked("out of time"));
        }
        if let Some(until) = app.throttled_until.filter(|until| *until > self.clock.now()) {
            let scope = Scope::App(app.id.clone());
            return Err(Fault { scope, ..Fault::throttled(&app.name, until) });
        }
        self.parking().holds_back(app, request).map_or(Ok(()), Err)
    }

    /// Waits, and says whether there is still time for another try after that.
    fn waits(&self, pause: Duration) -> bool {
        /// How soon a stop is noticed.
        const GLANCE: Duration = Duration::from_millis(50);
        let until = Instant::now() + pause;
        if self.settings.deadline.is_some_and(|end| until >= end) {
            return false;
        }
        while !self.is_stopped() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(GLANCE));
        }
        false
    }

    fn note_throttle(&self, app: &App, failure: &Failure) {
        let throttled = failure.problem.kind == ProblemKind::RateLimited;
        if throttled && matches!(Scope::of(&failure.problem, app), Scope::App(_)) {
            self.observations().note_throttle(app, failure.wait());
        }
    }

    fn set_skew(&self, response: &Response) {
        if let Some(date) = response.date() {
            self.skew.get_or_init(|| self.clock.now() - date);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn time_is_up(&self) -> bool {
        self.settings.deadline.is_some_and(|end| Instant::now() >= end)
    }

    const fn patience(&self) -> Patience {
        Patience { attempts: self.settings.attempts, pause: self.settings.pause }
    }

    fn not_let_ask(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.not_let_ask.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread that panicked left nothing half done here: every note is one assignment.
    fn parking(&self) -> MutexGuard<'_, Parking> {
        self.parking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn observations(&self) -> MutexGuard<'_, Observations> {
        self.observations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that came to nothing, and whether no try of it got through to Graph.
struct Defeat {
    fault: Fault,
    unreachable: bool,
}

impl From<Fault> for Defeat {
    fn from(fault: Fault) -> Self {
        Self { fault, unreachable: false }
    }
}

fn reach(problem: &Problem, response: &Response) -> Reach {
    let turned_away = match response.status() {
        429 => true,
        // A gateway that merely waited in vain names no moment.
        503 => response.retry_after().is_some(),
        _ => false,
    };
    if !fault::is_refusal(response) && !turned_away {
        return Reach::Unanswered;
    }
    Reach::Answered(match problem.kind {
        ProblemKind::RateLimited => response.wait(),
        _ => response.retry_after(),
    })
}

fn secret_of<'a>(app: &'a App, purpose: &str) -> Result<&'a Secret, Fault> {
    app.secret.as_ref().ok_or_else(|| Fault {
        problem: Problem::new(
            ProblemKind::BadAppCredentials,
            format!("app `{}` has no secret, without which nobody can {purpose}", app.name),
        ),
        scope: Scope::App(app.id.clone()),
        held_back: false,
        wait: None,
    })
}

fn not_asked(why: &str) -> Fault {
    Fault {
        problem: Problem::new(ProblemKind::Network, format!("not asked: {why}")),
        scope: Scope::Graph,
        held_back: true,
        wait: None,
    }
}

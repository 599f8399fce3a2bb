//! Graph, as the commands ask it.
//!
//! It holds what one run learns on the way: whether Graph is there, which app is refused, how far
//! our clock is off. All threads share one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::crypto;
use crate::token::{AccessToken, Grant, Inspection, Problem, ProblemKind, Secret};

use super::call::{Fault, Scope};
use super::facebook::{self, PageGrant};
use super::fault;
use super::http::Transport;
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
            skew: OnceLock::new(),
            calls: AtomicU64::new(0),
        }
    }

    /// Asks what a token is worth.
    pub fn inspect(&self, app: &App, token: &AccessToken) -> Result<Inspection, Fault> {
        let secret = secret_of(app, "ask Graph about a token")?;
        let request = facebook::inspect(app, secret, token);
        let inspection = self.call(app, &request, facebook::read_inspection)?;
        let of_an_app = token.expose().contains('|');
        Ok(if of_an_app { facebook::as_app_token(inspection) } else { inspection })
    }

    /// Exchanges a token for one that lives longer.
    pub fn exchange(&self, app: &App, token: &AccessToken) -> Result<Grant, Fault> {
        let secret = secret_of(app, "exchange a token")?;
        let request = facebook::exchange(app, secret, token);
        self.call(app, &request, |response| facebook::read_grant(response, self.present()))
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
                    tracing::warn!("the list of Pages does not end: what came so far is used");
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
    fn present(&self) -> crate::token::Time {
        self.clock.now() - self.clock_skew().unwrap_or_default()
    }

    /// How many requests were really sent.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn call<T>(
        &self,
        app: &App,
        request: &Request,
        read: impl Fn(&Response) -> Result<T, Problem>,
    ) -> Result<T, Fault> {
        self.held_back(app)?;
        let transport = self.transport.get_or_init(|| Transport::new(&self.settings));
        let transport = transport.as_ref().map_err(|problem| Fault {
            problem: problem.clone(),
            scope: Scope::Graph,
            held_back: false,
        })?;
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(transport, request, &read) {
                Ok(value) => {
                    self.parking().answered();
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
            match next {
                Next::Again(pause) if self.waits(pause) && self.held_back(app).is_ok() => {}
                _ => return Err(self.given_up(app, failure, attempt)),
            }
            attempt += 1;
        }
    }

    fn given_up(&self, app: &App, failure: Failure, attempt: u32) -> Fault {
        let outlived = attempt >= self.settings.attempts;
        let unreachable = outlived && failure.problem.kind == ProblemKind::Network;
        let scope = Scope::of(&failure.problem, app);
        let fault = Fault { problem: failure.problem, scope, held_back: false };
        // What was cut short by a stop or a deadline proves nothing against Graph.
        if fault.scope != Scope::Graph || (!self.is_stopped() && !self.time_is_up()) {
            self.parking().met(&fault, unreachable);
        }
        fault
    }

    fn attempt<T>(
        &self,
        transport: &Transport,
        request: &Request,
        read: impl Fn(&Response) -> Result<T, Problem>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        let limit = self.settings.deadline.map_or(Duration::MAX, |end| end - begun);
        let answer = transport.send(request, limit);
        if !matches!(&answer, Err(Failure { reach: Reach::NotConnected, .. })) {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        if let Ok(response) = &answer {
            self.set_skew(response);
        }
        let status = answer.as_ref().map(Response::status).ok();
        let usage = answer.as_ref().ok().and_then(|response| response.usage().percent);
        let version = answer.as_ref().ok().and_then(Response::api_version).map(str::to_owned);
        let outcome = answer.and_then(|response| {
            read(&response).map_err(|problem| Failure { problem, reach: reach(&response) })
        });
        let problem = outcome.as_ref().err().map(|failure| &failure.problem);
        tracing::debug!(
            endpoint = request.endpoint(),
            path = request.path(),
            status,
            code = problem.and_then(|problem| problem.code),
            subcode = problem.and_then(|problem| problem.subcode),
            fbtrace_id = problem.and_then(|problem| problem.fbtrace_id.as_deref()),
            problem = problem.map(|problem| problem.kind.as_str()),
            answered_by = version,
            usage_percent = usage,
            milliseconds = begun.elapsed().as_millis(),
            "asked Graph"
        );
        outcome
    }

    /// Whether a call may begin; if not, the fault that stands in its way.
    fn held_back(&self, app: &App) -> Result<(), Fault> {
        if self.is_stopped() {
            return Err(not_asked("the run is being stopped"));
        }
        if self.time_is_up() {
            return Err(not_asked("out of time"));
        }
        self.parking().holds_back(app).map_or(Ok(()), Err)
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

    /// A thread that panicked left nothing half done here: every note is one assignment.
    fn parking(&self) -> MutexGuard<'_, Parking> {
        self.parking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn reach(response: &Response) -> Reach {
    if fault::is_refusal(response) || response.retry_after().is_some() {
        Reach::Answered(response.retry_after())
    } else {
        Reach::Unanswered
    }
}

fn secret_of<'a>(app: &'a App, purpose: &str) -> Result<&'a Secret, Fault> {
    app.secret.as_ref().ok_or_else(|| Fault {
        problem: Problem::new(
            ProblemKind::BadAppCredentials,
            format!("app `{}` has no secret, without which nobody can {purpose}", app.name),
        ),
        scope: Scope::App(app.id.clone()),
        held_back: false,
    })
}

fn not_asked(why: &str) -> Fault {
    Fault {
        problem: Problem::new(ProblemKind::Network, format!("not asked: {why}")),
        scope: Scope::Graph,
        held_back: true,
    }
}

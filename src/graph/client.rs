//! Graph, as the commands ask it.
//!
//! It holds what one run learns on the way: whether Graph is there, which app is refused, how full
//! its budget is, how far our clock is off. All threads share one. `tries` makes the calls.

mod tries;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::token::{
    AccessToken, DebugTokenCall, Grant, GrantType, Inspection, InspectionWay, Problem, ProblemKind,
    ProfileCall, Provider, Secret, Time,
};

use self::tries::FailedCall;
use super::call::{CallError, Scope};
use super::facebook::{self, PageGrant};
use super::gate::ProbeGate;
use super::http::Transport;
use super::log::{self};
use super::observations::{Observations, Throttle, VersionFallback};
use super::parking::CircuitBreaker;
use super::request::Request;
use super::settings::{App, Settings};

/// The client of one run, shared by its threads.
#[derive(Debug)]
pub struct Graph {
    settings: Settings,
    clock: Clock,
    stop: Arc<AtomicBool>,
    transport: OnceLock<Result<Transport, Problem>>,
    breaker: Mutex<CircuitBreaker>,
    gates: ProbeGate,
    observations: Mutex<Observations>,
    /// Apps that may not ask about tokens.
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
            breaker: Mutex::default(),
            gates: ProbeGate::default(),
            observations: Mutex::default(),
            not_let_ask: Mutex::default(),
            skew: OnceLock::new(),
            calls: AtomicU64::new(0),
        }
    }

    /// Asks what a token is worth, in the way of the app's provider.
    pub fn inspect(&self, app: &App, token: &AccessToken) -> Result<Inspection, CallError> {
        self.gates.first_alone(app, || match app.provider.spec().inspection {
            InspectionWay::DebugToken(call) => self.debug_token(app, call, token),
            InspectionWay::Profile(call) => self.profile(app, call, token),
            InspectionWay::DebugTokenOrProfile(call, profile) => self
                .debug_token_where_allowed(app, call, token)
                .unwrap_or_else(|| self.profile(app, profile, token)),
        })
    }

    fn debug_token(
        &self,
        app: &App,
        call: &DebugTokenCall,
        token: &AccessToken,
    ) -> Result<Inspection, CallError> {
        let secret = secret_of(app, "ask Graph about a token")?;
        let request = facebook::inspect(app, call, Some(secret), token);
        let inspection = self.call(app, &request, facebook::read_inspection)?;
        let of_an_app = token.expose().contains('|');
        Ok(if of_an_app { facebook::as_app_token(inspection) } else { inspection })
    }

    fn profile(
        &self,
        app: &App,
        call: &ProfileCall,
        token: &AccessToken,
    ) -> Result<Inspection, CallError> {
        self.call(app, &facebook::profile(app, call, token), facebook::read_profile)
    }

    /// What Graph says of a token; nothing where it does not let this app ask, which is found out
    /// once.
    fn debug_token_where_allowed(
        &self,
        app: &App,
        call: &DebugTokenCall,
        token: &AccessToken,
    ) -> Option<Result<Inspection, CallError>> {
        if self.not_let_ask().contains(&app.id) {
            return None;
        }
        let request = facebook::inspect(app, call, app.secret.as_ref(), token);
        match self.try_call(app, &request, facebook::read_inspection) {
            Err(FailedCall { fault, .. }) if fault.refuses_the_question() => {
                log::may_not_ask(app, &fault.problem);
                self.not_let_ask().insert(app.id.clone());
                None
            }
            Err(failed) => Some(Err(self.record_failure(app, failed))),
            Ok(inspection) => Some(Ok(inspection)),
        }
    }

    /// Asks for a string: by `token`, the one in use, where the grant is for one that follows it.
    pub fn grant(
        &self,
        app: &App,
        grant: &GrantType,
        token: Option<&AccessToken>,
    ) -> Result<Grant, CallError> {
        let needed = grant.needs_the_secret().then(|| secret_of(app, "exchange a token"));
        let secret = needed.transpose()?;
        let request = facebook::grant(app, grant, facebook::GrantInput { secret, token });
        self.gates.first_alone(app, || {
            self.call(app, &request, |response| facebook::read_grant(response, self.present()))
        })
    }

    /// Lists all Pages of a user, to the end of the list.
    pub fn pages(&self, app: &App, token: &AccessToken) -> Result<Vec<PageGrant>, CallError> {
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
    pub fn page(&self, app: &App, token: &AccessToken, id: &str) -> Result<PageGrant, CallError> {
        let request = facebook::page(app, app.secret.as_ref(), token, id);
        self.call(app, &request, facebook::read_page)
    }

    /// Asks a provider's host what time it is: once, without a token, and nothing more. Where there
    /// is no answer, nothing was learnt.
    pub fn ask_the_time(&self, provider: Provider) {
        /// The calls that follow have patience enough.
        const LIMIT: Duration = Duration::from_secs(5);
        let transport = self.transport.get_or_init(|| Transport::new(&self.settings));
        let answer = transport.as_ref().map(|it| it.send(&Request::for_the_time(provider), LIMIT));
        if let Ok(Ok(response)) = &answer {
            self.set_skew(response);
        }
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

    fn not_let_ask(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.not_let_ask.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread that panicked left nothing half done here: every note is one assignment.
    fn breaker(&self) -> MutexGuard<'_, CircuitBreaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn observations(&self) -> MutexGuard<'_, Observations> {
        self.observations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn secret_of<'a>(app: &'a App, purpose: &str) -> Result<&'a Secret, CallError> {
    app.secret.as_ref().ok_or_else(|| CallError {
        problem: Problem::new(
            ProblemKind::BadAppCredentials,
            format!("app `{}` has no secret, without which nobody can {purpose}", app.name),
        ),
        scope: Scope::App(app.id.clone()),
        held_back: false,
        answer_lost: false,
        wait: None,
    })
}

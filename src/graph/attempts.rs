//! Makes a call, with all its attempts.
//!
//! What an attempt met decides what comes next, and each tells the run something: that Graph is
//! there, what time it is there, how full an app's budget is, whether the app is throttled. A call
//! that would meet the error of an earlier one is not made. All threads share one caller.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::crypto;
use crate::token::{Problem, ProblemKind, Provider, Time};

use super::breaker::CircuitBreaker;
use super::call_error::{CallError, Scope};
use super::call_slots::{CallSlot, CallSlots};
use super::log::{Answered, Attempt};
use super::observations::{Observations, Throttled};
use super::problem;
use super::request::{Idempotence, Request};
use super::response::Response;
use super::retry::{FailedAttempt, Reached, RetryDecision, RetryPolicy};
use super::settings::{App, Settings};
use super::transport::Transport;

/// Makes calls, each with all its attempts, and holds what one run learns by them.
#[derive(Debug)]
pub struct GraphCaller {
    settings: Settings,
    clock: Clock,
    stop: Arc<AtomicBool>,
    transport: OnceLock<Result<Transport, Problem>>,
    slots: CallSlots,
    breaker: Mutex<CircuitBreaker>,
    observations: Mutex<Observations>,
    skew: OnceLock<TimeDelta>,
    calls: AtomicU64,
    /// Whether some call got what it asked for.
    has_answered: AtomicBool,
}

impl GraphCaller {
    /// A caller that has asked nothing yet; once `stop` is set it begins no request.
    pub fn new(settings: Settings, clock: Clock, stop: Arc<AtomicBool>) -> Self {
        Self {
            slots: CallSlots::new(settings.concurrency),
            settings,
            clock,
            stop,
            transport: OnceLock::new(),
            breaker: Mutex::default(),
            observations: Mutex::default(),
            skew: OnceLock::new(),
            calls: AtomicU64::new(0),
            has_answered: AtomicBool::new(false),
        }
    }

    /// Makes a call, and keeps back what would meet the same fault.
    pub fn call<T>(
        &self,
        app: &App,
        request: &Request,
        read: impl Fn(&Response) -> Result<T, Problem>,
    ) -> Result<T, CallError> {
        self.try_call(app, request, read).map_err(|failed| self.record_failure(app, failed))
    }

    /// The same, but a failed keeps nothing else back: the caller knows another way.
    pub fn try_call<T>(
        &self,
        app: &App,
        request: &Request,
        read: impl Fn(&Response) -> Result<T, Problem>,
    ) -> Result<T, FailedCall> {
        let mut slot = self.take_slot(app, request)?;
        let transport = self.transport(request)?;
        let mut attempt = 1;
        loop {
            let this = Attempt { app, request, number: attempt };
            let failure = match self.attempt(slot, transport, this, &read) {
                Ok(value) => {
                    self.breaker().answered(app.provider);
                    self.has_answered.store(true, Ordering::Relaxed);
                    return Ok(value);
                }
                Err(failure) => failure,
            };
            let next = self.retry_policy().next(
                attempt,
                &failure,
                request.idempotence(),
                u32::from_ne_bytes(crypto::random()),
            );
            let RetryDecision::Again(pause) = next else {
                return Err(self.given_up(this, failure));
            };
            if !self.waits(pause) {
                return Err(self.given_up(this, failure));
            }
            slot = match self.take_slot(app, request) {
                Ok(slot) => slot,
                Err(_) => return Err(self.given_up(this, failure)),
            };
            this.retried(&failure, pause);
            attempt += 1;
        }
    }

    /// Waits for a slot, and gives it if the call may still begin; if not, the fault that stands in its
    /// way.
    fn take_slot(&self, app: &App, request: &Request) -> Result<CallSlot<'_>, CallError> {
        let slot = self.slots.take();
        self.held_back(app, request)?;
        Ok(slot)
    }

    /// The way to the request's host, which is made when it is first needed.
    fn transport(&self, request: &Request) -> Result<&Transport, CallError> {
        let unmade = |problem| CallError { scope: Scope::Graph, ..CallError::of_token(problem) };
        let transport = self.transport.get_or_init(|| Transport::new(&self.settings));
        let transport = transport.as_ref().map_err(|problem| unmade(problem.clone()))?;
        transport.prepare(request).map_err(unmade)?;
        Ok(transport)
    }

    fn given_up(&self, last: Attempt<'_>, failure: FailedAttempt) -> FailedCall {
        // What is not tried again fails for a reason that the next call meets too.
        let hopeless = failure.problem.action.needs_a_person();
        let outlived = hopeless || last.number >= self.settings.attempts;
        let unreachable = outlived && failure.problem.kind == ProblemKind::Network;
        let scope = Scope::of(&failure.problem, last.app);
        self.note_throttle(last, &failure, &scope);
        let wait = failure.wait();
        let answer_lost = last.request.idempotence() != Idempotence::Repeatable
            && failure.reach == Reached::Unanswered;
        let fault = CallError { scope, answer_lost, wait, ..CallError::of_token(failure.problem) };
        FailedCall { fault, unreachable }
    }

    /// Keeps back what would meet the same fault.
    pub fn record_failure(
        &self,
        app: &App,
        FailedCall { fault, unreachable }: FailedCall,
    ) -> CallError {
        // What was cut short by a stop or a deadline proves nothing against Graph.
        let cut_short = self.is_stopped() || self.time_is_up();
        if !fault.held_back && (fault.scope != Scope::Graph || !cut_short) {
            self.breaker().met(app.provider, &fault, unreachable);
        }
        fault
    }

    fn attempt<T>(
        &self,
        slot: CallSlot<'_>,
        transport: &Transport,
        this: Attempt<'_>,
        read: impl Fn(&Response) -> Result<T, Problem>,
    ) -> Result<T, FailedAttempt> {
        let Attempt { app, request, .. } = this;
        let begun = Instant::now();
        let limit = self.settings.deadline.map_or(Duration::MAX, |end| end - begun);
        let answer = transport.send(request, limit);
        drop(slot);
        if !matches!(&answer, Err(FailedAttempt { reach: Reached::NotConnected, .. })) {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        let answer = answer.map(|response| response.arrived_at(self.present()));
        if let Ok(response) = &answer {
            self.set_skew(response);
            self.observations().note(app, request.segments(), response);
        }
        let answered = answer.as_ref().map(Answered::by).unwrap_or_default();
        let outcome = answer.and_then(|response| {
            read(&response).map_err(|problem| {
                let reach = reach(&problem, &response);
                FailedAttempt { problem, reach }
            })
        });
        let problem = outcome.as_ref().err().map(|failure| &failure.problem);
        this.called(&answered, problem, begun.elapsed());
        outcome
    }

    /// Whether a call may begin; if not, the fault that stands in its way.
    fn held_back(&self, app: &App, request: &Request) -> Result<(), CallError> {
        if self.is_stopped() {
            return Err(not_asked("the run is being stopped"));
        }
        if self.time_is_up() {
            return Err(not_asked("out of time"));
        }
        if let Some(until) = app.throttled_until.filter(|until| *until > self.present()) {
            let scope = Scope::App(app.id.clone());
            return Err(CallError { scope, ..CallError::throttled(&app.name, until) });
        }
        self.breaker().holds_back(app, request).map_or(Ok(()), Err)
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

    /// Remembers for the next run what is to be left alone: an app that Meta throttles as a whole, or
    /// a host that says when it wants to be asked again.
    fn note_throttle(&self, last: Attempt<'_>, failure: &FailedAttempt, scope: &Scope) {
        let throttled = failure.problem.kind == ProblemKind::RateLimited;
        let what = match scope {
            Scope::App(_) if throttled => Throttled::App(last.app.name.clone()),
            Scope::Graph if throttled || failure.wait().is_some() => {
                Throttled::Host(last.app.provider)
            }
            _ => return,
        };
        last.throttled(failure, &what);
        self.observations().note_throttle(what, failure.wait());
    }

    /// Takes the time from the first dated answer that is Graph's own: a proxy or a hotel's page has a
    /// clock of its own.
    fn set_skew(&self, response: &Response) {
        if self.skew.get().is_none()
            && let Some(date) = response.date()
            && problem::is_readable(response)
        {
            self.skew.get_or_init(|| self.clock.now() - date);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn time_is_up(&self) -> bool {
        self.settings.deadline.is_some_and(|end| Instant::now() >= end)
    }

    /// Asks a provider's host what time it is: once, without a token, and nothing more. Where there
    /// is not an answer, nothing was learnt.
    pub fn ask_the_time(&self, provider: Provider) {
        self.ask_once(&Request::for_the_time(provider));
    }

    /// Asks once and without a token, and nothing more. Where there is no answer, nothing was learnt.
    pub fn ask_once(&self, request: &Request) -> Option<Response> {
        /// The calls that follow have patience enough.
        const LIMIT: Duration = Duration::from_secs(5);
        if self.is_stopped() || self.time_is_up() {
            return None;
        }
        let transport = self.transport.get_or_init(|| Transport::new(&self.settings));
        let response = transport.as_ref().ok()?.send(request, LIMIT).ok()?;
        self.set_skew(&response);
        Some(response)
    }

    /// Our clock minus Graph's, by the first answer that was dated; nothing before that.
    pub fn clock_skew(&self) -> Option<TimeDelta> {
        self.skew.get().copied()
    }

    /// The present by Graph's clock, which is the one that counts for what Graph grants.
    pub fn present(&self) -> Time {
        self.clock.now() - self.clock_skew().unwrap_or_default()
    }

    /// Whether some call got what it asked for.
    pub fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }

    /// How many requests were really sent.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// A thread that panicked left nothing half done here: every note is one assignment.
    fn breaker(&self) -> MutexGuard<'_, CircuitBreaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens what the answers told so far.
    pub fn observations(&self) -> MutexGuard<'_, Observations> {
        self.observations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    const fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy { attempts: self.settings.attempts, pause: self.settings.pause }
    }
}

/// A call that came to nothing, and whether no try of it got through to Graph.
pub struct FailedCall {
    pub fault: CallError,
    unreachable: bool,
}

impl From<CallError> for FailedCall {
    fn from(fault: CallError) -> Self {
        Self { fault, unreachable: false }
    }
}

fn reach(problem: &Problem, response: &Response) -> Reached {
    let turned_away = match response.status() {
        429 => true,
        // A gateway that merely waited in vain names no moment.
        503 => response.retry_after().is_some(),
        _ => false,
    };
    if !problem::is_refusal(response) && !turned_away {
        return Reached::Unanswered;
    }
    Reached::Answered(match problem.kind {
        ProblemKind::RateLimited => response.wait(),
        _ => response.retry_after(),
    })
}

fn not_asked(why: &str) -> CallError {
    let problem = Problem::new(ProblemKind::Network, format!("not asked: {why}"));
    CallError { scope: Scope::Graph, held_back: true, ..CallError::of_token(problem) }
}

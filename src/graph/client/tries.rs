//! One call, with all its tries.
//!
//! What a try met decides what comes next, and each tells the run something: that Graph is there,
//! what time it is there, whether an app is throttled. A call that would meet the fault of an
//! earlier one is not made.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Graph;
use crate::crypto;
use crate::graph::call::{Fault, Scope};
use crate::graph::fault;
use crate::graph::http::Transport;
use crate::graph::log::{Answered, Try};
use crate::graph::request::{Idempotence, Request};
use crate::graph::response::Response;
use crate::graph::retry::{Failure, Next, Patience, Reach};
use crate::graph::settings::App;
use crate::token::{Problem, ProblemKind};

impl Graph {
    /// Makes a call, and keeps back what would meet the same fault.
    pub(super) fn call<T>(
        &self,
        app: &App,
        request: &Request,
        read: impl Fn(&Response) -> Result<T, Problem>,
    ) -> Result<T, Fault> {
        self.try_call(app, request, read).map_err(|defeat| self.park(app, defeat))
    }

    /// The same, but a defeat keeps nothing else back: the caller knows another way.
    pub(super) fn try_call<T>(
        &self,
        app: &App,
        request: &Request,
        read: impl Fn(&Response) -> Result<T, Problem>,
    ) -> Result<T, Defeat> {
        self.held_back(app, request)?;
        let transport = self.transport(request)?;
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

    /// The way to the request's host, which is made when it is first needed.
    fn transport(&self, request: &Request) -> Result<&Transport, Fault> {
        let unmade = |problem| Fault { scope: Scope::Graph, ..Fault::of_token(problem) };
        let transport = self.transport.get_or_init(|| Transport::new(&self.settings));
        let transport = transport.as_ref().map_err(|problem| unmade(problem.clone()))?;
        transport.prepare(request.provider()).map_err(unmade)?;
        Ok(transport)
    }

    fn given_up(&self, last: Try<'_>, failure: Failure) -> Defeat {
        let outlived = last.attempt >= self.settings.attempts;
        let unreachable = outlived && failure.problem.kind == ProblemKind::Network;
        let scope = Scope::of(&failure.problem, last.app);
        if failure.problem.kind == ProblemKind::RateLimited && matches!(scope, Scope::App(_)) {
            last.throttled(&failure);
        }
        let wait = failure.wait();
        let answer_lost = last.request.idempotence() == Idempotence::Minting
            && failure.reach == Reach::Unanswered;
        let fault = Fault { scope, answer_lost, wait, ..Fault::of_token(failure.problem) };
        Defeat { fault, unreachable }
    }

    /// Keeps back what would meet the same fault.
    pub(super) fn park(&self, app: &App, Defeat { fault, unreachable }: Defeat) -> Fault {
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
        if let Some(until) = app.throttled_until.filter(|until| *until > self.present()) {
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

    pub(super) fn set_skew(&self, response: &Response) {
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
}

/// A call that came to nothing, and whether no try of it got through to Graph.
pub(super) struct Defeat {
    pub(super) fault: Fault,
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

fn not_asked(why: &str) -> Fault {
    let problem = Problem::new(ProblemKind::Network, format!("not asked: {why}"));
    Fault { scope: Scope::Graph, held_back: true, ..Fault::of_token(problem) }
}

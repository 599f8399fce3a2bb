//! Keeps back calls that must fail.
//!
//! A wrong app secret is wrong for each of the app's tokens, an app that is throttled is throttled
//! for all of them, and a host that cannot be reached for one cannot be reached for the next. The
//! first call to find that out opens the breaker of the app, or of the host as a whole, for the rest
//! of the run. Many workers start at once, so the first call of each app is made alone: the others
//! wait until one answer has shown that the app is well, and are then never held up again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::token::{ProblemKind, Provider};

use super::call_error::{CallError, Scope};
use super::request::Request;
use super::settings::App;

/// What earlier calls found out.
#[derive(Debug, Default)]
pub struct CircuitBreaker {
    /// A host that is down says nothing of the other hosts.
    hosts: BTreeMap<Provider, Host>,
    apps: BTreeMap<String, CallError>,
}

#[derive(Debug, Default)]
struct Host {
    met: Option<CallError>,
    /// Calls in a row that Graph's own trouble brought down.
    in_a_row: u32,
}

impl CircuitBreaker {
    /// One call brought down by an answered 5xx may be that call's bad luck; so many are not.
    const ENOUGH: u32 = 3;

    /// The fault that a call of this app would meet again.
    pub fn holds_back(&self, app: &App, request: &Request) -> Option<CallError> {
        let of_the_app = || {
            // Instagram and Threads renew without the app's word.
            let met = self.apps.get(&app.id)?;
            (!is_of_credentials(met) || request.names_the_app()).then_some(met)
        };
        let of_the_host = self.hosts.get(&app.provider).and_then(|host| host.met.as_ref());
        let met = of_the_host.or_else(of_the_app)?;
        Some(CallError { held_back: true, ..met.clone() })
    }

    /// A host answered, be it with a refusal: it is there.
    pub fn answered(&mut self, provider: Provider) {
        self.hosts.entry(provider).or_default().in_a_row = 0;
    }

    /// Takes note of a fault that a call at this host met; `unreachable` says that no try of the
    /// call got through.
    pub fn met(&mut self, provider: Provider, fault: &CallError, unreachable: bool) {
        match &fault.scope {
            Scope::Token => self.answered(provider),
            Scope::App(id) => {
                self.answered(provider);
                let met = self.apps.entry(id.clone()).or_insert_with(|| fault.clone());
                if is_of_credentials(met) {
                    *met = fault.clone();
                }
            }
            Scope::Graph => {
                let host = self.hosts.entry(provider).or_default();
                host.in_a_row += 1;
                let throttles = fault.problem.kind == ProblemKind::RateLimited;
                let said_when = fault.wait.is_some();
                if unreachable || throttles || said_when || host.in_a_row >= Self::ENOUGH {
                    host.met.get_or_insert_with(|| fault.clone());
                }
            }
        }
    }
}

/// Whether only calls in the app's name meet it.
const fn is_of_credentials(fault: &CallError) -> bool {
    matches!(fault.problem.kind, ProblemKind::BadAppCredentials | ProblemKind::BadProof)
}

/// One gate an app.
#[derive(Debug, Default)]
pub struct ProbeGate {
    by_app: Mutex<BTreeMap<String, Arc<Gate>>>,
}

#[derive(Debug, Default)]
struct Gate {
    is_open: AtomicBool,
    turn: Mutex<()>,
}

impl ProbeGate {
    /// Makes a call, alone until one has shown that the app is well.
    ///
    /// A fault that is one token's shows that too. After any other the next caller is let through
    /// alone, and finds out by what is parked that it need not ask.
    pub fn first_alone<T>(
        &self,
        app: &App,
        call: impl FnOnce() -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let gate = self.gate(app);
        if gate.is_open.load(Ordering::Acquire) {
            return call();
        }
        let turn = gate.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if gate.is_open.load(Ordering::Acquire) {
            drop(turn);
            return call();
        }
        let outcome = call();
        if outcome.as_ref().err().is_none_or(|fault| fault.scope == Scope::Token) {
            gate.is_open.store(true, Ordering::Release);
        }
        outcome
    }

    fn gate(&self, app: &App) -> Arc<Gate> {
        let mut gates = self.by_app.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(app.id.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use crate::graph::calls;
    use crate::token::{
        AccessToken, AskerPlace, DebugTokenCall, Path, Problem, ProblemKind, Provider, Secret,
        TokenType,
    };

    use super::*;

    fn app(id: &str) -> App {
        App { name: id.into(), id: id.into(), ..App::sample(Provider::Facebook) }
    }

    fn inspect(id: &str) -> Request {
        let token = AccessToken::parse("EAAfake").expect("a token");
        let call = DebugTokenCall {
            path: Path::Versioned(&["debug_token"]),
            app_prefix: "",
            asker: AskerPlace::Header,
        };
        calls::inspect(&app(id), &call, calls::Asker::App(&Secret::new("hush")), &token)
    }

    fn fault(kind: ProblemKind, scope: Scope) -> CallError {
        CallError { scope, ..CallError::of_token(Problem::new(kind, "it failed")) }
    }

    #[test]
    fn an_app_is_parked_alone() {
        let twelve_minutes = Some(chrono::TimeDelta::minutes(12));
        for (kind, wait) in
            [(ProblemKind::BadAppCredentials, None), (ProblemKind::RateLimited, twelve_minutes)]
        {
            let met = CallError { wait, ..fault(kind, Scope::App("1".into())) };
            let mut breaker = CircuitBreaker::default();
            breaker.met(Provider::Facebook, &met, false);
            let held = breaker.holds_back(&app("1"), &inspect("1")).expect("it is held back");
            assert_eq!(held, CallError { held_back: true, ..met });
            assert_eq!(breaker.holds_back(&app("2"), &inspect("2")), None);
        }
    }

    #[test]
    fn graph_is_parked_at_once_or_after_three_in_a_row() {
        let down = fault(ProblemKind::GraphUnavailable, Scope::Graph);
        let mut breaker = CircuitBreaker::default();
        breaker.met(Provider::Facebook, &down, false);
        breaker.met(Provider::Facebook, &down, false);
        breaker.answered(Provider::Facebook);
        breaker.met(Provider::Facebook, &down, false);
        breaker.met(Provider::Facebook, &fault(ProblemKind::Expired, Scope::Token), false);
        breaker.met(Provider::Facebook, &down, false);
        breaker.met(Provider::Facebook, &down, false);
        assert_eq!(breaker.holds_back(&app("1"), &inspect("1")), None);
        breaker.met(Provider::Facebook, &down, false);
        assert_eq!(
            breaker.holds_back(&app("1"), &inspect("1")).map(|fault| fault.scope),
            Some(Scope::Graph)
        );

        let mut breaker = CircuitBreaker::default();
        breaker.met(Provider::Facebook, &fault(ProblemKind::Network, Scope::Graph), true);
        assert!(breaker.holds_back(&app("1"), &inspect("1")).is_some());
    }

    #[test]
    fn a_wrong_secret_holds_back_only_what_needs_it() {
        let token = AccessToken::parse("THfake").expect("a token");
        let refresh = TokenType::Threads.spec().refresh.expect("it can be renewed");
        let bid = calls::GrantInput { secret: None, token: Some(&token) };
        let renewal = calls::grant(&app("1"), refresh, bid);
        let mut breaker = CircuitBreaker::default();
        breaker.met(
            Provider::Facebook,
            &fault(ProblemKind::BadAppCredentials, Scope::App("1".into())),
            false,
        );
        assert!(breaker.holds_back(&app("1"), &inspect("1")).is_some());
        assert_eq!(breaker.holds_back(&app("1"), &renewal), None);
        // What stops every call counts for more than what stops some.
        breaker.met(
            Provider::Facebook,
            &fault(ProblemKind::RateLimited, Scope::App("1".into())),
            false,
        );
        let held = breaker.holds_back(&app("1"), &renewal).expect("it is throttled");
        assert_eq!(held.problem.kind, ProblemKind::RateLimited);
    }

    #[test]
    fn a_host_that_is_down_parks_no_other() {
        let down = fault(ProblemKind::Network, Scope::Graph);
        let mut breaker = CircuitBreaker::default();
        breaker.met(Provider::Threads, &down, true);
        assert_eq!(breaker.holds_back(&app("1"), &inspect("1")), None);
        breaker.met(Provider::Facebook, &down, true);
        assert!(breaker.holds_back(&app("1"), &inspect("1")).is_some());
    }

    /// How many calls of eight at once were under way together.
    fn together(gates: &ProbeGate, answer: impl Fn() -> Result<(), CallError> + Sync) -> usize {
        let (under_way, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    gates.first_alone(&app("1"), || {
                        let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(20));
                        under_way.fetch_sub(1, Ordering::SeqCst);
                        answer()
                    })
                });
            }
        });
        most.into_inner()
    }

    #[test]
    fn a_gate_stays_shut_until_the_app_is_known_to_be_well() {
        let gates = ProbeGate::default();
        let of_the_app = || {
            let problem = Problem::new(ProblemKind::BadAppCredentials, "wrong");
            let scope = Scope::App("1".into());
            Err(CallError { scope, ..CallError::of_token(problem) })
        };
        assert_eq!(together(&gates, of_the_app), 1);
        // One token's trouble is none of the app's: from here on no call waits.
        let of_a_token = CallError::of_token(Problem::new(ProblemKind::Expired, "over"));
        assert!(gates.first_alone(&app("1"), || Err::<(), _>(of_a_token)).is_err());
        assert!(together(&gates, || Ok(())) > 1);
    }
}

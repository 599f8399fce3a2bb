//! The first call of each app is made alone.
//!
//! Many workers start at once, and what is wrong with an app is wrong for all of them: without
//! this each would find it out by a call of its own. So the others wait until one answer has shown
//! that the app is well, and are then never held up again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::call::{CallError, Scope};
use super::settings::App;

/// One gate an app.
#[derive(Debug, Default)]
pub(super) struct ProbeGate {
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
    pub(super) fn first_alone<T>(
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

    use super::*;
    use crate::token::{Problem, ProblemKind, Provider};

    fn app(id: &str) -> App {
        App {
            name: id.into(),
            provider: Provider::Facebook,
            id: id.into(),
            secret: None,
            version: "v25.0".into(),
            throttled_until: None,
        }
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
        // One token's trouble is none of the app's: from here on nobody waits.
        let of_a_token = CallError::of_token(Problem::new(ProblemKind::Expired, "over"));
        assert!(gates.first_alone(&app("1"), || Err::<(), _>(of_a_token)).is_err());
        assert!(together(&gates, || Ok(())) > 1);
    }
}

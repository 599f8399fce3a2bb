//! Calls that must fail are not made.
//!
//! A wrong app secret is wrong for each of the app's tokens, and a host that cannot be reached for
//! one cannot be reached for the next. The first call to find that out parks the app, or Graph as a
//! whole, for the rest of the run.

use std::collections::BTreeMap;

use crate::token::Problem;

use super::call::{Fault, Scope};
use super::settings::App;

/// What earlier calls found out.
#[derive(Debug, Default)]
pub(super) struct Parking {
    graph: Option<Problem>,
    apps: BTreeMap<String, Problem>,
    /// Calls in a row that Graph's own trouble brought down.
    in_a_row: u32,
}

impl Parking {
    /// One call brought down by an answered 5xx may be that call's bad luck; so many are not.
    const ENOUGH: u32 = 3;

    /// The fault that a call of this app would meet again.
    pub(super) fn holds_back(&self, app: &App) -> Option<Fault> {
        let of_graph = self.graph.as_ref().map(|problem| (problem, Scope::Graph));
        let (problem, scope) = of_graph.or_else(|| {
            self.apps.get(&app.id).map(|problem| (problem, Scope::App(app.id.clone())))
        })?;
        Some(Fault { problem: problem.clone(), scope, held_back: true })
    }

    /// Graph answered, be it with a refusal: it is there.
    pub(super) const fn answered(&mut self) {
        self.in_a_row = 0;
    }

    /// Takes note of a fault; `unreachable` says that no try of the call got through to Graph.
    pub(super) fn met(&mut self, fault: &Fault, unreachable: bool) {
        match &fault.scope {
            Scope::Token => self.answered(),
            Scope::App(id) => {
                self.answered();
                self.apps.entry(id.clone()).or_insert_with(|| fault.problem.clone());
            }
            Scope::Graph => {
                self.in_a_row += 1;
                if unreachable || self.in_a_row >= Self::ENOUGH {
                    self.graph.get_or_insert_with(|| fault.problem.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{ProblemKind, Provider};

    fn app(id: &str) -> App {
        App {
            name: id.into(),
            provider: Provider::Facebook,
            id: id.into(),
            secret: None,
            version: "v25.0".into(),
        }
    }

    fn fault(kind: ProblemKind, scope: Scope) -> Fault {
        Fault { problem: Problem::new(kind, "it failed"), scope, held_back: false }
    }

    #[test]
    fn an_app_is_parked_alone() {
        let mut parking = Parking::default();
        parking.met(&fault(ProblemKind::BadAppCredentials, Scope::App("1".into())), false);
        let held = parking.holds_back(&app("1")).expect("it is held back");
        assert!(held.held_back && held.scope == Scope::App("1".into()));
        assert_eq!(parking.holds_back(&app("2")), None);
    }

    #[test]
    fn graph_is_parked_at_once_or_after_three_in_a_row() {
        let down = fault(ProblemKind::GraphUnavailable, Scope::Graph);
        let mut parking = Parking::default();
        parking.met(&down, false);
        parking.met(&down, false);
        parking.answered();
        parking.met(&down, false);
        parking.met(&fault(ProblemKind::Expired, Scope::Token), false);
        parking.met(&down, false);
        parking.met(&down, false);
        assert_eq!(parking.holds_back(&app("1")), None);
        parking.met(&down, false);
        assert_eq!(parking.holds_back(&app("1")).map(|fault| fault.scope), Some(Scope::Graph));

        let mut parking = Parking::default();
        parking.met(&fault(ProblemKind::Network, Scope::Graph), true);
        assert!(parking.holds_back(&app("1")).is_some());
    }
}

//! A simulated Graph: strict, a little unkind, on loopback only.
//!
//! It serves two masters. An operator rehearses a token's whole life against it (`--sandbox`), and
//! the tests start it inside their own process and make it misbehave. Both are worth something
//! only if it is stricter than Meta and owes nothing to the client: it has its own rules, its own
//! sentences and its own parsing, and never uses `graph`'s, or it would agree with every mistake
//! made there. Its tokens are plainly fake and its time moves only when it is told.

mod accounts;
mod app_token;
mod atomic;
mod call;
mod caller;
mod clock;
mod connection;
mod ending;
mod exchange;
mod fault_injection;
mod fixtures;
mod folder;
mod host;
mod inspect;
mod invalidation;
mod issued;
mod profile;
mod quirks;
mod refusal;
mod request;
mod route;
mod scenario;
mod seen;
mod server;
mod simulation;
mod sixty_days;
mod stage;
mod successor;
#[cfg(test)]
mod tests;
mod troubles;
mod usage;
mod version;

pub use call::{Answer, Call};
pub use clock::NowArg;
pub use fault_injection::{FaultInjection, Rule};
pub use fixtures::{AppFixture, Listing, PageFixture, UserFixture};
pub use folder::{Sandbox, open};
pub use invalidation::Invalidation;
pub use issued::{Renewal, TokenFixture};
pub use quirks::{DeadRefusal, OldString, ThreadsInspection, YoungRefusal};
pub use scenario::Scenario;
pub use seen::{Seen, Sender};
pub use server::Server;
pub use simulation::Simulation;
pub use usage::{AdAccountUsage, BusinessUsage};

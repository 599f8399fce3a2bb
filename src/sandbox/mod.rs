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
mod death;
mod ending;
mod exchange;
mod folder;
mod host;
mod inspect;
mod minted;
mod misbehaviour;
mod people;
mod profile;
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
mod unsure;
mod usage;
mod version;

pub use call::{Answer, Call};
pub use clock::NowArg;
pub use death::Death;
pub use folder::{Sandbox, open};
pub use minted::{Renewal, TokenSpec};
pub use misbehaviour::{Misbehaviour, Rule};
pub use people::{AppSpec, Listing, PageSpec, UserSpec};
pub use scenario::Scenario;
pub use seen::{Seen, Sender};
pub use server::Server;
pub use simulation::Simulation;
pub use unsure::{DeadRefusal, OldString, ThreadsInspection, YoungRefusal};
pub use usage::{AdAccountUsage, BusinessUsage};

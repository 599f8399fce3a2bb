//! Simulates Graph, on loopback only, stricter than Meta.
//!
//! It serves two masters. An operator rehearses a token's whole life against it (`--sandbox`), and
//! the tests start it inside their own process and make it misbehave. Both are worth something
//! only if it is stricter than Meta and owes nothing to the client: it has its own rules, its own
//! sentences and its own parsing, and never uses `graph`'s, or it would agree with every mistake
//! made there. Its tokens are plainly fake and its time moves only when it is told.

mod accounts;
mod call;
mod caller;
mod clock;
mod codes;
mod connection;
mod dialog;
mod dialog_page;
mod dialog_request;
mod fault_injection;
mod fixtures;
mod folder;
mod grants;
mod host;
mod inspect;
mod invalidation;
mod issued;
mod logins;
mod minting;
mod quirks;
mod refusal;
mod revocations;
mod route;
mod scenario;
mod seen;
mod server;
mod shared;
mod simulation;
#[cfg(test)]
mod tests;
mod troubles;

pub use call::{Answer, Call};
pub use clock::NowArg;
pub use fault_injection::{FaultInjection, Rule};
pub use fixtures::{
    AppFixture, Listing, LoginConfiguration, PageFixture, PortfolioFixture, UserFixture,
    WhatsappFixture,
};
pub use folder::{Sandbox, open, remember, remembered};
pub use invalidation::Invalidation;
pub use issued::{Renewal, TokenFixture};
pub use quirks::{
    CodeReply, DeadRefusal, NeverExpiring, OldString, PageExchange, Revocations, ThreadsInspection,
    YoungRefusal,
};
pub use scenario::Scenario;
pub use seen::{Seen, Sender};
pub use server::Server;
pub use simulation::Simulation;

//! Handing tokens over to the programs that use them.
//!
//! A renewed token that stays in our store is an outage. How a file gets its string stands in `file`, how it gets back what it held, in `restore`, and what
//! becomes of one that a run left half-written, in `unfinished`; how a program gets its string, in
//! `hook`; what a test of both says, in `preview`. Nothing here knows the store or Graph:
//! whoever calls says which strings are ours, and keeps what was replaced.

mod error;
mod file;
mod hook;
mod parcel;
mod preview;
mod restore;
mod unfinished;

pub use crate::process::Process;
pub use error::Fault;
pub use file::{Memory, Written, look, write};
pub use hook::{hand_over, still_running};
pub use parcel::Parcel;
pub use preview::{Rehearsal, rehearse, stand_in};
pub use restore::restore;
pub use unfinished::{Before, Ending, Unfinished, not_ours_to_finish};

//! Handing tokens over to the programs that use them.
//!
//! A renewed token that stays in our store is an outage. What a target is stands in `target`; how
//! a file gets its string, in `write`, how it gets back what it held, in `restore`, and what
//! becomes of one that a run left half-written, in `unfinished`; how a program gets its string, in
//! `command`; what a test of both says, in `rehearsal`. Nothing here knows the store or Graph:
//! whoever calls says which strings are ours, and keeps what was replaced.

mod command;
mod fault;
mod parcel;
mod rehearsal;
mod restore;
mod target;
mod unfinished;
mod write;

pub use crate::process::Process;
pub use command::{hand_over, still_running};
pub use fault::Fault;
pub use parcel::Parcel;
pub use rehearsal::{Rehearsal, rehearse, stand_in};
pub use restore::restore;
pub use target::{FileTarget, FirstDelivery, FormatFrom, Place, Rules, Target, Writing};
pub use unfinished::{Ending, Unfinished, not_ours_to_finish};
pub use write::{Consent, Memory, Written, foresee_first, look, write};

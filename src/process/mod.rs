//! Runs another program, within limits.
//!
//! A run is unattended and other tokens wait behind it, so no program may hold it up: not by
//! running on, not by printing without end, not by leaving its input unread, not by starting
//! another that keeps its pipes. Each has a time and a process group of its own, and when a call
//! returns the program is reaped and the group is gone, as a systemd unit's is. A program that
//! starts a daemon must let it leave the group, as daemons do.
//!
//! What a program is given is what the call says and no more: words without a shell, an
//! environment without ours, `/` as its folder. Its umask is ours. What it prints may hold a
//! token, so it is kept in memory that is wiped, and never shown by `Debug` or by a failure.

mod alive;
mod error;
mod output;
mod program;
mod replacement;
mod run;
#[cfg(test)]
mod tests;

pub use alive::Process;
pub use error::ProcessError;
pub use output::{CAP, Ended, OutputEnd, Printed};
pub use program::find;
pub use replacement::{Descriptor, NotStarted, Replacement};
pub use run::Invocation;
pub use run::forbid_core_dumps;

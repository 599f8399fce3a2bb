//! Keeps the memory of this process, which holds access tokens and secrets, out of core dumps.
//!
//! Only the soft limit is lowered, and each program that we start gets the one that we were given:
//! its dumps are its own business.

use std::process::Child;
use std::sync::OnceLock;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// The limit that we were given.
static GIVEN: OnceLock<Rlimit> = OnceLock::new();

/// Forbids core dumps of this process. To be called before a secret is read.
pub fn forbid_core_dumps() {
    let given = GIVEN.get_or_init(|| getrlimit(Resource::Core));
    // Lowering a soft limit is everybody's right: it cannot fail.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: given.maximum });
}

/// Gives a program the limit that we were given. One that runs as another user keeps ours.
pub(super) fn give_back_to(child: &Child) {
    if let Some(given) = GIVEN.get() {
        let _ = prlimit(Some(Pid::from_child(child)), Resource::Core, *given);
    }
}

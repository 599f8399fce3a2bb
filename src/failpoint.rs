//! Places where a test kills the process.
//!
//! A test arms one by name and the process ends there as if by SIGKILL, with nothing unwound and
//! nothing flushed. They exist in debug builds only; CI checks that the release binary lacks them.

/// The variable by which a test arms a fail point.
#[cfg(debug_assertions)]
pub const VARIABLE: &str = "METATOKEN_FAILPOINT";

#[cfg(debug_assertions)]
static ARMED: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Arms the fail point of that name, once per process.
#[cfg(debug_assertions)]
pub fn arm(name: &str) {
    let _ = ARMED.set(name.to_owned());
}

/// Ends the process here if the fail point of that name is armed.
#[cfg(debug_assertions)]
pub fn reach(name: &str) {
    if ARMED.get().is_some_and(|armed| armed == name) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Does nothing: a release build has no fail points.
#[cfg(not(debug_assertions))]
#[inline]
pub fn reach(_name: &str) {}

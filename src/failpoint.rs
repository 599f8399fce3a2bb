//! Marks the places where a test kills the process.
//!
//! A test arms one by name and the process ends there as if by SIGKILL, with nothing unwound and
//! nothing flushed. They exist in debug builds only; CI checks that the release binary lacks them.

/// The variable by which a test arms a fail point.
#[cfg(debug_assertions)]
pub const VARIABLE: &str = "METATOKEN_FAILPOINT";

#[cfg(debug_assertions)]
static ARMED: std::sync::OnceLock<Armed> = std::sync::OnceLock::new();

/// A fail point, and how many times it is still passed.
#[cfg(debug_assertions)]
struct Armed {
    name: String,
    passed: std::sync::atomic::AtomicUsize,
}

/// Arms the fail point of that name, once per process; `NAME:3` kills where it is reached for the third
/// time.
#[cfg(debug_assertions)]
pub fn arm(text: &str) {
    let counted = text.split_once(':').and_then(|(name, n)| Some((name, n.parse::<usize>().ok()?)));
    let (name, nth) = counted.unwrap_or((text, 1));
    let passed = std::sync::atomic::AtomicUsize::new(nth.saturating_sub(1));
    let _ = ARMED.set(Armed { name: name.to_owned(), passed });
}

/// Ends the process here if the fail point of that name is armed.
#[cfg(debug_assertions)]
pub fn reach(name: &str) {
    use std::sync::atomic::Ordering::Relaxed;
    let Some(armed) = ARMED.get().filter(|armed| armed.name == name) else { return };
    let passes = armed.passed.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
    if passes.is_err() {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Does nothing: a release build has no fail points.
#[cfg(not(debug_assertions))]
#[inline]
pub fn reach(_name: &str) {}

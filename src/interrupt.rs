//! What happens when the process is ended by a signal.
//!
//! At SIGTERM or SIGINT no new request is made; what Meta has granted and what arrives within
//! five seconds is sealed. Then the run is written down as ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};

/// How long an answer that is under way may still arrive.
const GRACE: Duration = Duration::from_secs(5);
/// How often the flag is looked at.
const TICK: Duration = Duration::from_millis(50);

/// Whether the process was asked to end, and by which signal.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    stop: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

/// Lets a write beyond the limit for a file's length fail like one to a full disk, in place of
/// ending the process between a grant and its seal. Programs that we start have it as it was.
pub fn survive_file_limit() {
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}

impl Interrupt {
    /// Listens to SIGTERM and SIGINT from now on.
    pub fn listen(&self) {
        for signal in [SIGINT, SIGTERM] {
            // Where a handler cannot be set the signal ends the process, which is safe too.
            let number = usize::try_from(signal).unwrap_or(0);
            let _ = signal_hook::flag::register_usize(signal, Arc::clone(&self.signal), number);
            let _ = signal_hook::flag::register(signal, Arc::clone(&self.stop));
        }
    }

    /// The flag that stops the work.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Whether the work is to stop.
    pub fn is_raised(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Stops the work without a signal: another part of it has failed for all.
    pub fn raise(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// The exit code by which a shell tells the signal, 130 or 143.
    pub fn exit_code(&self) -> Option<u8> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            signal => u8::try_from(128 + signal).ok(),
        }
    }

    /// Runs `work`; if a signal comes and `work` does not end within the grace, `last_words` is
    /// called and the process ends.
    pub fn guard<T>(&self, last_words: impl Fn() + Send + Sync, work: impl FnOnce() -> T) -> T {
        self.guard_within(GRACE, last_words, work)
    }

    /// The same for work that grants nothing: the process ends as soon as a signal comes.
    pub fn guard_reading<T>(
        &self,
        last_words: impl Fn() + Send + Sync,
        work: impl FnOnce() -> T,
    ) -> T {
        self.listen();
        self.guard_within(Duration::ZERO, last_words, work)
    }

    fn guard_within<T>(
        &self,
        grace: Duration,
        last_words: impl Fn() + Send + Sync,
        work: impl FnOnce() -> T,
    ) -> T {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watch = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    if self.exit_code().is_some() {
                        self.end_after(grace, &done, &last_words);
                        return;
                    }
                    std::thread::park_timeout(TICK);
                }
            });
            let result = work();
            done.store(true, Ordering::Relaxed);
            watch.thread().unpark();
            result
        })
    }

    fn end_after(&self, grace: Duration, done: &AtomicBool, last_words: &impl Fn()) {
        let mut waited = Duration::ZERO;
        while waited < grace {
            if done.load(Ordering::Relaxed) {
                return;
            }
            std::thread::park_timeout(TICK);
            waited += TICK;
        }
        last_words();
        #[expect(clippy::disallowed_methods, reason = "a request that hangs cannot be called off")]
        std::process::exit(i32::from(self.exit_code().unwrap_or(143)));
    }
}

//! Says how often and how long a notification is tried.
//!
//! A run has better to do than to wait for a chat, and a fault that lasts longer than a second is
//! met by the next run anyway.

use std::fmt;
use std::time::Duration;

/// How often a message is sent, and how much time it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendPolicy {
    /// For one attempt, from the connection to the last byte of the answer.
    pub timeout: Duration,
    /// How often it is sent where the fault is transient.
    pub attempts: u32,
    /// Between two attempts, unless the other side names a time.
    pub pause: Duration,
}

impl Default for SendPolicy {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), attempts: 2, pause: Duration::from_secs(1) }
    }
}

/// Why an attempt failed, and whether another one may succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptError {
    /// In one sentence.
    pub why: String,
    /// Whether it is sent again.
    pub retry: Retry,
}

/// Whether a message is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It would fail again.
    Never,
    /// After the pause of the policy.
    Later,
    /// After this time, says the other side.
    After(Duration),
}

impl AttemptError {
    /// A fault that the next attempt meets again.
    pub fn permanent(why: impl Into<String>) -> Self {
        Self { why: why.into(), retry: Retry::Never }
    }

    /// A fault that may have passed by the next attempt.
    pub fn transient(why: impl Into<String>) -> Self {
        Self { why: why.into(), retry: Retry::Later }
    }
}

impl SendPolicy {
    /// Repeats an attempt until it succeeds, fails for good or was made often enough.
    pub fn run(
        self,
        mut attempt: impl FnMut() -> Result<(), AttemptError>,
    ) -> Result<(), SendError> {
        let mut made = 0;
        loop {
            let Err(error) = attempt() else { return Ok(()) };
            made += 1;
            match self.pause_before(error.retry) {
                Some(pause) if made < self.attempts => std::thread::sleep(pause),
                _ => return Err(SendError::new(error.why)),
            }
        }
    }

    /// The pause before the next attempt; none where the other side asks for more time than an
    /// attempt may take.
    fn pause_before(self, retry: Retry) -> Option<Duration> {
        match retry {
            Retry::Never => None,
            Retry::Later => Some(self.pause),
            Retry::After(wait) => (wait <= self.timeout).then_some(wait.max(self.pause)),
        }
    }
}

/// Why a message was not sent, in one sentence without a subject. It may go into the log, the store
/// and another message, so it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendError(String);

impl SendError {
    /// An error with this sentence.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SendError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again_and_not_for_ever() {
        let quick = SendPolicy { pause: Duration::ZERO, ..SendPolicy::default() };
        let seconds = |seconds| Retry::After(Duration::from_secs(seconds));
        for (retry, attempts) in
            [(Retry::Never, 1), (Retry::Later, 2), (seconds(0), 2), (seconds(6), 1)]
        {
            let mut tried = 0;
            let end = quick.run(|| {
                tried += 1;
                Err(AttemptError { why: format!("no. {tried}"), retry })
            });
            assert_eq!(
                (tried, end),
                (attempts, Err(SendError::new(format!("no. {attempts}")))),
                "{retry:?}"
            );
        }
        let mut tried = 0;
        let second = quick.run(|| {
            tried += 1;
            if tried == 2 { Ok(()) } else { Err(AttemptError::transient("not yet")) }
        });
        assert_eq!(second, Ok(()));
    }

    #[test]
    fn the_pause_is_ours_or_the_longer_one_that_was_asked_for() {
        let seconds = Duration::from_secs;
        for (retry, pause) in [
            (Retry::Later, Some(1)),
            (Retry::After(Duration::ZERO), Some(1)),
            (Retry::After(seconds(5)), Some(5)),
            (Retry::After(seconds(6)), None),
            (Retry::Never, None),
        ] {
            assert_eq!(SendPolicy::default().pause_before(retry), pause.map(seconds), "{retry:?}");
        }
    }
}

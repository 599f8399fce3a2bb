//! How often it is tried, and how long.
//!
//! A run has better to do than to wait for a chat, and a fault that lasts longer than a second is
//! met by the next run anyway.

use std::time::Duration;

use super::NotSent;

/// How much time a notice may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For one try, from the connection to the last byte of the answer.
    pub timeout: Duration,
    /// How often it is tried where the fault may pass.
    pub tries: u32,
    /// Between two tries, unless the other side names a time.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), tries: 2, pause: Duration::from_secs(1) }
    }
}

/// A try that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Miss {
    pub(super) why: String,
    pub(super) next: Next,
}

/// What a further try would meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The same.
    Hopeless,
    /// Perhaps another answer.
    Hopeful,
    /// Another answer after this time, says the other side.
    HopefulAfter(Duration),
}

impl Miss {
    pub(super) fn hopeless(why: impl Into<String>) -> Self {
        Self { why: why.into(), next: Next::Hopeless }
    }

    pub(super) fn hopeful(why: impl Into<String>) -> Self {
        Self { why: why.into(), next: Next::Hopeful }
    }
}

impl Patience {
    /// Tries until it succeeds, is hopeless or was tried often enough.
    pub(super) fn insist(
        self,
        mut attempt: impl FnMut() -> Result<(), Miss>,
    ) -> Result<(), NotSent> {
        let mut tried = 0;
        loop {
            let Err(miss) = attempt() else { return Ok(()) };
            tried += 1;
            match self.pause_before(miss.next) {
                Some(pause) if tried < self.tries => std::thread::sleep(pause),
                _ => return Err(NotSent::new(miss.why)),
            }
        }
    }

    /// Whoever wants to be left alone for longer than a try takes is not asked again.
    fn pause_before(self, next: Next) -> Option<Duration> {
        match next {
            Next::Hopeless => None,
            Next::Hopeful => Some(self.pause),
            Next::HopefulAfter(wait) => (wait <= self.timeout).then_some(wait.max(self.pause)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again_and_not_for_ever() {
        let quick = Patience { pause: Duration::ZERO, ..Patience::default() };
        let seconds = |seconds| Next::HopefulAfter(Duration::from_secs(seconds));
        for (next, tries) in
            [(Next::Hopeless, 1), (Next::Hopeful, 2), (seconds(0), 2), (seconds(6), 1)]
        {
            let mut tried = 0;
            let end = quick.insist(|| {
                tried += 1;
                Err(Miss { why: format!("no. {tried}"), next })
            });
            assert_eq!(
                (tried, end),
                (tries, Err(NotSent::new(format!("no. {tries}")))),
                "{next:?}"
            );
        }
        let mut tried = 0;
        let second = quick.insist(|| {
            tried += 1;
            if tried == 2 { Ok(()) } else { Err(Miss::hopeful("not yet")) }
        });
        assert_eq!(second, Ok(()));
    }

    #[test]
    fn the_pause_is_ours_or_the_longer_one_that_was_asked_for() {
        let seconds = Duration::from_secs;
        for (next, pause) in [
            (Next::Hopeful, Some(1)),
            (Next::HopefulAfter(Duration::ZERO), Some(1)),
            (Next::HopefulAfter(seconds(5)), Some(5)),
            (Next::HopefulAfter(seconds(6)), None),
            (Next::Hopeless, None),
        ] {
            assert_eq!(Patience::default().pause_before(next), pause.map(seconds), "{next:?}");
        }
    }
}

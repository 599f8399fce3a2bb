//! Decides which clock counts.
//!
//! One rule for every command: **Graph's time where this command has heard it, else the host's.**
//!
//! A command that has heard nothing yet has one piece of evidence, the last time that a run heard
//! Graph: Graph's time never goes back, so a host that shows less than Graph did then is behind,
//! and one that was off then and was not set back since is off still. Only so much is corrected.
//! A run that has reason to doubt the clock (it was off, it went back, or it shows that no run has
//! heard Graph for more than a day) asks Graph for the time before it decides anything. Only a run
//! that has heard Graph deletes anything by its age.
//!
//! A stored time that lies ahead was written by a clock that was ahead. It holds nothing back for
//! longer than any pause lasts, and the next run that hears Graph makes it the present.

use chrono::TimeDelta;

use super::{Health, Reason, humanize};
use crate::token::{Action, Attempts, Time};

/// Clocks that differ by less agree: nothing is said, and the host's counts.
pub const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Some run hears Graph every day (`verify_every`); a host that shows a longer silence was switched
/// off, or its clock was set ahead.
const LONGEST_SILENCE: TimeDelta = TimeDelta::hours(26);

/// No pause of ours is longer than a day.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(25);

/// No pause that Meta asks for is longer than a week.
const LONGEST_THROTTLE: TimeDelta = TimeDelta::hours(7 * 24 + 1);

/// Whether dates may be compared with the local clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// The clock agrees with Graph's, or nothing speaks against it.
    Trusted,
    /// The clock may be off, and Graph has not been heard since.
    Doubted,
}

/// When a judgement is made.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The present.
    pub now: Time,
    /// When the present run began: a proof from then on is fresh whatever the settings say.
    pub run_started: Time,
    /// What a date is worth.
    pub dates: Dates,
}

impl Moment {
    /// A moment at which nothing has been asked yet and the clock is believed.
    pub const fn at(now: Time) -> Self {
        Self { now, run_started: now, dates: Dates::Trusted }
    }
}

/// The two clocks at the moment at which a run last heard Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastHeard {
    /// What Graph's showed.
    pub graph: Time,
    /// What the host's showed.
    pub host: Time,
}

/// What a command knows of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// What the host's clock shows.
    pub host: Time,
    /// By how much it is ahead of Graph's, as this command has heard itself.
    pub heard: Option<TimeDelta>,
    /// When a run last heard Graph.
    pub last: Option<LastHeard>,
}

impl Clocks {
    /// By how much the host's clock is ahead of the time to go by; zero where the two agree.
    pub fn skew(&self) -> TimeDelta {
        let skew = match (self.heard, self.last) {
            (Some(heard), _) => heard,
            (None, Some(last)) => last.skew_at(self.host),
            (None, None) => TimeDelta::zero(),
        };
        if agrees(skew) { TimeDelta::zero() } else { skew }
    }

    /// The time to go by.
    pub fn now(&self) -> Time {
        self.at(self.host)
    }

    /// The time to go by when the host's clock showed `host`, in this command.
    pub fn at(&self, host: Time) -> Time {
        host - self.skew()
    }

    /// Whether Graph is asked for the time before anything is decided: the host's clock was off, it
    /// is behind, or it shows a long silence.
    pub fn is_in_doubt(&self) -> bool {
        let silent = |last: LastHeard| self.host - last.host > LONGEST_SILENCE;
        self.dates() == Dates::Doubted || self.heard.is_none() && self.last.is_some_and(silent)
    }

    /// What a date is worth: nothing while the host's clock is known to be off and Graph does not
    /// say by how much.
    pub fn dates(&self) -> Dates {
        match (self.heard, self.last) {
            (None, Some(last)) if !last.vouches_for(self.host) => Dates::Doubted,
            _ => Dates::Trusted,
        }
    }

    /// Warns of a clock that is off.
    pub fn reason(&self) -> Option<Reason> {
        let skew = self.skew();
        if skew.is_zero() {
            return None;
        }
        let direction = if skew > TimeDelta::zero() { "ahead of" } else { "behind" };
        Some(Reason::of_the_system(
            "clock_skew",
            Health::Warning,
            format!("the clock of this machine is {} {direction} Graph's", humanize::span(skew)),
            "set the clock: run `timedatectl set-ntp true`",
        ))
    }
}

impl LastHeard {
    fn skew(self) -> TimeDelta {
        self.host - self.graph
    }

    /// By how much the host's clock is certainly, or most likely, off when it shows `host`.
    fn skew_at(self, host: Time) -> TimeDelta {
        let was = self.skew();
        let set_back = host < self.host;
        let is_ahead = was > TimeDelta::zero() && !set_back;
        let is_behind = was < TimeDelta::zero() && !set_back && host < self.graph;
        if !agrees(was) && (is_ahead || is_behind) {
            was
        } else {
            (host - self.graph).min(TimeDelta::zero())
        }
    }

    /// Whether a clock that shows `host` was right then and has not gone back since.
    fn vouches_for(self, host: Time) -> bool {
        agrees(self.skew()) && host >= self.graph - TOLERANCE
    }
}

fn agrees(skew: TimeDelta) -> bool {
    skew.abs() < TOLERANCE
}

/// Until when an app's throttle holds, if it does at `now`.
pub fn throttle(until: Time, now: Time) -> Option<Time> {
    Some(until).filter(|until| *until > now && *until - now <= LONGEST_THROTTLE)
}

/// Until when nothing is tried for a token, if that lies ahead of `now`.
pub fn pause(attempts: &Attempts, now: Time) -> Option<Time> {
    let longest = if is_metas_own_pause(attempts) { LONGEST_THROTTLE } else { LONGEST_PAUSE };
    attempts.not_before.filter(|until| *until > now && *until - now <= longest)
}

/// Whether Meta itself asked for the pause, by the problem that stands: it holds for everybody.
pub fn is_metas_own_pause(attempts: &Attempts) -> bool {
    let problem = attempts.problem.as_ref();
    problem.is_some_and(|problem| matches!(problem.action, Action::Wait | Action::SlowDown))
}

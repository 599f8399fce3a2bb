//! Draws the time of one token as shapes on a line: what was, what is, what is planned.
//!
//! Places are parts of the line's width, so that it fits every screen without a script and without a
//! style of its own. What a shape means is said by its form, and in words by the line's title.

use std::fmt::{self, Write as _};

use chrono::{Datelike as _, TimeDelta};

use crate::policy::{Condition, State, humanize};
use crate::report::history::HistoryEntry;
use crate::report::token_report::TokenReport;
use crate::token::{DataAccess, EventKind, Expiry, Time};

/// How much of the past is drawn.
const BEFORE: TimeDelta = TimeDelta::days(30);

/// How much of the time to come: what Meta grants for sixty days fits.
const AFTER: TimeDelta = TimeDelta::days(65);

/// The time that all lines of a page show.
#[derive(Debug, Clone, Copy)]
pub struct TimeAxis {
    from: Time,
    to: Time,
    now: Time,
}

/// A place on a line, in tenths of a percent of its width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinePlace(i64);

impl fmt::Display for LinePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 10, self.0 % 10) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, tenths) => write!(f, "{whole}.{tenths}%"),
        }
    }
}

/// The first day of a month on the axis.
#[derive(Debug)]
pub struct AxisMark {
    /// Where it is.
    pub at: LinePlace,
    /// What the month is called.
    pub name: String,
}

impl TimeAxis {
    /// The axis of a page that is drawn now.
    pub fn around(now: Time) -> Self {
        Self { from: now - BEFORE, to: now + AFTER, now }
    }

    /// Where the present is.
    pub fn now(&self) -> LinePlace {
        self.place(self.now)
    }

    /// Where the months begin.
    pub fn months(&self) -> Vec<AxisMark> {
        let days =
            (0..=(self.to - self.from).num_days()).map(|day| self.from + TimeDelta::days(day));
        let first = days.map(|day| day.date_naive()).filter(|day| day.day() == 1);
        let mark = |day: chrono::NaiveDate| {
            let begin = day.and_time(chrono::NaiveTime::MIN).and_utc();
            let name = if day.month() == 1 { "%b %Y" } else { "%b" };
            AxisMark { at: self.place(begin), name: day.format(name).to_string() }
        };
        first.map(mark).collect()
    }

    fn place(&self, at: Time) -> LinePlace {
        let (part, whole) = (at.clamp(self.from, self.to) - self.from, self.to - self.from);
        LinePlace(part.num_seconds() * 1000 / whole.num_seconds())
    }

    fn has(&self, at: Time) -> bool {
        (self.from..=self.to).contains(&at)
    }
}

/// The time of one token.
#[derive(Debug, Default)]
pub struct TimeLine {
    /// All of it in words.
    pub title: String,
    /// Elements of SVG. There are numbers in them and nothing else that comes from outside.
    pub shapes: String,
}

impl TimeLine {
    /// Draws the time of a token; `events` are its own, the oldest first.
    pub fn of(token: &TokenReport, events: &[&HistoryEntry], axis: &TimeAxis) -> Self {
        let mut this = Self::default();
        if token.generation.is_none() && token.inspection.is_none() {
            this.say(&standing(token));
            return this;
        }
        let granted: Vec<&&HistoryEntry> = events.iter().filter(|it| is_grant(it.event)).collect();
        let death = death(token, events);
        let end = death
            .or(token.expiry.at())
            .or_else(|| (token.expiry == Expiry::Unknown).then_some(axis.now));
        let issued = token.inspection.as_ref().and_then(|it| it.issued_at);
        let issued = issued.or(granted.last().map(|it| it.at));
        let from = issued.unwrap_or(axis.from);
        if let Some(issued) = issued {
            this.say(&format!("issued {}", issued.date_naive()));
        }
        this.bar('p', (9, 4), begun(token, &granted, axis).min(from), from, axis);
        this.life(token, (from, end), death, axis);
        this.data_access(token, axis);
        this.marks(token, events, death, axis);
        this
    }

    /// The access token in use, and the window in which it is renewed.
    fn life(
        &mut self,
        token: &TokenReport,
        (from, end): (Time, Option<Time>),
        death: Option<Time>,
        axis: &TimeAxis,
    ) {
        let until = end.unwrap_or(axis.to);
        let window = token.refresh.due_at.filter(|_| token.refresh.automatic && death.is_none());
        let window = window.filter(|due| *due < until && token.expiry.at().is_some());
        self.bar('b', (7, 8), from, window.unwrap_or(until), axis);
        if let Some(due) = window {
            self.bar('w', (7, 8), due, until, axis);
        }
        match (death, token.expiry) {
            (Some(_), _) => self.say(&standing(token)),
            (None, Expiry::At(at)) => {
                self.say(&format!("expires {}", humanize::when(at, axis.now)));
            }
            (None, Expiry::Never) => self.say("never expires"),
            (None, Expiry::Unknown) => {
                self.say("unknown when it expires");
                self.bar('u', (8, 6), axis.now, axis.to, axis);
            }
        }
        let goes_on =
            death.is_none() && (end.is_none() || token.expiry.at().is_some_and(|at| at > axis.to));
        if goes_on {
            self.mark('e', axis.to, axis);
        }
    }

    fn data_access(&mut self, token: &TokenReport, axis: &TimeAxis) {
        let access = token.inspection.as_ref().map(|it| it.data_access);
        let Some(DataAccess::Until(until)) = access else { return };
        self.say(&format!("data access until {}", until.date_naive()));
        if until > axis.from {
            let from = if until > axis.now { axis.now } else { axis.from };
            let (from, to) = (axis.place(from), axis.place(until));
            let _ = write!(self.shapes, "<line class=d x1={from} x2={to} y1=20 y2=20 />");
        }
    }

    fn marks(
        &mut self,
        token: &TokenReport,
        events: &[&HistoryEntry],
        death: Option<Time>,
        axis: &TimeAxis,
    ) {
        let mut last = None;
        for failed in events.iter().filter(|it| it.event.counts_as() == Some(false)) {
            // One that is tried every hour would be a wall.
            let day = failed.at.date_naive();
            if last.replace(day) != Some(day) {
                self.mark('f', failed.at, axis);
            }
        }
        let renewed: Vec<Time> =
            events.iter().filter(|it| is_grant(it.event)).map(|it| it.at).collect();
        for at in &renewed {
            self.mark('r', *at, axis);
        }
        if !renewed.is_empty() {
            let times = humanize::count(renewed.len(), "new access token");
            self.say(&format!("{times} in 30 days"));
        }
        let due = token.refresh.due_at.filter(|_| token.refresh.automatic && death.is_none());
        if let Some(due) = due {
            let due = due.max(axis.now);
            self.say(&format!("renewed from {} on", due.date_naive()));
            self.mark('o', due, axis);
        }
        if let Some(death) = death {
            self.mark('x', death.max(axis.from), axis);
        }
    }

    fn say(&mut self, words: &str) {
        if !self.title.is_empty() {
            self.title.push_str(", ");
        }
        self.title.push_str(words);
    }

    /// A bar of that kind, so far down and so high, as much of it as is on the axis.
    fn bar(&mut self, kind: char, (down, high): (u8, u8), from: Time, to: Time, axis: &TimeAxis) {
        let (from, to) = (axis.place(from), axis.place(to));
        if from < to {
            let width = LinePlace(to.0 - from.0);
            let _ = write!(
                self.shapes,
                "<rect class={kind} x={from} width={width} y={down} height={high} />"
            );
        }
    }

    fn mark(&mut self, kind: char, at: Time, axis: &TimeAxis) {
        if axis.has(at) {
            let _ = write!(self.shapes, "<use href=#{kind} x={} />", axis.place(at));
        }
    }
}

/// Whether another access token was in use after it.
pub const fn is_grant(event: EventKind) -> bool {
    matches!(
        event,
        EventKind::Adopted
            | EventKind::Exchanged
            | EventKind::Refreshed
            | EventKind::Derived
            | EventKind::LoggedIn
            | EventKind::Minted
            | EventKind::RolledBack
            | EventKind::Promoted
    )
}

/// Since when the token has had access tokens, as far as the last month shows.
fn begun(token: &TokenReport, granted: &[&&HistoryEntry], axis: &TimeAxis) -> Time {
    match granted.first() {
        Some(first) if first.old_expiry == Expiry::Unknown && first.generation == Some(1) => {
            first.at
        }
        Some(_) => axis.from,
        None if token.generation.is_some_and(|number| number > 1) => axis.from,
        None => axis.now,
    }
}

/// What it can do now, where it cannot be used.
fn standing(token: &TokenReport) -> String {
    match token.judgement.condition {
        Some(down @ Condition::Down { .. }) => down.to_string(),
        _ => token.state_in_words(),
    }
}

/// When it died, if it is dead.
fn death(token: &TokenReport, events: &[&HistoryEntry]) -> Option<Time> {
    if !matches!(token.judgement.state, State::Invalid | State::Expired) {
        return None;
    }
    let since = match token.judgement.condition {
        Some(Condition::Down { since }) => since,
        _ => None,
    };
    let noticed = events.iter().rev().find(|it| it.event == EventKind::Invalid).map(|it| it.at);
    since.or(noticed).or(token.expiry.at()).or(token.verified_at)
}

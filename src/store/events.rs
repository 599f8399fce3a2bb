//! The history: what happened to each token, in which run, and by whose hand.

use rusqlite::{Connection, Row, params};

use super::columns::{self, Cells};
use super::runs::RunId;
use super::{Result, Store};
use crate::token::{
    EventKind, Expiry, Fingerprint, GenerationId, Label, Problem, TargetId, Time, TokenId, Trigger,
};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Time,
    /// In which run.
    pub run: RunId,
    /// Who had started that run.
    pub trigger: Trigger,
    /// To which token, if to one.
    pub token: Option<TokenId>,
    /// The token's label, as it is now.
    pub label: Option<Label>,
    /// What.
    pub kind: EventKind,
    /// The number of the generation concerned.
    pub generation: Option<u32>,
    /// What stands for its string.
    pub fingerprint: Option<Fingerprint>,
    /// When the token ended before.
    pub old_expiry: Option<Expiry>,
    /// When it ends since.
    pub new_expiry: Option<Expiry>,
    /// What was wrong.
    pub problem: Option<Problem>,
    /// The target of a delivery, or the channel of a notification.
    pub target: Option<TargetId>,
}

/// Which part of the history is wanted; by default all of it.
#[derive(Debug, Clone, Default)]
pub struct EventQuery {
    /// Of these tokens only.
    pub labels: Option<Vec<Label>>,
    /// Not before this.
    pub since: Option<Time>,
    /// Of these kinds only, such as [`EventQuery::FAILURES`].
    pub kinds: Option<&'static [EventKind]>,
    /// No more than the newest so many.
    pub limit: Option<u32>,
}

/// A part of the history.
#[derive(Debug, Default)]
pub struct History {
    /// What happened, newest first.
    pub events: Vec<Event>,
    /// How many rows are damaged, and so left out.
    pub unreadable: usize,
}

impl EventQuery {
    /// The kinds that somebody who asks for failures means.
    pub const FAILURES: &'static [EventKind] = &[
        EventKind::AdoptionRefused,
        EventKind::NotExtended,
        EventKind::RefreshFailed,
        EventKind::Invalid,
        EventKind::DeliveryFailed,
        EventKind::NotificationFailed,
    ];
}

impl Store {
    /// The part of the history that is asked for, newest first.
    ///
    /// What happened at the same instant of a run is in the order of the labels: which worker came
    /// first is chance.
    pub fn events(&self, query: &EventQuery) -> Result<Vec<Event>> {
        Ok(self.history(query)?.events)
    }

    /// The same, and how many events of it cannot be read.
    pub fn history(&self, query: &EventQuery) -> Result<History> {
        let query = query.clone();
        self.read(move |connection| Ok(select(connection, &query)?))
    }

    /// Forgets what happened before `before`, and the runs of which nothing is left to say; never
    /// the one that is under way.
    pub fn purge_events(&self, before: Time) -> Result<usize> {
        let own = self.own_run();
        self.write(move |connection| {
            let before = before.timestamp();
            let gone = connection.execute("DELETE FROM event WHERE at < ?1", [before])?;
            connection.execute("DELETE FROM attempt WHERE closed_at < ?1", [before])?;
            connection.execute(
                "DELETE FROM run WHERE started_at < ?1 AND id <> ?2
                 AND NOT EXISTS (SELECT 1 FROM event WHERE event.run = run.id)
                 AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.run = run.id)",
                (before, own.0),
            )?;
            Ok(gone)
        })
    }
}

/// A line of the history that is to be written.
pub struct Entry<'a> {
    pub(super) token: Option<TokenId>,
    pub(super) at: Time,
    pub(super) kind: EventKind,
    pub(super) generation: Option<GenerationId>,
    pub(super) old_expiry: Option<Expiry>,
    pub(super) new_expiry: Option<Expiry>,
    pub(super) problem: Option<&'a Problem>,
    pub(super) target: Option<&'a TargetId>,
}

impl<'a> Entry<'a> {
    /// A line that says what happened, when and to whom.
    pub(super) const fn new(token: TokenId, kind: EventKind, at: Time) -> Self {
        Self { token: Some(token), ..Self::of_none(kind, at) }
    }

    /// A line that says what happened when, and to no token.
    pub(super) const fn of_none(kind: EventKind, at: Time) -> Self {
        Self {
            token: None,
            at,
            kind,
            generation: None,
            old_expiry: None,
            new_expiry: None,
            problem: None,
            target: None,
        }
    }

    /// Names the generation concerned.
    pub(super) const fn of(mut self, generation: Option<GenerationId>) -> Self {
        self.generation = generation;
        self
    }

    /// Names what was wrong.
    pub(super) const fn because(mut self, problem: Option<&'a Problem>) -> Self {
        self.problem = problem;
        self
    }

    /// Names the target that it was delivered to.
    pub(super) const fn to(mut self, target: &'a TargetId) -> Self {
        self.target = Some(target);
        self
    }

    /// Says how the token's end moved.
    pub(super) const fn moving(mut self, old: Option<Expiry>, new: Expiry) -> Self {
        self.old_expiry = old;
        self.new_expiry = Some(new);
        self
    }

    /// Writes the line.
    pub(super) fn write(self, connection: &Connection, run: RunId) -> rusqlite::Result<()> {
        let (old, old_at) = self.old_expiry.map(columns::expiry).unzip();
        let (new, new_at) = self.new_expiry.map(columns::expiry).unzip();
        connection
            .prepare_cached(
                "INSERT INTO event (run, token, at, kind, generation, old_expiry, old_expires_at,
                     new_expiry, new_expires_at, problem, target)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                run.0,
                self.token.map(|token| token.0),
                self.at.timestamp(),
                self.kind.as_str(),
                self.generation.map(|generation| generation.0),
                old,
                old_at.flatten(),
                new,
                new_at.flatten(),
                columns::problem(self.problem),
                self.target.map(TargetId::as_str),
            ])
            .map(drop)
    }
}

fn select(connection: &Connection, query: &EventQuery) -> rusqlite::Result<History> {
    let labels = query.labels.as_ref().map(|labels| names(labels.iter().map(Label::as_str)));
    let kinds = query.kinds.map(|kinds| names(kinds.iter().map(|kind| kind.as_str())));
    let mut statement = connection.prepare(
        "SELECT e.at, e.run, r.trigger, e.token, t.label, e.kind, g.number, g.fingerprint,
                e.old_expiry, e.old_expires_at, e.new_expiry, e.new_expires_at, e.problem,
                e.target
         FROM event e
         LEFT JOIN run r ON r.id = e.run
         LEFT JOIN token t ON t.id = e.token
         LEFT JOIN generation g ON g.id = e.generation
         WHERE (?1 IS NULL OR t.label IN (SELECT value FROM json_each(?1)))
           AND (?2 IS NULL OR e.at >= ?2)
           AND (?3 IS NULL OR e.kind IN (SELECT value FROM json_each(?3)))
         ORDER BY e.at DESC, e.run DESC, t.label DESC, e.id DESC
         LIMIT ?4",
    )?;
    let since = query.since.map(|since| since.timestamp());
    let limit = query.limit.map_or(-1, i64::from);
    let mut history = History::default();
    let mut rows = statement.query((labels, since, kinds, limit))?;
    while let Some(row) = rows.next()? {
        match event(row) {
            Ok(event) => history.events.push(event),
            Err(_) => history.unreadable += 1,
        }
    }
    Ok(history)
}

/// How many events cannot be read.
pub fn unreadable(connection: &Connection) -> rusqlite::Result<usize> {
    Ok(select(connection, &EventQuery::default())?.unreadable)
}

/// Names as the JSON list that a statement takes for one parameter.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<serde_json::Value>().to_string()
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let mut cells = Cells::of(row);
    Ok(Event {
        at: cells.time()?,
        run: RunId(cells.take()?),
        trigger: cells.named(Trigger::from_name, "a trigger")?,
        token: cells.take::<Option<i64>>()?.map(TokenId),
        label: cells.maybe_label()?,
        kind: cells.named(EventKind::from_name, "an event")?,
        generation: cells.take::<Option<i64>>()?.and_then(|number| u32::try_from(number).ok()),
        fingerprint: cells
            .take::<Option<Vec<u8>>>()?
            .and_then(|bytes| Some(Fingerprint::new(bytes.try_into().ok()?))),
        old_expiry: cells.maybe_expiry()?,
        new_expiry: cells.maybe_expiry()?,
        problem: cells.problem()?,
        target: cells.maybe_target()?,
    })
}

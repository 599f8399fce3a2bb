//! Keeps the history: what happened to each token, in which run, and who had started it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::ops::ControlFlow;

use super::columns;
use super::row::{BadCell, Row};
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, values};
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
    /// What stands for its access token.
    pub fingerprint: Option<Fingerprint>,
    /// When the token expired before.
    pub old_expiry: Option<Expiry>,
    /// When it expires since.
    pub new_expiry: Option<Expiry>,
    /// What was wrong.
    pub problem: Option<Problem>,
    /// The target of a delivery, or the channel of a notification.
    pub target: Option<TargetId>,
    /// The label that it had before it was renamed.
    pub renamed_from: Option<String>,
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
    /// The kinds that count as failures.
    pub const FAILURES: &'static [EventKind] = &[
        EventKind::AdoptionRefused,
        EventKind::NotExtended,
        EventKind::RefreshFailed,
        EventKind::Invalid,
        EventKind::DeliveryFailed,
        EventKind::NotificationFailed,
        EventKind::ProbeFailed,
    ];
}

impl Store {
    /// Returns the part of the history that is asked for, newest first.
    ///
    /// What happened at the same instant of a run is in the order of the labels: which worker came
    /// first is chance.
    pub fn events(&self, query: &EventQuery) -> Result<Vec<Event>> {
        Ok(self.history(query)?.events)
    }

    /// Returns the same, and how many events of it cannot be read.
    pub fn history(&self, query: &EventQuery) -> Result<History> {
        let query = query.clone();
        self.read(move |tx| select(tx, &query))
    }

    /// Forgets what happened before `before`, and the runs of which nothing is left to say; never
    /// the one that is under way.
    pub fn purge_events(&self, before: Time) -> Result<usize> {
        let own = self.own_run();
        self.write(move |tx| {
            let gone = tx.execute_counted("DELETE FROM event WHERE at < ?1", values![before])?;
            tx.execute("DELETE FROM attempt WHERE closed_at < ?1", values![before])?;
            tx.execute(
                "DELETE FROM run WHERE started_at < ?1 AND id <> ?2
                 AND NOT EXISTS (SELECT 1 FROM event WHERE event.run = run.id)
                 AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.run = run.id)",
                values![before, own],
            )?;
            Ok(gone)
        })
    }
}

/// What happened to a token in another program, before it was kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastNote {
    /// The token.
    pub token: TokenId,
    /// When.
    pub at: Time,
    /// What.
    pub kind: EventKind,
    /// When the token expired since.
    pub expiry: Expiry,
    /// What was wrong.
    pub problem: Option<Problem>,
}

/// How many events of a past are written in one commit.
const PAST_AT_ONCE: usize = 256;

impl Store {
    /// Writes down what happened to tokens in another program, each event once however often it is
    /// told.
    pub fn note_past(&self, run: RunId, past: Vec<PastNote>, now: Time) -> Result<()> {
        let mut past = past.into_iter().peekable();
        while past.peek().is_some() {
            let batch: Vec<PastNote> = past.by_ref().take(PAST_AT_ONCE).collect();
            self.write_at(now, move |tx| {
                batch.iter().try_for_each(|each| note_one(tx, run, each))
            })?;
        }
        Ok(())
    }
}

fn note_one(tx: &mut dyn Tx, run: RunId, past: &PastNote) -> Result<(), TxError> {
    let trigger = Trigger::Imported;
    let is_known = tx.has_row(
        "SELECT 1 FROM event WHERE token = ?1 AND at = ?2 AND kind = ?3 AND trigger = ?4",
        values![past.token, past.at, past.kind.as_str(), trigger.as_str()],
    )?;
    if is_known {
        return Ok(());
    }
    let event = NewEvent::new(past.token, past.kind, past.at)
        .because(past.problem.as_ref())
        .moving(None, past.expiry);
    NewEvent { trigger: Some(trigger), ..event }.write(tx, run)
}

/// An event that is to be written.
pub struct NewEvent<'a> {
    pub token: Option<TokenId>,
    pub at: Time,
    pub kind: EventKind,
    pub generation: Option<GenerationId>,
    pub old_expiry: Option<Expiry>,
    pub new_expiry: Option<Expiry>,
    pub problem: Option<&'a Problem>,
    pub target: Option<&'a TargetId>,
    /// Where it came from: the label that it had before.
    pub place: Option<&'a str>,
    /// What caused it, if not the start of the run.
    pub trigger: Option<Trigger>,
}

impl<'a> NewEvent<'a> {
    /// Begins a line that says what happened, when and to which token.
    pub const fn new(token: TokenId, kind: EventKind, at: Time) -> Self {
        Self { token: Some(token), ..Self::of_none(kind, at) }
    }

    /// Begins a line that says what happened when, and to no token.
    pub const fn of_none(kind: EventKind, at: Time) -> Self {
        Self {
            token: None,
            at,
            kind,
            generation: None,
            old_expiry: None,
            new_expiry: None,
            problem: None,
            target: None,
            place: None,
            trigger: None,
        }
    }

    /// Names the generation concerned.
    pub const fn of(mut self, generation: Option<GenerationId>) -> Self {
        self.generation = generation;
        self
    }

    /// Names what was wrong.
    pub const fn because(mut self, problem: Option<&'a Problem>) -> Self {
        self.problem = problem;
        self
    }

    /// Names the target that it was delivered to.
    pub const fn to(mut self, target: &'a TargetId) -> Self {
        self.target = Some(target);
        self
    }

    /// Names the label that it had before.
    pub const fn renamed_from(mut self, label: &'a str) -> Self {
        self.place = Some(label);
        self
    }

    /// Says when the token expired as it happened.
    pub const fn expiring(mut self, expiry: Option<Expiry>) -> Self {
        self.old_expiry = expiry;
        self
    }

    /// Says how the token's expiry moved.
    pub const fn moving(mut self, old: Option<Expiry>, new: Expiry) -> Self {
        self.old_expiry = old;
        self.new_expiry = Some(new);
        self
    }

    /// Writes the line.
    pub fn write(self, tx: &mut dyn Tx, run: RunId) -> Result<(), TxError> {
        let (old, old_at) = self.old_expiry.map(columns::expiry).unzip();
        let (new, new_at) = self.new_expiry.map(columns::expiry).unzip();
        let problem = columns::problem(self.problem);
        tx.execute(
            "INSERT INTO event (run, token, at, kind, generation, old_expiry, old_expires_at,
                 new_expiry, new_expires_at, problem, target, place, trigger)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            values![
                run,
                self.token,
                self.at,
                self.kind.as_str(),
                self.generation,
                old,
                old_at.flatten(),
                new,
                new_at.flatten(),
                problem.as_deref(),
                self.target.map(TargetId::as_str),
                self.place,
                self.trigger.map(Trigger::as_str),
            ],
        )
    }
}

fn select(tx: &mut dyn Tx, query: &EventQuery) -> Result<History, TxError> {
    let mut which = String::from("TRUE");
    if let Some(labels) = &query.labels {
        let _ = write!(which, " AND e.token IN ({})", tokens_called(tx, labels)?);
    }
    if let Some(kinds) = query.kinds {
        let names: Vec<String> = kinds.iter().map(|kind| format!("'{}'", kind.as_str())).collect();
        let _ = write!(which, " AND e.kind IN ({})", names.join(", "));
    }
    let sql = format!(
        "SELECT e.at, e.run, coalesce(e.trigger, r.trigger) AS trigger, e.token, t.label, e.kind, g.number, g.fingerprint,
                e.old_expiry, e.old_expires_at, e.new_expiry, e.new_expires_at, e.problem,
                e.target, e.place
         FROM event e
         LEFT JOIN run r ON r.id = e.run
         LEFT JOIN token t ON t.id = e.token
         LEFT JOIN generation g ON g.id = e.generation
         WHERE {which} AND e.at >= ?1
         ORDER BY e.at DESC, e.run DESC, coalesce(t.label, '') DESC, e.id DESC
         LIMIT ?2"
    );
    let since = query.since.map_or(i64::MIN, |since| since.timestamp());
    let limit = query.limit.map_or(i64::MAX, i64::from);
    let mut history = History::default();
    tx.rows(&sql, values![since, limit], &mut |row| {
        match event(row) {
            Ok(event) => history.events.push(event),
            Err(_) => history.unreadable += 1,
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(history)
}

/// The numbers of these tokens, as a statement lists them. There may be more of them than a
/// statement has parameters.
fn tokens_called(tx: &mut dyn Tx, labels: &[Label]) -> Result<String, TxError> {
    let labels: HashSet<&str> = labels.iter().map(Label::as_str).collect();
    let tokens = tx.undamaged("SELECT id, label FROM token", &[], |mut row| {
        let id = row.integer("token.id")?;
        Ok(labels.contains(row.text("token.label")?).then(|| id.to_string()))
    })?;
    let tokens: Vec<String> = tokens.into_iter().flatten().collect();
    Ok(if tokens.is_empty() { "NULL".to_owned() } else { tokens.join(", ") })
}

/// Returns how many events cannot be read.
pub fn unreadable(tx: &mut dyn Tx) -> Result<usize, TxError> {
    Ok(select(tx, &EventQuery::default())?.unreadable)
}

fn event(mut row: Row<'_>) -> Result<Event, BadCell> {
    let mut event = Event {
        at: row.time("event.at")?,
        run: RunId(row.integer("event.run")?),
        trigger: row.named("run.trigger", Trigger::from_name)?,
        token: row.maybe_integer("event.token")?.map(TokenId),
        label: row.maybe_label("token.label")?,
        kind: row.named("event.kind", EventKind::from_name)?,
        generation: row
            .maybe_integer("generation.number")?
            .and_then(|number| u32::try_from(number).ok()),
        fingerprint: row
            .maybe_blob("generation.fingerprint")?
            .and_then(|bytes| Some(Fingerprint::new(bytes.try_into().ok()?))),
        old_expiry: row.maybe_expiry(["event.old_expiry", "event.old_expires_at"])?,
        new_expiry: row.maybe_expiry(["event.new_expiry", "event.new_expires_at"])?,
        problem: row.problem("event.problem")?,
        target: row.maybe_target("event.target")?,
        renamed_from: row.maybe_text("event.place")?.map(str::to_owned),
    };
    // Of others it is the place that an access token was found in.
    event.renamed_from.take_if(|_| event.kind != EventKind::Renamed);
    Ok(event)
}

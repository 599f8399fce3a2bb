//! Keeps the runs: who held the lock, since when, and how it ended.
//!
//! Monitoring judges the timer by them: a token is only as safe as the timer that renews it.

use std::ops::ControlFlow::{Break, Continue};

use chrono::TimeDelta;

use super::row::{BadCell, Row};
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, values};
use super::{Result, Store};
use crate::exit::Exit;
use crate::token::{Time, Trigger};

/// One process that held the lock and meant to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// The store's number for it.
    pub id: RunId,
    /// The command's name, such as `refresh`.
    pub command: String,
    /// Who started it.
    pub trigger: Trigger,
    /// When it began: by Graph's clock, if it heard Graph.
    pub started_at: Time,
    /// When it ended, by the same clock; nothing if it was killed or still works.
    pub finished_at: Option<Time>,
    /// How it ended.
    pub exit_code: Option<u8>,
    /// By how much the host's clock was ahead of Graph's, if it heard Graph.
    pub clock_skew: Option<TimeDelta>,
}

/// What the runs of one command say about the timer that starts them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunSummary {
    /// The last that began.
    pub last: Option<RunRow>,
    /// The last that ended, however.
    pub last_ended: Option<RunRow>,
    /// The last that did its work to the end, whatever it found.
    pub last_finished: Option<RunRow>,
    /// The last that ended well.
    pub last_success: Option<RunRow>,
    /// When the oldest that is remembered began.
    pub first_began: Option<Time>,
    /// The longest time between the beginnings of two that did their work to the end, of those gaps
    /// that ended in the last thirty days.
    pub longest_gap: Option<TimeDelta>,
}

/// How far back gaps are looked for.
const GAPS_WITHIN: TimeDelta = TimeDelta::days(30);

const COLUMNS: &str = "id, command, trigger, started_at, finished_at, exit_code, clock_skew";

impl Store {
    /// Writes down that a run began; the events and attempts that follow name it.
    pub fn begin_run(&self, command: &str, trigger: Trigger, now: Time) -> Result<RunId> {
        let command = command.to_owned();
        let run = self.write_at(now, move |tx| {
            let now = tx.now();
            let run = tx.first(
                "INSERT INTO run (command, trigger, started_at) VALUES (?1, ?2, ?3) RETURNING id",
                values![&command, trigger.as_str(), now],
                |mut row| row.integer("run.id").map(RunId),
            )?;
            run.ok_or(TxError::Absent("run"))
        })?;
        self.works_for(run);
        Ok(run)
    }

    /// Writes down how a run ended, and closes what it left open on purpose.
    pub fn finish_run(
        &self,
        run: RunId,
        exit_code: u8,
        clock_skew: Option<TimeDelta>,
        now: Time,
    ) -> Result<()> {
        self.write_at(now, move |tx| {
            end(tx, run, exit_code, clock_skew)?;
            let now = tx.now();
            tx.execute(
                "UPDATE attempt SET closed_at = ?2 WHERE run = ?1 AND closed_at IS NULL",
                values![run, now],
            )
        })
    }

    /// Removes a run that ended before it did anything, and says whether it did: one of which something
    /// is remembered stays.
    pub fn drop_run(&self, run: RunId) -> Result<bool> {
        self.write(move |tx| {
            let gone = tx.execute_counted(
                "DELETE FROM run WHERE id = ?1
                 AND NOT EXISTS (SELECT 1 FROM event WHERE run = ?1)
                 AND NOT EXISTS (SELECT 1 FROM attempt WHERE run = ?1)",
                values![run],
            )?;
            Ok(gone > 0)
        })
    }

    /// Writes down that a run did its work to the end, whatever code it ends with: a damaged row, or
    /// one token's mistake in the config, says nothing of the timer.
    pub fn note_work_done(&self, run: RunId) -> Result<()> {
        self.write(move |tx| tx.execute("UPDATE run SET worked = 1 WHERE id = ?1", values![run]))
    }

    /// Writes down how the import was typed that this run is: typed again, it finishes what a kill leaves.
    pub fn note_typed(&self, run: RunId, typed: &str) -> Result<()> {
        let typed = typed.to_owned();
        self.write(move |tx| {
            tx.execute("UPDATE run SET typed = ?2 WHERE id = ?1", values![run, &typed])
        })
    }

    /// Returns the last import as it was typed, if it did not run to its end.
    pub fn unfinished_import(&self) -> Result<Option<String>> {
        self.read(|tx| {
            let last = tx.first(
                "SELECT typed, finished_at FROM run WHERE typed IS NOT NULL ORDER BY id DESC LIMIT 1",
                &[],
                |mut row| {
                    let typed = row.text("run.typed")?.to_owned();
                    Ok(row.maybe_time("run.finished_at")?.is_none().then_some(typed))
                },
            )?;
            Ok(last.flatten())
        })
    }

    /// Writes down that a run was ended while an answer was awaited. Its attempts stay open: what
    /// Meta has granted meanwhile is lost, and the next run says so.
    pub fn abandon_run(
        &self,
        run: RunId,
        exit_code: u8,
        clock_skew: Option<TimeDelta>,
        now: Time,
    ) -> Result<()> {
        self.write_now(now, move |tx| end(tx, run, exit_code, clock_skew))
    }

    /// Returns the last runs, newest first.
    pub fn last_runs(&self, limit: u32) -> Result<Vec<RunRow>> {
        self.read(move |tx| {
            let sql = format!("SELECT {COLUMNS} FROM run ORDER BY id DESC LIMIT ?1");
            tx.undamaged(&sql, values![limit], run)
        })
    }

    /// Returns the runs of `command` that began since then, the oldest first.
    pub fn runs_since(&self, command: &str, since: Time) -> Result<Vec<RunRow>> {
        let command = command.to_owned();
        self.read(move |tx| {
            let sql = format!(
                "SELECT {COLUMNS} FROM run WHERE command = ?1 AND started_at >= ?2 ORDER BY id"
            );
            tx.undamaged(&sql, values![&command, since], run)
        })
    }

    /// Returns the last run that heard Graph, whatever its command; `None` too if its row cannot be
    /// read.
    pub fn last_heard(&self) -> Result<Option<RunRow>> {
        self.read(|tx| {
            let sql = format!(
                "SELECT {COLUMNS} FROM run WHERE clock_skew IS NOT NULL ORDER BY id DESC LIMIT 1"
            );
            Ok(tx.undamaged(&sql, &[], run)?.pop())
        })
    }

    /// Returns what the runs of `command` say about the timer that starts them. Those that ended after
    /// `until` were dated by a clock that was ahead, and say nothing.
    pub fn run_summary(&self, command: &str, until: Time) -> Result<RunSummary> {
        let command = command.to_owned();
        self.read(move |tx| {
            let mut run_summary = RunSummary {
                first_began: tx
                    .first(
                        "SELECT min(started_at) AS started_at FROM run WHERE command = ?1",
                        values![&command],
                        |mut row| Ok(row.maybe_time("run.started_at").ok().flatten()),
                    )?
                    .flatten(),
                longest_gap: longest_gap(tx, &command, until)?,
                ..RunSummary::default()
            };
            let worked = worked_to_the_end();
            let sql = format!(
                "SELECT {COLUMNS}, coalesce({worked}, 0) AS worked FROM run WHERE command = ?1
                 ORDER BY id DESC"
            );
            tx.rows(&sql, values![&command], &mut |row| {
                // A run whose row cannot be read is passed over: the one before it is known to have been.
                if let Ok((run, worked)) = run_and_worked(row) {
                    run_summary.add_older(run, worked, until);
                }
                Ok(if run_summary.is_complete() { Break(()) } else { Continue(()) })
            })?;
            Ok(run_summary)
        })
    }
}

impl RunSummary {
    /// Takes in the run before those that were seen.
    fn add_older(&mut self, run: RunRow, has_worked: bool, until: Time) {
        let has_ended_by_then = run.finished_at.is_some_and(|finished| finished <= until);
        if run.exit_code.is_some() {
            self.last_ended.get_or_insert_with(|| run.clone());
        }
        if has_worked && has_ended_by_then {
            self.last_finished.get_or_insert_with(|| run.clone());
        }
        if run.exit_code == Some(Exit::Ok.code()) && has_ended_by_then {
            self.last_success.get_or_insert_with(|| run.clone());
        }
        self.last.get_or_insert(run);
    }

    /// Whether no older run can add anything.
    const fn is_complete(&self) -> bool {
        self.last_ended.is_some() && self.last_finished.is_some() && self.last_success.is_some()
    }
}

fn end(
    tx: &mut dyn Tx,
    run: RunId,
    exit_code: u8,
    clock_skew: Option<TimeDelta>,
) -> Result<(), TxError> {
    let now = tx.now();
    tx.change(
        "run",
        "UPDATE run SET finished_at = ?2, exit_code = ?3, clock_skew = ?4 WHERE id = ?1",
        values![run, now, exit_code, clock_skew.map(|skew| skew.num_seconds())],
    )
}

/// A run that ended so did not do its work, but for one that noted that it did.
fn worked_to_the_end() -> String {
    let [bug, storage, busy, config] =
        [Exit::Bug, Exit::Storage, Exit::Busy, Exit::Config].map(Exit::code);
    format!("(worked = 1 OR exit_code NOT IN ({bug}, {storage}, {busy}, {config}))")
}

/// The longest time between the beginnings of two runs that did their work.
///
/// A run that heard Graph is dated by it. One that did not may be dated by a wrong clock: it counts
/// only if its date lies between those of the runs before and after it that did.
fn longest_gap(tx: &mut dyn Tx, command: &str, until: Time) -> Result<Option<TimeDelta>, TxError> {
    let worked = worked_to_the_end();
    // The first gap of the time began with the last run before it.
    let sql = format!(
        "SELECT started_at, clock_skew FROM run
         WHERE command = ?1 AND {worked} AND started_at <= ?3 AND started_at >= coalesce(
             (SELECT max(started_at) FROM run
              WHERE command = ?1 AND {worked} AND started_at < ?2), ?2)
         ORDER BY id"
    );
    let (since, until) = ((until - GAPS_WITHIN).timestamp(), until.timestamp());
    let rows = tx.all(&sql, values![command, since, until], |mut row| {
        let began = row.integer("run.started_at")?;
        Ok((began, row.maybe_integer("run.clock_skew").is_ok_and(|skew| skew.is_some())))
    })?;
    let mut began = credible(&rows);
    began.sort_unstable();
    let gaps = began.windows(2).filter(|pair| pair[1] >= since).map(|pair| pair[1] - pair[0]);
    Ok(gaps.max().and_then(TimeDelta::try_seconds))
}

/// The beginnings that are dated by Graph, and those that lie between two of them, or behind the
/// last; where there are none, all.
fn credible(rows: &[(i64, bool)]) -> Vec<i64> {
    let Some(first) = rows.iter().position(|(_, heard)| *heard) else {
        return rows.iter().map(|(began, _)| *began).collect();
    };
    let mut ceiling = i64::MAX;
    let below: Vec<(i64, bool)> = rows[first..]
        .iter()
        .rev()
        .filter_map(|(began, heard)| {
            ceiling = if *heard { *began } else { ceiling };
            (*began <= ceiling).then_some((*began, *heard))
        })
        .collect();
    let mut floor = i64::MIN;
    let above = below.into_iter().rev().filter_map(|(began, heard)| {
        floor = if heard { began } else { floor };
        (began >= floor).then_some(began)
    });
    above.collect()
}

fn run(mut row: Row<'_>) -> Result<RunRow, BadCell> {
    read(&mut row)
}

fn run_and_worked(mut row: Row<'_>) -> Result<(RunRow, bool), BadCell> {
    Ok((read(&mut row)?, row.integer("run.worked")? != 0))
}

fn read(row: &mut Row<'_>) -> Result<RunRow, BadCell> {
    Ok(RunRow {
        id: RunId(row.integer("run.id")?),
        command: row.prose("run.command")?.unwrap_or_default(),
        trigger: row.named("run.trigger", Trigger::from_name)?,
        started_at: row.time("run.started_at")?,
        finished_at: row.maybe_time("run.finished_at")?,
        exit_code: row.maybe_number("run.exit_code")?,
        clock_skew: row.maybe_integer("run.clock_skew")?.and_then(TimeDelta::try_seconds),
    })
}

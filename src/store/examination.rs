//! Looking the whole file over, once a day.
//!
//! `SQLite` checks its pages, its indexes and what the tables promise, and rows that nobody reads for
//! months are read once. What was found is remembered, so that whoever reads the store later, without
//! a key and without the time, knows it too.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _};
use serde_json::{Value, json};

use super::events;
use super::fault::Fault;
use super::{Result, Store};
use crate::token::Time;

/// The row of `meta` that remembers what was found.
const REMEMBERED: &str = "examination";
/// How often the file is looked over.
const EVERY: TimeDelta = TimeDelta::days(1);
/// How many findings are told; more say no more.
const MOST_FINDINGS: u32 = 5;

/// What was found when the file was last looked over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// When.
    pub at: Time,
    /// What is damaged; empty if nothing is.
    pub findings: Vec<String>,
}

impl Store {
    /// What was found when the file was last looked over; nothing if it never was.
    pub fn last_examination(&self) -> Result<Option<Examination>> {
        self.read(|connection| Ok(remembered(connection)?))
    }

    /// Looks the file over if that was not done for a day, or if something was damaged the last
    /// time, for `patience` at most; gives what is known then. One that takes longer has found
    /// nothing new.
    pub fn examine(&self, now: Time, patience: Duration) -> Result<Option<Examination>> {
        let known = self.last_examination()?;
        let fresh =
            |it: &Examination| it.findings.is_empty() && it.at <= now && now - it.at < EVERY;
        if known.as_ref().is_some_and(fresh) {
            return Ok(known);
        }
        let findings = self.read(move |connection| look(connection, patience))?;
        let before = known.map(|known| known.findings).unwrap_or_default();
        let examination = Examination { at: now, findings: findings.unwrap_or(before) };
        let text = json!({"at": now.timestamp(), "findings": examination.findings}).to_string();
        self.write(move |connection| {
            connection.execute(
                "INSERT INTO meta (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (REMEMBERED, text.into_bytes()),
            )?;
            Ok(())
        })?;
        Ok(Some(examination))
    }
}

/// A row that cannot be understood is none: then the file is looked over anew.
fn remembered(connection: &Connection) -> rusqlite::Result<Option<Examination>> {
    let bytes: Option<Vec<u8>> = connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([REMEMBERED], |row| row.get(0))
        .optional()?;
    Ok(bytes.and_then(|bytes| read(&bytes)))
}

fn read(bytes: &[u8]) -> Option<Examination> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let at = DateTime::from_timestamp(value.get("at")?.as_i64()?, 0)?;
    let findings = value.get("findings")?.as_array()?.iter();
    let findings = findings.map(|it| it.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    Some(Examination { at, findings })
}

/// What is damaged; nothing can be said if it takes longer than `patience`.
fn look(connection: &Connection, patience: Duration) -> Result<Option<Vec<String>>, Fault> {
    let handle = connection.get_interrupt_handle();
    let (done, wait) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if wait.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                handle.interrupt();
            }
        });
        let found = findings(connection);
        drop(done);
        match found {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                Ok(None)
            }
            // Damage that keeps it from being looked for is damage.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                Ok(Some(vec![error.to_string()]))
            }
            found => Ok(Some(found?)),
        }
    })
}

fn findings(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut findings = Vec::new();
    let mut check = connection.prepare(&format!("PRAGMA quick_check({MOST_FINDINGS})"))?;
    let said = check.query_map([], |row| row.get::<_, String>(0))?;
    for finding in said {
        findings.push(finding?);
    }
    findings.retain(|finding| finding != "ok");
    let mut check = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = check.query([])?;
    if let Some(row) = rows.next()? {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        findings.push(format!("a row of `{table}` names a row of `{parent}` that is not there"));
    }
    let unreadable = events::unreadable(connection)?;
    if unreadable > 0 {
        findings.push(format!("{unreadable} rows of the history cannot be read"));
    }
    Ok(findings)
}

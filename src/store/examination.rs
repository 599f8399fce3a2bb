//! Looks the whole store over, once a day.
//!
//! The engine checks its pages, its indexes and what the tables promise, and rows that nothing reads
//! for months are read once. What was found is remembered, so that a later reader, without a key and
//! without the time, knows it too.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use super::events;
use super::tx::Tx;
use super::tx_error::{Doing, TxError};
use super::value::values;
use super::{Result, Store};
use crate::token::Time;

/// The row of `meta` that remembers what was found.
const REMEMBERED: &str = "examination";
/// How often the file is looked over.
const EVERY: TimeDelta = TimeDelta::days(1);

/// What was found when the file was last looked over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// When.
    pub at: Time,
    /// What is damaged; empty if nothing is.
    pub findings: Vec<String>,
}

impl Store {
    /// Returns what was found when the file was last looked over; nothing if it never was.
    pub fn last_examination(&self) -> Result<Option<Examination>> {
        self.read(remembered)
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
        let findings = self
            .engine()
            .look_over(patience, unreadable_rows)
            .map_err(|error| error.about(&self.path, Doing::Reading))?;
        let before = known.map(|known| known.findings).unwrap_or_default();
        let examination = Examination { at: now, findings: findings.unwrap_or(before) };
        let text = json!({"at": now.timestamp(), "findings": examination.findings}).to_string();
        self.write(move |tx| {
            tx.execute(
                "INSERT INTO meta (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                values![REMEMBERED, text.as_bytes()],
            )
        })?;
        Ok(Some(examination))
    }
}

/// A row that cannot be understood counts as none: then the store is looked over anew.
fn remembered(tx: &mut dyn Tx) -> Result<Option<Examination>, TxError> {
    let found =
        tx.first("SELECT value FROM meta WHERE name = ?1", values![REMEMBERED], |mut row| {
            Ok(read(row.blob("meta.value")?))
        })?;
    Ok(found.flatten())
}

/// Which rows cannot be read that no run reads.
fn unreadable_rows(tx: &mut dyn Tx) -> Result<Vec<String>, TxError> {
    let unreadable = events::unreadable(tx)?;
    let finding = format!("{unreadable} rows of the history cannot be read");
    Ok(if unreadable > 0 { vec![finding] } else { Vec::new() })
}

fn read(bytes: &[u8]) -> Option<Examination> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let at = DateTime::from_timestamp(value.get("at")?.as_i64()?, 0)?;
    let findings = value.get("findings")?.as_array()?.iter();
    let findings = findings.map(|it| it.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    Some(Examination { at, findings })
}

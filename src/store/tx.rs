//! Defines what the rules of the store need of a database: run a statement, read rows, know the
//! time.
//!
//! The rules beside this file are written once, over [`Tx`]. Their SQL is one text for every engine:
//! `?1`, `?2` number the parameters, integers have 64 bits, and truth is 0 or 1. What only one
//! database understands stands in that engine's folder.

use std::ops::ControlFlow;

use super::row::{BadCell, Row};
use super::tx_error::TxError;
use super::value::SqlValue;
use crate::token::Time;

/// What is done with each row, which may stop the reading.
pub type EachRow<'a> = &'a mut dyn FnMut(Row<'_>) -> Result<ControlFlow<()>, TxError>;

/// A transaction that is under way in some engine.
pub trait Tx {
    /// Runs a statement that gives no rows; returns how many rows it changed.
    fn execute_counted(&mut self, sql: &str, values: &[SqlValue<'_>]) -> Result<usize, TxError>;

    /// Runs a statement and hands over its rows one by one, so that 10,000 of them never lie in
    /// memory at once.
    fn rows(
        &mut self,
        sql: &str,
        values: &[SqlValue<'_>],
        each: EachRow<'_>,
    ) -> Result<(), TxError>;

    /// The time that this transaction is dated with.
    fn now(&self) -> Time;
}

impl dyn Tx + '_ {
    /// Runs a statement that gives no rows, whether it changes any or none.
    pub fn execute(&mut self, sql: &str, values: &[SqlValue<'_>]) -> Result<(), TxError> {
        self.execute_counted(sql, values).map(drop)
    }

    /// Reads every row; one that is damaged fails the whole.
    pub fn all<T>(
        &mut self,
        sql: &str,
        values: &[SqlValue<'_>],
        mut read: impl FnMut(Row<'_>) -> Result<T, BadCell>,
    ) -> Result<Vec<T>, TxError> {
        let mut all = Vec::new();
        self.rows(sql, values, &mut |row| {
            all.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(all)
    }

    /// Reads every row that is not damaged.
    pub fn undamaged<T>(
        &mut self,
        sql: &str,
        values: &[SqlValue<'_>],
        mut read: impl FnMut(Row<'_>) -> Result<T, BadCell>,
    ) -> Result<Vec<T>, TxError> {
        let read = self.all(sql, values, |row| Ok(read(row).ok()))?;
        Ok(read.into_iter().flatten().collect())
    }

    /// Reads the first row, if there is one.
    pub fn first<T>(
        &mut self,
        sql: &str,
        values: &[SqlValue<'_>],
        mut read: impl FnMut(Row<'_>) -> Result<T, BadCell>,
    ) -> Result<Option<T>, TxError> {
        let mut first = None;
        self.rows(sql, values, &mut |row| {
            first = Some(read(row)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(first)
    }

    /// Reads the first row that is not damaged, if there is one.
    pub fn first_undamaged<T>(
        &mut self,
        sql: &str,
        values: &[SqlValue<'_>],
        mut read: impl FnMut(Row<'_>) -> Result<T, BadCell>,
    ) -> Result<Option<T>, TxError> {
        let mut first = None;
        self.rows(sql, values, &mut |row| {
            first = read(row).ok();
            Ok(if first.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(first)
    }

    /// Returns whether the statement gives a row.
    pub fn has_row(&mut self, sql: &str, values: &[SqlValue<'_>]) -> Result<bool, TxError> {
        Ok(self.first(sql, values, |_| Ok(()))?.is_some())
    }

    /// Runs a statement that must change a row, or says what is not there.
    pub fn change(
        &mut self,
        what: &'static str,
        sql: &str,
        values: &[SqlValue<'_>],
    ) -> Result<(), TxError> {
        match self.execute_counted(sql, values)? {
            0 => Err(TxError::Absent(what)),
            _ => Ok(()),
        }
    }
}

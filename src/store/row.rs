//! Reads the cells of a row.
//!
//! Times are unix seconds, enums go by their wire names. Cells are read from left to right in the order
//! in which the statement names them; what cannot be understood is damage, never a default. Texts that
//! only people read are shown as well as they can be. What takes more than a cell is in `columns`.

use std::fmt;

use chrono::DateTime;

use super::value::SqlValue;
use crate::token::{Fingerprint, GenerationId, Label, TargetId, Time, TokenId};

/// A cell that holds what no version of metatoken writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadCell {
    /// The table and the column.
    column: &'static str,
    /// What should stand there.
    expected: &'static str,
}

impl BadCell {
    /// Says that a column does not hold what should stand there.
    pub const fn new(column: &'static str, expected: &'static str) -> Self {
        Self { column, expected }
    }
}

impl fmt::Display for BadCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid {} in `{}`", self.expected, self.column)
    }
}

impl std::error::Error for BadCell {}

/// What a cell or a row that may be damaged gives.
pub type Read<T> = Result<T, BadCell>;

/// The cells of one row, as an engine has them.
pub trait Cells {
    /// The cell at a place; nothing where it is of no type that the schema has.
    fn value(&self, at: usize) -> Option<SqlValue<'_>>;

    /// The name of the column at a place.
    fn column(&self, at: usize) -> &str;
}

/// A row, read from left to right. A copy stays where it was.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    cells: &'a dyn Cells,
    next: usize,
}

impl<'a> Row<'a> {
    /// Starts at the row's first cell.
    pub fn new(cells: &'a dyn Cells) -> Self {
        Self { cells, next: 0 }
    }

    /// Returns the same row, to be read from that place on.
    pub const fn at(self, place: usize) -> Self {
        Self { next: place, ..self }
    }

    /// Passes over as many cells.
    pub const fn skip(&mut self, cells: usize) {
        self.next += cells;
    }

    /// Reads the next cell. `column` is named `table.column`; a debug build checks that the statement
    /// has it there.
    fn take(&mut self, column: &'static str, expected: &'static str) -> Read<SqlValue<'a>> {
        let at = self.next;
        self.next += 1;
        debug_assert_eq!(
            column.rsplit('.').next(),
            Some(self.cells.column(at)),
            "the cell {at} of a statement is read as `{column}`"
        );
        self.cells.value(at).ok_or(BadCell { column, expected })
    }

    /// Reads the next cell, a number or nothing.
    pub fn maybe_integer(&mut self, column: &'static str) -> Read<Option<i64>> {
        let expected = "number";
        match self.take(column, expected)? {
            SqlValue::Null => Ok(None),
            SqlValue::Integer(number) => Ok(Some(number)),
            SqlValue::Text(_) | SqlValue::Blob(_) => Err(BadCell { column, expected }),
        }
    }

    /// Reads the next cell, a number.
    pub fn integer(&mut self, column: &'static str) -> Read<i64> {
        self.maybe_integer(column)?.ok_or(BadCell { column, expected: "number" })
    }

    /// Reads the next cell, a number of a smaller range.
    pub fn number<T: TryFrom<i64>>(&mut self, column: &'static str) -> Read<T> {
        let number = T::try_from(self.integer(column)?);
        number.map_err(|_| BadCell { column, expected: "number" })
    }

    /// Reads the next cell, a number of a smaller range or nothing.
    pub fn maybe_number<T: TryFrom<i64>>(&mut self, column: &'static str) -> Read<Option<T>> {
        let number = self.maybe_integer(column)?.map(T::try_from).transpose();
        number.map_err(|_| BadCell { column, expected: "number" })
    }

    /// Reads the next cell, the number of a token.
    pub fn token(&mut self, column: &'static str) -> Read<TokenId> {
        self.integer(column).map(TokenId)
    }

    /// Reads the next cell, the number of a generation or nothing.
    pub fn maybe_generation(&mut self, column: &'static str) -> Read<Option<GenerationId>> {
        Ok(self.maybe_integer(column)?.map(GenerationId))
    }

    /// Reads the next cell, a text or nothing, as its bytes.
    pub fn maybe_raw_text(&mut self, column: &'static str) -> Read<Option<&'a [u8]>> {
        let expected = "text";
        match self.take(column, expected)? {
            SqlValue::Null => Ok(None),
            SqlValue::Text(bytes) => Ok(Some(bytes)),
            SqlValue::Integer(_) | SqlValue::Blob(_) => Err(BadCell { column, expected }),
        }
    }

    /// Reads the next cell, a text or nothing.
    pub fn maybe_text(&mut self, column: &'static str) -> Read<Option<&'a str>> {
        let text = self.maybe_raw_text(column)?.map(std::str::from_utf8).transpose();
        text.map_err(|_| BadCell { column, expected: "text" })
    }

    /// Reads the next cell, a text.
    pub fn text(&mut self, column: &'static str) -> Read<&'a str> {
        self.maybe_text(column)?.ok_or(BadCell { column, expected: "text" })
    }

    /// Reads the next cell, a text that people read or nothing; what is not UTF-8 in it is replaced.
    pub fn prose(&mut self, column: &'static str) -> Read<Option<String>> {
        Ok(self.maybe_raw_text(column)?.map(|text| String::from_utf8_lossy(text).into_owned()))
    }

    /// Reads the next cell, bytes or nothing.
    pub fn maybe_blob(&mut self, column: &'static str) -> Read<Option<&'a [u8]>> {
        let expected = "bytes";
        match self.take(column, expected)? {
            SqlValue::Null => Ok(None),
            SqlValue::Blob(bytes) => Ok(Some(bytes)),
            SqlValue::Integer(_) | SqlValue::Text(_) => Err(BadCell { column, expected }),
        }
    }

    /// Reads the next cell, bytes.
    pub fn blob(&mut self, column: &'static str) -> Read<&'a [u8]> {
        self.maybe_blob(column)?.ok_or(BadCell { column, expected: "bytes" })
    }

    /// Reads the next cell, true, false or nothing.
    pub fn maybe_flag(&mut self, column: &'static str) -> Read<Option<bool>> {
        match self.maybe_integer(column)? {
            None => Ok(None),
            Some(0) => Ok(Some(false)),
            Some(1) => Ok(Some(true)),
            Some(_) => Err(BadCell { column, expected: "verdict" }),
        }
    }

    /// Reads the next cell, a time.
    pub fn time(&mut self, column: &'static str) -> Read<Time> {
        self.maybe_time(column)?.ok_or(BadCell { column, expected: "time" })
    }

    /// Reads the next cell, a time or nothing.
    pub fn maybe_time(&mut self, column: &'static str) -> Read<Option<Time>> {
        let read = |seconds| {
            DateTime::from_timestamp(seconds, 0).ok_or(BadCell { column, expected: "time" })
        };
        self.maybe_integer(column)?.map(read).transpose()
    }

    /// Reads the next cell, a wire name.
    pub fn named<T>(&mut self, column: &'static str, from_name: fn(&str) -> Option<T>) -> Read<T> {
        from_name(self.text(column)?).ok_or(BadCell { column, expected: "name" })
    }

    /// Reads the next cell, a label or nothing; an empty text is none.
    pub fn maybe_label(&mut self, column: &'static str) -> Read<Option<Label>> {
        let text = self.maybe_text(column)?.filter(|text| !text.is_empty());
        let label = text.map(Label::parse).transpose();
        label.map_err(|_| BadCell { column, expected: "label" })
    }

    /// Reads the next cell, a label.
    pub fn label(&mut self, column: &'static str) -> Read<Label> {
        Label::parse(self.text(column)?).map_err(|_| BadCell { column, expected: "label" })
    }

    /// Reads the next cell, a target.
    pub fn target(&mut self, column: &'static str) -> Read<TargetId> {
        self.text(column).map(TargetId::new)
    }

    /// Reads the next cell, a target or nothing.
    pub fn maybe_target(&mut self, column: &'static str) -> Read<Option<TargetId>> {
        Ok(self.maybe_text(column)?.map(TargetId::new))
    }

    /// Reads the next cell, a whole fingerprint.
    pub fn fingerprint(&mut self, column: &'static str) -> Read<Fingerprint> {
        self.maybe_fingerprint(column)?.ok_or(BadCell { column, expected: "fingerprint" })
    }

    /// Reads the next cell, a whole fingerprint or nothing.
    pub fn maybe_fingerprint(&mut self, column: &'static str) -> Read<Option<Fingerprint>> {
        let bytes = self.maybe_blob(column)?.map(<[u8; 32]>::try_from).transpose();
        let bytes = bytes.map_err(|_| BadCell { column, expected: "fingerprint" })?;
        Ok(bytes.map(Fingerprint::new))
    }
}

//! Defines what is bound to a parameter of a statement, or found in a cell of a row.

use crate::token::{GenerationId, Time, TokenId};

/// What is bound to a parameter, or found in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlValue<'a> {
    /// Nothing.
    Null,
    /// A number, a truth or a time.
    Integer(i64),
    /// A text. In a damaged row it may not be UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

/// The store's own number for a run; every event names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub i64);

/// The parameters of a statement, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::store::value::SqlValue::from($value)),*] };
}
pub(super) use values;

impl From<i64> for SqlValue<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for SqlValue<'_> {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<u8> for SqlValue<'_> {
    fn from(number: u8) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<bool> for SqlValue<'_> {
    fn from(truth: bool) -> Self {
        Self::Integer(i64::from(truth))
    }
}

impl From<Time> for SqlValue<'_> {
    fn from(time: Time) -> Self {
        Self::Integer(time.timestamp())
    }
}

impl From<TokenId> for SqlValue<'_> {
    fn from(id: TokenId) -> Self {
        Self::Integer(id.0)
    }
}

impl From<GenerationId> for SqlValue<'_> {
    fn from(id: GenerationId) -> Self {
        Self::Integer(id.0)
    }
}

impl From<RunId> for SqlValue<'_> {
    fn from(id: RunId) -> Self {
        Self::Integer(id.0)
    }
}

impl<'a> From<&'a str> for SqlValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.as_bytes())
    }
}

impl<'a> From<&'a String> for SqlValue<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text.as_bytes())
    }
}

impl<'a> From<&'a [u8]> for SqlValue<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Blob(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for SqlValue<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for SqlValue<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Blob(bytes)
    }
}

impl<'a, T> From<Option<T>> for SqlValue<'a>
where
    SqlValue<'a>: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

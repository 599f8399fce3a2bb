//! Judges what a first delivery may replace.
//!
//! Before it, nothing in the file is known to be ours: a wrong `key` would cost a program its
//! password. So only what has no value yet, plainly waits for one, or looks like an access token
//! gives way unasked.

use data_encoding::BASE64;

use super::document::find;
use super::site::{Content, UNCODED};
use super::{EditError, File, Format};
use crate::token::{is_placeholder, is_reference};

/// What a value is, judged by its text alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing yet.
    Empty,
    /// A word that waits for a value, such as `changeme`.
    Placeholder,
    /// Something that looks like an access token.
    Token,
    /// Something else, which may be needed.
    Other(&'static str),
    /// More than one value: what stands beside an access token in it would go with it.
    Several(&'static str),
}

/// What the value is that another program's reader finds.
pub fn standing(text: &str) -> Standing {
    let text = text.trim();
    if text.is_empty() {
        Standing::Empty
    } else if is_reference(text) {
        Standing::Other("a reference to a value elsewhere")
    } else if is_placeholder(text) {
        Standing::Placeholder
    } else if is_like_a_token(text) {
        Standing::Token
    } else {
        several(text).map_or_else(|| Standing::Other(other(text)), Standing::Several)
    }
}

/// Refuses a first delivery over what may be needed.
pub fn judge(file: &File<'_>, key: Option<&str>) -> Result<(), EditError> {
    if file.is_blank() {
        return Ok(());
    }
    let site = match find(file, key) {
        Err(EditError::Missing { .. }) => return Ok(()),
        found => found?,
    };
    let standing = match &site.content {
        Content::Nothing(_) => return Ok(()),
        Content::Scalar(found) | Content::Other(found) => Standing::Other(found),
        Content::Text(text) | Content::Lines(text) => standing(text),
        // An access token in plain text, where base64 belongs, may be replaced too.
        Content::Uncoded(text) => match standing(text) {
            Standing::Other(_) | Standing::Several(_) => Standing::Other(UNCODED),
            standing => standing,
        },
    };
    let (key, at) = (key.map(str::to_owned), file.place(site.span.start));
    match standing {
        Standing::Empty | Standing::Placeholder | Standing::Token => Ok(()),
        Standing::Other(found) => Err(EditError::NotOurs { key, at, found }),
        Standing::Several(found) => Err(EditError::HoldsMore { key, at, found }),
    }
}

/// Refuses to take a file for one value because its name says nothing else, if it holds more.
pub fn one_word(file: &File<'_>) -> Result<(), EditError> {
    let text = &file.bytes[file.start..];
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    match words.take(2).count() {
        2 if file.format == Format::Raw => Err(EditError::FormatNeeded),
        _ => Ok(()),
    }
}

/// Whether it has the shape of an access token of Meta's. It is a hint: what replaces it is
/// examined, not what is replaced.
fn is_like_a_token(text: &str) -> bool {
    const SHORTEST: usize = 20;
    let is_of_app = text
        .split_once('|')
        .is_some_and(|(id, _)| !id.is_empty() && id.chars().all(|digit| digit.is_ascii_digit()));
    let begins = ["EAA", "IG", "TH"].iter().any(|start| text.starts_with(start)) || is_of_app;
    let fits = |c: char| c.is_ascii_alphanumeric() || "_|.-".contains(c);
    begins && text.len() >= SHORTEST && text.chars().all(fits)
}

/// What more than one value is, in words.
fn several(text: &str) -> Option<&'static str> {
    let is_between = |open: char, close: char| text.starts_with(open) && text.ends_with(close);
    if text.lines().count() > 1 {
        Some("more than one line")
    } else if is_between('[', ']') || is_between('{', '}') {
        Some("a list or a table")
    } else if holds_assignment(text) && !is_base64(text) {
        Some("more than one value (`NAME=`)")
    } else {
        None
    }
}

/// What a value is that is none of these, in words.
fn other(text: &str) -> &'static str {
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let is_switch = ["true", "false", "yes", "no", "on", "off"];
    if is_number(text) {
        "a number"
    } else if is_switch.contains(&&*text.to_ascii_lowercase()) {
        "true or false"
    } else if text.contains(char::is_whitespace) {
        "more than one word"
    } else {
        "another value"
    }
}

/// Whether it is base64, which ends with `=` as a name does.
fn is_base64(text: &str) -> bool {
    BASE64.decode(text.as_bytes()).is_ok()
}

/// Whether a name with `=` stands in it, as in `FB_TOKEN="x",FB_VERIFY="y"`.
fn holds_assignment(text: &str) -> bool {
    text.split([' ', ',', ';', '&', '"', '\'']).any(|part| {
        let assigned = part.split_once('=').filter(|(_, value)| !value.starts_with('='));
        assigned.is_some_and(|(name, _)| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        })
    })
}

//! A value that is one word out of a list.

use std::fmt::Display;

use serde_spanned::Spanned;

use super::known::{any_of, nearest};
use super::section::{Given, Section};
use crate::config::mask::quoted;
use crate::config::mistake::Faults;

/// Reads the word under `key` as one of `all`; `what` is what they are.
pub(super) fn read<T: Copy + Display>(
    section: &Section<'_>,
    key: &str,
    what: &str,
    all: &[T],
    faults: &mut Faults,
) -> Given<T> {
    let word = section.string(key, faults)?;
    let choice = one_of(all, what, &word, faults)?;
    Some(Spanned::new(word.span(), choice))
}

/// The one of `all` that the word names.
pub(super) fn one_of<T: Copy + Display>(
    all: &[T],
    what: &str,
    word: &Spanned<String>,
    faults: &mut Faults,
) -> Option<T> {
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    if let Some(at) = names.iter().position(|name| name == word.get_ref()) {
        return Some(all[at]);
    }
    let names = names.iter().map(String::as_str);
    let fault = faults.add(word.span(), format!("unknown {what} {}", quoted(word.get_ref())));
    match nearest(word.get_ref(), names.clone()) {
        Some(near) => fault.label(format!("did you mean `{near}`?")),
        None => fault.label(format!("write {}", any_of(names))),
    };
    None
}

//! A mail server's own words, fit to be repeated.

use std::error::Error as _;

use lettre::transport::smtp::Error;

use super::super::Login;
use crate::token::{Secret, redact};

/// What of a text is repeated.
pub(super) type Words = fn(&str) -> String;

/// What a server said after the number, with `: ` or a blank before it; empty if it said nothing,
/// or repeats the password.
pub(super) fn said(error: &Error, login: Option<&Login>, words: Words) -> String {
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    let password = login.map(|login| login.password.expose());
    if password.is_some_and(|password| said.contains(password)) {
        return String::new();
    }
    let secrets: Vec<Secret> = password.map(Secret::new).into_iter().collect();
    let words = words(&redact::sentence(&said, &secrets));
    if words.is_empty() { words } else { format!(" {words}") }
}

/// All of it.
pub(super) fn text(said: &str) -> String {
    said.to_owned()
}

/// The words of a language and the numbers. A server that refuses a login may repeat what it was
/// sent, where the password stands in base64.
pub(super) fn plain_words(said: &str) -> String {
    let kept = said.split(' ').filter(|word| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        is_number(word) || word.split('-').all(is_word)
    });
    kept.collect::<Vec<_>>().join(" ")
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn is_word(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.all(|c| c.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_refused_login_only_plain_words_are_repeated() {
        for (said, kept) in [
            ("5.7.8 Authentication failed", "5.7.8 Authentication failed"),
            (
                "5.7.9 Application-specific password required",
                "5.7.9 Application-specific password required",
            ),
            ("Error: AGZha2UAZmFrZWZha2U= is wrong.", "Error: is wrong."),
            ("bad (ZmFrZWZha2U): try again", "bad try again"),
            ("see https://h.example/?x", "see"),
            ("", ""),
        ] {
            assert_eq!(plain_words(said), kept, "{said}");
        }
    }
}

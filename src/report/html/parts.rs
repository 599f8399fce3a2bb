//! The smallest parts of the page: a fact, a piece of a sentence, a sign.

use crate::policy::Health;

/// A name and what is said of it.
#[derive(Debug)]
pub struct FactLine {
    pub name: String,
    pub value: String,
}

impl FactLine {
    /// That is said of it.
    pub fn new(name: &str, value: impl std::fmt::Display) -> Self {
        Self { name: name.to_owned(), value: value.to_string() }
    }
}

/// A part of a sentence: a command, or words.
#[derive(Debug)]
pub struct Piece {
    pub text: String,
    pub is_code: bool,
}

/// The parts of a sentence with commands in backticks.
pub fn pieces(text: &str) -> Vec<Piece> {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| Piece { text: part.to_owned(), is_code: at % 2 == 1 });
    parts.filter(|part| !part.text.is_empty()).collect()
}

/// Says without a colour how bad it is.
pub const fn sign(health: Health) -> char {
    match health {
        Health::Ok => '✓',
        Health::Warning => '!',
        Health::Critical => '✖',
        Health::Unknown => '?',
    }
}

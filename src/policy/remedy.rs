//! Says what to do about a cause: who acts, the one command to run, and what to expect after it.

use std::fmt;

use crate::token::Label;

/// What to do about a cause; empty where there is nothing to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Remedy {
    /// Who acts, and what that person does, in a few words: `anna@client.example logs in`.
    pub brief: String,
    /// The whole step, with the command in it.
    pub step: String,
    /// The command, as it is typed.
    pub command: String,
    /// What to expect after it, or the rule that chooses between two ways.
    pub note: String,
    /// The part of the step that the owner of the token takes, without a command; empty where another
    /// person acts.
    pub of_owner: String,
}

/// How commands of ours begin.
const COMMAND: &str = "metatoken ";
/// How the command begins by which an owner logs in.
const LOGIN_COMMAND: &str = "metatoken login ";

impl Remedy {
    /// Whether there is nothing to do.
    pub const fn is_empty(&self) -> bool {
        self.step.is_empty()
    }

    /// A step of the operator.
    pub fn of_the_operator(step: impl Into<String>) -> Self {
        let remedy = Self::from(step.into());
        let brief = if remedy.command.is_empty() { "" } else { OPERATOR };
        Self { brief: brief.to_owned(), ..remedy }
    }

    /// The same with what to expect after it.
    pub fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// Puts `prefix` before each of our commands.
    pub fn with_prefix(&mut self, prefix: &str) {
        for text in [&mut self.step, &mut self.note] {
            *text = prefixed(text, prefix);
        }
        if self.command.starts_with(COMMAND) {
            self.command = format!("{prefix} {}", self.command);
        }
    }

    /// Whether the owner of the token takes a step.
    pub const fn is_of_the_owner(&self) -> bool {
        !self.of_owner.is_empty()
    }

    /// The token whose owner logs in by a dialog, where that is the remedy.
    pub fn login(&self) -> Option<Label> {
        let (_, typed) = self.command.split_once(LOGIN_COMMAND)?;
        Label::parse(typed.split(' ').next()?).ok()
    }

    /// Adds another remedy to this one.
    pub fn append(&mut self, other: &Self) {
        if self.of_owner.is_empty() {
            self.of_owner.clone_from(&other.of_owner);
        }
        if !self.step.contains(&other.step) {
            self.step = format!("{}; {}", self.step, other.step);
        }
    }
}

/// The text with `prefix` before each of our commands.
///
/// Where a unit runs metatoken, its user, its credentials and its rights are the unit's: the same
/// command typed by a person would not find them. The config names what leads there.
pub fn prefixed(text: &str, prefix: &str) -> String {
    text.replace(&format!("`{COMMAND}"), &format!("`{prefix} {COMMAND}"))
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.step.as_str(), self.note.as_str()) {
            (step, "") => f.write_str(step),
            ("", note) => f.write_str(note),
            (step, note) => write!(f, "{step}. {note}"),
        }
    }
}

impl From<String> for Remedy {
    /// The first command that the step says to run is the command.
    fn from(step: String) -> Self {
        let command = step.split_once("run `").and_then(|(_, rest)| rest.split_once('`'));
        let command = command.map(|(command, _)| command.to_owned()).unwrap_or_default();
        Self { step, command, ..Self::default() }
    }
}

impl From<&str> for Remedy {
    fn from(step: &str) -> Self {
        Self::from(step.to_owned())
    }
}

/// Who runs metatoken and its machine.
pub const OPERATOR: &str = "operator";

impl Remedy {
    /// The same for this token alone, although the row is about all tokens of the app.
    pub fn with_label(mut self, label: &str) -> Self {
        let command = format!("{} {label}", self.command);
        self.step = self.step.replace(&format!("`{}`", self.command), &format!("`{command}`"));
        Self { command, ..self }
    }
}

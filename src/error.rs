//! Holds the only error that `main` prints.
//!
//! A complaint names its subject and what happened to it, then the causes, then what recovers
//! it. Inside a module errors may be anything; where they leave it they become a complaint.

use std::fmt::Write as _;

use crate::exit::Exit;

/// A failure as a person reads it.
#[derive(Debug)]
pub struct CliError {
    /// How the process ends.
    pub exit: Exit,
    /// A stable name for scripts, in `error.code` of the JSON.
    pub code: &'static str,
    /// The token, file or option concerned; empty when the message says it.
    pub subject: String,
    /// What happened.
    pub message: String,
    /// Why, the nearest cause first.
    pub causes: Vec<String>,
    /// What recovers it; commands in backticks.
    pub hints: Vec<String>,
    /// Whether a person hears of it also where quiet is asked for. Everything is, but another run at
    /// work while there is time.
    pub is_urgent: bool,
}

impl CliError {
    /// A complaint about `subject`.
    pub fn new(
        exit: Exit,
        code: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            exit,
            code,
            subject: subject.into(),
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            is_urgent: exit != Exit::Busy,
        }
    }

    /// The same, of which a person hears in any case.
    #[must_use]
    pub fn urgent(self) -> Self {
        Self { is_urgent: true, ..self }
    }

    /// Adds a cause and the causes behind it.
    pub fn because(mut self, cause: impl Into<anyhow::Error>) -> Self {
        let cause: anyhow::Error = cause.into();
        self.causes.extend(cause.chain().map(ToString::to_string));
        self
    }

    /// Adds Meta's own words, if there are any.
    pub fn in_metas_words(mut self, words: &str) -> Self {
        self.causes.extend((!words.is_empty()).then(|| format!("Meta says {words}")));
        self
    }

    /// Adds what recovers it, if that is known.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.extend(Some(hint.into()).filter(|hint| !hint.is_empty()));
        self
    }

    /// The text for a person: the first line, the causes, the hints.
    pub fn render(&self) -> String {
        let mut text = String::from("error: ");
        if !self.subject.is_empty() {
            let _ = write!(text, "{}: ", visible(&self.subject));
        }
        text.push_str(&visible_lines(&self.message));
        for cause in &self.causes {
            let cause = visible_lines(cause).replace('\n', "\n    ");
            let _ = write!(text, "\n  caused by: {cause}");
        }
        for hint in &self.hints {
            let _ = write!(text, "\nhint: {}", visible_lines(hint));
        }
        text
    }
}

/// A name or a path as it was typed, with what a terminal would obey or not show written out: an escape
/// is `\u{1b}`, a line break `\n`.
pub fn visible(text: &str) -> String {
    escaped(text, |_| false)
}

/// The same for a text of several lines.
fn visible_lines(text: &str) -> String {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// Whether a terminal shows what follows in another order than it was typed.
const fn is_mark_of_direction(c: char) -> bool {
    matches!(
        c,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

fn escaped(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if (c.is_control() || is_mark_of_direction(c)) && !is_kept(c) {
            shown.extend(c.escape_debug());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_reads_subject_cause_remedy() {
        let complaint = CliError::new(Exit::Storage, "store_unreadable", "/x.db", "cannot be read")
            .because(anyhow::anyhow!("permission denied").context("opening it"))
            .hint("run it as `metatoken`");
        assert_eq!(
            complaint.render(),
            "error: /x.db: cannot be read\n  caused by: opening it\n  caused by: permission denied\nhint: run it as `metatoken`"
        );
    }

    #[test]
    fn a_terminal_obeys_nothing_that_was_typed() {
        let complaint =
            CliError::new(Exit::Usage, "x", "a\u{1b}[2J\nb\r", "two\nlines\u{7}\tand it's é")
                .because(anyhow::anyhow!("\u{202e}c"))
                .hint("d\u{9b}");
        assert_eq!(
            complaint.render(),
            "error: a\\u{1b}[2J\\nb\\r: two\nlines\\u{7}\tand it's é\n  caused by: \\u{202e}c\nhint: d\\u{9b}"
        );
    }
}

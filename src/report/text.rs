//! Writes text for people: lines as wide as the terminal, and causes with their hints.

use std::fmt::Write as _;

use crate::policy::{Reason, humanize, merge};
use crate::token::{Expiry, Time};

/// How a text may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// The terminal's width; nothing when the text goes to a file or a pipe.
    pub width: Option<u16>,
    /// Whether words are coloured.
    pub color: TextColor,
    /// How instants are written.
    pub times: Times,
}

/// How instants are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// `in 13 days`, for a person who looks at it now.
    Relative,
    /// `2026-12-04`, in UTC, for what is kept and read later.
    Absolute,
}

/// Whether words are coloured. Colour never carries a meaning that the word does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextColor {
    /// Plain text.
    None,
    /// ANSI colours.
    Ansi,
}

/// The width of a table that goes to a file or a pipe.
const USUAL_WIDTH: usize = 80;

/// The narrowest that lines and the last column of a table are made.
pub const NARROWEST: usize = 12;

impl TextStyle {
    /// An instant to come or past, as a cell has it.
    pub fn instant(self, time: Time, now: Time) -> String {
        match self.times {
            Times::Relative => humanize::relative(time, now),
            Times::Absolute => humanize::dated(time, now),
        }
    }

    /// An expiry as a cell has it.
    pub fn expiry(self, expiry: Expiry, now: Time) -> String {
        match expiry {
            Expiry::At(time) => self.instant(time, now),
            Expiry::Never => "never".to_owned(),
            Expiry::Unknown => "unknown".to_owned(),
        }
    }

    /// Wraps a text of one or more lines at the terminal's width, what is cut off `hang` blanks
    /// deeper than its line begins. Piped, it stays as it is.
    pub fn wrapped(self, text: &str, hang: usize) -> String {
        self.width.map_or_else(|| text.to_owned(), |width| wrapped(text, width, hang))
    }

    /// The same for one line, of which `name` stays as it is, and what is cut off stands below what
    /// comes behind it.
    pub fn named(self, name: &str, text: &str) -> String {
        let Some(width) = self.width else { return format!("{name}{text}\n") };
        let indent = length(name);
        let parts = wrap(text, usize::from(width), indent, 0);
        parts.join(&format!("\n{}", " ".repeat(indent))).lines().enumerate().fold(
            String::new(),
            |mut lines, (place, part)| {
                let _ = writeln!(lines, "{}{part}", if place == 0 { name } else { "" });
                lines
            },
        )
    }

    /// The width that a table may have.
    pub fn room(self) -> usize {
        self.width.map_or(USUAL_WIDTH, usize::from)
    }
}

/// Wraps each line that is longer than `width`, what is cut off `hang` blanks deeper than the line
/// begins. A line of a file that is shown with its number stays as it is.
pub fn wrapped(text: &str, width: u16, hang: usize) -> String {
    let width = usize::from(width);
    let mut lines = String::new();
    for line in text.lines() {
        let bare = line.trim_start();
        let is_shown =
            bare.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().starts_with('|');
        if length(line) <= width || is_shown {
            lines.push_str(line);
            lines.push('\n');
            continue;
        }
        let indent = length(line) - length(bare);
        for (place, part) in wrap(bare, width, indent, hang).iter().enumerate() {
            lines.push_str(&" ".repeat(if place == 0 { indent } else { indent + hang }));
            lines.push_str(part);
            lines.push('\n');
        }
    }
    lines
}

/// Breaks a line into parts: the first has `width` less `indent`, the others `hang` less again.
/// A command between backticks is not broken where it fits on a line, so that it can be copied.
pub fn wrap(line: &str, width: usize, indent: usize, hang: usize) -> Vec<String> {
    let room = |part: usize| {
        let taken = indent + if part == 0 { 0 } else { hang };
        width.saturating_sub(taken).max(NARROWEST)
    };
    filled(&words(line, room(1)), room)
}

/// Puts words on lines, of which each has that much room. A word that is longer has one to itself.
pub fn filled(words: &[&str], room: impl Fn(usize) -> usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in words {
        let part = parts.len() - 1;
        let open = &mut parts[part];
        if open.is_empty() {
            open.push_str(word);
        } else if length(open) + 1 + length(word) <= room(part) {
            open.push(' ');
            open.push_str(word);
        } else {
            parts.push((*word).to_owned());
        }
    }
    parts
}

/// The words of a line, one in backticks whole where it is no longer than `longest`.
pub fn words(line: &str, longest: usize) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let mut end = 0;
        let mut quoted = false;
        for (at, letter) in rest.char_indices() {
            if letter == '`' {
                quoted = !quoted;
            }
            if letter == ' ' && !quoted {
                break;
            }
            end = at + letter.len_utf8();
        }
        if length(&rest[..end]) > longest {
            end = rest.find(' ').unwrap_or(rest.len());
        }
        if end > 0 {
            words.push(&rest[..end]);
        }
        rest = rest[end..].strip_prefix(' ').unwrap_or(&rest[end..]);
    }
    words
}

/// How many columns a text takes.
pub fn length(text: &str) -> usize {
    text.chars().count()
}

/// Each cause once, the worst first, with the tokens it concerns and its remedy.
pub fn paragraphs(reasons: impl IntoIterator<Item = Reason>, style: TextStyle) -> String {
    merge(reasons).iter().fold(String::new(), |mut text, reason| {
        let mut cause = format!("{}: ", reason.severity);
        if !reason.labels.is_empty() {
            let _ = write!(cause, "{}: ", humanize::list(&reason.labels));
        }
        let _ = writeln!(cause, "{}", reason.what());
        text.push_str(&style.wrapped(&cause, 4));
        if !reason.remedy.is_empty() {
            text.push_str(&style.wrapped(&format!("  hint: {}\n", reason.remedy), 6));
        }
        if !reason.meta.is_empty() {
            text.push_str(&style.wrapped(&format!("  Meta: {}\n", reason.meta), 6));
        }
        text
    })
}

/// Puts `prefix` before each command of a remedy.
pub fn prefix_remedies<'a>(reasons: impl IntoIterator<Item = &'a mut Reason>, prefix: &str) {
    for reason in reasons {
        reason.remedy.with_prefix(prefix);
    }
}

#[cfg(test)]
impl TextStyle {
    /// A narrow terminal.
    pub const NARROW: Self =
        Self { width: Some(30), color: TextColor::None, times: Times::Relative };
    /// A pipe.
    pub const PIPED: Self = Self { width: None, color: TextColor::None, times: Times::Absolute };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_wrapped_with_a_hanging_indent_and_a_command_stays_whole() {
        let text =
            "critical: `a`: one two three four five six\n  hint: run `metatoken refresh a` now\n";
        assert_eq!(
            TextStyle::NARROW.wrapped(text, 4),
            "critical: `a`: one two three\n    four five six\n  hint: run\n      `metatoken refresh a`\n      now\n"
        );
        assert_eq!(TextStyle::PIPED.wrapped(text, 4), text);
    }

    #[test]
    fn what_is_in_backticks_and_longer_than_a_line_is_broken_at_its_blanks() {
        let text = "run `metatoken refresh a-label-that-is-long and another`\n";
        for line in TextStyle::NARROW.wrapped(text, 2).lines() {
            assert!(length(line) <= 30, "{line}");
        }
    }
}

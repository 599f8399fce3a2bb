//! Writes text for people: tables, causes with their hints, and the commands that are to be typed.

use std::fmt::Write as _;

use comfy_table::{Cell, Color, ContentArrangement, presets};

use crate::policy::{Health, Reason, humanize, merge};

/// How a text may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// The terminal's width; nothing when the text goes to a file or a pipe.
    pub width: Option<u16>,
    /// Whether words are coloured.
    pub color: TextColor,
}

/// Whether words are coloured. Colour never carries a meaning that the word does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextColor {
    /// Plain text.
    None,
    /// ANSI colours.
    Ansi,
}

/// A table under construction.
///
/// It has no frame: columns are kept apart by blanks, so that `grep` and `awk` see words, and a narrow
/// terminal wraps inside a column. Piped, a row is a line.
pub struct Table {
    table: comfy_table::Table,
}

impl Table {
    /// A table with these headings.
    pub fn new(style: TextStyle, headings: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_header(headings.iter().copied());
        match style.color {
            TextColor::Ansi => table.enforce_styling(),
            TextColor::None => table.force_no_tty(),
        };
        if let Some(width) = style.width {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        Self { table }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.table.add_row(cells.into_iter().collect::<Vec<_>>());
    }

    /// The table as text, with a final newline and nothing behind the last word of a line.
    pub fn render(mut self) -> String {
        let last = self.table.column_count().saturating_sub(1);
        for (index, column) in self.table.column_iter_mut().enumerate() {
            column.set_padding((0, if index == last { 0 } else { 2 }));
        }
        self.table.lines().fold(String::new(), |mut text, line| {
            text.push_str(line.trim_end());
            text.push('\n');
            text
        })
    }
}

/// A plain cell.
pub fn plain(text: impl ToString) -> Cell {
    Cell::new(text)
}

/// A cell whose colour repeats what its word says.
pub fn tinted(text: impl ToString, health: Health) -> Cell {
    Cell::new(text).fg(match health {
        Health::Ok => Color::Green,
        Health::Warning => Color::Yellow,
        Health::Critical => Color::Red,
        Health::Unknown => Color::Magenta,
    })
}

/// Each cause once, the worst first, with the tokens it concerns and its remedy.
pub fn paragraphs(reasons: impl IntoIterator<Item = Reason>) -> String {
    merge(reasons).iter().fold(String::new(), |mut text, reason| {
        let _ = write!(text, "{}: ", reason.severity);
        if !reason.labels.is_empty() {
            let _ = write!(text, "{}: ", humanize::list(&reason.labels));
        }
        let _ = writeln!(text, "{}", reason.message);
        if !reason.remedy.is_empty() {
            let _ = writeln!(text, "  hint: {}", reason.remedy);
        }
        text
    })
}

/// How a command begins in a text for people.
const COMMAND: &str = "`metatoken ";

/// The text with `prefix` before each of its commands.
///
/// Where a unit runs metatoken, its user, its credentials and its rights are the unit's: the same
/// command typed by a person would not find them. The config names what leads there.
pub fn prefixed(text: &str, prefix: &str) -> String {
    text.replace(COMMAND, &format!("`{prefix} metatoken "))
}

/// Puts `prefix` before each command of a remedy.
pub fn prefix_remedies<'a>(reasons: impl IntoIterator<Item = &'a mut Reason>, prefix: &str) {
    for reason in reasons {
        reason.remedy = prefixed(&reason.remedy, prefix);
    }
}

//! Tables that fit the terminal and read well when piped.
//!
//! No frames: columns are kept apart by blanks, so that `grep` and `awk` see words, and a narrow
//! terminal wraps inside a column. Piped, a row is a line.

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};

use super::{Canvas, Ink};
use crate::policy::Health;

/// A table under construction.
pub struct Sheet {
    table: Table,
}

impl Sheet {
    /// A table with these headings.
    pub fn new(canvas: Canvas, headings: &[&str]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(headings.iter().copied());
        match canvas.ink {
            Ink::Coloured => table.enforce_styling(),
            Ink::Plain => table.force_no_tty(),
        };
        if let Some(width) = canvas.width {
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

//! Lays out tables for people, as wide as where they are read.

use comfy_table::{Cell, Color, presets};

use super::text::{NARROWEST, TextColor, TextStyle, filled, length, words, wrap};
use crate::policy::Health;

/// A last column that is wider is wrapped before another column is left out for it.
const WIDE: usize = 24;

/// What stands between two columns.
const GAP: usize = 2;

/// A table under construction.
///
/// It has no frame: columns are kept apart by blanks, so that `grep` and `awk` see words. The last
/// column is wrapped where the table would be too wide; on a narrow terminal others are, too.
pub struct Table {
    style: TextStyle,
    headings: Vec<String>,
    rows: Vec<Row>,
}

/// A row and what is said below it.
struct Row {
    cells: Vec<Styled>,
    notes: Vec<String>,
}

/// A cell: words, and the colour that repeats what they say.
#[derive(Debug, Clone)]
pub struct Styled {
    text: String,
    health: Option<Health>,
}

impl Table {
    /// A table with these headings.
    pub fn new(style: TextStyle, headings: &[&str]) -> Self {
        let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
        Self { style, headings, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Styled>) {
        self.rows.push(Row { cells: cells.into_iter().collect(), notes: Vec::new() });
    }

    /// Adds a line below the last row, which begins in the second column.
    pub fn note(&mut self, note: impl Into<String>) {
        if let Some(row) = self.rows.last_mut() {
            row.notes.push(note.into());
        }
    }

    /// Leaves out the columns with these headings, the first first, until the table fits.
    pub fn fit(mut self, dispensable: &[&str]) -> Self {
        for heading in dispensable {
            if self.needs() <= self.style.room() {
                break;
            }
            self.leave_out(heading);
        }
        self
    }

    /// The width that it needs at least; its last column is wrapped where it is wide.
    fn needs(&self) -> usize {
        let widths = self.widths();
        let (last, others) = widths.split_last().map_or((0, &[][..]), |(last, it)| (*last, it));
        others.iter().map(|width| width + GAP).sum::<usize>() + last.min(WIDE)
    }

    /// Leaves out the column with this heading.
    fn leave_out(&mut self, heading: &str) {
        let Some(column) = self.headings.iter().position(|it| *it == heading) else { return };
        self.headings.remove(column);
        for row in &mut self.rows {
            row.cells.remove(column);
        }
    }

    /// The table as text, with a final newline and nothing behind the last word of a line.
    pub fn render(mut self) -> String {
        let mut widths = self.widths();
        if self.style.width.is_some() {
            squeeze(&mut widths, self.style.room());
            self.wrap_cells(&widths);
        } else {
            self.fold_last(&widths);
        }
        let mut lines = self.lines().into_iter();
        let mut text = String::new();
        let mut push = |line: Option<String>| {
            let Some(line) = line else { return };
            text.push_str(line.trim_end());
            text.push('\n');
        };
        let of_heading = self.headings.iter().map(|heading| heading.lines().count().max(1));
        (0..of_heading.max().unwrap_or(1)).for_each(|_| push(lines.next()));
        let indent = widths.first().map_or(0, |width| width + GAP);
        for row in &self.rows {
            let height = row.cells.iter().map(|cell| cell.text.lines().count().max(1)).max();
            (0..height.unwrap_or(1)).for_each(|_| push(lines.next()));
            for note in &row.notes {
                let note = format!("{}{note}", " ".repeat(indent));
                self.style.wrapped(&note, GAP).lines().for_each(|it| push(Some(it.to_owned())));
            }
        }
        text
    }

    /// The widest cell of each column.
    fn widths(&self) -> Vec<usize> {
        let headings = self.headings.iter().map(|heading| length(heading));
        headings
            .enumerate()
            .map(|(column, heading)| {
                let cells = self.rows.iter().map(|row| length(&row.cells[column].text));
                cells.fold(heading, usize::max)
            })
            .collect()
    }

    /// Wraps the last column of a table that goes to a file or a pipe. No word of it is broken, and no
    /// command between backticks, so that both are found.
    fn fold_last(&mut self, widths: &[usize]) {
        let Some((_, others)) = widths.split_last() else { return };
        let taken: usize = others.iter().map(|width| width + GAP).sum();
        let room = self.style.room().saturating_sub(taken).max(NARROWEST);
        for cell in self.rows.iter_mut().filter_map(|row| row.cells.last_mut()) {
            cell.text = filled(&words(&cell.text, usize::MAX), |_| room).join("\n");
        }
    }

    fn wrap_cells(&mut self, widths: &[usize]) {
        for (heading, width) in self.headings.iter_mut().zip(widths) {
            *heading = fitted(heading, *width);
        }
        for row in &mut self.rows {
            for (cell, width) in row.cells.iter_mut().zip(widths) {
                cell.text = fitted(&cell.text, *width);
            }
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_header(self.headings.iter());
        match self.style.color {
            TextColor::Ansi => table.enforce_styling(),
            TextColor::None => table.force_no_tty(),
        };
        for row in &self.rows {
            table.add_row(row.cells.iter().map(Styled::cell).collect::<Vec<_>>());
        }
        let last = table.column_count().saturating_sub(1);
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if index == last { 0 } else { 2 }));
        }
        table.lines().collect()
    }
}

/// Makes columns narrower until they fit: the last down to its narrowest, then the widest.
fn squeeze(widths: &mut [usize], room: usize) {
    let Some(last) = widths.len().checked_sub(1) else { return };
    let gaps = last * GAP;
    let others: usize = widths[..last].iter().sum();
    let left = room.saturating_sub(others + gaps);
    widths[last] = widths[last].min(left.max(NARROWEST));
    while widths.iter().sum::<usize>() + gaps > room {
        let Some(widest) = widths.iter_mut().max_by_key(|width| **width) else { return };
        if *widest <= NARROWEST {
            return;
        }
        *widest -= 1;
    }
}

/// A cell's text on lines of that width; a word that is longer is broken.
fn fitted(text: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for line in wrap(text, width.max(1), 0, 0) {
        let letters: Vec<char> = line.chars().collect();
        match letters.len() {
            0 => lines.push(String::new()),
            _ => lines.extend(letters.chunks(width.max(1)).map(String::from_iter)),
        }
    }
    lines.join("\n")
}

impl Styled {
    fn cell(&self) -> Cell {
        let cell = Cell::new(&self.text);
        match self.health {
            None => cell,
            Some(Health::Ok) => cell.fg(Color::Green),
            Some(Health::Warning) => cell.fg(Color::Yellow),
            Some(Health::Critical) => cell.fg(Color::Red),
            Some(Health::Unknown) => cell.fg(Color::Magenta),
        }
    }
}

/// A plain cell.
#[expect(clippy::needless_pass_by_value, reason = "a cell is made of what was just made for it")]
pub fn plain(text: impl ToString) -> Styled {
    Styled { text: text.to_string(), health: None }
}

/// A cell whose colour repeats what its word says.
#[expect(clippy::needless_pass_by_value, reason = "a cell is made of what was just made for it")]
pub fn tinted(text: impl ToString, health: Health) -> Styled {
    Styled { text: text.to_string(), health: Some(health) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_the_terminal_and_notes_stand_below_their_row() {
        let table = |style| {
            let mut table = Table::new(style, &["TOKEN", "STATE", "REASON"]);
            table.row([plain("a"), plain("works"), plain("one two three four five six")]);
            table.note("delivered to config.ini");
            table.row([plain("b"), plain("down"), plain("x")]);
            table.render()
        };
        assert_eq!(
            table(TextStyle::NARROW),
            "TOKEN  STATE  REASON\na      works  one two three\n              four five six\n       delivered to config.ini\nb      down   x\n"
        );
        assert_eq!(
            table(TextStyle::PIPED),
            "TOKEN  STATE  REASON\na      works  one two three four five six\n       delivered to config.ini\nb      down   x\n"
        );
    }

    #[test]
    fn a_table_in_a_pipe_is_folded_at_80_columns_and_no_command_in_it_is_broken() {
        let mut table = Table::new(TextStyle::PIPED, &["TOKEN", "REASON"]);
        let command = format!("`metatoken add {}`", "a ".repeat(40).trim_end());
        table.row([
            plain("a".repeat(30)),
            plain(format!("{} run {command}", "word ".repeat(10).trim_end())),
        ]);
        let text = table.render();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[..3].iter().all(|line| length(line) <= 80), "{text}");
        assert_eq!(lines[3].trim_start(), command);
    }

    #[test]
    fn long_words_are_broken_rather_than_the_line() {
        let style = TextStyle { width: Some(40), ..TextStyle::NARROW };
        let mut table = Table::new(style, &["TOKEN", "STATE", "REASON"]);
        table.row([plain("x".repeat(40)), plain("works"), plain("y".repeat(40))]);
        let text = table.render();
        assert!(text.lines().all(|line| length(line) <= 40), "{text}");
        assert_eq!(text.matches('x').count(), 40);
        assert_eq!(text.matches('y').count(), 40);
    }

    #[test]
    fn columns_that_do_not_fit_are_left_out() {
        let mut table = Table::new(TextStyle::NARROW, &["TOKEN", "CHECKED", "NEXT"]);
        table.row([plain("x".repeat(15)), plain("3 minutes ago"), plain("renew")]);
        assert_eq!(
            table.fit(&["CHECKED"]).render(),
            format!("TOKEN            NEXT\n{}  renew\n", "x".repeat(15))
        );
    }
}

//! Writes text for people: tables, causes with their hints, and the commands that are to be typed.

use std::fmt::Write as _;

use comfy_table::{Cell, Color, presets};

use crate::policy::{Health, Reason, humanize, merge};
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

/// The narrowest that a last column is made.
const NARROWEST: usize = 12;

/// A last column that is wider is wrapped before another column is left out for it.
const WIDE: usize = 24;

/// What stands between two columns.
const GAP: usize = 2;

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
fn wrap(line: &str, width: usize, indent: usize, hang: usize) -> Vec<String> {
    let room = |part: usize| {
        let taken = indent + if part == 0 { 0 } else { hang };
        width.saturating_sub(taken).max(NARROWEST)
    };
    filled(&words(line, room(1)), room)
}

/// Puts words on lines, of which each has that much room. A word that is longer has one to itself.
fn filled(words: &[&str], room: impl Fn(usize) -> usize) -> Vec<String> {
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
fn words(line: &str, longest: usize) -> Vec<&str> {
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
fn length(text: &str) -> usize {
    text.chars().count()
}

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
    pub fn leave_out(&mut self, heading: &str) {
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

/// A text in Markdown; on a terminal its tables are laid out for it.
pub fn markdown(text: &str, style: TextStyle) -> String {
    if style.width.is_none() {
        return text.to_owned();
    }
    let (mut laid_out, mut rows) = (String::new(), Vec::new());
    for line in text.lines().chain([""]) {
        if line.starts_with('|') {
            rows.push(line);
            continue;
        }
        laid_out.push_str(&markdown_table(&std::mem::take(&mut rows), style));
        // What is indented is an example, to be copied as it stands.
        let line = format!("{line}\n");
        laid_out.push_str(&if line.starts_with("    ") { line } else { style.wrapped(&line, 2) });
    }
    format!("{}\n", laid_out.trim_end())
}

/// A table in Markdown: headings, a rule, rows.
fn markdown_table(rows: &[&str], style: TextStyle) -> String {
    let cells = |row: &str| -> Vec<String> {
        let row = row.trim_matches('|');
        row.split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    let Some((headings, rows)) = rows.split_first() else { return String::new() };
    let headings = cells(headings);
    let mut table = Table::new(style, &headings.iter().map(String::as_str).collect::<Vec<_>>());
    for row in rows.iter().skip(1) {
        let mut row = cells(row);
        row.resize(headings.len(), String::new());
        table.row(row.into_iter().map(plain));
    }
    table.render()
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
mod tests {
    use super::*;

    const NARROW: TextStyle =
        TextStyle { width: Some(30), color: TextColor::None, times: Times::Relative };
    const PIPED: TextStyle =
        TextStyle { width: None, color: TextColor::None, times: Times::Absolute };

    #[test]
    fn a_message_is_wrapped_with_a_hanging_indent_and_a_command_stays_whole() {
        let text =
            "critical: `a`: one two three four five six\n  hint: run `metatoken refresh a` now\n";
        assert_eq!(
            NARROW.wrapped(text, 4),
            "critical: `a`: one two three\n    four five six\n  hint: run\n      `metatoken refresh a`\n      now\n"
        );
        assert_eq!(PIPED.wrapped(text, 4), text);
    }

    #[test]
    fn what_is_in_backticks_and_longer_than_a_line_is_broken_at_its_blanks() {
        let text = "run `metatoken refresh a-label-that-is-long and another`\n";
        for line in NARROW.wrapped(text, 2).lines() {
            assert!(length(line) <= 30, "{line}");
        }
    }

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
            table(NARROW),
            "TOKEN  STATE  REASON\na      works  one two three\n              four five six\n       delivered to config.ini\nb      down   x\n"
        );
        assert_eq!(
            table(PIPED),
            "TOKEN  STATE  REASON\na      works  one two three four five six\n       delivered to config.ini\nb      down   x\n"
        );
    }

    #[test]
    fn a_table_in_a_pipe_is_folded_at_80_columns_and_no_command_in_it_is_broken() {
        let mut table = Table::new(PIPED, &["TOKEN", "REASON"]);
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
        let style = TextStyle { width: Some(40), ..NARROW };
        let mut table = Table::new(style, &["TOKEN", "STATE", "REASON"]);
        table.row([plain("x".repeat(40)), plain("works"), plain("y".repeat(40))]);
        let text = table.render();
        assert!(text.lines().all(|line| length(line) <= 40), "{text}");
        assert_eq!(text.matches('x').count(), 40);
        assert_eq!(text.matches('y').count(), 40);
    }

    #[test]
    fn columns_that_do_not_fit_are_left_out() {
        let mut table = Table::new(NARROW, &["TOKEN", "CHECKED", "NEXT"]);
        table.row([plain("x".repeat(15)), plain("3 minutes ago"), plain("renew")]);
        assert_eq!(
            table.fit(&["CHECKED"]).render(),
            format!("TOKEN            NEXT\n{}  renew\n", "x".repeat(15))
        );
    }
}

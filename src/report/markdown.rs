//! Lays out a text in Markdown for a terminal.

use super::table::{Table, plain};
use super::text::TextStyle;

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

//! Writes the ratios into `tests/README.md`.

use std::fmt::Write as _;
use std::fs::{File, read_to_string};
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

use super::figure::Figure;

const BEGIN: &str = "<!-- pace -->\n";
const END: &str = "<!-- end -->";

/// Writes the ratios between the two marks of `tests/README.md`.
pub(crate) fn write(figures: &[Figure]) -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/README.md");
    let text = read_to_string(&path)?;
    let (before, rest) =
        text.split_once(BEGIN).context("tests/README.md has no `<!-- pace -->`")?;
    let (_, after) =
        rest.split_once(END).context("tests/README.md has no `<!-- end -->` after its figures")?;
    let shown = format!("{before}{BEGIN}{}{END}{after}", markdown(figures));
    Ok(File::create(&path)?.write_all(shown.as_bytes())?)
}

/// The table as `tests/README.md` has it.
pub(crate) fn markdown(figures: &[Figure]) -> String {
    let mut table =
        "| measured | divided by | typical, on 2 cores | at most |\n|---|---|---|---|\n".to_owned();
    for figure in figures {
        let (ratio, at_most) = figure.ratio().map_or_else(
            || ("skipped".to_owned(), "-".to_owned()),
            |(ratio, at_most)| (format!("{ratio:.2}"), format!("{at_most}")),
        );
        let Figure { measure, yardstick, .. } = figure;
        // Writing into a string cannot fail.
        let _ = writeln!(table, "| {measure} | {yardstick} | {ratio} | {at_most} |");
    }
    table
}

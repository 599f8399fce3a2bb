//! How fast metatoken is, in ratios that hold on any machine.
//!
//! The release binary works against a simulated Graph in this process, and what it takes is
//! divided by what cannot be had for less: the latency of the calls, the Pages listed, the time in
//! which `sqlite3` reads one row of the same store. Milliseconds say more about the machine than
//! about the program; a ratio that is missed ends the bench with 1 and is named.
//!
//! `cargo bench --bench pace` measures; with `-- --write` the ratios go into `tests/README.md` too. With
//! `-- --order` it writes `order.ld` and measures nothing.

mod figure;
mod fleet;
mod idle;
mod monitoring;
mod order;
mod pages;
mod process;
mod readme;
mod renewal;
mod world;

use std::io::Write as _;
use std::process::ExitCode;

use figure::Figure;

fn main() -> anyhow::Result<ExitCode> {
    if std::env::args().any(|argument| argument == "--order") {
        order::write()?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut figures = renewal::measure()?;
    figures.extend(pages::measure()?);
    figures.extend(monitoring::measure()?);
    figures.extend(idle::measure()?);
    figures.extend(fleet::measure()?);
    say(&figure::table(&figures))?;
    say(&format!("\nfor tests/README.md:\n\n{}\n", readme::markdown(&figures)))?;
    if std::env::args().any(|argument| argument == "--write") {
        readme::write(&figures)?;
    }
    let missed: Vec<&Figure> = figures.iter().filter(|figure| !figure.is_kept()).collect();
    for figure in &missed {
        say(&format!("missed: {figure}\n"))?;
    }
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints, for a bench is a program of its own and has no other way to speak.
fn say(text: &str) -> std::io::Result<()> {
    std::io::stdout().lock().write_all(text.as_bytes())
}

//! Answers `help`, and a command that there is not.

use std::fmt::Write as _;

use crate::cli;
use crate::config;
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::humanize;

/// What `help` prints of a command or a topic.
pub fn help(words: &[String]) -> Result<String, CliError> {
    let topics = || cli::TOPICS.iter().map(|topic| topic.name).collect::<Vec<_>>();
    let found = cli::help_of(words).map(|text| match words {
        [topic] if topic == "config" => format!("{text}{}", keys()),
        _ => text,
    });
    found.ok_or_else(|| {
        usage(&format!("no command or topic `{}`", words.join(" ")))
            .hint("run `metatoken help` for the commands")
            .hint(format!("the topics are {}", humanize::list(&topics())))
    })
}

/// A word where a command is expected that is none.
pub fn unknown_command(word: &str) -> CliError {
    let complaint = usage(&format!("unknown command `{word}`"));
    match cli::known_elsewhere(word).map(str::to_owned).or_else(|| nearest_command(word)) {
        Some(here) => complaint.hint(format!("try `metatoken {here}`")),
        None => complaint
            .hint("run `metatoken help` for the commands; a label stands behind one: `metatoken status LABEL`"),
    }
}

/// The command whose name is nearly that word.
fn nearest_command(word: &str) -> Option<String> {
    const NEAR: f64 = 0.8;
    let commands = cli::command();
    let names = commands.get_subcommands().map(clap::Command::get_name);
    let near = names.map(|name| (strsim::jaro_winkler(word, name), name));
    let best = near.filter(|(likeness, _)| *likeness > NEAR).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, name)| name.to_owned())
}

/// Every key of the config, by tables.
fn keys() -> String {
    let mut text = "\n## Keys\n".to_owned();
    for table in config::schema().tables() {
        let place = table.place.strip_prefix("in ").unwrap_or(&table.place);
        let _ = writeln!(text, "\n{place}\n\n| key | value | what it is for |\n|---|---|---|");
        for key in table.keys.iter().filter(|key| !key.is_later) {
            let _ = writeln!(text, "| `{}` | {} | {} |", key.name, key.kind, key.sentence);
        }
    }
    text
}

fn usage(message: &str) -> CliError {
    CliError::new(Exit::Usage, "usage", "", message)
}

//! Answers `help`, and a command that there is not.

use crate::cli;
use crate::error::CliError;
use crate::exit::Exit;
use crate::manual;
use crate::policy::humanize;

/// What `help` prints of a command or a topic.
pub fn help(words: &[String]) -> Result<String, CliError> {
    let topics = || cli::TOPICS.iter().map(|topic| topic.name).collect::<Vec<_>>();
    let topic = match words {
        [word] => manual::topic(word),
        _ => None,
    };
    topic.or_else(|| cli::help_of(words)).ok_or_else(|| {
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

fn usage(message: &str) -> CliError {
    CliError::new(Exit::Usage, "usage", "", message)
}

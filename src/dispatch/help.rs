//! Answers `help`, and a command that there is not.

use crate::cli;
use crate::error::{CliError, visible};
use crate::exit::Exit;
use crate::manual;
use crate::policy::humanize;

/// What `help` prints of a command or a topic.
pub fn help(words: &[String]) -> Result<String, CliError> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let words = words.strip_prefix(&["metatoken".to_owned()][..]).unwrap_or(&words);
    manual::topic(&topic_name(words))
        .or_else(|| cli::help_of(words))
        .or_else(|| of_a_rehearsal(words))
        .ok_or_else(|| no_help(words))
}

/// The name of the topic that these words can mean: `exit codes` is `exit-codes`.
fn topic_name(words: &[String]) -> String {
    words.join("-").replace('_', "-")
}

/// The help of the command behind `sandbox`: people type what they type to rehearse it.
fn of_a_rehearsal(words: &[String]) -> Option<String> {
    words.strip_prefix(&["sandbox".to_owned()][..]).and_then(cli::help_of)
}

fn no_help(words: &[String]) -> CliError {
    let complaint = usage(&format!("no command or topic `{}`", visible(&words.join(" "))));
    let near = near_help(words);
    if !near.is_empty() {
        let commands: Vec<String> = near.iter().map(|it| format!("`metatoken {it}`")).collect();
        return complaint.hint(format!("try {}", commands.join(" or ")));
    }
    complaint
        .hint("run `metatoken help` for the commands")
        .hint(format!("the topics are {}", humanize::list(&topics())))
}

/// What was meant, as it is typed.
fn near_help(words: &[String]) -> Vec<String> {
    let [first, rest @ ..] = words else { return Vec::new() };
    let of_help = |words: &str| format!("help {words}");
    if topics().contains(&first.as_str()) && !rest.is_empty() {
        return vec![of_help(first)];
    }
    let beginning = cli::commands_of(first);
    if !beginning.is_empty() {
        return beginning.into_iter().map(of_help).collect();
    }
    if let Some(here) = cli::known_elsewhere(first) {
        let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
        let name: Vec<&str> = here.split(' ').take_while(is_name).collect();
        return vec![if name.is_empty() { here.to_owned() } else { of_help(&name.join(" ")) }];
    }
    nearest(first, commands().into_iter().chain(topics().into_iter().map(str::to_owned)))
        .map(|name| of_help(&name))
        .into_iter()
        .collect()
}

/// A word where a command is expected that is none; `before` is the word that was typed before it.
pub fn unknown_command(word: &str, before: &str) -> CliError {
    let shown = visible(word);
    let complaint = usage(&format!("unknown command `{shown}`"));
    if before == "--sandbox" {
        return complaint.hint(format!("to name the sandbox's folder, write `--sandbox={shown}`"));
    }
    let group = cli::commands_of(before);
    if !group.is_empty() {
        let names = group.iter().filter_map(|name| name.split(' ').nth(1)).map(str::to_owned);
        let near = nearest(word, names).map(|name| format!("{before} {name}"));
        let commands = near.unwrap_or_else(|| group.join("` or `metatoken "));
        return complaint.hint(format!("try `metatoken {commands}`"));
    }
    let topic = topics().into_iter().find(|topic| *topic == word);
    let here = cli::known_elsewhere(word)
        .map(str::to_owned)
        .or_else(|| topic.map(|topic| format!("help {topic}")))
        .or_else(|| nearest(word, commands().into_iter()));
    match here {
        Some(here) => complaint.hint(format!("try `metatoken {here}`")),
        None => complaint
            .hint("run `metatoken help` for the commands; a label comes after one: `metatoken status LABEL`"),
    }
}

/// Options of a command behind `help`, which shows all of them.
pub fn help_with_options(typed: &[&str]) -> CliError {
    let words: Vec<&str> = typed.iter().copied().filter(|word| !word.starts_with('-')).collect();
    usage("`help` takes the name of a command or a topic, without options")
        .hint(format!("try `metatoken {}`", words.join(" ")))
}

fn topics() -> Vec<&'static str> {
    cli::TOPICS.iter().map(|topic| topic.name).collect()
}

fn commands() -> Vec<String> {
    cli::command().get_subcommands().map(|it| it.get_name().to_owned()).collect()
}

/// The name that is nearly that word.
fn nearest(word: &str, names: impl Iterator<Item = String>) -> Option<String> {
    const NEAR: f64 = 0.8;
    let near = names.map(|name| (strsim::jaro_winkler(word, &name), name));
    let best = near.filter(|(likeness, _)| *likeness > NEAR).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, name)| name)
}

fn usage(message: &str) -> CliError {
    CliError::new(Exit::Usage, "usage", "", message)
}

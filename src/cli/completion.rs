//! Says what may stand where in a command line, for shells that complete it.

use std::ffi::OsStr;

use clap::Arg;
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};

use super::help::{TOPICS, command};

/// The names that the machine knows and the command line does not.
#[derive(Debug, Default, Clone)]
pub struct KnownNames {
    /// The labels of the config.
    pub labels: Vec<String>,
    /// The apps of the config.
    pub apps: Vec<String>,
    /// The scenarios of the sandbox.
    pub scenarios: Vec<String>,
    /// The events of the history.
    pub events: Vec<String>,
}

/// Commands whose own label is a new one.
const NAMING: [&str; 2] = ["add", "init"];

/// The command line, with these names where they belong.
pub fn completable(known: &KnownNames) -> clap::Command {
    offering(command(), known)
}

fn offering(command: clap::Command, known: &KnownNames) -> clap::Command {
    let is_naming = NAMING.contains(&command.get_name());
    let words: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    let command = command.mut_args(|arg| {
        if arg.get_long() == Some("env") {
            let labels = known.labels.clone();
            return arg.add(ArgValueCompleter::new(move |typed: &OsStr| assigned(typed, &labels)));
        }
        let is_new = is_naming && arg.get_id() == "label";
        let names = names_for(&arg, known).filter(|_| !is_new);
        match names {
            Some(names) => arg.add(ArgValueCandidates::new(move || {
                names.iter().map(CompletionCandidate::new).collect()
            })),
            None => arg,
        }
    });
    let help = words.iter().map(String::as_str).chain(TOPICS.iter().map(|topic| topic.name));
    let help: Vec<String> = help.map(str::to_owned).collect();
    command.mut_subcommands(|it| {
        let name = it.get_name().to_owned();
        let it = offering(it.hide(name == "doctor"), known);
        if name != "help" {
            return it;
        }
        let help = help.clone();
        it.mut_arg("words", |arg| {
            arg.add(ArgValueCandidates::new(move || {
                help.iter().map(CompletionCandidate::new).collect()
            }))
        })
    })
}

/// `NAME=LABEL` for each label that may follow what is typed; a variable's name is a person's choice.
fn assigned(typed: &OsStr, labels: &[String]) -> Vec<CompletionCandidate> {
    let typed = typed.to_str().and_then(|typed| typed.split_once('='));
    let Some((name, beginning)) = typed else { return Vec::new() };
    let labels = labels.iter().filter(|label| label.starts_with(beginning));
    labels.map(|label| CompletionCandidate::new(format!("{name}={label}"))).collect()
}

/// The names that may be the value of `arg`.
fn names_for(arg: &Arg, known: &KnownNames) -> Option<Vec<String>> {
    match (arg.get_id().as_str(), arg.get_value_names()?.first()?.as_str()) {
        ("scenario", _) => Some(known.scenarios.clone()),
        ("app", _) => Some(known.apps.clone()),
        ("event", _) => Some(known.events.clone()),
        (_, "LABEL") => Some(known.labels.clone()),
        _ => None,
    }
}

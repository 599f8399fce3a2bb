//! Reads what was typed, in the least time in which that can be done.
//!
//! What twenty-eight commands offer takes as long to build as a run with nothing due takes to be done. So
//! a command that programs and timers start all day is read alone, and what only help and complaints
//! need is built for them alone.

use std::ffi::OsString;

use clap::{Args as _, FromArgMatches as _, Parser as _};

use super::help::command;
use super::{
    CheckArguments, Cli, DeliverArguments, ExecArguments, Global, RefreshArguments, TokenArguments,
};

/// Reads what was typed.
pub fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    if let Some(typed) = parse_alone(arguments).or_else(|| Cli::try_parse_from(arguments).ok())
        && typed.global.format.is_none()
    {
        return Ok(typed);
    }
    // What is hidden from the list is found all the same, and each command has formats of its own.
    let mut matches = command().try_get_matches_from(arguments)?;
    Cli::from_arg_matches_mut(&mut matches)
}

/// Reads it with no command but the first that is named there; `None` where more is needed. What
/// fits a command line with one command means the same in one with more.
fn parse_alone(arguments: &[OsString]) -> Option<Cli> {
    let alone = arguments.iter().skip(1).find_map(|word| alone(word.to_str()?))?;
    let command = Global::augment_args(clap::Command::new("metatoken"))
        .disable_help_subcommand(true)
        .subcommand(alone);
    Cli::from_arg_matches_mut(&mut command.try_get_matches_from(arguments).ok()?).ok()
}

/// Adds what a command takes.
type Augment = fn(clap::Command) -> clap::Command;

/// The commands that are started all day, and what each takes.
const ALL_DAY: [(&str, Augment); 5] = [
    ("check", CheckArguments::augment_args),
    ("deliver", DeliverArguments::augment_args),
    ("exec", ExecArguments::augment_args),
    ("refresh", RefreshArguments::augment_args),
    ("token", TokenArguments::augment_args),
];

/// One of those, without its help.
fn alone(word: &str) -> Option<clap::Command> {
    let (name, augment) = ALL_DAY.into_iter().find(|(name, _)| *name == word)?;
    Some(augment(clap::Command::new(name)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_command_alone_takes_what_it_takes_among_all() {
        for (name, _) in ALL_DAY {
            let mut all = Cli::command();
            let among_all = all.find_subcommand_mut(name).unwrap().clone();
            let alone = alone(name).unwrap();
            let taken = |command: &clap::Command| {
                let mut arguments: Vec<String> =
                    command.get_arguments().map(|it| format!("{it:?}")).collect();
                arguments.sort();
                let groups: Vec<String> =
                    command.get_groups().map(|it| format!("{it:?}")).collect();
                (arguments, groups)
            };
            assert_eq!(taken(&alone), taken(&among_all), "{name}");
        }
    }

    #[test]
    fn what_is_read_alone_is_what_is_read_among_all() {
        for line in [
            "metatoken check",
            "metatoken --config check check",
            "metatoken --sandbox check --json -v brand",
            "metatoken token brand --generation 2 -q",
            "metatoken exec brand -- check token",
            "metatoken --now +3d refresh --quiet --scheduled",
            "metatoken deliver --test",
        ] {
            let alone = parse_alone(&words(line)).unwrap_or_else(|| panic!("{line}"));
            let among_all = Cli::try_parse_from(words(line)).unwrap();
            assert_eq!(format!("{alone:?}"), format!("{among_all:?}"), "{line}");
        }
    }

    #[test]
    fn what_needs_more_than_one_command_is_not_read_alone() {
        for line in [
            "metatoken status check",
            "metatoken --json status token",
            "metatoken -c check token brand",
            "metatoken help check",
            "metatoken check --help",
            "metatoken check --no-such",
            "metatoken --version check",
            "metatoken -V check",
        ] {
            assert!(parse_alone(&words(line)).is_none(), "{line}");
        }
    }
}

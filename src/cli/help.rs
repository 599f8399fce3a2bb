//! Lays out the help: commands in groups, the formats that each has, topics, and the names that
//! commands have in other tools.

use std::fmt::Write as _;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Arg, CommandFactory as _, ValueEnum as _};

use super::{Cli, TypedFormat};

/// The commands as `help` lists them.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("Getting started", &["init", "add", "import", "login", "config check", "config show"]),
    ("Every day", &["status", "refresh", "deliver", "check", "history", "report"]),
    ("Using tokens", &["token", "exec", "pages"]),
    ("Changing tokens", &["exchange", "rollback", "promote", "mint", "revoke", "forget"]),
    (
        "Housekeeping",
        &["key rotate", "key export", "store backup", "notify", "completions", "man", "help"],
    ),
];

/// A longer text that `help` prints.
#[derive(Debug)]
pub struct HelpTopic {
    pub name: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    /// Markdown.
    pub text: &'static str,
}

/// What `help TOPIC` prints.
pub const TOPICS: &[HelpTopic] = &[
    HelpTopic {
        name: "config",
        about: "Every table and key of the config, and where secrets may be",
        text: include_str!("../help/config.md"),
    },
    HelpTopic {
        name: "delivery",
        about: "Files and programs that get the tokens, and what is never overwritten",
        text: include_str!("../help/delivery.md"),
    },
    HelpTopic {
        name: "exit-codes",
        about: "What each exit code means",
        text: include_str!("../help/exit-codes.md"),
    },
    HelpTopic {
        name: "json",
        about: "The fields of JSON, and every reason code",
        text: include_str!("../help/json.md"),
    },
    HelpTopic {
        name: "logs",
        about: "The log on standard error, and its fields",
        text: include_str!("../help/logs.md"),
    },
    HelpTopic {
        name: "sandbox",
        about: "Try everything without a Meta account",
        text: include_str!("../help/sandbox.md"),
    },
    HelpTopic {
        name: "monitoring",
        about: "Nagios, Prometheus, CI, and notifications",
        text: include_str!("../help/monitoring.md"),
    },
    HelpTopic {
        name: "meta",
        about: "Which tokens Meta has, and how each is kept alive",
        text: include_str!("../help/meta.md"),
    },
    HelpTopic {
        name: "upgrade",
        about: "Replace the binary by a newer one, and go back",
        text: include_str!("../help/upgrade.md"),
    },
    HelpTopic {
        name: "move",
        about: "Take the tokens to another machine",
        text: include_str!("../help/move.md"),
    },
    HelpTopic {
        name: "restore",
        about: "Back up the store and its key, and put them back",
        text: include_str!("../help/restore.md"),
    },
    HelpTopic {
        name: "uninstall",
        about: "Stop and remove metatoken, and what is left behind",
        text: include_str!("../help/uninstall.md"),
    },
];

/// What people type who know other tools, and what it is here.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["renew", "update", "extend", "run", "cron", "sync"], "refresh"),
    (&["list", "ls", "show", "info", "certificates", "tokens"], "status"),
    (&["set", "paste", "replace", "put"], "exchange LABEL"),
    (&["add-token", "new", "create", "register"], "add LABEL --type TYPE"),
    (&["debug", "inspect", "debug-token", "debug_token"], "status --token-file FILE"),
    (&["get", "print", "cat", "read"], "token LABEL"),
    (&["validate", "lint", "configtest", "verify-config"], "config check"),
    (&["monitor", "health", "nagios", "verify"], "check"),
    (&["log", "logs", "audit", "events"], "history"),
    (&["backup", "dump", "export"], "store backup FILE"),
    (&["dashboard", "html", "page", "web"], "report --html FILE"),
    (&["deploy", "push", "install", "write"], "deliver"),
    (&["completion", "autocomplete"], "completions SHELL"),
    (&["migrate", "load", "take-over", "takeover"], "import FILE"),
    (&["version"], "--version"),
];

/// How wide help is at most; examples and the list of commands are written for it.
const WIDEST: usize = 80;

/// The command line as it can be typed.
pub fn command() -> clap::Command {
    let mut command = Cli::command();
    let names: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    for name in names {
        let formats = formats(&name);
        command = command.mut_subcommand(&name, |it| with_formats(it, formats));
    }
    command
        .max_term_width(WIDEST)
        .override_usage("metatoken [OPTIONS] COMMAND")
        .help_template(
            "{about-with-newline}\n{usage-heading} {usage}\n{before-help}{all-args}{after-help}",
        )
        .before_help(groups(&Cli::command()))
        .after_help(
            "\
Help:
  metatoken help COMMAND       the help of a command, with examples
  metatoken help TOPIC         config, delivery, exit-codes, json, logs,
                               sandbox, monitoring, meta, upgrade, move,
                               restore, uninstall
  metatoken --sandbox refresh  try it without a Meta account",
        )
        .mut_subcommands(|it| it.hide(true))
}

/// The formats that a command has, its usual one first.
pub fn formats(command: &str) -> &'static [TypedFormat] {
    match command {
        "history" => &[TypedFormat::Table, TypedFormat::Json, TypedFormat::Csv],
        "check" => {
            use TypedFormat::{Github, Http, Json, Nagios, Prometheus};
            &[Nagios, Json, Prometheus, Github, Http]
        }
        "token" | "exec" | "key export" | "help" | "completions" | "man" | "report" => {
            &[TypedFormat::Table]
        }
        _ => &[TypedFormat::Table, TypedFormat::Json],
    }
}

/// The same command, that offers these formats and no other.
fn with_formats(command: clap::Command, formats: &'static [TypedFormat]) -> clap::Command {
    let only_one = formats.len() == 1;
    let words: Vec<&'static str> = formats.iter().map(|it| it.word()).collect();
    let (usual, offered) = (words[0], words.join(", "));
    let parser = PossibleValuesParser::new(words)
        .map(|word| TypedFormat::from_str(&word, false).unwrap_or(TypedFormat::Table));
    let format = Arg::new("format")
        .long("format")
        .global(true)
        .value_name("FORMAT")
        .value_parser(parser)
        .hide_possible_values(true)
        .hide(only_one)
        .help_heading("Global options")
        .display_order(1)
        .help(format!("Print the report as {offered} [default: {usual}]"));
    command.arg(format)
}

impl TypedFormat {
    /// Its name, as typed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Nagios => "nagios",
            Self::Prometheus => "prometheus",
            Self::Github => "github",
            Self::Http => "http",
        }
    }
}

/// The list of commands, by groups.
fn groups(command: &clap::Command) -> String {
    let all = GROUPS.iter().flat_map(|(_, names)| names.iter());
    let width = all.map(|name| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (heading, names) in GROUPS {
        let _ = writeln!(text, "\n{heading}:");
        for name in *names {
            let about = find(command, name)
                .and_then(|it| it.get_about().map(ToString::to_string))
                .unwrap_or_default();
            let _ = writeln!(text, "  {name:width$}  {about}");
        }
    }
    text
}

/// The command of this name, such as `config check`.
pub fn find<'a>(command: &'a clap::Command, name: &str) -> Option<&'a clap::Command> {
    name.split(' ').try_fold(command, |command, word| command.find_subcommand(word))
}

/// What `help` prints of a command, whatever follows its name; `None` for an unknown command.
pub fn help_of(words: &[String]) -> Option<String> {
    let mut command = command();
    command.build();
    let mut found = &mut command;
    for word in words {
        // A label, or another argument.
        if !found.has_subcommands() {
            break;
        }
        found = found.find_subcommand_mut(word)?;
    }
    Some(found.render_help().to_string())
}

/// The commands that begin with this word, such as `key rotate` and `key export`.
pub fn commands_of(word: &str) -> Vec<&'static str> {
    let names = GROUPS.iter().flat_map(|(_, names)| names.iter().copied());
    names.filter(|name| name.split(' ').next() == Some(word)).collect()
}

/// What a command that other tools have is called here.
pub fn known_elsewhere(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    ELSEWHERE.iter().find(|(names, _)| names.contains(&word.as_str())).map(|(_, here)| *here)
}

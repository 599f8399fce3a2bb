//! Makes the manual: what `help` prints, as pages for `man`.
//!
//! One text serves both. A command's page comes from the doc comments of the command line, a topic's
//! from its Markdown, and the keys of the config from what its readers ask for.

mod roff;

use std::fmt::Write as _;

use clap::{Arg, Command};

use self::roff::Roff;
use crate::{cli, config};

/// The page of the config has the name of its file.
const CONFIG_PAGE: &str = "metatoken.toml";

/// A page of the manual.
#[derive(Debug)]
pub struct ManPage {
    /// The name of its file: `metatoken-refresh.1`.
    pub file: String,
    /// Its text, in roff.
    pub text: String,
}

/// A topic's text as `help` prints it: Markdown.
pub fn topic(name: &str) -> Option<String> {
    let topic = cli::TOPICS.iter().find(|topic| topic.name == name)?;
    let keys = if name == "config" { keys() } else { String::new() };
    Some(format!("{}{keys}", topic.text))
}

/// Every page, with this date.
pub fn pages(date: &str) -> Vec<ManPage> {
    let mut command = cli::command();
    command.build();
    let mut pages = vec![main_page(&command, date)];
    for name in cli::GROUPS.iter().flat_map(|(_, names)| *names) {
        if let Some(found) = cli::find(&command, name) {
            pages.push(command_page(found, name, date));
        }
    }
    pages.extend(cli::TOPICS.iter().map(|topic| topic_page(topic, date)));
    pages
}

fn main_page(command: &Command, date: &str) -> ManPage {
    let about = text_of(command.get_about());
    let (short, _) = about.split_once(':').unwrap_or((&about, ""));
    let mut roff = Roff::new("METATOKEN", 1, date);
    roff.name("metatoken", &sentence_case(short));
    roff.section("synopsis");
    roff.paragraph("`metatoken` [OPTIONS] COMMAND");
    roff.section("description");
    roff.paragraph(&format!("{about}."));
    roff.section("commands");
    for (heading, names) in cli::GROUPS {
        roff.part(heading);
        for name in *names {
            let about = cli::find(command, name).map(|it| text_of(it.get_about()));
            roff.term(&format!("`{}`(1)", page_name(name)), &about.unwrap_or_default());
        }
    }
    roff.section("global options");
    options(&mut roff, command.get_opts().filter(|arg| arg.is_global_set()));
    roff.section("environment");
    for (name, meaning) in ENVIRONMENT {
        roff.term(&format!("`{name}`"), meaning);
    }
    roff.section("files");
    for (path, meaning) in FILES {
        roff.term(&format!("`{path}`"), meaning);
    }
    roff.section("exit status");
    roff.paragraph("See `metatoken-exit-codes`(7).");
    roff.section("see also");
    let topics = cli::TOPICS.iter().map(|topic| reference(topic.name));
    roff.paragraph(&topics.collect::<Vec<_>>().join(", "));
    ManPage { file: "metatoken.1".to_owned(), text: roff.finish() }
}

fn command_page(command: &Command, words: &str, date: &str) -> ManPage {
    let name = page_name(words);
    let about = text_of(command.get_about());
    let mut roff = Roff::new(&name.to_uppercase(), 1, date);
    roff.name(&name, &sentence_case(about.split(';').next().unwrap_or_default()));
    roff.section("synopsis");
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let (program, rest) = usage.split_at(usage.find(" [").unwrap_or(usage.len()));
    roff.paragraph(&format!("`{program}`{rest}"));
    roff.section("description");
    roff.paragraph(&format!("{about}."));
    let own = || command.get_arguments().filter(|arg| !arg.is_global_set() && !is_of_clap(arg));
    if own().next().is_some() {
        roff.section("options");
        options(&mut roff, own());
    }
    if let Some(format) = command.get_opts().find(|arg| is_offered_format(arg)) {
        roff.section("formats");
        options(&mut roff, std::iter::once(format));
    }
    let examples = text_of(command.get_after_help());
    let examples: Vec<&str> =
        examples.lines().skip(1).map(|line| line.trim_start_matches("  ")).collect();
    if !examples.is_empty() {
        roff.section("examples");
        roff.example(&examples);
    }
    roff.section("see also");
    roff.paragraph("`metatoken`(1) for the options of every command, `metatoken.toml`(5), `metatoken-exit-codes`(7)");
    ManPage { file: format!("{name}.1"), text: roff.finish() }
}

fn topic_page(topic: &cli::HelpTopic, date: &str) -> ManPage {
    let (name, section) = page_of(topic.name);
    let mut roff = Roff::new(&name.to_uppercase(), section, date);
    roff.name(&name, &sentence_case(topic.about));
    roff.section("description");
    roff.markdown(&self::topic(topic.name).unwrap_or_default());
    roff.section("see also");
    roff.paragraph("`metatoken`(1)");
    ManPage { file: format!("{name}.{section}"), text: roff.finish() }
}

fn options<'a>(roff: &mut Roff, arguments: impl Iterator<Item = &'a Arg>) {
    for arg in arguments.filter(|arg| !is_of_clap(arg)) {
        let help = text_of(arg.get_help()).replace('\n', " ");
        let defaults: Vec<_> =
            arg.get_default_values().iter().map(|it| it.to_string_lossy()).collect();
        let meaning = if defaults.is_empty() || !takes_value(arg) {
            help
        } else {
            format!("{help} [default: {}]", defaults.join(", "))
        };
        roff.term(&heading(arg), &meaning);
    }
}

/// An option as it is typed.
fn heading(arg: &Arg) -> String {
    let short = arg.get_short().map(|short| format!("`-{short}`"));
    let long = arg.get_long().map(|long| format!("`--{long}`"));
    let values = arg.get_value_names().filter(|_| takes_value(arg)).unwrap_or_default().join(" ");
    let names: Vec<String> = short.into_iter().chain(long).collect();
    match (names.is_empty(), values.is_empty()) {
        (true, _) => format!("`{values}`"),
        (false, true) => names.join(", "),
        (false, false) if arg.is_require_equals_set() => format!("{}[={values}]", names.join(", ")),
        (false, false) => format!("{} {values}", names.join(", ")),
    }
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|number| number.takes_values())
}

/// Every key of the config, by tables.
fn keys() -> String {
    let mut text = "\n## Keys\n".to_owned();
    for table in config::schema().tables() {
        let place = table.place.strip_prefix("in ").unwrap_or(&table.place);
        let _ = writeln!(text, "\n{place}\n\n| key | value | what it is for |\n|---|---|---|");
        for key in &table.keys {
            let _ = writeln!(text, "| `{}` | {} | {} |", key.name, key.kind, key.sentence);
        }
    }
    text
}

fn is_of_clap(arg: &Arg) -> bool {
    arg.get_id() == "help" || arg.get_id() == "version"
}

fn is_offered_format(arg: &Arg) -> bool {
    arg.get_id() == "format" && !arg.is_hide_set()
}

fn page_name(words: &str) -> String {
    format!("metatoken-{}", words.replace(' ', "-"))
}

/// The page of a topic, and the section of the manual in which it is.
fn page_of(topic: &str) -> (String, u8) {
    if topic == "config" { (CONFIG_PAGE.to_owned(), 5) } else { (page_name(topic), 7) }
}

fn reference(topic: &str) -> String {
    let (name, section) = page_of(topic);
    format!("`{name}`({section})")
}

fn text_of(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// A sentence as the NAME of a page has it: it begins small.
fn sentence_case(text: &str) -> String {
    let mut rest = text.chars();
    let second = text.chars().nth(1);
    match rest.next() {
        // A name stays as it is.
        Some(first)
            if second.is_some_and(|c| c.is_ascii_lowercase()) && !text.starts_with("Nagios") =>
        {
            first.to_lowercase().chain(rest).collect()
        }
        _ => text.to_owned(),
    }
}

/// The variables that are read.
const ENVIRONMENT: [(&str, &str); 6] = [
    ("METATOKEN_CONFIG", "The config, unless `--config` names one"),
    ("XDG_CONFIG_HOME, XDG_STATE_HOME", "Where a user's config and store are"),
    (
        "CREDENTIALS_DIRECTORY",
        "Where systemd puts what the config names as `{ credential = NAME }`",
    ),
    ("HTTPS_PROXY, NO_PROXY", "The proxy for every host that is not this machine"),
    ("NO_COLOR", "No color, unless `--color` says otherwise"),
    ("variables that the config names", "Secrets, as `{ env = NAME }`"),
];

/// The files that it has.
const FILES: [(&str, &str); 3] = [
    (
        "/etc/metatoken/metatoken.toml, ~/.config/metatoken/metatoken.toml",
        "The config of the machine and of a user; see `metatoken.toml`(5)",
    ),
    (
        "/var/lib/metatoken/metatoken.db, ~/.local/state/metatoken/metatoken.db",
        "The store that belongs to it, with `metatoken.key` beside it; beside any other config",
    ),
    (
        "tokens.d/*.toml",
        "Beside the config and beside the store: more tokens, one or several a file",
    ),
];

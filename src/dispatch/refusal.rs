//! Says what is wrong where nothing can be done, and gives the code for it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::help::{help_with_options, unknown_command};
use super::serve::answer_error;
use crate::cli::{self, Cli, Command};
use crate::clock::Clock;
use crate::commands;
use crate::config;
use crate::environment::Environment;
use crate::error::{CliError, visible};
use crate::exit::{Exit, Verdict};
use crate::policy::humanize;
use crate::status::Attempted;
use crate::token::secret_typed;
use crate::ui::{self, Colour, LogFormat, OutputFormat, Ui, Verbosity};

/// What was typed is wrong.
pub fn usage(message: &str) -> CliError {
    CliError::new(Exit::Usage, "usage", "", message)
}

/// The program is wrong.
pub fn bug() -> CliError {
    CliError::new(Exit::Bug, "bug", "", "this is a bug in metatoken")
        .hint("nothing that Meta granted is lost: what was sealed is examined by the next run")
        .hint("please report the line above, and what you typed")
}

/// A way to the person before it is known what was typed: by the words, for what they look like.
pub fn plain_ui(arguments: &[OsString], environment: &Environment, clock: Clock) -> Ui {
    let is = |value| is_given(arguments, "--format", value);
    let format = if is("http") && is_check(arguments) {
        OutputFormat::Http
    } else if is_typed(arguments, "--json") || is("json") {
        OutputFormat::Json
    } else if is("prometheus") {
        OutputFormat::Prometheus
    } else {
        OutputFormat::Table
    };
    let json_log = is_given(arguments, "--log-format", "json");
    let log = if json_log { LogFormat::Json } else { LogFormat::Text };
    Ui::new(Verbosity::Normal, format, Colour::Auto, environment, clock).logging(log)
}

fn is_typed(arguments: &[OsString], word: &str) -> bool {
    arguments.iter().any(|argument| argument == word)
}

/// Whether an option was given that value.
fn is_given(arguments: &[OsString], option: &str, value: &str) -> bool {
    is_typed(arguments, &format!("{option}={value}"))
        || arguments.windows(2).any(|words| words[0] == option && words[1] == value)
}

/// Prints the complaint and gives its code, which for `check` and `status --exit-code` is a monitoring
/// system's.
pub fn give_up(typed: &Cli, ui: Ui, complaint: &CliError) -> u8 {
    if matches!(typed.command, Command::Check(_)) {
        let verdict = commands::verdict_of(complaint);
        if ui.format == OutputFormat::Http {
            return answer_error(ui, complaint, verdict);
        }
        // What is written into a metrics file must be metrics.
        if !matches!(ui.format, OutputFormat::Json | OutputFormat::Prometheus) {
            let line = commands::nagios_complaint(complaint, verdict);
            let _ = ui.data(&ui.style().wrapped(&line, 2));
        }
        ui.complain(complaint, verdict.code());
        return verdict.code();
    }
    // Another run at work is not news for a timer while there is time: the next one finds out what it
    // did.
    let code = match &typed.command {
        Command::Status(given) if given.exit_code => commands::verdict_of(complaint).code(),
        _ => complaint.exit.code(),
    };
    if complaint.is_urgent || ui.verbosity > Verbosity::Quiet {
        ui.complain(complaint, code);
    }
    code
}

/// What clap could not read, with what was typed in it as a terminal may show it.
pub fn shown(mut error: clap::Error) -> clap::Error {
    let typed = |(kind, value): (ContextKind, &ContextValue)| match value {
        ContextValue::String(text) => Some((kind, ContextValue::String(visible(text)))),
        _ => None,
    };
    let typed: Vec<_> = error.context().filter_map(typed).collect();
    for (kind, value) in typed {
        error.insert(kind, value);
    }
    error
}

/// What clap could not read: help and version are answers, anything else is a usage error.
pub fn misread(error: &clap::Error, arguments: &[OsString], ui: Ui) -> u8 {
    let Some(complaint) = misread_complaint(error, arguments) else {
        ui::usage(error);
        return Exit::Ok.code();
    };
    if ui.format == OutputFormat::Http {
        return answer_error(ui, &complaint, Verdict::Unknown);
    }
    let code = usage_code(arguments);
    if let (ErrorKind::UnknownArgument, Some(asked)) = (error.kind(), help_typed(arguments)) {
        ui.complain(&help_with_options(&asked), code);
        return code;
    }
    if let (ErrorKind::UnknownArgument, Some(program)) =
        (error.kind(), program_typed(error, arguments))
    {
        ui.complain(&without_dashes(&program), code);
        return code;
    }
    let is_ours = error.kind() == ErrorKind::InvalidSubcommand;
    if ui.format == OutputFormat::Json || is_ours {
        ui.complain(&complaint, code);
    } else if wants_a_dry_run(error) {
        tell_monitoring(&complaint, arguments, ui);
        ui.complain(&complaint, code);
    } else {
        tell_monitoring(&complaint, arguments, ui);
        ui.misread(error, &complaint, code);
    }
    code
}

/// Whether a dry run was asked for, of a command that has none.
fn wants_a_dry_run(error: &clap::Error) -> bool {
    let unknown = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) if error.kind() == ErrorKind::UnknownArgument => word,
        _ => return false,
    };
    matches!(unknown.as_str(), "-n" | "--dry-run")
}

/// Says which commands have a dry run.
fn without_a_dry_run(arguments: &[OsString]) -> CliError {
    let cli = cli::command();
    let has_one = |name: &&&str| {
        let found = cli::find(&cli, name);
        found.is_some_and(|it| it.get_arguments().any(|arg| arg.get_id() == "dry_run"))
    };
    let names = cli::GROUPS.iter().flat_map(|(_, names)| names.iter());
    let names: Vec<&&str> = names.filter(has_one).collect();
    let typed = command_typed(arguments).unwrap_or_else(|| "metatoken".to_owned());
    usage(&format!("`{typed}` has no dry run"))
        .hint(format!("`--dry-run` is an option of {}", humanize::list(&names)))
}

/// What was typed must not even be read.
pub fn unusable(complaint: &CliError, arguments: &[OsString], ui: Ui) -> u8 {
    if ui.format == OutputFormat::Http {
        return answer_error(ui, complaint, Verdict::Unknown);
    }
    let code = usage_code(arguments);
    if ui.format != OutputFormat::Json {
        tell_monitoring(complaint, arguments, ui);
    }
    ui.complain(complaint, code);
    code
}

/// The code of a usage error, which for `check` is a monitoring system's.
fn usage_code(arguments: &[OsString]) -> u8 {
    if is_check(arguments) { Verdict::Unknown.code() } else { Exit::Usage.code() }
}

/// The line that a monitoring system reads, where it is one that runs us.
fn tell_monitoring(complaint: &CliError, arguments: &[OsString], ui: Ui) {
    // What is written into a metrics file must be metrics.
    if is_check(arguments) && ui.format != OutputFormat::Prometheus {
        let line = commands::nagios_complaint(complaint, Verdict::Unknown);
        let _ = ui.data(&ui.style().wrapped(&line, 2));
    }
}

fn is_check(arguments: &[OsString]) -> bool {
    command_typed(arguments).is_some_and(|command| command == "check")
}

/// What is wrong, on one line: clap lists the arguments concerned below its first.
fn first_paragraph(text: &str) -> String {
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let joined = lines.collect::<Vec<_>>().join(" ");
    joined.strip_prefix("error: ").unwrap_or(&joined).to_owned()
}

/// Marks a scheduled run whose command line cannot be used, as far as its config can be found.
pub fn note_unusable(
    complaint: &CliError,
    arguments: &[OsString],
    environment: &Environment,
    ui: Ui,
) {
    if !is_scheduled_line(arguments, ui) {
        return;
    }
    let given = config_typed(arguments);
    // What may not be repeated is written nowhere either.
    if given.as_ref().is_some_and(|given| secret_typed(&given.to_string_lossy()).is_some()) {
        return;
    }
    let Ok(path) = config::find(given.as_deref(), environment) else { return };
    let path = std::path::absolute(&path).unwrap_or(path);
    let default_store = config::default_store(&path, environment);
    let store = config::load(&path, environment)
        .map_or_else(|_| default_store.clone(), |config| config.store.path);
    let default_store = Some(default_store);
    Attempted { config: Some(path), store: Some(store), default_store }.note(complaint, ui.now());
}

/// Whether a timer or cron has started what was typed, by its words.
pub fn is_scheduled_line(arguments: &[OsString], ui: Ui) -> bool {
    let rehearses = arguments.iter().any(|it| it.to_string_lossy().starts_with("--sandbox"))
        || is_typed(arguments, "--dry-run")
        || is_typed(arguments, "-n");
    !rehearses
        && (is_typed(arguments, "--scheduled") || ui.stderr_is_the_journal())
        && command_typed(arguments).is_some_and(|it| it == "refresh" || it == "deliver")
}

/// The complaint about a command line that clap could not read; `None` where it asked for help.
pub fn misread_complaint(error: &clap::Error, arguments: &[OsString]) -> Option<CliError> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => None,
        ErrorKind::InvalidSubcommand => Some(match error.get(ContextKind::InvalidSubcommand) {
            Some(ContextValue::String(word)) => unknown_command(word, before(word, arguments)),
            _ => usage(&first_paragraph(&error.to_string())),
        }),
        _ if wants_a_dry_run(error) => Some(without_a_dry_run(arguments)),
        _ => Some(usage(&first_paragraph(&error.to_string()))),
    }
}

/// What was typed before that word.
fn before<'a>(word: &str, arguments: &'a [OsString]) -> &'a str {
    let at = arguments.iter().position(|it| it == word);
    let before = at.and_then(|at| arguments.get(at.checked_sub(1)?)?.to_str());
    before.unwrap_or_default()
}

/// The config that was typed: behind its option, or in one word with it.
pub fn config_typed(arguments: &[OsString]) -> Option<PathBuf> {
    let next = |at: usize| arguments.get(at + 1).map(PathBuf::from);
    arguments.iter().enumerate().find_map(|(at, word)| {
        let word = word.to_str()?;
        if let Some(long) = word.strip_prefix("--config") {
            return if long.is_empty() {
                next(at)
            } else {
                long.strip_prefix('=').map(PathBuf::from)
            };
        }
        let short =
            word.strip_prefix('-')?.trim_start_matches(['q', 'v', 'n']).strip_prefix('c')?;
        let glued = short.strip_prefix('=').unwrap_or(short);
        if glued.is_empty() { next(at) } else { Some(PathBuf::from(glued)) }
    })
}

/// `help` and what was typed behind it.
fn help_typed(arguments: &[OsString]) -> Option<Vec<&str>> {
    command_typed(arguments).filter(|command| command == "help")?;
    Some(arguments.iter().filter_map(|it| it.to_str()).skip_while(|it| *it != "help").collect())
}

/// The program of an `exec` in front of which `--` is missing.
fn program_typed(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    command_typed(arguments).filter(|command| command == "exec")?;
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    (!word.starts_with('-')).then(|| word.clone())
}

fn without_dashes(program: &str) -> CliError {
    usage(&format!("`--` is missing before `{program}`"))
        .hint(format!("write `--` before the program: `metatoken exec LABEL -- {program}`"))
}

/// The first word that is a command's name; what stands before it are options and their values.
fn command_typed(arguments: &[OsString]) -> Option<String> {
    let cli = cli::command();
    let is_command = |word: &&str| cli.find_subcommand(word).is_some();
    arguments.iter().skip(1).filter_map(|word| word.to_str()).find(is_command).map(str::to_owned)
}

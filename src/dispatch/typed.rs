//! Reads single words that were typed.

use std::time::Duration;

use chrono::TimeDelta;

use super::refusal::usage;
use crate::cli::{self, Cli, TypedColour, TypedFormat, TypedLogFormat};
use crate::clock::Clock;
use crate::commands::IdentityChange;
use crate::config;
use crate::error::{CliError, visible};
use crate::policy::{Losses, humanize};
use crate::run::DryRun;
use crate::sandbox::{NowArg, Scenario};
use crate::session::Session;
use crate::token::{EventKind, Label, Time, Trigger};
use crate::ui::{Colour, LogFormat, OutputFormat, Verbosity};

/// Whether a new access token may be worth less than the current one.
pub fn losses(accepted: bool) -> Losses {
    if accepted { Losses::Accepted } else { Losses::Refused }
}

/// Whether a new access token may belong to another person.
pub fn identity_change(accepted: bool) -> IdentityChange {
    if accepted { IdentityChange::Accepted } else { IdentityChange::Refused }
}

/// The format that is printed; one that the command has not is a usage error.
pub fn format(typed: &Cli) -> Result<OutputFormat, CliError> {
    let command = typed.command.name();
    let can = cli::formats(command);
    let asked = if typed.global.json { Some(TypedFormat::Json) } else { typed.global.format };
    match asked {
        None => Ok(output(can[0])),
        Some(format) if can.contains(&format) => Ok(output(format)),
        Some(_) => {
            let names: Vec<&str> = can.iter().map(|format| format.word()).collect();
            Err(usage(&format!("`{command}` cannot be printed in that format"))
                .hint(format!("its formats: {}", humanize::list(&names))))
        }
    }
}

const fn output(format: TypedFormat) -> OutputFormat {
    match format {
        TypedFormat::Table => OutputFormat::Table,
        TypedFormat::Json => OutputFormat::Json,
        TypedFormat::Csv => OutputFormat::Csv,
        TypedFormat::Nagios => OutputFormat::Nagios,
        TypedFormat::Prometheus => OutputFormat::Prometheus,
        TypedFormat::Github => OutputFormat::Github,
        TypedFormat::Http => OutputFormat::Http,
    }
}

/// How much is to be said.
pub fn verbosity(typed: &Cli) -> Verbosity {
    match (typed.global.quiet, typed.global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, 1) => Verbosity::Verbose,
        (false, _) => Verbosity::Debug,
    }
}

/// The form of the log.
pub const fn log_format(typed: &Cli) -> LogFormat {
    match typed.global.log_format {
        TypedLogFormat::Text => LogFormat::Text,
        TypedLogFormat::Json => LogFormat::Json,
    }
}

/// When to colour.
pub fn colour(typed: &Cli) -> Colour {
    match typed.global.color {
        TypedColour::Auto => Colour::Auto,
        TypedColour::Always => Colour::Always,
        TypedColour::Never => Colour::Never,
    }
}

/// Whether the run is meant.
pub fn dry_run(dry_run: bool) -> DryRun {
    if dry_run { DryRun::Yes } else { DryRun::No }
}

/// A timer's run is one whose standard error is the journal, or that says so.
pub fn trigger(session: &Session, said: bool) -> Trigger {
    if said || session.ui.stderr_is_the_journal() { Trigger::Scheduled } else { Trigger::Manual }
}

/// What the simulated Graph is to be like.
pub fn scenario(name: &str) -> Result<Scenario, CliError> {
    Scenario::from_name(name).ok_or_else(|| {
        let complaint = usage(&format!("unknown scenario `{}`", visible(name)));
        let all = Scenario::ALL.iter().map(|scenario| scenario.as_str());
        let complaint = match config::nearest(name, all) {
            Some(near) => complaint.hint(format!("did you mean `{near}`?")),
            None => complaint,
        };
        complaint.hint(format!("the scenarios are {}", humanize::list(&Scenario::ALL)))
    })
}

/// A span as the config spells it.
pub fn span(text: &str) -> Result<TimeDelta, CliError> {
    config::parse_duration(text).map_err(|_| {
        usage(&format!("invalid duration `{}`", visible(text)))
            .hint("write `90s`, `15m`, `6h`, `7d` or `2w`")
    })
}

/// The same, for what waits.
pub fn duration(text: &str) -> Result<Duration, CliError> {
    let span = span(text)?;
    span.to_std().map_err(|_| usage(&format!("invalid duration `{}`", visible(text))))
}

/// `+45d` from where every rehearsal begins, or an instant.
pub fn instant(text: &str) -> Result<NowArg, CliError> {
    NowArg::parse(text).map_err(|error| usage(&error.to_string()))
}

/// `30d` ago, or an instant.
pub fn since(text: &str, clock: &Clock) -> Result<Time, CliError> {
    if let Ok(span) = config::parse_duration(text) {
        return Ok(clock.now() - span);
    }
    match NowArg::parse(text) {
        Ok(NowArg::At(time)) => Ok(time),
        Ok(NowArg::Plus(_)) | Err(_) => {
            Err(usage(&format!("`{}` is not a valid time", visible(text)))
                .hint("write `30d` or `2026-01-01`"))
        }
    }
}

/// A kind of event by its name in JSON; the table has it with spaces.
pub fn event(name: &str) -> Result<EventKind, CliError> {
    let plain = name.replace([' ', '-'], "_");
    EventKind::from_name(&plain).ok_or_else(|| {
        let complaint = usage(&format!("unknown event `{}`", visible(name)));
        let all = EventKind::ALL.iter().map(|event| event.as_str());
        let complaint = match config::nearest(&plain, all) {
            Some(near) => complaint.hint(format!("did you mean `{near}`?")),
            None => complaint,
        };
        complaint.hint(format!("the events are {}", humanize::list(EventKind::ALL)))
    })
}

/// The one label that a command works on.
pub fn label(labels: &[String]) -> Result<Label, CliError> {
    match labels {
        [one] => Label::parse(one).map_err(|error| usage(&error.to_string())),
        _ => Err(usage("exactly one label is needed here")),
    }
}

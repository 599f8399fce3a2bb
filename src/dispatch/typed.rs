//! From the words that were typed to what they mean.

use std::time::Duration;

use super::refusal::usage;
use crate::cli::{self, Cli, Command, TypedColour, TypedFormat, TypedLogFormat, TypedPerfdata};
use crate::clock::Clock;
use crate::commands::{CheckOrder, SendNotifications, StatusOrder, Which};
use crate::complaint::Complaint;
use crate::config;
use crate::policy::words;
use crate::report::{Perfdata, Scope};
use crate::run::DryRun;
use crate::sandbox::{NowArg, Scenario};
use crate::session::Session;
use crate::status::AskGraph;
use crate::token::{Label, Pattern, Time, Trigger};
use crate::ui::{Colour, Format, LogFormat, Verbosity};

/// What `status` was asked for.
pub(super) fn status_order(given: &cli::Status) -> StatusOrder {
    StatusOrder {
        patterns: given.labels.iter().map(Pattern::new).collect(),
        ask: match (given.live, given.offline) {
            (true, _) => AskGraph::Always,
            (false, true) => AskGraph::Never,
            (false, false) => AskGraph::WhenStale,
        },
        which: match (given.due, given.problems) {
            (false, false) => Which::All,
            (true, false) => Which::Due,
            (false, true) => Which::Problems,
            (true, true) => Which::DueOrProblems,
        },
    }
}

/// What `check` was asked for.
pub(super) fn check_order(given: &cli::Check) -> CheckOrder {
    CheckOrder {
        patterns: given.labels.iter().map(Pattern::new).collect(),
        ask: if given.live { AskGraph::Always } else { AskGraph::Never },
        scope: match (given.tokens, given.system) {
            (true, _) => Scope::Tokens,
            (false, true) => Scope::System,
            (false, false) => Scope::All,
        },
        perfdata: match given.perfdata {
            TypedPerfdata::Few => Perfdata::Few,
            TypedPerfdata::All => Perfdata::All,
            TypedPerfdata::None => Perfdata::Counts,
        },
        textfile: given.textfile.clone(),
        notifications: if given.notify { SendNotifications::Yes } else { SendNotifications::No },
    }
}

/// The forms that each command can print; another pair is a usage error.
pub(super) fn format(typed: &Cli) -> Result<Format, Complaint> {
    let asked = match (typed.global.json, typed.global.format) {
        (true, _) | (_, Some(TypedFormat::Json)) => Some(Format::Json),
        (_, Some(TypedFormat::Table)) => Some(Format::Table),
        (_, Some(TypedFormat::Csv)) => Some(Format::Csv),
        (_, Some(TypedFormat::Nagios)) => Some(Format::Nagios),
        (_, Some(TypedFormat::Prometheus)) => Some(Format::Prometheus),
        (_, Some(TypedFormat::Github)) => Some(Format::Github),
        (false, None) => None,
    };
    let can: &[Format] = match &typed.command {
        Command::Status(_)
        | Command::Refresh(_)
        | Command::Exchange(_)
        | Command::Deliver(_)
        | Command::Config(_)
        | Command::Store(_) => &[Format::Table, Format::Json],
        Command::History(_) => &[Format::Table, Format::Json, Format::Csv],
        Command::Check(_) => &[Format::Nagios, Format::Json, Format::Prometheus, Format::Github],
        Command::Token(_) => &[Format::Table],
    };
    match asked {
        None => Ok(can[0]),
        Some(format) if can.contains(&format) => Ok(format),
        Some(_) => {
            let command = typed.command.name();
            let names: Vec<&str> = can.iter().map(|format| format.name()).collect();
            Err(usage(&format!("`{command}` cannot be printed in that format"))
                .hint(format!("its formats: {}", words::list(&names))))
        }
    }
}

/// How much is to be said.
pub(super) fn verbosity(typed: &Cli) -> Verbosity {
    match (typed.global.quiet, typed.global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, 1) => Verbosity::Verbose,
        (false, _) => Verbosity::Debug,
    }
}

/// The form of the log.
pub(super) const fn log_format(typed: &Cli) -> LogFormat {
    match typed.global.log_format {
        TypedLogFormat::Text => LogFormat::Text,
        TypedLogFormat::Json => LogFormat::Json,
    }
}

/// When to colour.
pub(super) fn colour(typed: &Cli) -> Colour {
    match typed.global.color {
        TypedColour::Auto => Colour::Auto,
        TypedColour::Always => Colour::Always,
        TypedColour::Never => Colour::Never,
    }
}

/// Whether the run is meant.
pub(super) fn dry_run(dry_run: bool) -> DryRun {
    if dry_run { DryRun::Yes } else { DryRun::No }
}

/// A timer's run is one whose standard error is the journal, or that says so.
pub(super) fn trigger(session: &Session, said: bool) -> Trigger {
    if said || session.ui.stderr_is_the_journal() { Trigger::Scheduled } else { Trigger::Manual }
}

/// What the simulated Graph is to be like.
pub(super) fn scenario(name: Option<&str>) -> Result<Scenario, Complaint> {
    let Some(name) = name else { return Ok(Scenario::Healthy) };
    Scenario::from_name(name).ok_or_else(|| {
        usage(&format!("there is no scenario `{name}`"))
            .hint(format!("the scenarios are {}", words::list(&Scenario::ALL)))
    })
}

/// A span as the config spells it.
pub(super) fn duration(text: &str) -> Result<Duration, Complaint> {
    config::parse_duration(text).ok().and_then(|span| span.to_std().ok()).ok_or_else(|| {
        usage(&format!("`{text}` is no duration")).hint("write `90s`, `15m`, `6h`, `7d` or `2w`")
    })
}

/// `+45d` from where every rehearsal begins, or an instant.
pub(super) fn instant(text: &str) -> Result<NowArg, Complaint> {
    NowArg::parse(text).map_err(|error| usage(&error.to_string()))
}

/// `30d` ago, or an instant.
pub(super) fn since(text: &str, clock: &Clock) -> Result<Time, Complaint> {
    if let Ok(span) = config::parse_duration(text) {
        return Ok(clock.now() - span);
    }
    match NowArg::parse(text) {
        Ok(NowArg::At(time)) => Ok(time),
        Ok(NowArg::Plus(_)) | Err(_) => {
            Err(usage(&format!("`{text}` is no time")).hint("write `30d` or `2026-01-01`"))
        }
    }
}

/// The one label that a command works on.
pub(super) fn label(labels: &[String]) -> Result<Label, Complaint> {
    match labels {
        [one] => Label::parse(one).map_err(|error| usage(&error.to_string())),
        _ => Err(usage("exactly one label is needed here")),
    }
}

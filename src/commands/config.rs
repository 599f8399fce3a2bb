//! `config`: whether it and everything that it names is right, and what it means.

use std::path::Path;

use crate::config;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::report::CheckLines;
use crate::session::Session;
use crate::status;
use crate::ui::{OutputFormat, Ui, Verbosity};

/// Says of everything that the config names how it stands. A config with a mistake in it was refused
/// before.
pub fn check_config(session: &Session) -> Result<Exit, CliError> {
    let report = status::check_config(session);
    let ui = &session.ui;
    let lines = match ui.verbosity {
        Verbosity::Quiet => CheckLines::Problems,
        _ => CheckLines::All,
    };
    ui.data(&match ui.format {
        OutputFormat::Json => report.json(),
        _ => report.text(ui.style(), lines),
    })?;
    Ok(report.exit())
}

/// Shows every setting with its value and where that came from; secrets as references.
pub fn show_config(path: &Path, environment: &Environment, ui: &Ui) -> Result<Exit, CliError> {
    let description = config::describe(path, environment)?;
    ui.data(&match ui.format {
        OutputFormat::Json => format!("{:#}\n", description.to_json()),
        _ => description.to_text(),
    })?;
    Ok(Exit::Ok)
}

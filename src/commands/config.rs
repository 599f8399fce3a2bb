//! `config`: whether it and everything that it names is right, and what it means.

use std::path::Path;

use crate::config;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::prefixed;
use crate::report::CheckLines;
use crate::run::app_check::{AppAnswer, ask_about_apps};
use crate::session::Session;
use crate::status::{self, AskGraph};
use crate::ui::{OutputFormat, Ui, Verbosity};

/// Says of everything that the config names how it stands, and if Graph may be asked, what Meta says
/// of the apps. A config with a mistake in it was refused before.
pub fn check_config(session: &Session, ask: AskGraph) -> Result<Exit, CliError> {
    session.config.refuse_left_out()?;
    let mut report = status::check_config(session);
    if ask != AskGraph::Never {
        let answers = ask_about_apps(session, &session.graph());
        report.checks.extend(answers.iter().flat_map(AppAnswer::checks));
        report.live = Some(answers.iter().map(AppAnswer::json).collect());
    }
    if let Some(prefix) = &session.config.alerts.prefix {
        report.checks.iter_mut().for_each(|check| check.fix = prefixed(&check.fix, prefix));
    }
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
    let (config, description) = config::describe(path, environment)?;
    ui.data(&match ui.format {
        OutputFormat::Json => format!("{:#}\n", description.to_json()),
        _ => description.to_text(),
    })?;
    config.refuse_left_out()?;
    Ok(Exit::Ok)
}

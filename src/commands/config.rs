//! `config`: whether it is right, and what it means.

use std::path::Path;

use crate::config;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::{Reason, humanize};
use crate::session::refuse_filesystem;
use crate::status;
use crate::ui::{OutputFormat, Ui};

/// Says whether the config is right; every complaint at once if it is not.
pub fn check_config(path: &Path, environment: &Environment, ui: &Ui) -> Result<Exit, CliError> {
    let config = config::load(path, environment)?;
    refuse_filesystem(&config)?;
    config.refuse_left_out()?;
    let mut warnings = status::exposures(&config);
    warnings.extend(status::undeliverable(&config));
    warnings.extend(status::same_for_all_pages(&config));
    let said = match ui.format {
        OutputFormat::Json => format!(
            "{:#}\n",
            serde_json::json!({
                "version": crate::report::VERSION,
                "config": path.display().to_string(),
                "apps": config.apps.len(),
                "tokens": config.tokens.len(),
                "warnings": warnings.iter().map(warning_json).collect::<Vec<_>>(),
            })
        ),
        _ if config.tokens.is_empty() => {
            format!("{}: good, but it declares no tokens: nothing is kept alive\n", path.display())
        }
        _ => format!(
            "{}: good: {}, {}\n",
            path.display(),
            humanize::count(config.apps.len(), "app"),
            humanize::count(config.tokens.len(), "token")
        ),
    };
    ui.data(&said)?;
    if ui.format != OutputFormat::Json {
        for Reason { message, remedy, .. } in &warnings {
            ui.data(&format!("warning: {message}; {remedy}\n"))?;
        }
    }
    Ok(Exit::Ok)
}

fn warning_json(reason: &Reason) -> serde_json::Value {
    serde_json::json!({
        "code": reason.code,
        "severity": reason.severity.as_str(),
        "message": reason.message,
        "remedy": reason.remedy,
        "labels": [],
    })
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

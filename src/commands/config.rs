//! `config`: whether it is right, and what it means.

use std::path::Path;

use crate::config;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::{Reason, humanize, judge_answer};
use crate::run::app_check::{AppAnswer, CredentialsAnswer, ask_about_apps};
use crate::session::{Session, refuse_filesystem};
use crate::status;
use crate::token::VersionAnswer;
use crate::ui::{OutputFormat, Ui};

/// Says whether the config is right; every complaint at once if it is not. With a session Meta is
/// asked about the apps, too.
pub fn check_config(
    path: &Path,
    environment: &Environment,
    ui: &Ui,
    live: Option<&Session>,
) -> Result<Exit, CliError> {
    let config = config::load(path, environment)?;
    refuse_filesystem(&config)?;
    config.refuse_left_out()?;
    let mut warnings = status::exposures(&config, &[]);
    warnings.extend(status::undeliverable(&config));
    warnings.extend(status::same_for_all_pages(&config));
    warnings.extend(status::misplaced(&config));
    let answers = live.map(|session| ask_about_apps(session, &session.graph()));
    let answers = answers.as_deref();
    let said = match ui.format {
        OutputFormat::Json => {
            let mut report = serde_json::json!({
                "version": crate::report::VERSION,
                "config": path.display().to_string(),
                "apps": config.apps.len(),
                "tokens": config.tokens.len(),
                "warnings": warnings.iter().map(warning_json).collect::<Vec<_>>(),
            });
            if let Some(answers) = answers {
                report["live"] = answers.iter().map(answer_json).collect();
            }
            format!("{report:#}\n")
        }
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
        for line in answers.unwrap_or_default().iter().flat_map(answer_lines) {
            ui.data(&format!("{line}\n"))?;
        }
    }
    let exits = answers.unwrap_or_default().iter().map(exit_of);
    Ok(exits.fold(Exit::Ok, Exit::or_worse))
}

/// An app whose id or secret Meta refuses is one that every run would fail with.
const fn exit_of(answer: &AppAnswer) -> Exit {
    match (&answer.credentials, &answer.version, &answer.version_answer) {
        (CredentialsAnswer::Refused(_), ..) => Exit::Config,
        (CredentialsAnswer::Unanswered(_), ..) | (_, Some(_), None) => Exit::Unavailable,
        _ => Exit::Ok,
    }
}

/// What Meta says of an app, a line each.
fn answer_lines(answer: &AppAnswer) -> Vec<String> {
    let AppAnswer { app, provider, credentials, version, version_answer } = answer;
    let credentials = match credentials {
        CredentialsAnswer::Accepted => format!("app `{app}`: Meta accepts its id and secret"),
        CredentialsAnswer::Refused(problem) => format!(
            "error: app `{app}`: {problem}; compare `id` and `secret` of `[app.{app}]` with the \
             app's dashboard ({})",
            provider.spec().words.app_secret
        ),
        CredentialsAnswer::Unanswered(problem) => {
            format!("error: app `{app}`: Meta was not reached: {problem}")
        }
        CredentialsAnswer::NotAsked(why) => {
            format!("app `{app}`: id and secret were not checked: {why}")
        }
    };
    let version = version.as_ref().map(|version| match version_answer {
        Some(VersionAnswer::Works) => format!("app `{app}`: Graph {version} works"),
        None => format!("error: app `{app}`: Graph did not say whether {version} works"),
        Some(told) => judge_answer(app, version, told)
            .map_or_else(String::new, |it| format!("warning: {}; {}", it.message, it.remedy)),
    });
    std::iter::once(credentials).chain(version).collect()
}

fn answer_json(answer: &AppAnswer) -> serde_json::Value {
    let (credentials, problem) = match &answer.credentials {
        CredentialsAnswer::Accepted => ("accepted", None),
        CredentialsAnswer::Refused(problem) => ("refused", Some(problem.to_string())),
        CredentialsAnswer::Unanswered(problem) => ("unanswered", Some(problem.to_string())),
        CredentialsAnswer::NotAsked(why) => ("not_asked", Some((*why).to_owned())),
    };
    let state = match &answer.version_answer {
        Some(VersionAnswer::Works) => "works",
        Some(VersionAnswer::Replaced { .. }) => "ended",
        Some(VersionAnswer::Unknown) => "unknown",
        None => "unanswered",
    };
    serde_json::json!({
        "app": answer.app,
        "credentials": credentials,
        "message": problem,
        "graph_version": answer.version,
        "graph_version_state": answer.version.as_ref().map(|_| state),
    })
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

//! `config`: whether it and everything that it names is right, and what it means.

use std::path::Path;

use crate::config;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::judge_answer;
use crate::report::{CheckLines, CheckResult, ConfigCheck};
use crate::run::app_check::{AppAnswer, CredentialsAnswer, ask_about_apps};
use crate::session::Session;
use crate::status::{self, AskGraph};
use crate::token::VersionAnswer;
use crate::ui::{OutputFormat, Ui, Verbosity};

/// Says of everything that the config names how it stands, and if Graph may be asked, what Meta says
/// of the apps. A config with a mistake in it was refused before.
pub fn check_config(session: &Session, ask: AskGraph) -> Result<Exit, CliError> {
    session.config.refuse_left_out()?;
    let mut report = status::check_config(session);
    if ask != AskGraph::Never {
        let answers = ask_about_apps(session, &session.graph());
        report.checks.extend(answers.iter().flat_map(answer_checks));
        report.live = Some(answers.iter().map(answer_json).collect());
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

/// What Meta says of an app: of its id and secret, and of its Graph version. An app that Meta refuses
/// is one that every run would fail with.
fn answer_checks(answer: &AppAnswer) -> Vec<ConfigCheck> {
    let AppAnswer { app, provider, credentials, version, version_answer } = answer;
    let subject = format!("[app.{app}]");
    let credentials = match credentials {
        CredentialsAnswer::Accepted => {
            ConfigCheck::good(&subject, "Meta accepts its id and secret")
        }
        CredentialsAnswer::Refused(problem) => ConfigCheck::new(
            "bad_app_credentials",
            &subject,
            CheckResult::Error(Exit::Config),
            problem.to_string(),
            format!(
                "compare `id` and `secret` of `[app.{app}]` with the app's dashboard ({})",
                provider.spec().words.app_secret
            ),
        ),
        CredentialsAnswer::Unanswered(problem) => {
            unanswered(&subject, format!("Meta was not reached: {problem}"))
        }
        CredentialsAnswer::NotAsked(why) => {
            ConfigCheck::good(&subject, format!("id and secret were not checked: {why}"))
        }
    };
    let version = version.as_ref().and_then(|version| match version_answer {
        Some(VersionAnswer::Works) => {
            Some(ConfigCheck::good(&subject, format!("Graph {version} works")))
        }
        None => Some(unanswered(&subject, format!("Graph did not say whether {version} works"))),
        Some(told) => judge_answer(app, version, told).map(ConfigCheck::warned),
    });
    std::iter::once(credentials).chain(version).collect()
}

fn unanswered(subject: &str, message: String) -> ConfigCheck {
    let fix = "run it again when Graph can be reached";
    ConfigCheck::new("network", subject, CheckResult::Error(Exit::Unavailable), message, fix)
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

//! `init`: writes a first config, or adds an app of another kind to the one that is there.
//!
//! It asks on a terminal for what no option answers. The text is judged as any config is and Meta is
//! asked about the app before a file is written, the secret first and the config last: what a kill
//! leaves is finished when the same is typed again. Nothing that exists is overwritten.

mod answers;
mod new_files;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use self::answers::FirstAnswers;
pub use self::answers::InitOrder;
use self::new_files::{ConfigChange, NewFile, NewFiles, file_exists};
use crate::config::{self, AppSetting, Config, FIRST_APP, FirstConfig, FirstToken, secret_file};
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::report::{self, CheckResult, ConfigCheck};
use crate::run::app_check::{AppAnswer, CredentialsAnswer, ask_about_apps};
use crate::session::Session;
use crate::shell::quoted;
use crate::token::{Label, Provider, Secret};
use crate::ui::{OutputFormat, Ui, Verbosity};

/// A first config that is not written yet.
#[derive(Debug)]
pub struct ConfigDraft {
    first: FirstConfig,
    files: NewFiles,
    /// The config to ask Meta with: the secret stands in it.
    pub config: Config,
}

/// What was written, and what is left to do.
#[derive(Debug)]
pub struct InitOutcome {
    /// How it ended.
    pub exit: Exit,
    /// The first token, where a person hands an access token over.
    pub hand_over: Option<Label>,
    /// The first token.
    pub first: Option<Label>,
}

/// Gathers what the config is to say, and judges it; a terminal is asked for what is missing.
pub fn draft_config(
    order: &InitOrder,
    environment: &Environment,
    ui: &Ui,
) -> Result<ConfigDraft, CliError> {
    let place = order.place.clone();
    let exists = place.symlink_metadata().is_ok();
    if exists && order.app_id.is_none() && order.app_kind.is_none() {
        return Err(file_exists(&place));
    }
    let answers = FirstAnswers { order, environment, ui };
    let kind = answers.kind()?;
    let existing = existing_config(&place, kind, environment);
    let app_id = answers.app_id(kind)?;
    let (secret, secret_from) = answers.secret(kind)?;
    let token = answers.token(kind)?;
    let endpoints = answers.endpoints(existing.as_ref())?;
    let app = if existing.is_some() { kind.as_str() } else { FIRST_APP }.to_owned();
    let has_secret = secret.is_some();
    let first = FirstConfig { existing, app, kind, app_id, has_secret, endpoints, token };
    if first.is_taken() {
        return Err(file_exists(&place));
    }
    let judge = |text: &Secret| {
        let judged = match &first.existing {
            None => config::judge_text(&place, text.expose(), environment),
            Some(_) => config::judge_change(&place, text.expose(), environment),
        };
        judged.map_err(|error| error.hint("nothing was written; type the command again, corrected"))
    };
    let text = first.text();
    judge(&text)?;
    let config = match &secret {
        Some(secret) => judge(&first.text_to_ask_with(secret))?,
        None => judge(&text)?,
    };
    let change = match &first.existing {
        None => ConfigChange::Written,
        Some(_) => ConfigChange::Extended,
    };
    let files = NewFiles {
        secret_file: place.with_file_name(secret_file(&first.app)),
        place,
        text,
        change,
        secret,
        secret_from,
    };
    Ok(ConfigDraft { first, files, config })
}

/// The config that is there, if an app of that kind can be added to it: it has none, or the one that the
/// same command added before. What cannot be read is left alone, and so is a link that leads to nothing.
fn existing_config(place: &Path, kind: Provider, environment: &Environment) -> Option<Secret> {
    let config = config::load(place, environment).ok()?;
    let text = fs::read_to_string(place).ok().map(Secret::new)?;
    let is_another = |app: &AppSetting| app.kind == kind && app.name != kind.as_str();
    (!config.apps.iter().any(is_another)).then_some(text)
}

/// Asks Meta about the app, writes the files, and says what to type next. `session` works with the
/// config of the draft.
pub fn init(session: &Session, draft: &ConfigDraft) -> Result<InitOutcome, CliError> {
    let ConfigDraft { files, config, .. } = draft;
    let missing = files.prepare(&session.environment)?;
    let mut answers = ask_about_apps(session, &session.graph());
    answers.retain(|answer| answer.app == draft.first.app);
    if let Some(refused) = answers.iter().find_map(|answer| match &answer.credentials {
        CredentialsAnswer::Refused(problem) => Some(problem),
        _ => None,
    }) {
        let words = &draft.first.kind.spec().words;
        let message = format!("Meta refuses its id or secret: {refused}");
        return Err(CliError::new(Exit::InputRefused, "bad_app_credentials", "the app", message)
            .hint(format!(
                "compare both with the app's dashboard ({}); nothing was written",
                words.app_secret
            )));
    }
    missing.iter().try_for_each(NewFile::write)?;
    let checks: Vec<ConfigCheck> = answers.iter().flat_map(AppAnswer::checks).collect();
    let exit = checks.iter().fold(Exit::Ok, |worst, check| match check.result {
        CheckResult::Error(exit) => worst.or_worse(exit),
        CheckResult::Good | CheckResult::Warning => worst,
    });
    let next = next_commands(draft, &session.environment);
    let ui = &session.ui;
    if ui.format == OutputFormat::Json {
        let said = serde_json::json!({
            "version": report::VERSION,
            "config": files.place.display().to_string(),
            "files": missing.iter().map(|file| file.path.display().to_string()).collect::<Vec<_>>(),
            "checks": checks.iter().map(ConfigCheck::json).collect::<Vec<_>>(),
            "live": answers.iter().map(AppAnswer::json).collect::<Vec<_>>(),
            "next": next,
        });
        ui.data(&format!("{said:#}\n"))?;
    } else if ui.verbosity > Verbosity::Quiet {
        let mut text: String = checks.iter().map(|check| check.line(ui.style())).collect();
        for file in &missing {
            let _ = writeln!(text, "{}", file.said());
        }
        if missing.is_empty() {
            let place = files.place.display();
            let _ = writeln!(text, "`{place}` is there already, and says the same");
        }
        for command in &next {
            let _ = writeln!(text, "next: {command}");
        }
        ui.data(&text)?;
    }
    files.advise(&config.store.path, &session.environment, ui);
    let token = draft.first.token.as_ref();
    Ok(InitOutcome {
        exit,
        hand_over: token.and_then(FirstToken::handed_over),
        first: token.map(|token| token.label.clone()),
    })
}

/// The commands that lead on, each with the config where it is not found by itself.
fn next_commands(draft: &ConfigDraft, environment: &Environment) -> Vec<String> {
    let is_found = config::find(None, environment).is_ok_and(|found| found == draft.files.place);
    let config =
        if is_found { String::new() } else { format!("--config {} ", quoted(&draft.files.place)) };
    let kind = draft.first.kind;
    let words = match &draft.first.token {
        None => {
            let token_type = kind.spec().tokens[0].token_type;
            vec![format!("add LABEL --type {token_type}")]
        }
        Some(token) => match token.handed_over() {
            None => vec!["refresh".to_owned()],
            Some(label) if label == token.label => vec![format!("exchange {label}")],
            Some(label) => vec![format!("exchange {label}"), format!("refresh {}", token.label)],
        },
    };
    words.into_iter().map(|words| format!("metatoken {config}{words}")).collect()
}

//! Checks whether the secrets that the config names can be had here.

use crate::config::{Config, SecretError, SecretSource};
use crate::exit::Exit;
use crate::report::{CheckResult, ConfigCheck};
use crate::session::Session;
use crate::token::{unfit_id, unfit_secret};

/// An app's id: whether it can be had here, and can be one.
pub fn check_app_id(session: &Session, subject: String, source: &SecretSource) -> ConfigCheck {
    check_fitting(session, subject, source, "the app's id", unfit_id)
}

/// An app's secret: whether it can be had here, and can be one.
pub fn check_app_secret(session: &Session, subject: String, source: &SecretSource) -> ConfigCheck {
    check_fitting(session, subject, source, "the app's secret", unfit_secret)
}

/// A value that `unfit` may call another. No program is run for it.
fn check_fitting(
    session: &Session,
    subject: String,
    source: &SecretSource,
    what: &str,
    unfit: fn(&str) -> Option<&'static str>,
) -> ConfigCheck {
    let checked = check_source(session, subject.clone(), source, what);
    if checked.result != CheckResult::Good || matches!(source, SecretSource::Command(_)) {
        return checked;
    }
    let found = session.secrets.resolve(source).ok();
    match found.and_then(|secret| unfit(secret.trimmed().expose())) {
        Some(why) => ConfigCheck::new(
            "secret_missing",
            subject,
            CheckResult::Error(Exit::Config),
            format!("{source} {why}"),
            format!("put {what} alone into {source}"),
        ),
        None => checked,
    }
}

/// A secret: whether it can be had here.
pub fn check_source(
    session: &Session,
    subject: String,
    source: &SecretSource,
    what: &str,
) -> ConfigCheck {
    match session.secrets.foresee(source) {
        Err(error) => missing_secret(session, subject, source, &error, what),
        Ok(()) if is_of_a_shell(&session.config, source) => variable_elsewhere(subject, source),
        Ok(()) => ConfigCheck::good(subject, format!("{source} is there")),
    }
}

/// A secret that cannot be had. A variable or credential that only a unit sets is a warning: who
/// checks is not who runs.
fn missing_secret(
    session: &Session,
    subject: String,
    source: &SecretSource,
    error: &SecretError,
    what: &str,
) -> ConfigCheck {
    let elsewhere = match source {
        SecretSource::Credential(_) => session.environment.get("CREDENTIALS_DIRECTORY").is_none(),
        source => is_of_a_shell(&session.config, source),
    };
    let result = if elsewhere { CheckResult::Warning } else { CheckResult::Error(Exit::Config) };
    let fix = fix_of(source, what).filter(|_| error.unset).unwrap_or_else(|| error.fix(what));
    ConfigCheck::new("secret_missing", subject, result, error.to_string(), fix)
}

/// Whether the config is where cron or a unit runs it, and the source is a variable, which they do
/// not have from a shell.
fn is_of_a_shell(config: &Config, source: &SecretSource) -> bool {
    matches!(source, SecretSource::Env(_)) && config.path.starts_with("/etc")
}

fn variable_elsewhere(subject: String, source: &SecretSource) -> ConfigCheck {
    ConfigCheck::new(
        "variable_of_a_shell",
        subject,
        CheckResult::Warning,
        format!("{source} is set here, but cron and systemd do not have a shell's variables"),
        "use `{ file = \"PATH\" }` or `{ credential = \"NAME\" }`, or set it in the unit or crontab",
    )
}

/// What puts a secret where the config says that it is, where this command knows more than the run.
fn fix_of(source: &SecretSource, what: &str) -> Option<String> {
    Some(match source {
        SecretSource::Literal(_) | SecretSource::Command(_) => return None,
        SecretSource::Env(name) => {
            format!("set `{name}` to {what}, or use `{{ file = \"PATH\" }}`")
        }
        SecretSource::File { path, key: None, .. } => {
            format!("create the file `{}` (mode 0600) with {what} in it", path.display())
        }
        SecretSource::File { path, key: Some(key), .. } => {
            format!("put {what} as `{key}` into `{}`", path.display())
        }
        SecretSource::Credential(name) => format!(
            "put {what} into `/etc/credstore/{name}` (mode 0600), and run this check as the service"
        ),
    })
}

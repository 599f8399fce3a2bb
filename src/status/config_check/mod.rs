//! Looks at everything that the config names: secrets, programs, store, key, targets, channels.
//!
//! It writes nothing, runs no program and asks no one. What a run would end with is an error; what it
//! would only warn of, or what hangs on who runs it, is a warning.

mod channels;
mod secrets;
mod store;
mod tokens;

use self::channels::check_channel;
use self::secrets::{check_app_id, check_app_secret};
use self::store::check_store;
use self::tokens::{check_default_probe, check_token};
use super::exposure::{exposures, misplaced, same_for_all_pages, undeliverable};
use super::system::unfinished_import;
use crate::config::{AppSetting, Config, Place, Target, secret_file};
use crate::deliver::foresee;
use crate::exit::Exit;
use crate::policy::Reason;
use crate::report::{CheckResult, ConfigCheck, ConfigReport};
use crate::run::declared::LastReading;
use crate::run::tokens::Tokens;
use crate::session::Session;
use crate::store::Store;
use crate::token::{Delivery, Label, Provider};

/// Looks at everything that the config names.
pub fn check_config(session: &Session) -> ConfigReport {
    let config = &session.config;
    let (store, mut checks) = check_store(session);
    let tokens = known_tokens(config, store.as_ref());
    checks.extend(check_endpoints(config));
    checks.extend(config.apps.iter().flat_map(|app| check_app(session, app)));
    for token in &config.tokens {
        checks.extend(check_token(session, &tokens, token));
    }
    checks.extend(check_default_probe(config));
    checks.extend(config.notify.iter().flat_map(|channel| check_channel(session, channel)));
    let undeliverable = undeliverable(config);
    checks.extend(check_targets(session, &undeliverable));
    let undeliverable = undeliverable.into_iter().filter_map(|it| not_yet_delivered(&tokens, it));
    let warned = exposures(config, &[]).into_iter().chain(undeliverable);
    let warned = warned.chain(same_for_all_pages(config)).chain(misplaced(config));
    checks.extend(warned.map(ConfigCheck::warned));
    if config.tokens.is_empty() {
        checks.push(ConfigCheck::new(
            "no_tokens",
            "[token.LABEL]",
            CheckResult::Warning,
            "the config declares no tokens: nothing is kept alive",
            unfinished_import(store.as_ref()).unwrap_or_else(|| {
                "run `metatoken add LABEL --type TYPE`; `metatoken help add` has examples"
                    .to_owned()
            }),
        ));
    }
    ConfigReport {
        path: config.path.display().to_string(),
        apps: config.apps.len(),
        tokens: config.tokens.len(),
        checks,
        live: None,
    }
}

fn known_tokens(config: &Config, store: Option<&Store>) -> Tokens {
    // A store that cannot be read is an error of its own.
    let credentials = store.and_then(|store| store.credentials().ok()).unwrap_or_default();
    Tokens::new(config, credentials, &LastReading::new())
}

/// A reason about a target, unless that has got the token already: what stands there is ours then. After
/// a first delivery only `--force` overwrites another value.
fn not_yet_delivered(tokens: &Tokens, reason: Reason) -> Option<Reason> {
    let label = reason.labels.first()?.clone();
    let rows = tokens.credential(&label).map(|credential| credential.deliveries.as_slice());
    let is_meant = |row: &&Delivery| Some(row.target.as_str()) == reason.about.as_deref();
    match rows.unwrap_or_default().iter().find(is_meant) {
        Some(row) if row.settled.is_some() && row.drifted_since.is_none() => None,
        Some(row) if row.drifted_since.is_some() => {
            let step = format!("run `metatoken deliver --force {label}` to overwrite it");
            Some(Reason {
                about: reason.about,
                labels: reason.labels,
                ..Reason::of_the_system(reason.code, reason.severity, reason.message, step)
            })
        }
        _ => Some(reason),
    }
}

/// Endpoints that are not Meta's.
fn check_endpoints(config: &Config) -> Option<ConfigCheck> {
    let named: Vec<String> = Provider::ALL
        .iter()
        .filter(|provider| config.endpoints.url(**provider) != provider.spec().endpoint)
        .map(|provider| format!("{provider} is `{}`", config.endpoints.url(*provider)))
        .collect();
    (!named.is_empty()).then(|| ConfigCheck::good("[endpoints]", named.join(", ")))
}

/// An app's id and secret.
fn check_app(session: &Session, app: &AppSetting) -> Vec<ConfigCheck> {
    let subject = |key: &str| format!("[app.{}] {key}", app.name);
    let used = session.config.tokens.iter().filter(|token| token.app == app.name);
    let labels: Vec<&Label> = used.clone().map(|token| &token.label).collect();
    let mut checks = vec![check_app_id(session, subject("id"), &app.id)];
    if let Some(secret) = &app.secret {
        checks.push(check_app_secret(session, subject("secret"), secret));
        return checks;
    }
    let needs_it = app.kind == Provider::Facebook && !labels.is_empty();
    let (result, what) = if needs_it {
        (CheckResult::Error(Exit::Config), "tokens of it cannot be checked or renewed")
    } else {
        (CheckResult::Warning, "a short-lived access token cannot be made long-lived")
    };
    if !labels.is_empty() {
        let place = app.kind.spec().words.app_secret;
        let fix = format!(
            "copy it from the app's dashboard ({place}) into a file of mode 0600, and add \
             `secret = {{ file = \"{}\" }}` to `[app.{}]`",
            secret_file(&app.name),
            app.name
        );
        let message = format!("there is no `secret`: {what}");
        checks.push(ConfigCheck::new("no_app_secret", subject("secret"), result, message, fix));
    }
    checks
}

/// Each target: whether a delivery could be made, as far as that shows without making it.
fn check_targets(session: &Session, known: &[Reason]) -> Vec<ConfigCheck> {
    let path = session.environment.get("PATH");
    let is_known = |label: &Label, target: &Target| {
        let about = Some(target.id.as_str());
        known.iter().any(|it| it.about.as_deref() == about && it.labels.contains(label))
    };
    let targets = session
        .config
        .tokens
        .iter()
        .flat_map(|token| token.deliver.iter().map(|target| (&token.label, target)));
    targets
        .filter(|(label, target)| !is_known(label, target))
        .map(|(label, target)| {
            let subject = format!("[[token.{label}.deliver]]");
            match foresee(target, path) {
                Ok(()) => {
                    ConfigCheck::good(subject, format!("`{}` can be {}", target.id, done(target)))
                }
                Err(error) => ConfigCheck::new(
                    "not_deliverable",
                    subject,
                    CheckResult::Warning,
                    format!("`{}` cannot be {}: {}", target.id, done(target), error.message),
                    error.hint.unwrap_or_default(),
                ),
            }
            .about(label)
        })
        .collect()
}

const fn done(target: &Target) -> &'static str {
    match target.place {
        Place::File(_) => "written",
        Place::Command(_) => "run",
    }
}

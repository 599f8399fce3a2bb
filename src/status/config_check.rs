//! Looks at everything that the config names: secrets, programs, store, key, targets, channels.
//!
//! It writes nothing, runs no program and asks no one. What a run would end with is an error; what it
//! would only warn of, or what hangs on who runs it, is a warning.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use super::exposure::{exposures, misplaced, same_for_all_pages, undeliverable};
use crate::config::{
    AppSetting, ChannelKind, Config, KeySetting, NotifySetting, Pages, Place, Recipients,
    SecretError, SecretSource, Target, TokenConfig, probe_misfit,
};
use crate::deliver::foresee;
use crate::error::CliError;
use crate::exit::Exit;
use crate::notify::address_of;
use crate::policy::{Backup, Reason, humanize};
use crate::report::{CheckResult, ConfigCheck, ConfigReport};
use crate::run::declared::LastReading;
use crate::run::tokens::Tokens;
use crate::session::Session;
use crate::store::Store;
use crate::token::{Credential, Label, Provider, Secret, Source, TokenType, read_pasted};

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
    let undeliverable = undeliverable.into_iter().filter(|it| !has_been_delivered(&tokens, it));
    let warned = exposures(config, &[]).into_iter().chain(undeliverable);
    let warned = warned.chain(same_for_all_pages(config)).chain(misplaced(config));
    checks.extend(warned.map(ConfigCheck::warned));
    if config.tokens.is_empty() {
        checks.push(ConfigCheck::new(
            "no_tokens",
            "[token.LABEL]",
            CheckResult::Warning,
            "the config declares no tokens: nothing is kept alive",
            "run `metatoken add LABEL --type TYPE`; `metatoken help add` has examples",
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

/// The store and its key: whether both can be read, and fit.
fn check_store(session: &Session) -> (Option<Store>, Vec<ConfigCheck>) {
    let path = session.config.store.path.display().to_string();
    let store = match session.reader() {
        Ok(store) => store,
        Err(complaint) => return (None, vec![storage_error("[store]", &complaint)]),
    };
    let mut checks = Vec::new();
    match &store {
        Some(_) => checks.push(ConfigCheck::good("[store]", format!("`{path}` can be read"))),
        None => checks.push(check_new_store(&session.config)),
    }
    match (&store, session.key()) {
        (None, _) if matches!(session.config.store.key, KeySetting::Beside(_)) => {}
        (_, Err(complaint)) if is_elsewhere(session) => checks.push(ConfigCheck::new(
            "key_unreadable",
            "[store] key",
            CheckResult::Warning,
            complaint.causes.join(": "),
            "run this check as the service: its unit hands the key over",
        )),
        (_, Err(complaint)) => checks.push(storage_error("[store] key", &complaint)),
        (Some(store), Ok(key)) => match store.unlock(&key) {
            Ok(()) => checks.push(ConfigCheck::good("[store] key", "opens the store")),
            Err(error) => checks.push(storage_error("[store] key", &error.into())),
        },
        (None, Ok(_)) => checks.push(ConfigCheck::good("[store] key", "can be read")),
    }
    (store, checks)
}

/// Whether the key is a credential, which only the service has.
fn is_elsewhere(session: &Session) -> bool {
    let of_the_unit =
        matches!(&session.config.store.key, KeySetting::Given(SecretSource::Credential(_)));
    of_the_unit && session.environment.get("CREDENTIALS_DIRECTORY").is_none()
}

fn storage_error(subject: &str, complaint: &CliError) -> ConfigCheck {
    let message = if complaint.subject.is_empty() {
        complaint.message.clone()
    } else {
        format!("{}: {}", complaint.subject, complaint.message)
    };
    let causes = complaint.causes.iter().fold(message, |text, cause| format!("{text}: {cause}"));
    let result = CheckResult::Error(Exit::Storage);
    ConfigCheck::new(complaint.code, subject, result, causes, complaint.hints.join("; "))
}

/// Whether a first run can make the store.
fn check_new_store(config: &Config) -> ConfigCheck {
    let path = &config.store.path;
    // A run makes the folders that are missing.
    let folder = path.ancestors().skip(1).find(|folder| folder.exists());
    let folder = folder.unwrap_or(Path::new("/"));
    if files_can_be_made(folder) {
        let message = format!("`{}` is made by the first run", path.display());
        return ConfigCheck::good("[store]", message);
    }
    ConfigCheck::new(
        "store_unwritable",
        "[store]",
        CheckResult::Error(Exit::Storage),
        format!("`{}` cannot be made: its folder cannot be written by this user", path.display()),
        format!(
            "run it as the user who owns `{}`, or give that folder to the user of the timer",
            folder.display()
        ),
    )
}

fn files_can_be_made(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    folder.is_dir() && access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
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
    let mut checks = vec![check_source(session, subject("id"), &app.id, "the app's id")];
    if let Some(secret) = &app.secret {
        checks.push(check_source(session, subject("secret"), secret, "the app's secret"));
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
             `secret = {{ file = \"app-secret\" }}` to `[app.{}]`",
            app.name
        );
        let message = format!("there is no `secret`: {what}");
        checks.push(ConfigCheck::new("no_app_secret", subject("secret"), result, message, fix));
    }
    checks
}

/// A secret: whether it can be had here.
fn check_source(
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

/// A token: where its first access token is, what keeps it alive, where it goes.
fn check_token(session: &Session, tokens: &Tokens, token: &TokenConfig) -> Vec<ConfigCheck> {
    let label = &token.label;
    let subject = format!("[token.{label}]");
    let is_stored = tokens.credential(label).is_some_and(|it| it.current.is_some());
    let mut checks = Vec::new();
    match &token.access_token {
        Some(_) if is_stored => {}
        Some(source) => checks.push(check_first_token(session, token, source)),
        None if !is_stored && needs_a_first_token(token) => checks.push(ConfigCheck::new(
            "missing",
            subject.clone(),
            CheckResult::Warning,
            "no access token yet, and no `access_token` says where one is",
            format!("run `metatoken exchange {label}`"),
        )),
        None => {}
    }
    checks.extend(tokens.declared_labels().conflict(label).map(ConfigCheck::refused));
    checks.extend(tokens.backup_of(&token.label).map(|backup| check_backup(tokens, token, backup)));
    checks.push(ConfigCheck::good(subject, describe(token)));
    checks.into_iter().map(|check| check.about(label)).collect()
}

/// A backup: whose it is, and whether it can outlive what ends its token.
fn check_backup(tokens: &Tokens, token: &TokenConfig, backup: Backup<'_>) -> ConfigCheck {
    let subject = format!("[token.{}] backup", token.label);
    let label = backup.label;
    let user = |credential: Option<&Credential>| {
        let proof = credential?.current.as_ref()?.proof.as_ref()?;
        proof.inspection.identity.user_id.clone()
    };
    match (user(backup.credential), user(tokens.credential(&token.label))) {
        (Some(theirs), Some(own)) if theirs == own => ConfigCheck::new(
            "backup_of_the_same",
            subject,
            CheckResult::Warning,
            format!("`{label}` belongs to user {theirs} too: both may die together"),
            format!(
                "run `metatoken exchange {label} --replace-identity`, and paste an access token of \
                 another person or System User"
            ),
        ),
        (Some(theirs), _) => {
            ConfigCheck::good(subject, format!("`{label}` belongs to user {theirs}"))
        }
        (None, _) => ConfigCheck::good(
            subject,
            format!("`{label}` is there; whose it is shows once Graph was asked about it"),
        ),
    }
}

/// Whether the target that a reason is about has got the token already: what stands there is ours.
fn has_been_delivered(tokens: &Tokens, reason: &Reason) -> bool {
    let about = reason.about.as_deref();
    let known = reason.labels.iter().filter_map(|label| tokens.credential(label));
    let mut rows = known.flat_map(|credential| &credential.deliveries);
    rows.any(|row| {
        Some(row.target.as_str()) == about && row.settled.is_some() && row.drifted_since.is_none()
    })
}

/// The tokens that cannot be asked the probe of `[defaults]`, but for those whose Pages are asked.
fn check_default_probe(config: &Config) -> Option<ConfigCheck> {
    let probe = config.default_policy.probe.as_ref()?;
    let asks_pages = probe_misfit(probe, TokenType::Page).is_none();
    let parents: HashSet<&Label> =
        config.tokens.iter().filter_map(|token| token.parent.as_ref()).collect();
    let has_pages =
        |token: &TokenConfig| token.pages != Pages::None || parents.contains(&token.label);
    let unasked = config.tokens.iter().filter(|token| !(asks_pages && has_pages(token)));
    let unasked = unasked.filter_map(|token| Some((token.unasked_probe.as_ref()?, &token.label)));
    let (whom, labels): (Vec<&String>, Vec<&Label>) = unasked.unzip();
    Some(ConfigCheck::new(
        "probe_not_asked",
        "[defaults] probe",
        CheckResult::Warning,
        format!("{}: not asked of {}", whom.first()?, humanize::list_of_few(&labels, 3)),
        "move `probe` to the tables of the tokens that it is for, or add `probe = \"none\"` to those of \
         the others",
    ))
}

fn needs_a_first_token(token: &TokenConfig) -> bool {
    match token.token_type.spec().source {
        Source::Person(_) => true,
        Source::Parent(_) => token.parent.is_none(),
        Source::App(_) => false,
    }
}

/// The first access token of a label, which a run adopts.
fn check_first_token(session: &Session, token: &TokenConfig, source: &SecretSource) -> ConfigCheck {
    let subject = format!("[token.{}] access_token", token.label);
    let checked = check_source(session, subject.clone(), source, "the access token");
    let is_read = !matches!(source, SecretSource::Command(_));
    if checked.result != CheckResult::Good || !is_read {
        return checked;
    }
    let read = |secret: Secret| read_pasted(secret.expose(), Some(token.token_type));
    match session.secrets.resolve(source).map(read) {
        Ok(Err(unfit)) => ConfigCheck::new(
            "malformed_token",
            subject,
            CheckResult::Error(Exit::Config),
            format!("no access token in {}: {unfit}", session.secrets.place(source)),
            unfit.fix(),
        ),
        Ok(Ok(_)) | Err(_) => checked,
    }
}

fn describe(token: &TokenConfig) -> String {
    let mut text = format!("{} token of app `{}`", token.token_type, token.app);
    if let Some(parent) = &token.parent {
        let _ = write!(text, ", derived from `{parent}`");
    }
    if token.pages != Pages::None {
        text.push_str(", with all Pages");
    }
    if !token.deliver.is_empty() {
        let _ = write!(text, ", {}", humanize::count(token.deliver.len(), "target"));
    }
    text
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

/// The tokens whose owner gets no mail, although the config says who it is; and whether any gets one.
fn check_owners(session: &Session, channel: &NotifySetting, subject: &str) -> Option<ConfigCheck> {
    let config = &session.config;
    let covers = |label: &Label| {
        channel.labels.is_empty() || channel.labels.iter().any(|pattern| pattern.matches(label))
    };
    let owned = config.tokens.iter().filter(|token| covers(&token.label)).filter_map(|token| {
        let owner = token.policy.owner.as_deref()?;
        Some((&token.label, address_of(config, &token.label, owner)))
    });
    let (reached, unreached): (Vec<_>, Vec<_>) = owned.partition(|(_, address)| address.is_some());
    if reached.is_empty() && unreached.is_empty() {
        return Some(ConfigCheck::new(
            "owner_not_reached",
            subject.to_owned(),
            CheckResult::Warning,
            "no token has an `owner`: nothing is ever sent there",
            "set `owner` of a token to the mail address of the person who can log in",
        ));
    }
    let unreached: Vec<&Label> = unreached.into_iter().map(|(label, _)| label).collect();
    (!unreached.is_empty()).then(|| {
        ConfigCheck::new(
            "owner_not_reached",
            subject.to_owned(),
            CheckResult::Warning,
            format!("the owner of {} gets no mail", humanize::list(&unreached)),
            "set `owner` to one mail address; of an imported token, its domain must be in \
             `owner_domains` of `[alerts]`",
        )
    })
}

/// A channel: whether it can reach anybody.
fn check_channel(session: &Session, channel: &NotifySetting) -> Vec<ConfigCheck> {
    let subject = format!("[[notify]] {}", channel.channel);
    let mut checks = Vec::new();
    for (key, secret) in channel.kind.secrets() {
        let what = match key {
            "password" => "the password",
            "headers" => "the value of the header",
            _ => "the address",
        };
        let checked = check_source(session, subject.clone(), secret, what);
        // A run goes on without it.
        checks.push(match checked.result {
            CheckResult::Error(_) => ConfigCheck { result: CheckResult::Warning, ..checked },
            CheckResult::Good | CheckResult::Warning => checked,
        });
    }
    if let ChannelKind::Email { to: Recipients::Owners, .. } = &channel.kind {
        checks.extend(check_owners(session, channel, &subject));
    }
    if let ChannelKind::Command(argv) = &channel.kind {
        let program = SecretSource::Command(argv.clone());
        checks.push(match session.secrets.foresee(&program) {
            Ok(()) => ConfigCheck::good(subject.clone(), "its program can be run"),
            Err(error) => ConfigCheck::new(
                "channel_unusable",
                subject.clone(),
                CheckResult::Warning,
                error.to_string(),
                "install the program, or name it by its whole path in `command`",
            ),
        });
    }
    let tokens = &session.config.tokens;
    let matches = |pattern: &crate::token::Pattern| {
        // A pattern for Pages that are found later means something too.
        let base = pattern.as_str().split('/').next().unwrap_or_default();
        tokens.iter().any(|token| pattern.matches(&token.label) || token.label.as_str() == base)
    };
    if !channel.labels.is_empty() && !channel.labels.iter().any(matches) {
        checks.push(ConfigCheck::new(
            "channel_without_tokens",
            subject.clone(),
            CheckResult::Warning,
            "its `labels` match no token: nothing is ever sent there",
            "correct `labels`, or remove them to hear of all tokens",
        ));
    }
    if !channel.is_ping() && channel.events.is_empty() {
        checks.push(ConfigCheck::new(
            "channel_without_events",
            subject,
            CheckResult::Warning,
            "its `events` are empty: nothing is ever sent there",
            "name events, or remove `events` for the usual ones",
        ));
    }
    checks
}

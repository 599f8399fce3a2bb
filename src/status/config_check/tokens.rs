//! Checks each token: where its first access token is, what keeps it alive, and its probe.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::secrets::check_source;
use crate::config::{Config, Pages, SecretSource, TokenConfig, probe_misfit};
use crate::exit::Exit;
use crate::policy::{Backup, humanize};
use crate::report::{CheckResult, ConfigCheck};
use crate::run::tokens::Tokens;
use crate::session::Session;
use crate::token::{Credential, Label, Secret, Source, TokenType, read_pasted};

/// A token: where its first access token is, what keeps it alive, where it goes.
pub fn check_token(session: &Session, tokens: &Tokens, token: &TokenConfig) -> Vec<ConfigCheck> {
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

/// The tokens that cannot be asked the probe of `[defaults]`, but for those whose Pages are asked.
pub fn check_default_probe(config: &Config) -> Option<ConfigCheck> {
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

//! Checks whether each channel of notifications can reach anybody.

use super::secrets::check_source;
use crate::config::{ChannelKind, NotifySetting, Recipients, SecretSource};
use crate::notify::{address_of, unfit_address};
use crate::policy::humanize;
use crate::report::{CheckResult, ConfigCheck};
use crate::session::Session;
use crate::token::{Label, Pattern};

/// A channel: whether it can reach anybody.
pub fn check_channel(session: &Session, channel: &NotifySetting) -> Vec<ConfigCheck> {
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
            CheckResult::Good | CheckResult::Warning => {
                check_address(session, channel, key, secret).unwrap_or(checked)
            }
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
    let matches = |pattern: &Pattern| {
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

/// An address that was found, if nothing can be sent there. No program is run for it.
fn check_address(
    session: &Session,
    channel: &NotifySetting,
    key: &str,
    source: &SecretSource,
) -> Option<ConfigCheck> {
    let plain_http = match &channel.kind {
        ChannelKind::Webhook(webhook) if key == "webhook" => webhook.plain_http,
        ChannelKind::Ping { plain_http, .. } => *plain_http,
        _ => return None,
    };
    let is_program = matches!(source, SecretSource::Command(_));
    let address = session.secrets.resolve(source).ok().filter(|_| !is_program)?;
    let why = unfit_address(&address, key, plain_http)?;
    let fix = format!("put the address alone into {source}");
    let subject = format!("[[notify]] {}", channel.channel);
    Some(ConfigCheck::new("channel_unusable", subject, CheckResult::Warning, why, fix))
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

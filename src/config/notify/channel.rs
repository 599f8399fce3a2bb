//! Holds what the config says about one channel of notifications.

use super::email::{Recipients, SmtpSetting};
use super::webhook::WebhookSetting;
use crate::config::source::SecretSource;
use crate::http::PlainHttp;
use crate::token::{ChannelId, NotificationEvent, Pattern};

/// What stands between the name of a channel and an owner.
const TO_OWNER: &str = " to ";

/// `[[notify]]`: one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifySetting {
    /// Its name.
    pub channel: ChannelId,
    /// What it is.
    pub kind: ChannelKind,
    /// Which events are sent, in the order of [`NotificationEvent::ALL`]; to a ping, none.
    pub events: Vec<NotificationEvent>,
    /// The tokens that it is about; empty means all tokens and the system.
    pub labels: Vec<Pattern>,
}

impl NotifySetting {
    /// Whether it is about runs, and not about tokens.
    pub const fn is_ping(&self) -> bool {
        matches!(self.kind, ChannelKind::Ping { .. })
    }

    /// The same for one owner and his tokens, under a name of its own.
    pub fn to_owner(&self, owner: &str, labels: Vec<Pattern>) -> Self {
        let mut kind = self.kind.clone();
        if let ChannelKind::Email { to, .. } = &mut kind {
            *to = Recipients::Owner(owner.to_owned());
        }
        let channel = ChannelId::new(format!("{}{TO_OWNER}{owner}", self.channel));
        Self { channel, kind, events: self.events.clone(), labels }
    }

    /// The owner to whom it writes, if it writes to one alone.
    pub fn owner(&self) -> Option<&str> {
        match &self.kind {
            ChannelKind::Email { to: Recipients::Owner(owner), .. } => Some(owner),
            _ => None,
        }
    }

    /// Whether this is its name, or that of the part which writes to one owner.
    pub fn is_called(&self, channel: &ChannelId) -> bool {
        let of_owners = || match &self.kind {
            ChannelKind::Email { to: Recipients::Owners, .. } => {
                let rest = channel.as_str().strip_prefix(self.channel.as_str());
                rest.is_some_and(|rest| rest.starts_with(TO_OWNER))
            }
            _ => false,
        };
        self.channel == *channel || of_owners()
    }

    /// Whether its messages carry an id by which an alarm and the news that it is over are one.
    pub fn has_incidents(&self) -> bool {
        match &self.kind {
            ChannelKind::Webhook(webhook) => webhook.has_incidents(),
            ChannelKind::Email { .. } | ChannelKind::Command(_) | ChannelKind::Ping { .. } => false,
        }
    }
}

/// What a channel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelKind {
    /// A POST to a URL that is a secret.
    Webhook(WebhookSetting),
    Email {
        to: Recipients,
        /// The sender; without it `metatoken@` and the name of this machine.
        from: Option<String>,
        /// The mail server; without it the one on this machine, port 25.
        smtp: Option<SmtpSetting>,
    },
    /// A program, with its arguments.
    Command(Vec<String>),
    /// A URL that is requested when a run begins and when it ends, and is a secret.
    Ping {
        url: SecretSource,
        /// Where it may lead by plain HTTP.
        plain_http: PlainHttp,
    },
}

impl ChannelKind {
    /// The key of the config that says it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Email { .. } => "email",
            Self::Command(_) => "command",
            Self::Ping { .. } => "ping",
        }
    }

    /// Where its secrets are found, by their keys: addresses, headers or a password.
    pub fn secrets(&self) -> Vec<(&'static str, &SecretSource)> {
        match self {
            Self::Webhook(webhook) => webhook.secrets().collect(),
            Self::Ping { url, .. } => vec![("ping", url)],
            Self::Email { smtp, .. } => {
                let password = smtp.as_ref().and_then(|smtp| smtp.password.as_ref());
                password.map(|password| ("password", password)).into_iter().collect()
            }
            Self::Command(_) => Vec::new(),
        }
    }

    /// Whether a secret itself stands in the config.
    pub fn holds_a_secret(&self) -> bool {
        let body = match self {
            Self::Webhook(webhook) => webhook.has_a_secret_body(),
            Self::Email { .. } | Self::Command(_) | Self::Ping { .. } => false,
        };
        body || self.secrets().iter().any(|(_, source)| source.is_literal())
    }
}

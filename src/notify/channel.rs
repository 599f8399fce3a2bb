//! Reads the secrets of a channel, and holds what all channels share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::retry::{AttemptError, SendPolicy};
use crate::config::{
    BodyTemplate, ChannelKind, NotifySetting, Recipients, SecretSource, SmtpSecurity, SmtpSetting,
    WebhookContent, WebhookSetting, mailbox,
};
use crate::http::{Http, PlainHttp, SetupError, Timeouts, Trust};
use crate::session::Session;
use crate::token::{ChannelId, Secret};

/// A channel, with its secrets read.
#[derive(Debug, Clone)]
pub enum Channel {
    /// A POST.
    Webhook(Webhook),
    Email(EmailChannel),
    /// A program with its arguments, which reads the text on standard input.
    Command(Vec<String>),
}

/// A URL that takes a POST.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// A secret: it is enough to write to the channel.
    pub url: Secret,
    /// What is posted.
    pub content: WebhookContent,
    /// Names and secrets.
    pub headers: Vec<(String, Secret)>,
    /// Where it may lead by plain HTTP.
    pub plain_http: PlainHttp,
    /// What is posted instead when something is over: to this URL, if it is another, and this body.
    pub recovered: Option<(Option<Secret>, Option<BodyTemplate>)>,
}

/// Sender, recipients and mail server.
#[derive(Debug, Clone)]
pub struct EmailChannel {
    pub to: Vec<String>,
    pub from: String,
    /// What the ids of mails end with.
    pub id_domain: String,
    pub server: SmtpServer,
}

/// A mail server.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    pub host: String,
    pub port: u16,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// User and password.
    pub login: Option<SmtpLogin>,
}

/// User and password for a mail server.
#[derive(Debug, Clone)]
pub struct SmtpLogin {
    pub user: String,
    pub password: Secret,
}

/// The mail server on this machine, which takes mail from every program here.
const LOCAL: (&str, u16) = ("localhost", 25);

/// Reads the secrets of a channel; the error is a sentence.
pub fn open(
    session: &Session,
    setting: &NotifySetting,
    notifier: &Notifier,
) -> Result<Channel, String> {
    match &setting.kind {
        ChannelKind::Webhook(setting) => Ok(Channel::Webhook(webhook(session, setting)?)),
        ChannelKind::Email { to, from, smtp } => Ok(Channel::Email(EmailChannel {
            to: addresses(to, from.as_ref()),
            from: from.clone().unwrap_or_else(|| default_from(&notifier.machine)),
            id_domain: id_domain(to, from.as_ref(), &notifier.machine),
            server: server(session, smtp.as_ref())?,
        })),
        ChannelKind::Command(argv) => Ok(Channel::Command(argv.clone())),
        ChannelKind::Ping { .. } => Err("a ping reports runs only".to_owned()),
    }
}

/// The addresses of a mail. Owners are written to one by one; a test goes to where they answer.
fn addresses(to: &Recipients, from: Option<&String>) -> Vec<String> {
    match to {
        Recipients::Addresses(all) => all.clone(),
        Recipients::Owner(owner) => vec![owner.clone()],
        Recipients::Owners => from.cloned().into_iter().collect(),
    }
}

/// The machine's domain; to an owner, who knows no machine, the sender's.
fn id_domain(to: &Recipients, from: Option<&String>, machine: &str) -> String {
    let sender = || Some(mailbox(from?)?.email.domain().to_owned());
    let of_owners = !matches!(to, Recipients::Addresses(_));
    sender().filter(|_| of_owners).unwrap_or_else(|| domain(machine))
}

fn webhook(session: &Session, setting: &WebhookSetting) -> Result<Webhook, String> {
    let headers = setting.headers.iter().map(|header| {
        let value = secret(session, &header.value);
        Ok((header.name.clone(), value.map_err(|why| format!("header `{}`: {why}", header.name))?))
    });
    let recovered = setting.recovered.as_ref().map(|instead| {
        let url = instead.url.as_ref().map(|url| secret(session, url)).transpose()?;
        Ok::<_, String>((url, instead.body.clone()))
    });
    Ok(Webhook {
        url: secret(session, &setting.url)?,
        content: setting.content.clone(),
        headers: headers.collect::<Result<_, String>>()?,
        plain_http: setting.plain_http,
        recovered: recovered.transpose()?,
    })
}

fn server(session: &Session, smtp: Option<&SmtpSetting>) -> Result<SmtpServer, String> {
    let Some(smtp) = smtp else {
        let (host, port) = (LOCAL.0.to_owned(), LOCAL.1);
        return Ok(SmtpServer { host, port, security: SmtpSecurity::None, login: None });
    };
    let login = match (&smtp.user, &smtp.password) {
        (Some(user), Some(password)) => {
            Some(SmtpLogin { user: user.clone(), password: secret(session, password)? })
        }
        _ => None,
    };
    let (host, port, security) = (smtp.host.clone(), smtp.port, smtp.security);
    Ok(SmtpServer { host, port, security, login })
}

/// Reads a secret; the error is a sentence.
pub fn secret(session: &Session, source: &SecretSource) -> Result<Secret, String> {
    session.secrets.resolve(source).map_err(|error| format!("its secret cannot be read: {error}"))
}

/// Sends messages. Nothing is set up before it is needed: most runs send none.
pub struct Notifier {
    /// How often and how long it tries.
    pub retry: SendPolicy,
    /// The name of this machine.
    pub machine: String,
    /// The variables of programs, besides the message's own.
    pub environment: BTreeMap<String, String>,
    ca_file: Option<PathBuf>,
    trust: OnceLock<Result<Trust, SetupError>>,
    http: OnceLock<Result<Http, SetupError>>,
}

impl Notifier {
    /// A notifier for the channels of a config.
    pub fn of(session: &Session) -> Self {
        Self::new(session.host())
            .trusting(session.config.http.ca_file.clone())
            .with_environment(session.config.environment_of_programs(&session.environment))
    }

    /// A notifier with the default retry policy, on the machine of that name.
    pub fn new(machine: impl Into<String>) -> Self {
        Self {
            retry: SendPolicy::default(),
            machine: machine.into(),
            environment: BTreeMap::new(),
            ca_file: None,
            trust: OnceLock::new(),
            http: OnceLock::new(),
        }
    }

    /// The same that also trusts the certificates in a PEM file, for HTTPS and mail.
    pub fn trusting(mut self, ca_file: Option<PathBuf>) -> Self {
        self.ca_file = ca_file;
        self
    }

    /// The same whose programs see these variables; the caller leaves out what is secret.
    pub fn with_environment(mut self, environment: BTreeMap<String, String>) -> Self {
        self.environment = environment;
        self
    }

    /// The same with another retry policy.
    #[cfg(test)]
    pub const fn with_retry_policy(mut self, retry: SendPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The certificates that are trusted.
    pub fn trust(&self) -> Result<&Trust, AttemptError> {
        made(self.trust.get_or_init(|| Trust::new(self.ca_file.as_deref())))
    }

    /// The HTTP client.
    pub fn http(&self) -> Result<&Http, AttemptError> {
        let timeout = self.retry.timeout;
        let limits = Timeouts { whole: timeout, connect: timeout };
        made(self.http.get_or_init(|| {
            Trust::new(self.ca_file.as_deref()).map(|trust| Http::new(trust, limits))
        }))
    }
}

fn made<T>(thing: &Result<T, SetupError>) -> Result<&T, AttemptError> {
    thing.as_ref().map_err(|error| AttemptError::permanent(error.to_string()))
}

/// The default sender on the machine of that name: `metatoken@` the name.
pub fn default_from(machine: &str) -> String {
    format!("metatoken@{}", domain(machine))
}

/// A machine's name as the domain of an email address; a system may have any name.
pub fn domain(machine: &str) -> String {
    let labels = machine.split('.').map(|label| {
        let kept = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        label.chars().filter(kept).collect::<String>().trim_matches('-').to_owned()
    });
    let domain = labels.filter(|label| !label.is_empty()).collect::<Vec<_>>().join(".");
    if domain.is_empty() { "localhost".to_owned() } else { domain }
}

/// Logs that a channel could not be notified.
pub fn log_failure(channel: &ChannelId, why: &str) {
    tracing::warn!(event = "notification_failed", target = %channel, "{channel}: {why}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_has_a_domain() {
        for (machine, expected) in [
            ("web1", "web1"),
            ("web1.example.org", "web1.example.org"),
            ("web_1", "web1"),
            ("-web1-.example..org.", "web1.example.org"),
            ("ö", "localhost"),
            ("", "localhost"),
        ] {
            assert_eq!(domain(machine), expected);
            assert!(crate::config::mailbox(&default_from(machine)).is_some(), "{machine}");
        }
    }
}

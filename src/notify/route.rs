//! The ways to people, with their secrets read.

use crate::token::Secret;

/// One way to people.
#[derive(Debug, Clone)]
pub enum Route {
    /// A POST.
    Webhook(Webhook),
    /// A mail.
    Email(Email),
    /// A program with its arguments, which reads the text on standard input.
    Command(Vec<String>),
}

/// An address that takes a POST.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The address, which whoever knows it can write to.
    pub url: Secret,
    /// What is posted.
    pub form: Form,
}

named! {
    /// What is posted to a webhook.
    pub enum Form {
        /// What Slack, Mattermost and Discord show: the text, under the key that each reads.
        Text = "text",
        /// The document for programs.
        Json = "json",
    }
}

/// A mail, but for what it says.
#[derive(Debug, Clone)]
pub struct Email {
    /// To whom.
    pub to: Vec<String>,
    /// From whom.
    pub from: String,
    /// Through which server.
    pub server: MailServer,
}

/// A mail server.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who logs in to it.
    pub login: Option<Login>,
}

/// Who logs in to a mail server.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

named! {
    /// How the connection to a mail server is protected.
    pub enum Security {
        /// TLS from the first byte.
        Tls = "tls",
        /// TLS after `STARTTLS`, and nothing without it.
        Starttls = "starttls",
        /// Not at all, which only suits a server on this machine.
        None = "none",
    }
}

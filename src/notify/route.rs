//! The ways to people, with their secrets read.

use crate::config::{SmtpSecurity, WebhookFormat};
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
    pub format: WebhookFormat,
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
    pub security: SmtpSecurity,
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

//! Holds the conversation with a mail server, within a limit to all of it.
//!
//! Each recipient is asked about alone, so that one who is refused keeps the email from no other. The
//! time is looked at before each command: a conversation that is no longer waited for ends without
//! sending.
//!
//! lettre's `SmtpTransport` is not used. Its time limit is one for each read and write, so a server
//! that drips its answers is never done with, and a thread that was given up could send the email
//! after it was reported as not sent. It also connects and logs in anew for each recipient.

use std::error::Error as _;
use std::fmt::Display;
use std::net::Ipv4Addr;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, SmtpConnection, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use super::channel::{Notifier, SmtpLogin, SmtpServer, domain};
use super::retry::{AttemptError, Retry, SendError};
use crate::config::SmtpSecurity;
use crate::http::{cause, is_this_machine, refused_certificate, spelled, unresolved};
use crate::token::{Secret, redact};

/// An email as it is sent.
#[derive(Clone)]
pub struct Email {
    pub from: Address,
    pub to: Vec<Address>,
    /// Headers and text.
    pub bytes: Vec<u8>,
}

/// What the server said to an email.
pub struct SmtpOutcome {
    /// For how many recipients the server took it.
    pub reached: usize,
    /// The recipients for whom it did not.
    pub refused: Vec<RefusedRecipient>,
}

/// A recipient that the server refused.
pub struct RefusedRecipient {
    pub address: Address,
    /// In one sentence.
    pub why: String,
    /// Whether a later attempt may succeed.
    pub is_transient: bool,
}

/// How a mail server is reached.
#[derive(Clone)]
pub struct SmtpRoute {
    server: SmtpServer,
    greeting: ClientId,
    protection: Protection,
}

/// How the connection is protected.
#[derive(Clone)]
enum Protection {
    /// TLS from the first byte.
    Tls(TlsParameters),
    /// TLS after `STARTTLS`.
    Starttls(TlsParameters),
    None,
}

impl SmtpRoute {
    /// The transport to a server; refused if a password would travel in clear text over a network.
    pub fn to(server: &SmtpServer, notifier: &Notifier) -> Result<Self, SendError> {
        let here = is_this_machine(server.address());
        if server.login.is_some() && server.security == SmtpSecurity::None && !here {
            return Err(SendError::new(format!(
                "`{}` gets no password without TLS: use `tls` or `starttls`",
                server.host
            )));
        }
        let protection = match server.security {
            SmtpSecurity::Tls => Protection::Tls(tls(server, notifier)?),
            SmtpSecurity::Starttls => Protection::Starttls(tls(server, notifier)?),
            SmtpSecurity::None => Protection::None,
        };
        let greeting = greeting(&notifier.machine);
        Ok(Self { server: server.clone(), greeting, protection })
    }

    /// Sends an email to these of its recipients, no longer than the limit.
    pub fn send(
        &self,
        email: &Email,
        to: &[Address],
        limit: Duration,
    ) -> Result<SmtpOutcome, AttemptError> {
        let (transport, email, to) = (self.clone(), email.clone(), to.to_vec());
        let outcome =
            within(limit, move |until, result| transport.converse(&email, &to, until, result));
        outcome.unwrap_or_else(|| Err(self.server.too_slow(limit)))
    }

    /// Holds the whole conversation, and sends its result before it says goodbye.
    fn converse(
        &self,
        email: &Email,
        to: &[Address],
        until: Instant,
        result: &Sender<Result<SmtpOutcome, AttemptError>>,
    ) {
        let mut conversation = match Conversation::begin(self, until) {
            Ok(conversation) => conversation,
            Err(error) => return drop(result.send(Err(error))),
        };
        let outcome = conversation.send(email, to);
        // After the limit the result has no receiver.
        let _ = result.send(outcome);
        let _ = conversation.connection.quit();
    }
}

fn tls(server: &SmtpServer, notifier: &Notifier) -> Result<TlsParameters, SendError> {
    let trust = notifier.trust().map_err(|error| SendError::new(error.why))?;
    let mut builder = TlsParameters::builder(server.address().to_owned());
    // As for HTTP: the platform knows no certificate of this machine.
    if is_this_machine(server.address()) {
        builder = builder.certificate_store(CertificateStore::None);
    }
    let unusable = |error| SendError::new(format!("TLS cannot be set up: {}", cause(&error)));
    if let Some(pem) = trust.pem() {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(unusable)?);
    }
    builder.build().map_err(unusable)
}

/// The name in `EHLO`. Many servers refuse a name without a dot, but no server an address.
fn greeting(machine: &str) -> ClientId {
    let domain = domain(machine);
    if domain.contains('.') {
        ClientId::Domain(domain)
    } else {
        ClientId::Ipv4(Ipv4Addr::LOCALHOST)
    }
}

impl SmtpServer {
    /// The host as a name or an address, without the brackets of an IPv6 one.
    fn address(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    fn too_slow(&self, limit: Duration) -> AttemptError {
        AttemptError::transient(format!("no answer from `{}` within {}", self.host, spelled(limit)))
    }
}

/// Both send the password itself, which TLS protects.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// Why a command failed.
enum CommandError {
    /// The server refused it, and goes on listening.
    Refused(AttemptError),
    /// The connection is of no use any more.
    Broken(AttemptError),
}

impl From<CommandError> for AttemptError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(error) | CommandError::Broken(error) => error,
        }
    }
}

/// A connection to a mail server, and until when it is used.
struct Conversation<'a> {
    connection: SmtpConnection,
    server: &'a SmtpServer,
    until: Instant,
    limit: Duration,
}

impl<'a> Conversation<'a> {
    fn begin(transport: &'a SmtpRoute, until: Instant) -> Result<Self, AttemptError> {
        let server = &transport.server;
        let limit = until.saturating_duration_since(Instant::now());
        let wrapped = match &transport.protection {
            Protection::Tls(tls) => Some(tls),
            Protection::Starttls(_) | Protection::None => None,
        };
        let place = (server.address(), server.port);
        let connection =
            SmtpConnection::connect(place, Some(limit), &transport.greeting, wrapped, None)
                .map_err(|error| not_connected(&error, server, until, limit))?;
        let mut conversation = Self { connection, server, until, limit };
        if let Protection::Starttls(tls) = &transport.protection {
            conversation.set_remaining_time()?;
            if !conversation.connection.can_starttls() {
                let why = format!("`{}` offers no STARTTLS, so nothing is sent to it", server.host);
                return Err(AttemptError::permanent(why));
            }
            let secured = conversation.connection.starttls(tls, &transport.greeting);
            secured.map_err(|error| conversation.error(&error, "TLS", text))?;
        }
        if let Some(login) = &server.login {
            conversation.log_in(login)?;
        }
        Ok(conversation)
    }

    fn log_in(&mut self, login: &SmtpLogin) -> Result<(), AttemptError> {
        self.set_remaining_time()?;
        if self.connection.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
            let why = format!("`{}` offers no login by PLAIN or LOGIN", self.server.host);
            return Err(AttemptError::permanent(why));
        }
        let password = login.password.expose().to_owned();
        let credentials = Credentials::new(login.user.clone(), password);
        let login_of = format!("the login of `{}`", login.user);
        match self.connection.auth(&MECHANISMS, &credentials) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.error(&error, &login_of, plain_words).into()),
        }
    }

    fn send(&mut self, email: &Email, to: &[Address]) -> Result<SmtpOutcome, AttemptError> {
        let sender = format!("the sender `{}`", email.from);
        self.command(Mail::new(Some(email.from.clone()), Vec::new()), &sender)?;
        let mut outcome = SmtpOutcome { reached: 0, refused: Vec::new() };
        for address in to {
            match self.command(Rcpt::new(address.clone(), Vec::new()), &format!("`{address}`")) {
                Ok(()) => outcome.reached += 1,
                Err(CommandError::Refused(AttemptError { why, retry })) => {
                    let is_transient = retry != Retry::Never;
                    outcome.refused.push(RefusedRecipient {
                        address: address.clone(),
                        why,
                        is_transient,
                    });
                }
                Err(CommandError::Broken(error)) => return Err(error),
            }
        }
        if outcome.reached > 0 {
            self.command(Data, "the mail")?;
            self.set_remaining_time()?;
            let taken = self.connection.message(&email.bytes);
            taken.map_err(|error| self.error(&error, "the mail", text))?;
        }
        Ok(outcome)
    }

    fn command(&mut self, command: impl Display, about: &str) -> Result<(), CommandError> {
        self.set_remaining_time().map_err(CommandError::Broken)?;
        match self.connection.command(command) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.error(&error, about, text)),
        }
    }

    /// Gives the next command what is left of the time.
    fn set_remaining_time(&mut self) -> Result<(), AttemptError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.server.too_slow(self.limit));
        }
        let set = self.connection.set_timeout(Some(left));
        set.map_err(|error| broken(&error, self.server))
    }

    fn error(&self, error: &Error, about: &str, words: Words) -> CommandError {
        let host = &self.server.host;
        if let Some(code) = error.status() {
            let said = said(error, self.server.login.as_ref(), words);
            let why = format!("`{host}` refused {about}: {code}{said}");
            // With this code a server closes the connection. Source: RFC 5321, 3.8.
            return if u16::from(code) == 421 {
                CommandError::Broken(AttemptError::transient(why))
            } else if error.is_transient() {
                CommandError::Refused(AttemptError::transient(why))
            } else {
                CommandError::Refused(AttemptError::permanent(why))
            };
        }
        CommandError::Broken(if Instant::now() >= self.until {
            self.server.too_slow(self.limit)
        } else if error.is_response() {
            AttemptError::transient(format!("`{host}` broke off, or does not speak SMTP"))
        } else {
            broken(error, self.server)
        })
    }
}

fn not_connected(
    error: &Error,
    server: &SmtpServer,
    until: Instant,
    limit: Duration,
) -> AttemptError {
    let SmtpServer { host, port, .. } = server;
    if let Some(code) = error.status() {
        let said = said(error, server.login.as_ref(), text);
        let why = format!("`{host}` rejects the connection: {code}{said}");
        return if error.is_transient() {
            AttemptError::transient(why)
        } else {
            AttemptError::permanent(why)
        };
    }
    if Instant::now() >= until {
        return server.too_slow(limit);
    }
    if unresolved(error) {
        return AttemptError::transient(format!("the name `{host}` could not be resolved"));
    }
    if error.is_response() {
        return AttemptError::transient(format!("`{host}`, port {port}, does not speak SMTP"));
    }
    match refused_certificate(error) {
        Some(why) => {
            AttemptError::permanent(format!("the certificate of `{host}` was not accepted: {why}"))
        }
        None => AttemptError::transient(format!(
            "no connection to `{host}`, port {port}: {}",
            cause(error)
        )),
    }
}

fn broken(error: &(dyn std::error::Error + 'static), server: &SmtpServer) -> AttemptError {
    let host = &server.host;
    match refused_certificate(error) {
        Some(why) => {
            AttemptError::permanent(format!("the certificate of `{host}` was not accepted: {why}"))
        }
        None => {
            AttemptError::transient(format!("the connection to `{host}` broke: {}", cause(error)))
        }
    }
}

/// Which words of a reply are quoted.
type Words = fn(&str) -> String;

/// The text of a reply after its code, with a blank before it; empty if there is none, or if it
/// repeats the password.
fn said(error: &Error, login: Option<&SmtpLogin>, words: Words) -> String {
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    let password = login.map(|login| login.password.expose());
    if password.is_some_and(|password| said.contains(password)) {
        return String::new();
    }
    let secrets: Vec<Secret> = password.map(Secret::new).into_iter().collect();
    let words = words(&redact::sentence(&said, &secrets));
    if words.is_empty() { words } else { format!(" {words}") }
}

/// Quotes all words.
fn text(said: &str) -> String {
    said.to_owned()
}

/// Quotes the words of a language and the numbers. A server that refuses a login may repeat what it was
/// sent, where the password stands in base64.
fn plain_words(said: &str) -> String {
    let kept = said.split(' ').filter(|word| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        is_number(word) || word.split('-').all(is_word)
    });
    kept.collect::<Vec<_>>().join(" ")
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn is_word(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.all(|c| c.is_ascii_lowercase())
}

/// How long the goodbye is waited for.
const GOODBYE: Duration = Duration::from_millis(100);

/// Works on a thread of its own and waits for the result, no longer than the limit.
///
/// Work that outlives the limit goes on, so it must look at the instant that it is given before each
/// step that has consequences.
fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce(Instant, &Sender<T>) + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    let until = Instant::now() + limit;
    std::thread::Builder::new().spawn(move || work(until, &sender)).ok()?;
    let outcome = receiver.recv_timeout(limit).ok()?;
    // The other end goes away when the work is done.
    let _ = receiver.recv_timeout(GOODBYE);
    Some(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_refused_login_only_plain_words_are_repeated() {
        for (said, kept) in [
            ("5.7.8 Authentication failed", "5.7.8 Authentication failed"),
            (
                "5.7.9 Application-specific password required",
                "5.7.9 Application-specific password required",
            ),
            ("Error: AGZha2UAZmFrZWZha2U= is wrong.", "Error: is wrong."),
            ("bad (ZmFrZWZha2U): try again", "bad try again"),
            ("see https://h.example/?x", "see"),
            ("", ""),
        ] {
            assert_eq!(plain_words(said), kept, "{said}");
        }
    }
}

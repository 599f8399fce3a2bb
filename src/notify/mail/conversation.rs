//! What is said to a mail server, and what its answers mean.
//!
//! Each recipient is asked about alone, so that one who is refused keeps the mail from nobody. The
//! time is looked at before each command: a conversation that nobody waits for any more ends
//! without sending.

use std::fmt::Display;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};

use crate::http::{cause, refused_certificate, unresolved};

use super::super::patience::{Miss, Next};
use super::super::{Login, MailServer};
use super::letter::Letter;
use super::line::{Line, Protection};
use super::reply;

/// The ways to log in that send the password itself, which TLS protects.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// What came of a conversation.
pub(super) struct Outcome {
    /// How many recipients the server took the mail for.
    pub(super) reached: usize,
    /// Those for whom it did not.
    pub(super) refused: Vec<Refusal>,
}

/// A recipient whom the server refused.
pub(super) struct Refusal {
    pub(super) address: Address,
    pub(super) why: String,
    pub(super) may_pass: bool,
}

/// Holds the whole conversation and tells what came of it, before it says goodbye.
pub(super) fn hold(
    line: &Line,
    letter: &Letter,
    to: &[Address],
    until: Instant,
    tell: &Sender<Result<Outcome, Miss>>,
) {
    let mut talk = match Talk::begin(line, until) {
        Ok(talk) => talk,
        Err(miss) => return drop(tell.send(Err(miss))),
    };
    let outcome = talk.send(letter, to);
    // Whoever waited longer than the limit is gone.
    let _ = tell.send(outcome);
    let _ = talk.connection.quit();
}

/// Why a step did not succeed.
enum Trouble {
    /// The server says no to this, and goes on listening.
    Refused(Miss),
    /// There is nobody to talk to any more.
    Broken(Miss),
}

impl From<Trouble> for Miss {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(miss) | Trouble::Broken(miss) => miss,
        }
    }
}

struct Talk<'a> {
    connection: SmtpConnection,
    server: &'a MailServer,
    until: Instant,
    limit: Duration,
}

impl<'a> Talk<'a> {
    fn begin(line: &'a Line, until: Instant) -> Result<Self, Miss> {
        let server = &line.server;
        let limit = until.saturating_duration_since(Instant::now());
        let wrapped = match &line.protection {
            Protection::FromTheStart(tls) => Some(tls),
            Protection::AfterAsking(_) | Protection::None => None,
        };
        let place = (server.address(), server.port);
        let connection = SmtpConnection::connect(place, Some(limit), &line.greeting, wrapped, None)
            .map_err(|error| not_connected(&error, server, until, limit))?;
        let mut talk = Self { connection, server, until, limit };
        if let Protection::AfterAsking(tls) = &line.protection {
            talk.look_at_the_time()?;
            if !talk.connection.can_starttls() {
                let why = format!("`{}` offers no STARTTLS, so nothing is sent to it", server.host);
                return Err(Miss::hopeless(why));
            }
            let secured = talk.connection.starttls(tls, &line.greeting);
            secured.map_err(|error| talk.trouble(&error, "TLS", reply::text))?;
        }
        if let Some(login) = &server.login {
            talk.log_in(login)?;
        }
        Ok(talk)
    }

    fn log_in(&mut self, login: &Login) -> Result<(), Miss> {
        self.look_at_the_time()?;
        if self.connection.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
            let why = format!("`{}` offers no login by PLAIN or LOGIN", self.server.host);
            return Err(Miss::hopeless(why));
        }
        let password = login.password.expose().to_owned();
        let credentials = Credentials::new(login.user.clone(), password);
        let login_of = format!("the login of `{}`", login.user);
        match self.connection.auth(&MECHANISMS, &credentials) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.trouble(&error, &login_of, reply::plain_words).into()),
        }
    }

    fn send(&mut self, letter: &Letter, to: &[Address]) -> Result<Outcome, Miss> {
        let sender = format!("the sender `{}`", letter.from);
        self.say(Mail::new(Some(letter.from.clone()), Vec::new()), &sender)?;
        let mut outcome = Outcome { reached: 0, refused: Vec::new() };
        for address in to {
            match self.say(Rcpt::new(address.clone(), Vec::new()), &format!("`{address}`")) {
                Ok(()) => outcome.reached += 1,
                Err(Trouble::Refused(Miss { why, next })) => {
                    let may_pass = next != Next::Hopeless;
                    outcome.refused.push(Refusal { address: address.clone(), why, may_pass });
                }
                Err(Trouble::Broken(miss)) => return Err(miss),
            }
        }
        if outcome.reached > 0 {
            self.say(Data, "the mail")?;
            self.look_at_the_time()?;
            let taken = self.connection.message(&letter.bytes);
            taken.map_err(|error| self.trouble(&error, "the mail", reply::text))?;
        }
        Ok(outcome)
    }

    fn say(&mut self, command: impl Display, about: &str) -> Result<(), Trouble> {
        self.look_at_the_time().map_err(Trouble::Broken)?;
        match self.connection.command(command) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.trouble(&error, about, reply::text)),
        }
    }

    /// Gives the next command what is left of the time.
    fn look_at_the_time(&mut self) -> Result<(), Miss> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.server.too_slow(self.limit));
        }
        let set = self.connection.set_timeout(Some(left));
        set.map_err(|error| broken(&error, self.server))
    }

    fn trouble(&self, error: &Error, about: &str, words: reply::Words) -> Trouble {
        let host = &self.server.host;
        if let Some(code) = error.status() {
            let said = reply::said(error, self.server.login.as_ref(), words);
            let why = format!("`{host}` refused {about}: {code}{said}");
            // With this number a server takes its leave. Source: RFC 5321, 3.8.
            return if u16::from(code) == 421 {
                Trouble::Broken(Miss::hopeful(why))
            } else if error.is_transient() {
                Trouble::Refused(Miss::hopeful(why))
            } else {
                Trouble::Refused(Miss::hopeless(why))
            };
        }
        Trouble::Broken(if Instant::now() >= self.until {
            self.server.too_slow(self.limit)
        } else if error.is_response() {
            Miss::hopeful(format!("`{host}` broke off, or does not speak SMTP"))
        } else {
            broken(error, self.server)
        })
    }
}

fn not_connected(error: &Error, server: &MailServer, until: Instant, limit: Duration) -> Miss {
    let MailServer { host, port, .. } = server;
    if let Some(code) = error.status() {
        let said = reply::said(error, server.login.as_ref(), reply::text);
        let why = format!("`{host}` does not want to talk: {code}{said}");
        return if error.is_transient() { Miss::hopeful(why) } else { Miss::hopeless(why) };
    }
    if Instant::now() >= until {
        return server.too_slow(limit);
    }
    if unresolved(error) {
        return Miss::hopeful(format!("the name `{host}` could not be resolved"));
    }
    if error.is_response() {
        return Miss::hopeful(format!("`{host}`, port {port}, does not speak SMTP"));
    }
    match refused_certificate(error) {
        Some(why) => Miss::hopeless(format!("the certificate of `{host}` was not accepted: {why}")),
        None => Miss::hopeful(format!("no connection to `{host}`, port {port}: {}", cause(error))),
    }
}

fn broken(error: &(dyn std::error::Error + 'static), server: &MailServer) -> Miss {
    let host = &server.host;
    match refused_certificate(error) {
        Some(why) => Miss::hopeless(format!("the certificate of `{host}` was not accepted: {why}")),
        None => Miss::hopeful(format!("the connection to `{host}` broke: {}", cause(error))),
    }
}

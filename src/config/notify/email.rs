//! Reads the email of a channel: recipients, sender, mail server.

use std::net::IpAddr;

use lettre::message::Mailbox;
use serde_json::{Map, Value, json};

use crate::config::diagnostic::{Diagnostic, Span, Spanned};
use crate::config::reader::{Ask, FoundValue, Section};
use crate::config::show::{Shown, ValueOrigin};
use crate::config::source::SecretSource;
use crate::http::is_this_machine;

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpSetting {
    /// Its name or address.
    pub host: String,
    pub port: u16,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// The user who logs in.
    pub user: Option<String>,
    /// Where the password is found.
    pub password: Option<SecretSource>,
}

named! {
    /// How the connection to a mail server is protected.
    pub enum SmtpSecurity {
        /// TLS from the first byte.
        Tls = "tls",
        /// TLS after `STARTTLS`; without it nothing is sent.
        Starttls = "starttls",
        /// No protection: for a server on this machine.
        None = "none",
    }
}

impl Shown for SmtpSecurity {
    fn shown(&self) -> Value {
        json!(self.as_str())
    }
}

impl Shown for SmtpSetting {
    fn shown(&self) -> Value {
        let mut server = Map::new();
        server.insert("host".to_owned(), json!(self.host));
        server.insert("port".to_owned(), json!(self.port));
        server.insert("security".to_owned(), self.security.shown());
        let user = self.user.as_ref().map(|user| json!(user));
        let password = self.password.as_ref().map(SecretSource::shown);
        server.extend(user.map(|user| ("user".to_owned(), user)));
        server.extend(password.map(|password| ("password".to_owned(), password)));
        Value::Object(server)
    }
}

/// Who gets a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// These addresses, at least one.
    Addresses(Vec<String>),
    /// The owner of each token.
    Owners,
    /// One owner, in what follows from [`Recipients::Owners`] for a run.
    Owner(String),
}

impl Shown for Recipients {
    fn shown(&self) -> Value {
        match self {
            Self::Addresses(all) => all.shown(),
            Self::Owners => json!(OWNERS),
            Self::Owner(address) => json!(address),
        }
    }
}

impl Recipients {
    /// What the channel is called without a name.
    pub fn name(&self) -> String {
        match self {
            Self::Addresses(all) => all.join(","),
            Self::Owners => OWNERS.to_owned(),
            Self::Owner(address) => address.clone(),
        }
    }
}

/// The word that stands for the owner of each token.
const OWNERS: &str = "owner";

const ADDRESS: &str = "write `NAME@HOST`";

/// Reads `email`: one address, a list of them, or the word for the owner of each token.
pub fn recipients<'a>(section: &'a Section<'a>) -> Ask<'a, Recipients> {
    let sentence = "Who gets a mail; \"owner\" is each token's owner";
    section.value("email", "an address, or a list of them", sentence, |found| {
        if found.item().as_str() == Some(OWNERS) {
            return Ok(Recipients::Owners);
        }
        let written = match found.item().as_str() {
            Some(one) => vec![Spanned { value: one.to_owned(), span: found.span() }],
            None if found.item().is_array() => found.strings()?,
            None => return Err(vec![found.must_be("a string or a list of them").label(ADDRESS)]),
        };
        if written.is_empty() {
            return Err(vec![found.complain("is empty").label(ADDRESS)]);
        }
        let message = "`email` has one address in each string";
        let wrong = written.iter().filter_map(|one| bad_address(&one.value, one.span, message));
        let wrong: Vec<Diagnostic> = wrong.collect();
        if wrong.is_empty() {
            Ok(Recipients::Addresses(written.into_iter().map(|one| one.value).collect()))
        } else {
            Err(wrong)
        }
    })
}

/// Reads `from`.
pub fn sender<'a>(section: &'a Section<'a>) -> Ask<'a, String> {
    let from = section.string("from", "The sender; by default `metatoken@` and this machine");
    from.check(|from, span| bad_address(from, span, "`from` must be one address"))
}

/// One address: a second one would change what the server is sent.
fn bad_address(text: &str, span: Span, message: &str) -> Option<Diagnostic> {
    mailbox(text).is_none().then(|| Diagnostic::at(span, message).label(ADDRESS))
}

/// The table of a mail server, as far as it can be read.
pub struct SmtpRead {
    setting: Option<SmtpSetting>,
    password: Option<SecretSource>,
    /// What is wrong with the whole table.
    diagnostics: Vec<Diagnostic>,
}

/// Reads `smtp`.
pub fn server<'a>(section: &'a Section<'a>) -> Ask<'a, SmtpRead> {
    let about = ("a table", "The mail server; by default this machine's, port 25");
    let instead = |found: &FoundValue<'_>| {
        Err(vec![found.must_be("a table").label("write `smtp = { host = \"HOST\" }`")])
    };
    section.inline("smtp", "`smtp`", about, instead, |smtp| Some(read_server(smtp)))
}

fn read_server(smtp: &Section<'_>) -> SmtpRead {
    let host = smtp.string("host", "Its name").check(|host, span| bad_host(host, span)).judged();
    let port = smtp.number("port", "Its port", 1..=u16::MAX).judged();
    let protections = SmtpSecurity::ALL;
    let security = smtp.choice("security", "How it is protected", "security", protections).judged();
    let user = smtp.string("user", "Who logs in").check(|user, span| bad_user(user, span)).judged();
    let password = smtp.secret("password", "With what").judged();

    let mut diagnostics = Vec::new();
    if !host.is_present() {
        let wrong = Diagnostic::at(smtp.span(), "`smtp` needs a `host`");
        diagnostics.push(wrong.label("the name of the mail server"));
    }
    diagnostics.extend(half_a_login(&user, &password));
    diagnostics.extend(clear_password(&security, &host, &password));
    let protection = security.get().copied().unwrap_or(SmtpSecurity::Tls);
    let setting = host.get().map(|host| SmtpSetting {
        host: host.clone(),
        port: port.get().copied().unwrap_or(usual_port(protection)),
        security: protection,
        user: user.get().cloned(),
        password: password.get().cloned(),
    });
    SmtpRead { setting, password: password.get().cloned(), diagnostics }
}

fn bad_host(host: &str, span: Span) -> Option<Diagnostic> {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.parse::<IpAddr>().is_ok() || !host.is_empty() && host.chars().all(is_plain) {
        return None;
    }
    let message = "`host` must be the name or the address of a server, and nothing else";
    let wrong = Diagnostic::at(span, message);
    Some(wrong.label("the port is given by `port`, TLS by `security`"))
}

fn bad_user(user: &str, span: Span) -> Option<Diagnostic> {
    let is_bad = user.trim().is_empty() || user.contains(char::is_control);
    is_bad.then(|| Diagnostic::at(span, "`user` must be a name, without control characters"))
}

/// The usual port of a mail server with this protection. Source: RFC 8314, 3.3; RFC 6409, 3.1; RFC 5321,
/// 4.5.4.2.
const fn usual_port(security: SmtpSecurity) -> u16 {
    match security {
        SmtpSecurity::Tls => 465,
        SmtpSecurity::Starttls => 587,
        SmtpSecurity::None => 25,
    }
}

fn half_a_login(user: &Ask<'_, String>, password: &Ask<'_, SecretSource>) -> Option<Diagnostic> {
    let (span, message) = match (user.get(), password.get()) {
        (Some(_), None) if !password.is_present() => {
            (user.span(), "`smtp` has a `user` and no `password`")
        }
        (None, Some(_)) if !user.is_present() => {
            (password.span(), "`smtp` has a `password` and no `user`")
        }
        _ => return None,
    };
    Some(Diagnostic::at(span, message).label("it takes both to log in, or neither"))
}

/// Refuses a password that would travel in clear text over a network.
fn clear_password(
    security: &Ask<'_, SmtpSecurity>,
    host: &Ask<'_, String>,
    password: &Ask<'_, SecretSource>,
) -> Option<Diagnostic> {
    let is_clear = *security.get()? == SmtpSecurity::None && !is_this_machine(host.get()?);
    let wrong = || {
        Diagnostic::at(security.span(), "the password would travel in clear text")
            .label("write `tls` or `starttls`; `none` is for loopback only")
    };
    (is_clear && password.is_present()).then(wrong)
}

/// The keys of a channel that is an email.
pub struct EmailKeys<'a> {
    pub to: Ask<'a, Recipients>,
    pub from: Ask<'a, String>,
    pub smtp: Ask<'a, SmtpRead>,
}

/// An email, as far as it can be read.
pub struct EmailRead {
    pub to: Spanned<Recipients>,
    from: Option<String>,
    smtp: Option<SmtpRead>,
}

impl EmailKeys<'_> {
    /// Reads the email; none if it has no recipient.
    pub fn read(self, section: &Section<'_>) -> Option<EmailRead> {
        if self.to.get() == Some(&Recipients::Owners) && !self.from.is_present() {
            let message = "`email = \"owner\"` needs a `from`";
            let wrong = Diagnostic::at(self.to.span(), message);
            section.report(wrong.label("write an address of yours as `from`: owners answer to it"));
        }
        let from = self.from.optional();
        let smtp = self.smtp.spanned().map(|smtp| smtp.value);
        Some(EmailRead { to: self.to.spanned()?, from, smtp })
    }
}

impl EmailRead {
    /// Where the password is found.
    pub fn password(&self) -> Option<&SecretSource> {
        self.smtp.as_ref()?.password.as_ref()
    }

    /// Reports what is wrong with the server's table, shows the email, and gives recipients, sender
    /// and server.
    pub fn settle(
        self,
        section: &Section<'_>,
    ) -> (Recipients, Option<String>, Option<SmtpSetting>) {
        let server = self.smtp.map(|SmtpRead { setting, diagnostics, .. }| {
            for wrong in diagnostics {
                section.report(wrong);
            }
            setting
        });
        let table = || ValueOrigin::Table(section.name());
        let smtp = server.flatten();
        let to = self.to.value;
        section.put("email", table, || to.shown());
        let origin = || if smtp.is_some() { table() } else { ValueOrigin::BuiltIn };
        section.put("smtp", origin, || smtp.shown());
        (to, self.from, smtp)
    }
}

/// Reads `address` or `Name <address>`. Only ASCII: with other letters many servers refuse it.
pub fn mailbox(text: &str) -> Option<Mailbox> {
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>') {
        Some(rest) => rest.rsplit_once('<').map(|(name, address)| (Some(name.trim()), address))?,
        None => (None, text),
    };
    if !address.is_ascii() || text.contains(char::is_control) {
        return None;
    }
    let name = name.map(|name| name.trim_matches('"')).filter(|name| !name.is_empty());
    Some(Mailbox::new(name.map(str::to_owned), address.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_address_with_or_without_a_name() {
        for (text, expected) in [
            ("ops@example.org", Some("ops@example.org")),
            (" ops+meta@example.org ", Some("ops+meta@example.org")),
            ("metatoken@web1", Some("metatoken@web1")),
            ("Ops <ops@example.org>", Some("Ops <ops@example.org>")),
            ("\"Ops, Berlin\" <ops@example.org>", Some("\"Ops, Berlin\" <ops@example.org>")),
            ("<ops@example.org>", Some("ops@example.org")),
            ("", None),
            ("ops", None),
            ("@example.org", None),
            ("ops@", None),
            ("ops@example.org, anna@example.org", None),
            ("ops@example.org\r\nBcc: x@example.org", None),
            ("Ops\nBcc: x <ops@example.org>", None),
            ("ops <ops@example.org", None),
            ("öps@example.org", None),
            ("ops@exämple.org", None),
        ] {
            assert_eq!(mailbox(text).map(|it| it.to_string()).as_deref(), expected, "{text}");
        }
    }
}

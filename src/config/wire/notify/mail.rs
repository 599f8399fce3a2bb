//! A mail: to whom, from whom, through which server.

use std::net::IpAddr;
use std::path::Path;

use serde_spanned::Spanned;

use crate::alert::Security;
use crate::alert::is_address;
use crate::config::mistake::Faults;
use crate::config::source::SecretSource;
use crate::config::wire::known::SMTP;
use crate::config::wire::section::{Given, Section, article};
use crate::config::wire::{choice, secret};

/// A mail, as far as it can be read.
#[derive(Debug)]
pub(in crate::config) struct EmailWire {
    pub(in crate::config) to: Spanned<Vec<String>>,
    pub(in crate::config) from: Given<String>,
    pub(in crate::config) smtp: Given<SmtpWire>,
}

/// `smtp = { ... }`
#[derive(Debug)]
pub(in crate::config) struct SmtpWire {
    pub(in crate::config) host: Given<String>,
    /// Whether `host` is there at all, readable or not.
    pub(in crate::config) has_host: bool,
    pub(in crate::config) port: Given<u16>,
    pub(in crate::config) security: Given<Security>,
    pub(in crate::config) user: Given<String>,
    /// Whether `user` is there at all, readable or not.
    pub(in crate::config) has_user: bool,
    pub(in crate::config) password: Given<SecretSource>,
    /// Whether `password` is there at all, readable or not.
    pub(in crate::config) has_password: bool,
}

const ADDRESS: &str = "write `NAME@HOST`";

/// Reads `email` and the keys that go with it.
pub(super) fn read(section: &Section<'_>, folder: &Path, faults: &mut Faults) -> Option<EmailWire> {
    let from = section.string("from", faults).and_then(|from| address("from", from, faults));
    let smtp = server(section, folder, faults);
    Some(EmailWire { to: recipients(section, faults)?, from, smtp })
}

/// One address, or a list of them.
fn recipients(section: &Section<'_>, faults: &mut Faults) -> Given<Vec<String>> {
    let (item, span) = section.item("email")?;
    let written = match item.as_str() {
        Some(one) => vec![Spanned::new(span.clone(), one.to_owned())],
        None if item.is_array() => section.strings("email", faults)?.into_inner(),
        None => {
            let message =
                format!("`email` must be a string or a list of them, not {}", article(item));
            faults.add(span, message).label(ADDRESS);
            return None;
        }
    };
    if written.is_empty() {
        faults.add(span, "`email` is empty").label(ADDRESS);
        return None;
    }
    let count = written.len();
    let addresses = written.into_iter().filter_map(|one| address("email", one, faults));
    let addresses: Vec<String> = addresses.map(Spanned::into_inner).collect();
    (addresses.len() == count).then(|| Spanned::new(span, addresses))
}

/// An address alone: a name around it, or a second one, would change what the server is told.
fn address(key: &str, text: Spanned<String>, faults: &mut Faults) -> Given<String> {
    if is_address(text.get_ref()) {
        return Some(text);
    }
    let message = match key {
        "from" => "`from` must be one address",
        _ => "`email` has one address in each string",
    };
    faults.add(text.span(), message).label(ADDRESS);
    None
}

fn server(section: &Section<'_>, folder: &Path, faults: &mut Faults) -> Given<SmtpWire> {
    let (item, span) = section.item("smtp")?;
    let Some(table) = item.as_table_like() else {
        faults
            .add(span, format!("`smtp` must be a table, not {}", article(item)))
            .label("write `smtp = { host = \"HOST\" }`");
        return None;
    };
    let section = Section::open(table, SMTP, span.clone(), faults);
    let smtp = SmtpWire {
        host: host(&section, faults),
        has_host: section.has("host"),
        port: port(&section, faults),
        security: choice::read(&section, "security", "security", Security::ALL, faults),
        user: user(&section, faults),
        has_user: section.has("user"),
        password: secret::read(&section, "password", folder, faults),
        has_password: section.has("password"),
    };
    Some(Spanned::new(span, smtp))
}

fn host(section: &Section<'_>, faults: &mut Faults) -> Given<String> {
    let host = section.string("host", faults)?;
    let text = host.get_ref();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.parse::<IpAddr>().is_ok() || !text.is_empty() && text.chars().all(plain) {
        return Some(host);
    }
    faults
        .add(host.span(), "`host` must be the name or the address of a server, and nothing else")
        .label("the port is given by `port`, TLS by `security`");
    None
}

fn port(section: &Section<'_>, faults: &mut Faults) -> Given<u16> {
    let port = section.number("port", 1..=u32::from(u16::MAX), faults)?;
    let number = u16::try_from(*port.get_ref()).ok()?;
    Some(Spanned::new(port.span(), number))
}

fn user(section: &Section<'_>, faults: &mut Faults) -> Given<String> {
    let user = section.string("user", faults)?;
    if user.get_ref().trim().is_empty() || user.get_ref().contains(char::is_control) {
        faults.add(user.span(), "`user` must be a name, without control characters");
        return None;
    }
    Some(user)
}

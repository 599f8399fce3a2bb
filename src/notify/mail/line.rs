//! How a mail server is reached, and what is never sent to it.

use std::net::Ipv4Addr;
use std::time::Duration;

use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

use crate::config::SmtpSecurity;
use crate::http::{cause, is_this_machine, spelled};

use super::super::patience::Miss;
use super::super::{MailServer, Messenger, NotSent};
use super::letter;

/// The way to a mail server.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) server: MailServer,
    pub(super) greeting: ClientId,
    pub(super) protection: Protection,
}

/// How the connection is protected.
#[derive(Clone)]
pub(super) enum Protection {
    /// From the first byte.
    FromTheStart(TlsParameters),
    /// After `STARTTLS`.
    AfterAsking(TlsParameters),
    /// Not at all.
    None,
}

impl Line {
    /// The way to a server; refused if a password would travel where others can read it.
    pub(super) fn to(server: &MailServer, messenger: &Messenger) -> Result<Self, NotSent> {
        let here = is_this_machine(server.address());
        if server.login.is_some() && server.security == SmtpSecurity::None && !here {
            return Err(NotSent::new(format!(
                "`{}` gets no password without TLS: use `tls` or `starttls`",
                server.host
            )));
        }
        let protection = match server.security {
            SmtpSecurity::Tls => Protection::FromTheStart(tls(server, messenger)?),
            SmtpSecurity::Starttls => Protection::AfterAsking(tls(server, messenger)?),
            SmtpSecurity::None => Protection::None,
        };
        let greeting = greeting(&messenger.machine);
        Ok(Self { server: server.clone(), greeting, protection })
    }
}

fn tls(server: &MailServer, messenger: &Messenger) -> Result<TlsParameters, NotSent> {
    let trust = messenger.trust().map_err(|miss| NotSent::new(miss.why))?;
    let mut builder = TlsParameters::builder(server.address().to_owned());
    // As for HTTP: the platform knows no certificate of this machine.
    if is_this_machine(server.address()) {
        builder = builder.certificate_store(CertificateStore::None);
    }
    let unusable = |error| NotSent::new(format!("TLS cannot be set up: {}", cause(&error)));
    if let Some(pem) = trust.pem() {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(unusable)?);
    }
    builder.build().map_err(unusable)
}

/// What is said with `EHLO`. Many servers refuse a name that is no whole one, and none an address.
fn greeting(machine: &str) -> ClientId {
    let domain = letter::domain(machine);
    if domain.contains('.') {
        ClientId::Domain(domain)
    } else {
        ClientId::Ipv4(Ipv4Addr::LOCALHOST)
    }
}

impl MailServer {
    /// The host as a name or an address, without the brackets of an IPv6 one.
    pub(super) fn address(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    pub(super) fn too_slow(&self, limit: Duration) -> Miss {
        Miss::hopeful(format!("no answer from `{}` within {}", self.host, spelled(limit)))
    }
}

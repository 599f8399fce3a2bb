//! What a channel without a name is called by: short, lasting, and never a secret.

use std::ops::Range;

use serde_spanned::Spanned;

use crate::config::mistake::Faults;
use crate::config::resolve::address::{Bad, host_of_secret};
use crate::config::source::SecretSource;
use crate::config::wire::ViaWire;

/// What stands in the place of a name.
pub(super) struct Identity {
    pub(super) id: String,
    /// What it follows from.
    pub(super) called_by: &'static str,
    pub(super) span: Range<usize>,
}

/// What the channel is called by; none where its address is none.
pub(super) fn of(via: &ViaWire, faults: &mut Faults) -> Option<Identity> {
    let (id, called_by, span) = match via {
        ViaWire::Webhook { url, .. } => {
            (reference("webhook", url, faults)?, "where its address is found", url.span())
        }
        ViaWire::Ping(url) => {
            (reference("ping", url, faults)?, "where its address is found", url.span())
        }
        ViaWire::Email(mail) => (mail.to.get_ref().join(","), "its addresses", mail.to.span()),
        ViaWire::Command(words) => {
            let program = words.get_ref().first().cloned().unwrap_or_default();
            (program, "its program", words.span())
        }
    };
    Some(Identity { id, called_by, span })
}

/// The key and where the address is found; of an address itself only the host.
fn reference(key: &str, url: &Spanned<SecretSource>, faults: &mut Faults) -> Option<String> {
    let place = match url.get_ref() {
        SecretSource::Literal(literal) => match host_of_secret(literal.expose()) {
            Ok(host) => host.to_owned(),
            Err(bad) => {
                refuse(key, bad, url.span(), faults);
                return None;
            }
        },
        SecretSource::Env(name) | SecretSource::Credential(name) => name.clone(),
        SecretSource::File { path, key: None, .. } => path.display().to_string(),
        SecretSource::File { path, key: Some(key), .. } => format!("{}#{key}", path.display()),
        SecretSource::Command(words) => words.first().cloned().unwrap_or_default(),
    };
    Some(format!("{key} {place}"))
}

fn refuse(key: &str, bad: Bad, span: Range<usize>, faults: &mut Faults) {
    match bad {
        Bad::Form => faults
            .add(span, format!("`{key}` is no address"))
            .label("write `https://HOST/PATH`, or where it is found: `{ env = NAME }`"),
        Bad::PlainHttp => faults
            .add(span, "plain `http` would show a secret address to the network")
            .label("write `https`; `http` is for loopback only"),
    };
}

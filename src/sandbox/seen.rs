//! Remembers the calls that the server got: enough to assert on, and never a secret.

use crate::token::Provider;

use super::call::{Call, take_version};
use super::host::Host;
use super::simulation::Simulation;

/// How a call carried its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// Not at all.
    Nobody,
    /// In the `Authorization` header.
    Header,
    /// In the `access_token` parameter.
    Parameter,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Whose host it was for.
    pub provider: Provider,
    pub method: String,
    /// The path at that host, with its version and without its query.
    pub path: String,
    /// What was to be granted, where something is.
    pub grant_type: Option<String>,
    /// The names of the parameters, as they came.
    pub parameters: Vec<String>,
    /// The names of those that came in the body and not in the address.
    pub in_body: Vec<String>,
    /// How it carried its token.
    pub sender: Sender,
    /// The words of the token that it was about: the one to inspect or exchange, else the
    /// caller's. Words are not the access token.
    pub about: Option<String>,
    /// The status that was answered; nothing when the connection was closed instead.
    pub status: Option<u16>,
}

impl Seen {
    pub(super) fn new(call: &Call, sim: &Simulation) -> Self {
        Self {
            provider: call.host.into(),
            method: call.method.clone(),
            path: masked(&call.path),
            grant_type: call.get("grant_type").map(masked),
            parameters: call.parameters().map(|(name, _)| masked(name)).collect(),
            in_body: call.form.iter().map(|(name, _)| masked(name)).collect(),
            sender: match (&call.bearer, call.get("access_token")) {
                (Some(_), _) => Sender::Header,
                (None, Some(_)) => Sender::Parameter,
                (None, None) => Sender::Nobody,
            },
            about: call.tokens().find_map(|string| sim.words(string)).map(str::to_owned),
            status: None,
        }
    }

    /// The path at its host without its version.
    pub fn endpoint(&self) -> &str {
        take_version(&self.path).1
    }

    /// The endpoint and whose it is: `debug_token` at Facebook, `threads/debug_token` at Threads.
    pub fn place(&self) -> String {
        match self.provider {
            Provider::Facebook => self.endpoint().to_owned(),
            other => format!("{other}/{}", self.endpoint()),
        }
    }
}

/// A path, a name or a grant has no business to hold a token; if a client erred, it is not kept.
fn masked(text: &str) -> String {
    let strings = ["|", "EAA", Host::Instagram.prefix(), Host::Threads.prefix()];
    let secret = strings.iter().any(|string| text.contains(string));
    if secret { "[masked]".to_owned() } else { text.to_owned() }
}

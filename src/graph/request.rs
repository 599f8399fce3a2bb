//! Holds one request to Graph.
//!
//! It can be looked at, compared and printed without a network; what is secret in it shows only
//! to the one that sends it.

use std::borrow::Cow;
use std::fmt;

use crate::token::{Method, Path, Provider, Secret};

use super::settings::App;

/// Whether asking twice is the same as asking once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotence {
    /// It only reads.
    Repeatable,
    /// It mints an access token; an answer that was lost may have held one.
    Minting,
    /// It spends what works once; where it arrived, the same again is refused.
    Spending,
}

#[derive(Clone, PartialEq, Eq)]
enum Value {
    Plain(String),
    Hidden(Secret),
}

impl Value {
    fn text(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Hidden(secret) => secret.expose(),
        }
    }
}

/// One request to Graph.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    provider: Provider,
    endpoint: &'static str,
    method: Method,
    segments: Vec<String>,
    parameters: Vec<(Cow<'static, str>, Value)>,
    bearer: Option<Secret>,
    idempotence: Idempotence,
    standing: Standing,
    host: RequestHost,
}

/// Which of a provider's hosts is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestHost {
    /// That of its API.
    Api,
    /// The one that exchanges the codes of logins.
    Codes,
}

/// In whose name something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The token's own.
    Token,
    /// The app's too, by its id and secret.
    App,
}

impl Request {
    /// A request to the host of the app's provider that only reads.
    pub(super) fn get(endpoint: &'static str, app: &App, path: Path) -> Self {
        Self::by(Method::Get, endpoint, app, path)
    }

    /// A request to the host of the app's provider, its parameters carried so.
    pub(super) fn by(method: Method, endpoint: &'static str, app: &App, path: Path) -> Self {
        let (version, parts) = match path {
            Path::Versioned(parts) => (Some(app.version.as_str()), parts),
            Path::Fixed(parts) => (None, parts),
        };
        Self {
            provider: app.provider,
            endpoint,
            method,
            segments: version.iter().chain(parts).map(|&part| part.to_owned()).collect(),
            parameters: Vec::new(),
            bearer: None,
            idempotence: Idempotence::Repeatable,
            standing: Standing::Token,
            host: RequestHost::Api,
        }
    }

    /// A request to a provider's root, without a token: the error that answers it is dated.
    pub(super) const fn for_the_time(provider: Provider) -> Self {
        Self {
            provider,
            endpoint: "time",
            method: Method::Get,
            segments: Vec::new(),
            parameters: Vec::new(),
            bearer: None,
            idempotence: Idempotence::Repeatable,
            standing: Standing::Token,
            host: RequestHost::Api,
        }
    }

    /// A request to Facebook's host without a token, to which only the version matters.
    pub(super) fn for_a_version(version: &str) -> Self {
        let segments = [version, "me"].map(str::to_owned).to_vec();
        Self { endpoint: "version", segments, ..Self::for_the_time(Provider::Facebook) }
    }

    /// The same request for one object of the path.
    pub(super) fn below(mut self, id: &str) -> Self {
        self.segments.push(id.to_owned());
        self
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), Value::Plain(value.into())));
        self
    }

    /// The same with a parameter that the config names.
    pub(super) fn asking(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned().into(), Value::Plain(value.to_owned())));
        self
    }

    pub(super) fn with_secret(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), Value::Hidden(Secret::new(value))));
        self
    }

    pub(super) fn with_bearer(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(Secret::new(token));
        self
    }

    /// The same request, backed by the app's secret.
    pub(super) const fn in_the_apps_name(mut self) -> Self {
        self.standing = Standing::App;
        self
    }

    /// Whether the app's id or secret, if wrong, makes it fail.
    pub const fn names_the_app(&self) -> bool {
        matches!(self.standing, Standing::App)
    }

    pub(super) const fn minting(mut self) -> Self {
        self.idempotence = Idempotence::Minting;
        self
    }

    pub(super) const fn spending(mut self) -> Self {
        self.idempotence = Idempotence::Spending;
        self
    }

    /// The same request to the host that exchanges codes.
    pub(super) const fn asking_the_host_of_codes(mut self) -> Self {
        self.host = RequestHost::Codes;
        self
    }

    /// Which of the provider's hosts is asked.
    pub const fn host(&self) -> RequestHost {
        self.host
    }

    /// Whose host is asked; which URL that is, the settings say.
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    /// The name of the endpoint, for people and logs.
    pub const fn endpoint(&self) -> &'static str {
        self.endpoint
    }

    /// The path, without the query.
    pub fn path(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }

    /// The parts of the path, not yet encoded.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// How its parameters travel.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The names and values of its parameters, not yet encoded, secrets included.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (&**name, value.text()))
    }

    /// What goes into the `Authorization` header.
    pub const fn bearer(&self) -> Option<&Secret> {
        self.bearer.as_ref()
    }

    /// Whether it may be asked twice.
    pub const fn idempotence(&self) -> Idempotence {
        self.idempotence
    }

    /// Everything in it that must not be seen again in an answer's words.
    pub fn secrets(&self) -> Vec<Secret> {
        let hidden = self.parameters.iter().filter_map(|(_, value)| match value {
            Value::Hidden(secret) => Some(secret.clone()),
            Value::Plain(_) => None,
        });
        hidden.chain(self.bearer.clone()).collect()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters: Vec<_> = self
            .parameters
            .iter()
            .map(|(name, value)| match value {
                Value::Plain(text) => format!("{name}={text}"),
                Value::Hidden(_) => format!("{name}=[redacted]"),
            })
            .collect();
        f.debug_struct("Request")
            .field("endpoint", &self.endpoint)
            .field("method", &self.method)
            .field("path", &self.path())
            .field("parameters", &parameters)
            .field("bearer", &self.bearer.as_ref().map(|_| "[redacted]"))
            .field("idempotence", &self.idempotence)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_a_request_shows_no_secret() {
        let app = App::sample(Provider::Facebook);
        let request = Request::get("inspect", &app, Path::Versioned(&["debug_token"]))
            .with("limit", "100")
            .with_secret("input_token", "EAAfakeinput")
            .with_bearer("1|hushhush");
        let shown = format!("{request:?}");
        assert!(shown.contains("limit=100") && shown.contains("/v25.0/debug_token"), "{shown}");
        assert!(!shown.contains("EAAfake") && !shown.contains("hush"), "{shown}");
        assert_eq!(request.secrets().len(), 2);
    }
}

//! The one file that knows that there is a network.
//!
//! It sends a [`Request`] once and gives back a [`Response`], or says in our words how far it got.
//! No error of the HTTP library leaves it: those print the URL, and the URL holds secrets.

use std::error::Error;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Certificate, Url, redirect, retry};
use zeroize::Zeroizing;

use crate::crypto;
use crate::token::{Action, Problem, ProblemKind};

use super::request::Request;
use super::response::{Headers, Response};
use super::retry::{Failure, Reach};
use super::settings::{Endpoints, Settings, is_loopback};

/// No answer that we ask for is longer.
const LONGEST_BODY: usize = 1024 * 1024;
/// All but long lists of Pages fit into this.
const USUAL_BODY: usize = 16 * 1024;

/// A connection to Graph, shared by all threads.
#[derive(Debug)]
pub(super) struct Transport {
    client: Client,
    endpoints: Endpoints,
    timeout: Duration,
    connect_timeout: Duration,
}

impl Transport {
    /// Builds the client; one that cannot be built is the configuration's fault.
    pub(super) fn new(settings: &Settings) -> Result<Self, Problem> {
        crypto::install_tls_provider();
        let trusted = match &settings.ca_file {
            Some(path) => certificates(path)?,
            None => Vec::new(),
        };
        let builder = Client::builder()
            .user_agent(concat!("metatoken/", env!("CARGO_PKG_VERSION")))
            .timeout(settings.timeout)
            .connect_timeout(settings.connect_timeout())
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never());
        // `HTTP_PROXY` would catch even loopback, and a sandbox needs no certificate store.
        let builder = if settings.endpoints.is_loopback() {
            builder.no_proxy().tls_certs_only(trusted)
        } else {
            builder.tls_certs_merge(trusted)
        };
        let client = builder.build().map_err(|error| {
            let why = cause(&error.without_url());
            misconfigured(format!("the HTTPS client cannot be set up: {why}"))
        })?;
        Ok(Self {
            client,
            endpoints: settings.endpoints.clone(),
            timeout: settings.timeout,
            connect_timeout: settings.connect_timeout(),
        })
    }

    /// Sends a request once and reads the whole answer, all within `limit` and the timeout.
    pub(super) fn send(&self, request: &Request, limit: Duration) -> Result<Response, Failure> {
        let url = self.url(request).map_err(|problem| unsent(problem, Reach::NotConnected))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let patience = self.timeout.min(limit);
        let begun = Instant::now();
        let failed = |error: &(dyn Error + 'static)| self.failure(error, &host, patience);
        // Set on the request, the timeout covers the body too.
        let builder = authorised(self.client.get(url).timeout(patience), request)
            .map_err(|problem| unsent(problem, Reach::NotConnected))?;
        let mut answer = builder.send().map_err(|error| failed(&error.without_url()))?;
        let status = answer.status().as_u16();
        let headers: Headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        let body = read_body(&mut answer, begun + patience).map_err(|error| match error {
            Unread::Failed(error) => failed(&error),
            Unread::TooSlow => unsent(too_slow(&host, patience), Reach::Unanswered),
            Unread::TooLong => {
                let message = "Graph's answer cannot be read: it has more than 1 MiB";
                let problem = Problem::new(ProblemKind::MalformedResponse, message);
                unsent(problem, Reach::Unanswered)
            }
        })?;
        Ok(Response::new(status, headers, body).to_a_question_with(request.secrets()))
    }

    fn url(&self, request: &Request) -> Result<Url, Problem> {
        let endpoint = self.endpoints.url(request.provider());
        let bad =
            |why| misconfigured(format!("the endpoint in the config is no URL of a host: {why}"));
        let mut url = Url::parse(endpoint).map_err(|error| bad(error.to_string()))?;
        if url.scheme() != "https" && !is_loopback(endpoint) {
            return Err(bad("only loopback may be asked without `https`".to_owned()));
        }
        url.path_segments_mut()
            .map_err(|()| bad("it has no path".to_owned()))?
            .pop_if_empty()
            .extend(request.segments());
        url.query_pairs_mut().clear().extend_pairs(request.query());
        Ok(url)
    }

    fn failure(&self, error: &(dyn Error + 'static), host: &str, patience: Duration) -> Failure {
        let connecting = find::<reqwest::Error>(error).is_some_and(reqwest::Error::is_connect);
        let reach = if connecting { Reach::NotConnected } else { Reach::Unanswered };
        let unresolved = find::<reqwest::Error>(error).is_some_and(reqwest::Error::is_dns)
            || chain(error).any(|cause| cause.to_string().starts_with("dns error"));
        let problem = if timed_out(error) && connecting {
            let patience = self.connect_timeout.min(patience);
            network(format!("no connection to `{host}` within {}", spelled(patience)))
        } else if timed_out(error) {
            too_slow(host, patience)
        } else if unresolved {
            network(format!("the name `{host}` could not be resolved"))
        } else if let Some(error @ rustls::Error::InvalidCertificate(_)) = find(error) {
            network(format!("the certificate of `{host}` was not accepted: {error}"))
        } else if connecting {
            network(format!("no connection to `{host}`: {}", cause(error)))
        } else {
            network(format!("the connection to `{host}` broke: {}", cause(error)))
        };
        Failure { problem, reach }
    }
}

fn authorised(builder: RequestBuilder, request: &Request) -> Result<RequestBuilder, Problem> {
    let Some(bearer) = request.bearer() else { return Ok(builder) };
    let value = Zeroizing::new(format!("Bearer {}", bearer.expose()));
    let mut value = HeaderValue::from_str(&value).map_err(|_| {
        let message = "the app's secret has a character that no HTTP header may hold";
        Problem::new(ProblemKind::BadAppCredentials, message)
    })?;
    value.set_sensitive(true);
    Ok(builder.header(AUTHORIZATION, value))
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Problem> {
    let bad = |why: String| misconfigured(format!("`ca_file` {}: {why}", path.display()));
    let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem);
    let found = found.map_err(|_| bad("it is no PEM file of certificates".to_owned()))?;
    if found.is_empty() {
        return Err(bad("it holds no certificate".to_owned()));
    }
    Ok(found)
}

enum Unread {
    Failed(io::Error),
    TooSlow,
    TooLong,
}

fn read_body(answer: &mut impl Read, until: Instant) -> Result<Zeroizing<Vec<u8>>, Unread> {
    let mut body = Zeroizing::new(Vec::with_capacity(USUAL_BODY));
    let mut chunk = Zeroizing::new([0; 8192]);
    loop {
        match answer.read(chunk.as_mut()) {
            Ok(0) => return Ok(body),
            Ok(count) if body.len() + count > LONGEST_BODY => return Err(Unread::TooLong),
            Ok(count) => append(&mut body, &chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Unread::Failed(error)),
        }
        if Instant::now() > until {
            return Err(Unread::TooSlow);
        }
    }
}

/// Moves to a larger buffer by hand: a vector that grows by itself leaves a copy of a token behind
/// in memory that nobody wipes.
fn append(body: &mut Zeroizing<Vec<u8>>, chunk: &[u8]) {
    if body.len() + chunk.len() > body.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(2 * body.capacity() + chunk.len()));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(chunk);
}

const fn unsent(problem: Problem, reach: Reach) -> Failure {
    Failure { problem, reach }
}

fn network(message: String) -> Problem {
    Problem::new(ProblemKind::Network, message)
}

fn too_slow(host: &str, patience: Duration) -> Problem {
    network(format!("no answer from `{host}` within {}", spelled(patience)))
}

fn misconfigured(message: String) -> Problem {
    Problem::new(ProblemKind::Unknown, message).with_action(Action::FixConfiguration)
}

/// Whole seconds, or milliseconds where there is no whole one: nanoseconds interest nobody.
fn spelled(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{}ms", duration.as_millis()),
        seconds => format!("{seconds}s"),
    }
}

/// An error and what caused it.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| behind(*error))
}

/// What an `io::Error` wraps is a cause that it does not own up to.
fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|cause| cause.downcast_ref())
}

fn timed_out(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|cause| {
        cause.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout)
            || cause
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    })
}

/// The innermost cause in few words, unless it could hold a URL.
fn cause(error: &(dyn Error + 'static)) -> String {
    let of_the_system = chain(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind))
        .find(|kind| !matches!(kind, io::ErrorKind::Other | io::ErrorKind::InvalidData));
    let innermost = chain(error).last().map(ToString::to_string).unwrap_or_default();
    match of_the_system {
        Some(kind) => kind.to_string(),
        None if innermost.contains("://") || innermost.contains('@') || innermost.is_empty() => {
            "it failed".to_owned()
        }
        None => crate::token::redact::sentence(&innermost, &[]),
    }
}

//! Sends a request to Graph over the network.
//!
//! It sends a [`Request`] once and gives back a [`Response`], or says how far it got, as a
//! [`Problem`] in our words.

use std::time::Duration;

use crate::http::{Http, HttpRequest, Locality, SetupError, Timeouts, Trust, Url};
use crate::token::{Action, Method, Problem, ProblemKind};

use super::body::form_encoded;
use super::request::{Request, RequestHost};
use super::response::{Headers, Response};
use super::retry::{FailedAttempt, Reached};
use super::settings::{Endpoints, Settings};

/// No answer that we ask for is longer.
const LONGEST_BODY: usize = 1024 * 1024;

/// A connection to Graph, shared by all threads.
#[derive(Debug)]
pub struct Transport {
    http: Http,
    endpoints: Endpoints,
}

impl Transport {
    /// Reads the certificates to trust; one that cannot be read is a mistake in the config.
    pub fn new(settings: &Settings) -> Result<Self, Problem> {
        let limits = Timeouts { whole: settings.timeout, connect: settings.connect_timeout() };
        let trust = Trust::new(settings.ca_file.as_deref()).map_err(not_set_up)?;
        Ok(Self { http: Http::new(trust, limits), endpoints: settings.endpoints.clone() })
    }

    /// Sets up what a request to its host needs.
    pub fn prepare(&self, request: &Request) -> Result<(), Problem> {
        self.http.prepare(Locality::of(self.endpoint(request))).map_err(not_set_up)
    }

    /// Sends a request once and reads the whole answer, all within `limit` and the timeout.
    pub fn send(&self, request: &Request, limit: Duration) -> Result<Response, FailedAttempt> {
        let message = self.message(request).map_err(not_sent)?;
        let answer = self.http.send(message, limit).map_err(failure)?;
        let status = answer.status();
        let headers: Headers = answer.headers().collect();
        let body = answer.body(LONGEST_BODY).map_err(failure)?;
        Ok(Response::new(status, headers, body).to_a_question_with(request.secrets()))
    }

    fn message(&self, request: &Request) -> Result<HttpRequest, Problem> {
        let message = match request.method() {
            Method::Get => HttpRequest::get(self.url_with_parameters(request)?),
            Method::Delete => HttpRequest::delete(self.url_with_parameters(request)?),
            Method::Post => {
                HttpRequest::form(self.url(request)?, form_encoded(request.parameters()))
            }
        };
        let Some(bearer) = request.bearer() else { return Ok(message) };
        message.with_bearer(bearer).map_err(|_| {
            let message = "the app's secret has a character that no HTTP header may hold";
            Problem::new(ProblemKind::BadAppCredentials, message)
        })
    }

    fn endpoint(&self, request: &Request) -> &str {
        match request.host() {
            RequestHost::Api => self.endpoints.url(request.provider()),
            RequestHost::Codes => self.endpoints.code_url(request.provider()),
        }
    }

    fn url_with_parameters(&self, request: &Request) -> Result<Url, Problem> {
        let mut url = self.url(request)?;
        if request.parameters().next().is_some() {
            url.query_pairs_mut().extend_pairs(request.parameters());
        }
        Ok(url)
    }

    fn url(&self, request: &Request) -> Result<Url, Problem> {
        let endpoint = self.endpoint(request);
        let bad = |why| {
            misconfigured(format!("the endpoint in the config is not the URL of a host: {why}"))
        };
        let mut url = Url::parse(endpoint).map_err(|error| bad(error.to_string()))?;
        if url.scheme() != "https" && Locality::of(endpoint) == Locality::Network {
            return Err(bad("only loopback may be asked without `https`".to_owned()));
        }
        url.path_segments_mut()
            .map_err(|()| bad("it has no path".to_owned()))?
            .pop_if_empty()
            .extend(request.segments());
        Ok(url)
    }
}

fn failure(failure: crate::http::HttpError) -> FailedAttempt {
    use crate::http::HttpError;
    let network = |message| Problem::new(ProblemKind::Network, message);
    match failure {
        HttpError::NotConnected(why) | HttpError::NotPrivate(why) => {
            FailedAttempt { problem: network(why), reach: Reached::NotConnected }
        }
        HttpError::NotTrusted(why) => not_sent(network(why).with_action(Action::FixConfiguration)),
        HttpError::Unanswered(why) => {
            FailedAttempt { problem: network(why), reach: Reached::Unanswered }
        }
        HttpError::TooLong => {
            let message = "Graph's answer cannot be read: it has more than 1 MiB";
            let problem = Problem::new(ProblemKind::MalformedResponse, message);
            FailedAttempt { problem, reach: Reached::Unanswered }
        }
    }
}

const fn not_sent(problem: Problem) -> FailedAttempt {
    FailedAttempt { problem, reach: Reached::NotConnected }
}

#[expect(clippy::needless_pass_by_value, reason = "it is the end of the error")]
fn not_set_up(error: SetupError) -> Problem {
    misconfigured(error.to_string())
}

fn misconfigured(message: String) -> Problem {
    Problem::new(ProblemKind::Unknown, message).with_action(Action::FixConfiguration)
}

//! Writes to the log where a call went and what came of it, never what was asked with.

use std::time::Duration;

use crate::token::Problem;

use super::calls::Asker;
use super::observations::Throttled;
use super::request::Request;
use super::response::Response;
use super::retry::FailedAttempt;
use super::settings::App;

/// One try of one call.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    pub app: &'a App,
    pub request: &'a Request,
    /// The first is 1.
    pub number: u32,
}

/// What is kept of an answer when it has been read.
#[derive(Default)]
pub struct Answered {
    status: Option<u16>,
    version: Option<String>,
    usage_percent: Option<u64>,
}

impl Answered {
    /// Takes from an answer what the log tells of it.
    pub fn by(response: &Response) -> Self {
        Self {
            status: Some(response.status()),
            version: response.api_version().map(str::to_owned),
            usage_percent: response.usage().percent,
        }
    }
}

impl Attempt<'_> {
    /// Tells that it was made, what came of it and how long it took.
    pub fn called(self, answered: &Answered, problem: Option<&Problem>, took: Duration) {
        let endpoint = self.request.endpoint();
        let what = problem.map_or_else(|| "answered".to_owned(), ToString::to_string);
        tracing::debug!(
            event = "called",
            app = self.app.name,
            endpoint,
            path = self.request.path(),
            attempt = self.number,
            status = answered.status,
            problem = problem.map(|problem| problem.kind.as_str()),
            code = problem.and_then(|problem| problem.code),
            subcode = problem.and_then(|problem| problem.subcode),
            fbtrace_id = problem.and_then(|problem| problem.fbtrace_id.as_deref()),
            answered_by = answered.version,
            usage_percent = answered.usage_percent,
            duration_ms = took.as_millis(),
            "call `{endpoint}`: {what}"
        );
    }

    /// Tells that it is made again, and why.
    pub fn retried(self, failure: &FailedAttempt, pause: Duration) {
        let problem = &failure.problem;
        tracing::debug!(
            event = "retried",
            app = self.app.name,
            endpoint = self.request.endpoint(),
            attempt = self.number,
            pause_ms = pause.as_millis(),
            problem = problem.kind.as_str(),
            code = problem.code,
            subcode = problem.subcode,
            fbtrace_id = problem.fbtrace_id,
            "call `{}` is made again after {} ms: {problem}",
            self.request.endpoint(),
            pause.as_millis()
        );
    }

    /// Tells that the whole app, or the host, is to be left alone.
    pub fn throttled(self, failure: &FailedAttempt, what: &Throttled) {
        let (app, problem) = (&self.app.name, &failure.problem);
        let what = match what {
            Throttled::App(app) => format!("Meta throttles app `{app}`"),
            Throttled::Host(provider) => {
                format!("the host of {} wants no calls", provider.spec().api)
            }
        };
        let wait = failure
            .wait()
            .map_or_else(String::new, |wait| format!(" for {} minutes", wait.num_minutes()));
        tracing::warn!(
            event = "throttled",
            app,
            endpoint = self.request.endpoint(),
            code = problem.code,
            subcode = problem.subcode,
            fbtrace_id = problem.fbtrace_id,
            problem = problem.kind.as_str(),
            "{what}{wait}: {problem}"
        );
    }
}

/// Tells that this asker may not ask about tokens, and that another way is taken.
pub fn may_not_ask(app: &App, asker: Asker<'_>, problem: &Problem) {
    let who = match asker {
        Asker::App(_) => format!("app `{}` may not ask about tokens", app.name),
        Asker::Token => format!("tokens of app `{}` may not ask about themselves", app.name),
    };
    tracing::info!(
        event = "inspection_refused",
        app = app.name,
        problem = problem.kind.as_str(),
        code = problem.code,
        subcode = problem.subcode,
        fbtrace_id = problem.fbtrace_id,
        "{who}: {problem}"
    );
}

/// Tells that a list of Pages is asked for in shorter stretches.
pub fn less_at_once(app: &App, limit: u32, problem: &Problem) {
    tracing::info!(
        event = "list_shortened",
        app = app.name,
        limit,
        code = problem.code,
        fbtrace_id = problem.fbtrace_id,
        "the Pages are listed {limit} at a time: {problem}"
    );
}

//! Reads `[http]` and `[endpoints]`: how Graph is called, and where it is.

use std::path::PathBuf;
use std::time::Duration;

use super::address::{Bad, check_endpoint};
use super::diagnostic::{Diagnostic, Span};
use super::reader::Section;
use crate::graph::Endpoints;
use crate::token::Provider;

/// How Graph is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// How long one call may take.
    pub timeout: Duration,
    /// How many calls may be under way.
    pub concurrency: usize,
    /// How often one call is tried while faults are transient.
    pub attempts: u32,
    /// How long a run may take.
    pub run_deadline: Duration,
    /// Certificates to trust besides the platform's.
    pub ca_file: Option<PathBuf>,
}

impl HttpSettings {
    /// How many threads make these calls: a third as many again, so that there are calls under way
    /// while some threads store what they were answered. For one call at a time it is one thread, and
    /// everything happens in one order.
    pub const fn workers(&self) -> usize {
        self.concurrency + self.concurrency / 3
    }
}

/// Reads `[http]`.
pub fn read(top: &Section<'_>) -> HttpSettings {
    let http = top.table("http", "How Graph is called");
    let settings = HttpSettings {
        timeout: http
            .duration("timeout", "How long one call may take")
            .positive()
            .or_std(Duration::from_secs(30)),
        concurrency: http.number("concurrency", "How many calls may be under way", 1..=32).or(8_u32)
            as usize,
        attempts: http
            .number("attempts", "How often one call is tried when the fault is transient", 1..=10)
            .or(4),
        run_deadline: http
            .duration("run_deadline", "How long a run may take")
            .positive()
            .or_std(Duration::from_mins(15)),
        ca_file: http.path("ca_file", "Certificates to trust besides the system's").optional(),
    };
    http.show();
    settings
}

/// Reads `[endpoints]`.
pub fn read_endpoints(top: &Section<'_>) -> Endpoints {
    let endpoints = top.table("endpoints", "Where Graph is; by default Meta's own servers");
    let settings = Endpoints::each(|provider| {
        let (key, spec) = (provider.as_str(), provider.spec());
        let given = endpoints.string(key, spec.api).map(|url| url.trim_end_matches('/').to_owned());
        let given = given.check(|url, span| bad_endpoint(key, url, span));
        given.or(spec.endpoint.to_owned())
    });
    let settings = read_code_hosts(&endpoints, settings);
    endpoints.show();
    settings
}

/// Reads the hosts that exchange the codes of logins, where they are not those of the API.
fn read_code_hosts(endpoints: &Section<'_>, settings: Endpoints) -> Endpoints {
    let hosts = Provider::ALL.iter().filter_map(|provider| {
        let (_, key) = provider.spec().dialog.code_host?;
        Some((*provider, key))
    });
    hosts.fold(settings, |settings, (provider, key)| {
        let given = endpoints.string(key, "Where the codes of its logins are exchanged");
        let given = given.map(|url| url.trim_end_matches('/').to_owned());
        let given = given.check(|url, span| bad_endpoint(key, url, span));
        match given.optional() {
            Some(url) => settings.with_code_host(provider, url),
            None => settings,
        }
    })
}

fn bad_endpoint(key: &str, url: &str, span: Span) -> Option<Diagnostic> {
    let (message, label) = match check_endpoint(url).err()? {
        Bad::Form => (
            format!("`{key}` is not a valid URL"),
            "write `https://HOST`, without query and password",
        ),
        Bad::PlainHttp => (
            "plain `http` would show tokens to the network".to_owned(),
            "write `https`; `http` is for loopback only",
        ),
    };
    Some(Diagnostic::at(span, message).label(label))
}

//! Tells how far an attempt got that brought no answer, in few words and without an address.

use std::error::Error;
use std::time::Duration;
use std::{fmt, io};

use crate::token::redact;

/// A try that brought no whole answer, in words that hold of the address only the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    /// No connection was made: nothing was sent.
    NotConnected(String),
    /// No connection was made, for the certificate of the host was not accepted: nothing was sent.
    NotTrusted(String),
    /// No connection was made, for it would have led out of the private network: nothing was sent.
    NotPrivate(String),
    /// It was sent, or part of it, and no whole answer came back.
    Unanswered(String),
    /// The answer is longer than the limit of the request.
    TooLong,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected(why)
            | Self::NotTrusted(why)
            | Self::NotPrivate(why)
            | Self::Unanswered(why) => f.write_str(why),
            Self::TooLong => f.write_str("the answer is too long"),
        }
    }
}

impl std::error::Error for HttpError {}

/// What was waited for, and how long.
pub struct Wait {
    pub host: String,
    pub patience: Duration,
    pub connect: Duration,
}

impl HttpError {
    pub(super) fn too_slow(wait: &Wait) -> Self {
        Self::Unanswered(format!(
            "no answer from `{}` within {}",
            wait.host,
            spelled(wait.patience)
        ))
    }

    pub(super) fn of(error: &(dyn Error + 'static), wait: &Wait) -> Self {
        let host = &wait.host;
        let connecting = find::<reqwest::Error>(error).is_some_and(reqwest::Error::is_connect);
        let why = if timed_out(error) && connecting {
            format!("no connection to `{host}` within {}", spelled(wait.connect))
        } else if timed_out(error) {
            return Self::too_slow(wait);
        } else if unresolved(error) {
            format!("the name `{host}` could not be resolved")
        } else if let Some(why) = refused_certificate(error) {
            return Self::NotTrusted(format!(
                "the certificate of `{host}` was not accepted: {why}"
            ));
        } else if connecting {
            format!("no connection to `{host}`: {}", cause(error))
        } else {
            format!("the connection to `{host}` broke: {}", cause(error))
        };
        if connecting { Self::NotConnected(why) } else { Self::Unanswered(why) }
    }
}

/// The innermost cause in few words, unless it could hold a URL.
pub fn cause(error: &(dyn Error + 'static)) -> String {
    let of_the_system = chain(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind))
        .find(|kind| !matches!(kind, io::ErrorKind::Other | io::ErrorKind::InvalidData));
    let innermost = chain(error).last().map(ToString::to_string).unwrap_or_default();
    match of_the_system {
        Some(kind) => kind.to_string(),
        None if innermost.contains("://") || innermost.contains('@') || innermost.is_empty() => {
            "it failed".to_owned()
        }
        None => redact::sentence(&innermost, &[]),
    }
}

/// Why a certificate was not accepted, if that is what the error is about.
pub fn refused_certificate(error: &(dyn Error + 'static)) -> Option<String> {
    match find(error) {
        Some(error @ rustls::Error::InvalidCertificate(_)) => Some(error.to_string()),
        _ => None,
    }
}

/// Whole seconds, or milliseconds where there is no whole one.
pub fn spelled(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{}ms", duration.as_millis()),
        seconds => format!("{seconds}s"),
    }
}

/// Whether a host's name could not be turned into an address.
pub fn unresolved(error: &(dyn Error + 'static)) -> bool {
    // The library's words, and those of the standard library, which has no kind for it.
    let begins = ["dns error", "failed to lookup address information"];
    find::<reqwest::Error>(error).is_some_and(reqwest::Error::is_dns)
        || chain(error)
            .map(ToString::to_string)
            .any(|cause| begins.iter().any(|beginning| cause.starts_with(beginning)))
}

/// Whether an error was caused by a time limit.
pub fn timed_out(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|cause| {
        cause.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout)
            || cause
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    })
}

/// Finds an error of one type among the causes of another.
pub fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|cause| cause.downcast_ref())
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

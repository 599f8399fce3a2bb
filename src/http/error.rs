//! How far a try got that brought no answer.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::cause::{cause, find, refused_certificate, spelled, timed_out, unresolved};

/// A try that brought no whole answer, in words that hold of the address only the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    /// No connection was made: nothing was sent.
    NotConnected(String),
    /// It was sent, or part of it, and no whole answer came back.
    Unanswered(String),
    /// The answer is longer than whoever asked would read.
    TooLong,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected(why) | Self::Unanswered(why) => f.write_str(why),
            Self::TooLong => f.write_str("the answer is too long"),
        }
    }
}

impl std::error::Error for HttpError {}

/// For whom was waited, and how long.
pub(super) struct Wait {
    pub(super) host: String,
    pub(super) patience: Duration,
    pub(super) connect: Duration,
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
            format!("the certificate of `{host}` was not accepted: {why}")
        } else if connecting {
            format!("no connection to `{host}`: {}", cause(error))
        } else {
            format!("the connection to `{host}` broke: {}", cause(error))
        };
        if connecting { Self::NotConnected(why) } else { Self::Unanswered(why) }
    }
}

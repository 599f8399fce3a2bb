//! Builds the refusals of Graph.

use serde_json::{Map, Value, json};

use super::host::Host;
use super::invalidation::Invalidation;

/// An error in the envelope that Graph uses everywhere but inside `debug_token`'s data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub kind: &'static str,
    pub code: i64,
    pub subcode: Option<i64>,
    pub message: String,
    pub is_transient: Option<bool>,
}

impl Refusal {
    /// A refusal of the usual kind.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "OAuthException",
            code,
            subcode: None,
            message: message.into(),
            is_transient: None,
        }
    }

    /// A parameter is missing, unknown or wrong.
    pub fn parameter(message: impl std::fmt::Display) -> Self {
        Self::new(100, format!("(#100) {message}"))
    }

    /// A parameter of a login is wrong; Graph gives no number in front of its words then.
    pub fn parameter_of(message: &str, subcode: Option<i64>) -> Self {
        Self { subcode, ..Self::new(100, message) }
    }

    /// The access token is none that Graph gave out.
    pub fn unknown_token() -> Self {
        Self::new(190, "Invalid OAuth access token.")
    }

    /// The access token may be another host's; this one cannot read it.
    pub fn unparsable(host: Host) -> Self {
        Self::new(
            190,
            match host {
                Host::Facebook => "Invalid OAuth access token - Cannot parse access token",
                Host::Instagram | Host::Threads => "Cannot parse access token",
            },
        )
    }

    /// Instagram and Threads do not renew or exchange this access token, and do not say why.
    pub fn session_key() -> Self {
        Self::new(
            452,
            "Session key invalid. This could be because the session key has an incorrect format, \
             or because the user has revoked this session",
        )
    }

    /// Instagram and Threads pretend that there is nothing here.
    pub fn no_resource() -> Self {
        Self::new(100, "The requested resource does not exist")
    }

    /// The access token's time is over, in one way or another.
    pub fn dead(invalidation: Invalidation, app: &str, since: i64, now: i64) -> Self {
        let message = invalidation.sentence(app, since, now);
        Self { subcode: Some(invalidation.subcode()), ..Self::new(190, message) }
    }

    /// There is no such app.
    pub fn unknown_app() -> Self {
        Self::new(
            101,
            "Error validating application. Cannot get application info due to a system error.",
        )
    }

    /// The proof is wrong or missing.
    pub fn proof(message: &str) -> Self {
        Self { kind: "GraphMethodException", ..Self::new(100, message) }
    }

    /// The object is not there, or may not be seen: Graph does not say which.
    pub fn no_object(id: &str) -> Self {
        Self {
            kind: "GraphMethodException",
            subcode: Some(33),
            ..Self::new(
                100,
                format!(
                    "Unsupported get request. Object with ID '{id}' does not exist, cannot be \
                     loaded due to missing permissions, or does not support this operation"
                ),
            )
        }
    }

    /// The path takes no such method.
    pub fn method(method: &str) -> Self {
        Self {
            kind: "GraphMethodException",
            ..Self::new(
                100,
                format!("Unsupported request - method type: {}", method.to_lowercase()),
            )
        }
    }

    /// The app has used up its calls.
    pub fn app_throttled() -> Self {
        Self { is_transient: Some(true), ..Self::new(4, "(#4) Application request limit reached") }
    }

    /// The person has used up theirs.
    pub fn user_throttled() -> Self {
        Self { is_transient: Some(true), ..Self::new(17, "(#17) User request limit reached") }
    }

    /// Graph is down for a while.
    pub fn unavailable() -> Self {
        Self {
            status: 503,
            is_transient: Some(true),
            ..Self::new(2, "(#2) Service temporarily unavailable")
        }
    }

    /// Graph has failed and does not know why.
    pub fn unknown_error(status: u16) -> Self {
        Self { status, ..Self::new(1, "An unknown error occurred") }
    }

    /// The answer would be too long.
    pub fn too_much() -> Self {
        let words = "Please reduce the amount of data you're asking for, then retry your request";
        Self { status: 500, ..Self::new(1, words) }
    }

    /// The refusal as a host words it: two have a type of their own for whatever happens, and
    /// Instagram does not say which way an access token died but in the sentence.
    pub fn worded_by(self, host: Host) -> Self {
        match host {
            Host::Facebook => self,
            Host::Instagram => {
                let subcode = self.subcode.filter(|_| self.code != 190);
                Self { kind: "IGApiException", subcode, ..self }
            }
            Host::Threads => Self { kind: "THApiException", ..self },
        }
    }

    /// The body as the host of Instagram's login has it.
    pub fn flat_body(&self) -> Value {
        json!({ "error_type": self.kind, "code": self.status, "error_message": self.message })
    }

    /// The body.
    pub fn body(&self, trace: &str) -> Value {
        let mut error = Map::new();
        error.insert("message".to_owned(), json!(self.message));
        error.insert("type".to_owned(), json!(self.kind));
        if let Some(is_transient) = self.is_transient {
            error.insert("is_transient".to_owned(), json!(is_transient));
        }
        error.insert("code".to_owned(), json!(self.code));
        if let Some(subcode) = self.subcode {
            error.insert("error_subcode".to_owned(), json!(subcode));
        }
        error.insert("fbtrace_id".to_owned(), json!(trace));
        json!({ "error": error })
    }
}

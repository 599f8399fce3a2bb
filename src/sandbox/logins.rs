//! Holds what a login dialog is asked, what it remembers of a person, and the codes that it gives.

use serde::{Deserialize, Serialize};

use super::fixtures::{AppFixture, PageFixture};
use super::host::Host;

/// What a person granted an app, and declined, when that was last asked.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct ConsentRecord {
    pub granted: Vec<String>,
    pub declined: Vec<String>,
}

/// Why Meta shows a page of its own in place of the dialog.
#[derive(Debug, PartialEq, Eq)]
pub struct DialogError {
    /// The number that Threads gives it.
    pub code: u32,
    pub title: &'static str,
    pub message: String,
}

impl DialogError {
    /// A reason, and what the page says of it.
    pub fn new(code: u32, title: &'static str, message: impl Into<String>) -> Self {
        Self { code, title, message: message.into() }
    }
}

/// A request for a dialog in which nothing is wrong.
pub struct DialogRequest {
    pub host: Host,
    pub app: AppFixture,
    pub redirect: String,
    pub state: String,
    /// The permissions that it asks for.
    pub asked: Vec<String>,
    pub system_user: Option<String>,
    pub asks_again: bool,
    pub reauthorizes: bool,
}

/// What a person is asked.
pub struct ConsentForm {
    /// Whether the person has granted the app something before.
    pub is_known: bool,
    /// The permissions that can be ticked off.
    pub scopes: Vec<String>,
    /// The Pages that can be ticked off.
    pub pages: Vec<PageFixture>,
}

/// A code that a dialog gave out.
#[derive(Clone, Serialize, Deserialize)]
pub struct LoginCode {
    pub host: Host,
    pub app: String,
    /// The redirect address that must be named again; none for Embedded Signup.
    pub redirect: Option<String>,
    pub issued_at: i64,
    pub is_used: bool,
    pub grant: CodeGrant,
}

/// What a code is good for.
#[derive(Clone, Serialize, Deserialize)]
pub enum CodeGrant {
    Person { id: String, scopes: Vec<String>, data_access_expires_at: i64 },
    SystemUser { id: String, scopes: Vec<String> },
}

impl CodeGrant {
    /// Whose access token it gives.
    pub fn user(&self) -> &str {
        match self {
            Self::Person { id, .. } | Self::SystemUser { id, .. } => id,
        }
    }
}

const TEN_MINUTES: i64 = 600;
/// How long what a code gives lives, and a code of Instagram or Threads, in seconds.
pub const AN_HOUR: i64 = 3600;
const THIRTY_SECONDS: i64 = 30;

impl LoginCode {
    /// How long it works, in seconds.
    pub const fn life(&self) -> i64 {
        match (self.host, &self.redirect) {
            (_, None) => THIRTY_SECONDS,
            (Host::Facebook, Some(_)) => TEN_MINUTES,
            (Host::Instagram | Host::Threads, Some(_)) => AN_HOUR,
        }
    }
}

//! An answer, as a value: status, the few headers that are read, and the body.
//!
//! The body may hold a fresh token, so it is wiped when dropped and never printed. The answer also
//! remembers what was secret in the question: whoever quotes Meta's words takes that out first.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::token::{Secret, Time};

use super::usage::Usage;

/// The headers of an answer that mean something to us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    date: Option<String>,
    content_type: Option<String>,
    retry_after: Option<String>,
    api_version: Option<String>,
    app_usage: Option<String>,
    business_usage: Option<String>,
    www_authenticate: Option<String>,
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut headers = Self::default();
        for (name, value) in pairs {
            let slot = match name.as_ref().to_ascii_lowercase().as_str() {
                "date" => &mut headers.date,
                "content-type" => &mut headers.content_type,
                "retry-after" => &mut headers.retry_after,
                "facebook-api-version" => &mut headers.api_version,
                "x-app-usage" => &mut headers.app_usage,
                "x-business-use-case-usage" => &mut headers.business_usage,
                "www-authenticate" => &mut headers.www_authenticate,
                _ => continue,
            };
            slot.get_or_insert_with(|| value.into());
        }
        headers
    }
}

/// One answer to a [`Request`](super::Request).
pub struct Response {
    status: u16,
    headers: Headers,
    body: Zeroizing<Vec<u8>>,
    secrets: Vec<Secret>,
}

impl Response {
    /// An answer as it came.
    pub fn new(status: u16, headers: Headers, body: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self { status, headers, body: body.into(), secrets: Vec::new() }
    }

    /// The same answer, knowing what was secret in the question.
    pub fn to_a_question_with(mut self, secrets: Vec<Secret>) -> Self {
        self.secrets = secrets;
        self
    }

    /// The HTTP status. Meta's own is unreliable: it decides only where the body says nothing.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The bytes of the body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// When Graph says it answered.
    pub fn date(&self) -> Option<Time> {
        let date = chrono::DateTime::parse_from_rfc2822(self.headers.date.as_deref()?).ok()?;
        Some(date.to_utc())
    }

    /// The media type, without its parameters.
    pub fn content_type(&self) -> Option<&str> {
        let head = self.headers.content_type.as_deref()?.split(';').next()?.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/+-.".contains(c);
        (!head.is_empty() && head.len() <= 64 && head.chars().all(plain)).then_some(head)
    }

    /// How long Graph, or a proxy before it, wants to be left alone; only the form in seconds is
    /// read, because no page of Meta's promises the header at all.
    pub fn retry_after(&self) -> Option<Duration> {
        self.headers.retry_after.as_deref()?.trim().parse().ok().map(Duration::from_secs)
    }

    /// The Graph version that answered: older than the one asked for when that one has ended.
    pub fn api_version(&self) -> Option<&str> {
        let version = self.headers.api_version.as_deref()?;
        let plain = |c: char| c.is_ascii_digit() || c == 'v' || c == '.';
        (version.len() <= 16 && version.chars().all(plain)).then_some(version)
    }

    /// How much of the rate limits is used up.
    pub fn usage(&self) -> Usage {
        Usage::read(self.headers.app_usage.as_deref(), self.headers.business_usage.as_deref())
    }

    pub(super) fn challenge(&self) -> Option<&str> {
        self.headers.www_authenticate.as_deref()
    }

    pub(super) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("content_type", &self.content_type())
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Response {
        Response::new(200, [(name, value)].into_iter().collect(), b"EAAfakebody".to_vec())
    }

    #[test]
    fn headers_are_read_whatever_their_case() {
        assert_eq!(
            with("Date", "Thu, 01 Jan 2026 00:00:00 GMT").date().map(|date| date.timestamp()),
            Some(1_767_225_600)
        );
        assert_eq!(with("date", "soon").date(), None);
        assert_eq!(with("CONTENT-TYPE", "text/html; charset=x").content_type(), Some("text/html"));
        assert_eq!(with("content-type", "a\u{1b}[31m").content_type(), None);
        assert_eq!(with("Retry-After", "7").retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(with("Retry-After", "-7").retry_after(), None);
        assert_eq!(with("facebook-api-version", "v25.0").api_version(), Some("v25.0"));
    }

    #[test]
    fn printing_an_answer_shows_no_body() {
        assert!(!format!("{:?}", with("date", "now")).contains("EAAfake"));
    }
}

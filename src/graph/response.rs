//! Holds an answer: status, the few headers that are read, and the body.
//!
//! The body may hold a fresh token, so it is wiped when dropped and never printed. The answer also
//! remembers what was secret in the question: it is taken out before Meta's words are quoted.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::http::Url;
use crate::token::{Secret, Time, redact};

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
    ad_account_usage: Option<String>,
    www_authenticate: Option<String>,
    content_encoding: Option<String>,
    location: Option<String>,
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
                "x-ad-account-usage" => &mut headers.ad_account_usage,
                "www-authenticate" => &mut headers.www_authenticate,
                "content-encoding" => &mut headers.content_encoding,
                "location" => &mut headers.location,
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
    arrived_at: Option<Time>,
}

impl Response {
    /// An answer as it came.
    pub fn new(status: u16, headers: Headers, body: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self { status, headers, body: body.into(), secrets: Vec::new(), arrived_at: None }
    }

    /// The same answer, knowing what was secret in the question.
    pub fn to_a_question_with(mut self, secrets: Vec<Secret>) -> Self {
        self.secrets = secrets;
        self
    }

    /// The same answer, knowing when it came by the clock that is gone by.
    pub const fn arrived_at(mut self, now: Time) -> Self {
        self.arrived_at = Some(now);
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
        http_date(self.headers.date.as_deref()?)
    }

    /// The media type, without its parameters.
    pub fn content_type(&self) -> Option<&str> {
        let head = self.headers.content_type.as_deref()?.split(';').next()?.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/+-.".contains(c);
        (!head.is_empty() && head.len() <= 64 && head.chars().all(plain)).then_some(head)
    }

    /// How long Graph, or a proxy before it, wants to be left alone: a number of seconds, or a date,
    /// which counts from the date of the answer. No page of Meta's promises the header.
    pub fn retry_after(&self) -> Option<Duration> {
        let said = self.headers.retry_after.as_deref()?.trim();
        let wait = said.parse().map(Duration::from_secs).ok().or_else(|| {
            let until = http_date(said)?;
            let answered = self.date().or(self.arrived_at)?;
            Some((until - answered).to_std().unwrap_or_default())
        });
        wait.filter(|wait| *wait <= LONGEST_WAIT)
    }

    /// How the body is packed, although nothing but plain text was asked for.
    pub(super) fn packing(&self) -> Option<&str> {
        const MARKS: [(&[u8], &str); 2] = [(b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd")];
        let said = self.headers.content_encoding.as_deref().map(str::trim);
        let said = said.filter(|name| !name.eq_ignore_ascii_case("identity") && is_word(name));
        said.or_else(|| {
            MARKS.iter().find(|(mark, _)| self.body.starts_with(mark)).map(|(_, name)| *name)
        })
    }

    /// The host that a redirect names, in the form in which it can be printed.
    pub(super) fn redirects_to(&self) -> Option<String> {
        let url = Url::parse(self.headers.location.as_deref()?.trim()).ok()?;
        let host = url.host_str()?;
        let says_nothing_else = redact::sentence(host, &self.secrets) == host;
        (says_nothing_else && host.len() <= 253).then(|| host.to_owned())
    }

    /// The Graph version that answered: not the one asked for when that one has ended. Source: Meta,
    /// Graph API versioning.
    pub fn api_version(&self) -> Option<&str> {
        self.headers.api_version.as_deref().map(str::trim).filter(|version| is_version(version))
    }

    /// How much of the rate limits is used up.
    pub fn usage(&self) -> Usage {
        let Headers { app_usage, business_usage, ad_account_usage, .. } = &self.headers;
        Usage::read(
            [app_usage, business_usage, ad_account_usage].into_iter().flatten().map(|it| &**it),
        )
    }

    /// How long Graph says that a throttled caller must wait, by the header that says longest.
    pub(super) fn wait(&self) -> Option<Duration> {
        let said = [self.retry_after(), self.usage().regain].into_iter().flatten();
        said.filter(|wait| !wait.is_zero() && *wait <= LONGEST_WAIT).max()
    }

    pub(super) fn challenge(&self) -> Option<&str> {
        self.headers.www_authenticate.as_deref()
    }

    pub(super) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }
}

/// No window of Meta's is longer. Who believed more would never ask again.
const LONGEST_WAIT: Duration = Duration::from_hours(7 * 24);

/// Reads a date of HTTP, in the form of today or in one of the two older ones. Source: RFC 9110.
fn http_date(text: &str) -> Option<Time> {
    const OLDER: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let text = text.trim();
    let today = chrono::DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc());
    today.or_else(|| {
        let read = |form| chrono::NaiveDateTime::parse_from_str(text, form).ok();
        OLDER.into_iter().find_map(read).map(|date| date.and_utc())
    })
}

/// Whether it is a plain word of a header, and short enough to print.
fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_., ".contains(c);
    !text.is_empty() && text.len() <= 32 && text.chars().all(plain)
}

/// Whether it has the form `v25.0`.
pub fn is_version(text: &str) -> bool {
    let number = |part: &str| {
        !part.is_empty() && part.len() <= 4 && part.bytes().all(|c| c.is_ascii_digit())
    };
    let parts = text.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(major, minor)| number(major) && number(minor))
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
        assert_eq!(with("Content-Encoding", "gzip").packing(), Some("gzip"));
        for plain in ["identity", "", "a\u{1b}[31m"] {
            assert_eq!(with("content-encoding", plain).packing(), None, "{plain:?}");
        }
        let packed = Response::new(200, Headers::default(), b"\x1f\x8b\x08".to_vec());
        assert_eq!(packed.packing(), Some("gzip"));
        assert_eq!(with("facebook-api-version", "v25.0").api_version(), Some("v25.0"));
        for odd in ["", "v", "25.0", "v25", "v.0", "v25.0.1", "v25.0\u{1b}", "v99999.0", "latest"] {
            assert_eq!(with("facebook-api-version", odd).api_version(), None, "{odd:?}");
        }
    }

    #[test]
    fn a_wait_is_a_number_of_seconds_or_a_date() {
        let hour = Some(Duration::from_hours(1));
        let (now, at_one) = ("Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 01:00:00 GMT");
        let arrived = chrono::DateTime::from_timestamp(1_767_225_600, 0).expect("a date");
        for (said, date, wait) in [
            ("3600", "", hour),
            (" 3600 ", now, hour),
            (at_one, now, hour),
            // Its own clock counts, where it shows one.
            (at_one, "Thu, 01 Jan 2026 00:30:00 GMT", Some(Duration::from_mins(30))),
            (at_one, "", hour),
            ("Thursday, 01-Jan-26 01:00:00 GMT", now, hour),
            ("Thu Jan  1 01:00:00 2026", now, hour),
            (now, at_one, Some(Duration::ZERO)),
            ("soon", now, None),
            ("1.5", now, None),
            ("604800", now, Some(Duration::from_hours(7 * 24))),
            ("604801", now, None),
            ("18446744073709551615", now, None),
            ("Fri, 01 Jan 2027 00:00:00 GMT", now, None),
            ("", now, None),
        ] {
            let headers = [("retry-after", said), ("date", date)].into_iter().collect();
            let response = Response::new(429, headers, Vec::new()).arrived_at(arrived);
            assert_eq!(response.retry_after(), wait, "{said:?} at {date:?}");
        }
        assert_eq!(with("retry-after", at_one).retry_after(), None, "no clock is known");
    }

    #[test]
    fn the_longest_wait_that_can_be_believed_counts() {
        let regain =
            |minutes: u64| format!(r#"{{"7":[{{"estimated_time_to_regain_access":{minutes}}}]}}"#);
        let minutes = |minutes: u64| Some(Duration::from_mins(minutes));
        for (retry_after, regains, wait) in [
            ("", 0, None),
            ("0", 0, None),
            ("60", 0, minutes(1)),
            ("60", 5, minutes(5)),
            ("600", 5, minutes(10)),
            ("99999999999", 5, minutes(5)),
            ("18446744073709551615", 999_999, None),
            ("Thu, 01 Jan 2026 00:00:00 GMT", 7 * 24 * 60, minutes(7 * 24 * 60)),
        ] {
            let usage = regain(regains);
            let headers = [("retry-after", retry_after), ("x-business-use-case-usage", &usage)];
            let response = Response::new(400, headers.into_iter().collect(), Vec::new());
            assert_eq!(response.wait(), wait, "{retry_after} {regains}");
        }
        let ads = r#"{"acc_id_util_pct":100,"reset_time_duration":90}"#;
        assert_eq!(with("X-Ad-Account-Usage", ads).wait(), Some(Duration::from_secs(90)));
        assert_eq!(with("X-Ad-Account-Usage", ads).usage().percent, Some(100));
    }

    #[test]
    fn printing_an_answer_shows_no_body() {
        assert!(!format!("{:?}", with("date", "now")).contains("EAAfake"));
    }
}

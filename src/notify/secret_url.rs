//! Sends to a URL that is a secret, and says what the answer means.
//!
//! Its host may be named, because people have to know where to look. The rest may be the secret, so
//! an answer that repeats any of it is not quoted.

use std::time::Duration;

use super::channel::Notifier;
use super::retry::{AttemptError, Retry, SendError};
use crate::http::{HttpAnswer, HttpRequest, Url, is_this_machine};
use crate::token::{Secret, redact};

/// A URL that is a secret but for its host.
pub struct SecretUrl {
    url: Url,
}

impl SecretUrl {
    /// Reads a URL; `whose` names what it is the address of.
    pub fn parse(url: &Secret, whose: &str) -> Result<Self, SendError> {
        let no_url = || {
            SendError::new(format!("the address of the {whose} is not an `https://` URL of a host"))
        };
        let url = Url::parse(url.expose()).map_err(|_| no_url())?;
        let safe = match url.scheme() {
            "https" => true,
            // On the way it could be read and used.
            "http" => url.host_str().is_some_and(is_this_machine),
            _ => false,
        };
        if !safe || url.host_str().is_none() {
            return Err(no_url());
        }
        Ok(Self { url })
    }

    /// The URL below this one, with the same query.
    pub fn below(mut self, name: &str) -> Self {
        if let Ok(mut segments) = self.url.path_segments_mut() {
            segments.pop_if_empty().push(name);
        }
        self
    }

    /// The whole URL.
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// The part that may be named.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether a text repeats anything of the URL but its host.
    pub fn is_repeated_in(&self, text: &str) -> bool {
        /// A shorter part is no secret, and occurs in every text.
        const SHORTEST: usize = 4;
        let text = text.to_lowercase();
        let repeats = |part: &str| part.len() >= SHORTEST && text.contains(&part.to_lowercase());
        self.url.path().split('/').any(repeats)
            || self.url.query().is_some_and(|query| query.split(['&', '=']).any(repeats))
            || self.url.query_pairs().any(|(_, value)| repeats(&value))
            || self.url.fragment().is_some_and(repeats)
            || repeats(self.url.username())
            || self.url.password().is_some_and(repeats)
    }
}

/// How much of an answer is read: a longer one is a page for browsers.
const LONGEST: usize = 2048;

/// Sends a request once and judges the answer; `whose` names what has the URL.
pub fn send(
    request: HttpRequest,
    url: &SecretUrl,
    whose: &str,
    notifier: &Notifier,
) -> Result<(), AttemptError> {
    let http = notifier.http()?;
    http.prepare(request.place()).map_err(|error| AttemptError::permanent(error.to_string()))?;
    let answer = http
        .send(request, notifier.retry.timeout)
        .map_err(|failure| AttemptError::transient(failure.to_string()))?;
    let status = answer.status();
    if (200..300).contains(&status) {
        // It has arrived, whatever the body says.
        return Ok(());
    }
    let retry = retry(status, answer.header("retry-after"));
    let said = quotable(answer, url).map_or_else(String::new, |said| format!(": {said}"));
    let host = url.host();
    let why = match status {
        404 | 410 => format!("the {whose} is gone: HTTP {status} of `{host}`{said}"),
        300..400 => format!("HTTP {status} of `{host}`: a redirect, which is not followed"),
        _ => format!("HTTP {status} of `{host}`{said}"),
    };
    Err(AttemptError { why, retry })
}

fn retry(status: u16, retry_after: Option<&str>) -> Retry {
    match (status, retry_after.and_then(|wait| wait.trim().parse().ok())) {
        (429 | 500..600, Some(seconds)) => Retry::After(Duration::from_secs(seconds)),
        (429 | 500..600, None) => Retry::Later,
        _ => Retry::Never,
    }
}

/// The first words of an answer, such as `invalid_payload`, if they are meant for us and give
/// nothing away.
fn quotable(answer: HttpAnswer, url: &SecretUrl) -> Option<String> {
    let body = answer.beginning(LONGEST);
    let text = std::str::from_utf8(&body).ok()?.trim();
    if body.len() == LONGEST || text.starts_with('<') || url.is_repeated_in(text) {
        return None;
    }
    let words: String = redact::sentence(text, &[]).chars().take(80).collect();
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret_url(url: &str) -> SecretUrl {
        SecretUrl::parse(&Secret::new(url), "webhook").unwrap()
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_it() {
        for url in ["", "fakefake", "ftp://h/fakefake", "https://", "mailto:fake@fake", "https:/\\"]
        {
            let refused = SecretUrl::parse(&Secret::new(url), "webhook").map(|_| ()).unwrap_err();
            let expected = "the address of the webhook is not an `https://` URL of a host";
            assert_eq!(refused.to_string(), expected, "{url}");
        }
    }

    #[test]
    fn a_name_is_put_below_and_before_the_query() {
        for (url, below) in [
            ("https://h/fake", "https://h/fake/start"),
            ("https://h/fake/", "https://h/fake/start"),
            ("https://h", "https://h/start"),
            ("https://h:8/a/fake?create=1&x=%20", "https://h:8/a/fake/start?create=1&x=%20"),
        ] {
            assert_eq!(secret_url(url).below("start").url().as_str(), below);
        }
    }

    #[test]
    fn whatever_of_the_address_comes_back_is_noticed() {
        let url =
            secret_url("https://user:pa55word@h.example/services/T0FAKE/fake%2Bkey?k=v+w+x#frag");
        for (text, repeated) in [
            ("invalid_payload", false),
            ("h.example is down", false),
            ("no such hook: T0FAKE", true),
            ("no such hook: t0fake", true),
            ("fake%2bkey", true),
            ("k is v w x", true),
            ("for user", true),
            ("pa55word", true),
            ("#frag", true),
        ] {
            assert_eq!(url.is_repeated_in(text), repeated, "{text}");
        }
    }

    #[test]
    fn a_full_or_failing_server_is_asked_again_and_when_it_says() {
        let after = |seconds| Retry::After(Duration::from_secs(seconds));
        for (status, retry_after, expected) in [
            (429, None, Retry::Later),
            (429, Some("2"), after(2)),
            (429, Some("Fri, 21 Nov 2026 12:00:00 GMT"), Retry::Later),
            (500, None, Retry::Later),
            (503, Some(" 3 "), after(3)),
            (400, None, Retry::Never),
            (400, Some("2"), Retry::Never),
            (302, None, Retry::Never),
            (404, None, Retry::Never),
        ] {
            assert_eq!(retry(status, retry_after), expected, "{status} {retry_after:?}");
        }
    }
}

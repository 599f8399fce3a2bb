//! Sends to a URL that is a secret, and says what the answer means.
//!
//! Its host may be named, because people have to know where to look. The rest may be the secret, so
//! an answer that repeats any of it is not quoted.

use std::time::Duration;

use super::channel::Notifier;
use super::retry::{AttemptError, Retry, SendError};
use crate::http::{
    HttpAnswer, HttpError, HttpRequest, PlainHttp, Url, allows_plain_http, is_this_machine,
};
use crate::token::{Secret, is_blank, redact};

/// A URL that is a secret but for its host.
pub struct SecretUrl {
    url: Url,
    /// What else is sent there that is a secret.
    beside: Vec<Secret>,
}

impl SecretUrl {
    /// Reads a URL; `whose` names what it is the address of.
    pub fn parse(url: &Secret, whose: &str, plain_http: PlainHttp) -> Result<Self, SendError> {
        let no_url = || {
            SendError::new(format!("the address of the {whose} is not an `https://` URL of a host"))
        };
        let url = url.trimmed();
        if url.expose().contains(|c| is_blank(c) || c.is_control()) {
            let what = "a blank, a line break or an invisible character inside";
            return Err(SendError::new(format!("the address of the {whose} has {what}")));
        }
        let url = Url::parse(url.expose()).map_err(|_| no_url())?;
        let safe = match url.scheme() {
            "https" => true,
            // On the way it could be read and used.
            "http" => allows_plain_http(&url, plain_http),
            _ => false,
        };
        let Some(host) = url.host_str() else { return Err(no_url()) };
        if url.scheme() == "http" && !safe && plain_http == PlainHttp::Private {
            return Err(SendError::new(format!(
                "`{host}` is not on a private network, so plain `http` is not used: write `https`"
            )));
        }
        if !safe {
            return Err(no_url());
        }
        Ok(Self { url, beside: Vec::new() })
    }

    /// The same, with other secrets that are sent there.
    pub fn beside(self, secrets: impl Iterator<Item = Secret>) -> Self {
        Self { beside: secrets.collect(), ..self }
    }

    /// The URL with another query.
    pub fn with_query(mut self, query: &str) -> Self {
        self.url.set_query(Some(query));
        self
    }

    fn is_plain_on_a_network(&self) -> bool {
        self.url.scheme() == "http" && !self.url.host_str().is_some_and(is_this_machine)
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

    /// Whether a text repeats anything of the URL but its host, or another secret that was sent there.
    fn is_repeated_in(&self, text: &str) -> bool {
        /// A shorter part is not a secret, and occurs in every text.
        const SHORTEST: usize = 4;
        let text = text.to_lowercase();
        let repeats = |part: &str| part.len() >= SHORTEST && text.contains(&part.to_lowercase());
        self.url.path().split('/').any(repeats)
            || self.url.query().is_some_and(|query| query.split(['&', '=']).any(repeats))
            || self.url.query_pairs().any(|(_, value)| repeats(&value))
            || self.url.fragment().is_some_and(repeats)
            || repeats(self.url.username())
            || self.url.password().is_some_and(repeats)
            // Before it there may be a word such as `Bearer`.
            || self.beside.iter().filter_map(|it| it.expose().split_whitespace().last()).any(repeats)
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
    let (http, limit) = (notifier.http()?, notifier.retry.timeout);
    let answer = if url.is_plain_on_a_network() {
        http.send_to_private(request, limit)
    } else {
        let prepared = http.prepare(request.place());
        prepared.map_err(|error| AttemptError::permanent(error.to_string()))?;
        http.send(request, limit)
    };
    let answer = answer.map_err(|failure| match failure {
        HttpError::NotPrivate(why) => AttemptError::permanent(why),
        other => AttemptError::transient(other.to_string()),
    })?;
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

/// Why a secret cannot be the address of a webhook or a ping; nothing of it is repeated.
pub fn unfit_address(url: &Secret, whose: &str, plain_http: PlainHttp) -> Option<String> {
    SecretUrl::parse(url, whose, plain_http).err().map(|error| error.to_string())
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
        SecretUrl::parse(&Secret::new(url), "webhook", PlainHttp::Loopback).unwrap()
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_it() {
        for url in ["", "fakefake", "ftp://h/fakefake", "https://", "mailto:fake@fake", "https:/\\"]
        {
            let refused = SecretUrl::parse(&Secret::new(url), "webhook", PlainHttp::Loopback);
            let refused = refused.map(|_| ()).unwrap_err();
            let expected = "the address of the webhook is not an `https://` URL of a host";
            assert_eq!(refused.to_string(), expected, "{url}");
        }
    }

    /// A service may answer that all is well under another address, too.
    #[test]
    fn what_was_copied_along_is_dropped_or_named() {
        let address = "https://hooks.example/fake";
        for around in ["\u{feff}@\r\n", " @\n\n", "@\u{a0}\n", "\u{200b}@\u{200b}"] {
            let url = secret_url(&around.replace('@', address));
            assert_eq!(url.url().as_str(), address, "{around:?}");
        }
        for inside in ["https:// hooks.example/fake", "https://hooks.example/fa\u{200b}ke", "@\n@"]
        {
            let url = Secret::new(inside.replace('@', address));
            assert_eq!(
                unfit_address(&url, "ping", PlainHttp::Loopback).unwrap(),
                "the address of the ping has a blank, a line break or an invisible character inside"
            );
        }
    }

    #[test]
    fn plain_http_beyond_this_machine_needs_leave_and_a_private_host() {
        let parse = |url: &str, plain| {
            SecretUrl::parse(&Secret::new(url), "webhook", plain)
                .map(|url| url.is_plain_on_a_network())
        };
        for url in ["http://192.168.1.5/fake", "http://nas/fake", "http://pi.local/fake"] {
            assert_eq!(parse(url, PlainHttp::Private), Ok(true), "{url}");
            assert!(parse(url, PlainHttp::Loopback).is_err(), "{url}");
        }
        assert_eq!(parse("http://127.0.0.1/fake", PlainHttp::Private), Ok(false));
        for (url, host) in [
            ("http://hooks.example.org/fake", "hooks.example.org"),
            ("http://8.8.8.8/fake", "8.8.8.8"),
            ("http://134744072/fake", "8.8.8.8"),
            ("http://10.0.0.1@hooks.example.org/fake", "hooks.example.org"),
        ] {
            let why = format!(
                "`{host}` is not on a private network, so plain `http` is not used: write `https`"
            );
            assert_eq!(parse(url, PlainHttp::Private), Err(SendError::new(why)), "{url}");
        }
    }

    #[test]
    fn a_secret_beside_the_address_is_not_quoted_either() {
        let secrets = ["Bearer FAKEsecret", "plainFAKE"].map(Secret::new);
        let url = secret_url("https://h.example/x").beside(secrets.into_iter());
        for (text, repeated) in [
            ("no Bearer given", false),
            ("unknown token fakesecret", true),
            ("plainfake is wrong", true),
        ] {
            assert_eq!(url.is_repeated_in(text), repeated, "{text}");
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

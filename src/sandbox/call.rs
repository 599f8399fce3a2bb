//! Holds one call to Graph and its answer.

use chrono::{DateTime, TimeDelta};

use crate::crypto;

use super::host::Host;
use super::refusal::Refusal;

/// What a client asks.
pub struct Call {
    pub(super) host: Host,
    pub(super) method: String,
    /// The path at that host.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// What came in the body.
    pub(super) form: Vec<(String, String)>,
    pub(super) bearer: Option<String>,
    /// What the client calls the server.
    pub(super) authority: String,
}

impl Call {
    /// Reads a request line's method and target, and the headers.
    pub fn new<'a>(
        method: &str,
        target: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = decode(path);
        let (host, path) = Host::of_path(&path);
        let mut call = Self {
            host,
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs(query),
            form: Vec::new(),
            bearer: None,
            authority: String::from("localhost"),
        };
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("authorization") {
                call.bearer = value.strip_prefix("Bearer ").map(str::to_owned);
            } else if name.eq_ignore_ascii_case("host") {
                value.clone_into(&mut call.authority);
            }
        }
        call
    }

    /// The same call with a form as its body.
    pub fn with_form(mut self, body: &str) -> Self {
        self.form = pairs(body);
        self
    }

    /// All parameters: Meta reads those of the address and those of the body alike.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &(String, String)> {
        self.query.iter().chain(&self.form)
    }

    /// A parameter's value; an empty one counts as missing, as at Meta.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters().find(|(each, _)| each == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A parameter without which there is no answer.
    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name)
            .ok_or_else(|| Refusal::parameter(format!("The parameter {name} is required")))
    }

    /// Refuses every parameter that is not in `known` or is given twice: Meta lets both pass, but
    /// here they are a client's mistake.
    pub(super) fn takes_only(&self, known: &[&str]) -> Result<(), Refusal> {
        for (place, (name, _)) in self.parameters().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(Refusal::parameter(format!("The parameter {name} is not known here")));
            }
            if self.parameters().take(place).any(|(earlier, _)| earlier == name) {
                return Err(Refusal::parameter(format!("The parameter {name} is given twice")));
            }
        }
        Ok(())
    }

    /// The tokens in the call, the one it is about first.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &str> {
        let named = ["input_token", "fb_exchange_token", "revoke_token", "access_token"];
        named.into_iter().filter_map(|name| self.get(name)).chain(self.bearer.as_deref())
    }

    /// The version that is asked, as it stands in the path.
    pub(super) fn version(&self) -> Option<&str> {
        take_version(&self.path).0
    }

    /// Whether the host is asked for nothing, as by a client that wants to know the time.
    pub(super) fn is_for_nothing(&self) -> bool {
        self.path.trim_matches('/').is_empty()
    }

    /// The path without its version.
    pub(super) fn endpoint(&self) -> &str {
        take_version(&self.path).1
    }

    /// Meta's handle for its support: the same call at the same time has the same one, so that a
    /// rehearsal prints the same for ever.
    pub(super) fn trace(&self, now: i64) -> String {
        let (method, folder, path) = (&self.method, self.host.folder(), &self.path);
        let mut text = format!("{now} {method} {folder}{path} {:?}", self.bearer);
        for (name, value) in self.parameters() {
            text.extend([" ", name, "=", value]);
        }
        let hash = crypto::keyed_hash(b"fbtrace_id", text.as_bytes());
        format!("AFake{}", crypto::hex(&hash[..9]))
    }
}

/// The pairs of a query or a form, decoded.
fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// A path's version, if it begins with one, and the rest.
pub fn take_version(path: &str) -> (Option<&str>, &str) {
    let path = path.trim_start_matches('/');
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let number = first.strip_prefix('v').filter(|number| !number.is_empty());
    match number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')) {
        Some(_) => (Some(first), rest),
        None => (None, path),
    }
}

/// What Graph answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The headers, without those of the transport.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(each, _)| each.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The answer with its clock `skew` off.
    pub(super) fn misdated(mut self, skew: TimeDelta) -> Self {
        for (name, value) in &mut self.headers {
            if *name == "Date"
                && let Ok(date) = DateTime::parse_from_rfc2822(value)
            {
                *value = http_date((date + skew).timestamp());
            }
        }
        self
    }
}

/// A date as HTTP writes it.
pub fn http_date(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Undoes percent-encoding; what is not an encoding stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let encoded = bytes.get(at + 1..at + 3).filter(|_| byte == b'%');
        let digits = encoded.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(value) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            plain.push(value);
            at += 3;
        } else {
            plain.push(if byte == b'+' { b' ' } else { byte });
            at += 1;
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_taken_apart_and_decoded() {
        let call = Call::new(
            "GET",
            "/v26.0/debug_token?input_token=a%7Cb&x=%zz&y=&z&w=1+1%",
            [("AUTHORIZATION", "Bearer 1|hush"), ("Host", "127.0.0.1:9")],
        );
        assert_eq!(call.endpoint(), "debug_token");
        assert_eq!(call.get("input_token"), Some("a|b"));
        assert_eq!(call.get("x"), Some("%zz"));
        assert_eq!((call.get("y"), call.get("z")), (None, None));
        assert_eq!(call.get("w"), Some("1 1%"));
        assert_eq!(call.bearer.as_deref(), Some("1|hush"));
        assert_eq!(call.authority, "127.0.0.1:9");
        assert!(call.need("y").is_err());
    }

    #[test]
    fn a_call_knows_its_host_its_version_and_its_endpoint() {
        for (target, host, version, endpoint) in [
            ("/v26.0/me/accounts", Host::Facebook, Some("v26.0"), "me/accounts"),
            ("/oauth/access_token", Host::Facebook, None, "oauth/access_token"),
            ("/v26.0", Host::Facebook, Some("v26.0"), ""),
            ("/instagram/v26.0/me", Host::Instagram, Some("v26.0"), "me"),
            ("/instagram/refresh_access_token", Host::Instagram, None, "refresh_access_token"),
            ("/threads/v1.0/debug_token?x=1", Host::Threads, Some("v1.0"), "debug_token"),
            ("/threads/vain/me", Host::Threads, None, "vain/me"),
        ] {
            let call = Call::new("GET", target, []);
            assert_eq!((call.host, call.version(), call.endpoint()), (host, version, endpoint));
        }
    }

    #[test]
    fn a_skewed_answer_is_dated_elsewhere() {
        let headers = vec![("Date", http_date(1_767_225_600))];
        let answer = Answer { status: 200, headers, body: Vec::new() };
        assert_eq!(answer.header("date"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
        let late = answer.misdated(TimeDelta::minutes(10));
        assert_eq!(late.header("date"), Some("Thu, 01 Jan 2026 00:10:00 GMT"));
    }
}

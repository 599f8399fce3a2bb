//! One call to Graph and its answer, as values.

use chrono::{DateTime, TimeDelta};

use crate::crypto;

use super::refusal::Refusal;

/// What a client asks.
pub struct Call {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) bearer: Option<String>,
    pub(super) host: String,
}

impl Call {
    /// Reads a request line's method and target, and the headers.
    pub fn new<'a>(
        method: &str,
        target: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut call = Self {
            method: method.to_owned(),
            path: decode(path),
            query: query
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
            bearer: None,
            host: String::from("localhost"),
        };
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("authorization") {
                call.bearer = value.strip_prefix("Bearer ").map(str::to_owned);
            } else if name.eq_ignore_ascii_case("host") {
                value.clone_into(&mut call.host);
            }
        }
        call
    }

    /// A parameter's value; an empty one counts as missing, as at Meta.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(each, _)| each == name);
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
        for (place, (name, _)) in self.query.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(Refusal::parameter(format!("The parameter {name} is not known here")));
            }
            if self.query[..place].iter().any(|(earlier, _)| earlier == name) {
                return Err(Refusal::parameter(format!("The parameter {name} is given twice")));
            }
        }
        Ok(())
    }

    /// The tokens in the call, the one it is about first.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &str> {
        let named = ["input_token", "fb_exchange_token", "access_token"];
        named.into_iter().filter_map(|name| self.get(name)).chain(self.bearer.as_deref())
    }

    /// The path without its version.
    pub(super) fn endpoint(&self) -> &str {
        let path = self.path.trim_start_matches('/');
        path.split_once('/').map_or(path, |(_, endpoint)| endpoint)
    }

    /// Meta's handle for its support: the same call at the same time has the same one, so that a
    /// rehearsal prints the same for ever.
    pub(super) fn trace(&self, now: i64) -> String {
        let mut text = format!("{now} {} {} {:?}", self.method, self.path, self.bearer);
        for (name, value) in &self.query {
            text.extend([" ", name, "=", value]);
        }
        let hash = crypto::keyed_hash(b"fbtrace_id", text.as_bytes());
        format!("AFake{}", crypto::hex(&hash[..9]))
    }
}

/// What Graph answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, without those of the transport.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
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
pub(super) fn http_date(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Undoes percent-encoding; what is no encoding stays as it is.
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
        assert_eq!(call.host, "127.0.0.1:9");
        assert!(call.need("y").is_err());
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

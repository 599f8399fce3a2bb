//! Holds a request, and its answer as it is read within limits.
//!
//! Either may hold a token: a message is never shown, an answer is read into memory that is wiped.

use std::fmt;
use std::io::{self, Read};
use std::time::Instant;

use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use zeroize::Zeroizing;

use crate::token::Secret;

use super::address::Locality;
use super::error::{HttpError, Wait};

/// A message to a server. It is never shown: address and headers may be secrets.
pub struct HttpRequest {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<String>,
}

/// A value has a character that no HTTP header may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadHeader;

impl fmt::Display for BadHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it has a character that no HTTP header may hold")
    }
}

impl std::error::Error for BadHeader {}

impl HttpRequest {
    /// A GET, which has no body.
    pub fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: None }
    }

    /// A DELETE, which has no body.
    pub fn delete(url: Url) -> Self {
        Self { method: Method::DELETE, ..Self::get(url) }
    }

    /// A POST of this body.
    pub fn post(url: Url, body: String) -> Self {
        Self { method: Method::POST, url, headers: HeaderMap::new(), body: Some(body) }
    }

    /// A POST of this body, which is form-encoded.
    pub fn form(url: Url, body: String) -> Self {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        Self { headers: HeaderMap::from_iter([(CONTENT_TYPE, form)]), ..Self::post(url, body) }
    }

    /// The same with a header; its name in lower case.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Result<Self, BadHeader> {
        let value = HeaderValue::from_str(value).map_err(|_| BadHeader)?;
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    /// The same with `Authorization: Bearer`, marked so that it is never printed.
    pub fn with_bearer(mut self, bearer: &Secret) -> Result<Self, BadHeader> {
        let value = Zeroizing::new(format!("Bearer {}", bearer.expose()));
        let mut value = HeaderValue::from_str(&value).map_err(|_| BadHeader)?;
        value.set_sensitive(true);
        self.headers.insert(AUTHORIZATION, value);
        Ok(self)
    }

    /// The same with a header of the operator's own, whose value may be a secret and is never printed.
    pub fn with_secret_header(mut self, name: &str, value: &Secret) -> Result<Self, BadHeader> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| BadHeader)?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| BadHeader)?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    pub(super) fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }

    /// Where it goes, which decides whether a proxy is asked.
    pub fn place(&self) -> Locality {
        Locality::of_parsed(&self.url)
    }

    pub(super) fn into_request(self, client: &Client) -> RequestBuilder {
        let request = client.request(self.method, self.url).headers(self.headers);
        match self.body {
            Some(body) => request.body(body),
            None => request,
        }
    }
}

/// All but long lists of Pages fit into this.
const USUAL_BODY: usize = 16 * 1024;

/// The beginning of an answer, and the rest on its way.
pub struct HttpAnswer {
    response: Response,
    until: Instant,
    wait: Wait,
}

impl HttpAnswer {
    pub(super) const fn new(response: Response, until: Instant, wait: Wait) -> Self {
        Self { response, until, wait }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// All headers whose values are text.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.response.headers().iter();
        headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// The whole body, of at most `longest` bytes.
    pub fn body(mut self, longest: usize) -> Result<Zeroizing<Vec<u8>>, HttpError> {
        let mut body = Zeroizing::new(Vec::with_capacity(longest.min(USUAL_BODY)));
        match self.read(&mut body, longest) {
            Ok(Stopped::AtTheEnd) => Ok(body),
            Ok(Stopped::Full) => Err(HttpError::TooLong),
            Ok(Stopped::OutOfTime) => Err(HttpError::too_slow(&self.wait)),
            Err(error) => Err(HttpError::of(&error, &self.wait)),
        }
    }

    /// As much of the body as comes, and no more than `longest` bytes.
    pub fn beginning(mut self, longest: usize) -> Zeroizing<Vec<u8>> {
        let mut body = Zeroizing::new(Vec::with_capacity(longest.min(USUAL_BODY)));
        // What broke off is worth its beginning.
        let _ = self.read(&mut body, longest);
        body
    }

    fn read(&mut self, body: &mut Zeroizing<Vec<u8>>, longest: usize) -> io::Result<Stopped> {
        let mut chunk = Zeroizing::new([0; 8192]);
        loop {
            match self.response.read(chunk.as_mut()) {
                Ok(0) => return Ok(Stopped::AtTheEnd),
                Ok(count) => {
                    let room = longest - body.len();
                    append(body, &chunk[..count.min(room)]);
                    if count > room {
                        return Ok(Stopped::Full);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if Instant::now() > self.until {
                return Ok(Stopped::OutOfTime);
            }
        }
    }
}

enum Stopped {
    AtTheEnd,
    Full,
    OutOfTime,
}

/// Moves to a larger buffer by hand: a vector that grows by itself leaves a copy of a token behind
/// in memory that is not wiped.
fn append(body: &mut Zeroizing<Vec<u8>>, chunk: &[u8]) {
    if body.len() + chunk.len() > body.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(2 * body.capacity() + chunk.len()));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(chunk);
}

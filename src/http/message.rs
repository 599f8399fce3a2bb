//! What is sent, once.

use std::fmt;

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use zeroize::Zeroizing;

use super::Locality;
use crate::token::Secret;

/// A message to a server. It is never shown: address and headers may be secrets.
pub struct Message {
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

impl Message {
    /// A GET, which has no body.
    pub fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: None }
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

    /// The same with `Authorization: Bearer`, marked so that nobody prints it.
    pub fn with_bearer(mut self, bearer: &Secret) -> Result<Self, BadHeader> {
        let value = Zeroizing::new(format!("Bearer {}", bearer.expose()));
        let mut value = HeaderValue::from_str(&value).map_err(|_| BadHeader)?;
        value.set_sensitive(true);
        self.headers.insert(AUTHORIZATION, value);
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

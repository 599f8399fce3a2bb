//! Judges addresses, without asking the network, as [`Url`] reads them.
//!
//! An address is kept and shown as it was written. What `Url` alone takes for an address, such as one
//! without a host behind its slashes, is none; what it alone takes for this machine, such as `127.1`,
//! is not called so.

use std::net::IpAddr;

use reqwest::Url;

/// Where a host is, as seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locality {
    /// This machine itself.
    Loopback,
    /// Anywhere else.
    Network,
}

impl Locality {
    /// Where the host of an address is, of one that holds no login.
    pub fn of(address: &str) -> Self {
        match Address::read(address) {
            Some(address) if !address.has_login => address.locality(),
            _ => Self::Network,
        }
    }

    /// Where the host of a URL is that was parsed: what is asked and what is sent to cannot differ.
    pub(super) fn of_parsed(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        Self::of_host(host.trim_start_matches('[').trim_end_matches(']'))
    }

    fn of_host(host: &str) -> Self {
        if is_this_machine(host) { Self::Loopback } else { Self::Network }
    }
}

/// Whether a host's name or address, an IPv6 one without brackets, is this machine's own.
pub fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An address, and its host as it was written.
pub struct Address<'a> {
    url: Url,
    host: &'a str,
    has_login: bool,
}

impl<'a> Address<'a> {
    /// Reads an address of the form `SCHEME://[LOGIN@]HOST[:PORT][/...]`.
    pub fn read(text: &'a str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let (scheme, rest) = text.split_once("://")?;
        let authority = rest.split(['/', '?', '#', '\\']).next()?;
        let has_login = authority.contains('@');
        let (host, port) = written_host(authority.rsplit('@').next()?);
        let is_whole = !host.is_empty() && port != ":" && url.port() != Some(0);
        (is_whole && url.scheme() == scheme).then_some(Self { url, host, has_login })
    }

    /// The scheme, in lower case.
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// The host as it was written; an IPv6 address without brackets.
    pub const fn host(&self) -> &'a str {
        self.host
    }

    /// Where the host is. Both as it was written and as `Url` reads it, it must be this machine.
    pub fn locality(&self) -> Locality {
        match Locality::of_parsed(&self.url) {
            Locality::Loopback => Locality::of_host(self.host),
            Locality::Network => Locality::Network,
        }
    }
}

/// Parts `HOST[:PORT]`.
fn written_host(text: &str) -> (&str, &str) {
    match text.strip_prefix('[').and_then(|literal| literal.split_once(']')) {
        Some(parts) => parts,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_this_machine_and_nothing_that_looks_like_it() {
        for (url, place) in [
            ("http://127.0.0.1:8080", Locality::Loopback),
            ("http://127.8.9.1/graph", Locality::Loopback),
            ("http://[::1]:9", Locality::Loopback),
            ("http://localhost", Locality::Loopback),
            ("https://graph.facebook.com", Locality::Network),
            ("http://localhost.example.org", Locality::Network),
            ("http://127.0.0.1@example.org", Locality::Network),
            ("http://127.0.0.1:80@example.org", Locality::Network),
            ("http://user@127.0.0.1", Locality::Network),
            ("http://example.org\\@127.0.0.1", Locality::Network),
            ("http://127.0.0.1.example.org", Locality::Network),
            ("127.0.0.1", Locality::Network),
            ("", Locality::Network),
        ] {
            assert_eq!(Locality::of(url), place, "{url}");
        }
    }

    #[test]
    fn a_parsed_url_is_judged_by_the_host_that_will_be_asked() {
        for (url, place) in [
            ("http://user@127.0.0.1/x", Locality::Loopback),
            ("http://[::1]:9/x", Locality::Loopback),
            ("https://LOCALHOST/x", Locality::Loopback),
            ("https://127.1/x", Locality::Loopback),
            ("http://127.0.0.1@example.org/x", Locality::Network),
            ("http://example.org\\@127.0.0.1", Locality::Network),
            ("https://[2001:db8::1]/", Locality::Network),
        ] {
            assert_eq!(Locality::of_parsed(&Url::parse(url).unwrap()), place, "{url}");
        }
    }
}

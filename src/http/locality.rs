//! Which side of the network an address is on.

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
    /// The place of a URL's host.
    ///
    /// Read by hand and narrowly: what a URL parser might take for another host is no loopback.
    pub fn of(url: &str) -> Self {
        let Some((_, rest)) = url.split_once("://") else { return Self::Network };
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        if authority.contains('@') {
            return Self::Network;
        }
        let host = match authority.strip_prefix('[') {
            Some(v6) => v6.split_once(']').map_or("", |(host, _)| host),
            None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
        };
        Self::of_host(host)
    }

    /// The place of a URL that was parsed: what is asked and what is sent to cannot differ.
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

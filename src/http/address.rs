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

/// Where a message may go by plain HTTP, which others can read on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainHttp {
    /// To this machine alone.
    Loopback,
    /// Also to hosts on a private network.
    Private,
}

/// The last parts of names that no public name server answers for. Source: RFC 6762, section 3 and
/// appendix G; RFC 8375; ICANN, `.internal`.
const PRIVATE_NAMES: [&str; 9] =
    ["local", "home.arpa", "internal", "lan", "home", "localdomain", "intranet", "private", "corp"];

/// Whether a host is on a private network, as far as its form tells: an address of one, a name without a
/// dot, or one with an end that is not public. What a name stands for is seen when it is resolved.
fn is_private_host(host: &str) -> bool {
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
        return is_private(address);
    }
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let ends = |end: &&str| host.strip_suffix(*end).is_some_and(|rest| rest.ends_with('.'));
    !host.is_empty() && (!host.contains('.') || PRIVATE_NAMES.iter().any(ends))
}

/// Whether an address is one of a private network, or of this machine. Source: RFC 1918, RFC 4193.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback(),
    }
}

/// Whether a URL that was parsed may be asked by plain HTTP.
pub fn allows_plain_http(url: &Url, allowed: PlainHttp) -> bool {
    Locality::of_parsed(url) == Locality::Loopback
        || (allowed == PlainHttp::Private && url.host_str().is_some_and(is_private_host))
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

    /// Whether plain HTTP may lead to the host, both as it was written and as `Url` reads it.
    pub fn allows_plain_http(&self, allowed: PlainHttp) -> bool {
        self.locality() == Locality::Loopback
            || (allows_plain_http(&self.url, allowed)
                && allowed == PlainHttp::Private
                && is_private_host(self.host))
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
    fn a_private_host_is_known_by_its_form() {
        for (url, private) in [
            ("http://10.0.0.1/x", true),
            ("http://172.31.255.255:8123/x", true),
            ("http://192.168.1.5", true),
            ("http://[fd12::1]:9/x", true),
            ("http://[::ffff:192.168.1.5]/x", true),
            ("http://127.0.0.1", true),
            ("http://nas/x", true),
            ("http://homeassistant.local:8123/x", true),
            ("http://gotify.svc.cluster.local", true),
            ("http://Chat.LAN/x", true),
            ("http://pi.home.arpa./x", true),
            ("http://172.32.0.1", false),
            ("http://100.64.0.1", false),
            ("http://169.254.169.254", false),
            ("http://8.8.8.8", false),
            ("http://[2001:db8::1]", false),
            ("http://[::ffff:8.8.8.8]", false),
            // Numbers that are read as an address.
            ("http://134744072/x", false),
            ("http://0x8080808/x", false),
            ("http://hooks.example.org", false),
            ("http://local.example.org", false),
            ("http://notlocal/x", true),
            ("http://x.notlocal/x", false),
            ("http://10.0.0.1@example.org/x", false),
        ] {
            let address = Address::read(url).unwrap();
            assert_eq!(address.allows_plain_http(PlainHttp::Private), private, "{url}");
            let loopback = Locality::of(url) == Locality::Loopback;
            assert_eq!(address.allows_plain_http(PlainHttp::Loopback), loopback, "{url}");
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

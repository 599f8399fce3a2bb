//! Judges addresses of servers that will be sent secrets, without asking the network.
//!
//! Secrets travel only through TLS; plain HTTP is for a server on this machine, such as a test's.

use crate::http::{Address, Locality, PlainHttp};

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// It is invalid.
    Form,
    /// It could be read on the way.
    PlainHttp,
}

/// Judges the address of one of Meta's services, which has no login and no query.
pub fn check_endpoint(url: &str) -> Result<(), Bad> {
    check(url, "?#@\\\"'<>", PlainHttp::Loopback).map(drop)
}

/// Judges the address to which a login dialog sends the browser.
pub fn check_redirect(url: &str) -> Result<(), Bad> {
    check(url, "#@\\\"'<>", PlainHttp::Loopback).map(drop)
}

/// Finds the host of a channel's address. The address itself is a secret, and never repeated.
pub fn host_of_secret(url: &str, plain_http: PlainHttp) -> Result<&str, Bad> {
    check(url, "\\\"<>`", plain_http)
}

/// Finds the host, and refuses a scheme by which what is sent there could be read by others.
fn check<'a>(url: &'a str, refused: &str, plain_http: PlainHttp) -> Result<&'a str, Bad> {
    if !url.chars().all(|c| c.is_ascii_graphic() && !refused.contains(c)) {
        return Err(Bad::Form);
    }
    let address = Address::read(url).ok_or(Bad::Form)?;
    match (address.scheme(), address.locality()) {
        ("https", _) | ("http", Locality::Loopback) => Ok(address.host()),
        ("http", Locality::Network) if address.allows_plain_http(plain_http) => Ok(address.host()),
        ("http", Locality::Network) => Err(Bad::PlainHttp),
        _ => Err(Bad::Form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_a_secret_has_a_host_that_is_none() {
        for (url, verdict) in [
            ("https://hooks.slack.com/services/TFAKE/BFAKE/fake", Ok("hooks.slack.com")),
            ("https://hc-ping.com/fakefake-fake?create=1", Ok("hc-ping.com")),
            ("https://chat.example:8443?key=a@b", Ok("chat.example")),
            ("https://user:fake@ntfy.example/alarm", Ok("ntfy.example")),
            ("http://127.0.0.1:8080/hook", Ok("127.0.0.1")),
            ("http://[::1]:9/hook", Ok("::1")),
            ("http://chat.lan/hook", Err(Bad::PlainHttp)),
            ("http://localhost@evil.example/", Err(Bad::PlainHttp)),
            ("http://localhost.example/", Err(Bad::PlainHttp)),
            ("http://evil.example\\@localhost/", Err(Bad::Form)),
            ("https:///services", Err(Bad::Form)),
            ("https://?key=a", Err(Bad::Form)),
            ("https://a:0/hook", Err(Bad::Form)),
            ("https://a/hook hook", Err(Bad::Form)),
            ("ftp://a/hook", Err(Bad::Form)),
            ("hooks.slack.com/services", Err(Bad::Form)),
            ("SLACK_WEBHOOK", Err(Bad::Form)),
        ] {
            assert_eq!(host_of_secret(url, PlainHttp::Loopback), verdict, "{url}");
        }
    }

    #[test]
    fn plain_http_leads_to_a_private_network_where_that_is_allowed() {
        for (url, verdict) in [
            ("http://192.168.1.5:8123/api", Ok("192.168.1.5")),
            ("http://homeassistant.local:8123/api", Ok("homeassistant.local")),
            ("https://hooks.slack.com/x", Ok("hooks.slack.com")),
            ("http://hooks.slack.com/x", Err(Bad::PlainHttp)),
            ("http://8.8.8.8/x", Err(Bad::PlainHttp)),
            ("http://134744072/x", Err(Bad::PlainHttp)),
            ("ftp://192.168.1.5/x", Err(Bad::Form)),
        ] {
            assert_eq!(host_of_secret(url, PlainHttp::Private), verdict, "{url}");
        }
    }

    #[test]
    fn what_no_client_could_ask_is_no_address() {
        for host in ["a|b", "a^b", "a%20b", "1.2.3.999", "a:+80"] {
            let url = format!("https://{host}/x");
            assert_eq!(check_endpoint(&url), Err(Bad::Form), "{url}");
            assert_eq!(host_of_secret(&url, PlainHttp::Loopback), Err(Bad::Form), "{url}");
        }
        let as_written = "https://Hooks.Example:443/x";
        assert_eq!(host_of_secret(as_written, PlainHttp::Loopback), Ok("Hooks.Example"));
    }

    #[test]
    fn tokens_travel_through_tls_or_not_beyond_this_machine() {
        for (url, verdict) in [
            ("https://graph.facebook.com", Ok(())),
            ("https://proxy.example:8443/graph", Ok(())),
            ("http://127.0.0.1:8080", Ok(())),
            ("http://localhost", Ok(())),
            ("http://[::1]:9", Ok(())),
            ("http://graph.facebook.com", Err(Bad::PlainHttp)),
            ("http://127.0.0.1.example", Err(Bad::PlainHttp)),
            ("http://localhost@evil.example", Err(Bad::Form)),
            ("http://localhost\\@evil.example", Err(Bad::Form)),
            ("https://a:b@c", Err(Bad::Form)),
            ("https://a/?x=1", Err(Bad::Form)),
            ("https://a#b", Err(Bad::Form)),
            ("https://a:0", Err(Bad::Form)),
            ("https://a:b", Err(Bad::Form)),
            ("https://[::1", Err(Bad::Form)),
            ("https://", Err(Bad::Form)),
            ("ftp://a", Err(Bad::Form)),
            ("graph.facebook.com", Err(Bad::Form)),
            ("", Err(Bad::Form)),
        ] {
            assert_eq!(check_endpoint(url), verdict, "{url}");
        }
    }
}

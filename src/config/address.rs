//! Judges addresses of servers that will be sent secrets, without asking anybody.
//!
//! Secrets travel only through TLS; plain HTTP is for a server on this machine, such as a test's.

use std::net::Ipv6Addr;

use crate::http::is_this_machine;

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bad {
    /// It is invalid.
    Form,
    /// It could be read on the way.
    PlainHttp,
}

/// Judges the address of one of Meta's services, which has no login and no query.
pub(super) fn check_endpoint(url: &str) -> Result<(), Bad> {
    let (scheme, rest) = url.split_once("://").ok_or(Bad::Form)?;
    let strange = |c: char| !c.is_ascii_graphic() || "?#@\\\"'<>".contains(c);
    if rest.contains(strange) {
        return Err(Bad::Form);
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let host = host(authority).ok_or(Bad::Form)?;
    protected(scheme, host)
}

/// Finds the host of a channel's address. The address itself is a secret, and never repeated.
pub(super) fn host_of_secret(url: &str) -> Result<&str, Bad> {
    let (scheme, rest) = url.split_once("://").ok_or(Bad::Form)?;
    let strange = |c: char| !c.is_ascii_graphic() || "\\\"<>`".contains(c);
    if rest.contains(strange) {
        return Err(Bad::Form);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = host(authority).ok_or(Bad::Form)?;
    protected(scheme, host).map(|()| host)
}

/// Refuses a scheme by which what is sent to that host could be read by others.
fn protected(scheme: &str, host: &str) -> Result<(), Bad> {
    match scheme {
        "https" => Ok(()),
        "http" if is_this_machine(host) => Ok(()),
        "http" => Err(Bad::PlainHttp),
        _ => Err(Bad::Form),
    }
}

/// Takes the host out of `HOST`, `HOST:PORT` or `[IPv6]:PORT`.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(literal) => {
            let (host, port) = literal.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, port)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port_is_good = match port.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok_and(|port| port > 0),
        None => port.is_empty(),
    };
    (port_is_good && !host.is_empty()).then_some(host)
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
            assert_eq!(host_of_secret(url), verdict, "{url}");
        }
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

//! The address of a server that will be sent tokens.

use serde_spanned::Spanned;

use super::address::{Bad, host, protected};
use crate::config::mistake::Faults;

/// The address without a slash at its end, or a fault.
pub(super) fn check(key: &str, given: &Spanned<String>, faults: &mut Faults) -> Option<String> {
    let url = given.get_ref().trim_end_matches('/');
    match judge(url) {
        Ok(()) => Some(url.to_owned()),
        Err(Bad::Form) => {
            faults
                .add(given.span(), format!("`{key}` is no address"))
                .label("write `https://HOST`, without query and password");
            None
        }
        Err(Bad::PlainHttp) => {
            faults
                .add(given.span(), "plain `http` would show tokens to the network")
                .label("write `https`; `http` is for loopback only");
            None
        }
    }
}

fn judge(url: &str) -> Result<(), Bad> {
    let (scheme, rest) = url.split_once("://").ok_or(Bad::Form)?;
    let strange = |c: char| !c.is_ascii_graphic() || "?#@\\\"'<>".contains(c);
    if rest.contains(strange) {
        return Err(Bad::Form);
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let host = host(authority).ok_or(Bad::Form)?;
    protected(scheme, host)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(judge(url), verdict, "{url}");
        }
    }
}

//! The three hosts that one server stands in for, and the strings that each can read.
//!
//! Facebook's paths are at the root, Instagram's below `/instagram`, Threads' below `/threads`.
//! Each host reads the strings that its own apps gave out and knows nothing of the others: what
//! lives at one cannot even be parsed at the next.

use serde::{Deserialize, Serialize};

use crate::token::Provider;

/// One of Meta's hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Host {
    Facebook,
    Instagram,
    Threads,
}

impl Host {
    const ALL: [Self; 3] = [Self::Facebook, Self::Instagram, Self::Threads];

    /// Below which path it is simulated.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Facebook => "",
            Self::Instagram => "/instagram",
            Self::Threads => "/threads",
        }
    }

    /// How the strings begin that it gives out; they are plainly fake.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Facebook => "EAAFAKE",
            Self::Instagram => "IGFAKE",
            Self::Threads => "THFAKE",
        }
    }

    /// Which host a path is for, and the path there.
    pub(super) fn of_path(path: &str) -> (Self, &str) {
        for host in [Self::Instagram, Self::Threads] {
            match path.strip_prefix(host.folder()) {
                Some(rest) if rest.is_empty() || rest.starts_with('/') => return (host, rest),
                _ => {}
            }
        }
        (Self::Facebook, path)
    }

    /// Which host a string is for, as far as its shape tells.
    pub(super) fn of_string(string: &str) -> Option<Self> {
        if string.starts_with("TH|") {
            return Some(Self::Threads);
        }
        let named = Self::ALL.into_iter().find(|host| string.starts_with(host.prefix()));
        named.or_else(|| string.contains('|').then_some(Self::Facebook))
    }

    /// The app's id, and what proves it, in a string that stands for an app. Instagram has none.
    pub(super) fn app_string(self, string: &str) -> Option<(&str, &str)> {
        match self {
            Self::Facebook => string.split_once('|'),
            Self::Instagram => None,
            Self::Threads => string.strip_prefix("TH|")?.split_once('|'),
        }
    }
}

impl From<Provider> for Host {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Facebook => Self::Facebook,
            Provider::Instagram => Self::Instagram,
            Provider::Threads => Self::Threads,
        }
    }
}

impl From<Host> for Provider {
    fn from(host: Host) -> Self {
        match host {
            Host::Facebook => Self::Facebook,
            Host::Instagram => Self::Instagram,
            Host::Threads => Self::Threads,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_host() {
        for (path, host, rest) in [
            ("/v26.0/me", Host::Facebook, "/v26.0/me"),
            ("/instagram/v26.0/me", Host::Instagram, "/v26.0/me"),
            ("/instagram", Host::Instagram, ""),
            ("/instagrams/me", Host::Facebook, "/instagrams/me"),
            ("/threads/refresh_access_token", Host::Threads, "/refresh_access_token"),
            ("/v26.0/threads", Host::Facebook, "/v26.0/threads"),
        ] {
            assert_eq!(Host::of_path(path), (host, rest), "{path}");
        }
    }

    #[test]
    fn a_string_tells_its_host_by_its_shape() {
        for (string, host, app) in [
            ("EAAFAKEAnna1", Some(Host::Facebook), None),
            ("IGFAKEAnna1", Some(Host::Instagram), None),
            ("THFAKEAnna1", Some(Host::Threads), None),
            ("1|hush", Some(Host::Facebook), Some(("1", "hush"))),
            ("TH|1|hush", Some(Host::Threads), Some(("1", "hush"))),
            ("garbage", None, None),
        ] {
            assert_eq!(Host::of_string(string), host, "{string}");
            assert_eq!(host.and_then(|host| host.app_string(string)), app, "{string}");
        }
    }
}

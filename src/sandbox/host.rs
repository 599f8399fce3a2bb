//! Knows the three hosts that one server stands in for, and the access tokens that each can read.
//!
//! Facebook's paths are at the root, Instagram's below `/instagram`, Threads' below `/threads`.
//! Each host reads the access tokens that its own apps gave out and knows nothing of the others:
//! what lives at one cannot even be parsed at the next.

use serde::{Deserialize, Serialize};

use crate::token::Provider;

/// One of Meta's hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Host {
    Facebook,
    Instagram,
    Threads,
}

/// What one host is here.
struct HostSpec {
    host: Host,
    provider: Provider,
    /// Below which path it is simulated.
    folder: &'static str,
    /// How the access tokens begin that it gives out; they are plainly fake.
    prefix: &'static str,
}

/// The table, in the order of [`Host`].
static HOSTS: [HostSpec; 3] = [
    HostSpec { host: Host::Facebook, provider: Provider::Facebook, folder: "", prefix: "EAAFAKE" },
    HostSpec {
        host: Host::Instagram,
        provider: Provider::Instagram,
        folder: "/instagram",
        prefix: "IGFAKE",
    },
    HostSpec {
        host: Host::Threads,
        provider: Provider::Threads,
        folder: "/threads",
        prefix: "THFAKE",
    },
];

impl Host {
    fn spec(self) -> &'static HostSpec {
        &HOSTS[self as usize]
    }

    /// Below which path it is simulated.
    pub fn folder(self) -> &'static str {
        self.spec().folder
    }

    /// How the access tokens begin that it gives out.
    pub fn prefix(self) -> &'static str {
        self.spec().prefix
    }

    /// Which host a path is for, and the path there.
    pub fn of_path(path: &str) -> (Self, &str) {
        let below = |spec: &HostSpec| {
            let rest = path.strip_prefix(spec.folder).filter(|_| !spec.folder.is_empty())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((spec.host, rest))
        };
        HOSTS.iter().find_map(below).unwrap_or((Self::Facebook, path))
    }

    /// Which host an access token is for, as far as its shape tells.
    pub fn of_string(string: &str) -> Option<Self> {
        if string.starts_with("TH|") {
            return Some(Self::Threads);
        }
        let named = HOSTS.iter().find(|spec| string.starts_with(spec.prefix));
        named.map(|spec| spec.host).or_else(|| string.contains('|').then_some(Self::Facebook))
    }

    /// The app's id, and what proves it, in an access token that stands for an app. Instagram has
    /// none.
    pub fn app_string(self, string: &str) -> Option<(&str, &str)> {
        match self {
            Self::Facebook => string.split_once('|'),
            Self::Instagram => None,
            Self::Threads => string.strip_prefix("TH|")?.split_once('|'),
        }
    }
}

impl From<Provider> for Host {
    fn from(provider: Provider) -> Self {
        let row = HOSTS.iter().find(|spec| spec.provider == provider);
        row.expect("every provider is simulated").host
    }
}

impl From<Host> for Provider {
    fn from(host: Host) -> Self {
        host.spec().provider
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_has_its_own_row() {
        for provider in Provider::ALL {
            assert_eq!(Provider::from(Host::from(*provider)), *provider);
        }
        for spec in &HOSTS {
            assert_eq!(spec.host.spec().provider, spec.provider);
        }
    }

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

//! Holds what the config says of Graph: which app asks, where, and how patiently.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::http::Locality;
use crate::token::{Provider, Secret, Time};

/// A Meta app, on whose behalf Graph is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub name: String,
    /// Whose app it is.
    pub provider: Provider,
    /// Meta's id for it.
    pub id: String,
    /// Its secret; without one Graph can neither be asked about a token nor renew one.
    pub secret: Option<Secret>,
    /// The Graph version that its calls name, such as `v25.0`.
    pub version: String,
    /// Until when Meta throttles it, as an earlier run found out.
    pub throttled_until: Option<Time>,
}

#[cfg(test)]
impl App {
    /// An app for tests, without a secret.
    pub fn sample(provider: Provider) -> Self {
        Self {
            name: "main".into(),
            provider,
            id: "7".into(),
            secret: None,
            version: "v25.0".into(),
            throttled_until: None,
        }
    }
}

/// Where each provider's API and its login are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    api: BTreeMap<Provider, String>,
    /// Where the codes of logins are exchanged, where the config says so.
    codes: BTreeMap<Provider, String>,
}

impl Default for Endpoints {
    /// Meta's own servers.
    fn default() -> Self {
        Self::each(|provider| provider.spec().endpoint.to_owned())
    }
}

impl Endpoints {
    /// The URL that `url` names for each provider.
    pub fn each(mut url: impl FnMut(Provider) -> String) -> Self {
        let api = Provider::ALL.iter().map(|&provider| (provider, url(provider))).collect();
        Self { api, codes: BTreeMap::new() }
    }

    /// The same, with the host that exchanges a provider's codes.
    pub fn with_code_host(mut self, provider: Provider, url: String) -> Self {
        self.codes.insert(provider, url);
        self
    }

    /// The URL of a provider's API, as it was written.
    pub fn url(&self, provider: Provider) -> &str {
        self.api.get(&provider).map_or(provider.spec().endpoint, String::as_str)
    }

    /// The URL of the host that exchanges a provider's codes: it follows an API on this machine.
    pub fn code_url(&self, provider: Provider) -> &str {
        let api = self.url(provider);
        match (self.codes.get(&provider), provider.spec().dialog.code_host) {
            (Some(given), _) => given,
            (None, Some((host, _))) if Locality::of(api) == Locality::Network => host,
            _ => api,
        }
    }

    /// The URL of the site with a provider's login dialog: it follows an API on this machine.
    pub fn dialog_url(&self, provider: Provider) -> &str {
        let api = self.url(provider);
        match Locality::of(api) {
            Locality::Loopback => api,
            Locality::Network => provider.spec().dialog.site,
        }
    }

    /// Whether every host is this machine itself.
    pub fn is_loopback(&self) -> bool {
        let urls = |provider: &Provider| [self.url(*provider), self.code_url(*provider)];
        Provider::ALL.iter().flat_map(urls).all(|url| Locality::of(url) == Locality::Loopback)
    }
}

/// How Graph is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long one try may take, from the first byte out to the last byte in.
    pub timeout: Duration,
    /// How many calls may be under way.
    pub concurrency: usize,
    /// How often a call is tried when the fault is transient.
    pub attempts: u32,
    /// The longest wait before the second try; doubled before each further one.
    pub pause: Duration,
    /// Where Graph is.
    pub endpoints: Endpoints,
    /// Certificates to trust besides the platform's.
    pub ca_file: Option<PathBuf>,
    /// No call begins or lasts beyond this instant.
    pub deadline: Option<Instant>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            concurrency: 8,
            attempts: 4,
            pause: Duration::from_secs(1),
            endpoints: Endpoints::default(),
            ca_file: None,
            deadline: None,
        }
    }
}

impl Settings {
    /// The longest that making a connection may take.
    const CONNECT: Duration = Duration::from_secs(10);

    /// How long a connection may take to be made.
    pub fn connect_timeout(&self) -> Duration {
        self.timeout.min(Self::CONNECT)
    }
}

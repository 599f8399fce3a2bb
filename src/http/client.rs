//! Sends a message, by a client that is made when it is first needed.

use std::fmt;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, ClientBuilder};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Certificate, redirect, retry};

use crate::crypto;

use super::address::Locality;
use super::error::{HttpError, Wait, cause};
use super::message::{HttpAnswer, HttpRequest};
use super::private::{addresses_only, private_addresses};

/// How long one try may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From the first byte out to the last byte in.
    pub whole: Duration,
    /// For the connection to be made.
    pub connect: Duration,
}

/// A client, shared by all threads.
#[derive(Debug)]
pub struct Http {
    trust: Trust,
    limits: Timeouts,
    loopback: OnceLock<Result<Side, SetupError>>,
    network: OnceLock<Result<Side, SetupError>>,
}

/// The client for one side of the network.
// Its end would wait for the system's resolver, which heeds no limit: half a minute and more where
// no name server answers. The process ends without it.
type Side = ManuallyDrop<Client>;

impl Http {
    /// A client that connects to nothing yet.
    pub const fn new(trust: Trust, limits: Timeouts) -> Self {
        Self { trust, limits, loopback: OnceLock::new(), network: OnceLock::new() }
    }

    /// Sets up what messages to this place need, which takes about 5 ms once; what cannot be set up
    /// is the configuration's fault.
    pub fn prepare(&self, place: Locality) -> Result<(), SetupError> {
        self.side(place).map(drop).map_err(Clone::clone)
    }

    /// Sends a message once. The answer is to be read within what is left of `patience`, which is
    /// no longer than the client's own limit.
    pub fn send(&self, message: HttpRequest, patience: Duration) -> Result<HttpAnswer, HttpError> {
        let wait = self.wait(&message, patience);
        let client = self
            .side(message.place())
            .map_err(|error| HttpError::NotConnected(error.to_string()))?;
        send_by(client, message, Instant::now() + wait.patience, wait)
    }

    /// Sends a message once by plain HTTP to a host on a private network, past every proxy. The name is
    /// resolved once, and one public address among those that it stands for is enough to send nothing.
    pub fn send_to_private(
        &self,
        message: HttpRequest,
        patience: Duration,
    ) -> Result<HttpAnswer, HttpError> {
        let wait = self.wait(&message, patience);
        let until = Instant::now() + wait.patience;
        let addresses = private_addresses(&wait)?;
        let client = self.client_of(addresses_only(&wait.host, &addresses));
        let client = client.map_err(|error| HttpError::NotConnected(error.to_string()))?;
        send_by(&client, message, until, wait)
    }

    fn wait(&self, message: &HttpRequest, patience: Duration) -> Wait {
        let patience = self.limits.whole.min(patience);
        Wait { host: message.host(), patience, connect: self.limits.connect.min(patience) }
    }

    fn side(&self, place: Locality) -> Result<&Side, &SetupError> {
        let side = match place {
            Locality::Loopback => &self.loopback,
            Locality::Network => &self.network,
        };
        side.get_or_init(|| self.client(place)).as_ref()
    }

    fn client(&self, place: Locality) -> Result<Side, SetupError> {
        let trusted = self.trust.certificates().to_vec();
        let builder = match place {
            // `HTTP_PROXY` would catch even loopback, which needs no certificate store either.
            Locality::Loopback => Client::builder().no_proxy().tls_certs_only(trusted),
            Locality::Network => Client::builder().https_only(true).tls_certs_merge(trusted),
        };
        self.client_of(builder).map(ManuallyDrop::new)
    }

    fn client_of(&self, builder: ClientBuilder) -> Result<Client, SetupError> {
        let builder = builder
            .user_agent(concat!("metatoken/", env!("CARGO_PKG_VERSION")))
            .default_headers(plain_answers())
            .timeout(self.limits.whole)
            .connect_timeout(self.limits.connect)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never());
        builder.build().map_err(|error| {
            let why = cause(&error.without_url());
            SetupError::new(format!("the HTTPS client cannot be set up: {why}"))
        })
    }
}

fn send_by(
    client: &Client,
    message: HttpRequest,
    until: Instant,
    wait: Wait,
) -> Result<HttpAnswer, HttpError> {
    let left = until.saturating_duration_since(Instant::now());
    // Set on the request, the timeout covers the body too.
    match message.into_request(client).timeout(left).send() {
        Ok(response) => Ok(HttpAnswer::new(response, until, wait)),
        Err(error) => Err(HttpError::of(&error.without_url(), &wait)),
    }
}

/// Asks for answers as they are: what is packed is not unpacked here.
fn plain_answers() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))])
}

/// The certificates that are trusted besides the platform's. Making them installs the
/// cryptography that TLS needs.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    certificates: Vec<Certificate>,
    pem: Option<Vec<u8>>,
}

/// Why nothing can be sent at all: the configuration's fault, and none that passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupError(String);

impl SetupError {
    pub(super) const fn new(why: String) -> Self {
        Self(why)
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}

impl Trust {
    /// Trusts the platform and the certificates in `ca_file`, which is a PEM file of at least one.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, SetupError> {
        crypto::install_tls_provider();
        let Some(path) = ca_file else { return Ok(Self::default()) };
        let bad = |why: String| SetupError(format!("`ca_file` {}: {why}", path.display()));
        let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&pem)
            .map_err(|_| bad("it is not a PEM file of certificates".to_owned()))?;
        if certificates.is_empty() {
            return Err(bad("it holds no certificate".to_owned()));
        }
        Ok(Self { certificates, pem: Some(pem) })
    }

    pub(super) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The content of `ca_file`, for TLS without HTTP.
    pub fn pem(&self) -> Option<&[u8]> {
        self.pem.as_deref()
    }
}

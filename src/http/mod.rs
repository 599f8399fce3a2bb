//! HTTP, for Graph and for notifications alike.
//!
//! One constructor makes the client, so that both have the same TLS, the same trust and the same
//! manners: no redirects, no referer, no retry of the library's own. One try is one [`Message`] and
//! gives one [`Answer`], all within a time.
//!
//! The proxy is chosen for each message by its own host, whatever other hosts the config names: none
//! on the way to this machine, `HTTPS_PROXY` to all others, which are spoken to by HTTPS alone. So a
//! proxy is only asked for a tunnel, and `HTTP_PROXY`, which would read every message, is not used.
//!
//! No error of the HTTP library leaves this room: those print the URL, and URLs hold secrets. A
//! [`HttpError`] names the host and nothing else of the address.

mod answer;
mod cause;
mod error;
mod locality;
mod message;
mod trust;

use std::mem::ManuallyDrop;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use reqwest::{redirect, retry};

pub use answer::Answer;
pub use cause::{cause, refused_certificate, spelled, unresolved};
pub use error::HttpError;
pub use locality::{Locality, is_this_machine};
pub use message::{BadHeader, Message};
pub use reqwest::Url;
pub use trust::{SetupError, Trust};

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
    pub fn send(&self, message: Message, patience: Duration) -> Result<Answer, HttpError> {
        let patience = self.limits.whole.min(patience);
        let wait = error::Wait {
            host: message.host(),
            patience,
            connect: self.limits.connect.min(patience),
        };
        let client = self
            .side(message.place())
            .map_err(|error| HttpError::NotConnected(error.to_string()))?;
        let until = Instant::now() + patience;
        // Set on the request, the timeout covers the body too.
        let request = message.into_request(client).timeout(patience);
        match request.send() {
            Ok(response) => Ok(Answer::new(response, until, wait)),
            Err(error) => Err(HttpError::of(&error.without_url(), &wait)),
        }
    }

    fn side(&self, place: Locality) -> Result<&Side, &SetupError> {
        let side = match place {
            Locality::Loopback => &self.loopback,
            Locality::Network => &self.network,
        };
        side.get_or_init(|| self.client(place)).as_ref()
    }

    fn client(&self, place: Locality) -> Result<Side, SetupError> {
        let builder = Client::builder()
            .user_agent(concat!("metatoken/", env!("CARGO_PKG_VERSION")))
            .timeout(self.limits.whole)
            .connect_timeout(self.limits.connect)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never());
        let trusted = self.trust.certificates().to_vec();
        let builder = match place {
            // `HTTP_PROXY` would catch even loopback, which needs no certificate store either.
            Locality::Loopback => builder.no_proxy().tls_certs_only(trusted),
            Locality::Network => builder.https_only(true).tls_certs_merge(trusted),
        };
        builder.build().map(ManuallyDrop::new).map_err(|error| {
            let why = cause(&error.without_url());
            SetupError::new(format!("the HTTPS client cannot be set up: {why}"))
        })
    }
}

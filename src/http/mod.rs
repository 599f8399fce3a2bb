//! HTTP, for Graph and for notifications alike.
//!
//! One constructor makes the client, so that both have the same TLS, the same trust and the same
//! manners: no redirects, no referer, no retry of the library's own, and no proxy on the way to
//! this machine. One try is one [`Message`] and gives one [`Answer`], all within a time.
//!
//! No error of the HTTP library leaves this room: those print the URL, and URLs hold secrets. A
//! [`Failure`] names the host and nothing else of the address.

mod answer;
mod cause;
mod failure;
mod message;
mod place;
mod trust;

use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use reqwest::{redirect, retry};

pub use answer::Answer;
pub use cause::{cause, refused_certificate, spelled, unresolved};
pub use failure::Failure;
pub use message::{BadHeader, Message};
pub use place::{Place, is_this_machine};
pub use reqwest::Url;
pub use trust::{NotSetUp, Trust};

/// How long one try may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the first byte out to the last byte in.
    pub whole: Duration,
    /// For the connection to be made.
    pub connect: Duration,
}

/// A client, shared by all threads.
#[derive(Debug)]
pub struct Http {
    // Its end would wait for the system's resolver, which heeds no limit: half a minute and more
    // where no name server answers. The process ends without it.
    client: ManuallyDrop<Client>,
    limits: Limits,
}

impl Http {
    /// Makes a client for one side of the network, which takes about 5 ms; one that cannot be made
    /// is the configuration's fault.
    pub fn new(trust: &Trust, place: Place, limits: Limits) -> Result<Self, NotSetUp> {
        let builder = Client::builder()
            .user_agent(concat!("metatoken/", env!("CARGO_PKG_VERSION")))
            .timeout(limits.whole)
            .connect_timeout(limits.connect)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never());
        let trusted = trust.certificates().to_vec();
        let builder = match place {
            // `HTTP_PROXY` would catch even loopback, which needs no certificate store either.
            Place::Loopback => builder.no_proxy().tls_certs_only(trusted),
            Place::Network => builder.tls_certs_merge(trusted),
        };
        let client = builder.build().map_err(|error| {
            let why = cause(&error.without_url());
            NotSetUp::new(format!("the HTTPS client cannot be set up: {why}"))
        })?;
        Ok(Self { client: ManuallyDrop::new(client), limits })
    }

    /// Sends a message once. The answer is to be read within what is left of `patience`, which is
    /// no longer than the client's own limit.
    pub fn send(&self, message: Message, patience: Duration) -> Result<Answer, Failure> {
        let patience = self.limits.whole.min(patience);
        let wait = failure::Wait {
            host: message.host(),
            patience,
            connect: self.limits.connect.min(patience),
        };
        let until = Instant::now() + patience;
        // Set on the request, the timeout covers the body too.
        let request = message.into_request(&self.client).timeout(patience);
        match request.send() {
            Ok(response) => Ok(Answer::new(response, until, wait)),
            Err(error) => Err(Failure::of(&error.without_url(), &wait)),
        }
    }
}

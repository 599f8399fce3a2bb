//! Speaks HTTP, to Graph and for notifications alike.
//!
//! One constructor makes the client, so that both have the same TLS, the same trust and the same
//! manners: no redirects, no referer, no retry of the library's own. One try is one [`HttpRequest`] and
//! gives one [`HttpAnswer`], all within a time.
//!
//! The proxy is chosen for each message by its own host, whatever other hosts the config names: none
//! on the way to this machine, `HTTPS_PROXY` to all others, which are spoken to by HTTPS alone, save a
//! host on a private network where the config allows it. So a proxy is only asked for a tunnel, and
//! `HTTP_PROXY`, which would read every message, is not used.
//!
//! No error of the HTTP library leaves this room: those print the URL, and URLs hold secrets. A
//! [`HttpError`] names the host and nothing else of the address.

mod address;
#[cfg(test)]
pub mod certificate;
mod client;
mod error;
mod inetd;
mod listener;
mod message;
mod private;

pub use address::{Address, Locality, PlainHttp, allows_plain_http, is_this_machine};
pub use client::{Http, Timeouts};
pub use client::{SetupError, Trust};
pub use error::HttpError;
pub use error::{cause, refused_certificate, spelled, unresolved};
pub use inetd::{HttpClient, PATIENCE, WantedPart, answer};
pub use listener::BrowserListener;
pub use message::HttpAnswer;
pub use message::{BadHeader, HttpRequest};
pub use reqwest::Url;

//! Messages on their way to servers and programs that behave, and to some that do not.

mod hook;
mod mail;
mod mail_protection;
mod mail_server;
mod ping;
mod web_server;
mod webhook;

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::config::{SmtpSecurity, WebhookContent, WebhookFormat};
use crate::http::PlainHttp;
use crate::policy::Health;
use crate::token::Time;

use super::channel::{EmailChannel, SmtpLogin, SmtpServer, Webhook, default_from, domain};
use super::ping::{PingAddress, ping};
use super::retry::SendPolicy;
use super::*;

/// More than any of these servers needs to answer.
const AMPLE: Duration = Duration::from_secs(20);

/// Enough for a connection on loopback, and short enough to wait for.
const SHORT: Duration = Duration::from_millis(300);

/// What ends before this was not waited for.
const SOON: Duration = Duration::from_secs(5);

const PATIENT: SendPolicy =
    SendPolicy { timeout: AMPLE, attempts: 2, pause: Duration::from_millis(1) };

const HASTY: SendPolicy = SendPolicy { timeout: SHORT, ..PATIENT };

fn notifier() -> Notifier {
    Notifier::new("web1.example.org").with_retry_policy(PATIENT)
}

fn message() -> Message {
    Message {
        id: "7-brand-critical".to_owned(),
        incident: "7-brand-critical".to_owned(),
        severity: Health::Critical,
        labels: "brand".to_owned(),
        remedy: "run `metatoken exchange brand`".to_owned(),
        at: Time::from_timestamp(1_795_262_400, 0).unwrap(),
        event: "critical",
        subject: "`brand` was revoked".to_owned(),
        text: "CRITICAL `brand`: Meta revoked it\nrun `metatoken exchange brand`\n".to_owned(),
        json: r#"{"version":1,"event":"critical"}"#.to_owned(),
        variables: BTreeMap::from([("METATOKEN_EVENT".to_owned(), "critical".to_owned())]),
    }
}

/// The sentence of a failure.
#[track_caller]
fn sentence(sent: Result<(), SendError>) -> String {
    sent.expect_err("it cannot be sent").to_string()
}

/// A port where nobody listens: a connection's own end, kept so that no listener of another test
/// is given it.
struct Nowhere {
    port: u16,
    _end: TcpStream,
}

fn nowhere() -> Nowhere {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let end = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    Nowhere { port: end.local_addr().unwrap().port(), _end: end }
}

//! POSTs.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::{ServerConnection, StreamOwned};

use crate::token::Secret;

use super::web_server::{WebServer, answer};
use super::*;
use crate::http::certificate::Certificate;

/// What only an insider knows of the addresses here.
const INSIDE: &str = "/services/T0FAKEFAKE/B0FAKEFAKE/fakefakeMARKED?key=MARKEDtoo";

fn channel(server: &WebServer, format: WebhookFormat) -> Channel {
    webhook(server.at(INSIDE), format)
}

fn webhook(url: Secret, format: WebhookFormat) -> Channel {
    Channel::Webhook(Webhook {
        url,
        content: WebhookContent::Format(format),
        headers: Vec::new(),
        plain_http: PlainHttp::Loopback,
        recovered: None,
    })
}

fn post(server: &WebServer, retry: SendPolicy) -> Result<(), SendError> {
    send(&channel(server, WebhookFormat::Text), &message(), &notifier().with_retry_policy(retry))
}

#[track_caller]
fn gives_nothing_away(sentence: &str) {
    for secret in ["FAKE", "fake", "MARKED", "services", "key="] {
        assert!(!sentence.contains(secret), "{sentence}");
    }
}

#[test]
fn the_text_goes_to_chats_and_the_document_to_programs() {
    let server = WebServer::answering(&[answer(200, "", "ok"), answer(204, "", "")]);
    for format in [WebhookFormat::Text, WebhookFormat::Json] {
        send(&channel(&server, format), &message(), &notifier()).unwrap();
    }
    let [text, json]: [_; 2] = server.heard().try_into().unwrap();
    for request in [&text, &json] {
        assert_eq!(request.head[0], format!("POST {INSIDE} HTTP/1.1"));
        for header in [
            "content-type: application/json",
            concat!("user-agent: metatoken/", env!("CARGO_PKG_VERSION")),
        ] {
            assert!(request.head.iter().any(|line| line == header), "{request:?}");
        }
    }
    let line = r"CRITICAL `brand`: Meta revoked it\nrun `metatoken exchange brand`\n";
    assert_eq!(
        text.body,
        format!(r#"{{"text":"{line}","content":"{line}","allowed_mentions":{{"parse":[]}}}}"#)
    );
    assert_eq!(json.body, message().json);
    let key = "idempotency-key: 7-brand-critical".to_owned();
    assert!(json.head.contains(&key) && !text.head.contains(&key), "{json:?}");
}

#[test]
fn each_answer_says_what_became_of_it_and_whether_it_is_worth_another_try() {
    let html = "<!doctype html><title>fakefakeMARKED</title>";
    let repeated = "no such hook: FAKEFAKEmarked";
    let long = "x ".repeat(2000);
    let eighty = "invalid ".repeat(10);
    let cut = format!("HTTP 400 of `127.0.0.1`: {eighty}");
    for (status, headers, body, tries, expected) in [
        (200, "", "ok", 1, None),
        (201, "", "", 1, None),
        (204, "", "", 1, None),
        (
            301,
            "location: /MARKED\r\n",
            "",
            1,
            Some("HTTP 301 of `127.0.0.1`: a redirect, which is not followed"),
        ),
        (
            307,
            "location: /MARKED\r\n",
            "MARKED",
            1,
            Some("HTTP 307 of `127.0.0.1`: a redirect, which is not followed"),
        ),
        (400, "", "invalid_payload", 1, Some("HTTP 400 of `127.0.0.1`: invalid_payload")),
        (400, "", "a\r\n\u{1b}[31mb\u{202e}", 1, Some("HTTP 400 of `127.0.0.1`: a [31mb")),
        (
            403,
            "",
            "token EAAFAKEtoken12345 is wrong",
            1,
            Some("HTTP 403 of `127.0.0.1`: token [redacted] is wrong"),
        ),
        (403, "", repeated, 1, Some("HTTP 403 of `127.0.0.1`")),
        (403, "", html, 1, Some("HTTP 403 of `127.0.0.1`")),
        (403, "", &long, 1, Some("HTTP 403 of `127.0.0.1`")),
        (400, "", &"invalid ".repeat(20), 1, Some(cut.as_str())),
        (
            404,
            "",
            "no_service",
            1,
            Some("the webhook is gone: HTTP 404 of `127.0.0.1`: no_service"),
        ),
        (410, "", "", 1, Some("the webhook is gone: HTTP 410 of `127.0.0.1`")),
        (429, "", "", 2, Some("HTTP 429 of `127.0.0.1`")),
        (429, "retry-after: 0\r\n", "", 2, Some("HTTP 429 of `127.0.0.1`")),
        (429, "retry-after: 3600\r\n", "", 1, Some("HTTP 429 of `127.0.0.1`")),
        (500, "", "rollup_error", 2, Some("HTTP 500 of `127.0.0.1`: rollup_error")),
        (503, "", "", 2, Some("HTTP 503 of `127.0.0.1`")),
    ] {
        let server = WebServer::answering(&[answer(status, headers, body)]);
        let end = post(&server, PATIENT).err().map(|failure| failure.to_string());
        assert_eq!(end.as_deref(), expected, "{status} {body}");
        assert_eq!(server.heard().len(), tries, "{status} {body}");
        gives_nothing_away(&end.unwrap_or_default());
    }
}

#[test]
fn what_fails_once_is_sent_again_alike() {
    for first in [answer(503, "", ""), String::new(), "HTTP/1.1 2".to_owned()] {
        let server = WebServer::answering(&[first.clone(), answer(200, "", "ok")]);
        send(&channel(&server, WebhookFormat::Json), &message(), &notifier()).unwrap();
        let [one, two]: [_; 2] = server.heard().try_into().unwrap();
        assert_eq!((one.head, one.body), (two.head, two.body), "{first:?}");
    }
}

#[test]
fn a_redirect_leads_nowhere() {
    let other = WebServer::answering(&[answer(200, "", "ok")]);
    let location = format!("location: {}/\r\n", other.origin);
    let server = WebServer::answering(&[answer(302, &location, "")]);
    assert!(sentence(post(&server, PATIENT)).contains("a redirect, which is not followed"));
    assert_eq!(other.heard().len(), 0);
}

#[test]
fn nobody_is_waited_for_longer_than_the_tries_take() {
    let silent = WebServer::that(|_, _| std::thread::sleep(AMPLE));
    let dripping = WebServer::that(|_, stream| {
        while stream.write_all(b"H").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let drips_headers = WebServer::that(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 X\r\n");
        while stream.write_all(b"a: b\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    std::thread::scope(|scope| {
        for server in [silent, drips_headers] {
            scope.spawn(move || {
                let begun = Instant::now();
                let why = sentence(post(&server, HASTY));
                assert_eq!(why, "no answer from `127.0.0.1` within 300ms");
                let took = begun.elapsed();
                assert!(took >= 2 * SHORT && took < SOON, "{took:?}");
                assert_eq!(server.heard().len(), 2);
            });
        }
    });
    let begun = Instant::now();
    gives_nothing_away(&sentence(post(&dripping, HASTY)));
    assert!(begun.elapsed() < SOON);
}

#[test]
fn an_answer_is_taken_at_its_status_and_not_read_for_ever() {
    let flood = |status: u16| {
        WebServer::that(move |_, stream| {
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: 10485760\r\n\r\n");
            let _ = stream.write_all(head.as_bytes());
            while stream.write_all(&[b'x'; 8192]).is_ok() {}
        })
    };
    post(&flood(200), PATIENT).unwrap();
    assert_eq!(sentence(post(&flood(400), PATIENT)), "HTTP 400 of `127.0.0.1`");

    let never_ends = WebServer::that(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 X\r\ncontent-length: 9\r\n\r\nbad");
        std::thread::sleep(AMPLE);
    });
    let begun = Instant::now();
    assert_eq!(sentence(post(&never_ends, HASTY)), "HTTP 400 of `127.0.0.1`: bad");
    assert!(begun.elapsed() < SOON);
}

#[test]
fn a_host_that_is_not_there_is_named_and_nothing_else_of_the_address() {
    let nowhere = nowhere();
    for (url, expected) in [
        (
            format!("http://user:MARKED@127.0.0.1:{}{INSIDE}", nowhere.port),
            "no connection to `127.0.0.1`: connection refused",
        ),
        (
            format!("http://127.0.0.1:{}{INSIDE}", nowhere.port),
            "no connection to `127.0.0.1`: connection refused",
        ),
        (
            format!("fake://127.0.0.1{INSIDE}"),
            "the address of the webhook is not an `https://` URL of a host",
        ),
    ] {
        let channel = webhook(Secret::new(url), WebhookFormat::Text);
        let why = sentence(send(&channel, &message(), &notifier()));
        assert_eq!(why, expected);
        gives_nothing_away(&format!("{channel:?}"));
    }
}

#[test]
fn certificates_that_cannot_be_read_are_the_configurations_fault() {
    let server = WebServer::answering(&[answer(200, "", "ok")]);
    let notifier = notifier().trusting(Some("/nowhere/ca.pem".into()));
    let why = sentence(send(&channel(&server, WebhookFormat::Text), &message(), &notifier));
    assert!(why.starts_with("`ca_file` /nowhere/ca.pem: "), "{why}");
    assert_eq!(server.heard().len(), 0);
}

/// A server that answers 200 over TLS, and its port.
fn within_tls(certificate: &Certificate) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = Arc::clone(&certificate.server);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream =
                StreamOwned::new(ServerConnection::new(Arc::clone(&tls)).unwrap(), stream);
            // A client that refuses the certificate sends nothing.
            if stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                let _ = stream.write_all(answer(200, "", "ok").as_bytes());
            }
        }
    });
    port
}

#[test]
fn https_needs_a_certificate_that_is_trusted() {
    let (own, other) = (Certificate::for_localhost(), Certificate::for_localhost());
    let port = within_tls(&own);
    let url = Secret::new(format!("https://localhost:{port}{INSIDE}"));
    let channel = webhook(url, WebhookFormat::Text);
    let folder = tempfile::tempdir().unwrap();
    let post_trusting = |name: &str, certificate: &Certificate| {
        let path = folder.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(certificate.pem.as_bytes()).unwrap();
        send(&channel, &message(), &notifier().trusting(Some(path)))
    };
    post_trusting("own.pem", &own).unwrap();
    let why = sentence(post_trusting("other.pem", &other));
    assert!(why.starts_with("the certificate of `localhost` was not accepted: "), "{why}");
    gives_nothing_away(&why);
}

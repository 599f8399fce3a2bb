//! Signs of life.

use super::web_server::{WebServer, answer};
use super::*;

fn at(server: &WebServer, path: &str) -> PingAddress {
    PingAddress { url: server.at(path), plain_http: PlainHttp::Loopback }
}

#[test]
fn a_push_monitor_of_uptime_kuma_is_told_how_it_went_and_not_that_it_begins() {
    let path = "/api/push/fake?status=up&msg=OK&ping=";
    for (beat, line) in [
        (Beat::Start, None),
        (Beat::Success, Some("GET /api/push/fake?status=up&msg=OK&ping= HTTP/1.1")),
        (Beat::Fail, Some("GET /api/push/fake?status=down&msg=failed&ping= HTTP/1.1")),
    ] {
        let server = WebServer::answering(&[answer(200, "", r#"{"ok":true}"#)]);
        ping(&at(&server, path), beat, &notifier()).unwrap();
        let heard: Vec<String> = server.heard().into_iter().map(|it| it.head[0].clone()).collect();
        assert_eq!(heard, Vec::from_iter(line), "{beat}");
    }
}

#[test]
fn each_beat_has_its_address_and_nothing_is_said_there() {
    for (path, beat, line) in [
        ("/fake-uuid", Beat::Start, "GET /fake-uuid/start HTTP/1.1"),
        ("/fake-uuid", Beat::Success, "GET /fake-uuid HTTP/1.1"),
        ("/fake-uuid/", Beat::Fail, "GET /fake-uuid/fail HTTP/1.1"),
        ("/key/slug?create=1", Beat::Start, "GET /key/slug/start?create=1 HTTP/1.1"),
        ("/key/slug?create=1", Beat::Success, "GET /key/slug?create=1 HTTP/1.1"),
    ] {
        let server = WebServer::answering(&[answer(200, "", "OK")]);
        ping(&at(&server, path), beat, &notifier()).unwrap();
        let [heard]: [_; 1] = server.heard().try_into().unwrap();
        assert_eq!((heard.head[0].as_str(), heard.body.as_str()), (line, ""));
    }
}

#[test]
fn a_ping_that_fails_says_why_and_never_where() {
    for (status, tries, expected) in [
        (404, 1, "the check behind the ping is gone: HTTP 404 of `127.0.0.1`: not found"),
        (409, 1, "HTTP 409 of `127.0.0.1`: not found"),
        (429, 2, "HTTP 429 of `127.0.0.1`: not found"),
        (502, 2, "HTTP 502 of `127.0.0.1`: not found"),
    ] {
        let server = WebServer::answering(&[answer(status, "", "not found")]);
        let why = sentence(ping(&at(&server, "/fake-uuid"), Beat::Start, &notifier()));
        assert_eq!((why.as_str(), server.heard().len()), (expected, tries));
    }
    let nowhere = nowhere();
    let url = crate::token::Secret::new(format!("http://127.0.0.1:{}/fake-uuid", nowhere.port));
    let why = sentence(ping(
        &PingAddress { url, plain_http: PlainHttp::Loopback },
        Beat::Fail,
        &notifier(),
    ));
    assert_eq!(why, "no connection to `127.0.0.1`: connection refused");

    let silent = WebServer::that(|_, _| std::thread::sleep(AMPLE));
    let begun = Instant::now();
    let hasty = notifier().with_retry_policy(HASTY);
    let why = sentence(ping(&at(&silent, "/fake-uuid"), Beat::Start, &hasty));
    assert_eq!(why, "no answer from `127.0.0.1` within 300ms");
    assert!(begun.elapsed() < SOON);
}

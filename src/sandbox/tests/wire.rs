//! The server, as a raw socket sees it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use crate::sandbox::{
    FaultInjection, Invalidation, Rule, Sender, Server, Simulation, ThreadsInspection, TokenFixture,
};
use crate::token::Provider;

use super::{ANNA, INSTA, OWN_SECRET, THREADS, anna, as_app, exchange_target, world};

/// A server with Anna's token.
fn server() -> (Server, String) {
    let mut sim = world();
    let token = sim.mint(anna());
    (Server::start(sim).unwrap(), token)
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.url().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn send(stream: &mut TcpStream, target: &str, bearer: &str) {
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {bearer}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
}

/// One whole answer; nothing when the connection was closed before one came.
fn receive(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn inspection(token: &str) -> String {
    format!("/v25.0/debug_token?input_token={token}")
}

/// The answer to one inspection on a connection of its own.
fn once(server: &Server, token: &str) -> Option<(String, String)> {
    let mut stream = connect(server);
    send(&mut stream, &inspection(token), &as_app());
    receive(&mut stream).map(|(head, body)| (head, String::from_utf8(body).unwrap()))
}

#[test]
fn a_connection_serves_many_calls() {
    let (server, token) = server();
    let mut stream = connect(&server);
    for _ in 0..20 {
        send(&mut stream, &inspection(&token), &as_app());
        let (head, body) = receive(&mut stream).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("\r\nConnection: keep-alive\r\n"), "{head}");
        assert!(String::from_utf8(body).unwrap().contains("\"is_valid\":true"));
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 20));
    stream.write_all(b"GET /v25.0/me HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    assert!(receive(&mut stream).unwrap().0.contains("\r\nConnection: close\r\n"));
    assert!(receive(&mut stream).is_none());
    let mut stream = connect(&server);
    stream.write_all(b"\0\r\n\r\n").unwrap();
    assert!(receive(&mut stream).unwrap().0.starts_with("HTTP/1.1 400 "));
}

#[test]
fn sixteen_clients_are_served_at_once() {
    let (server, token) = server();
    server.latency(Duration::from_millis(100));
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert!(once(&server, &token).is_some()));
        }
    });
    assert!(began.elapsed() < Duration::from_millis(1500), "one after another takes 1.6 s");
    assert_eq!((server.connections(), server.requests().len()), (16, 16));
}

#[test]
fn what_was_seen_holds_no_secret() {
    let (server, token) = server();
    let mut stream = connect(&server);
    for target in [
        exchange_target(&token),
        inspection(&token),
        format!("/v25.0/me/accounts?access_token={token}"),
        format!("/v25.0/{token}?{token}=1"),
    ] {
        let bearer = if target.contains("access_token=") { "" } else { &as_app() };
        send(&mut stream, &target, bearer);
        receive(&mut stream).unwrap();
    }
    let seen = server.requests();
    let text = format!("{seen:?}");
    assert!(!text.contains(&token) && !text.contains(super::SECRET), "{text}");
    assert_eq!(seen[0].grant_type.as_deref(), Some("fb_exchange_token"));
    assert_eq!(seen[0].endpoint(), "oauth/access_token");
    assert_eq!((seen[1].sender, seen[1].status), (Sender::Header, Some(200)));
    assert_eq!(seen[1].about.as_deref(), Some("Anna"));
    assert_eq!(seen[1].parameters, ["input_token"]);
    assert_eq!(seen[3].path, "[masked]");
}

#[test]
fn each_provider_has_an_endpoint_and_what_was_seen_tells_them_apart() {
    let mut sim = world();
    let month = TimeDelta::days(30);
    let instagram = sim.mint(TokenFixture::instagram(INSTA, ANNA).named("creator").aged(month));
    let threads = sim.mint(TokenFixture::threads(THREADS, ANNA).named("notes").aged(month));
    sim.set_threads_inspection(ThreadsInspection::ForTheApp);
    let server = Server::start(sim).unwrap();
    let app = format!("TH|{THREADS}|{OWN_SECRET}");
    let refresh = |grants: &str, string: &str| {
        format!("/refresh_access_token?grant_type={grants}_refresh_token&access_token={string}")
    };
    let mut stream = connect(&server);
    for (provider, target, bearer) in [
        (Provider::Instagram, refresh("ig", &instagram), None),
        (Provider::Threads, refresh("th", &threads), None),
        (Provider::Threads, format!("/v1.0/debug_token?input_token={threads}"), Some(&app)),
        (Provider::Instagram, format!("/v25.0/{instagram}"), Some(&app)),
        (Provider::Threads, format!("/{threads}"), Some(&app)),
    ] {
        let endpoint = server.endpoint(provider);
        let path = endpoint.strip_prefix(&server.url()).unwrap();
        let bearer = bearer.map_or(String::new(), |it| format!("Authorization: Bearer {it}\r\n"));
        let request = format!("GET {path}{target} HTTP/1.1\r\n{bearer}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        receive(&mut stream).unwrap();
    }
    assert_eq!(server.endpoint(Provider::Facebook), server.url());
    let seen = server.requests();
    let told: Vec<_> = seen
        .iter()
        .take(3)
        .map(|call| (call.place(), call.about.as_deref(), call.sender, call.status))
        .collect();
    let refreshed = "refresh_access_token";
    assert_eq!(
        told,
        [
            (format!("instagram/{refreshed}"), Some("Creator"), Sender::Parameter, Some(200)),
            (format!("threads/{refreshed}"), Some("Notes"), Sender::Parameter, Some(200)),
            ("threads/debug_token".to_owned(), Some("Notes"), Sender::Header, Some(200)),
        ]
    );
    assert_eq!((seen[1].endpoint(), seen[1].path.as_str()), (refreshed, "/refresh_access_token"));
    assert_eq!(seen[0].grant_type.as_deref(), Some("ig_refresh_token"));
    let text = format!("{seen:?}");
    assert!(!text.contains("FAKE") && !text.contains(OWN_SECRET), "{text}");
}

#[test]
fn a_rule_holds_for_every_host_or_for_one() {
    let mut sim = world();
    let instagram = sim.mint(TokenFixture::instagram(INSTA, ANNA).aged(TimeDelta::days(30)));
    let threads = sim.mint(TokenFixture::threads(THREADS, ANNA).aged(TimeDelta::days(30)));
    let server = Server::start(sim).unwrap();
    let statuses = || {
        [("instagram", "ig", &instagram), ("threads", "th", &threads)].map(|(host, grant, it)| {
            let mut stream = connect(&server);
            let target = format!(
                "/{host}/refresh_access_token?grant_type={grant}_refresh_token&access_token={it}"
            );
            write!(stream, "GET {target} HTTP/1.1\r\n\r\n").unwrap();
            let (head, _) = receive(&mut stream).unwrap();
            head[9..12].to_owned()
        })
    };
    let on = || Rule::on("/refresh_access_token");
    for (rule, wanted) in [
        (on(), ["503", "503"]),
        (on().at(Provider::Threads), ["200", "503"]),
        (on().about(&instagram), ["503", "200"]),
        (Rule::on("/access_token"), ["200", "200"]),
        (Rule::on("/refresh_access_token").at(Provider::Facebook), ["200", "200"]),
    ] {
        server.behave();
        server.misbehave(rule.clone(), FaultInjection::Code2Transient);
        assert_eq!(statuses(), wanted, "{rule:?}");
    }
}

#[test]
fn a_change_is_kept_before_it_is_answered() {
    let (server, token) = server();
    let (kept, memory) = mpsc::channel();
    server.on_change(move |sim: &Simulation| {
        kept.send(sim.to_json()).unwrap();
        Ok(())
    });
    let mut stream = connect(&server);
    send(&mut stream, &inspection(&token), &as_app());
    receive(&mut stream).unwrap();
    assert!(memory.try_recv().is_err(), "nothing changed");
    send(&mut stream, &exchange_target(&token), "");
    receive(&mut stream).unwrap();
    assert!(memory.try_recv().unwrap().contains("EAAFAKEAnna2"));
    server.on_change(|_| Err(std::io::Error::other("the disk is full")));
    send(&mut stream, &exchange_target(&token), "");
    let (head, body) = receive(&mut stream).unwrap();
    assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
    assert!(!String::from_utf8(body).unwrap().contains("EAAFAKE"));
}

#[test]
fn it_misbehaves_as_it_was_told() {
    let (server, token) = server();
    for (misbehaviour, status, body) in [
        (FaultInjection::Html, "200", "<html>"),
        (FaultInjection::Nothing, "200", ""),
        (FaultInjection::Null, "200", "null"),
        (FaultInjection::Status(502), "502", "\"code\":1,"),
        (FaultInjection::Code2Transient, "503", "\"is_transient\":true,\"code\":2,"),
        (FaultInjection::Throttled, "400", "\"code\":4,"),
        (FaultInjection::UserThrottled, "400", "\"code\":17,"),
        (
            FaultInjection::Raw { status: 302, headers: vec![], body: b"elsewhere".to_vec() },
            "302",
            "elsewhere",
        ),
    ] {
        server.behave();
        server.misbehave(Rule::on("/debug_token").once(), misbehaviour.clone());
        let (head, said) = once(&server, &token).unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{misbehaviour:?}\n{head}");
        assert!(said.contains(body), "{misbehaviour:?}\n{said}");
        let (head, _) = once(&server, &token).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "it behaves again");
    }
}

#[test]
fn a_huge_answer_is_huge() {
    let (server, token) = server();
    server.misbehave(Rule::any(), FaultInjection::Huge(10_000_000));
    assert_eq!(once(&server, &token).unwrap().1.len(), 10_000_000);
}

#[test]
fn a_slow_answer_drips() {
    let (server, token) = server();
    server.misbehave(Rule::any(), FaultInjection::Slow(Duration::from_micros(100)));
    let began = Instant::now();
    let (head, body) = once(&server, &token).unwrap();
    let pauses = u32::try_from(head.len() + body.len()).unwrap();
    assert!(began.elapsed() >= Duration::from_micros(100) * (pauses - 1));
    assert!(body.contains("\"is_valid\":true"), "slow, but right");
}

#[test]
fn a_clock_can_be_wrong() {
    let (server, token) = server();
    server.misbehave(Rule::any(), FaultInjection::WrongDate(TimeDelta::hours(-2)));
    let (head, _) = once(&server, &token).unwrap();
    assert!(head.contains("\r\nDate: Wed, 31 Dec 2025 22:00:00 GMT\r\n"), "{head}");
}

#[test]
fn a_lost_answer_was_given_or_was_not() {
    let strings = |server: &Server| server.with(|sim| sim.strings().count());
    for (misbehaviour, left) in
        [(FaultInjection::CloseBeforeAnswer, 1), (FaultInjection::CloseAfterEffect, 2)]
    {
        let (server, token) = server();
        server.misbehave(Rule::on("/oauth/access_token").about(&token), misbehaviour);
        let mut stream = connect(&server);
        send(&mut stream, &exchange_target(&token), "");
        assert!(receive(&mut stream).is_none());
        assert_eq!(strings(&server), left);
        assert_eq!(server.requests()[0].status, None);
    }
}

#[test]
fn the_memory_can_be_changed_between_two_calls() {
    let (server, token) = server();
    assert!(once(&server, &token).unwrap().1.contains("\"is_valid\":true"));
    server.with(|sim| sim.invalidate(&token, Invalidation::Checkpoint));
    assert!(once(&server, &token).unwrap().1.contains("\"subcode\":459"));
}

#[test]
fn everything_stops_when_it_is_dropped() {
    let (server, token) = server();
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let mut idle = connect(&server);
    send(&mut idle, &inspection(&token), &as_app());
    receive(&mut idle).unwrap();
    server.misbehave(Rule::on("/debug_token").sparing(1), FaultInjection::Slow(Duration::MAX));
    server.misbehave(Rule::any(), FaultInjection::Slow(Duration::from_hours(1)));
    let mut waiting = connect(&server);
    send(&mut waiting, &inspection(&token), &as_app());
    let began = Instant::now();
    thread::sleep(Duration::from_millis(20));
    drop(server);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(receive(&mut idle).is_none() && receive(&mut waiting).is_none());
    // A child that another test forks at this moment has the listener too, until it becomes its program.
    while TcpStream::connect(&address).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
#[ignore = "a measurement, and the machine may be busy with something else"]
fn a_burst_is_answered_faster_than_any_client_asks() {
    let (server, token) = server();
    let (clients, calls) = (32, 1000);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                let mut stream = connect(&server);
                for _ in 0..calls / clients {
                    send(&mut stream, &inspection(&token), &as_app());
                    receive(&mut stream).unwrap();
                }
            });
        }
    });
    let asked = server.requests().len();
    let rate = f64::from(u32::try_from(asked).unwrap()) / began.elapsed().as_secs_f64();
    assert!(rate > 3000.0, "{rate:.0} calls a second");
}

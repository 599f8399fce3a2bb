//! What a connection may do: refuse, break, drip, flood, lead elsewhere.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::graph::{Scope, Settings};
use crate::http::certificate::Certificate;
use crate::token::{Action, ProblemKind};

use super::server::{
    ALIVE, Server, answer, app, exchange, gives_nothing_away, graph, nowhere, settings, token,
};

#[test]
fn a_refused_connection_is_said_so_and_parks_graph() {
    let nowhere = nowhere();
    let graph = graph(settings(&nowhere.url));
    let fault = graph.grant(&app("7"), exchange(), Some(&token())).expect_err("nobody is there");
    assert_eq!(fault.problem.message, "no connection to `127.0.0.1`: connection refused");
    assert_eq!((fault.problem.kind, &fault.scope), (ProblemKind::Network, &Scope::Graph));
    assert!(!fault.held_back);
    gives_nothing_away(&fault);
    let held = graph.inspect(&app("8"), &token()).expect_err("Graph is parked");
    assert!(held.held_back && held.problem == fault.problem);
    assert_eq!((graph.calls(), graph.clock_skew()), (0, None));
}

/// A proxy that opens HTTPS was taken for a passing fault, and nobody was told of `ca_file`.
#[test]
fn a_certificate_of_an_unknown_ca_is_the_configurations_fault() {
    let certificate = Certificate::for_localhost();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback listens");
    let url = format!("https://localhost:{}", listener.local_addr().expect("an address").port());
    let server = std::sync::Arc::clone(&certificate.server);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut session = rustls::ServerConnection::new(server.clone()).expect("a session");
            let mut stream = rustls::Stream::new(&mut session, &mut stream);
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let _ = stream.write_all(answer(200, "", ALIVE).as_bytes());
        }
    });
    let strange = graph(settings(&url));
    let fault = strange.inspect(&app("7"), &token()).expect_err("nobody knows the CA");
    assert_eq!(
        fault.problem.message,
        "the certificate of `localhost` was not accepted: invalid peer certificate: UnknownIssuer"
    );
    assert_eq!(
        (fault.problem.kind, fault.problem.action),
        (ProblemKind::Network, Action::FixConfiguration)
    );
    let next = strange.inspect(&app("8"), &token()).expect_err("it would be the same");
    assert!(next.held_back, "it is tried once");
    let folder = tempfile::tempdir().expect("a folder");
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, &certificate.pem).expect("a file");
    let knowing = graph(Settings { ca_file: Some(ca_file), ..settings(&url) });
    assert_eq!(knowing.inspect(&app("7"), &token()).expect("it is trusted").valid, Some(true));
}

#[test]
fn a_proxys_page_is_no_verdict() {
    let page = answer(400, "content-type: text/html\r\n", "<html>EAAfakeMARKEDtoken</html>");
    let server = Server::answering(vec![page]);
    let graph = server.graph();
    let fault = graph.inspect(&app("7"), &token()).expect_err("it is no answer");
    assert_eq!(fault.problem.kind, ProblemKind::MalformedResponse);
    assert_eq!(
        fault.problem.message,
        "a proxy or another server answered, not Graph: status 400, content type `text/html`, no JSON"
    );
    gives_nothing_away(&fault);
    assert_eq!(graph.calls(), 1);
}

#[test]
fn a_connection_that_ends_without_an_answer_is_tried_again() {
    let server = Server::that(|number, stream| {
        if number == 1 {
            let _ = stream.write_all(answer(200, "", ALIVE).as_bytes());
        }
    });
    let graph = server.graph();
    assert_eq!(graph.inspect(&app("7"), &token()).expect("the second").valid, Some(true));
    assert_eq!(graph.calls(), 2);
    let silent = Server::that(|_, _| ());
    let fault = silent.graph().inspect(&app("7"), &token()).expect_err("no answer");
    assert_eq!(fault.problem.kind, ProblemKind::Network);
    assert!(fault.problem.message.starts_with("the connection to `127.0.0.1` broke: "), "{fault}");
    gives_nothing_away(&fault);
}

#[test]
fn an_answer_cut_short_is_no_answer() {
    let short = answer(200, "", ALIVE).replace(&format!("length: {}", ALIVE.len()), "length: 999");
    let server = Server::answering(vec![short]);
    let fault =
        server.graph().grant(&app("7"), exchange(), Some(&token())).expect_err("it is cut short");
    assert_eq!(fault.problem.kind, ProblemKind::Network);
    gives_nothing_away(&fault);
    assert_eq!(server.heard().len(), 1, "an exchange whose answer was lost is not repeated");
}

#[test]
fn a_slow_drip_does_not_outlive_the_timeout() {
    let server = Server::that(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let patience = Duration::from_millis(300);
    let graph = graph(Settings { timeout: patience, attempts: 1, ..settings(&server.url) });
    let begun = Instant::now();
    let fault = graph.inspect(&app("7"), &token()).expect_err("it takes too long");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(fault.problem.message, "no answer from `127.0.0.1` within 300ms");
    gives_nothing_away(&fault);
}

#[test]
fn an_exchange_is_not_repeated_after_a_timeout() {
    let server = Server::that(|_, _| std::thread::sleep(Duration::from_secs(2)));
    let settings = Settings { timeout: Duration::from_millis(400), ..settings(&server.url) };
    let graph = graph(settings);
    let fault = graph.grant(&app("7"), exchange(), Some(&token())).expect_err("it takes too long");
    assert_eq!(fault.problem.message, "no answer from `127.0.0.1` within 400ms");
    gives_nothing_away(&fault);
    assert_eq!((server.heard().len(), graph.calls()), (1, 1));
    let next = graph.grant(&app("7"), exchange(), Some(&token())).expect_err("it takes too long");
    assert!(!next.held_back, "one slow answer does not park Graph");
}

#[test]
fn a_flood_is_cut_off() {
    let server = Server::that(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 10485760\r\n\r\n");
        let chunk = [b' '; 8192];
        while stream.write_all(&chunk).is_ok() {}
    });
    let fault = server.graph().inspect(&app("7"), &token()).expect_err("it is too much");
    assert_eq!(fault.problem.kind, ProblemKind::MalformedResponse);
    assert!(fault.problem.message.contains("more than 1 MiB"), "{fault}");
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Server::answering(vec![answer(200, "", ALIVE)]);
    let location = format!("location: {}/\r\n", other.url);
    let server = Server::answering(vec![answer(302, &location, "")]);
    let fault = server.graph().inspect(&app("7"), &token()).expect_err("it is no answer");
    assert_eq!(fault.problem.kind, ProblemKind::MalformedResponse);
    assert!(fault.problem.message.contains("302"), "{fault}");
    assert_eq!(other.heard().len(), 0);
}

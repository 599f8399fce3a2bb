//! The client against a server that misbehaves on purpose.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::token::{AccessToken, Action, GrantType, ProblemKind, Secret, Time, TokenType};

use super::{App, Endpoints, Fault, Graph, Scope, Settings};

const TOKEN: &str = "EAAfakeMARKEDtoken";
const SECRET: &str = "MARKEDhushhush";
const ALIVE: &str = r#"{"data":{"is_valid":true,"type":"USER"}}"#;

type Manners = dyn Fn(usize, &mut TcpStream) + Send + Sync;

/// A server that deals with the n-th request (from 0) as told.
struct Server {
    url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn that(manners: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback listens");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (notes, count) = (Arc::clone(&heard), AtomicUsize::new(0));
        let manners: Arc<Manners> = Arc::new(manners);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (notes, manners) = (Arc::clone(&notes), Arc::clone(&manners));
                let number = count.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    notes.lock().expect("unharmed").push(head_of(&mut stream));
                    manners(number, &mut stream);
                });
            }
        });
        Self { url, heard }
    }

    /// A server that gives these answers, the last one for ever.
    fn answering(answers: Vec<String>) -> Self {
        Self::that(move |number, stream| {
            let answer = answers.get(number).or(answers.last()).expect("there is one");
            let _ = stream.write_all(answer.as_bytes());
        })
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("unharmed").clone()
    }

    fn graph(&self) -> Graph {
        graph(settings(&self.url))
    }
}

fn head_of(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

fn settings(url: &str) -> Settings {
    Settings {
        timeout: Duration::from_secs(5),
        attempts: 3,
        pause: Duration::from_millis(1),
        endpoints: Endpoints::all_at(url),
        ..Settings::default()
    }
}

fn noon() -> Time {
    Time::from_timestamp(1_767_268_800, 0).expect("a date")
}

fn graph(settings: Settings) -> Graph {
    Graph::new(settings, Clock::standing(noon()), Arc::new(AtomicBool::new(false)))
}

fn exchange() -> &'static GrantType {
    TokenType::User.family().exchange.expect("a user token can be exchanged")
}

fn app(id: &str) -> App {
    let secret = Some(Secret::new(SECRET));
    App {
        name: "main".into(),
        provider: crate::token::Provider::Facebook,
        id: id.into(),
        secret,
        version: "v25.0".into(),
        throttled_until: None,
    }
}

fn token() -> AccessToken {
    AccessToken::parse(TOKEN).expect("a token")
}

/// A place where nobody listens: the port is a connection's own end, kept so that no listener of
/// another test is given it.
struct Nowhere {
    url: String,
    _end: TcpStream,
}

fn nowhere() -> Nowhere {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback listens");
    let end = TcpStream::connect(listener.local_addr().expect("it has an address"));
    let end = end.expect("it connects");
    Nowhere { url: format!("http://{}", end.local_addr().expect("it has an address")), _end: end }
}

#[track_caller]
fn gives_nothing_away(fault: &Fault) {
    let shown = format!("{fault} {fault:?}");
    for secret in ["MARKED", "access_token=", "client_secret=", "://"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

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

#[test]
fn a_transient_fault_is_tried_again_and_the_request_is_as_meta_wants_it() {
    let down = answer(500, "", r#"{"error":{"code":2,"is_transient":true}}"#);
    let dated = answer(200, "date: Thu, 01 Jan 2026 11:50:00 GMT\r\n", ALIVE);
    let server = Server::answering(vec![down, dated]);
    let graph = server.graph();
    assert_eq!(graph.inspect(&app("7"), &token()).expect("the second").valid, Some(true));
    assert_eq!(graph.calls(), 2);
    assert_eq!(graph.clock_skew(), Some(chrono::TimeDelta::minutes(10)));
    let head = server.heard().remove(1).to_lowercase();
    assert!(head.starts_with("get /v25.0/debug_token?input_token=eaafakemarkedtoken http/1.1"));
    assert!(head.contains("authorization: bearer 7|markedhushhush"), "{head}");
    assert!(head.contains("user-agent: metatoken/"), "{head}");
    assert!(!head.contains("referer"), "{head}");
}

#[test]
fn an_exchange_is_repeated_where_graph_itself_says_that_it_failed() {
    let down = answer(500, "", r#"{"error":{"code":2,"message":"down"}}"#);
    let granted = answer(200, "", r#"{"access_token":"EAAfakenew","expires_in":60}"#);
    let server = Server::answering(vec![down, granted]);
    let grant = server.graph().grant(&app("7"), exchange(), Some(&token())).expect("the second");
    assert_eq!(grant.token.expose(), "EAAfakenew");
    assert_eq!(grant.expiry.at(), Some(noon() + chrono::TimeDelta::minutes(1)));
    let bad_gateway = Server::answering(vec![answer(502, "", "<html>")]);
    bad_gateway.graph().grant(&app("7"), exchange(), Some(&token())).expect_err("it is down");
    assert_eq!(bad_gateway.heard().len(), 1, "nobody knows what came of it");
}

#[test]
fn a_wrong_secret_parks_its_app_and_no_other() {
    let body = r#"{"error":{"code":1,"message":"Error validating client secret: MARKEDhushhush"}}"#;
    let server = Server::answering(vec![answer(400, "", body)]);
    let graph = server.graph();
    let fault =
        graph.grant(&app("7"), exchange(), Some(&token())).expect_err("the secret is wrong");
    assert_eq!(fault.scope, Scope::App("7".into()));
    assert_eq!(fault.problem.action, Action::FixConfiguration);
    gives_nothing_away(&fault);
    assert!(graph.pages(&app("7"), &token()).expect_err("it is parked").held_back);
    assert!(!graph.pages(&app("8"), &token()).expect_err("it was asked").held_back);
    assert_eq!(server.heard().len(), 2);
}

#[test]
fn a_token_of_another_app_parks_nobody() {
    let body = r#"{"error":{"code":100,"message":"It did not match the Viewing App"}}"#;
    let server = Server::answering(vec![answer(400, "", body)]);
    let graph = server.graph();
    for _ in 0..2 {
        let fault = graph.inspect(&app("7"), &token()).expect_err("it is another app's");
        assert_eq!((fault.scope, fault.held_back), (Scope::Token, false));
    }
}

#[test]
fn graph_is_parked_after_three_calls_that_it_brought_down() {
    let server = Server::answering(vec![answer(503, "", "")]);
    let graph = server.graph();
    for _ in 0..3 {
        let fault = graph.inspect(&app("7"), &token()).expect_err("it is down");
        assert_eq!((fault.problem.kind, fault.held_back), (ProblemKind::GraphUnavailable, false));
    }
    assert!(graph.inspect(&app("7"), &token()).expect_err("it is parked").held_back);
    assert_eq!(server.heard().len(), 9, "three calls of three tries");
}

#[test]
fn a_throttled_call_is_not_repeated() {
    let body = r#"{"error":{"code":4,"message":"Application request limit reached"}}"#;
    let server = Server::answering(vec![answer(400, "", body)]);
    let fault = server.graph().inspect(&app("7"), &token()).expect_err("it is throttled");
    assert_eq!(fault.scope, Scope::App("7".into()));
    assert_eq!(server.heard().len(), 1);
}

#[test]
fn the_list_of_pages_is_read_to_its_end_and_no_further() {
    let stretch = |id: u32, paging: &str| {
        let body = format!(r#"{{"data":[{{"id":"{id}"}}],"paging":{paging}}}"#);
        answer(200, "", &body)
    };
    let more = r#"{"cursors":{"after":"A"},"next":"https://graph.example/?access_token=EAAfake"}"#;
    let ids = |server: &Server| {
        let pages = server.graph().pages(&app("7"), &token()).expect("a list");
        pages.into_iter().map(|page| page.id).collect::<Vec<_>>()
    };
    let end = r#"{"cursors":{"after":"B"}}"#;
    let server = Server::answering(vec![stretch(1, more), stretch(2, end)]);
    assert_eq!(ids(&server), ["1", "2"]);
    let heard = server.heard();
    assert!(heard[0].contains("limit=100") && !heard[0].contains("after="), "{}", heard[0]);
    assert!(heard[1].contains("after=A") && heard[1].contains("appsecret_proof="), "{}", heard[1]);
    let endless = Server::answering(vec![stretch(1, more)]);
    assert_eq!(ids(&endless), ["1"]);
    assert_eq!(endless.heard().len(), 2, "a cursor that comes again ends the list");
}

#[test]
fn without_a_secret_nobody_is_asked() {
    let graph = graph(settings(&nowhere().url));
    let app = App { secret: None, ..app("7") };
    let fault = graph.grant(&app, exchange(), Some(&token())).expect_err("there is no secret");
    assert_eq!(fault.problem.kind, ProblemKind::BadAppCredentials);
    assert_eq!(
        fault.problem.message,
        "app `main` has no secret, without which nobody can exchange a token"
    );
}

#[test]
fn a_client_that_cannot_be_built_is_the_configurations_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let ca_file = folder.path().join("ca.pem");
    for content in
        [None, Some(""), Some("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")]
    {
        if let Some(content) = content {
            let mut file = std::fs::File::create(&ca_file).expect("a file");
            file.write_all(content.as_bytes()).expect("it is written");
        }
        let settings = Settings { ca_file: Some(ca_file.clone()), ..settings(&nowhere().url) };
        let fault = graph(settings).inspect(&app("7"), &token()).expect_err("no client");
        assert_eq!(fault.problem.action, Action::FixConfiguration, "{fault}");
        assert!(fault.problem.message.contains("ca.pem"), "{fault}");
    }
    for url in ["http://graph.example.org", "nonsense", "data:x"] {
        let fault = graph(settings(url)).inspect(&app("7"), &token()).expect_err(url);
        assert_eq!(fault.problem.action, Action::FixConfiguration, "{url}: {fault}");
    }
}

#[test]
fn nothing_is_asked_out_of_time_or_after_a_stop() {
    let server = Server::answering(vec![answer(200, "", ALIVE)]);
    let late = graph(Settings { deadline: Some(Instant::now()), ..settings(&server.url) });
    let fault = late.inspect(&app("7"), &token()).expect_err("it is too late");
    assert_eq!(fault.problem.message, "not asked: out of time");
    let stop = Arc::new(AtomicBool::new(true));
    let stopped = Graph::new(settings(&server.url), Clock::standing(noon()), stop);
    let fault = stopped.inspect(&app("7"), &token()).expect_err("it is stopped");
    assert_eq!(fault.problem.message, "not asked: the run is being stopped");
    assert!(fault.held_back);
    assert_eq!(server.heard().len(), 0);
}

#[test]
fn a_stop_cuts_the_waiting_short() {
    let server = Server::answering(vec![answer(503, "retry-after: 10\r\n", "")]);
    let stop = Arc::new(AtomicBool::new(false));
    let graph = Graph::new(settings(&server.url), Clock::standing(noon()), Arc::clone(&stop));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| graph.inspect(&app("7"), &token()).expect_err("it is down"));
        while server.heard().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(server.heard().len(), 1);
}

#[test]
fn a_death_that_graph_calls_transient_is_asked_about_again() {
    let passing =
        answer(400, "", r#"{"error":{"code":190,"error_subcode":463,"is_transient":true}}"#);
    let server = Server::answering(vec![passing, answer(200, "", ALIVE)]);
    let graph = server.graph();
    assert_eq!(graph.inspect(&app("7"), &token()).expect("the second").valid, Some(true));
    assert_eq!(graph.calls(), 2);
}

#[test]
fn a_throttled_app_is_left_alone_for_as_long_as_graph_says() {
    let usage = "x-app-usage: {'call_count': 130}\r\nx-business-use-case-usage: \
                 {\"9\":[{\"estimated_time_to_regain_access\":12}]}\r\n";
    for (code, is_the_apps) in [(4, true), (341, true), (17, false), (32, false), (80_004, false)] {
        let body = format!(r#"{{"error":{{"code":{code},"message":"Too many calls"}}}}"#);
        let server = Server::answering(vec![answer(400, usage, &body)]);
        let graph = server.graph();
        let first = graph.pages(&app("7"), &token()).expect_err("it is throttled");
        assert_eq!(first.problem.message, "Too many calls: Graph answers again in 12 minutes");
        assert_eq!((first.wait, first.held_back), (Some(chrono::TimeDelta::minutes(12)), false));
        let second = graph.pages(&app("7"), &token()).expect_err("it is throttled");
        assert_eq!((second.wait, second.held_back), (first.wait, is_the_apps), "{code}");
        let other = graph.pages(&app("8"), &token()).expect_err("it is throttled too");
        assert!(!other.held_back, "{code}");
        let throttles = graph.throttles();
        assert_eq!(
            throttles.first().map(|it| it.wait),
            is_the_apps.then_some(first.wait),
            "{code}"
        );
        assert_eq!(server.heard().len(), if is_the_apps { 2 } else { 3 }, "{code}");
    }
}

#[test]
fn a_block_for_policy_is_not_hammered() {
    let body = r#"{"error":{"code":368,"message":"blocked","is_transient":true}}"#;
    let server = Server::answering(vec![answer(400, "retry-after: 1\r\n", body)]);
    let fault = server.graph().pages(&app("7"), &token()).expect_err("it is blocked");
    assert_eq!((fault.problem.action, fault.wait), (Action::Wait, None));
    assert_eq!(server.heard().len(), 1);
}

#[test]
fn what_the_headers_tell_is_remembered() {
    let told = "x-app-usage: {\"call_count\":91}\r\nfacebook-api-version: v26.0\r\n";
    let silent = answer(200, "", ALIVE);
    let server = Server::answering(vec![answer(200, told, ALIVE), silent]);
    let graph = server.graph();
    assert_eq!((graph.budget_used(&app("7")), graph.fallbacks()), (None, Vec::new()));
    for _ in 0..2 {
        graph.inspect(&app("7"), &token()).expect("it is alive");
        assert_eq!((graph.budget_used(&app("7")), graph.budget_used(&app("8"))), (Some(91), None));
        let (app, asked, answered) = ("main".into(), "v25.0".into(), "v26.0".into());
        assert_eq!(graph.fallbacks(), [super::VersionFallback { app, asked, answered }]);
    }
}

//! `check --format http`: one answer to one request, whoever sends it and whatever is wrong.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use metatoken::sandbox::Invalidation;

use super::{CONFIG, kept, several, user};
use crate::common::{Ran, World, day};

const SERVE: &[&str] = &["check", "--format", "http"];
const GET: &str = "GET / HTTP/1.1\r\nHost: localhost:9573\r\nUser-Agent: monitor\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: localhost:9573\r\n\r\n";

/// Asks with this request.
fn ask(world: &World, more: &[&str], request: &str) -> Ran {
    world.run_with_input(&[SERVE, more].concat(), request).code(0)
}

/// The status and the body of an answer, whose head is as it must be.
#[track_caller]
fn parts(ran: &Ran) -> (u16, serde_json::Value) {
    let (head, body) =
        ran.stdout.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{}", ran.stdout));
    let mut lines = head.lines();
    let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
    let names: Vec<&str> = lines.map(|line| line.split(':').next().unwrap()).collect();
    for name in ["Date", "Content-Type", "Content-Length", "Cache-Control", "Connection"] {
        assert!(names.contains(&name), "{head}");
    }
    assert!(head.contains("\r\nCache-Control: no-store\r\n"), "{head}");
    let body =
        if body.is_empty() { serde_json::Value::Null } else { serde_json::from_str(body).unwrap() };
    (status, body)
}

#[test]
fn a_monitor_gets_the_verdict_and_the_counts() {
    let world = kept();
    let body = "\
{
  \"version\": 1,
  \"health\": \"ok\",
  \"generated_at\": \"2026-01-01T00:00:00Z\",
  \"counts\": {
    \"tokens\": 2,
    \"ok\": 2,
    \"warning\": 0,
    \"critical\": 0,
    \"unknown\": 0
  }
}
";
    let head = format!(
        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    let whole = format!("{head}{body}");
    for request in [GET, "", "GET / HTTP/1.0\r\n\r\n", "GET /healthz?a=b HTTP/1.1\r\n\r\n"] {
        ask(&world, &[], request).stdout(&whole).stderr("");
    }
    ask(&world, &["--quiet"], GET).stdout(&whole).stderr("");
    ask(&world, &[], HEAD).stdout(&head).stderr("");
    assert!(world.calls().is_empty(), "nobody is asked");
}

#[test]
fn the_status_follows_the_verdict() {
    let mut world = kept();
    let status = |world: &World, more: &[&str]| {
        let (status, body) = parts(&ask(world, more, GET));
        assert_eq!(parts(&ask(world, more, HEAD)).0, status);
        (status, body["health"].as_str().unwrap().to_owned())
    };
    assert_eq!(status(&world, &["--fail-on", "warning"]), (200, "ok".to_owned()));
    world.at(day(2));
    assert_eq!(status(&world, &[]), (200, "warning".to_owned()));
    assert_eq!(status(&world, &["--fail-on", "critical"]), (200, "warning".to_owned()));
    assert_eq!(status(&world, &["--fail-on", "warning"]), (503, "warning".to_owned()));
    assert_eq!(status(&world, &["--tokens", "brand"]), (200, "ok".to_owned()));
    world.graph.with(|graph| graph.invalidate("EAAFAKEShop1", Invalidation::Revoked));
    let _ = world.run(&["refresh", "shop", "--quiet"]).code(77);
    assert_eq!(status(&world, &[]), (503, "critical".to_owned()));
    assert_eq!(parts(&ask(&world, &[], GET)).1["counts"]["critical"], 1);
    let unknown = World::new().config(CONFIG).token("BRAND", user("brand"));
    assert_eq!(status(&unknown, &["brand"]), (503, "unknown".to_owned()));
}

#[test]
fn detail_is_all_that_json_has() {
    let world = kept();
    let mut all = parts(&ask(&world, &["--detail"], GET)).1;
    let json = world.run(&["check", "--json"]).code(0).json();
    let counts = all.as_object_mut().unwrap().remove("counts").unwrap();
    assert_eq!(counts["tokens"], 2);
    assert_eq!(
        all.as_object_mut().unwrap().remove("generated_at").unwrap(),
        "2026-01-01T00:00:00Z"
    );
    // Each run has numbers of its own in place of fingerprints.
    for (ours, theirs) in
        all["tokens"].as_array_mut().unwrap().iter_mut().zip(json["tokens"].as_array().unwrap())
    {
        ours["fingerprint"] = theirs["fingerprint"].clone();
    }
    assert_eq!(all, json);
}

#[test]
fn its_own_errors_are_answered_without_a_path_or_a_secret() {
    let world = kept();
    let critical = [("metatoken.db", "no store at all")];
    for (what, health, code) in
        [("config", "unknown", "config_invalid"), ("store", "critical", "store_unreadable")]
    {
        if what == "config" {
            world.reconfigure("[token.brand]\ntype = \"usr\"\nsecret = \"hushhush\"\n");
        } else {
            world.reconfigure(CONFIG);
            world.write(critical[0].0, critical[0].1);
        }
        for request in [GET, HEAD] {
            let ran = ask(&world, &[], request);
            let (status, body) = parts(&ran);
            assert_eq!(status, 503);
            let folder = world.path(".");
            let folder = folder.parent().unwrap().to_str().unwrap();
            for secret in [folder, "[DIR]", "metatoken.toml", "metatoken.db", "hushhush", "usr"] {
                assert!(!ran.stdout.contains(secret), "{secret}: {}", ran.stdout);
            }
            assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
            if request == GET {
                assert_eq!(body["health"], health, "{body}");
                assert!(body["error"]["code"].is_string(), "{body}: {code}");
                assert_eq!(body["counts"], serde_json::Value::Null);
            }
        }
    }
    // What was typed is wrong: the client is told, and so is the journal.
    for wrong in
        [&["--no-such"][..], &["nobody"], &["--fail-on", "never"], &["--tokens", "--system"]]
    {
        let ran = ask(&kept(), wrong, GET);
        assert_eq!(parts(&ran).0, 503, "{wrong:?}");
        assert!(
            !ran.stderr.is_empty() && !ran.stdout.contains(wrong[0]),
            "{wrong:?}: {}",
            ran.stderr
        );
    }
    let pasted = "EAABfakeZBfake0ZCfake1fakefakefakefakeZD";
    let ran = ask(&kept(), &[pasted], GET);
    assert!(!ran.stdout.contains("fakeZB") && !ran.stderr.contains("fakeZB"), "{}", ran.stdout);
    assert_eq!(parts(&ran).1["error"]["code"], "secret_in_arguments");
}

#[test]
fn its_options_are_for_http_alone() {
    let world = kept();
    for option in [&["--detail"][..], &["--fail-on", "warning"]] {
        let ran = world.run(&[&["check"], option].concat()).code(3);
        assert_eq!(
            ran.stderr,
            "error: `--fail-on` and `--detail` are for the answer to an HTTP request\n\
             hint: add `--format http`\n"
        );
    }
    world.run(&["status", "--format", "http"]).code(64);
}

#[test]
fn what_is_no_request_is_turned_away() {
    let world = kept();
    let long = "x".repeat(9000);
    for (request, status, code) in [
        ("hello\n".to_owned(), 400, "bad_request"),
        ("GET / HTTP/1.1\r\nHost".to_owned(), 400, "bad_request"),
        ("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}".to_owned(), 405, "method_not_allowed"),
        ("DELETE / HTTP/1.1\r\n\r\n".to_owned(), 405, "method_not_allowed"),
        (
            "GET / HTTP/1.1\r\nContent-Length: 9000\r\n\r\n".to_owned() + &long,
            413,
            "content_too_large",
        ),
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), 414, "uri_too_long"),
        (format!("GET / HTTP/1.1\r\nA: {long}\r\n\r\n"), 431, "header_fields_too_large"),
    ] {
        let ran = ask(&world, &[], &request);
        let (found, body) = parts(&ran);
        assert_eq!((found, &body["error"]["code"]), (status, &code.into()), "{}", ran.stdout);
        assert_eq!(ran.stdout.contains("\r\nAllow: GET, HEAD\r\n"), status == 405);
        assert_eq!(ran.stderr, "");
    }
    // Without a config too: it is not even looked for.
    let ran = ask(&World::new().config("nonsense"), &[], "hello\n");
    assert_eq!((parts(&ran).0, ran.stderr.as_str()), (400, ""));
}

/// The binary with a socket as its standard input and output, as a service manager starts it.
fn connected(world: &World) -> (Child, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (socket, _) = listener.accept().unwrap();
    let mut command = world.command(SERVE);
    command.stdin(Stdio::from(OwnedFd::from(socket.try_clone().unwrap())));
    command.stdout(Stdio::from(OwnedFd::from(socket)));
    (command.spawn().unwrap(), client)
}

#[test]
fn a_client_hears_all_of_its_answer_and_then_the_end() {
    let world = kept();
    // The last one is still sending when it is turned away.
    let large = format!("POST / HTTP/1.1\r\nContent-Length: 900000\r\n\r\n{}", "x".repeat(900_000));
    for (request, first) in
        [(GET, "HTTP/1.1 200 OK"), (HEAD, "HTTP/1.1 200 OK"), (&large, "HTTP/1.1 405 ")]
    {
        let (mut child, mut client) = connected(&world);
        client.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(first), "{answer}");
        drop(client);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn a_slow_client_is_cut_off() {
    let world = kept();
    let (mut child, mut client) = connected(&world);
    let began = Instant::now();
    let mut dripping = client.try_clone().unwrap();
    let drip = std::thread::spawn(move || {
        for byte in "GET / HTTP/1.1\r\nX-Slow: ".bytes().chain(std::iter::repeat(b'x')) {
            if dripping.write_all(&[byte]).is_err() || began.elapsed() > Duration::from_secs(20) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(began.elapsed() >= Duration::from_secs(5));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    drop(client);
    drip.join().unwrap();
}

#[test]
fn a_client_that_takes_nothing_is_left() {
    let world = several(60);
    world.run(&["refresh", "--quiet"]).silent().code(0);
    let mut command = world.command(&[SERVE, &["--detail"]].concat());
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.starts_with("error: the HTTP client: cannot be answered\n"), "{said}");
}

//! `login --listen`: a browser on this machine brings the answer, and nobody else does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use metatoken::exit::Exit;

use super::{ALL, CONFIG, kept, play};
use crate::common::{ANNA, APP, World};

/// A world whose app is in development, and a command that waits, with the address of its dialog.
fn waiting(more: &[&str]) -> (World, Child, String) {
    let world = kept(CONFIG);
    world.graph.with(|graph| graph.app_mut(APP).unwrap().in_development = true);
    let arguments = [&["login", "brand", "--listen"], more].concat();
    let mut child = world.command(&arguments).stdin(Stdio::null()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut lines: Vec<String> = Vec::new();
    while !lines.last().is_some_and(|line| line.starts_with("Grant")) {
        let mut line = String::new();
        assert!(said.read_line(&mut line).unwrap() > 0, "{lines:?}");
        lines.push(line);
    }
    child.stderr = Some(said.into_inner());
    let address = lines.iter().find(|line| line.starts_with("http://127")).unwrap().clone();
    (world, child, address)
}

/// Sends this to the listener, and gives the first line of what it answers.
fn send(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // Who is turned away may not read to the end.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_browser_brings_the_answer_and_nobody_else() {
    let (world, child, dialog) = waiting(&[]);
    let answer = play(&world, &dialog, &format!("as={ANNA}&decision=allow{ALL}"));
    let (place, target) = answer.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let target = target.split('#').next().unwrap();
    let socket = place.replace("localhost", "127.0.0.1");
    let get = |target: &str, host: &str, more: &str| {
        send(&socket, &format!("GET /{target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"))
    };
    drop(TcpStream::connect(&socket).unwrap());
    for (answered, status) in [
        (send(&socket, "\u{16}\u{3}\u{1}\r\n\r\n"), "HTTP/1.1 400 Bad Request"),
        (send(&socket, &"x".repeat(100_000)), "HTTP/1.1 431 Request Header Fields Too Large"),
        (
            send(&socket, &format!("POST /{target} HTTP/1.1\r\nHost: {place}\r\n\r\n")),
            "HTTP/1.1 405 Method Not Allowed",
        ),
        (get(target, "evil.example", ""), "HTTP/1.1 403 Forbidden"),
        (get(target, place, "Origin: https://evil.example\r\n"), "HTTP/1.1 403 Forbidden"),
        (get(target, place, "Sec-Fetch-Mode: no-cors\r\n"), "HTTP/1.1 403 Forbidden"),
        (get("favicon.ico", place, ""), "HTTP/1.1 404 Not Found"),
        (get("?code=AQFAKE1&state=x", place, ""), "HTTP/1.1 404 Not Found"),
    ] {
        // A client that sends too much may see its connection end before the answer.
        assert!(answered == status || answered.is_empty(), "{answered} and not {status}");
    }
    assert_eq!(get(target, place, "Sec-Fetch-Mode: navigate\r\n"), "HTTP/1.1 200 OK");
    let ran = world.finish(child);
    assert!(ran.stdout.contains("1 logged in"), "{}{}", ran.stdout, ran.stderr);
    assert!(TcpStream::connect(&socket).is_err(), "one answer, and it listens no more");
}

#[test]
fn the_persons_no_comes_by_the_same_way() {
    let (world, child, dialog) = waiting(&[]);
    let answer = play(&world, &dialog, "decision=cancel");
    let (place, target) = answer.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let target = target.split('#').next().unwrap();
    let request = format!("GET /{target} HTTP/1.1\r\nHost: {place}\r\n\r\n");
    assert_eq!(send(&place.replace("localhost", "127.0.0.1"), &request), "HTTP/1.1 200 OK");
    let ran = world.finish(child);
    let _ = ran
        .stdout("")
        .stderr(
            "
error: brand: login declined: the person pressed Cancel
hint: to ask again, run `metatoken login brand`
",
        )
        .exit(Exit::PersonNeeded);
}

#[test]
fn where_no_browser_comes_the_causes_are_named() {
    let (world, child, _) = waiting(&["--valid", "1s"]);
    let ran = world.finish(child);
    let said = ran.stderr.trim_start();
    let (first, rest) = said.split_once('\n').unwrap();
    assert!(
        first.starts_with("error: brand: no browser came back to http://localhost:")
            && first.ends_with("/ within 1 second"),
        "{first}"
    );
    assert_eq!(
        rest,
        "hint: look at the page in the browser: only Meta's own page shows what is wrong\n\
         hint: a live app refuses `http://localhost`: only an app in development takes it\n\
         hint: in development, only people with a role in the app can log in\n\
         hint: the app needs the product Facebook Login\n\
         hint: without a listener, run `metatoken login brand`\n"
    );
    let _ = ran.exit(Exit::PersonNeeded);
}

#[test]
fn only_facebook_comes_back_to_this_machine() {
    let world = World::new().config(
        "[app.insta]\nkind = \"instagram\"\nid = \"1000000000000011\"\n\
         secret = { env = \"INSTA_SECRET\" }\n\n[token.creator]\ntype = \"instagram\"\n",
    );
    let _ = world
        .run(&["login", "creator", "--listen"])
        .stdout("")
        .stderr(
            "
error: creator: `--listen` is for Facebook apps in development; others want `https`
hint: run `metatoken login creator`, and paste the address in its address bar
",
        )
        .exit(Exit::Usage);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let world = kept(CONFIG);
    let ran = world.run(&["login", "brand", &format!("--listen={port}")]).exit(Exit::Failed);
    assert_eq!(
        ran.stderr,
        format!(
            "error: brand: port {port} of this machine cannot be listened to\n  \
             caused by: Address already in use (os error 98)\n\
             hint: `--listen` without a port takes one that is free\n"
        )
    );
}

//! A server that misbehaves as it is told, and what is asked of it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::Clock;
use crate::graph::{App, CallError, Endpoints, Graph, Settings};
use crate::token::{AccessToken, GrantType, Secret, Time, TokenType};

pub const TOKEN: &str = "EAAfakeMARKEDtoken";
pub const SECRET: &str = "MARKEDhushhush";
pub const ALIVE: &str = r#"{"data":{"is_valid":true,"type":"USER"}}"#;

pub type Manners = dyn Fn(usize, &mut TcpStream) + Send + Sync;

/// A server that deals with the n-th request (from 0) as told.
pub struct Server {
    pub(super) url: String,
    pub(super) heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) fn that(manners: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> Self {
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

    /// A server that deals with a request by its head, as told.
    pub(super) fn that_hears(
        manners: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback listens");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&heard);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let asked = head_of(&mut stream);
                notes.lock().expect("unharmed").push(asked.clone());
                manners(&asked, &mut stream);
            }
        });
        Self { url, heard }
    }

    /// A server that gives these answers, the last one for ever.
    pub(super) fn answering(answers: Vec<String>) -> Self {
        Self::that(move |number, stream| {
            let answer = answers.get(number).or(answers.last()).expect("there is one");
            let _ = stream.write_all(answer.as_bytes());
        })
    }

    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("unharmed").clone()
    }

    pub(super) fn graph(&self) -> Graph {
        graph(settings(&self.url))
    }
}

pub fn head_of(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    // What is left unread would break the connection before the answer is read.
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let _ = stream.read_exact(&mut vec![0; length.unwrap_or(0)]);
    head
}

pub fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

pub fn settings(url: &str) -> Settings {
    Settings {
        timeout: Duration::from_secs(5),
        attempts: 3,
        pause: Duration::from_millis(1),
        endpoints: Endpoints::each(|_| url.to_owned()),
        ..Settings::default()
    }
}

pub fn noon() -> Time {
    Time::from_timestamp(1_767_268_800, 0).expect("a date")
}

pub fn graph(settings: Settings) -> Graph {
    Graph::new(settings, Clock::standing(noon()), Arc::new(AtomicBool::new(false)))
}

pub fn exchange() -> &'static GrantType {
    TokenType::User.spec().exchange.expect("a user token can be exchanged")
}

pub fn app(id: &str) -> App {
    let secret = Some(Secret::new(SECRET));
    App { id: id.into(), secret, ..App::sample(crate::token::Provider::Facebook) }
}

pub fn token() -> AccessToken {
    AccessToken::parse(TOKEN).expect("a token")
}

/// A place where nobody listens: the port is a connection's own end, kept so that no listener of
/// another test is given it.
pub struct Nowhere {
    pub url: String,
    pub _end: TcpStream,
}

pub fn nowhere() -> Nowhere {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback listens");
    let end = TcpStream::connect(listener.local_addr().expect("it has an address"));
    let end = end.expect("it connects");
    Nowhere { url: format!("http://{}", end.local_addr().expect("it has an address")), _end: end }
}

#[track_caller]
pub fn gives_nothing_away(fault: &CallError) {
    let shown = format!("{fault} {fault:?}");
    for secret in ["MARKED", "access_token=", "client_secret=", "://"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

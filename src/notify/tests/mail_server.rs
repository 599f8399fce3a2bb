//! A mail server on loopback that answers as told, and writes down all that it hears.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the server does where its manners say no other.
const USUAL: &[(&str, &str)] = &[
    (GREETING, "220 mail.example.org ESMTP"),
    ("EHLO", "250-mail.example.org\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN"),
    ("AUTH", "235 2.7.0 welcome"),
    ("MAIL", "250 2.1.0 ok"),
    ("RCPT", "250 2.1.5 ok"),
    ("DATA", "354 go on"),
    (END_OF_MAIL, "250 2.0.0 queued"),
    ("QUIT", "221 2.0.0 bye"),
];

/// When the connection has been made.
pub const GREETING: &str = "(greeting)";
/// When the mail has been sent.
pub const END_OF_MAIL: &str = ".";

/// In place of an answer: nothing.
pub const SILENCE: &str = "(silence)";
/// In place of an answer: a byte now and then, and never an end of the line.
pub const DRIP: &str = "(drip)";
/// In place of an answer: the end of the connection.
pub const HANG_UP: &str = "(hang up)";
/// An answer after which TLS begins.
pub const READY_FOR_TLS: &str = "220 ready";

/// What is answered to a command that begins so; the n-th (from 0) to the n-th of its kind over all
/// connections, the last one for ever.
pub type Manners = &'static [(&'static str, &'static [&'static str])];

pub struct TestServer {
    pub port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

struct Desk {
    manners: Manners,
    counts: Mutex<Vec<(&'static str, usize)>>,
    heard: Arc<Mutex<Vec<String>>>,
    tls: Option<Arc<ServerConfig>>,
}

impl TestServer {
    pub fn that(manners: Manners) -> Self {
        Self::new(manners, None, Begins::Plain)
    }

    /// A server that speaks TLS from the first byte.
    pub fn within_tls(manners: Manners, tls: &Arc<ServerConfig>) -> Self {
        Self::new(manners, Some(Arc::clone(tls)), Begins::Encrypted)
    }

    /// A server that speaks TLS after [`READY_FOR_TLS`].
    pub fn with_tls(manners: Manners, tls: &Arc<ServerConfig>) -> Self {
        Self::new(manners, Some(Arc::clone(tls)), Begins::Plain)
    }

    fn new(manners: Manners, tls: Option<Arc<ServerConfig>>, begins: Begins) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let counts = Mutex::new(Vec::new());
        let desk = Arc::new(Desk { manners, counts, heard: Arc::clone(&heard), tls });
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let desk = Arc::clone(&desk);
                std::thread::spawn(move || match begins {
                    Begins::Plain => desk.serve(stream),
                    Begins::Encrypted => {
                        let tls = desk.encrypted(stream);
                        desk.talk(tls, Answering::Greeting);
                    }
                });
            }
        });
        Self { port, heard }
    }

    /// Every line that came, over all connections; a mail is one.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// How often a command of that kind came.
    pub fn count(&self, command: &str) -> usize {
        self.heard().iter().filter(|line| line.starts_with(command)).count()
    }
}

#[derive(Clone, Copy)]
enum Begins {
    Plain,
    Encrypted,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answering {
    Greeting,
    Commands,
}

impl Desk {
    fn serve(&self, stream: TcpStream) {
        if let Some(stream) = self.talk(stream, Answering::Greeting) {
            self.talk(self.encrypted(stream), Answering::Commands);
        }
    }

    fn encrypted(&self, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
        let config = Arc::clone(self.tls.as_ref().unwrap());
        StreamOwned::new(ServerConnection::new(config).unwrap(), stream)
    }

    /// Talks until one side ends it, or until TLS is to begin.
    fn talk<S: Read + Write>(&self, mut stream: S, first: Answering) -> Option<S> {
        if first == Answering::Greeting {
            self.answer(&mut stream, GREETING)?;
        }
        loop {
            let line = line(&mut stream, "\r\n")?;
            self.heard.lock().unwrap().push(line.clone());
            let answer = self.answer(&mut stream, &line)?;
            if answer == READY_FOR_TLS {
                return Some(stream);
            }
            if line == "DATA" && answer.starts_with('3') {
                let mail = self::line(&mut stream, "\r\n.\r\n")?;
                self.heard.lock().unwrap().push(mail);
                self.answer(&mut stream, END_OF_MAIL)?;
            }
        }
    }

    fn answer(&self, stream: &mut impl Write, line: &str) -> Option<&'static str> {
        let answer = self.next_answer(line);
        match answer {
            HANG_UP => return None,
            SILENCE => std::thread::sleep(super::AMPLE),
            DRIP => {
                while stream.write_all(b"2").and_then(|()| stream.flush()).is_ok() {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            _ => {
                stream.write_all(format!("{answer}\r\n").as_bytes()).ok()?;
                stream.flush().ok()?;
            }
        }
        Some(answer)
    }

    fn next_answer(&self, line: &str) -> &'static str {
        if let Some((kind, answers)) = self.manners.iter().find(|(kind, _)| line.starts_with(kind))
        {
            let mut counts = self.counts.lock().unwrap();
            let seen = counts.iter().filter(|(seen, _)| seen == kind).count();
            counts.push((kind, seen));
            return answers.get(seen).or(answers.last()).unwrap();
        }
        let usual = USUAL.iter().find(|(kind, _)| line.starts_with(kind));
        usual.map_or("500 what?", |(_, answer)| answer)
    }
}

/// All up to an end, without it; nothing if the other side goes away first.
fn line(stream: &mut impl Read, end: &str) -> Option<String> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(end.as_bytes()) {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    bytes.truncate(bytes.len() - end.len());
    Some(String::from_utf8(bytes).unwrap())
}

//! A web server on loopback that deals with the n-th request (from 0) as told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::token::Secret;

type Manners = dyn Fn(usize, &mut TcpStream) + Send + Sync;

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The request line and the headers, in lower case but for the first line.
    pub head: Vec<String>,
    pub body: String,
}

pub struct WebServer {
    pub origin: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl WebServer {
    pub fn that(manners: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (notes, count) = (Arc::clone(&heard), AtomicUsize::new(0));
        let manners: Arc<Manners> = Arc::new(manners);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (notes, manners) = (Arc::clone(&notes), Arc::clone(&manners));
                let number = count.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    let request = request(&stream);
                    notes.lock().unwrap().push(request);
                    manners(number, &mut stream);
                });
            }
        });
        Self { origin, heard }
    }

    /// A server that gives these answers, the last one for ever.
    pub fn answering(answers: &[String]) -> Self {
        let answers = answers.to_vec();
        Self::that(move |number, stream| {
            let answer = answers.get(number).or(answers.last()).unwrap();
            let _ = stream.write_all(answer.as_bytes());
        })
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// An address at this server that only an insider knows.
    pub fn at(&self, path: &str) -> Secret {
        Secret::new(format!("{}{path}", self.origin))
    }
}

fn request(stream: &TcpStream) -> Heard {
    let mut reader = BufReader::new(stream);
    let mut head: Vec<String> = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
        let text = line.trim_end();
        head.push(if head.is_empty() { text.to_owned() } else { text.to_lowercase() });
        line.clear();
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    Heard { head, body: String::from_utf8(body).unwrap() }
}

pub fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

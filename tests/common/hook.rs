//! A web server on loopback that people are told through: it writes down what comes, and answers
//! as it is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::World;

/// What a request is answered with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reply {
    /// A status, and these words.
    Status(u16, &'static str),
    /// Nothing, for longer than anybody waits.
    Silence,
    /// The end of the connection.
    HangUp,
}

/// What a server answers to a request: a status, and these words.
pub(crate) type Judge = fn(&Request) -> (u16, String);

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `POST /chat`.
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

#[derive(Default)]
struct Desk {
    requests: Vec<Request>,
    seen: usize,
    replies: Vec<(&'static str, Reply)>,
    judge: Option<Judge>,
}

/// The server.
pub(crate) struct Hook {
    pub(crate) origin: String,
    desk: Arc<Mutex<Desk>>,
}

impl Hook {
    /// A server that answers everything with 200.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Mutex::new(Desk::default()));
        let theirs = Arc::clone(&desk);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let desk = Arc::clone(&theirs);
                std::thread::spawn(move || serve(stream, &desk));
            }
        });
        Self { origin, desk }
    }

    /// From now on everything is judged, and answered as the judge says.
    pub(crate) fn judged_by(&self, judge: Judge) {
        self.desk.lock().unwrap().judge = Some(judge);
    }

    /// From now on requests whose path begins so, or whose body has these words, are answered like
    /// this.
    pub(crate) fn reply(&self, path: &'static str, reply: Reply) {
        self.desk.lock().unwrap().replies.insert(0, (path, reply));
    }

    /// What came since this was last looked at.
    pub(crate) fn heard(&self) -> Vec<Request> {
        let mut desk = self.desk.lock().unwrap();
        let to = desk.requests.len();
        let from = std::mem::replace(&mut desk.seen, to);
        desk.requests[from..].to_vec()
    }

    /// The first line of each request that came since this was last looked at.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.heard().into_iter().map(|request| request.line).collect()
    }

    /// What a chat was shown since this was last looked at: the first line of each message.
    #[track_caller]
    pub(crate) fn said(&self) -> Vec<String> {
        let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
        self.heard().iter().map(|request| first(request.text())).collect()
    }

    /// All that ever came.
    pub(crate) fn everything(&self) -> Vec<Request> {
        self.desk.lock().unwrap().requests.clone()
    }
}

impl Request {
    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What a chat shows of it.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        self.json()["text"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

fn serve(stream: TcpStream, desk: &Mutex<Desk>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = request(&mut reader) {
        let path = request.line.split(' ').nth(1).unwrap_or_default();
        let mut desk = desk.lock().unwrap();
        let is_meant = |what: &str| match what.strip_prefix('/') {
            Some(_) => path.starts_with(what),
            None => request.body.contains(what),
        };
        let told = desk.replies.iter().find(|(what, _)| is_meant(what));
        let reply = told.map_or(Reply::Status(200, "ok"), |(_, reply)| *reply);
        let judged = desk.judge.map(|judge| judge(&request));
        desk.requests.push(request);
        drop(desk);
        let (status, words) = match (judged, reply) {
            (Some(judged), _) => judged,
            (None, Reply::Status(status, words)) => (status, words.to_owned()),
            (None, Reply::HangUp) => return,
            (None, Reply::Silence) => return std::thread::sleep(Duration::from_mins(1)),
        };
        let length = words.len();
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{words}");
        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let first = head.first()?.trim_end_matches(" HTTP/1.1").to_owned();
    let pairs = head[1..].iter().filter_map(|line| line.split_once(": "));
    let headers: Vec<_> =
        pairs.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Request { line: first, headers, body: String::from_utf8(body).unwrap() })
}

impl World {
    /// A world with a server that people are told through; `[HOOK]` in the config is its origin.
    pub(crate) fn told_through(self, config: &str) -> (Self, Hook) {
        let hook = Hook::new();
        let world = self.config(&config.replace("[HOOK]", &hook.origin));
        (world, hook)
    }
}

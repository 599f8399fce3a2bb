//! Reads requests off one connection and answers them, from the first to its end.
//!
//! Just enough HTTP/1.1 for clients that mean well.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::call::{Answer, Call};
use super::shared::{Reaction, Shared};

/// Answers until the client or the server has had enough. An error is a client that went away.
pub fn serve(mut stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = Requests::new(stream);
    let mut counted = false;
    loop {
        let (call, keep) = match requests.next()? {
            Next::Call(call, keep) => (call, keep),
            Next::Closed => return Ok(()),
            Next::Malformed => return stream.write_all(&encode(&malformed(), Keep::Closed)),
        };
        if !counted && !call.is_for_nothing() {
            shared.count_connection();
            counted = true;
        }
        match shared.react(&call) {
            Reaction::Answer(answer) => stream.write_all(&encode(&answer, keep))?,
            Reaction::Drip(answer, pause) => {
                for byte in encode(&answer, keep) {
                    stream.write_all(&[byte])?;
                    if shared.nap(pause).is_break() {
                        return Ok(());
                    }
                }
            }
            Reaction::Close => return Ok(()),
        }
        if keep == Keep::Closed {
            return Ok(());
        }
    }
}

fn encode(answer: &Answer, keep: Keep) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    for (name, value) in &answer.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let connection = match keep {
        Keep::Open => "keep-alive",
        Keep::Closed => "close",
    };
    let _ =
        write!(head, "Content-Length: {}\r\nConnection: {connection}\r\n\r\n", answer.body.len());
    [head.as_bytes(), &answer.body].concat()
}

fn malformed() -> Answer {
    Answer { status: 400, headers: Vec::new(), body: Vec::new() }
}

const fn reason(status: u16) -> &'static str {
    match status {
        200..=299 => "OK",
        300..=399 => "Elsewhere",
        400..=499 => "Bad Request",
        _ => "Internal Server Error",
    }
}

/// What a client calls a body of parameters.
const FORM: &str = "application/x-www-form-urlencoded";

/// A request longer than this is not a call to Graph.
const LIMIT: usize = 64 * 1024;

/// What came next on a connection.
pub enum Next {
    /// A call, and whether the client wants to go on after it.
    Call(Call, Keep),
    /// The client went away.
    Closed,
    Malformed,
}

/// What becomes of the connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    Open,
    Closed,
}

/// Reads requests one after another, also when several arrive at once.
pub struct Requests<R> {
    stream: R,
    buffer: Vec<u8>,
}

impl<R: Read> Requests<R> {
    /// Reads from a stream that nothing was read from yet.
    pub fn new(stream: R) -> Self {
        Self { stream, buffer: Vec::with_capacity(4096) }
    }

    /// Waits for the next request, or for the end of the connection.
    pub fn next(&mut self) -> io::Result<Next> {
        loop {
            match parse(&self.buffer) {
                Parsed::Whole { length, call, keep } => {
                    self.buffer.drain(..length);
                    return Ok(Next::Call(call, keep));
                }
                Parsed::Malformed => return Ok(Next::Malformed),
                Parsed::Partial if self.buffer.len() > LIMIT => return Ok(Next::Malformed),
                Parsed::Partial => {}
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk)? {
                0 => return Ok(Next::Closed),
                read => self.buffer.extend_from_slice(&chunk[..read]),
            }
        }
    }
}

enum Parsed {
    Whole { length: usize, call: Call, keep: Keep },
    Partial,
    Malformed,
}

/// A body is waited for; one that is not a form is dropped.
fn parse(bytes: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let head = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(_) => return Parsed::Malformed,
    };
    let (Some(method), Some(target)) = (request.method, request.path) else {
        return Parsed::Malformed;
    };
    let texts = || {
        let headers = request.headers.iter();
        headers.filter_map(|each| Some((each.name, std::str::from_utf8(each.value).ok()?)))
    };
    let find = |name: &str| {
        texts().find(|(each, _)| each.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let body = match find("content-length").map(str::parse::<usize>) {
        None if find("transfer-encoding").is_some() => return Parsed::Malformed,
        None => 0,
        Some(Ok(body)) if body <= LIMIT => body,
        Some(_) => return Parsed::Malformed,
    };
    if bytes.len() < head + body {
        return Parsed::Partial;
    }
    let connection = find("connection").map(str::to_ascii_lowercase);
    let keep = match (connection.as_deref(), request.version) {
        (Some("close"), _) => Keep::Closed,
        (Some("keep-alive"), _) | (_, Some(1)) => Keep::Open,
        _ => Keep::Closed,
    };
    let call = Call::new(method, target, texts());
    let is_form = find("content-type").is_some_and(|kind| kind.starts_with(FORM));
    let text = str::from_utf8(&bytes[head..head + body]).ok().filter(|_| is_form);
    let call = match text {
        Some(text) => call.with_form(text),
        None => call,
    };
    Parsed::Whole { length: head + body, call, keep }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mut requests = Requests::new(text.as_bytes());
        let mut read = Vec::new();
        loop {
            match requests.next().expect("bytes do not fail") {
                Next::Call(call, keep) => read.push(format!("{} {keep:?}", call.path)),
                Next::Malformed => return [read, vec!["malformed".to_owned()]].concat(),
                Next::Closed => return read,
            }
        }
    }

    #[test]
    fn requests_are_read_one_after_another() {
        let two = "GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nxx";
        for (text, calls) in [
            (two, vec!["/a Open", "/b Open"]),
            ("GET /a HTTP/1.0\r\n\r\n", vec!["/a Closed"]),
            ("GET /a HTTP/1.1\r\nConnection: close\r\n\r\n", vec!["/a Closed"]),
            ("GET /a HTTP/1.1\r\n", vec![]),
            ("GET /a HTTP/1.1\r\nContent-Length: no\r\n\r\n", vec!["malformed"]),
            ("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", vec!["malformed"]),
            ("\u{1}\r\n\r\n", vec!["malformed"]),
        ] {
            assert_eq!(read(text), calls, "{text:?}");
        }
        let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(LIMIT));
        assert_eq!(read(&long), ["malformed"]);
    }
}

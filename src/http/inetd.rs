//! Reads the one HTTP request that a service manager hands over on standard input, and words its answer.
//!
//! Whoever can connect may send anything: a request is read within a time and a length, nothing of it
//! is used but its method, and what is left of one that is turned away is read to its end, so that the
//! client sees the answer and not a connection that was reset.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::token::Time;

/// No request is longer, body included.
const LONGEST: usize = 8 * 1024;
/// So long may a client take to send its request, and to take its answer.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How long the rest of a refused request is awaited.
const LINGERING: Duration = Duration::from_secs(1);
/// How much is read of it.
const LONGEST_REST: usize = 1024 * 1024;

/// What a client wants of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedPart {
    /// A GET.
    Whole,
    /// A HEAD.
    Head,
}

/// Why a request gets no answer but that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRequest {
    /// It is not HTTP, or broke off.
    Malformed,
    /// It is neither a GET nor a HEAD.
    Method,
    /// It took too long.
    Slow,
    /// Its body is too long.
    LongBody,
    /// Its address is too long.
    LongAddress,
    /// Its headers are too long, or too many.
    LongHead,
}

impl BadRequest {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Method => 405,
            Self::Slow => 408,
            Self::LongBody => 413,
            Self::LongAddress => 414,
            Self::LongHead => 431,
        }
    }

    /// A stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "bad_request",
            Self::Method => "method_not_allowed",
            Self::Slow => "request_timeout",
            Self::LongBody => "content_too_large",
            Self::LongAddress => "uri_too_long",
            Self::LongHead => "header_fields_too_large",
        }
    }
}

/// A client that was read from.
#[derive(Debug)]
pub struct HttpClient {
    chunks: Receiver<Vec<u8>>,
    read: Vec<u8>,
}

impl HttpClient {
    /// Begins to read from a client.
    pub fn new(mut input: impl Read + Send + 'static) -> Self {
        let (sender, chunks) = sync_channel(1);
        // It may wait for ever: it ends with the process.
        std::thread::spawn(move || {
            let mut chunk = [0; 2048];
            loop {
                match input.read(&mut chunk) {
                    Ok(count) if count > 0 && sender.send(chunk[..count].to_vec()).is_ok() => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    _ => return,
                }
            }
        });
        Self { chunks, read: Vec::with_capacity(2048) }
    }

    /// Reads the request; one that is empty is a GET.
    pub fn request(&mut self) -> Result<WantedPart, BadRequest> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(wanted) = judge(&self.read)? {
                return Ok(wanted);
            }
            if self.read.len() > LONGEST {
                return Err(too_long(&self.read));
            }
            match self.chunks.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(chunk) => self.read.extend(chunk),
                Err(RecvTimeoutError::Timeout) => return Err(BadRequest::Slow),
                Err(RecvTimeoutError::Disconnected)
                    if self.read.iter().all(u8::is_ascii_whitespace) =>
                {
                    return Ok(WantedPart::Whole);
                }
                Err(RecvTimeoutError::Disconnected) => return Err(BadRequest::Malformed),
            }
        }
    }

    /// Reads what the client still sends, for a moment.
    pub fn linger(self) {
        let until = Instant::now() + LINGERING;
        let mut rest = 0;
        while rest < LONGEST_REST {
            match self.chunks.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(chunk) => rest += chunk.len(),
                Err(_) => return,
            }
        }
    }
}

/// What the request asks for; nothing while a part of it is missing.
fn judge(text: &[u8]) -> Result<Option<WantedPart>, BadRequest> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let head = match request.parse(text) {
        Ok(httparse::Status::Complete(length)) if length > LONGEST => return Err(too_long(text)),
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(BadRequest::LongHead),
        Err(_) => return Err(BadRequest::Malformed),
    };
    let wanted = match request.method {
        Some("GET") => WantedPart::Whole,
        Some("HEAD") => WantedPart::Head,
        _ => return Err(BadRequest::Method),
    };
    let body = body_length(request.headers)?;
    if head + body > LONGEST {
        return Err(BadRequest::LongBody);
    }
    Ok((text.len() >= head + body).then_some(wanted))
}

/// What of a head is too long.
fn too_long(head: &[u8]) -> BadRequest {
    let first_line = head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len());
    if first_line > LONGEST { BadRequest::LongAddress } else { BadRequest::LongHead }
}

/// How long the body is by its headers. One that does not say how long it is has no place here.
fn body_length(headers: &[httparse::Header<'_>]) -> Result<usize, BadRequest> {
    let mut length = None;
    for header in headers {
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(BadRequest::Malformed);
        }
        if !header.name.eq_ignore_ascii_case("content-length") {
            continue;
        }
        let digits = std::str::from_utf8(header.value)
            .ok()
            .filter(|it| !it.is_empty() && it.bytes().all(|digit| digit.is_ascii_digit()));
        let digits = digits.ok_or(BadRequest::Malformed)?;
        // More digits than a number holds are too many bytes, too.
        let given = digits.parse().unwrap_or(usize::MAX / 2);
        if length.replace(given).is_some_and(|before| before != given) {
            return Err(BadRequest::Malformed);
        }
    }
    Ok(length.unwrap_or(0))
}

/// An answer of JSON, as it goes over the wire.
pub fn answer(status: u16, wanted: WantedPart, body: &str, now: Time) -> String {
    let (length, date) = (body.len(), now.format("%a, %d %b %Y %H:%M:%S GMT"));
    let reason = reason(status);
    let allow = if status == 405 { "Allow: GET, HEAD\r\n" } else { "" };
    let body = if wanted == WantedPart::Head { "" } else { body };
    format!(
        "HTTP/1.1 {status} {reason}\r\nDate: {date}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{allow}Cache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{body}"
    )
}

const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: impl Into<Vec<u8>>) -> Result<WantedPart, BadRequest> {
        HttpClient::new(io::Cursor::new(text.into())).request()
    }

    #[test]
    fn a_get_a_head_or_nothing_is_answered() {
        for (text, wanted) in [
            ("", WantedPart::Whole),
            ("\r\n", WantedPart::Whole),
            ("GET / HTTP/1.0\r\n\r\n", WantedPart::Whole),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", WantedPart::Whole),
            ("GET /any?thing=1 HTTP/1.1\n\n", WantedPart::Whole),
            ("GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", WantedPart::Whole),
            ("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", WantedPart::Whole),
            ("HEAD / HTTP/1.1\r\n\r\n", WantedPart::Head),
        ] {
            assert_eq!(asked(text), Ok(wanted), "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_turned_away() {
        let long = "x".repeat(LONGEST);
        let many = "A: b\r\n".repeat(65);
        for (text, why) in [
            ("hello\n".to_owned(), BadRequest::Malformed),
            ("GET /\r\n\r\n".to_owned(), BadRequest::Malformed),
            ("GET / HTTP/2.0\r\n\r\n".to_owned(), BadRequest::Malformed),
            ("GET / HTTP/1.1\r\nHost: a\r\n".to_owned(), BadRequest::Malformed),
            ("GET / HT".to_owned(), BadRequest::Malformed),
            ("\u{16}\u{3}\u{1}".to_owned(), BadRequest::Malformed),
            ("GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\na".to_owned(), BadRequest::Malformed),
            ("GET / HTTP/1.1\r\nContent-Length: -3\r\n\r\n".to_owned(), BadRequest::Malformed),
            (
                "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned(),
                BadRequest::Malformed,
            ),
            (
                "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
                BadRequest::Malformed,
            ),
            ("POST / HTTP/1.1\r\nContent-Length: 99999\r\n\r\n".to_owned(), BadRequest::Method),
            ("BREW / HTTP/1.1\r\n\r\n".to_owned(), BadRequest::Method),
            ("GET / HTTP/1.1\r\nContent-Length: 8192\r\n\r\n".to_owned(), BadRequest::LongBody),
            (
                format!("GET / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", "9".repeat(30)),
                BadRequest::LongBody,
            ),
            (format!("GET /{long} HTTP/1.1\r\n\r\n"), BadRequest::LongAddress),
            (format!("GET / HTTP/1.1\r\nA: {long}\r\n\r\n"), BadRequest::LongHead),
            (format!("GET / HTTP/1.1\r\n{many}\r\n"), BadRequest::LongHead),
        ] {
            let short: String = text.chars().take(80).collect();
            assert_eq!(asked(text), Err(why), "{short:?}");
        }
    }

    #[test]
    fn a_head_has_the_length_of_what_it_leaves_out() {
        let now = chrono::DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let whole = answer(200, WantedPart::Whole, "{}\n", now);
        let head = answer(200, WantedPart::Head, "{}\n", now);
        assert_eq!(whole, format!("{head}{{}}\n"));
        assert!(head.contains("\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"), "{head}");
        assert!(head.contains("\r\nContent-Length: 3\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    }
}

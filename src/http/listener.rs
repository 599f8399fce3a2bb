//! Waits on this machine for the one request with which a browser brings an answer.
//!
//! Only a browser that was sent here by a redirect counts: a GET of the root at the name of this
//! machine, without an origin of its own, whose query is the one that is waited for. Port scans,
//! scripts of other pages and long or slow requests are turned away and end nothing.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// No redirect has a longer head.
const LONGEST_HEAD: usize = 16 * 1024;
/// A browser sends its request at once.
const PATIENCE: Duration = Duration::from_secs(1);
/// How soon a new connection is noticed.
const TICK: Duration = Duration::from_millis(20);

/// A listener for one answer.
#[derive(Debug)]
pub struct BrowserListener {
    listener: TcpListener,
    port: u16,
}

impl BrowserListener {
    /// Listens on this machine alone, at that port or at one that is free.
    pub fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    /// The address to which a browser is to be sent.
    pub fn address(&self) -> String {
        format!("http://localhost:{}/", self.port)
    }

    /// Waits for a query that `is_answer`, shows the browser `page`, and gives the query back; nothing
    /// if none comes in time.
    pub fn wait(
        &self,
        limit: Duration,
        is_answer: impl Fn(&str) -> bool,
        page: &str,
    ) -> io::Result<Option<String>> {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(TICK);
                    continue;
                }
                // A client that went away before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            // What goes wrong with one client is its own trouble.
            if let Ok(Some(query)) = self.serve(&stream, &is_answer, page) {
                return Ok(Some(query));
            }
        }
        Ok(None)
    }

    fn serve(
        &self,
        stream: &TcpStream,
        is_answer: impl Fn(&str) -> bool,
        page: &str,
    ) -> io::Result<Option<String>> {
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let Some(head) = read_head(stream)? else {
            respond(stream, "431 Request Header Fields Too Large", "")?;
            return Ok(None);
        };
        let (status, query) = self.judge(&head, is_answer);
        respond(stream, status, if query.is_some() { page } else { "" })?;
        Ok(query)
    }

    fn judge(
        &self,
        head: &[u8],
        is_answer: impl Fn(&str) -> bool,
    ) -> (&'static str, Option<String>) {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        if !matches!(request.parse(head), Ok(httparse::Status::Complete(_))) {
            return ("400 Bad Request", None);
        }
        if request.method != Some("GET") {
            return ("405 Method Not Allowed", None);
        }
        let header = |name: &str| {
            let found = request.headers.iter().find(|it| it.name.eq_ignore_ascii_case(name));
            found.and_then(|header| std::str::from_utf8(header.value).ok())
        };
        let own = ["localhost", "127.0.0.1"].map(|host| format!("{host}:{}", self.port));
        let is_ours = header("host").is_some_and(|host| own.iter().any(|it| it == host));
        let navigates = header("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
        if !is_ours || !navigates || header("origin").is_some() {
            return ("403 Forbidden", None);
        }
        match request.path.and_then(|path| path.strip_prefix("/?")) {
            Some(query) if is_answer(query) => ("200 OK", Some(query.to_owned())),
            _ => ("404 Not Found", None),
        }
    }
}

/// Reads the head of a request; nothing where it is too long or too slow.
fn read_head(mut stream: &TcpStream) -> io::Result<Option<Vec<u8>>> {
    let until = Instant::now() + PATIENCE;
    let mut head = Vec::with_capacity(2048);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > LONGEST_HEAD {
            return Ok(None);
        }
        stream.set_read_timeout(Some(left))?;
        let mut chunk = [0; 2048];
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(Some(head)),
            Ok(count) => head.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Ok(None),
        }
        if head.windows(4).any(|four| four == b"\r\n\r\n") {
            return Ok(Some(head));
        }
    }
}

fn respond(mut stream: &TcpStream, status: &str, page: &str) -> io::Result<()> {
    let length = page.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\
         Referrer-Policy: no-referrer\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{page}"
    )?;
    stream.flush()
}

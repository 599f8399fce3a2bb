//! One connection, from its first request to its end.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::call::Answer;
use super::request::{Keep, Next, Requests};
use super::server::Shared;

/// What the server does about a call.
pub(super) enum Reaction {
    /// Answers it.
    Answer(Answer),
    /// Answers it a byte at a time.
    Drip(Answer, Duration),
    /// Closes the connection.
    Close,
}

/// Answers until the client or the server has had enough. An error is a client that went away.
pub(super) fn serve(mut stream: &TcpStream, shared: &Shared) -> io::Result<()> {
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

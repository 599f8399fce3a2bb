//! Servers on loopback that write down what they are sent.
//!
//! A recorder keeps its port for as long as a world is compared, so that both binaries have the
//! same addresses in their configs. It answers by itself, or hands everything to a simulated Graph.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What a recorder answers with.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Whatever the server at this address answers.
    Of(String),
    /// Status and body.
    With(u16, &'static str),
    /// As a mail server does that takes everything.
    Mail,
}

/// First bytes of a connection that only marks the end of the queue.
const MARK: &[u8] = b"MARK\r\n";

struct State {
    answer: Answer,
    heard: Vec<String>,
    /// Connections that are still open, and marks that came by.
    open: usize,
    marks: usize,
}

/// One server.
#[derive(Clone)]
pub(crate) struct Recorder {
    port: u16,
    state: Arc<(Mutex<State>, Condvar)>,
}

/// The servers that a world may use.
#[derive(Clone)]
pub(crate) struct Ports {
    pub(crate) graph: Recorder,
    pub(crate) hook: Recorder,
    pub(crate) mail: Recorder,
}

impl Ports {
    /// Opens all of them.
    pub(crate) fn open() -> std::io::Result<Self> {
        Ok(Self {
            graph: Recorder::start(Answer::With(503, ""))?,
            hook: Recorder::start(Answer::With(200, "ok"))?,
            mail: Recorder::start(Answer::Mail)?,
        })
    }
}

impl Recorder {
    fn start(answer: Answer) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let state = State { answer, heard: Vec::new(), open: 0, marks: 0 };
        let state = Arc::new((Mutex::new(state), Condvar::new()));
        let theirs = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                change(&theirs, |state| state.open += 1);
                let state = Arc::clone(&theirs);
                std::thread::spawn(move || {
                    // A client may go away at any time.
                    let _ = serve(&stream, &state);
                    let _ = stream.shutdown(Shutdown::Both);
                    change(&state, |state| state.open -= 1);
                });
            }
        });
        Ok(Self { port, state })
    }

    /// Where it listens, without a scheme.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Answers so from now on.
    pub(crate) fn answer(&self, answer: Answer) {
        change(&self.state, |state| state.answer = answer);
    }

    /// What was heard since this was last asked, once every connection has ended.
    ///
    /// A client that was killed may have left connections in the queue: a connection of our own
    /// behind them marks its end.
    pub(crate) fn heard(&self) -> std::io::Result<Vec<String>> {
        let marks = change(&self.state, |state| state.marks);
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?.write_all(MARK)?;
        let (state, changed) = &*self.state;
        let held = state.lock().expect("no holder panics");
        let limit = Duration::from_secs(30);
        let (mut held, waited) = changed
            .wait_timeout_while(held, limit, |state| state.marks == marks || state.open > 0)
            .expect("no holder panics");
        if waited.timed_out() {
            let open = held.open;
            held.heard.push(format!("({open} connections did not end)"));
        }
        Ok(std::mem::take(&mut held.heard))
    }
}

fn change<T>(state: &(Mutex<State>, Condvar), act: impl FnOnce(&mut State) -> T) -> T {
    let (mutex, changed) = state;
    let result = act(&mut mutex.lock().expect("no holder panics"));
    changed.notify_all();
    result
}

fn serve(stream: &TcpStream, state: &(Mutex<State>, Condvar)) -> std::io::Result<()> {
    match change(state, |state| state.answer.clone()) {
        Answer::Mail => talk(stream, state),
        answer => {
            let mut requests = BufReader::new(stream);
            let mut server = None;
            while let Some(request) = request(&mut requests)? {
                if request == MARK {
                    change(state, |state| state.marks += 1);
                    return Ok(());
                }
                let mut text = String::from_utf8_lossy(&request).replace('\r', "");
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                change(state, |state| state.heard.push(text));
                let reply = match &answer {
                    Answer::Of(address) => forward(address, &mut server, &request)?,
                    Answer::With(status, body) => {
                        let length = body.len();
                        format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}")
                            .into_bytes()
                    }
                    Answer::Mail => return Ok(()),
                };
                let mut stream = stream;
                stream.write_all(&reply)?;
                // A server that closes without an answer is passed on as it is.
                if server.is_none() && matches!(answer, Answer::Of(_)) {
                    return Ok(());
                }
            }
            Ok(())
        }
    }
}

/// Hands a request on and returns the answer. The server is forgotten when it hung up.
fn forward(
    address: &str,
    server: &mut Option<BufReader<TcpStream>>,
    request: &[u8],
) -> std::io::Result<Vec<u8>> {
    let mut connection = match server.take() {
        Some(connection) => connection,
        None => BufReader::new(TcpStream::connect(address)?),
    };
    connection.get_mut().write_all(request)?;
    let Some(answer) = message(&mut connection)? else { return Ok(Vec::new()) };
    let head = String::from_utf8_lossy(&answer).to_lowercase();
    if !head.contains("connection: close") {
        *server = Some(connection);
    }
    Ok(answer)
}

/// One request: its head and its body.
fn request(reader: &mut BufReader<&TcpStream>) -> std::io::Result<Option<Vec<u8>>> {
    message(reader)
}

fn message(reader: &mut impl std::io::BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    loop {
        let from = bytes.len();
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            // What was cut short is shown as far as it came.
            return Ok((!bytes.is_empty()).then_some(bytes));
        }
        if bytes == MARK {
            return Ok(Some(bytes));
        }
        let line = String::from_utf8_lossy(&bytes[from..]).trim_end().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    reader.take(length).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Talks as a mail server until the other side ends it.
fn talk(stream: &TcpStream, state: &(Mutex<State>, Condvar)) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream);
    let answer = |text: &str| {
        let mut stream = stream;
        stream.write_all(format!("{text}\r\n").as_bytes())
    };
    // Our own mark does not wait for a greeting.
    answer("220 mail.example.org ESMTP")?;
    let mut in_mail = false;
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line == MARK {
            change(state, |state| state.marks += 1);
            return Ok(());
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        change(state, |state| state.heard.push(format!("{line}\n")));
        let word = line.split(' ').next().unwrap_or_default().to_uppercase();
        match (in_mail, word.as_str()) {
            (true, ".") => {
                in_mail = false;
                answer("250 queued")?;
            }
            (true, _) => {}
            (false, "EHLO") => answer("250-mail.example.org\r\n250 AUTH PLAIN LOGIN")?,
            (false, "AUTH") => answer("235 welcome")?,
            (false, "DATA") => {
                in_mail = true;
                answer("354 go on")?;
            }
            (false, "QUIT") => return answer("221 bye"),
            (false, _) => answer("250 ok")?,
        }
    }
}

//! A mail server on loopback that takes everything and keeps it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

/// The server.
pub(crate) struct PostOffice {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    counter: Arc<Mutex<()>>,
}

impl PostOffice {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let counter = Arc::new(Mutex::new(()));
        let (notes, clerk) = (Arc::clone(&heard), Arc::clone(&counter));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (notes, clerk) = (Arc::clone(&notes), Arc::clone(&clerk));
                std::thread::spawn(move || talk(stream, &notes, &clerk));
            }
        });
        Self { port, heard, counter }
    }

    /// Every command but the farewell; a mail is one.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// How many mails have come.
    pub(crate) fn mails(&self) -> usize {
        self.heard.lock().unwrap().iter().filter(|it| it.contains("\n\n")).count()
    }

    /// While this is held a mail is taken, and its sender is not told so yet.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        self.counter.lock().unwrap()
    }
}

/// Talks until the other side ends it.
fn talk(stream: TcpStream, notes: &Mutex<Vec<String>>, counter: &Mutex<()>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    answer(&mut stream, "220 mail.example.org ESMTP")?;
    loop {
        let line = line(&mut stream)?;
        if line == "QUIT" {
            return answer(&mut stream, "221 bye");
        }
        notes.lock().unwrap().push(line.clone());
        let reply = match line.split(' ').next() {
            Some("EHLO") => "250-mail.example.org\r\n250 AUTH PLAIN LOGIN",
            Some("AUTH") => "235 welcome",
            Some("DATA") => "354 go on",
            _ => "250 ok",
        };
        answer(&mut stream, reply)?;
        if line != "DATA" {
            continue;
        }
        let mut mail = String::new();
        loop {
            match self::line(&mut stream)?.as_str() {
                "." => break,
                text => mail.extend([text, "\n"]),
            }
        }
        notes.lock().unwrap().push(mail);
        drop(counter.lock().unwrap());
        answer(&mut stream, "250 queued")?;
    }
}

fn answer(stream: &mut BufReader<TcpStream>, text: &str) -> Option<()> {
    stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).ok()
}

fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = stream.read_line(&mut line).ok()?;
    (length > 0).then(|| line.trim_end_matches("\r\n").to_owned())
}

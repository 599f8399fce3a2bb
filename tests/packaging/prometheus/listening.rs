//! A program that listens on loopback for as long as a test needs it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::common::until;

/// A program that listens on loopback, ended when it goes out of scope.
pub(super) struct Listening {
    child: Child,
    port: u16,
}

impl Listening {
    /// Starts a program on a port that was free a moment ago, and waits until it answers there.
    pub(super) fn start(mut command: Command, port: u16, path: &str) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let listening = Self { child: command.spawn().unwrap(), port };
        until("it answers", || listening.answer(path).is_some());
        listening
    }

    /// What it answers.
    #[track_caller]
    pub(super) fn get(&self, path: &str) -> String {
        self.answer(path).unwrap_or_else(|| panic!("no answer to {path}"))
    }

    /// The body of a good answer.
    fn answer(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.contains(" 200 ").then(|| body.to_owned())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on.
pub(super) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

//! Serves the simulated Graph on loopback: real HTTP, one thread a connection.
//!
//! Everything stops when the server is dropped: the connections are shut, the naps cut short and
//! the threads joined, so that a test leaves nothing behind.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::token::Provider;

use super::call::{Answer, Call};
use super::connection::serve;
use super::fault_injection::{Armed, FaultInjection, Rule};
use super::seen::Seen;
use super::shared::{Reaction, Shared};
use super::simulation::Simulation;

/// A running simulated Graph.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts on a free port of 127.0.0.1.
    pub fn start(simulation: Simulation) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(simulation));
        let theirs = Arc::clone(&shared);
        let acceptor = thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || accept(&listener, &theirs))?;
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where a provider's host is simulated: the paths below it are that host's.
    pub fn endpoint(&self, provider: Provider) -> String {
        match provider {
            Provider::Facebook => self.url(),
            other => format!("{}/{other}", self.url()),
        }
    }

    /// Looks into Graph's memory, or changes it, between two calls.
    pub fn with<R>(&self, look: impl FnOnce(&mut Simulation) -> R) -> R {
        self.shared.with(look)
    }

    /// Has every change that a call makes kept by `keep` before the call is answered. When it
    /// cannot be kept, the answer is an error of status 500.
    pub fn on_change(&self, keep: impl FnMut(&Simulation) -> io::Result<()> + Send + 'static) {
        self.shared.on_change(Box::new(keep));
    }

    /// Answers a call as if it had come over the network, and keeps what it changes.
    pub fn answer(&self, call: &Call) -> Option<Answer> {
        match self.shared.react(call) {
            Reaction::Answer(answer) | Reaction::Drip(answer, _) => Some(answer),
            Reaction::Close => None,
        }
    }

    /// The calls so far, in the order of their answers.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.requests()
    }

    /// How many connections clients have made calls through so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections()
    }

    /// Waits so long before each answer from now on. Calls that wait longer are answered now.
    pub fn latency(&self, latency: Duration) {
        self.shared.set_latency(latency);
    }

    /// Misbehaves from now on, where the rule says so.
    pub fn misbehave(&self, rule: Rule, injection: FaultInjection) {
        self.shared.arm(Armed::new(rule, injection));
    }

    /// Behaves again.
    pub fn behave(&self) {
        self.shared.disarm();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop();
        // The acceptor sits in `accept`; a connection wakes it, and it sees that all is over.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            // A panic there was printed when it happened; this one must not become a second.
            drop(acceptor.join());
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for stream in listener.incoming() {
        if shared.is_over() {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        match stream.and_then(|stream| answer_in_thread(stream, shared)) {
            Ok(thread) => threads.extend(thread),
            // Out of descriptors or threads: clients wait, and so does this loop.
            Err(_) => drop(shared.nap(Duration::from_millis(10))),
        }
    }
    for thread in threads {
        drop(thread.join());
    }
}

fn answer_in_thread(stream: TcpStream, shared: &Arc<Shared>) -> io::Result<Option<JoinHandle<()>>> {
    let Some(number) = shared.enter(&stream)? else { return Ok(None) };
    let theirs = Arc::clone(shared);
    let spawned = thread::Builder::new().name(format!("sandbox-{number}")).spawn(move || {
        // A client may go away at any time; that is not a fault of the server's.
        drop(serve(&stream, &theirs));
        drop(stream.shutdown(Shutdown::Both));
        theirs.leave(number);
    });
    if spawned.is_err() {
        shared.leave(number);
    }
    spawned.map(Some)
}

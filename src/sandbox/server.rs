//! The simulated Graph on loopback: real HTTP, one thread a connection.
//!
//! Everything stops when the server is dropped: the connections are shut, the naps cut short and
//! the threads joined, so that a test leaves nothing behind.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::token::Provider;

use super::call::Call;
use super::connection::{Reaction, serve};
use super::fault_injection::{Armed, FaultInjection, Rule};
use super::refusal::Refusal;
use super::seen::Seen;
use super::simulation::Simulation;

/// How many connections at once? Four times what the client may open at most; more are closed.
const CONNECTIONS: usize = 128;

/// How many calls are remembered? More than any test makes, and a bench does not fill the memory.
const REMEMBERED: usize = 100_000;

type OnChange = Box<dyn FnMut(&Simulation) -> io::Result<()> + Send>;

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
        look(&mut hold(&self.shared.world).simulation)
    }

    /// Has every change that a call makes kept by `keep` before the call is answered. When it
    /// cannot be kept, the answer is an error of status 500.
    pub fn on_change(&self, keep: impl FnMut(&Simulation) -> io::Result<()> + Send + 'static) {
        hold(&self.shared.world).on_change = Some(Box::new(keep));
    }

    /// The calls so far, in the order of their answers.
    pub fn requests(&self) -> Vec<Seen> {
        hold(&self.shared.seen).iter().cloned().collect()
    }

    /// How many connections clients have made calls through so far.
    pub fn connections(&self) -> u64 {
        hold(&self.shared.lines).used
    }

    /// Waits so long before each answer from now on.
    pub fn latency(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.shared.latency.store(micros, Ordering::Relaxed);
    }

    /// Misbehaves from now on, where the rule says so.
    pub fn misbehave(&self, rule: Rule, injection: FaultInjection) {
        hold(&self.shared.armed).push(Armed::new(rule, injection));
    }

    /// Behaves again.
    pub fn behave(&self) {
        hold(&self.shared.armed).clear();
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

/// What the threads of a server share.
pub struct Shared {
    world: Mutex<World>,
    seen: Mutex<VecDeque<Seen>>,
    armed: Mutex<Vec<Armed>>,
    latency: AtomicU64,
    lines: Mutex<Lines>,
    over: Condvar,
}

struct World {
    simulation: Simulation,
    on_change: Option<OnChange>,
}

/// The open connections, so that they can be shut.
#[derive(Default)]
struct Lines {
    is_over: bool,
    opened: u64,
    used: u64,
    open: BTreeMap<u64, TcpStream>,
}

impl Shared {
    fn new(simulation: Simulation) -> Self {
        Self {
            world: Mutex::new(World { simulation, on_change: None }),
            seen: Mutex::default(),
            armed: Mutex::default(),
            latency: AtomicU64::new(0),
            lines: Mutex::default(),
            over: Condvar::new(),
        }
    }

    /// Decides about a call, keeps what it changed, and only then lets it be answered.
    pub fn react(&self, call: &Call) -> Reaction {
        // No call of the API: it is neither counted nor remembered.
        if call.is_for_nothing() {
            return Reaction::Answer(hold(&self.world).simulation.answer(call));
        }
        let latency = Duration::from_micros(self.latency.load(Ordering::Relaxed));
        if !latency.is_zero() && self.nap(latency).is_break() {
            return Reaction::Close;
        }
        let injection = self.injection(call);
        let mut world = hold(&self.world);
        let mut seen = Seen::new(call, &world.simulation);
        let reaction = world.react(call, injection.as_ref());
        drop(world);
        seen.status = match &reaction {
            Reaction::Answer(answer) | Reaction::Drip(answer, _) => Some(answer.status),
            Reaction::Close => None,
        };
        let mut memory = hold(&self.seen);
        if memory.len() == REMEMBERED {
            memory.pop_front();
        }
        memory.push_back(seen);
        reaction
    }

    /// Counts a connection, once it carries a call.
    pub fn count_connection(&self) {
        hold(&self.lines).used += 1;
    }

    /// Waits; breaks when the server stops meanwhile.
    pub fn nap(&self, length: Duration) -> ControlFlow<()> {
        let lines = hold(&self.lines);
        let waited = self.over.wait_timeout_while(lines, length, |lines| !lines.is_over);
        let (lines, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if lines.is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Every rule counts the call; the first that hits decides.
    fn injection(&self, call: &Call) -> Option<FaultInjection> {
        let mut first = None;
        for armed in hold(&self.armed).iter_mut() {
            let struck = armed.strike(call);
            first = first.or(struck);
        }
        first
    }

    fn stop(&self) {
        let mut lines = hold(&self.lines);
        lines.is_over = true;
        for stream in lines.open.values() {
            // One that the client has closed already cannot be shut again.
            drop(stream.shutdown(Shutdown::Both));
        }
        drop(lines);
        self.over.notify_all();
    }

    /// Enters a connection; nothing when there are too many or all is over.
    fn enter(&self, stream: &TcpStream) -> io::Result<Option<u64>> {
        let stream = stream.try_clone()?;
        let mut lines = hold(&self.lines);
        if lines.is_over || lines.open.len() >= CONNECTIONS {
            return Ok(None);
        }
        lines.opened += 1;
        let number = lines.opened;
        lines.open.insert(number, stream);
        Ok(Some(number))
    }

    fn leave(&self, number: u64) {
        hold(&self.lines).open.remove(&number);
    }

    fn is_over(&self) -> bool {
        hold(&self.lines).is_over
    }
}

impl World {
    fn react(&mut self, call: &Call, injection: Option<&FaultInjection>) -> Reaction {
        if injection == Some(&FaultInjection::CloseBeforeAnswer) {
            return Reaction::Close;
        }
        if let Some(answer) = injection.and_then(|each| each.stand_in(&self.simulation, call)) {
            return Reaction::Answer(answer);
        }
        let before = self.simulation.revision();
        let answer = self.simulation.answer(call);
        if self.simulation.revision() != before && self.keep().is_err() {
            return Reaction::Answer(self.simulation.reply(call, Err(Refusal::unknown_error(500))));
        }
        match injection {
            Some(FaultInjection::CloseAfterEffect) => Reaction::Close,
            Some(FaultInjection::Slow(pause)) => Reaction::Drip(answer, *pause),
            Some(FaultInjection::WrongDate(skew)) => Reaction::Answer(answer.misdated(*skew)),
            _ => Reaction::Answer(answer),
        }
    }

    fn keep(&mut self) -> io::Result<()> {
        self.on_change.as_mut().map_or(Ok(()), |keep| keep(&self.simulation))
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
        // A client may go away at any time; that is no fault of the server's.
        drop(serve(&stream, &theirs));
        drop(stream.shutdown(Shutdown::Both));
        theirs.leave(number);
    });
    if spawned.is_err() {
        shared.leave(number);
    }
    spawned.map(Some)
}

/// A test that panicked while it looked into the memory must not take the server down with it.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

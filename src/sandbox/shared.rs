//! Holds what the threads of the simulated Graph share, and decides what becomes of a call.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Shutdown, TcpStream};
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::call::{Answer, Call};
use super::fault_injection::{Armed, FaultInjection};
use super::refusal::Refusal;
use super::seen::Seen;
use super::simulation::Simulation;

/// How many connections at once? Four times what the client may open at most; more are closed.
const CONNECTIONS: usize = 128;

/// How many calls are remembered? More than any test makes, and a bench does not fill the memory.
const REMEMBERED: usize = 100_000;

/// Keeps a change of the simulation.
pub type OnChange = Box<dyn FnMut(&Simulation) -> io::Result<()> + Send>;

/// What the server does about a call.
pub enum Reaction {
    Answer(Answer),
    /// Answers it a byte at a time.
    Drip(Answer, Duration),
    Close,
}

/// What the threads of a server share.
pub struct Shared {
    world: Mutex<World>,
    seen: Mutex<VecDeque<Seen>>,
    armed: Mutex<Vec<Armed>>,
    lines: Mutex<Lines>,
    /// Told when all is over, and when calls wait no longer.
    woken: Condvar,
}

struct World {
    simulation: Simulation,
    on_change: Option<OnChange>,
}

/// The open connections, so that they can be shut.
#[derive(Default)]
struct Lines {
    is_over: bool,
    latency: Duration,
    opened: u64,
    used: u64,
    open: BTreeMap<u64, TcpStream>,
}

impl Shared {
    /// What is shared when the server starts.
    pub fn new(simulation: Simulation) -> Self {
        Self {
            world: Mutex::new(World { simulation, on_change: None }),
            seen: Mutex::default(),
            armed: Mutex::default(),
            lines: Mutex::default(),
            woken: Condvar::new(),
        }
    }

    /// Looks into Graph's memory, or changes it, between two calls.
    pub fn with<R>(&self, look: impl FnOnce(&mut Simulation) -> R) -> R {
        look(&mut hold(&self.world).simulation)
    }

    /// Has every change kept by `keep` from now on.
    pub fn on_change(&self, keep: OnChange) {
        hold(&self.world).on_change = Some(keep);
    }

    /// The calls so far, in the order of their answers.
    pub fn requests(&self) -> Vec<Seen> {
        hold(&self.seen).iter().cloned().collect()
    }

    /// How many connections carried a call so far.
    pub fn connections(&self) -> u64 {
        hold(&self.lines).used
    }

    /// Waits so long before each answer from now on. Calls that wait longer are answered now.
    pub fn set_latency(&self, latency: Duration) {
        hold(&self.lines).latency = latency;
        self.woken.notify_all();
    }

    /// Applies a rule from now on.
    pub fn arm(&self, armed: Armed) {
        hold(&self.armed).push(armed);
    }

    /// Forgets every rule.
    pub fn disarm(&self) {
        hold(&self.armed).clear();
    }

    /// Decides about a call, keeps what it changed, and only then lets it be answered.
    pub fn react(&self, call: &Call) -> Reaction {
        // No call of the API: it is neither counted nor remembered.
        if call.is_for_nothing() {
            return Reaction::Answer(hold(&self.world).simulation.answer(call));
        }
        if self.await_latency().is_break() {
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
        self.wait_while(length, |lines| !lines.is_over)
    }

    /// Waits as long as an answer takes, or until answers take less; breaks when the server stops
    /// meanwhile.
    fn await_latency(&self) -> ControlFlow<()> {
        let latency = hold(&self.lines).latency;
        self.wait_while(latency, |lines| !lines.is_over && lines.latency >= latency)
    }

    fn wait_while(&self, length: Duration, waits: impl Fn(&Lines) -> bool) -> ControlFlow<()> {
        let lines = hold(&self.lines);
        let waited = self.woken.wait_timeout_while(lines, length, |lines| waits(lines));
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

    /// Shuts every connection, and wakes what waits.
    pub fn stop(&self) {
        let mut lines = hold(&self.lines);
        lines.is_over = true;
        for stream in lines.open.values() {
            // One that the client has closed already cannot be shut again.
            drop(stream.shutdown(Shutdown::Both));
        }
        drop(lines);
        self.woken.notify_all();
    }

    /// Enters a connection; nothing when there are too many or all is over.
    pub fn enter(&self, stream: &TcpStream) -> io::Result<Option<u64>> {
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

    /// Forgets a connection that has ended.
    pub fn leave(&self, number: u64) {
        hold(&self.lines).open.remove(&number);
    }

    /// Whether the server stops.
    pub fn is_over(&self) -> bool {
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

/// A test that panicked while it looked into the memory must not take the server down with it.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Runs another program, within limits.
//!
//! A run is unattended and other tokens wait behind it, so no program may hold it up: not by
//! running on, not by printing without end, not by leaving its input unread, not by starting
//! another that keeps its pipes. Each has a time and a process group of its own, and when a call
//! returns the program is reaped and the group is gone, as a systemd unit's is. Whoever starts a
//! daemon must let it leave the group, as daemons do.
//!
//! What a program is given is what the call says and no more: words without a shell, an
//! environment without ours, `/` as its folder. Its umask is ours. What it prints may hold a
//! token, so it is kept in memory that is wiped, and never shown by `Debug` or by a failure.

mod alive;
mod core_dump;
mod failure;
mod group;
mod output;
mod program;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

pub use alive::Process;
pub use core_dump::forbid_core_dumps;
pub use failure::ProcessError;
use group::Group;
use output::Capture;
pub use output::{CAP, End, Printed};
pub use program::find;

/// Where programs are run: nobody's home, and there on every machine.
const FOLDER: &str = "/";

/// How long a group that has been asked to end may take over it.
const GRACE: Duration = Duration::from_secs(2);

/// How long the pipes of a program that has ended may take to run dry. Only one that left the
/// group can keep them open for longer.
const SETTLING: Duration = Duration::from_millis(500);

/// How often a condition is looked at.
const TICK: Duration = Duration::from_millis(5);

/// Describes one run of a program.
pub struct Invocation {
    /// The program and its arguments. A name is searched for in `PATH` of `environment`; a path
    /// must be absolute.
    pub argv: Vec<String>,
    /// What the program can read from its standard input; it need not.
    pub stdin: Zeroizing<Vec<u8>>,
    /// The variables of the program, all of them.
    pub environment: BTreeMap<String, String>,
    /// How long the program may take.
    pub timeout: Duration,
}

/// Arguments and values may say too much, so only names are shown.
impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("program", &self.argv.first())
            .field("environment", &self.environment.keys())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Tells how a program ended, well or not, and what it printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The exit code or the signal.
    pub status: ExitStatus,
    /// What it printed on standard output.
    pub stdout: Printed,
    /// What it printed on standard error.
    pub stderr: Printed,
    /// How long it ran.
    pub took: Duration,
}

impl Invocation {
    /// Runs the program and waits for its end, which may be a bad one: that is no [`ProcessError`].
    ///
    /// Returns at the latest 2.5 s after the timeout: a group that is out of time gets SIGTERM,
    /// and 2 s later SIGKILL.
    pub fn run(self) -> Result<Ended, ProcessError> {
        self.run_with_grace(GRACE)
    }

    /// The same, with the process told to `note` before it is given anything to read. If that
    /// fails, the program is killed and has read nothing. Where there is no `/proc` nothing is
    /// told.
    pub fn run_noted<E>(
        self,
        note: impl FnOnce(&Process) -> Result<(), E>,
    ) -> Result<Result<Ended, ProcessError>, E> {
        self.run_within(GRACE, note)
    }

    fn run_with_grace(self, grace: Duration) -> Result<Ended, ProcessError> {
        match self.run_within(grace, |_| Ok::<(), Infallible>(())) {
            Ok(ended) => ended,
            Err(never) => match never {},
        }
    }

    fn run_within<E>(
        self,
        grace: Duration,
        note: impl FnOnce(&Process) -> Result<(), E>,
    ) -> Result<Result<Ended, ProcessError>, E> {
        let begun = Instant::now();
        let child = match self.start() {
            Ok(child) => child,
            Err(failure) => return Ok(Err(failure)),
        };
        let pid = child.id();
        // From here on the group is killed on every way out.
        let group = Group::led_by(child);
        if let Some(process) = Process::of(pid) {
            note(&process)?;
        }
        Ok(self.attend(group, begun, grace))
    }

    /// Gives the program its input and waits for its end.
    fn attend(
        self,
        mut group: Group,
        begun: Instant,
        grace: Duration,
    ) -> Result<Ended, ProcessError> {
        let limit = self.timeout;
        let (stdin, stdout, stderr) = group.pipes();
        let stdout = Capture::of(stdout)?;
        let stderr = Capture::of(stderr)?;
        feed(stdin, self.stdin)?;

        let in_time = holds_within(limit, || group.leader_has_ended());
        if !in_time {
            group.ask_to_end();
            // A program that tidies up may outlive the shell that leads its group, and is seen
            // by the pipes that it holds.
            holds_within(grace, || {
                group.leader_has_ended() && stdout.is_complete() && stderr.is_complete()
            });
        }
        let took = begun.elapsed();
        let status = group.end()?;
        holds_within(SETTLING, || stdout.is_complete() && stderr.is_complete());
        let ended = Ended { status, stdout: stdout.take(), stderr: stderr.take(), took };
        if in_time {
            return Ok(if status.code().is_some() { ended } else { ended.broken_off() });
        }
        Err(ProcessError::TimedOut { limit, ended: Box::new(ended.broken_off()) })
    }

    fn start(&self) -> Result<Child, ProcessError> {
        let (name, arguments) = self.argv.split_first().ok_or(ProcessError::Nameless)?;
        let path = self.environment.get("PATH").map(String::as_str);
        let program = program::find(name, path)?;
        let stdin = if self.stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
        let child = Command::new(&program)
            .arg0(name)
            .args(arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(FOLDER)
            .process_group(0)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| ProcessError::not_started(&error))?;
        core_dump::give_back_to(&child);
        Ok(child)
    }
}

impl Ended {
    /// The same of a program that did not end by itself, perhaps in the middle of a word.
    fn broken_off(mut self) -> Self {
        self.stdout.break_off();
        self.stderr.break_off();
        self
    }
}

/// Hands the program its input from beside, so that one that reads nothing holds nobody up.
fn feed(pipe: Option<ChildStdin>, bytes: Zeroizing<Vec<u8>>) -> Result<(), ProcessError> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    beside(move || {
        // A program need not read what it is given: a broken pipe is its right.
        let _ = pipe.write_all(&bytes);
    })
    .map(drop)
}

/// Starts a thread; a machine that has none left is a failure of the call, and no panic.
fn beside(work: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>, ProcessError> {
    thread::Builder::new().spawn(work).map_err(|error| ProcessError::not_started(&error))
}

/// Waits until the condition holds, and no longer than the limit; returns whether it held.
fn holds_within(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if condition() {
            return true;
        }
        let left = limit.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return false;
        }
        thread::sleep(TICK.min(left));
    }
}

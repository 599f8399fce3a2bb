//! Runs a program to its end, with all that it starts, unless they leave.
//!
//! The leader of its process group is reaped last. Until then its number is its own, so a signal to
//! the group can hit no other process; and it is reaped on every way out, so no zombie stays.
//!
//! The memory of this process, which holds access tokens and secrets, is kept out of core dumps. Only
//! the soft limit is lowered, and each program gets the one that we were given: its dumps are its own.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{fmt, thread};

use rustix::io::Errno;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, getrlimit, kill_process_group, prlimit,
    setrlimit, waitid,
};
use zeroize::Zeroizing;

use super::alive::Process;
use super::error::ProcessError;
use super::output::{Capture, Ended, beside};
use super::program;

/// Where programs are run: no user's home, and there on every machine.
const FOLDER: &str = "/";

/// How long a group that has been asked to end may take over it.
pub const GRACE: Duration = Duration::from_secs(2);

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

    pub(super) fn run_with_grace(self, grace: Duration) -> Result<Ended, ProcessError> {
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
        let no_thread = |error: io::Error| ProcessError::not_started(&error);
        let stdout = Capture::of(stdout).map_err(no_thread)?;
        let stderr = Capture::of(stderr).map_err(no_thread)?;
        feed(stdin, self.stdin).map_err(no_thread)?;

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
        give_back_to(&child);
        Ok(child)
    }
}

/// Hands the program its input from beside, so that one that reads nothing holds nothing up.
fn feed(pipe: Option<ChildStdin>, bytes: Zeroizing<Vec<u8>>) -> io::Result<()> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    beside(move || {
        // A program need not read what it is given: a broken pipe is its right.
        let _ = pipe.write_all(&bytes);
    })
    .map(drop)
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

/// A process group whose leader is our child.
pub struct Group {
    leader: Child,
    reaped: bool,
}

impl Group {
    /// The group of a child that was started as the leader of one.
    const fn led_by(leader: Child) -> Self {
        Self { leader, reaped: false }
    }

    /// The leader's pipes, once.
    const fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        let Child { stdin, stdout, stderr, .. } = &mut self.leader;
        (stdin.take(), stdout.take(), stderr.take())
    }

    /// Whether the leader has ended; does not reap it.
    fn leader_has_ended(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(self.number()), look), Ok(None) | Err(Errno::INTR))
    }

    /// Asks all of the group to end.
    fn ask_to_end(&self) {
        // A group that is gone already is what was wanted.
        let _ = kill_process_group(self.number(), Signal::TERM);
    }

    /// Kills what is left of the group, and says how the leader ended.
    pub fn end(mut self) -> Result<ExitStatus, ProcessError> {
        self.reap().map_err(|error| ProcessError::Lost { why: error.to_string() })
    }

    fn reap(&mut self) -> std::io::Result<ExitStatus> {
        let _ = kill_process_group(self.number(), Signal::KILL);
        self.reaped = true;
        self.leader.wait()
    }

    fn number(&self) -> Pid {
        Pid::from_child(&self.leader)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = self.reap();
        }
    }
}

/// The limit that we were given.
static GIVEN: OnceLock<Rlimit> = OnceLock::new();

/// Forbids core dumps of this process. To be called before a secret is read.
pub fn forbid_core_dumps() {
    let given = GIVEN.get_or_init(|| getrlimit(Resource::Core));
    // Every process may lower its soft limits: it cannot fail.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: given.maximum });
}

/// Takes the limit again that we were given, for the program that takes our place.
pub fn give_back() {
    if let Some(given) = GIVEN.get() {
        let _ = setrlimit(Resource::Core, *given);
    }
}

/// Gives a program the limit that we were given. One that runs as another user keeps ours.
pub fn give_back_to(child: &Child) {
    if let Some(given) = GIVEN.get() {
        let _ = prlimit(Some(Pid::from_child(child)), Resource::Core, *given);
    }
}

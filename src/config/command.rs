//! Runs the program that prints a secret.
//!
//! It runs unattended, so it gets no terminal, no input and little time; it and whatever it
//! started are gone when this returns. What it says on standard error may hold the secret, and
//! is not read.

use std::fmt;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use zeroize::Zeroizing;

/// How long the program may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How much it may print.
const CAP: u64 = 64 * 1024;

/// How often it is looked at.
const TICK: Duration = Duration::from_millis(5);

/// Why the program gave no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    NotStarted(std::io::ErrorKind),
    TimedOut(Duration),
    Failed(ExitStatus),
    TooLong,
    NotText,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(kind) => write!(f, "cannot be started: {kind}"),
            Self::TimedOut(limit) => write!(f, "gave no answer within {}s", limit.as_secs()),
            Self::Failed(status) => write!(f, "failed: {status}"),
            Self::TooLong => write!(f, "printed more than {} KiB", CAP / 1024),
            Self::NotText => f.write_str("printed something that is not UTF-8 text"),
        }
    }
}

/// What the program prints on standard output.
pub(super) fn output(words: &[String]) -> Result<Zeroizing<String>, Failure> {
    output_within(words, LIMIT)
}

fn output_within(words: &[String], limit: Duration) -> Result<Zeroizing<String>, Failure> {
    let (program, arguments) =
        words.split_first().ok_or(Failure::NotStarted(std::io::ErrorKind::InvalidInput))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| Failure::NotStarted(error.kind()))?;
    let deadline = Instant::now() + limit;
    let printed = reader(&mut child);
    let ended = ends_before(&child, deadline);
    // Before it is reaped its number is still its own, so nobody else's group can be hit.
    if let Some(group) = pid(&child) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let status = child.wait().map_err(|error| Failure::NotStarted(error.kind()))?;
    if !ended {
        return Err(Failure::TimedOut(limit));
    }
    let left = deadline.saturating_duration_since(Instant::now()).max(TICK);
    let bytes = printed.recv_timeout(left).map_err(|_| Failure::TimedOut(limit))?;
    // A program that prints too much dies of the pipe that is closed on it: that is the effect.
    if bytes.len() as u64 > CAP {
        return Err(Failure::TooLong);
    }
    if !status.success() {
        return Err(Failure::Failed(status));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::NotText)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Reads beside the waiting, so that a full pipe cannot hold the program up.
fn reader(child: &mut Child) -> mpsc::Receiver<Zeroizing<Vec<u8>>> {
    let (send, receive) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
            // A broken pipe ends the text like its end does; the exit status tells.
            let _ = stdout.take(CAP + 1).read_to_end(&mut bytes);
            let _ = send.send(bytes);
        });
    }
    receive
}

/// Waits for the end without reaping the program.
fn ends_before(child: &Child, deadline: Instant) -> bool {
    let Some(pid) = pid(child) else { return true };
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::Pid(pid), look) {
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Ok(Some(_)) | Err(_) => return true,
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(TICK);
    }
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[test]
    fn what_it_prints_is_the_secret() {
        assert_eq!(output(&shell("echo EAAfake")).unwrap().as_str(), "EAAfake\n");
        assert_eq!(output(&shell("cat; echo done")).unwrap().as_str(), "done\n");
    }

    #[test]
    fn a_failure_says_why_and_never_what_was_printed() {
        for (words, expected) in [
            (shell("echo EAAfake; echo EAAfake >&2; exit 3"), "failed: exit status: 3"),
            (shell("printf '\\377'"), "printed something that is not UTF-8 text"),
            (shell("head -c 70000 /dev/zero"), "printed more than 64 KiB"),
            (vec!["/nowhere/pass".to_owned()], "cannot be started: entity not found"),
            (Vec::new(), "cannot be started: invalid input parameter"),
        ] {
            assert_eq!(output(&words).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn one_that_hangs_is_killed_with_its_children() {
        let limit = Duration::from_millis(200);
        let begun = Instant::now();
        let failure = output_within(&shell("sleep 60 & sleep 60"), limit).unwrap_err();
        assert_eq!(failure, Failure::TimedOut(limit));
        let left_behind = output_within(&shell("sleep 60 & echo x"), Duration::from_secs(5));
        assert_eq!(left_behind.unwrap().as_str(), "x\n");
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}

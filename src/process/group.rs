//! A program and all that it starts, unless they leave.
//!
//! The leader is reaped last. Until then its number is its own, so a signal to the group can hit
//! nobody else's; and it is reaped on every way out, so no zombie stays.

use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::ProcessError;

/// A process group whose leader is our child.
pub(super) struct Group {
    leader: Child,
    reaped: bool,
}

impl Group {
    /// The group of a child that was started as the leader of one.
    pub(super) const fn led_by(leader: Child) -> Self {
        Self { leader, reaped: false }
    }

    /// The leader's pipes, once.
    pub(super) const fn pipes(
        &mut self,
    ) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        let Child { stdin, stdout, stderr, .. } = &mut self.leader;
        (stdin.take(), stdout.take(), stderr.take())
    }

    /// Whether the leader has ended; does not reap it.
    pub(super) fn leader_has_ended(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(self.number()), look), Ok(None) | Err(Errno::INTR))
    }

    /// Asks all of the group to end.
    pub(super) fn ask_to_end(&self) {
        // A group that is gone already is what was wanted.
        let _ = kill_process_group(self.number(), Signal::TERM);
    }

    /// Kills what is left of the group, and says how the leader ended.
    pub(super) fn end(mut self) -> Result<ExitStatus, ProcessError> {
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

//! Tells whether a program that was started earlier still runs, or anything that it started.
//!
//! A number alone does not tell: it is given to another process when the first one has ended. So
//! the moment at which the kernel started it belongs to it, and the boot in which that was. As long
//! as its group has a member the number is given to no other process. Source: `proc_pid_stat(5)`.
//! Without a `/proc` nothing is known, and nothing is called running.

use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process_group};

/// A process, told apart from those that get its number later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number, and that of the group that it leads.
    pub pid: u32,
    /// When it was started, in clock ticks since the boot.
    pub start_ticks: u64,
    /// The boot; empty where a unit may see nothing of `/proc` but processes.
    pub boot: String,
}

impl Process {
    /// The process that has this number now.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = Stat::of(pid).filter(|stat| stat.runs)?;
        Some(Self { pid, start_ticks: stat.start_ticks, boot: boot() })
    }

    /// The number of a process that still runs: its own, or that of one that it started and that
    /// has not left its group. One that has ended and was not reaped does not run.
    pub fn survivor(&self) -> Option<u32> {
        let now = boot();
        let is_this_boot = self.boot == now || self.boot.is_empty() || now.is_empty();
        if !is_this_boot {
            return None;
        }
        match Stat::of(self.pid) {
            Some(stat) if stat.start_ticks != self.start_ticks => None,
            Some(stat) if stat.runs => Some(self.pid),
            _ => self.member(),
        }
    }

    /// A member of the group that its leader has left behind.
    fn member(&self) -> Option<u32> {
        let group = Pid::from_raw(i32::try_from(self.pid).ok()?)?;
        // Mostly the group is gone: one call tells, and nothing is searched.
        if test_kill_process_group(group) == Err(Errno::SRCH) {
            return None;
        }
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        numbers.into_iter().find(|number| {
            Stat::of(*number).is_some_and(|stat| {
                stat.runs && stat.group == self.pid && stat.start_ticks >= self.start_ticks
            })
        })
    }
}

fn boot() -> String {
    let read = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    read.map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// What the kernel says of a process.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    /// False for one that has ended and was not reaped.
    runs: bool,
    group: u32,
    start_ticks: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        Self::read(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Reads the 3rd, 5th and 22nd field. The second is the program's name, which may hold anything.
    fn read(stat: &str) -> Option<Self> {
        let (_, behind) = stat.rsplit_once(')')?;
        let mut fields = behind.split_ascii_whitespace();
        let runs = !matches!(fields.next()?, "Z" | "X" | "x");
        let group = fields.nth(1)?.parse().ok()?;
        let start_ticks = fields.nth(16)?.parse().ok()?;
        Some(Self { runs, group, start_ticks })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};

    use rustix::process::{Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

    use super::*;

    const REST: &str = "1 17 2 0 -1 4194304 99 0 0 0 1 2 3 4 20 0 1 0 1234567 89 0";

    #[test]
    fn the_start_is_read_whatever_the_program_is_called() {
        for (name, state, runs) in [
            ("sh", "S", true),
            ("a) Z 1 (b", "R", true),
            ("tab\tand\nline", "D", true),
            ("sh", "T", true),
            ("sh", "Z", false),
            ("sh", "X", false),
        ] {
            let stat = Stat::read(&format!("17 ({name}) {state} {REST}"));
            let expected = Stat { runs, group: 17, start_ticks: 1_234_567 };
            assert_eq!(stat, Some(expected), "{name}");
        }
        for damaged in ["", "17", "17 (sh)", "17 (sh) S 1 2", "17 (sh) S a b c"] {
            assert_eq!(Stat::read(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn a_process_is_itself_and_no_other_of_its_number() {
        let Some(own) = Process::of(std::process::id()) else { return };
        assert_eq!(own.survivor(), Some(own.pid));
        let later = Process { start_ticks: own.start_ticks + 1, ..own.clone() };
        let gone = Process { pid: u32::MAX, ..own.clone() };
        let unknown_boot = Process { boot: String::new(), ..own.clone() };
        for (process, expected) in [(&later, false), (&gone, false), (&unknown_boot, true)] {
            assert_eq!(process.survivor().is_some(), expected, "{process:?}");
        }
        let other_boot = Process { boot: "another".into(), ..own.clone() };
        assert_eq!(other_boot.survivor().is_some(), own.boot.is_empty());
    }

    #[test]
    fn what_a_leader_left_behind_is_its_own_if_it_was_started_later() {
        let mut leader = Command::new("sh")
            .args(["-c", "sleep 60 > /dev/null & echo $!"])
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let process = Process::of(leader.id());
        let mut member = String::new();
        leader.stdout.take().unwrap().read_to_string(&mut member).unwrap();
        let member: u32 = member.trim().parse().unwrap();
        // Not reaped yet: it has ended, and its number is its own.
        let group = Pid::from_child(&leader);
        if let Some(process) = process {
            waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
            assert_eq!(process.survivor(), Some(member));
            leader.wait().unwrap();
            assert_eq!(process.survivor(), Some(member));
            let later = Process { start_ticks: u64::MAX, ..process.clone() };
            assert_eq!(later.survivor(), None);
            kill_process_group(group, Signal::KILL).unwrap();
            while process.survivor().is_some() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        } else {
            let _ = kill_process_group(group, Signal::KILL);
            leader.wait().unwrap();
        }
    }
}

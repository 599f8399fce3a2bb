//! Whether a process that was started earlier still runs.
//!
//! A number alone does not tell: it is given to another process when the first one has ended. So
//! the moment at which the kernel started it belongs to it, and the boot in which that was. Source:
//! `proc_pid_stat(5)`. Without a `/proc` nothing is known, and nothing is called running.

use std::fs;

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
        Some(Self { pid, start_ticks: start_of(pid)?, boot: boot() })
    }

    /// Whether it runs. One that has ended and was not reaped does not.
    pub fn is_running(&self) -> bool {
        let now = boot();
        let is_this_boot = self.boot == now || self.boot.is_empty() || now.is_empty();
        is_this_boot && start_of(self.pid) == Some(self.start_ticks)
    }
}

fn boot() -> String {
    let read = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    read.map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// When the process with this number was started; `None` if there is none that runs.
fn start_of(pid: u32) -> Option<u64> {
    read_start(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads the 22nd field. The second is the program's name, which may hold anything.
fn read_start(stat: &str) -> Option<u64> {
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_ascii_whitespace();
    match fields.next()? {
        "Z" | "X" | "x" => None,
        _ => fields.nth(18)?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "1 2 2 0 -1 4194304 99 0 0 0 1 2 3 4 20 0 1 0 1234567 89 0";

    #[test]
    fn the_start_is_read_whatever_the_program_is_called() {
        for (name, state, expected) in [
            ("sh", "S", Some(1_234_567)),
            ("a) Z 1 (b", "R", Some(1_234_567)),
            ("tab\tand\nline", "D", Some(1_234_567)),
            ("sh", "T", Some(1_234_567)),
            ("sh", "Z", None),
            ("sh", "X", None),
        ] {
            assert_eq!(read_start(&format!("17 ({name}) {state} {REST}")), expected, "{name}");
        }
        for damaged in ["", "17", "17 (sh)", "17 (sh) S 1 2", "17 (sh) S a b c"] {
            assert_eq!(read_start(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn a_process_is_itself_and_no_other_of_its_number() {
        let Some(own) = Process::of(std::process::id()) else { return };
        assert!(own.is_running());
        let later = Process { start_ticks: own.start_ticks + 1, ..own.clone() };
        let gone = Process { pid: u32::MAX, ..own.clone() };
        let unknown_boot = Process { boot: String::new(), ..own.clone() };
        for (process, expected) in [(&later, false), (&gone, false), (&unknown_boot, true)] {
            assert_eq!(process.is_running(), expected, "{process:?}");
        }
        let other_boot = Process { boot: "another".into(), ..own.clone() };
        assert_eq!(other_boot.is_running(), own.boot.is_empty());
    }
}

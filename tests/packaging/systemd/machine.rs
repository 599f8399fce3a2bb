//! A machine of its own, with systemd as its first process.
//!
//! `machine.sh` makes it out of namespaces and scratch mounts. What happens there leaves nothing
//! behind: when the pipe to it closes, also because the test was killed, it is taken down.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::Ran;
use crate::common::skip;

/// How long systemd may take to start, or a thing to come about, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Of the packages systemd, dbus, util-linux, bsdutils, procps and passwd.
const NEEDED: [&str; 11] = [
    "/lib/systemd/systemd",
    "/usr/bin/systemd-analyze",
    "/usr/bin/systemd-creds",
    "/usr/bin/systemd-run",
    "/usr/bin/systemd-sysusers",
    "/lib/systemd/system/dbus.service",
    "/usr/bin/unshare",
    "/usr/bin/nsenter",
    "/usr/bin/script",
    "/usr/bin/pkill",
    "/usr/sbin/usermod",
];

/// The sandbox that the units of a test work on.
pub(super) const SANDBOX: &str = "--sandbox=/var/lib/metatoken/sandbox";

/// One token of the sandbox, due, and the app that it is of.
pub(super) const BRAND: &str = r#"
[app.main]
id = "1000000000000001"
secret = { file = "app.env", key = "APP_SECRET" }

[token.brand]
type = "user"
access_token = { file = "app.env", key = "BRAND_TOKEN" }
"#;

/// Hosts that allow the clock to be set, and that nobody asks.
const LOOPBACK: &str = "\\n[endpoints]\\nfacebook = \"http://127.0.0.1:9\"\\n\
    instagram = \"http://127.0.0.1:9\"\\nthreads = \"http://127.0.0.1:9\"\\n";

/// A machine that runs until it is dropped.
pub(super) struct Machine {
    keeper: Child,
    /// The number of its first process, as seen from here.
    first: String,
}

/// The whole path of something below `deployment/` or `tests/`.
fn shipped(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name).to_str().unwrap().to_owned()
}

/// What this computer lacks for a machine, if anything.
fn lacking() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can start a systemd".to_owned());
    }
    NEEDED
        .into_iter()
        .find(|file| !Path::new(file).exists())
        .map(|file| format!("there is no `{file}`"))
}

impl Machine {
    /// A machine with the units installed; says that `test` is skipped where there can be none.
    pub(super) fn installed(test: &str) -> Option<Self> {
        let machine = Self::bare(test)?;
        machine.sh(&format!("cd /mnt/deployment\n{}", super::block("Install", "sh"))).code(0);
        Some(machine)
    }

    /// A machine whose refresh works on the sandbox.
    pub(super) fn rehearsing(test: &str) -> Option<Self> {
        let machine = Self::installed(test)?;
        machine.calls("metatoken-refresh", &format!("metatoken {SANDBOX} refresh --scheduled"));
        Some(machine)
    }

    /// Lets the check judge the store of a sandbox, without the sandbox: its Graph needs a network,
    /// which the check has not.
    pub(super) fn judges(&self, scenario: &str) {
        let config = format!("/var/lib/metatoken/sandbox/{scenario}/metatoken.toml");
        self.metatoken(&["--scenario", scenario, "config", "show"]).code(0);
        self.sh(&format!("printf '{LOOPBACK}' >> {config}")).code(0);
        let command = format!("metatoken --config {config} --now 2026-01-01T00:00:00Z check");
        self.calls("metatoken-check", &command);
    }

    fn bare(test: &str) -> Option<Self> {
        if let Some(why) = lacking() {
            skip(test, &why);
            return None;
        }
        let mut keeper = Command::new("unshare")
            .args(["--mount", "--propagation", "private"])
            .arg(shipped("tests/packaging/systemd/machine.sh"))
            .arg(env!("CARGO_BIN_EXE_metatoken"))
            .arg(shipped("deployment"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut first).unwrap();
        if first.is_empty() {
            drop(keeper.stdin.take());
            let mut said = String::new();
            keeper.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            keeper.wait().unwrap();
            let why = said.lines().last().unwrap_or("it says nothing");
            skip(test, &format!("this computer lets nobody start a systemd: {why}"));
            return None;
        }
        let machine = Self { keeper, first: first.trim().to_owned() };
        machine.wait_for("systemctl is-active machine.target");
        Some(machine)
    }

    /// Runs a program as root.
    pub(super) fn run(&self, words: &[&str]) -> Ran {
        self.feed("", words)
    }

    /// Runs a script as root.
    pub(super) fn sh(&self, script: &str) -> Ran {
        self.run(&["sh", "-euc", script])
    }

    /// Runs a program of root's that reads `input`.
    pub(super) fn feed(&self, input: &str, words: &[&str]) -> Ran {
        let mut child = self.start(words);
        // A program that does not read is no failure.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        Ran {
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
            code: status.code(),
            signal: status.signal(),
        }
    }

    /// Starts a program as root.
    pub(super) fn start(&self, words: &[&str]) -> Child {
        Command::new("nsenter")
            .args(["--target", &self.first])
            .args(["--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--wd=/", "--"])
            // Whoever runs the tests in the background has signals ignored, which is handed down.
            .args(["env", "--default-signal", "-i", "TERM=dumb"])
            .arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs a command by `metatoken-as-service`.
    pub(super) fn as_service(&self, words: &[&str]) -> Ran {
        self.run(&[&["metatoken-as-service"], words].concat())
    }

    /// Runs metatoken on the sandbox by `metatoken-as-service`.
    pub(super) fn metatoken(&self, words: &[&str]) -> Ran {
        self.as_service(&[&["metatoken", SANDBOX], words].concat())
    }

    /// Writes a file of root's that all can read, and its folder.
    pub(super) fn write(&self, path: &str, text: &str) {
        let script = r#"mkdir -p "$(dirname "$1")" && cat > "$1""#;
        self.feed(text, &["sh", "-euc", script, "sh", path]).code(0);
    }

    /// Lets the sandbox have this config; its folder is made by the first run there.
    pub(super) fn configure(&self, text: &str) {
        self.metatoken(&["--scenario", "healthy", "config", "check"]).code(0);
        self.write("/var/lib/metatoken/sandbox/healthy/metatoken.toml", text);
    }

    /// Lets a unit have this drop-in.
    pub(super) fn drop_in(&self, unit: &str, name: &str, text: &str) {
        self.write(&format!("/etc/systemd/system/{unit}.d/{name}.conf"), text);
        self.run(&["systemctl", "daemon-reload"]).code(0);
    }

    /// Lets a unit have a drop-in from `examples/`.
    pub(super) fn example(&self, unit: &str, name: &str) {
        let text = self.run(&["cat", &format!("/mnt/deployment/systemd/examples/{name}.conf")]);
        self.drop_in(unit, name, &text.stdout);
    }

    /// Lets a service call something else.
    pub(super) fn calls(&self, service: &str, command: &str) {
        let text = format!("[Service]\nExecStart=\nExecStart=/usr/local/bin/{command}\n");
        self.drop_in(&format!("{service}.service"), "calls", &text);
    }

    /// What the journal has of a unit.
    pub(super) fn journal(&self, unit: &str) -> String {
        // It takes in lines a moment after they were written.
        self.run(&["journalctl", "--sync"]).code(0);
        self.run(&["journalctl", "--quiet", "--output=cat", "--unit", unit]).stdout
    }

    /// Waits until a script succeeds.
    #[track_caller]
    pub(super) fn wait_for(&self, script: &str) {
        let began = Instant::now();
        while self.sh(script).code != Some(0) {
            assert!(
                began.elapsed() < PATIENCE,
                "in vain for `{script}`\n{}",
                self.sh("systemctl --failed; journalctl --no-pager --lines=40").stdout
            );
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

//! A machine with cron: namespaces of their own in which there is a user `metatoken`, a `sendmail`
//! that keeps what it is given, and a `metatoken` that lives in the sandbox.
//!
//! A crontab's lines are run as they are shipped, but for the hour: `@reboot` makes cron run them
//! when it starts. Whether cron would take the hours too is asked of `crontab`.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use crate::shipped;

/// The user's id and group; nobody has it outside.
pub(super) const USER: u32 = 64_123;

/// Mounts what the machine is made of and runs it until nothing is left to do.
const MACHINE: &str = include_str!("machine.sh");

/// Lives in the sandbox, and tells how it was called and how it ended.
const METATOKEN: &str = r#"#!/bin/sh
/usr/local/bin/metatoken.real --sandbox='[DIR]/sandbox' --scenario '[SCENARIO]' "$@"
code=$?
echo "$code $*" > "$(mktemp '[DIR]/ran/XXXXXX')"
exit $code
"#;

/// Keeps a mail with the arguments in its first line.
const SENDMAIL: &str = r#"#!/bin/sh
mail=$(mktemp '[DIR]/mail/XXXXXX')
{ echo "$@"; cat; } > "$mail"
"#;

/// A machine with cron.
pub(super) struct Machine {
    folder: tempfile::TempDir,
    scenario: &'static str,
}

/// What came of it.
pub(super) struct Ran {
    /// Every call of `metatoken`: its exit code and its arguments.
    pub(super) calls: Vec<String>,
    /// Every mail, the shorter first.
    pub(super) mails: Vec<String>,
}

impl Machine {
    /// A machine with one of the crontabs, on which runs have finished at these times.
    pub(super) fn new(crontab: &str, scenario: &'static str, runs: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let machine = Self { folder, scenario };
        for name in ["bin", "sbin", "cron.d", "spool/crontabs", "log"] {
            fs::create_dir_all(machine.path(name)).unwrap();
        }
        for now in runs {
            machine.refresh_at(now);
        }
        for name in ["mail", "ran", "log/metatoken"] {
            fs::create_dir(machine.path(name)).unwrap();
        }
        machine.give_to_user(&["mail", "ran", "log/metatoken", "sandbox"]);
        machine.accounts();
        fs::copy("/usr/sbin/cron", machine.path("sbin/cron")).unwrap();
        machine.script("sbin/sendmail", SENDMAIL);
        machine.script("bin/metatoken", METATOKEN);
        machine.write("bin/metatoken.real", "");
        machine.write("crontab", "");
        let lines = shipped(&format!("cron/{crontab}"));
        let sentinel = format!("@reboot root : > {}\n", machine.path("begun").display());
        machine.write("cron.d/metatoken", &(rewritten(&lines, at_reboot) + &sentinel));
        machine.write("hours", &rewritten(&lines, without_user));
        machine
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that everybody may read, as cron and logrotate want theirs.
    pub(super) fn write(&self, name: &str, text: &str) {
        let mut file = File::create(self.path(name)).unwrap();
        file.set_permissions(Permissions::from_mode(0o644)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn script(&self, name: &str, text: &str) {
        let folder = self.folder.path().to_str().unwrap();
        self.write(name, &text.replace("[DIR]", folder).replace("[SCENARIO]", self.scenario));
        fs::set_permissions(self.path(name), Permissions::from_mode(0o755)).unwrap();
    }

    /// root and the user that the crontabs name.
    fn accounts(&self) {
        let home = self.path("sandbox");
        self.write(
            "passwd",
            &format!(
                "root:x:0:0:root:/root:/bin/sh\nmetatoken:x:{USER}:{USER}::{}:/usr/sbin/nologin\n",
                home.display()
            ),
        );
        self.write("group", &format!("root:x:0:\ncrontab:x:9:\nmetatoken:x:{USER}:\n"));
        self.write("shadow", "root:*:19000:0:99999:7:::\nmetatoken:!:19000::::::\n");
    }

    fn refresh_at(&self, now: &str) {
        let ran = Command::new(env!("CARGO_BIN_EXE_metatoken"))
            .arg(format!("--sandbox={}", self.path("sandbox").display()))
            .args(["--scenario", self.scenario, "--now", now, "refresh", "--json"])
            .env_clear()
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert!(report["summary"]["total"].as_u64() > Some(5), "{report:#}");
    }

    fn give_to_user(&self, names: &[&str]) {
        let paths = names.iter().map(|name| self.path(name));
        let mut chown = Command::new("chown");
        chown.arg("--recursive").arg(format!("{USER}:{USER}")).args(paths);
        assert!(chown.status().unwrap().success());
    }

    /// Starts cron and lets it run every line once.
    pub(super) fn run(&self) -> Ran {
        let ran = Command::new("timeout")
            .args(["--kill-after=1", "60", "unshare", "--mount", "--pid", "--fork"])
            .args(["--kill-child", "--mount-proc", "sh", "-c", MACHINE, "sh"])
            .arg(self.folder.path())
            .arg(env!("CARGO_BIN_EXE_metatoken"))
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{}: {stderr}", ran.status);
        let mut mails = self.texts("mail");
        mails.sort_by_key(String::len);
        let mut calls = self.texts("ran");
        calls.sort();
        Ran { calls, mails }
    }

    fn texts(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
    }

    /// The strings that are to stay secret.
    pub(super) fn secrets(&self) -> Vec<String> {
        let folder = self.path(&format!("sandbox/{}", self.scenario));
        let pasted = fs::read_to_string(folder.join("app.env")).unwrap();
        let mut secrets: Vec<String> = pasted
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(_, value)| value.trim_matches('"').to_owned())
            .collect();
        secrets.push(fs::read_to_string(folder.join("metatoken.key")).unwrap().trim().to_owned());
        assert!(secrets.iter().all(|secret| secret.len() > 8), "{secrets:?}");
        secrets
    }
}

/// A line of a crontab that runs something.
struct Entry<'a> {
    /// The five fields.
    hour: String,
    user: &'a str,
    command: &'a str,
}

impl<'a> Entry<'a> {
    fn new(line: &'a str) -> Self {
        let mut rest = line;
        let mut word = || {
            let (word, after) = rest.split_once(' ').unwrap();
            rest = after.trim_start();
            word
        };
        let hour: Vec<&str> = (0..5).map(|_| word()).collect();
        let user = word();
        Self { hour: hour.join(" "), user, command: rest }
    }
}

fn at_reboot(entry: &Entry) -> String {
    format!("@reboot {} {}", entry.user, entry.command)
}

/// In the form of a user's own crontab.
fn without_user(entry: &Entry) -> String {
    format!("{} {}", entry.hour, entry.command)
}

/// A crontab with every entry written in another way; its variables stay.
fn rewritten(crontab: &str, write: fn(&Entry) -> String) -> String {
    let mut lines = Vec::new();
    for line in crontab.lines() {
        match line.chars().next() {
            None | Some('#') => {}
            Some(first) if first.is_ascii_uppercase() => lines.push(line.to_owned()),
            Some(_) => lines.push(write(&Entry::new(line))),
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

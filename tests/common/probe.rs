//! What the tests of bad days need besides: a run to be killed or signalled, the files as they
//! lie on the disk, and what Graph was asked.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use metatoken::sandbox::TokenFixture;
use rustix::process::{Pid, Signal, kill_process};

use super::{ANNA, APP, World, day};

/// A user token under the label `brand`, its string in a variable.
pub(crate) const BRAND: &str =
    "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n";

/// What lies on the disk: modes and bytes.
pub(crate) type Snapshot = BTreeMap<PathBuf, (u32, Vec<u8>)>;

impl World {
    /// A world in which `brand` was adopted on day 0; it ends on day 60 and is due from day 40.
    pub(crate) fn with_brand(settings: &str) -> Self {
        let world = Self::new()
            .config(&format!("{settings}\n{BRAND}"))
            .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
        world.run(&["refresh"]).code(0);
        world
    }

    /// Lets a timer run `refresh` every tenth day until that day: often enough for a window of
    /// twenty days. Nothing but proofs may be due meanwhile.
    pub(crate) fn lives_until(&mut self, last: i64) {
        let first = (self.now - day(0)).num_days();
        for n in (first + 10..last).step_by(10).chain([last]) {
            self.at(day(n));
            self.run(&["refresh", "--quiet"]).silent().code(0);
        }
        self.calls();
    }

    /// Starts a run and does not wait for it.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// A run that is to be killed at a fail point.
    #[track_caller]
    pub(crate) fn killed_at(&self, place: &str, arguments: &[&str], input: &str) {
        use std::io::Write as _;
        let mut command = self.command(arguments);
        command.env("METATOKEN_FAILPOINT", place).stdin(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let ran = self.finish(child);
        let (out, err) = (&ran.stdout, &ran.stderr);
        assert_eq!(ran.signal, Some(9), "not killed at `{place}`\n{out}\n{err}");
    }

    /// The access token in use, dead or alive.
    #[track_caller]
    pub(crate) fn in_use(&self, label: &str) -> String {
        let ran = self.run(&["token", "--dead", label]).code(0).stderr("");
        ran.stdout.trim_end().to_owned()
    }

    /// How many calls Graph has got at endpoints that begin so.
    pub(crate) fn calls_to(&self, endpoint: &str) -> usize {
        self.graph.requests().iter().filter(|call| call.endpoint().starts_with(endpoint)).count()
    }

    /// How many renewals Graph was asked for.
    pub(crate) fn exchanges(&self) -> usize {
        self.calls_to("oauth/access_token")
    }

    /// The history of a label, oldest first: each event with the message of its problem.
    #[track_caller]
    pub(crate) fn events(&self, label: &str) -> Vec<(String, String)> {
        let json = self.run(&["history", label, "--json", "--limit", "1000"]).code(0).json();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let events = json["events"].as_array().unwrap();
        events
            .iter()
            .map(|event| (text(&event["event"]), text(&event["problem"]["message"])))
            .collect()
    }

    /// One token of `status --offline --json`.
    #[track_caller]
    pub(crate) fn offline(&self, label: &str) -> serde_json::Value {
        let json = self.run(&["status", label, "--offline", "--json"]).code(0).json();
        json["tokens"][0].clone()
    }

    /// The store, as SQLite sees it.
    pub(crate) fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("metatoken.db")).unwrap()
    }

    /// The newest run row: whether it is finished, and its exit code.
    pub(crate) fn last_run(&self) -> (bool, Option<i64>) {
        self.sql()
            .query_row(
                "SELECT finished_at IS NOT NULL, exit_code FROM run ORDER BY id DESC LIMIT 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap()
    }

    /// The bytes and the mode of every file, to see that nothing was changed.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.bytes_on_disk()
            .into_iter()
            .map(|(path, bytes)| (path.clone(), (mode(&path), bytes)))
            .collect()
    }
}

/// A file's mode.
pub(crate) fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Sends a signal to a run.
pub(crate) fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// Whether everything is to be tried, however long it takes, and not a selection.
#[expect(clippy::disallowed_methods, reason = "a test has no snapshot of the environment")]
pub(crate) fn is_long() -> bool {
    std::env::var_os("METATOKEN_LONG").is_some_and(|value| value == "1")
}

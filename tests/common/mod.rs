//! A world of one's own for each test: a folder, a config, a simulated Graph, and a clock that
//! stands until it is moved.
//!
//! The real binary runs in it with nothing else in its environment. What it prints is compared to
//! the letter; what differs from world to world is written alike: the folder `[DIR]`, the port
//! `[PORT]`, and fingerprints `fingerprint1` and so on, in the order in which they were first seen.

mod alert;
pub(crate) mod brand;
mod folder;
mod hook;
mod journal;
mod login;
mod nobody;
mod post;
mod probe;
mod skip;
mod terminal;
mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use metatoken::exit::Exit;
use metatoken::sandbox::{
    AppFixture, Listing, PageFixture, Sender, Server, Simulation, TokenFixture, UserFixture,
};
use metatoken::token::{Expiry, Provider, Time};

pub(crate) use alert::{agree, measure};
pub(crate) use folder::folder;
pub(crate) use hook::{Hook, Judge, Reply, Request};
pub(crate) use journal::stream_name;
pub(crate) use nobody::{Nobody, can_be_another_user};
pub(crate) use post::PostOffice;
pub(crate) use probe::{BRAND, Snapshot, is_long, mode, signal, until};
pub(crate) use skip::{cannot_mount, lacking, skip};
pub(crate) use terminal::{converse, converse_at, converse_in, shell, terminal};
pub(crate) use words::banned_in;

/// The app that every world has, and its secret.
pub(crate) const APP: &str = "1000000000000001";
pub(crate) const APP_SECRET: &str = "fakesecretofthemainapp";
/// The apps that every world has at Instagram and Threads; the variables `INSTA_SECRET` and
/// `THREADS_SECRET` hold their secrets.
pub(crate) const INSTA_APP: &str = "1000000000000011";
pub(crate) const INSTA_SECRET: &str = "fakesecretoftheinstagramapp";
pub(crate) const THREADS_APP: &str = "1000000000000012";
pub(crate) const THREADS_SECRET: &str = "fakesecretofthethreadsapp";
/// The person that every world has at both, and the name people know.
pub(crate) const CREATOR: &str = "17841400000000001";
pub(crate) const CREATOR_NAME: &str = "dora.creates";
/// The person that every world has, and the System User.
pub(crate) const ANNA: &str = "3000000000000001";
pub(crate) const ROBOT: &str = "3000000000000009";
/// The Pages that person manages.
pub(crate) const BAKERY: &str = "2000000000000001";
pub(crate) const CAFE: &str = "2000000000000002";

/// The beginning of a config with that app.
const HEAD: &str = "[app.main]\nid = \"1000000000000001\"\nsecret = { env = \"APP_SECRET\" }\n";

/// The variables that every run has.
const SECRETS: [(&str, &str); 3] = [
    ("APP_SECRET", APP_SECRET),
    ("INSTA_SECRET", INSTA_SECRET),
    ("THREADS_SECRET", THREADS_SECRET),
];

/// No run takes longer; those with thousands of rows have time for it on a slow machine too.
fn limit() -> Duration {
    Duration::from_mins(if is_long() { 10 } else { 1 })
}

/// Day `n`, counted from where every world begins: 2026-01-01.
pub(crate) fn day(n: i64) -> Time {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::days(n)
}

/// A folder, a config, a Graph and a clock.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) graph: Server,
    now: Time,
    variables: BTreeMap<String, String>,
    fingerprints: Mutex<Vec<String>>,
    calls_seen: Mutex<usize>,
}

/// What a run of the binary printed, and how it ended.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
}

impl World {
    /// A world with an app of each provider, Anna and her two Pages, and Dora who has accounts at
    /// Instagram and Threads, on day 0, and a config that names the Facebook app.
    pub(crate) fn new() -> Self {
        let mut graph = Simulation::new(day(0));
        graph.add_app(AppFixture::new(APP, APP_SECRET, "Main App"));
        graph.add_page(PageFixture::new(BAKERY, "Bakery"));
        graph.add_page(PageFixture::new(CAFE, "Café"));
        graph.add_user(
            UserFixture::new(ANNA, "Anna")
                .with_page(BAKERY, Listing::Listed)
                .with_page(CAFE, Listing::Listed),
        );
        graph.add_user(UserFixture::new(ROBOT, "Robot"));
        graph
            .add_app(AppFixture::new(INSTA_APP, INSTA_SECRET, "Insta App").of(Provider::Instagram));
        graph.add_app(
            AppFixture::new(THREADS_APP, THREADS_SECRET, "Threads App").of(Provider::Threads),
        );
        graph.add_user(UserFixture::new(CREATOR, "Dora").known_as(CREATOR_NAME));
        let world = Self {
            folder: folder(),
            graph: Server::start(graph).unwrap(),
            now: day(0),
            variables: SECRETS.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            fingerprints: Mutex::default(),
            calls_seen: Mutex::default(),
        };
        std::fs::set_permissions(world.path("."), std::fs::Permissions::from_mode(0o700)).unwrap();
        world.config("")
    }

    /// Puts these tables behind the app's in the config.
    pub(crate) fn config(self, tables: &str) -> Self {
        self.reconfigure(tables);
        self
    }

    /// Puts other tables behind the app's in the config.
    pub(crate) fn reconfigure(&self, tables: &str) {
        let text = format!("{HEAD}\n{}\n{tables}", self.endpoints());
        self.write("metatoken.toml", &text);
    }

    /// The table that leads every call to the simulated Graph.
    pub(crate) fn endpoints(&self) -> String {
        let hosts = Provider::ALL
            .iter()
            .map(|provider| format!("{provider} = \"{}\"\n", self.graph.endpoint(*provider)));
        format!("[endpoints]\n{}", hosts.collect::<String>())
    }

    /// Writes a file into the folder, for its owner only.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = std::fs::File::create(&path).unwrap();
        file.set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
        file.write_all(contents.as_ref()).unwrap();
    }

    /// Sets a variable for all runs from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Sets a variable for all runs.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Gives out a token at Graph and puts the string into a variable.
    pub(crate) fn token(mut self, variable: &str, spec: TokenFixture) -> Self {
        let string = self.mint(spec);
        self.set(variable, &string);
        self
    }

    /// Gives out a token at Graph.
    pub(crate) fn mint(&self, spec: TokenFixture) -> String {
        self.graph.with(|graph| graph.mint(spec))
    }

    /// Moves the clocks, ours and Graph's.
    pub(crate) fn at(&mut self, now: Time) {
        self.now = now;
        self.graph.with(|graph| graph.set_now(now));
    }

    /// Moves our clock only.
    pub(crate) fn our_clock_at(&mut self, now: Time) {
        self.now = now;
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command with this world's config and clock, and nothing else in its environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metatoken"));
        command
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.folder.path())
            .args(["--config", self.path("metatoken.toml").to_str().unwrap()])
            .args(["--now", &self.now.to_rfc3339()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the binary.
    #[must_use = "a run is worth nothing unless it is looked at"]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.finish(self.command(arguments).spawn().unwrap())
    }

    /// Runs the binary with something on its standard input.
    #[must_use = "a run is worth nothing unless it is looked at"]
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Ran {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // A program that refuses before it reads closes the pipe; that is its right.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        self.finish(child)
    }

    /// Waits for a run to end, and no longer than the limit.
    #[must_use = "a run is worth nothing unless it is looked at"]
    pub(crate) fn finish(&self, mut child: Child) -> Ran {
        let stdout = reader(child.stdout.take().unwrap());
        let stderr = reader(child.stderr.take().unwrap());
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > limit() {
                child.kill().unwrap();
                panic!("it did not end within {:?}", limit());
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        Ran {
            stdout: self.plain(&stdout.join().unwrap()),
            stderr: self.plain(&stderr.join().unwrap()),
            code: status.code(),
            signal: status.signal(),
        }
    }

    /// A text without what differs from run to run.
    fn plain(&self, text: &str) -> String {
        let url = self.graph.url();
        let port = url.rsplit(':').next().unwrap();
        let folder = self.folder.path().to_str().unwrap();
        let real = self.folder.path().canonicalize().unwrap();
        let text = text
            .replace(real.to_str().unwrap(), "[DIR]")
            .replace(folder, "[DIR]")
            .replace(&format!("127.0.0.1:{port}"), "127.0.0.1:[PORT]");
        self.without_fingerprints(&unfolded(&text))
    }

    /// A text in which each fingerprint has a number in its place, of the same width so that
    /// tables stay straight.
    fn without_fingerprints(&self, text: &str) -> String {
        let mut known = self.fingerprints.lock().unwrap();
        let mut plain = String::new();
        for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
            if bare.len() != 12 || !bare.chars().all(hex) {
                plain.push_str(word);
                continue;
            }
            let place = known.iter().position(|each| each == bare).unwrap_or_else(|| {
                known.push(bare.to_owned());
                known.len() - 1
            });
            let _ = write!(plain, "fingerprint{}{}", place + 1, &word[12..]);
        }
        plain
    }

    /// What Graph was asked since this was last looked at: the endpoint, behind its host's name if
    /// that is not Facebook, and the words of the string that the call was about.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = self.graph.requests();
        let from = std::mem::replace(&mut *self.calls_seen.lock().unwrap(), calls.len());
        calls[from..]
            .iter()
            // The weekly question about a version of Graph carries no access token.
            .filter(|call| call.place() != "me" || call.sender != Sender::Nobody)
            .map(|call| format!("{} {}", call.place(), call.about.as_deref().unwrap_or("-")))
            .collect()
    }

    /// Every byte of every file in the folder but those that hold secrets on purpose.
    pub(crate) fn bytes_on_disk(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn walk(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    found.push((path.clone(), std::fs::read(&path).unwrap()));
                }
            }
        }
        let mut found = Vec::new();
        walk(self.folder.path(), &mut found);
        found
    }
}

fn reader(mut pipe: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    })
}

/// The text with each row of a table on one line: where the last column was wrapped hangs on how long
/// the name of the folder is. What a terminal shows stays as it is.
fn unfolded(text: &str) -> String {
    if text.contains("\r\n") {
        return text.to_owned();
    }
    let (mut plain, mut last_column) = (String::new(), None);
    for line in text.split_inclusive('\n') {
        let of_the_row = last_column.and_then(|column| line.split_at_checked(column));
        match of_the_row {
            Some((blank, rest)) if blank.trim().is_empty() && !rest.starts_with(' ') => {
                plain.truncate(plain.trim_end().len());
                plain.push(' ');
                plain.push_str(rest);
            }
            _ => plain.push_str(line),
        }
        let is_heading = line.contains("  ") && line.trim() == line.trim().to_uppercase();
        if is_heading && line.starts_with(|c: char| c.is_ascii_uppercase()) {
            last_column = line.trim_end().rfind("  ").map(|at| at + 2);
        } else if line.trim().is_empty() {
            last_column = None;
        }
    }
    plain
}

/// The output without the performance data of a verdict.
fn without_numbers(output: &str) -> String {
    let (first, rest) = output.split_once('\n').unwrap_or((output, ""));
    match first.split_once(" | ") {
        Some((verdict, _)) if first.starts_with("METATOKEN ") => format!("{verdict}\n{rest}"),
        _ => output.to_owned(),
    }
}

impl Ran {
    /// Standard output is this, to the letter; a first line break is not part of it.
    #[track_caller]
    pub(crate) fn stdout(self, expected: &str) -> Self {
        same("stdout", &self.stdout, expected, &self.stderr);
        self
    }

    /// The same of a verdict whose numbers, behind the bar, another test looks at.
    #[track_caller]
    pub(crate) fn verdict(self, expected: &str) -> Self {
        same("stdout", &without_numbers(&self.stdout), expected, &self.stderr);
        self
    }

    /// Standard error is this, to the letter; a first line break is not part of it.
    #[track_caller]
    pub(crate) fn stderr(self, expected: &str) -> Self {
        same("stderr", &self.stderr, expected, &self.stdout);
        self
    }

    /// It ended so.
    #[track_caller]
    pub(crate) fn exit(self, exit: Exit) -> Self {
        self.code(exit.code())
    }

    /// It ended with this code.
    #[track_caller]
    pub(crate) fn code(self, code: u8) -> Self {
        assert_eq!(
            self.code,
            Some(i32::from(code)),
            "\n-- stdout\n{}\n-- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Nothing was printed.
    #[track_caller]
    pub(crate) fn silent(self) -> Self {
        self.stdout("").stderr("")
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }

    /// What a `--json` run did with one token.
    #[track_caller]
    pub(crate) fn result(&self, label: &str) -> serde_json::Value {
        self.entry("results", label)
    }

    /// What `status --json` or `check --json` says of one token.
    #[track_caller]
    pub(crate) fn token(&self, label: &str) -> serde_json::Value {
        self.entry("tokens", label)
    }

    #[track_caller]
    fn entry(&self, list: &str, label: &str) -> serde_json::Value {
        let json = self.json();
        let entries = json[list].as_array().unwrap_or_else(|| panic!("{json:#}"));
        let found = entries.iter().find(|entry| entry["label"] == label);
        found.unwrap_or_else(|| panic!("no `{label}` in {json:#}")).clone()
    }

    /// The outcome of every token of a `--json` run, by label.
    #[track_caller]
    pub(crate) fn outcomes(&self) -> BTreeMap<String, String> {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let json = self.json();
        let results = json["results"].as_array().unwrap_or_else(|| panic!("{json:#}"));
        results.iter().map(|result| (text(&result["label"]), text(&result["outcome"]))).collect()
    }
}

#[track_caller]
fn same(what: &str, found: &str, expected: &str, other: &str) {
    let expected = expected.strip_prefix('\n').unwrap_or(expected);
    assert!(
        found == expected,
        "\n-- {what} is\n{found}\n-- and was to be\n{expected}\n-- beside it\n{other}"
    );
}

/// An end on day `n`.
pub(crate) fn ends(n: i64) -> Expiry {
    Expiry::At(day(n))
}

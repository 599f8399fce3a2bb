//! One binary in one folder, with a Graph behind a recorder and a clock that the world moves.

use std::fmt::Write as _;
use std::fs::{File, Permissions};
use std::io::{Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use metatoken::sandbox::{self, Sandbox, Scenario};
use metatoken::token::{Provider, Time};

use crate::record::Record;
use crate::recorder::{Answer, Ports};
use crate::tree;

/// No invocation takes longer.
const LIMIT: Duration = Duration::from_mins(2);

/// A world while it is played.
pub(crate) struct World {
    binary: PathBuf,
    folder: PathBuf,
    ports: Ports,
    graph: Option<Sandbox>,
    now: Time,
    record: Record,
    stamp: String,
    files: String,
    memory: String,
}

/// What came of an invocation, beside what was recorded.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    /// Whether it came by the fail point that was armed.
    pub(crate) is_killed: bool,
}

impl World {
    /// An empty folder in which nothing has happened.
    pub(crate) fn new(binary: &Path, folder: &Path, ports: &Ports) -> anyhow::Result<Self> {
        std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        ports.graph.answer(Answer::With(503, ""));
        Ok(Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            ports: ports.clone(),
            graph: None,
            now: start(),
            record: Record::default(),
            stamp: String::new(),
            files: String::new(),
            memory: String::new(),
        })
    }

    /// What was seen; the Graph ends with it.
    pub(crate) fn end(self) -> Record {
        self.record
    }

    /// Starts the Graph of a scenario in this process and leaves the scenario's config in the
    /// folder, with the recorder's addresses, `more` behind it, and one call at a time: what
    /// happens at once has no order that could be compared.
    pub(crate) fn with_graph(&mut self, scenario: Scenario, more: &str) -> anyhow::Result<()> {
        let graph = sandbox::open(&self.folder, scenario, None)
            .map_err(|complaint| anyhow::anyhow!("{}", complaint.render()))?;
        let address = graph.url().replace("http://", "");
        self.ports.graph.answer(Answer::Of(address.clone()));
        let hosts = Provider::ALL.iter().map(|provider| {
            let there = graph.endpoint(*provider).replace(&address, &self.ports.graph.address());
            format!("{provider} = \"{there}\"\n")
        });
        let endpoints: String = hosts.collect();
        let config = std::fs::read_to_string(&graph.config)?;
        self.folder = self.folder.join(scenario.as_str());
        self.graph = Some(graph);
        let text = format!("{config}\n[http]\nconcurrency = 1\n\n[endpoints]\n{endpoints}\n{more}");
        let text = self.filled_in(&text);
        self.write("metatoken.toml", &text)
    }

    /// A config's text with this world's addresses and folder.
    pub(crate) fn filled_in(&self, text: &str) -> String {
        text.replace("[HOOK]", &self.ports.hook.address())
            .replace("[MAIL]", &self.ports.mail.port().to_string())
            .replace("[DIR]", &self.folder.display().to_string())
    }

    /// The Graph of the scenario.
    pub(crate) fn graph(&self) -> anyhow::Result<&metatoken::sandbox::Server> {
        let graph = self.graph.as_ref().ok_or_else(|| anyhow::anyhow!("a world without Graph"))?;
        Ok(graph.server())
    }

    /// What the notification channels are answered with from now on.
    pub(crate) fn hook_answers(&self, answer: Answer) {
        self.ports.hook.answer(answer);
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file for its owner only.
    pub(crate) fn write(&self, name: &str, contents: &str) -> anyhow::Result<()> {
        self.write_bytes(name, contents.as_bytes())
    }

    /// Writes a file for its owner only.
    pub(crate) fn write_bytes(&self, name: &str, contents: &[u8]) -> anyhow::Result<()> {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file.write_all(contents)?)
    }

    /// Moves the clocks, ours and Graph's, to so long after the start.
    pub(crate) fn at(&mut self, since_start: TimeDelta) -> anyhow::Result<()> {
        self.now = start() + since_start;
        let now = self.now;
        self.graph()?.with(|graph| graph.set_now(now));
        Ok(())
    }

    /// Runs the binary with the folder's config at the world's time.
    pub(crate) fn run(&mut self, arguments: &str) -> anyhow::Result<Ran> {
        self.run_with(arguments, "", None)
    }

    /// The same with something on standard input, and a fail point armed.
    pub(crate) fn run_with(
        &mut self,
        arguments: &str,
        input: &str,
        fail_point: Option<&str>,
    ) -> anyhow::Result<Ran> {
        let config = self.path("metatoken.toml").display().to_string();
        let now = self.now.to_rfc3339();
        let mut words = vec!["--config", &config, "--now", &now];
        words.extend(arguments.split_whitespace());
        self.start(&words, arguments, input, fail_point)
    }

    /// Runs the binary with these arguments and nothing else.
    pub(crate) fn start(
        &mut self,
        words: &[&str],
        shown: &str,
        input: &str,
        fail_point: Option<&str>,
    ) -> anyhow::Result<Ran> {
        let mut command = Command::new(&self.binary);
        command
            .arg0("metatoken")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir(&self.folder)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(name) = fail_point {
            command.env("METATOKEN_FAILPOINT", name);
        }
        let (stdout, stderr, status) = finish(command, input)?;
        self.record.counts.invocations += 1;
        let killed_at = fail_point.filter(|_| status.signal() == Some(9));
        self.record.counts.reached.extend(killed_at.map(str::to_owned));
        if fail_point == Some("hook-noted") {
            self.wait_for_the_hook()?;
        }
        let mut text = format!("{status}\n");
        section(&mut text, "stdout", &stdout);
        section(&mut text, "stderr", &stderr);
        for (name, recorder) in
            [("Graph", &self.ports.graph), ("hook", &self.ports.hook), ("mail", &self.ports.mail)]
        {
            let mut heard = recorder.heard()?;
            if name == "hook" {
                // Channels are served at the same time; the order within each one is kept.
                heard.sort_by(|one, other| one.lines().next().cmp(&other.lines().next()));
            }
            self.record.counts.requests += heard.len();
            section(&mut text, name, &heard.concat());
        }
        self.look_around(&mut text)?;
        let point = fail_point.map(|name| format!(", killed at {name}")).unwrap_or_default();
        let at = self.now.format("%F %R");
        self.record.note(&format!("{at}: {shown}{point}"), &text);
        Ok(Ran { stdout, is_killed: killed_at.is_some() })
    }

    /// Waits until a program that outlives its run writes no more, for five seconds at most.
    fn wait_for_the_hook(&self) -> anyhow::Result<()> {
        let mut before = tree::stamp(&self.folder)?;
        for _ in 0..10 {
            std::thread::sleep(Duration::from_millis(500));
            let now = tree::stamp(&self.folder)?;
            if now == before {
                break;
            }
            before = now;
        }
        Ok(())
    }

    /// Adds the files and Graph's memory, where they have changed.
    fn look_around(&mut self, text: &mut String) -> anyhow::Result<()> {
        let stamp = tree::stamp(&self.folder)?;
        if stamp != self.stamp {
            self.stamp = stamp;
            let files = tree::look(&self.folder, &mut self.record.counts)?;
            if files != self.files {
                section(text, "files", &files);
                self.files = files;
            }
        }
        if let Some(graph) = &self.graph {
            let memory = graph.server().with(|graph| graph.to_json());
            if memory != self.memory {
                section(text, "Graph's memory", &memory);
                self.memory = memory;
            }
        }
        Ok(())
    }

    /// The access token in use, as `token` prints it.
    pub(crate) fn in_use(&mut self, label: &str) -> anyhow::Result<String> {
        Ok(self.run(&format!("token {label}"))?.stdout.trim_end().to_owned())
    }
}

/// Where every sandbox begins.
pub(crate) fn start() -> Time {
    DateTime::from_timestamp(1_767_225_600, 0).expect("a date")
}

fn section(text: &mut String, name: &str, content: &str) {
    if !content.is_empty() {
        let _ = writeln!(text, "-- {name}\n{content}");
    }
}

/// Waits for a process, and no longer than the limit.
fn finish(mut command: Command, input: &str) -> anyhow::Result<(String, String, ExitStatus)> {
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().map(reader);
    let stderr = child.stderr.take().map(reader);
    if let Some(mut pipe) = child.stdin.take() {
        // A program that refuses before it reads closes the pipe.
        let _ = pipe.write_all(input.as_bytes());
    }
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if began.elapsed() > LIMIT {
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let text = |reader: Option<std::thread::JoinHandle<Vec<u8>>>| {
        let bytes = reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok((text(stdout), text(stderr), status))
}

fn reader(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read is shown, whatever ended it.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

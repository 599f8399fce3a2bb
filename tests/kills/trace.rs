//! A run under strace: once to log the calls that leave something behind, then to be killed at one
//! of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::world::{Ran, World};

/// Calls that write, sync, name or remove a file, and those by which Graph is asked and heard.
const CALLS: &str = "fsync,fdatasync,pwrite64,pwritev,ftruncate,fallocate,rename,renameat,\
                     renameat2,link,linkat,unlink,unlinkat,write,writev,sendto,sendmsg,recvfrom,\
                     fchmod,fchown";

/// Where a run is killed: before the call that is the `nth` of its name in one of the threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kill {
    pub(super) call: String,
    pub(super) nth: usize,
    /// The line of the log, which counts the calls of all threads.
    line: usize,
    /// What it was done to, for a person.
    pub(super) about: String,
}

/// All calls of a run that nobody killed.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) kills: Vec<Kill>,
    /// The line at which Graph was asked for a grant, and the one that made what came of it last.
    grant: Option<usize>,
    seal: Option<usize>,
}

impl Log {
    /// Reads what strace wrote: every call with the number of its thread in front.
    fn read(text: &str) -> Self {
        let mut log = Self::default();
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (line, entry) in text.lines().enumerate() {
            let Some((thread, rest)) = entry.split_once(' ') else { continue };
            let Some((call, arguments)) = rest.trim_start().split_once('(') else { continue };
            if call.starts_with(['<', '+', '-']) {
                continue;
            }
            let nth = counts.entry((thread, call)).or_default();
            *nth += 1;
            let is_new = !log.kills.iter().any(|kill| kill.call == call && kill.nth == *nth);
            if is_new {
                let about = arguments.chars().take(90).collect();
                log.kills.push(Kill { call: call.to_owned(), nth: *nth, line, about });
            }
            if arguments.contains("fb_exchange_token") && log.grant.is_none() {
                log.grant = Some(line);
            }
            let is_commit = call.ends_with("sync") && arguments.contains(".db-wal");
            if is_commit && log.grant.is_some() && log.seal.is_none() {
                log.seal = Some(line);
            }
        }
        log
    }

    /// Whether a grant may be lost by this kill: it falls between the request and the commit that
    /// seals the answer.
    pub(super) fn may_lose_a_grant(&self, kill: &Kill) -> bool {
        let (Some(grant), Some(seal)) = (self.grant, self.seal) else { return false };
        (grant..=seal).contains(&kill.line)
    }

    /// Some of the kills: the first two syncs, those around a grant and its seal, and `count` that
    /// are spread over the whole run.
    pub(super) fn sample(&self, count: usize) -> Vec<Kill> {
        let is_sync = |kill: &&Kill| kill.call == "fsync";
        let mut sample: Vec<&Kill> = self.kills.iter().filter(is_sync).take(2).collect();
        for line in [self.grant, self.seal].into_iter().flatten() {
            sample.extend(self.kills.iter().find(|kill| kill.line > line));
        }
        let step = self.kills.len().div_ceil(count).max(1);
        sample.extend(self.kills.iter().skip(step / 2).step_by(step));
        sample.sort_by_key(|kill| kill.line);
        sample.dedup();
        sample.into_iter().cloned().collect()
    }
}

/// Why a run cannot be traced here; nothing when it can.
pub(super) fn cannot_trace() -> Option<String> {
    let Some(strace) = strace() else { return Some("strace is not installed".to_owned()) };
    let mut probe = Command::new(strace);
    probe.args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=write", "true"]);
    let is_able = probe.output().is_ok_and(|output| output.status.success());
    (!is_able).then(|| "this machine refuses ptrace".to_owned())
}

fn strace() -> Option<PathBuf> {
    let places = ["/usr/bin/strace", "/bin/strace", "/usr/local/bin/strace"];
    places.map(PathBuf::from).into_iter().find(|place| place.exists())
}

impl World {
    /// Runs the binary to its end and gives the calls that it made.
    pub(super) fn logged(&self, arguments: &[&str], input: &str) -> (Ran, Log) {
        let log = tempfile::NamedTempFile::new().unwrap();
        let path = log.path().to_str().unwrap();
        let trace = format!("trace={CALLS}");
        let ran = self.traced(&["-s", "400", "-y", "-o", path, "-e", &trace], arguments, input);
        (ran, Log::read(&String::from_utf8_lossy(&std::fs::read(path).unwrap())))
    }

    /// Runs the binary and kills it before that call.
    pub(super) fn killed_before(&self, kill: &Kill, arguments: &[&str], input: &str) -> Ran {
        let Kill { call, nth, .. } = kill;
        let trace = format!("trace={call}");
        let inject = format!("inject={call}:signal=SIGKILL:when={nth}");
        let options = ["-o", "/dev/null", "-e", &trace, "-e", &inject];
        self.traced(&options, arguments, input)
    }

    fn traced(&self, options: &[&str], arguments: &[&str], input: &str) -> Ran {
        use std::io::Write as _;
        let template = self.command(arguments);
        let mut command = Command::new(strace().unwrap());
        command
            .args(["-f", "--seccomp-bpf", "-qq"])
            .args(options)
            .arg(template.get_program())
            .args(template.get_args())
            .env_clear()
            .envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(self.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // One that was killed does not read it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        self.finish(child)
    }
}

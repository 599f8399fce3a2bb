//! A run under strace: once to log the calls that leave something behind, then to be killed at one
//! of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{Ran, World};

/// Calls that write, sync, name or remove a file, and those by which Graph is asked and heard.
const CALLS: &str = "fsync,fdatasync,pwrite64,pwritev,ftruncate,fallocate,rename,renameat,\
                     renameat2,link,linkat,unlink,unlinkat,write,writev,sendto,sendmsg,recvfrom,\
                     fchmod,fchown";

/// Where a run is killed: before the call that is the `nth` of its name in one of the threads, or
/// the `nth` on one file where another thread gets as far earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kill {
    pub(super) call: String,
    pub(super) nth: usize,
    /// The file, below the world's folder.
    file: Option<String>,
    /// The line of the log, which counts the calls of all threads.
    line: usize,
    /// What it was done to, for a person.
    pub(super) about: String,
}

impl Kill {
    fn is_at(&self, other: &Self) -> bool {
        (&self.call, self.nth, &self.file) == (&other.call, other.nth, &other.file)
    }

    /// Whether chance decides how far the run has got by then: threads wake each other by writes, now
    /// more often and now less.
    fn is_by_chance(&self) -> bool {
        self.call == "write" && self.file.is_none()
    }
}

/// The file that a call is about, if its first argument is one in the world's folder.
fn file_below(arguments: &str, root: &str) -> Option<String> {
    let (_, rest) = arguments.split(',').next()?.split_once('<')?;
    let name = rest.split('>').next()?.strip_prefix(root)?.strip_prefix('/')?;
    Some(name.to_owned())
}

/// All calls of a run that nobody killed.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) kills: Vec<Kill>,
    /// The lines at which Graph was asked for a grant, each with the one that made what came of it last.
    grants: Vec<(usize, Option<usize>)>,
}

/// What stands in a request for a grant: a renewal or an exchange, a login, a minting.
const GRANTS: [&str; 3] = ["fb_exchange_token", "&code=", "/access_tokens HTTP"];

impl Log {
    /// Reads what strace wrote: every call with the number of its thread in front.
    fn read(text: &str, root: &str) -> Self {
        let mut log = Self::default();
        let mut counts: BTreeMap<(&str, &str, Option<String>), usize> = BTreeMap::new();
        for (line, entry) in text.lines().enumerate() {
            let Some((thread, rest)) = entry.split_once(' ') else { continue };
            let Some((call, arguments)) = rest.trim_start().split_once('(') else { continue };
            if call.starts_with(['<', '+', '-']) {
                continue;
            }
            let about: String = arguments.chars().take(90).collect();
            // strace counts in each thread, so the first thread that gets to a number is killed
            // there. What is left is counted by file.
            let mut is_reached = false;
            for file in [Some(None), file_below(arguments, root).map(Some)].into_iter().flatten() {
                let nth = counts.entry((thread, call, file.clone())).or_default();
                *nth += 1;
                let kill =
                    Kill { call: call.to_owned(), nth: *nth, file, line, about: about.clone() };
                if !is_reached && !log.kills.iter().any(|known| known.is_at(&kill)) {
                    log.kills.push(kill);
                    is_reached = true;
                }
            }
            if GRANTS.iter().any(|it| arguments.contains(it)) {
                log.grants.push((line, None));
            }
            if call.ends_with("sync") && arguments.contains(".db-wal") {
                let open = log.grants.iter_mut().filter(|(_, seal)| seal.is_none());
                open.for_each(|(_, seal)| *seal = Some(line));
            }
        }
        log
    }

    /// Whether a grant may be lost by this kill: it falls between the request and the commit that
    /// seals the answer, or may fall there. One that was sealed is not named by the next run.
    pub(super) fn may_lose_a_grant(&self, kill: &Kill) -> bool {
        let mut grants = self.grants.iter();
        kill.is_by_chance()
            || grants
                .any(|(grant, seal)| seal.is_some_and(|seal| (*grant..=seal).contains(&kill.line)))
    }

    /// So many of the kills, spread over the whole run.
    pub(super) fn spread(&self, count: usize) -> Vec<Kill> {
        let step = self.kills.len().div_ceil(count).max(1);
        self.kills.iter().skip(step / 2).step_by(step).cloned().collect()
    }

    /// Some of the kills: the first two syncs, those around a grant and its seal, those
    /// that cut a target's file, and `count` that are spread over the whole run.
    pub(super) fn sample(&self, count: usize) -> Vec<Kill> {
        let is_sync = |kill: &&Kill| kill.call == "fsync";
        let mut sample: Vec<&Kill> = self.kills.iter().filter(is_sync).take(2).collect();
        let first = self.grants.first();
        for line in first.into_iter().flat_map(|(grant, seal)| [Some(*grant), *seal]).flatten() {
            sample.extend(self.kills.iter().find(|kill| kill.line > line));
        }
        let cuts_a_target = |kill: &&Kill| kill.call == "ftruncate" && kill.about.contains(".env");
        sample.extend(self.kills.iter().filter(cuts_a_target));
        let spread = self.spread(count);
        sample.extend(&spread);
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

/// One call of a run.
pub(super) struct Call<'a> {
    pub(super) name: &'a str,
    arguments: &'a str,
    root: &'a Path,
}

impl<'a> Call<'a> {
    /// Reads a line that strace wrote; none where a call only goes on in it.
    pub(super) fn read(line: &'a str, root: &'a Path) -> Option<Self> {
        let (_, rest) = line.split_once(' ')?;
        let (name, arguments) = rest.trim_start().split_once('(')?;
        (!name.starts_with(['<', '+', '-'])).then_some(Self { name, arguments, root })
    }

    /// The files and folders in the world that the call is about: of an open file its path, and a name
    /// below the open folder before it. A call that failed is about none.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        if self.arguments.contains(" = -1 ") {
            return Vec::new();
        }
        let (mut paths, mut folder) = (Vec::new(), None);
        let is_naming = ["rename", "link", "unlink"].iter().any(|it| self.name.starts_with(it));
        for argument in self.arguments.split(", ") {
            let open = argument.split_once('<').filter(|_| !argument.starts_with('"'));
            let name = argument.strip_prefix('"').and_then(|it| it.split('"').next());
            match (open, name) {
                (Some((_, rest)), _) => {
                    folder = rest.split('>').next().map(PathBuf::from);
                    if !is_naming {
                        paths.extend(folder.clone());
                        break;
                    }
                }
                (None, Some(name)) if is_naming => {
                    paths.push(folder.take().unwrap_or_default().join(name));
                }
                _ => {}
            }
        }
        paths.retain(|path| path.starts_with(self.root));
        paths
    }

    /// Whether it sends a request.
    pub(super) fn asks_graph(&self) -> bool {
        let is_to_a_socket =
            self.arguments.split(',').next().is_some_and(|it| it.contains("<socket:"));
        let methods = ["\"GET /", "\"POST /", "\"DELETE /"];
        is_to_a_socket
            && !self.name.starts_with("recv")
            && methods.iter().any(|it| self.arguments.contains(it))
    }

    /// Whether it asks for an access token.
    pub(super) fn asks_for_a_grant(&self) -> bool {
        GRANTS.iter().any(|it| self.arguments.contains(it))
    }
}

impl World {
    /// Runs the binary to its end and gives the calls that it made.
    pub(super) fn logged(&self, arguments: &[&str], input: &str) -> (Ran, Log) {
        let (ran, text) = self.trace(arguments, input);
        let root = self.path("").canonicalize().unwrap();
        (ran, Log::read(&text, root.to_str().unwrap()))
    }

    /// Runs the binary to its end and gives what strace wrote: every call with the number of its thread
    /// in front.
    pub(super) fn trace(&self, arguments: &[&str], input: &str) -> (Ran, String) {
        let log = tempfile::NamedTempFile::new().unwrap();
        let path = log.path().to_str().unwrap();
        let trace = format!("trace={CALLS}");
        let options = ["--seccomp-bpf", "-s", "400", "-y", "-o", path, "-e", &trace];
        let ran = self.traced(&options, arguments, input);
        let text = std::fs::read(path).unwrap();
        (ran, String::from_utf8_lossy(&text).into_owned())
    }

    /// Runs the binary to kill it before that call, and says whether it got there. A filter in the
    /// kernel would be faster, but strace does not inject through it.
    pub(super) fn is_killed_before(&self, kill: &Kill, arguments: &[&str], input: &str) -> bool {
        let Kill { call, nth, file, .. } = kill;
        let trace = format!("trace={call}");
        let inject = format!("inject={call}:signal=SIGKILL:when={nth}");
        let mut options = vec!["-o", "/dev/null", "-e", &trace, "-e", &inject];
        let file = file.as_ref().map(|name| self.path(name).display().to_string());
        options.extend(file.iter().flat_map(|path| ["-P", path.as_str()]));
        self.traced(&options, arguments, input).code.is_none()
    }

    fn traced(&self, options: &[&str], arguments: &[&str], input: &str) -> Ran {
        use std::io::Write as _;
        let template = self.command(arguments);
        let mut command = Command::new(strace().unwrap());
        command
            .args(["-f", "-qq"])
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

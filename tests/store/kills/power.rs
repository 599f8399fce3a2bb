//! What a power cut takes: what a run had written or named, and had not brought to the disk.
//!
//! A kill leaves what the kernel has in memory; a power cut does not. So the calls of whole runs are
//! read in their order, and before each one that builds on something, that must be on the disk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use metatoken::sandbox::OldString;

use super::cases::CASES;
use super::scenes::SCENES;
use super::trace::{self, Call};
use super::{World, each, skip};

/// What a run has written and named so far that is not on the disk.
#[derive(Default)]
struct InMemory {
    contents: BTreeSet<PathBuf>,
    /// Folders in which a file was given a name.
    folders: BTreeSet<PathBuf>,
    /// Whether Meta granted something that no commit has sealed.
    grant: bool,
    seen: Seen,
    faults: Vec<String>,
}

/// How many calls were looked at that something hangs on.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    syncs: usize,
    names: usize,
    requests: usize,
    grants: usize,
}

impl InMemory {
    /// Reads the next call of a run.
    fn see(&mut self, call: &Call<'_>) {
        match call.name {
            "fsync" | "fdatasync" => self.synced(&call.paths()[0]),
            "rename" | "renameat" | "renameat2" | "link" | "linkat" => {
                if let [from, to] = &call.paths()[..] {
                    self.named(from, to);
                }
            }
            "ftruncate" | "unlink" if call.paths().iter().any(|it| is_log(it)) => {
                self.log_is_cut(&call.paths()[0]);
            }
            "pwrite64" | "pwritev" | "write" | "writev" | "ftruncate" => {
                self.written(call.paths().first());
            }
            _ => {}
        }
        if call.asks_graph() {
            self.asked(call.asks_for_a_grant());
        }
    }

    fn synced(&mut self, path: &Path) {
        self.seen.syncs += 1;
        let is_log = is_log(path);
        self.contents.remove(path);
        self.folders.remove(path);
        self.grant &= !is_log;
    }

    fn named(&mut self, from: &Path, to: &Path) {
        if is_for_monitoring(to) {
            return;
        }
        self.seen.names += 1;
        if self.contents.remove(from) {
            self.faults.push(format!("{} is named before its content is synced", to.display()));
        }
        self.folders.extend(to.parent().map(Path::to_path_buf));
    }

    fn written(&mut self, path: Option<&PathBuf>) {
        let Some(path) = path.filter(|path| is_kept(path)) else { return };
        if is_log(path) {
            // What the store says next may be that they are whole.
            let others = self.contents.iter().filter(|it| !is_of_the_store(it));
            let open: Vec<_> = others.chain(&self.folders).map(|it| it.display()).collect();
            if let [first, ..] = &open[..] {
                self.faults.push(format!("the store is written before {first} is synced"));
            }
        }
        self.contents.insert(path.clone());
    }

    /// What the log held is in the database.
    fn log_is_cut(&mut self, log: &Path) {
        self.contents.remove(log);
        if self.contents.iter().any(|it| is_of_the_store(it)) {
            self.faults.push("the log is cut before the database is synced".to_owned());
        }
    }

    /// What the answer builds on is in the store.
    fn asked(&mut self, for_a_grant: bool) {
        self.seen.requests += 1;
        self.seen.grants += usize::from(for_a_grant);
        if self.contents.iter().any(|it| is_log(it)) {
            self.faults.push("Graph is asked before a commit is synced".to_owned());
        }
        if self.grant {
            self.faults.push("Graph is asked again before a grant is sealed".to_owned());
        }
        self.grant = for_a_grant;
    }

    /// What was not right, now that the run is over.
    fn faults(mut self) -> Vec<String> {
        for path in self.contents.iter().chain(&self.folders) {
            self.faults.push(format!("{} is never synced", path.display()));
        }
        self.faults.dedup();
        self.faults
    }
}

fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "db-wal")
}

fn is_of_the_store(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "db" || it == "db-wal")
}

/// Whether a power cut may take it: the next run writes it again.
fn is_for_monitoring(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "prom")
}

/// Whether its content must outlive a power cut. Who holds a lock, and the index of the log, need not;
/// and what a hook writes is its own affair.
fn is_kept(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_made_again =
        [".lock", ".db-shm", ".prom", ".prom.new"].iter().any(|it| name.ends_with(it));
    !is_made_again && name != "runs"
}

/// A command in its world.
struct Run {
    name: &'static str,
    command: &'static [&'static str],
    begin: Box<dyn Fn() -> (World, String) + Sync + Send>,
}

impl Run {
    fn all() -> Vec<Self> {
        let scenes = SCENES.iter().map(|scene| Self {
            name: scene.name,
            command: scene.command,
            begin: Box::new(|| scene.begin(OldString::Lives)),
        });
        let cases = CASES.iter().map(|case| Self {
            name: case.name,
            command: case.command,
            begin: Box::new(|| {
                let before = (case.prepare)();
                (before.world, before.input)
            }),
        });
        scenes.chain(cases).collect()
    }

    /// What is wrong with its calls, and how many were looked at.
    fn look(&self) -> (Seen, Vec<String>) {
        let (world, input) = (self.begin)();
        one_call_at_a_time(&world);
        let (ran, log) = world.trace(self.command, &input);
        assert_eq!(ran.code, Some(0), "{}: {}\n{}", self.name, ran.stdout, ran.stderr);
        let root = world.path("").canonicalize().unwrap();
        let mut memory = InMemory::default();
        log.lines().filter_map(|line| Call::read(line, &root)).for_each(|call| memory.see(&call));
        let (name, seen) = (self.name, memory.seen);
        (seen, memory.faults().into_iter().map(|fault| format!("{name}: {fault}")).collect())
    }
}

/// What several workers do at once has no order that could be held to.
fn one_call_at_a_time(world: &World) {
    let config = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
    let concurrency = "[http]\nconcurrency = 1\n";
    let config = match config.split_once("[http]\n") {
        Some((before, after)) => format!("{before}{concurrency}{after}"),
        None => format!("{config}\n{concurrency}"),
    };
    world.write("metatoken.toml", config);
}

#[test]
fn a_power_cut_takes_nothing_that_a_run_builds_on() {
    if let Some(why) = trace::cannot_trace() {
        return skip("what is synced, and when", &why);
    }
    let runs = Run::all();
    let results = each(&runs, Run::look);
    let faults: Vec<_> = results.iter().flat_map(|(_, faults)| faults.clone()).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    // Nothing is wrong with what was not seen: every kind of call is in some run.
    for (run, (seen, _)) in runs.iter().zip(&results) {
        assert!(seen.syncs > 0, "{}: {seen:?}", run.name);
    }
    let kinds: [fn(&Seen) -> usize; 3] = [|it| it.names, |it| it.requests, |it| it.grants];
    for kind in kinds {
        assert!(results.iter().filter(|(seen, _)| kind(seen) > 0).count() >= 4, "{results:?}");
    }
}

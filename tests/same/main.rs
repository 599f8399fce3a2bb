//! Runs two binaries through the same worlds and compares everything that can be seen of them.
//!
//! `tests/bench/same OLD NEW` starts this program. Each world is played twice in the same folder,
//! once by either binary, and what was seen is compared to the letter: standard output and error,
//! exit codes and signals, every file with its mode, every request that Graph and the notification
//! channels got, Graph's memory, and every row of the store with what is sealed in it opened.
//!
//! The simulated Graph runs in this process behind a recorder, so both binaries face the same one.
//! What differs from run to run by design is replaced, and nothing else: `record.rs` lists it.

mod faults;
#[path = "../common/folder.rs"]
mod folder;
mod kills;
mod lives;
mod mistakes;
mod record;
mod recorder;
mod rehearsals;
mod rows;
mod stores;
mod tree;
mod world;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};

use record::{Counts, Record};
use world::World;

/// How many worlds are played at once for each processor: most of what a world does is waiting, before
/// it makes a call again, and so that a program which outlives its run can finish.
const AT_ONCE: usize = 4;

/// How much is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// A fifth of the steps, and fewer faults.
    Short,
    /// Everything.
    Whole,
}

impl Length {
    /// How many times the clock moves in a scenario.
    const fn steps(self) -> usize {
        match self {
            Self::Short => 12,
            Self::Whole => 60,
        }
    }
}

/// A world and what happens in it.
pub(crate) struct Plan {
    name: String,
    play: Play,
}

type Play = Box<dyn Fn(&mut World) -> anyhow::Result<()> + Send + Sync>;

impl Plan {
    /// `name` becomes part of a path.
    pub(crate) fn new(
        name: impl Into<String>,
        play: impl Fn(&mut World) -> anyhow::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), play: Box::new(play) }
    }

    /// Plays the world with one binary, in a folder that is there for this long only.
    fn record(
        &self,
        binary: &Path,
        folder: &Path,
        ports: &recorder::Ports,
    ) -> anyhow::Result<Record> {
        std::fs::create_dir_all(folder)?;
        let mut world = World::new(binary, folder, ports)?;
        let played = (self.play)(&mut world);
        let record = world.end();
        std::fs::remove_dir_all(folder)?;
        played.with_context(|| format!("the world `{}` with {}", self.name, binary.display()))?;
        Ok(record)
    }

    /// Plays the world with both binaries and returns what they did alike and how they differ.
    fn compare(&self, order: &Order, root: &Path) -> anyhow::Result<(Counts, String)> {
        let ports = recorder::Ports::open()?;
        let folder = root.join(&self.name);
        let old = self.record(&order.old, &folder, &ports)?;
        let new = self.record(&order.new, &folder, &ports)?;
        if let Some(records) = &order.records {
            old.keep(&records.join(format!("{}.old", self.name)))?;
            new.keep(&records.join(format!("{}.new", self.name)))?;
        }
        let difference = record::difference(&self.name, &old, &new, root)?;
        Ok((new.counts(), difference))
    }
}

/// The command line.
struct Order {
    old: PathBuf,
    new: PathBuf,
    length: Length,
    /// Only worlds whose name contains this.
    only: String,
    /// Where everything that was seen is kept.
    records: Option<PathBuf>,
}

impl Order {
    fn typed() -> anyhow::Result<Self> {
        let (mut binaries, mut length, mut only) = (Vec::new(), Length::Whole, String::new());
        let mut records = None;
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--short" => length = Length::Short,
                name if name.starts_with("--only=") => {
                    name["--only=".len()..].clone_into(&mut only);
                }
                name if name.starts_with("--records=") => {
                    records = Some(std::fs::canonicalize(&name["--records=".len()..])?);
                }
                binary => binaries.push(
                    std::fs::canonicalize(binary).with_context(|| format!("no file: {binary}"))?,
                ),
            }
        }
        let [old, new] = <[PathBuf; 2]>::try_from(binaries).map_err(|_| {
            anyhow::anyhow!("usage: same [--short] [--only=WORLD] [--records=DIR] OLD NEW")
        })?;
        Ok(Self { old, new, length, only, records })
    }

    fn plans(&self) -> Vec<Plan> {
        let mut plans = lives::plans(self.length);
        plans.extend(rehearsals::plans(self.length));
        plans.extend(faults::plans(self.length));
        plans.extend(kills::plans());
        plans.extend(mistakes::plans());
        plans.extend(stores::plans());
        plans.retain(|plan| plan.name.contains(&self.only));
        plans
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            say(&format!("same: {error:#}\n"));
            ExitCode::from(2)
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let order = Order::typed()?;
    let plans = order.plans();
    ensure!(!plans.is_empty(), "no world is called `{}`", order.only);
    let root = folder::folder();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        for _ in 0..processors * AT_ONCE {
            scope.spawn(|| {
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = plan.compare(&order, root.path());
                    let mut results = results.lock().expect("no worker panics");
                    results.push((plan.name.clone(), result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no worker panics");
    results.sort_by(|one, other| one.0.cmp(&other.0));
    let (mut counts, mut differing) = (Counts::default(), Vec::new());
    for (name, result) in results {
        let (played, difference) = result?;
        counts.add(&played);
        if !difference.is_empty() {
            say(&difference);
            differing.push(name);
        }
    }
    let what = format!(
        "{} scenarios, {} steps, {} worlds, {}",
        metatoken::sandbox::Scenario::ALL.len(),
        order.length.steps(),
        plans.len(),
        counts.shown(&kills::fail_points())
    );
    if differing.is_empty() {
        say(&format!("same: {what}: no difference\n"));
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("same: {what}: DIFFERENT in {}\n", differing.join(", ")));
    Ok(ExitCode::FAILURE)
}

/// Prints; a reader that went away is no failure.
fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

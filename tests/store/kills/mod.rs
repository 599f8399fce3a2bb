//! A kill before every write, sync, rename and request of a run, and what the next run makes of it; and
//! of every command that a person types, and what the same command makes of it.
//!
//! `strace` sends the signal; Graph lives in this process, so it remembers what it granted. One
//! test kills at a sample of the calls; with `METATOKEN_LONG=1` at every one.

mod cases;
mod power;
mod scenes;
mod trace;
mod typed;

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use metatoken::sandbox::OldString;

use crate::common::{World, is_long, skip};
use scenes::{PLACEHOLDER, SCENES, Scene, env, ini};
use trace::{Kill, Log};

/// How many kills of each scene and kind of Graph are tried in the short form.
const SAMPLE: usize = 3;
/// A command that takes longer waits for something that never comes.
const PATIENCE: Duration = Duration::from_secs(8);

/// A target's file, and its content with a value.
type TargetFile = (&'static str, fn(&str) -> String);
/// The one that a delivery replaces, and the one that it writes in place.
const REPLACED: TargetFile = ("app.ini", ini);
const IN_PLACE: TargetFile = ("web.env", env);

/// A scene with one kind of Graph, and what happens in it when nobody kills.
struct Stage {
    scene: &'static Scene,
    fate: OldString,
    log: Log,
    /// Every file that there is afterwards.
    files: BTreeSet<String>,
    /// How many strings Graph knows that the store never held: those that people handed over.
    not_stored: usize,
}

/// What a kill did that it must not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// A grant or a token is gone.
    Lost,
    /// A command waits or fails, and goes on doing so.
    Wedged,
    /// Anything else that is not as it should be.
    Wrong,
}

type Examined = Result<Seen, (Harm, String)>;

/// What was seen where all is well.
struct Seen {
    /// Whether the run got to the call at which it was to be killed.
    is_killed: bool,
    /// How many grants were lost in the only place where that can be, and named by the next run.
    named: usize,
}

impl Stage {
    fn new(scene: &'static Scene, fate: OldString) -> Self {
        let (world, input) = scene.begin(fate);
        let (ran, log) = world.logged(scene.command, &input);
        assert_eq!(ran.code, Some(0), "{}: {}\n{}", scene.name, ran.stdout, ran.stderr);
        let _ = world.run(&["refresh", "--quiet"]).silent().code(0);
        let not_stored = not_stored(&world);
        Self { scene, fate, log, files: names(&world), not_stored }
    }

    /// Kills one run and looks at everything afterwards.
    fn kill(&self, kill: &Kill) -> Examined {
        let (world, input) = self.scene.begin(self.fate);
        let has_one = world.path("metatoken.db").exists();
        let is_killed = world.is_killed_before(kill, self.scene.command, &input);
        reads_at_once(&world, has_one)?;
        // What is written in place is whole again after the next run only.
        Self::are_whole(&world, &[REPLACED])?;

        let ran = timed(&world, &["refresh", "--json"])?;
        if matches!(ran.code, Some(74 | 75) | None) {
            return wedged(format!("the next run ends with {:?}: {}", ran.code, ran.stderr));
        }
        let lost = not_stored(&world).saturating_sub(self.not_stored);
        if lost > 0 && !self.log.may_lose_a_grant(kill) {
            return Err((Harm::Lost, format!("{lost} grants, which were sealed already")));
        }
        let told = world.events("brand").iter().any(|(_, why)| why.contains("cut short"));
        if lost > 0 && !told {
            return Err((Harm::Lost, "a grant, and the next run does not say so".to_owned()));
        }
        let is_dead = lost > 0 && self.fate == OldString::Dies && self.scene.renews_the_one_in_use;
        let code: u8 = if is_dead { 77 } else { 0 };
        if ran.code != Some(i32::from(code)) {
            let text = format!("{}\n{}", ran.stdout, ran.stderr);
            return wrong(format!("the next run ends with {:?}, not {code}: {text}", ran.code));
        }
        if !is_dead {
            every_token_is_accepted(&world)?;
            targets_hold_it(&world)?;
        }
        Self::are_whole(&world, &[REPLACED, IN_PLACE])?;
        self.nothing_is_left_over(&world)?;
        is_whole(&world)?;
        quiet_from_now_on(&world, code)?;
        Ok(Seen { is_killed, named: lost })
    }

    /// Each of the files holds what it held at first, or one of Graph's strings in its place.
    fn are_whole(world: &World, files: &[TargetFile]) -> Result<(), (Harm, String)> {
        let strings: Vec<String> =
            world.graph.with(|graph| graph.strings().map(str::to_owned).collect());
        for (name, content) in files {
            let found = std::fs::read_to_string(world.path(name)).unwrap_or_default();
            let mut values = strings.iter().map(String::as_str).chain([PLACEHOLDER]);
            if !values.any(|value| content(value) == found) {
                return wrong(format!("`{name}` is torn: {found:?}"));
            }
        }
        Ok(())
    }

    fn nothing_is_left_over(&self, world: &World) -> Result<(), (Harm, String)> {
        let left: Vec<String> = names(world).difference(&self.files).cloned().collect();
        if left.is_empty() { Ok(()) } else { wrong(format!("left behind: {left:?}")) }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, the old string {:?}", self.scene.name, self.fate)
    }
}

fn wrong<T>(what: String) -> Result<T, (Harm, String)> {
    Err((Harm::Wrong, what))
}

fn wedged<T>(what: String) -> Result<T, (Harm, String)> {
    Err((Harm::Wedged, what))
}

fn timed(world: &World, arguments: &[&str]) -> Result<crate::common::Ran, (Harm, String)> {
    let began = Instant::now();
    let ran = world.run(arguments);
    if began.elapsed() > PATIENCE {
        let (took, said) = (began.elapsed().as_secs(), ran.stderr);
        return wedged(format!("`{}` takes {took} s: {said}", arguments.join(" ")));
    }
    Ok(ran)
}

/// Whoever needs the token, or watches, is answered before any other run has mended anything.
fn reads_at_once(world: &World, has_one: bool) -> Result<(), (Harm, String)> {
    let token = timed(world, &["token", "brand"])?;
    let is_answered =
        if has_one { token.code == Some(0) } else { matches!(token.code, Some(0 | 1)) };
    if !is_answered {
        return wedged(format!("`token` exited with {:?}: {}", token.code, token.stderr));
    }
    let check = timed(world, &["check"])?;
    if matches!(check.code, Some(0..=3)) && !check.stdout.contains("protocol") {
        Ok(())
    } else {
        wedged(format!("`check` exited with {:?}: {}", check.code, check.stdout))
    }
}

fn targets_hold_it(world: &World) -> Result<(), (Harm, String)> {
    let string = world.in_use("brand");
    let read = |name: &str| std::fs::read_to_string(world.path(name)).unwrap_or_default();
    let config = read("metatoken.toml");
    for (name, wanted) in [
        ("app.ini", ini(&string)),
        ("web.env", env(&string)),
        ("new/made.env", format!("MADE={string}\n")),
    ] {
        if config.contains(name) && read(name) != wanted {
            return Err((Harm::Lost, format!("`{name}` holds {:?}", read(name))));
        }
    }
    let runs = read("runs");
    if config.contains("hook") && runs.lines().last() != Some(string.as_str()) {
        return Err((Harm::Lost, format!("the program got {runs:?}")));
    }
    Ok(())
}

fn every_token_is_accepted(world: &World) -> Result<(), (Harm, String)> {
    for label in ["brand", "brand/2000000000000001", "brand/2000000000000002"] {
        let ran = world.run(&["token", label]);
        let string = ran.stdout.trim_end();
        let is_alive = world.graph.with(|graph| {
            graph.strings().any(|known| known == string) && graph.invalidation(string).is_none()
        });
        if ran.code != Some(0) || !is_alive {
            return Err((Harm::Lost, format!("`{label}` has {string:?}: {}", ran.stderr)));
        }
    }
    Ok(())
}

fn is_whole(world: &World) -> Result<(), (Harm, String)> {
    let said: String =
        world.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    if said == "ok" { Ok(()) } else { wrong(format!("the store: {said}")) }
}

/// A further run asks nothing, and says nothing unless a person has something to do.
fn quiet_from_now_on(world: &World, code: u8) -> Result<(), (Harm, String)> {
    world.calls();
    let ran = timed(world, &["refresh", "--quiet"])?;
    let calls = world.calls();
    if ran.code != Some(i32::from(code))
        || (code == 0 && !(ran.stdout.is_empty() && calls.is_empty()))
    {
        let (out, err) = (&ran.stdout, &ran.stderr);
        return wrong(format!("a further run ends with {:?}: {out}\n{err}\n{calls:?}", ran.code));
    }
    Ok(())
}

/// How many of the brand's strings Graph has given out that the store has no row of.
fn not_stored(world: &World) -> usize {
    let given = world
        .graph
        .with(|graph| graph.strings().filter(|string| string.starts_with("EAAFAKEBrand")).count());
    let count = "SELECT count(*) FROM generation
                 WHERE token = (SELECT id FROM token WHERE label = 'brand')";
    let stored: i64 = world.sql().query_row(count, [], |row| row.get(0)).unwrap();
    given.saturating_sub(usize::try_from(stored).unwrap())
}

fn names(world: &World) -> BTreeSet<String> {
    let root = world.path("");
    let name = |path: &std::path::Path| path.strip_prefix(&root).unwrap().display().to_string();
    let names = world.bytes_on_disk().into_iter().map(|(path, _)| name(&path));
    // The log of the store comes and goes with those who read it.
    names.filter(|name| !matches!(&**name, "metatoken.db-wal" | "metatoken.db-shm")).collect()
}

/// Does every job, several at a time, and gives the results in the order of the jobs.
fn each<J: Sync, R: Send>(jobs: &[J], act: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, std::num::NonZero::get) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(number) else { break };
                    let result = act(job);
                    results.lock().unwrap().push((number, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

#[test]
fn a_kill_before_any_call_loses_nothing_and_locks_nobody_out() {
    if let Some(why) = trace::cannot_trace() {
        return skip("kills at every call", &why);
    }
    // What becomes of the old one matters where it is the one that Graph is asked to renew.
    let is_tried = |(scene, fate): &(&Scene, OldString)| {
        is_long() || scene.renews_the_one_in_use || *fate == OldString::Lives
    };
    let kinds: Vec<_> = SCENES
        .iter()
        .flat_map(|scene| [OldString::Lives, OldString::Dies].map(|fate| (scene, fate)))
        .filter(is_tried)
        .collect();
    let stages = each(&kinds, |(scene, fate)| Stage::new(scene, *fate));
    let jobs: Vec<(&Stage, Kill)> = stages
        .iter()
        .flat_map(|stage| {
            let kills = if is_long() { stage.log.kills.clone() } else { stage.log.sample(SAMPLE) };
            kills.into_iter().map(move |kill| (stage, kill))
        })
        .collect();
    let results = each(&jobs, |(stage, kill)| stage.kill(kill));
    let mut failures = Vec::new();
    let (mut named, mut ended, mut harms) = (0, 0, Vec::new());
    for ((stage, Kill { call, nth, about, .. }), result) in jobs.iter().zip(&results) {
        match result {
            Ok(seen) => {
                named += seen.named;
                ended += usize::from(!seen.is_killed);
            }
            Err((harm, what)) => {
                harms.push(*harm);
                failures.push(format!("{harm:?}: {stage}, before {call} {nth} ({about}): {what}"));
            }
        }
    }
    let count = |kind: Harm| harms.iter().filter(|harm| **harm == kind).count();
    let summary = format!(
        "kills: {} kills, {} lost, {} wedged, {} otherwise wrong; {named} cut short and named; \
         {ended} runs ended before their kill\n",
        jobs.len() - ended,
        count(Harm::Lost),
        count(Harm::Wedged),
        count(Harm::Wrong)
    );
    // Past the harness, which hides what a passing test prints.
    let _ = std::io::stderr().write_all(summary.as_bytes());
    assert!(failures.is_empty(), "\n{}\n{summary}", failures.join("\n"));
    // Which thread gets how far differs from run to run, but only a little.
    assert!(ended * 10 < jobs.len(), "too few runs were killed: {summary}");
}

#[test]
fn a_kill_before_any_call_of_what_a_person_types_is_finished_by_the_same_command() {
    match trace::cannot_trace() {
        Some(why) => skip("kills at every call of what a person types", &why),
        None => typed::kill_at_every_call(),
    }
}

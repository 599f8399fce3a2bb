//! A kill before every call of a command that a person types: programs read on meanwhile, the same
//! command finishes it, no grant is lost and nothing is left behind.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write as _;

use super::cases::{Before, CASES, Case};
use super::trace::{Kill, Log};
use super::{Examined, Harm, Seen, each, is_whole, names, quiet_from_now_on, timed, wedged, wrong};
use crate::common::{Ran, World, is_long};

/// How many kills of each command are tried in the short form.
const SAMPLE: usize = 2;

/// What a timer does between the kill and the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    /// Nothing.
    Nothing,
    /// It runs `refresh`.
    Refresh,
}

/// A command, and what there is once it has run to its end.
struct Whole {
    case: &'static Case,
    log: Log,
    files: BTreeSet<String>,
    /// How many access tokens Graph gave out that no row was made of: those of Pages, where the command
    /// only says which there are.
    not_stored: i64,
}

/// What Graph has given out, and the store has, when a command begins.
#[derive(Clone, Copy)]
struct Given {
    strings: i64,
    rows: i64,
}

impl Whole {
    fn new(case: &'static Case) -> Self {
        let before = (case.prepare)();
        let world = &before.world;
        let given = Given::of(world);
        let (ran, log) = world.logged(case.command, &before.input);
        assert_eq!(ran.code, Some(0), "{}: {}\n{}", case.name, ran.stdout, ran.stderr);
        settles(world, case).unwrap_or_else(|(_, what)| panic!("{}: {what}", case.name));
        if let Err(what) = (case.done)(&before) {
            panic!("{}, with no kill: {what}", case.name);
        }
        Self { case, log, files: names(world), not_stored: given.not_stored(world) }
    }

    /// Kills it once, has it typed again, and looks at everything afterwards.
    fn kill(&self, kill: &Kill, meanwhile: Meanwhile) -> Examined {
        let case = self.case;
        let before = (case.prepare)();
        let world = &before.world;
        let given = Given::of(world);
        let is_killed = world.is_killed_before(kill, case.command, &before.input);
        self.reads_at_once(world)?;
        // Where the kill fell is known by what there is: the threads of no two runs take turns alike.
        let under_way = given.not_stored(world);
        if meanwhile == Meanwhile::Refresh {
            let ran = timed(world, &["refresh"])?;
            ends_with(&ran, case.timer, "the timer's run")?;
        }
        let again = world.run_with_input(case.command, &before.input);
        let told = self.finish(&before, &again)?;
        let lost = given.not_stored(world) - self.not_stored;
        if lost > under_way.max(0) {
            return Err((
                Harm::Lost,
                format!("{lost} grants, of which {under_way} were under way"),
            ));
        }
        let is_named = told || world.all_events().iter().any(|why| why.contains("lost"));
        if lost > 0 && !is_named {
            return Err((Harm::Lost, "a grant, and nothing says so".to_owned()));
        }
        settles(world, case)?;
        (case.done)(&before).or_else(wrong)?;
        let waiting: i64 = world.count("generation WHERE state = 'candidate'");
        if waiting > 0 {
            return wrong(format!("{waiting} access tokens wait to be checked"));
        }
        is_whole(world)?;
        quiet_from_now_on(world, u8::try_from(case.ends).unwrap())?;
        let left: Vec<String> = names(world).difference(&self.files).cloned().collect();
        if !left.is_empty() {
            return wrong(format!("left behind: {left:?}"));
        }
        Ok(Seen { is_killed, named: usize::try_from(lost.max(0)).unwrap() })
    }

    /// What was typed again has ended so: says whether it told a person that an answer was lost.
    fn finish(&self, before: &Before, again: &Ran) -> Result<bool, (Harm, String)> {
        let case = self.case;
        match (again.code, case.otherwise) {
            (Some(0), _) => Ok(false),
            (_, Some(otherwise)) => {
                let ran = otherwise(before);
                ends_with(&ran, &[0], "what its answer says")?;
                Ok(true)
            }
            _ => ends_with(again, case.again, "the same command").map(|()| false),
        }
    }

    /// A program that reads the token, and monitoring, are answered before anything is done.
    fn reads_at_once(&self, world: &World) -> Result<(), (Harm, String)> {
        let token = timed(world, &["token", self.case.label])?;
        if !token.code.is_some_and(|code| self.case.reads.contains(&code)) {
            return wedged(format!("`token` ends with {:?}: {}", token.code, token.stderr));
        }
        let check = timed(world, &["check"])?;
        let is_answered = matches!(check.code, Some(0..=3)) && !check.stdout.contains("store");
        if is_answered { Ok(()) } else { wedged(format!("`check`: {}", check.stdout)) }
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.case.name)
    }
}

/// The next run, which may have something left to ask.
fn settles(world: &World, case: &Case) -> Result<(), (Harm, String)> {
    ends_with(&timed(world, &["refresh", "--quiet"])?, &[case.ends], "the next run")
}

fn ends_with(ran: &Ran, codes: &[i32], what: &str) -> Result<(), (Harm, String)> {
    if ran.code.is_some_and(|code| codes.contains(&code)) {
        return Ok(());
    }
    wrong(format!("{what} ends with {:?}: {}\n{}", ran.code, ran.stdout, ran.stderr))
}

impl Given {
    fn of(world: &World) -> Self {
        let strings = world.graph.with(|graph| graph.strings().count());
        // What a person hands over was given out before.
        let rows = world.count("generation WHERE origin <> 'adopted'");
        Self { strings: i64::try_from(strings).unwrap(), rows }
    }

    /// How many access tokens Graph has given out since that the store has no row of.
    fn not_stored(self, world: &World) -> i64 {
        let now = Self::of(world);
        (now.strings - self.strings) - (now.rows - self.rows)
    }
}

impl World {
    /// How many rows of the store these are; none without a store.
    fn count(&self, rows: &str) -> i64 {
        if !self.path("metatoken.db").exists() {
            return 0;
        }
        let sql = format!("SELECT count(*) FROM {rows}");
        self.sql().query_row(&sql, [], |row| row.get(0)).unwrap_or(0)
    }

    /// What the history says of every label.
    fn all_events(&self) -> Vec<String> {
        let json = self.run(&["history", "--json", "--limit", "1000"]).json();
        let events = json["events"].as_array().unwrap().iter();
        events.map(|event| event["problem"]["message"].to_string()).collect()
    }
}

/// What came of the kills of one command, or of several.
#[derive(Default)]
struct Tally {
    kills: usize,
    /// Grants that were lost in the only place where that can be, and named.
    named: usize,
    /// Runs that ended before their kill.
    ended: usize,
    failures: Vec<String>,
}

impl Tally {
    /// Kills a command before each of its calls, or before a sample of them. Every other kill is
    /// followed by a timer's run.
    fn of(whole: &Whole) -> Self {
        let kills = if is_long() { whole.log.kills.clone() } else { whole.log.spread(SAMPLE) };
        let turns = [Meanwhile::Nothing, Meanwhile::Refresh].into_iter().cycle();
        let jobs: Vec<(Kill, Meanwhile)> = kills.into_iter().zip(turns).collect();
        let results = each(&jobs, |(kill, meanwhile)| whole.kill(kill, *meanwhile));
        let mut tally = Self { kills: jobs.len(), ..Self::default() };
        for ((Kill { call, nth, about, .. }, meanwhile), result) in jobs.iter().zip(&results) {
            match result {
                Ok(seen) => {
                    tally.ended += usize::from(!seen.is_killed);
                    tally.named += seen.named;
                }
                Err((harm, what)) => tally.failures.push(format!(
                    "{harm:?}: {whole}, before {call} {nth} ({about}), then {meanwhile:?}: {what}"
                )),
            }
        }
        tally
    }

    fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.named += other.named;
        self.ended += other.ended;
        self.failures.extend(other.failures);
    }

    /// Past the harness, which hides what a passing test prints.
    fn print(&self, what: &str) {
        let Self { kills, named, ended, failures } = self;
        let counted = format!(
            "kills: {} kills of {what}, {} wrong; {named} grants lost and named; {ended} runs ended \
             before their kill\n",
            kills - ended,
            failures.len()
        );
        let _ = std::io::stderr().write_all(counted.as_bytes());
    }
}

/// Kills each command before each of its calls, or before a sample of them, and counts what came of
/// it. `METATOKEN_KILLS` names the only one that is tried.
pub(super) fn kill_at_every_call() {
    let mut all = Tally::default();
    #[expect(clippy::disallowed_methods, reason = "a test has no snapshot of the environment")]
    let only = std::env::var("METATOKEN_KILLS").ok();
    let is_tried = |case: &&Case| only.as_ref().is_none_or(|only| case.name == only);
    let cases: Vec<&'static Case> = CASES.iter().filter(is_tried).collect();
    for whole in &each(&cases, |case| Whole::new(case)) {
        let tally = Tally::of(whole);
        if is_long() {
            tally.print(whole.case.name);
        }
        all.add(tally);
    }
    all.print(&format!("{} commands that are typed again", cases.len()));
    assert!(all.failures.is_empty(), "\n{}", all.failures.join("\n"));
    assert!(all.ended * 5 < all.kills, "{} of {} runs were not killed", all.ended, all.kills);
}

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
    /// How many access tokens of Graph's have no row in the store: those that people handed over.
    not_stored: i64,
}

impl Whole {
    fn new(case: &'static Case) -> Self {
        let before = (case.prepare)();
        let world = &before.world;
        let (ran, log) = world.logged(case.command, &before.input);
        assert_eq!(ran.code, Some(0), "{}: {}\n{}", case.name, ran.stdout, ran.stderr);
        settles(world, case).unwrap_or_else(|(_, what)| panic!("{}: {what}", case.name));
        if let Err(what) = (case.done)(&before) {
            panic!("{}, with no kill: {what}", case.name);
        }
        Self { case, log, files: names(world), not_stored: not_stored(world) }
    }

    /// Kills it once, has it typed again, and looks at everything afterwards.
    fn kill(&self, kill: &Kill, meanwhile: Meanwhile) -> Examined {
        let case = self.case;
        let before = (case.prepare)();
        let world = &before.world;
        let is_killed = world.is_killed_before(kill, case.command, &before.input);
        self.reads_at_once(world)?;
        if meanwhile == Meanwhile::Refresh {
            let ran = timed(world, &["refresh"])?;
            ends_with(&ran, case.timer, "the timer's run")?;
        }
        let again = world.run_with_input(case.command, &before.input);
        let told = self.finish(&before, again)?;
        let lost = not_stored(world) - self.not_stored;
        if lost > 0 && !self.log.may_lose_a_grant(kill) {
            return Err((Harm::Lost, format!("{lost} grants, which were sealed already")));
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
    fn finish(&self, before: &Before, again: Ran) -> Result<bool, (Harm, String)> {
        let case = self.case;
        match (again.code, case.otherwise) {
            (Some(0), _) => Ok(false),
            (_, Some(otherwise)) => {
                let ran = otherwise(before);
                ends_with(&ran, &[0], "what its answer says")?;
                Ok(true)
            }
            _ => ends_with(&again, case.again, "the same command").map(|()| false),
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

/// How many access tokens Graph has given out that the store has no row of.
fn not_stored(world: &World) -> i64 {
    let given = world.graph.with(|graph| graph.strings().count());
    i64::try_from(given).unwrap() - world.count("generation")
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

/// Kills each command before each of its calls, or before a sample of them, and counts what came of
/// it. Every other kill is followed by a timer's run.
pub(super) fn kill_at_every_call() {
    let cases: Vec<&'static Case> = CASES.iter().collect();
    let wholes = each(&cases, |case| Whole::new(case));
    let turns = [Meanwhile::Nothing, Meanwhile::Refresh];
    let jobs: Vec<(&Whole, Kill, Meanwhile)> = wholes
        .iter()
        .flat_map(|whole| {
            let kills = if is_long() { whole.log.kills.clone() } else { whole.log.spread(SAMPLE) };
            let turns = turns.iter().cycle();
            kills.into_iter().zip(turns).map(move |(kill, turn)| (whole, kill, *turn))
        })
        .collect();
    let results = each(&jobs, |(whole, kill, meanwhile)| whole.kill(kill, *meanwhile));
    let (mut failures, mut ended, mut named) = (Vec::new(), 0, 0);
    for ((whole, kill, meanwhile), result) in jobs.iter().zip(&results) {
        let Kill { call, nth, about, .. } = kill;
        match result {
            Ok(seen) => {
                ended += usize::from(!seen.is_killed);
                named += seen.named;
            }
            Err((harm, what)) => failures.push(format!(
                "{harm:?}: {whole}, before {call} {nth} ({about}), then {meanwhile:?}: {what}"
            )),
        }
    }
    let counted = format!(
        "kills: {} kills of {} commands that are typed again, {} wrong; {named} grants lost and named; \
         {ended} runs ended before their kill\n",
        jobs.len() - ended,
        wholes.len(),
        failures.len()
    );
    // Past the harness, which hides what a passing test prints.
    let _ = std::io::stderr().write_all(counted.as_bytes());
    assert!(failures.is_empty(), "\n{}\n{counted}", failures.join("\n"));
    assert!(ended * 5 < jobs.len(), "too few runs were killed: {counted}");
}

//! Ten thousand tokens whose first access tokens stand in one file, and a thousand of the same.
//!
//! Cost grows like the work: what a command takes with ten thousand tokens is divided by what
//! `sqlite3` takes to read the same rows, and by what the command takes with a thousand.

use std::process::Command;
use std::time::Duration;

use metatoken::sandbox::{TokenFixture, UserFixture};

use super::figure::{Figure, best, count, milliseconds};
use super::process::{is_there, timed, watched};
use super::world::{APP, Plan, World};

const FEW: usize = 1_000;
const MANY: usize = 10_000;
const CONCURRENCY: usize = 16;
/// How often each runs: on a busy machine some of these are hoped to be undisturbed.
const RUNS: usize = 11;
/// How many times longer ten times as many tokens may take.
const GROWTH: f64 = 13.0;
/// How long a call takes in a run that is measured by its calls.
const LATENCY: Duration = Duration::from_millis(50);
/// How many times as long as its calls such a run may take.
const TIME_AT_MOST: f64 = 1.15;
/// How many mebibytes it may hold.
const MEMORY: f64 = 128.0;
/// How often the memory is looked at.
const GLANCE: Duration = Duration::from_millis(20);
/// The day on which all are due.
const DUE: i64 = 45;
/// What `sqlite3` reads.
const ROWS: &str =
    "SELECT * FROM token; SELECT * FROM generation; SELECT * FROM proof; SELECT * FROM event";

/// A command, what it is called here, how it grows, and how many times `sqlite3`'s own read it may
/// take.
const COMMANDS: [(&[&str], &str, &str, f64); 5] = [
    (&["check"], "`check` of 10,000 tokens", "`check` of 10,000 tokens, grown", 4.0),
    (
        &["history", "--limit", "20"],
        "`history` of 10,000 tokens",
        "`history` of 10,000 tokens, grown",
        3.0,
    ),
    (&["token", "user-00007"], "`token` of 10,000 tokens", "`token` of 10,000 tokens, grown", 3.0),
    (
        &["status", "--offline", "--json"],
        "`status --offline --json` of 10,000 tokens",
        "`status --offline --json` of 10,000 tokens, grown",
        8.0,
    ),
    (
        &["refresh"],
        "`refresh` of 10,000 tokens with nothing due",
        "`refresh` of 10,000 tokens with nothing due, grown",
        10.0,
    ),
];

/// Wall time by `sqlite3`'s, and by that of a tenth of the tokens; and two runs that ask Graph for
/// every token, by their calls.
pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let (few, mut many) = (fleet(FEW)?, fleet(MANY)?);
    timed(&mut few.command(&["refresh"]))?;
    let mut figures =
        asking(&many, "the first run of 10,000 tokens", "memory of the first run of 10,000")?;
    let read = if is_there("sqlite3")? { Some(best_of(|| many.sqlite3(ROWS))?) } else { None };
    for (arguments, measure, grown, at_most) in COMMANDS {
        let long = best_of(|| many.command(arguments))?;
        let short = best_of(|| few.command(arguments))?;
        let by_sqlite = Figure::time(measure, "`sqlite3` reading their rows");
        figures.push(match read {
            Some(read) => by_sqlite.is(milliseconds(long), milliseconds(read), at_most),
            None => by_sqlite,
        });
        let growth = Figure::time(grown, "that of 1,000");
        figures.push(growth.is(milliseconds(long), milliseconds(short), GROWTH));
    }
    many.at_day(DUE);
    figures.extend(asking(&many, "renewing 10,000 due tokens", "memory of renewing 10,000")?);
    Ok(figures)
}

/// One run in which Graph takes its time, by what its calls take at least.
fn asking(
    world: &World,
    measure: &'static str,
    memory: &'static str,
) -> anyhow::Result<Vec<Figure>> {
    world.graph.latency(LATENCY);
    let (ran, asked) = world.asked(|| watched(&mut world.command(&["refresh"]), GLANCE))?;
    world.graph.latency(Duration::ZERO);
    let calls = count(asked.len()) * milliseconds(LATENCY) / count(CONCURRENCY);
    let time = Figure::time(measure, "its calls, 50 ms each, 16 at a time");
    let memory = Figure::memory(memory, "128 MiB");
    let memory = match ran.peak {
        Some(peak) => memory.is(peak, MEMORY, 1.0),
        None => memory,
    };
    Ok(vec![time.is(milliseconds(ran.wall), calls, TIME_AT_MOST), memory])
}

/// So many tokens that no run has seen yet.
fn fleet(tokens: usize) -> anyhow::Result<World> {
    let plan =
        (0..tokens).fold(Plan::new(CONCURRENCY), |plan, number| {
            let person = format!("3{number:015}");
            let token = TokenFixture::user(APP, &person);
            plan.people(|graph| graph.add_user(UserFixture::new(&person, "Somebody")))
                .token_in_file(&format!("user-{number:05}"), token, "type = \"user\"")
        });
    plan.begin()
}

/// The shortest time of several.
fn best_of(command: impl Fn() -> Command) -> anyhow::Result<Duration> {
    let times = (0..RUNS).map(|_| Ok(timed(&mut command())?.wall));
    Ok(best(times.collect::<anyhow::Result<_>>()?))
}

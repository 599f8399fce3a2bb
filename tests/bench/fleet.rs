//! Ten thousand tokens whose first access tokens stand in one file, and a thousand of the same.
//!
//! Cost grows like the work: what a command takes with ten thousand tokens is divided by what
//! `sqlite3` takes to read the same rows, and by what the command takes with a thousand.

use std::process::Command;
use std::time::Duration;

use metatoken::sandbox::{TokenFixture, UserFixture};

use super::figure::{Figure, median, milliseconds};
use super::process::{is_there, timed};
use super::world::{APP, Plan, World};

const FEW: usize = 1_000;
const MANY: usize = 10_000;
const CONCURRENCY: usize = 16;
/// How often each runs.
const RUNS: usize = 5;
/// How many times longer ten times as many tokens may take.
const GROWTH: f64 = 13.0;

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

/// Wall time by `sqlite3`'s, and by that of a tenth of the tokens.
pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let (few, many) = (fleet(FEW)?, fleet(MANY)?);
    let read = if is_there("sqlite3")? { Some(median_of(|| sqlite3(&many))?) } else { None };
    let mut figures = Vec::new();
    for (arguments, measure, grown, at_most) in COMMANDS {
        let long = median_of(|| many.command(arguments))?;
        let short = median_of(|| few.command(arguments))?;
        let by_sqlite = Figure::time(measure, "`sqlite3` reading their rows");
        figures.push(match read {
            Some(read) => by_sqlite.is(milliseconds(long), milliseconds(read), at_most),
            None => by_sqlite,
        });
        let growth = Figure::time(grown, "that of 1,000");
        figures.push(growth.is(milliseconds(long), milliseconds(short), GROWTH));
    }
    Ok(figures)
}

/// So many tokens, all adopted and checked.
fn fleet(tokens: usize) -> anyhow::Result<World> {
    let plan =
        (0..tokens).fold(Plan::new(CONCURRENCY), |plan, number| {
            let person = format!("3{number:015}");
            let token = TokenFixture::user(APP, &person);
            plan.people(|graph| graph.add_user(UserFixture::new(&person, "Somebody")))
                .token_in_file(&format!("user-{number:05}"), token, "type = \"user\"")
        });
    let world = plan.begin()?;
    timed(&mut world.command(&["refresh"]))?;
    Ok(world)
}

fn median_of(command: impl Fn() -> Command) -> anyhow::Result<Duration> {
    let times = (0..RUNS).map(|_| Ok(timed(&mut command())?.wall));
    Ok(median(times.collect::<anyhow::Result<_>>()?))
}

fn sqlite3(world: &World) -> Command {
    let mut command = Command::new("sqlite3");
    command.arg("-readonly").arg(world.path("metatoken.db")).arg(
        "SELECT * FROM token; SELECT * FROM generation; SELECT * FROM proof; SELECT * FROM event",
    );
    command
}

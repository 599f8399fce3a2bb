//! `check`, as a monitoring system runs it every minute, beside a program that does nothing but
//! read one row of the same store.

use std::time::Duration;

use super::figure::{Figure, median, milliseconds};
use super::process::{is_there, timed, watched};
use super::world::World;

/// How often each runs: so short a time needs many for a median that holds.
const RUNS: usize = 201;
/// How often the memory is looked at, in a run of a few milliseconds.
const GLANCE: Duration = Duration::from_micros(50);
const TIME_AT_MOST: f64 = 1.4;
/// How many mebibytes it may hold.
const MEMORY: f64 = 9.0;

/// Wall time and memory.
pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let world = World::small()?;
    timed(&mut world.command(&["refresh"]))?;
    Ok(vec![time(&world)?, memory(&world)?])
}

/// The two take turns, so that what disturbs the one disturbs the other.
fn time(world: &World) -> anyhow::Result<Figure> {
    let figure = Figure::time("`check`", "`sqlite3` reading one row");
    if !is_there("sqlite3")? {
        return Ok(figure);
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(timed(&mut world.command(&["check"]))?.wall);
        theirs.push(timed(&mut world.sqlite3("SELECT label FROM token LIMIT 1"))?.wall);
    }
    let (ours, theirs) = (milliseconds(median(ours)), milliseconds(median(theirs)));
    Ok(figure.is(ours, theirs, TIME_AT_MOST))
}

fn memory(world: &World) -> anyhow::Result<Figure> {
    let mut peak: Option<f64> = None;
    for _ in 0..RUNS {
        let ran = watched(&mut world.command(&["check"]), GLANCE)?;
        peak = peak.into_iter().chain(ran.peak).max_by(f64::total_cmp);
    }
    let figure = Figure::memory("memory of `check` at its peak", "9 MiB");
    Ok(match peak {
        Some(peak) => figure.is(peak, MEMORY, 1.0),
        None => figure,
    })
}

//! A run that finds nothing due and every proof fresh, as most of a timer's runs do.

use anyhow::ensure;

use super::figure::{Figure, best, count, median, milliseconds};
use super::process::{is_there, timed};
use super::world::World;

/// How often it runs.
const RUNS: usize = 31;
/// How many milliseconds it may take.
const TIME: f64 = 50.0;
/// How many times as long as `sqlite3` it may take.
const BESIDE_SQLITE: f64 = 4.0;

/// Requests and wall time.
pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let world = World::small()?;
    timed(&mut world.command(&["refresh"]))?;
    let connections = world.graph.connections();
    let (times, asked) = world
        .asked(|| (0..RUNS).map(|_| Ok(timed(&mut world.command(&["refresh"]))?.wall)).collect())?;
    let opened = world.graph.connections() - connections;
    ensure!(opened == 0 || !asked.is_empty(), "{opened} connections were opened for no request");
    Ok(vec![
        Figure::requests("a run with nothing due, requests", "runs").is(
            count(asked.len()),
            count(RUNS),
            0.0,
        ),
        Figure::time("a run with nothing due", "50 ms").is(milliseconds(median(times)), TIME, 1.0),
        beside_sqlite(&world)?,
    ])
}

/// The two take turns, so that what disturbs the one disturbs the other.
fn beside_sqlite(world: &World) -> anyhow::Result<Figure> {
    let figure = Figure::time("a run with nothing due", "`sqlite3` reading one row");
    if !is_there("sqlite3")? {
        return Ok(figure);
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(timed(&mut world.command(&["refresh"]))?.wall);
        theirs.push(timed(&mut world.sqlite3("SELECT label FROM token LIMIT 1"))?.wall);
    }
    Ok(figure.is(milliseconds(best(ours)), milliseconds(best(theirs)), BESIDE_SQLITE))
}

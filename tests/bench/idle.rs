//! A run that finds nothing due and every proof fresh, as most of a timer's runs do.

use anyhow::ensure;

use super::figure::{Figure, count, median, milliseconds};
use super::process::timed;
use super::world::World;

/// How often it runs.
const RUNS: usize = 31;
/// How many milliseconds it may take.
const TIME: f64 = 50.0;

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
    ])
}

//! A kill at every fail point, in every command that changes something, and the run after it.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::TimeDelta;
use metatoken::sandbox::{Invalidation, Scenario, TokenFixture};

use crate::world::World;
use crate::{Plan, lives};

/// One channel only: of several that are served at once a kill stops some or others.
const CHANNEL: &str = "[[notify]]\nwebhook = \"http://[HOOK]/json\"\nformat = \"json\"\n";

/// The names of the fail points, as the source has them.
pub(crate) fn fail_points() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut names);
    names
}

fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, names);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let calls = text.split("failpoint::reach(\"").skip(1);
            names.extend(calls.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
    }
}

/// One world for each fail point.
pub(crate) fn plans() -> Vec<Plan> {
    let plan = |name: String| {
        Plan::new(format!("kill-{name}"), move |world| kill_everywhere(world, &name))
    };
    fail_points().into_iter().map(plan).collect()
}

fn kill_everywhere(world: &mut World, place: &str) -> anyhow::Result<()> {
    world.with_graph(Scenario::Healthy, "")?;
    let targets = lives::targets(world, "brand", "")?;
    world.write("apps/late.env", "LATE=\n")?;
    let path = world.path("metatoken.toml");
    let config = std::fs::read_to_string(path)?;
    let alerts = "[alerts]\nrun_every = \"1d\"\ntextfile = \"[DIR]/metrics.prom\"\n";
    let config = world.filled_in(&format!("{config}\n{targets}{alerts}{CHANNEL}"));
    world.write("metatoken.toml", &config)?;

    killed(world, place, "refresh", "")?;
    world.at(TimeDelta::days(45))?;
    killed(world, place, "refresh --scheduled", "")?;
    let string = world.in_use("brand")?;
    world.graph()?.with(|graph| graph.invalidate(&string, Invalidation::PasswordChanged));
    world.at(TimeDelta::days(46))?;
    killed(world, place, "refresh", "")?;
    killed(world, place, "check --notify", "")?;
    let again = TokenFixture::user("1000000000000001", "3000000000000001").named("brand");
    let string = world.graph()?.with(|graph| graph.mint(again));
    killed(world, place, "exchange brand", &string)?;
    world.write("apps/app.ini", "[facebook]\ntoken = EAAforeign00000000000000000\n")?;
    killed(world, place, "deliver --force brand", "")?;
    killed(world, place, "deliver --restore brand", "")?;
    kill_what_a_person_types(world, place)?;
    world.run("history --json --limit 1000").map(drop)
}

/// What is typed once in a while, and again after a kill.
fn kill_what_a_person_types(world: &mut World, place: &str) -> anyhow::Result<()> {
    let anna = |name: &str| TokenFixture::user("1000000000000001", "3000000000000001").named(name);
    let typed_twice = |world: &mut World, command: &str, input: &str| -> anyhow::Result<()> {
        killed(world, place, command, input)?;
        world.run_with(command, input, None).map(drop)
    };
    typed_twice(world, "rollback brand", "")?;
    typed_twice(world, "key rotate", "")?;
    typed_twice(world, "key rotate --reseal", "")?;
    let added = world.graph()?.with(|graph| graph.mint(anna("added")));
    typed_twice(world, "add added --type user", &added)?;
    let moved = world.graph()?.with(|graph| graph.mint(anna("moved")));
    world.write("moved.csv", &format!("label,type,access_token\nmoved,user,{moved}\n"))?;
    let import = world.filled_in("import [DIR]/moved.csv");
    typed_twice(world, &import, "")?;
    let ads = world.in_use("ads")?;
    let again = TokenFixture::system_user("1000000000000001", "3000000000000004").named("ads");
    let again = world.graph()?.with(|graph| graph.mint(again));
    world.run_with("exchange ads --replace", &again, None)?;
    anyhow::ensure!(ads != world.in_use("ads")?, "`exchange` put nothing in the place of `{ads}`");
    typed_twice(world, "revoke ads --generation 1 --yes=ads", "")?;
    typed_twice(world, "revoke brand --all --force --yes=brand", "")?;
    typed_twice(world, "forget --undeclare moved", "")
}

/// A command that is killed, what is said then, and what the next ones make of it. One that does not
/// come by the place is killed in another world.
fn killed(world: &mut World, place: &str, command: &str, input: &str) -> anyhow::Result<()> {
    if !world.run_with(command, input, Some(place))?.is_killed {
        return Ok(());
    }
    world.run("check")?;
    world.run("token brand")?;
    if command.starts_with("deliver") {
        world.run("deliver")?;
    }
    world.run("refresh --json")?;
    world.run("check --json").map(drop)
}

//! Stores that are old, damaged, of another program, or not ours to open.

use std::os::unix::fs::PermissionsExt as _;

use anyhow::Context as _;
use chrono::TimeDelta;
use metatoken::sandbox::Scenario;
use rusqlite::Connection;

use crate::Plan;
use crate::world::World;

/// A store's state before a run.
struct Case {
    name: &'static str,
    spoil: fn(&World) -> anyhow::Result<()>,
}

const CASES: [Case; 12] = [
    Case { name: "schema-1", spoil: |world| dumped(world, include_str!("../schemas/v1.sql")) },
    Case { name: "schema-3", spoil: |world| dumped(world, include_str!("../schemas/v3.sql")) },
    Case { name: "newer", spoil: |world| sql(world, "PRAGMA user_version = 99") },
    Case { name: "foreign", spoil: |world| sql(world, "PRAGMA application_id = 7") },
    Case { name: "empty", spoil: |world| world.write("metatoken.db", "") },
    Case { name: "noise", spoil: |world| world.write("metatoken.db", &"noise ".repeat(999)) },
    Case {
        name: "key-gone",
        spoil: |world| Ok(std::fs::remove_file(world.path("metatoken.key"))?),
    },
    Case { name: "key-other", spoil: |world| world.write("metatoken.key", &"07".repeat(32)) },
    Case { name: "key-no", spoil: |world| world.write("metatoken.key", "this is none\n") },
    Case { name: "key-open", spoil: |world| mode(world, "metatoken.key", 0o644) },
    Case { name: "damaged-row", spoil: |world| sql(world, FLIPPED) },
    Case { name: "lock-open", spoil: |world| mode(world, "metatoken.db.lock", 0o666) },
];

const FLIPPED: &str = "UPDATE generation SET sealed = zeroblob(60) WHERE token =
                       (SELECT id FROM token WHERE label = 'brand') AND state = 'current'";

/// One world for each.
pub(crate) fn plans() -> Vec<Plan> {
    let plan =
        |case: &'static Case| Plan::new(format!("store-{}", case.name), |world| play(world, case));
    CASES.iter().map(plan).collect()
}

fn play(world: &mut World, case: &Case) -> anyhow::Result<()> {
    world.with_graph(Scenario::Healthy, "")?;
    world.run("refresh")?;
    (case.spoil)(world).with_context(|| case.name)?;
    for day in [1, 45] {
        world.at(TimeDelta::days(day))?;
        for command in [
            "check",
            "check --json",
            "status --offline",
            "status --json",
            "history --json",
            "token brand",
            "token shop",
            "refresh --dry-run",
            "deliver",
            "refresh -v",
            "check",
            "config check",
        ] {
            world.run(command)?;
        }
    }
    Ok(())
}

fn sql(world: &World, statement: &str) -> anyhow::Result<()> {
    Ok(Connection::open(world.path("metatoken.db"))?.execute_batch(statement)?)
}

/// A store of an older schema; its key is 32 bytes of 7.
fn dumped(world: &World, dump: &str) -> anyhow::Result<()> {
    for name in ["metatoken.db", "metatoken.db-wal", "metatoken.db-shm"] {
        let path = world.path(name);
        if path.exists() {
            std::fs::remove_file(path)?;
        }
    }
    world.write("metatoken.key", &"07".repeat(32))?;
    world.write("metatoken.db", "")?;
    sql(world, dump)
}

fn mode(world: &World, name: &str, mode: u32) -> anyhow::Result<()> {
    let rights = std::fs::Permissions::from_mode(mode);
    Ok(std::fs::set_permissions(world.path(name), rights)?)
}

//! `--sandbox` as an operator types it: the binary's own Graph, in every scenario.

use crate::world::World;
use crate::{Length, Plan};
use metatoken::sandbox::Scenario;

const COMMANDS: [&str; 10] = [
    "refresh",
    "check",
    "status",
    "history",
    "refresh --json",
    "status --json",
    "refresh --dry-run",
    "check --json",
    "deliver --test",
    "config show",
];

/// One for each scenario.
pub(crate) fn plans(length: Length) -> Vec<Plan> {
    let rehearse = |scenario: Scenario| {
        Plan::new(format!("sandbox-{scenario}"), move |world| rehearse(world, scenario, length))
    };
    Scenario::ALL.map(rehearse).into()
}

fn rehearse(world: &mut World, scenario: Scenario, length: Length) -> anyhow::Result<()> {
    let folder = format!("--sandbox={}", world.path("sandbox").display());
    let type_in = |world: &mut World, command: &str| -> anyhow::Result<()> {
        let mut words = vec![folder.as_str(), "--scenario", scenario.as_str()];
        words.extend(command.split_whitespace());
        world.start(&words, command, "", None).map(drop)
    };
    type_in(world, "config show")?;
    // One call at a time: what happens at once has no order that could be compared.
    let config = format!("sandbox/{scenario}/metatoken.toml");
    let text = std::fs::read_to_string(world.path(&config))?;
    world.write(&config, &format!("{text}\n[http]\nconcurrency = 1\n"))?;
    for step in 0..length.steps() {
        let command = COMMANDS[step % COMMANDS.len()];
        type_in(world, &format!("--now +{}h {command}", step * 26))?;
        let next = COMMANDS[(step * 3 + 1) % COMMANDS.len()];
        type_in(world, next)?;
    }
    type_in(world, "--now +1d refresh")
}

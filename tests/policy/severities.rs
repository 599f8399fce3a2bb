//! How bad a cause is: the run that met it says the same as the verdict that stands afterwards.

use std::process::{Command, Stdio};

use crate::common::{World, agree};

/// Every scenario, through a whole life.
#[test]
fn a_run_and_the_verdict_after_it_call_each_cause_equally_bad() {
    for scenario in ["healthy", "troubles", "outage", "throttled", "ending", "empty"] {
        let world = World::new();
        let sandbox = format!("--sandbox={}", world.path("sandbox").display());
        let run = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_metatoken"));
            command.env_clear().args([&sandbox, "--scenario", scenario]).args(arguments);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            world.finish(command.spawn().unwrap())
        };
        for moment in ["+0d", "+1h", "+2d", "+8d", "+45d", "+70d"] {
            let refresh = run(&["refresh", "--now", moment]);
            // What is about several runs is no cause of one.
            agree(&refresh, &run(&["check", "--tokens"]));
        }
    }
}

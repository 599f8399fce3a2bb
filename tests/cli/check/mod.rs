//! `check`, through the binary: one verdict for monitoring, in each form that a monitoring system
//! reads, and by whomever it is asked.

mod alerts;
mod bystander;
mod exposures;
mod first_line;
mod github;
mod http;
mod machinery;
mod metrics;
mod outage;
mod perfdata;
mod plugin;
mod prometheus;
mod scope;
mod textfile;
mod verdicts;

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP, Ran, World, ends};

const CONFIG: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
owner = "anna@client.example"

[token.shop]
type = "user"
access_token = { env = "SHOP" }
"#;

/// What a rehearsal can be like.
pub(super) const SCENARIOS: [&str; 4] = ["healthy", "troubles", "outage", "throttled"];

fn user(words: &str) -> TokenFixture {
    TokenFixture::user(APP, ANNA).named(words)
}

/// A world in which two tokens were adopted on day 0.
fn kept() -> World {
    let world =
        World::new().config(CONFIG).token("BRAND", user("brand")).token("SHOP", user("shop"));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.calls();
    world
}

/// A world in which so many user tokens wait in the environment, called `t1` and so on, each ending
/// a day after the one before, the first on day 60.
fn several(count: i64) -> World {
    let mut world = World::new();
    let mut config = String::new();
    for n in 1..=count {
        let variable = format!("T{n}");
        let _ = write!(
            config,
            "[token.t{n}]\ntype = \"user\"\naccess_token = {{ env = \"{variable}\" }}\n"
        );
        world = world.token(&variable, user("token").ending(ends(59 + n)));
    }
    world.config(&config)
}

/// Runs the binary in a sandbox of that scenario.
#[must_use = "a run is worth nothing unless it is looked at"]
pub(super) fn rehearse(world: &World, scenario: &str, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metatoken"));
    command
        .env_clear()
        .current_dir(world.path("."))
        .arg(format!("--sandbox={}", world.path("rehearsal").display()))
        .args(["--scenario", scenario])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    world.finish(command.spawn().unwrap())
}

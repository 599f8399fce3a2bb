//! Deliveries, through the binary: a renewed token is where it is used, or it is said why not.

mod at_random;
mod commands;
mod drift;
mod first;
mod formats;
mod in_place;
mod kills;
mod left_behind;
mod living;
mod machine;
mod pending;
mod recipes;
mod rehearsal;
mod restore;
mod two_sources;
mod ways;

use std::fs;

use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP, BRAND, Ran, World, day};

const ONE: &str = "EAAFAKEBrand1";
const TWO: &str = "EAAFAKEBrand2";

/// The application's file, and the value in it.
const APP_INI: &str =
    "[[token.brand.deliver]]\nname = \"app\"\nfile = \"app.ini\"\nkey = \"facebook.token\"\n";
/// The file of another application.
const WEB_ENV: &str =
    "[[token.brand.deliver]]\nname = \"web\"\nfile = \"web/.env\"\nkey = \"FB_TOKEN\"\n";

/// A world in which `brand` waits in the environment, and has these targets. The two files are
/// there; nothing was run yet.
fn world(targets: &str) -> World {
    let world = World::new()
        .config(&format!("{BRAND}\n{targets}"))
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    world.write("app.ini", ini("YOUR-KEY-HERE"));
    world.write("web/.env", "FB_TOKEN=\n");
    world
}

/// The same after the first run: all targets have the first string.
fn delivered(targets: &str) -> World {
    let world = world(targets);
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.calls();
    world
}

/// The same on day 45, when the token is due.
fn due(targets: &str) -> World {
    let mut world = delivered(targets);
    world.at(day(45));
    world
}

/// `app.ini` with that value.
fn ini(value: &str) -> String {
    format!("; of the application\n[facebook]\npage = 12\ntoken = {value} ; see the manual\n")
}

fn env(value: &str) -> String {
    format!("FB_TOKEN={value}\n")
}

/// What a file in the world's folder holds.
#[track_caller]
fn held(world: &World, name: &str) -> String {
    fs::read_to_string(world.path(name)).unwrap()
}

/// The targets of `brand`, by what a token of any report says: `app in_sync`.
#[track_caller]
fn states(token: &serde_json::Value) -> Vec<String> {
    let deliveries = token["deliveries"].as_array().unwrap_or_else(|| panic!("{token:#}"));
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    deliveries.iter().map(|it| format!("{} {}", word(&it["target"]), word(&it["state"]))).collect()
}

/// The reasons of a token, with how grave they are: `warning drifted`.
#[track_caller]
fn reasons(token: &serde_json::Value) -> Vec<String> {
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let reasons = token["reasons"].as_array().unwrap();
    reasons.iter().map(|it| format!("{} {}", word(&it["severity"]), word(&it["code"]))).collect()
}

/// The files that a delivery may have left beside its targets.
fn left_behind(world: &World) -> Vec<String> {
    let names = world.bytes_on_disk().into_iter();
    let names = names.map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| name.contains("metatoken-tmp")).collect()
}

/// A script in the world's folder, as the `command` of a target.
fn script(world: &World, name: &str, text: &str) -> String {
    world.write(name, text);
    format!("command = [\"/bin/sh\", \"{}\"]\n", world.path(name).display())
}

/// How many targets a run left without the string in use.
#[track_caller]
fn pending(ran: &Ran) -> u64 {
    ran.json()["summary"]["pending"].as_u64().unwrap()
}

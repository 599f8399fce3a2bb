//! A kill before every write of `forget`: the same command finishes it, nothing of another token is
//! touched, and no access token that was to be forgotten stays behind.

use std::fs;
use std::io::Write as _;

use metatoken::sandbox::TokenFixture;

use super::trace::{Kill, Log};
use super::{Examined, Harm, Seen, each, is_whole, names, timed, wrong};
use crate::common::{ANNA, APP, World, is_long};

const FORGET: &[&str] = &["forget", "--undeclare", "--targets", "brand"];
const BRAND: &str = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n\
                     [[token.brand.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\n\
                     [[token.brand.deliver]]\nfile = \"web.env\"\nkey = \"TOKEN\"\nwrite = \"in-place\"\n";
const SHOP: &str = "[token.shop]\ntype = \"user\"\naccess_token = { env = \"SHOP\" }\n\
                    [[token.shop.deliver]]\nfile = \"shop.env\"\nkey = \"TOKEN\"\n";

/// Two tokens, of which one has a file of its own.
fn world() -> World {
    let user = |name: &str| TokenFixture::user(APP, ANNA).named(name);
    let world = World::new().config(SHOP).token("BRAND", user("brand")).token("SHOP", user("shop"));
    for name in ["app.env", "web.env", "shop.env"] {
        world.write(name, "TOKEN=\nLAST=1\n");
    }
    world.write(
        "tokens.d/brand.toml",
        BRAND.replace("\"app.env\"", "\"../app.env\"").replace("\"web.env\"", "\"../web.env\""),
    );
    let _ = world.run(&["refresh", "--quiet"]).silent().code(0);
    world
}

/// What `forget` does when nothing kills it.
fn whole() -> (Log, std::collections::BTreeSet<String>) {
    let world = world();
    let (ran, log) = world.logged(FORGET, "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let _ = world.run(&["refresh", "--quiet"]).silent().code(0);
    (log, names(&world))
}

/// Kills it once; `by_a_timer` says whether a scheduled run comes before a person types it again.
fn kill(kill: &Kill, by_a_timer: bool, files: &std::collections::BTreeSet<String>) -> Examined {
    let world = world();
    let shop = world.in_use("shop");
    let is_killed = world.is_killed_before(kill, FORGET, "");
    timed(&world, &["check"])?;
    if world.run(&["token", "shop"]).stdout.trim_end() != shop {
        return Err((Harm::Lost, "the other token".to_owned()));
    }
    if by_a_timer {
        let ran = timed(&world, &["refresh"])?;
        if ran.code != Some(0) {
            let said = format!("{}\n{}", ran.stdout, ran.stderr);
            return wrong(format!("the timer's run ends with {:?}: {said}", ran.code));
        }
    }
    let ran = timed(&world, FORGET)?;
    if ran.code != Some(0) {
        let said = format!("{}\n{}", ran.stdout, ran.stderr);
        return wrong(format!("the same command ends with {:?}: {said}", ran.code));
    }
    for (name, value) in [("app.env", ""), ("web.env", ""), ("shop.env", shop.as_str())] {
        let held = fs::read_to_string(world.path(name)).unwrap_or_default();
        if held != format!("TOKEN={value}\nLAST=1\n") {
            return wrong(format!("`{name}` holds {held:?}"));
        }
    }
    let sealed: i64 = world
        .sql()
        .query_row(
            "SELECT count(*) FROM generation g JOIN token t ON t.id = g.token
             WHERE t.label = 'brand' AND g.sealed IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    if sealed > 0 || world.run(&["token", "brand"]).code == Some(0) {
        return wrong(format!("{sealed} access tokens of it are kept"));
    }
    if world.in_use("shop") != shop || world.events("brand").is_empty() {
        return Err((Harm::Lost, "the other token, or the history".to_owned()));
    }
    is_whole(&world)?;
    let ran = timed(&world, &["refresh", "--quiet"])?;
    if ran.code != Some(0) || !ran.stdout.is_empty() {
        return wrong(format!("a further run ends with {:?}: {}", ran.code, ran.stdout));
    }
    let left: Vec<String> = names(&world).difference(files).cloned().collect();
    if !left.is_empty() {
        return wrong(format!("left behind: {left:?}"));
    }
    Ok(Seen { is_killed, named: 0 })
}

/// Kills it before each of its calls, or before a sample of them, and counts what came of it.
pub(super) fn kill_at_every_call() {
    let (log, files) = whole();
    let kills = if is_long() { log.kills.clone() } else { log.sample(8) };
    let jobs: Vec<(Kill, bool)> =
        kills.into_iter().flat_map(|kill| [(kill.clone(), false), (kill, true)]).collect();
    let results = each(&jobs, |(at, by_a_timer)| kill(at, *by_a_timer, &files));
    let mut failures = Vec::new();
    let mut ended = 0;
    for ((Kill { call, nth, about, .. }, by_a_timer), result) in jobs.iter().zip(&results) {
        match result {
            Ok(seen) => ended += usize::from(!seen.is_killed),
            Err((harm, what)) => failures.push(format!(
                "{harm:?}: before {call} {nth} ({about}), a timer's run first: {by_a_timer}: {what}"
            )),
        }
    }
    let counted = format!(
        "kills: {} kills of forget, {} wrong; {ended} runs ended before their kill\n",
        jobs.len() - ended,
        failures.len()
    );
    // Past the harness, which hides what a passing test prints.
    let _ = std::io::stderr().write_all(counted.as_bytes());
    assert!(failures.is_empty(), "\n{}\n{counted}", failures.join("\n"));
    assert!(ended * 5 < jobs.len(), "too few runs were killed: {counted}");
}

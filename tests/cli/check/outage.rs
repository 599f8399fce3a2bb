//! What many tokens share: an outage that is nobody's fault changes no colour until nobody knows
//! any more what a token is worth; and one cause is one line.

use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Rule};

use super::several;
use crate::common::{APP, World, day};
use crate::common::{cannot_mount, skip};

/// Five tokens on day 0, of a Graph that will be asked once a call.
fn five() -> World {
    let world = several(5);
    let config = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
    world.write("metatoken.toml", format!("{config}\n[http]\nattempts = 1\n"));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world
}

/// A run every twelve hours from one half day to another, none of which reaches Graph if it asks,
/// and the verdict after each.
fn fails(world: &mut World, half_days: std::ops::RangeInclusive<i32>, verdict: u8) {
    for n in half_days {
        world.at(day(0) + TimeDelta::hours(12) * n);
        // The proofs of day 0 are good for a day.
        world.run(&["refresh", "--json"]).exit(if n < 2 { Exit::Ok } else { Exit::Unavailable });
        let ran = world.run(&["check"]);
        assert_eq!(ran.code, Some(verdict.into()), "after {n} half days: {}", ran.stdout);
    }
}

#[test]
fn an_outage_changes_no_colour_until_proofs_are_old() {
    let mut world = five();
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    fails(&mut world, 1..=6, 0);
    world.at(day(3) + TimeDelta::seconds(1));
    world.run(&["check"]).verdict("
METATOKEN WARNING - t1 and 4 more: not checked since 2026-01-01, no answer from Graph for more…; operator: metatoken refresh -v
WARNING: `t1`, `t2`, `t3`, `t4` and `t5`: not checked since 2026-01-01, no answer from Graph for more than 3 days (`checked_within`)
  run `metatoken refresh -v` to see why Graph was not reached. Proof: `metatoken check t1`
").stderr("").code(1);
    fails(&mut world, 7..=14, 1);
    world.at(day(7) + TimeDelta::seconds(1));
    world
        .run(&["check"])
        .verdict(
            "
METATOKEN CRITICAL - t1 and 4 more: not checked since 2026-01-01, no answer from Graph for more…; operator: metatoken refresh -v
CRITICAL: `t1`, `t2`, `t3`, `t4` and `t5`: not checked since 2026-01-01, no answer from Graph for more than 7 days (`checked_within`)
  run `metatoken refresh -v` to see why Graph was not reached. Proof: `metatoken check t1`
",
        )
        .stderr("")
        .code(2);
    // Once it is over all is well at once.
    world.graph.behave();
    world.at(day(7) + TimeDelta::hours(1));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 5 tokens, all well\n").code(0);
}

#[test]
fn a_timer_that_stopped_is_one_line_however_much_follows_from_it() {
    let mut world = five();
    // The proofs are old, and the renewals are due and late.
    world.at(day(45));
    world.run(&["check"]).verdict("
METATOKEN CRITICAL - t1 and 4 more: no run since 2026-01-01 00:00 UTC, 45 days ago; operator: metatoken refresh
CRITICAL: `t1`, `t2`, `t3`, `t4` and `t5`: no run since 2026-01-01 00:00 UTC, 45 days ago
  run `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check t1`
").stderr("").code(2);
}

#[test]
fn an_app_that_is_switched_off_is_one_line() {
    let mut world = five();
    world.graph.with(|graph| graph.app_mut(APP).unwrap().disabled = true);
    world.at(day(1));
    world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
    world.run(&["check"]).verdict("
METATOKEN WARNING - t1 and 4 more: works, app main is disabled; operator opens the app's dashboard: metatoken refresh
WARNING: `t1`, `t2`, `t3`, `t4` and `t5`: works, app `main` is disabled
  open the dashboard of app `main` (1000000000000001) and follow its alerts until the app is live again; then run `metatoken refresh`. Proof: `metatoken check t1`. Meta: \"API access deactivated. To reactivate, go to the app dashboard\" (200)
").stderr("").code(1);
}

#[test]
fn an_outage_at_the_first_run_is_one_cause() {
    let world = several(3);
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    let _ = world.run(&["refresh", "--quiet"]).exit(Exit::Unavailable);
    world
        .run(&["check"])
        .verdict(
            "
METATOKEN UNKNOWN - t1 and 2 more: not checked yet, Graph has not answered about the new access token; operator: metatoken refresh
UNKNOWN: `t1`, `t2` and `t3`: not checked yet, Graph has not answered about the new access token
  run `metatoken refresh`. Proof: `metatoken check t1`
",
        )
        .code(3);
}

/// A name server that hears and never answers, at an address that no other process has taken.
fn dead_name_server() -> (UdpSocket, Ipv4Addr) {
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, 53, high, low.max(1));
    (UdpSocket::bind((address, 53)).unwrap(), address)
}

#[test]
fn a_resolver_that_hangs_keeps_nobody_longer_than_the_question() {
    let name = "a resolver that hangs keeps nobody longer than the question";
    if let Some(why) = cannot_mount() {
        return skip(name, &why);
    }
    let world = several(1);
    let config = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
    let (config, _) = config.split_once("[endpoints]").unwrap();
    let token = "[token.t1]\ntype = \"user\"\naccess_token = { env = \"T1\" }\n";
    world.write("metatoken.toml", format!("{config}{token}[http]\ntimeout = \"1s\"\n"));
    let (_hears, address) = dead_name_server();
    let resolver = format!("nameserver {address}\noptions timeout:20 attempts:1\n");
    world.write("resolv.conf", resolver);
    let check = world.command(&["check", "--live"]);
    let mount = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
    let mut machine = Command::new("unshare");
    machine.args(["--mount", "sh", "-c", mount]).arg(world.path("resolv.conf"));
    // Without the time, which only a Graph on this machine can be given.
    machine.arg(check.get_program()).arg("--config").arg(world.path("metatoken.toml"));
    machine.args(["check", "--live"]);
    machine.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
    machine.envs(check.get_envs().filter_map(|(name, value)| Some((name, value?))));
    machine.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let began = Instant::now();
    let ran = world.finish(machine.spawn().unwrap()).code(3);
    assert!(ran.stderr.contains("no answer from `graph.facebook.com` within 1s"), "{}", ran.stderr);
    assert!(began.elapsed() < Duration::from_secs(10), "it waited for the resolver");
}

//! The metrics and the alert rules, read by the programs that they are for: `promtool`, a node
//! exporter and a Prometheus of their own on loopback.

mod exporter;
mod grafana;
mod listening;
mod server;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use metatoken::exit::Exit;
use metatoken::sandbox::{Invalidation, TokenFixture};

use super::{lacking, shipped, skip};
use crate::common::{ANNA, APP, World, day, mode, until};
use exporter::{NodeExporter, Samples};
use server::Prometheus;

const RULES: &str = "prometheus/metatoken.rules.yml";
const TESTS: &str = "prometheus/metatoken.rules.test.yml";

/// Where node exporter looks, in the world's folder.
const TEXTFILE: &str = "node-exporter/metatoken.prom";

const CONFIG: &str = r#"
[alerts]
textfile = "node-exporter/metatoken.prom"

[token.brand]
type = "user"
access_token = { env = "BRAND" }
pages = "all"

[[token.brand.deliver]]
file = "app.env"
key = "FB_TOKEN"

[token.shop]
type = "user"
access_token = { env = "SHOP" }

[[token.shop.deliver]]
name = 'its "shop", \ and all'
file = "shop.json"
key = "token"
"#;

/// A world with all that can be measured: tokens with and without an end, one of them dead, a
/// delivery that was made and one that is pending.
fn measured() -> World {
    let brand = TokenFixture::user(APP, ANNA).named("brand");
    let (without_the_shops_target, _) = CONFIG.split_once("[[token.shop.deliver]]").unwrap();
    let mut world = World::new()
        .config(without_the_shops_target)
        .token("BRAND", brand.scopes(["public_profile", "pages_show_list"]))
        .token("SHOP", TokenFixture::user(APP, ANNA).named("shop"));
    world.write("app.env", "FB_TOKEN=\n");
    world.write("node-exporter/empty.prom", "");
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok);
    world.reconfigure(CONFIG);
    world.run(&["refresh", "--quiet"]).exit(Exit::NotDelivered);
    world.at(day(41));
    world.graph.with(|graph| graph.invalidate("EAAFAKEShop1", Invalidation::PasswordChanged));
    world.run(&["refresh", "--quiet"]).exit(Exit::PersonNeeded);
    world
}

/// The metrics of a world, as `check` writes them.
fn textfile(world: &World) -> String {
    world.run(&["check", "--textfile", TEXTFILE]).stderr("").code(2);
    assert_eq!(mode(&world.path(TEXTFILE)), 0o644);
    std::fs::read_to_string(world.path(TEXTFILE)).unwrap()
}

/// What `promtool` says when it is given this.
#[track_caller]
fn promtool(arguments: &[&str], input: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/deployment/prometheus");
    let mut child = Command::new("promtool")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let ran = child.wait_with_output().unwrap();
    let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(ran.status.success(), "{}: {said}", ran.status);
    said
}

/// The names of our metrics in a text.
fn metrics(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
    words
        .filter(|word| word.strip_prefix("metatoken_").is_some_and(|rest| !rest.is_empty()))
        .collect()
}

/// The values behind a key, one a line, in the order of the file.
fn values<'a>(yaml: &'a str, key: &str) -> Vec<&'a str> {
    yaml.lines().filter_map(|line| line.trim().strip_prefix(key)).map(str::trim).collect()
}

#[test]
fn promtool_accepts_the_rules_and_their_tests() {
    if let Some(why) = lacking(&["promtool"]) {
        return skip("packaging::prometheus::promtool_accepts_the_rules_and_their_tests", &why);
    }
    let said = promtool(&["check", "rules", "metatoken.rules.yml"], "");
    let rules = values(&shipped(RULES), "- alert:").len();
    assert!(said.contains(&format!("SUCCESS: {rules} rules found")), "{said}");
    let said = promtool(&["test", "rules", "metatoken.rules.test.yml"], "");
    assert!(said.contains("SUCCESS"), "{said}");
}

#[test]
fn every_alert_is_tested_to_fire_and_to_be_silent() {
    let (rules, tests) = (shipped(RULES), shipped(TESTS));
    let expected = |silent: bool| -> BTreeSet<&str> {
        let tried = values(&tests, "alertname:").into_iter();
        let outcomes = values(&tests, "exp_alerts:").into_iter();
        let tried = tried.zip(outcomes).filter(|(_, outcome)| (*outcome == "[]") == silent);
        tried.map(|(alert, _)| alert).collect()
    };
    let alerts: BTreeSet<&str> = values(&rules, "- alert:").into_iter().collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    assert_eq!(expected(false), alerts, "those that are tested to fire");
    assert_eq!(expected(true), alerts, "those that are tested to be silent");
}

#[test]
fn every_metric_of_the_rules_is_written() {
    let world = measured();
    let written = textfile(&world);
    let rules = shipped(RULES);
    let asked = metrics(&rules);
    assert!(asked.len() > 8, "{asked:?}");
    let unknown: Vec<_> = asked.difference(&metrics(&written)).copied().collect();
    assert!(unknown.is_empty(), "{unknown:?} in no line of\n{written}");
}

#[test]
fn a_run_writes_what_check_writes() {
    let world = measured();
    let by_the_run = std::fs::read_to_string(world.path(TEXTFILE)).unwrap();
    assert_eq!(by_the_run, textfile(&world));
    assert!(by_the_run.contains("\nmetatoken_run_exit_code 77\n"), "{by_the_run}");
}

#[test]
fn promtool_finds_nothing_to_say_of_the_textfile() {
    if let Some(why) = lacking(&["promtool"]) {
        return skip("packaging::prometheus::promtool_finds_nothing_to_say_of_the_textfile", &why);
    }
    assert_eq!(promtool(&["check", "metrics"], &textfile(&measured())), "");
}

#[test]
fn a_node_exporter_gives_out_every_sample() {
    if let Some(why) = lacking(&["prometheus-node-exporter"]) {
        return skip("packaging::prometheus::a_node_exporter_gives_out_every_sample", &why);
    }
    let world = measured();
    let written = Samples::of(&textfile(&world));
    assert!(written.len() > 20, "{written:#?}");
    let exporter = NodeExporter::start(&world.path("node-exporter"));
    let given_out = exporter.metrics();
    assert_eq!(Samples::of(&given_out), written);
    let broken = "node_textfile_scrape_error 0\n";
    assert!(given_out.contains(broken), "{given_out}");
    let seen = "node_textfile_mtime_seconds{file=";
    assert!(given_out.contains(seen), "the rules ask for it: {given_out}");
}

#[test]
fn prometheus_raises_the_alarm() {
    if let Some(why) = lacking(&["prometheus", "prometheus-node-exporter"]) {
        return skip("packaging::prometheus::prometheus_raises_the_alarm", &why);
    }
    let world = measured();
    let _ = textfile(&world);
    let exporter = NodeExporter::start(&world.path("node-exporter"));
    let prometheus = Prometheus::start(&world, &exporter);
    // The world's time is long over for a Prometheus of today.
    for alert in ["MetatokenTokenInvalid critical shop", "MetatokenRunMissing critical -"] {
        until(alert, || prometheus.firing().contains(alert));
    }
}

//! Annotations of a workflow: one command a cause, whatever is in its words.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, Rule};

use super::{SCENARIOS, kept, rehearse, several, user};
use crate::common::{BRAND, World, day};

const ANNOTATIONS: &[&str] = &["check", "--format", "github"];

#[test]
fn a_cause_is_an_annotation() {
    let mut world = kept();
    world.run(ANNOTATIONS).verdict("\nMETATOKEN OK - 2 tokens, all well\n").stderr("").code(0);
    world.graph.with(|graph| graph.invalidate("EAAFAKEShop1", Invalidation::Revoked));
    world.at(day(1));
    world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
    world.at(day(3));
    world.run(ANNOTATIONS).stdout("
::error title=metatoken%3A `shop`::down, revoked%0Athe person behind the token logs in to the app again: run `metatoken login shop`. Proof: `metatoken check shop`. Meta: \"The session was invalidated explicitly using an API call\" (190/466)
::warning title=metatoken::no run since 2026-01-02 00:00 UTC, 2 days ago%0Arun `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check --system`
METATOKEN CRITICAL - shop: down, revoked; its owner logs in: metatoken login shop (and 1 more)
").stderr("").code(2);
}

#[test]
fn what_would_end_a_command_is_escaped() {
    let world = World::new()
        .config(&format!("[http]\nattempts = 1\n{BRAND}owner = \"anna\\n::error::\"\n"))
        .token("BRAND", user("brand").aged(TimeDelta::days(51)));
    let body =
        r#"{"error":{"message":"5 % | more:\n::error::x, y","type":"OAuthException","code":1}}"#;
    let raw = FaultInjection::Raw {
        status: 500,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
    };
    world.graph.misbehave(Rule::on("/oauth/access_token"), raw);
    world.run(&["refresh", "--json"]).exit(Exit::Unavailable);
    world.run(ANNOTATIONS).stdout("
::warning title=metatoken%3A `brand`::works, expires in 9 days (2026-01-10 00:00 UTC), renewal failed: Graph is unavailable%0Ano action tonight: it is retried by each run until 2026-01-07. If this is still here then, anna%0A::error:: logs in to the app again: run `metatoken login brand`. Meta: \"5 %25 | more: ::error::x, y\" (1)
METATOKEN WARNING - brand: works, expires in 9 days, renewal failed…; no action tonight: retried by each run until 2026-01-07
").stderr("").code(1);
}

#[test]
fn many_labels_are_one_title() {
    let mut world = several(3);
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.at(day(4));
    world.run(ANNOTATIONS).stdout("
::error title=metatoken%3A `t1`%2C `t2` and `t3`::no run since 2026-01-01 00:00 UTC, 4 days ago%0Arun `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check t1`
METATOKEN CRITICAL - t1 and 2 more: no run since 2026-01-01 00:00 UTC, 4 days ago; operator: metatoken refresh
").stderr("").code(2);
}

#[test]
fn every_scenario_prints_commands_and_a_last_line() {
    for scenario in SCENARIOS {
        let world = World::new();
        let _ = rehearse(&world, scenario, &["refresh"]);
        let ran = rehearse(&world, scenario, ANNOTATIONS);
        let mut lines: Vec<&str> = ran.stdout.lines().collect();
        assert!(lines.pop().unwrap().starts_with("METATOKEN "), "{}", ran.stdout);
        for line in lines {
            let (command, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
            let (level, title) = command.split_once(" title=").unwrap();
            assert!(["error", "warning"].contains(&level), "{line}");
            assert!(!title.contains([':', ',']) && !message.is_empty(), "{line}");
        }
    }
}

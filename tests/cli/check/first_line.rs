//! The first line: what a pager shows, whatever Meta said and however many tokens it is about.

use std::fmt::Write as _;

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Rule};

use super::plugin::Output;
use super::{SCENARIOS, rehearse, several, user};
use crate::common::{BRAND, World, day};

/// Graph's answer to every renewal.
fn renewals_fail_with(world: &World, message: &str) {
    let body =
        serde_json::json!({"error": {"message": message, "type": "OAuthException", "code": 1}});
    let raw = FaultInjection::Raw {
        status: 500,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: body.to_string().into_bytes(),
    };
    world.graph.misbehave(Rule::on("/oauth/access_token"), raw);
}

/// What `check` says of tokens that end in nine days and of which each renewal fails so.
fn nine_days_left(labels: &[&str], message: &str) -> Output {
    let mut config = "[http]\nattempts = 1\nconcurrency = 1\n".to_owned();
    let mut world = World::new();
    for label in labels {
        let _ = write!(
            config,
            "[token.{label}]\ntype = \"user\"\naccess_token = {{ env = \"V_{label}\" }}\n"
        );
        world = world.token(&format!("V_{label}"), user("token").aged(TimeDelta::days(51)));
    }
    let world = world.config(&config);
    renewals_fail_with(&world, message);
    world.run(&["refresh", "--json"]).exit(Exit::Unavailable);
    Output::of(&world.run(&["check"]).code(1))
}

fn length(line: &str) -> usize {
    line.chars().count()
}

#[test]
fn it_is_short_in_every_scenario() {
    for scenario in SCENARIOS {
        let world = World::new();
        for asked in [
            &["check"][..],
            &["refresh"],
            &["check"],
            &["check", "--now", "+5d"],
            &["check", "--now", "+70d"],
        ] {
            let ran = rehearse(&world, scenario, asked);
            if asked[0] == "check" {
                let line = Output::of(&ran).text;
                assert!(length(&line) < 200, "{scenario}: {line}");
            }
        }
    }
}

#[test]
fn a_long_message_is_shortened_and_what_stands_around_it_is_not() {
    let output = nine_days_left(&["a", "b"], &"please wait ".repeat(40));
    assert_eq!(
        output.text,
        "METATOKEN WARNING - a: works, expires in 9 days; no action tonight: retried by each run until 2026-01-07 (and 1 more)"
    );
    // Below it there is room for more of Meta's words, as far as the next whole one.
    let quoted = format!("Meta: \"{}…\" (1)", "please wait ".repeat(7).trim_end());
    assert!(output.details[1].ends_with(&quoted), "{}", output.details[1]);
}

#[test]
fn a_label_without_end_leaves_the_line_short() {
    for count in [1, 2] {
        let labels = [&"long-".repeat(50), "b"];
        let line = nine_days_left(&labels[..count], "wait").text;
        assert!(length(&line) < 200, "{line}");
        assert!(line.starts_with("METATOKEN WARNING - long-long-"), "{line}");
    }
    // The same for what was typed.
    let world = World::new();
    let ran = world.run(&["check", &"x".repeat(300)]).code(3);
    assert!(length(ran.stdout.trim_end()) < 200, "{}", ran.stdout);
    assert!(ran.stderr.contains(&"x".repeat(300)), "{}", ran.stderr);
}

#[test]
fn of_many_labels_the_first_is_named() {
    let mut world = several(30);
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.at(day(2));
    let output = Output::of(&world.run(&["check"]).code(1));
    assert_eq!(
        output.text,
        "METATOKEN WARNING - no run since 2026-01-01 00:00 UTC, 2 days ago; operator: metatoken refresh"
    );
    world.at(day(5));
    let output = Output::of(&world.run(&["check"]).code(2));
    assert_eq!(
        output.text,
        "METATOKEN CRITICAL - t1 and 29 more: no run since 2026-01-01 00:00 UTC, 5 days ago; operator: metatoken refresh"
    );
    assert_eq!(output.details.len(), 2);
    // The cause stands behind them, where no monitoring system has cut the line yet.
    assert!(output.details[0].contains("`t9`, `t10` and 20 more: no run since"));
    let json = world.run(&["check", "--json"]).code(2).json();
    assert_eq!(json["tokens"].as_array().unwrap().len(), 30);
}

#[test]
fn a_bar_in_what_meta_says_draws_nothing() {
    let output = nine_days_left(&["a"], "wait | 'a'=1s;2;3\nfor\tlong");
    assert!(
        output.details[1].ends_with("Meta: \"wait / 'a'=1s;2;3 for long\" (1)"),
        "{:?}",
        output.details
    );
    assert_eq!(output.value("a"), 9 * 24 * 60 * 60);
}

#[test]
fn a_line_break_in_the_config_makes_no_line() {
    let world = World::new()
        .config(&BRAND.replace("[token.brand]", "[token.brand]\nowner = \"anna\\n|| nobody\""))
        .token("BRAND", user("brand").aged(TimeDelta::days(51)));
    renewals_fail_with(&world, "wait");
    world.run(&["refresh", "--json"]).exit(Exit::Unavailable);
    world.run(&["check", "--perfdata", "none"]).verdict("
METATOKEN WARNING - brand: works, expires in 9 days, renewal failed…; no action tonight: retried by each run until 2026-01-07
WARNING: `brand`: works, expires in 9 days (2026-01-10 00:00 UTC), renewal failed: Graph is unavailable
  no action tonight: it is retried by each run until 2026-01-07. If this is still here then, anna // nobody logs in to the app again: run `metatoken login brand`. Meta: \"wait\" (1)
").code(1);
}

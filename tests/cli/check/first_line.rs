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
    let line = output.text;
    assert_eq!(length(&line), 199, "{line}");
    assert!(line.starts_with("METATOKEN WARNING - a: it ends 2026-01-10 00:00 UTC, in 9 days"));
    assert!(line.ends_with("wait ple…, and 1 more cause"), "{line}");
    // Below it there is room for every word.
    assert!(output.details[0].contains(&"please wait ".repeat(20)), "{}", output.details[0]);
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
        "METATOKEN WARNING - the last run finished 2026-01-01 00:00 UTC, 2 days ago"
    );
    world.at(day(5));
    let output = Output::of(&world.run(&["check"]).code(2));
    assert_eq!(
        output.text,
        "METATOKEN CRITICAL - t1 and 29 more: the last run finished 2026-01-01 00:00 UTC, 5 days ago"
    );
    assert_eq!(output.details.len(), 1);
    assert!(output.details[0].contains("`t28`, `t29` and `t30`: the last run"));
}

#[test]
fn a_bar_in_what_meta_says_draws_nothing() {
    let output = nine_days_left(&["a"], "wait | 'a'=1s;2;3\nfor\tlong");
    assert!(
        output.text.ends_with("failed: wait / 'a'=1s;2;3 for long (code 1)"),
        "{}",
        output.text
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
METATOKEN WARNING - brand: it ends 2026-01-10 00:00 UTC, in 9 days, and the last renewal failed: wait (code 1)
WARNING: `brand`: it ends 2026-01-10 00:00 UTC, in 9 days, and the last renewal failed: wait (code 1); it is tried again by itself; should that not help, anna // nobody logs in to the app again; then run `metatoken exchange brand` and paste the new access token
").code(1);
}

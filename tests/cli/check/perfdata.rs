//! The numbers behind the bar: what a monitoring system draws.

use metatoken::sandbox::{Invalidation, TokenFixture};

use super::plugin::Output;
use super::{SCENARIOS, kept, rehearse, several, user};
use crate::common::{ANNA, APP, BAKERY, ROBOT, World, day, ends};

/// One token of each kind of end.
const ENDS: &str = r#"
[token.dated]
type = "user"
access_token = { env = "DATED" }

[token."dated/2000000000000001"]
type = "page"
page_id = "2000000000000001"
access_token = { env = "PAGE" }
auto_refresh = false

[token.early]
type = "user"
access_token = { env = "EARLY" }
warn_within = "30d"
critical_within = "36h"

[token.by-hand]
type = "user"
access_token = { env = "BY_HAND" }
auto_refresh = false

[token.dead]
type = "user"
access_token = { env = "DEAD" }

[token.expired]
type = "user"
access_token = { env = "EXPIRED" }
auto_refresh = false

[token.robot]
type = "system-user"
access_token = { env = "ROBOT" }

[token.asleep]
type = "user"
access_token = { env = "DATED" }
enabled = false
"#;

#[test]
fn each_dated_token_has_the_time_that_is_left_and_its_own_limits() {
    let mut world = World::new()
        .config(ENDS)
        .token("DATED", user("dated"))
        .token("PAGE", TokenFixture::page(APP, ANNA, BAKERY).ending(ends(45)))
        .token("EARLY", user("early").ending(ends(50)))
        .token("BY_HAND", user("by-hand").ending(ends(40)))
        .token("DEAD", user("dead").ending(ends(55)))
        .token("EXPIRED", user("expired").ending(ends(5)))
        .token("ROBOT", TokenFixture::system_user(APP, ROBOT).named("robot"));
    let _ = world.run(&["refresh"]);
    world.graph.with(|graph| graph.invalidate("EAAFAKEDead1", Invalidation::Revoked));
    world.at(day(6));
    let _ = world.run(&["refresh"]);
    let ran = world.run(&["check"]).code(2);
    let (first, _) = ran.stdout.split_once('\n').unwrap();
    let (_, numbers) = first.split_once(" | ").unwrap();
    assert_eq!(
        numbers,
        "'dated'=4665600s;864000:;259200: \
         'dated/2000000000000001'=3369600s;1209600:;604800: \
         'early'=3801600s;2592000:;129600: \
         'by-hand'=2937600s;1209600:;604800: \
         'dead'=0s;864000:;259200: \
         'expired'=0s;1209600:;604800: \
         tokens=7;;;0 ok=5 warning=0 critical=2 unknown=0",
        "what never ends and what is asleep is not drawn"
    );
}

#[test]
fn twenty_are_drawn_and_of_more_only_the_soonest() {
    for (count, drawn) in [(20, 20), (21, 1)] {
        let world = several(count);
        world.run(&["refresh", "--quiet"]).silent().code(0);
        let read = |arguments: &[&str]| Output::of(&world.run(arguments).code(0));
        let few = read(&["check"]);
        assert_eq!(few.seconds().count(), drawn, "of {count}");
        assert_eq!(few.value("t1"), 60 * 24 * 60 * 60, "the soonest of {count}");
        let all = read(&["check", "--perfdata", "all"]);
        let labels: Vec<&str> = all.seconds().map(|series| series.label.as_str()).collect();
        let config: Vec<String> = (1..=count).map(|n| format!("t{n}")).collect();
        assert_eq!(labels, config, "in the config's order");
        let none = read(&["check", "--perfdata", "none"]);
        assert_eq!(none.seconds().count(), 0);
        for output in [few, all, none] {
            assert_eq!((output.value("tokens"), output.value("ok")), (count, count));
        }
    }
}

#[test]
fn what_is_to_be_drawn_can_be_asked_for() {
    let world = kept();
    let counts = "tokens=2;;;0 ok=2 warning=0 critical=0 unknown=0";
    let two = "'brand'=5184000s;864000:;259200: 'shop'=5184000s;864000:;259200:";
    for (which, numbers) in [
        ("few", format!("{two} {counts}")),
        ("all", format!("{two} {counts}")),
        ("none", counts.to_owned()),
    ] {
        world
            .run(&["check", "--perfdata", which])
            .stdout(&format!("METATOKEN OK - 2 tokens, all well | {numbers}\n"))
            .stderr("")
            .code(0);
    }
    world.run(&["check", "--perfdata", "some"]).code(3);
}

#[test]
fn every_scenario_prints_what_a_monitoring_system_reads() {
    for (scenario, refreshed) in SCENARIOS.iter().flat_map(|it| [(it, false), (it, true)]) {
        let world = World::new();
        if refreshed {
            let _ = rehearse(&world, scenario, &["refresh"]);
        }
        for asked in [
            &["check"][..],
            &["check", "--perfdata", "all"],
            &["check", "--tokens"],
            &["check", "--system"],
            &["check", "--now", "+4d"],
            &["check", "--now", "+46d"],
        ] {
            let output = Output::of(&rehearse(&world, scenario, asked));
            let healths = ["ok", "warning", "critical", "unknown"];
            let total: i64 = healths.iter().map(|health| output.value(health)).sum();
            assert_eq!(output.value("tokens"), total, "{scenario}: {asked:?}");
            // Whoever trusts the numbers alone is not told more than by the verdict.
            for series in output.seconds() {
                let (warns, critical) = series.alerts();
                let grave = if critical { "CRITICAL: " } else { "" };
                let label = format!("`{}`", series.label);
                let is_told = |line: &String| line.starts_with(grave) && line.contains(&label);
                assert!(!warns || output.details.iter().any(is_told), "{scenario}: {series:?}");
            }
        }
    }
}

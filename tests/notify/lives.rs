//! Which notifications come on which day.

use std::fmt::Write as _;

use chrono::TimeDelta;
use metatoken::sandbox::{Listing, PageFixture, TokenFixture};

use super::{CHAT, DEAD, kill, logs_in_again, well};
use crate::common::{ANNA, APP, World, day};

#[test]
fn a_token_that_only_a_person_can_renew() {
    let (mut world, hook) = well(&format!("auto_refresh = false\n{CHAT}"));
    let mut said = Vec::new();
    for today in 39..=62 {
        world.at(day(today));
        if today == 62 {
            logs_in_again(&world);
        }
        let _ = world.run(&["refresh", "--quiet"]);
        // The hour does not matter, nor how often it is looked.
        let _ = world.run(&["check", "--notify", "--quiet"]);
        said.extend(hook.said().into_iter().map(|line| format!("day {today}: {line}")));
    }
    assert_eq!(
        said,
        [
            "day 46: WARNING: brand: works, expires in 14 days, auto_refresh is off; its owner logs in: metatoken login brand",
            "day 53: CRITICAL: brand: works, expires in 7 days, auto_refresh is off; its owner logs in: metatoken login brand",
            "day 59: REMINDER: brand: works, expires in 24 hours, auto_refresh is off; its owner logs in: metatoken login brand",
            "day 60: CRITICAL: brand: down since 2026-03-02, expired; its owner logs in: metatoken login brand",
            "day 62: RECOVERED: brand: recovered, was: expired",
        ]
    );
}

#[test]
fn a_clock_that_is_wrong_for_a_day_takes_nothing_back() {
    let (mut world, hook) = well(&format!("auto_refresh = false\n{CHAT}"));
    let mut said = Vec::new();
    for today in 45..=50 {
        world.at(day(today));
        if today == 47 || today == 48 {
            world.our_clock_at(day(today) - TimeDelta::hours(3));
        }
        let _ = world.run(&["refresh", "--quiet"]);
        said.extend(hook.said().into_iter().map(|line| format!("day {today}: {line}")));
    }
    assert_eq!(
        said,
        [
            "day 46: WARNING: brand: works, expires in 14 days, auto_refresh is off; its owner logs in: metatoken login brand",
            "day 48: WARNING: the clock of this machine is 3 hours behind Graph's; operator: timedatectl set-ntp true",
            "day 49: RECOVERED: recovered, was: the clock of this machine is 3 hours behind Graph's",
        ]
    );
}

#[test]
fn access_to_data_that_only_a_person_can_prolong() {
    let config = format!("pages = \"all\"\ndata_access_within = [\"10d\", \"3d\"]\n{CHAT}");
    let (mut world, hook) = well(&config);
    let mut said = Vec::new();
    // The string is renewed on day 40; access to data is not.
    for today in (1..75).step_by(7).chain(75..=92) {
        world.at(day(today));
        let _ = world.run(&["refresh", "--quiet"]);
        said.extend(hook.heard().into_iter().map(|it| {
            let text = it.text();
            let lines: Vec<&str> = text
                .lines()
                .filter(|it| !it.starts_with("what") && !it.starts_with("from"))
                .collect();
            format!("day {today}: {}", lines.join(" | "))
        }));
    }
    let all = "`brand`, `brand/2000000000000001` and `brand/2000000000000002`";
    let act = "its owner logs in: metatoken login brand";
    let (at, proof) = ("2026-04-01 00:00 UTC", "proof: metatoken check brand");
    let due = |left: &str| format!("deadline: {at}, {left}, when data access expires | {proof}");
    let expires = |left: &str| format!("works, data access expires {left}; {act}");
    let reminded = |left: &str| {
        format!("REMINDER: brand and 2 more: {} | tokens: {all} | {}", expires(left), due(left))
    };
    assert_eq!(
        said,
        [
            format!("day 76: {}", reminded("in 14 days")),
            format!(
                "day 80: WARNING: brand: {} | {}",
                expires("in 10 days (2026-04-01 00:00 UTC)"),
                due("in 10 days")
            ),
            format!("day 83: {}", reminded("in 7 days")),
            format!(
                "day 87: CRITICAL: brand: {} | {}",
                expires("in 3 days (2026-04-01 00:00 UTC)"),
                due("in 3 days")
            ),
            format!("day 89: {}", reminded("in 24 hours")),
            format!(
                "day 90: CRITICAL: brand and 2 more: works, data access expired now; {act} | tokens: {all} | deadline: passed: programs that use the token fail already | {proof}"
            ),
        ]
    );
}

#[test]
fn an_app_that_is_disabled_is_one_message_for_five_tokens() {
    let mut config = "[http]\nconcurrency = 1\nattempts = 1\n".to_owned();
    let mut world = World::new();
    for label in ["one", "two", "three", "four", "five"] {
        let variable = label.to_uppercase();
        let _ = writeln!(
            config,
            "[token.{label}]\ntype = \"user\"\naccess_token = {{ env = \"{variable}\" }}"
        );
        world = world.token(&variable, TokenFixture::user(APP, ANNA).named(label));
    }
    let (mut world, hook) = world.told_through(&format!("{config}{CHAT}"));
    world.run(&["refresh"]).code(0);
    world.at(day(2));
    world.graph.with(|graph| graph.app_mut(APP).unwrap().disabled = true);
    world.run(&["refresh"]).code(77);
    let [message] = hook.heard().try_into().unwrap();
    let deactivated =
        "works, app main is disabled; operator opens the app's dashboard: metatoken refresh";
    let text = message.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..4],
        [
            &format!("WARNING: one and 4 more: {deactivated}"),
            "tokens: `one`, `two`, `three`, `four` and `five`",
            "deadline: 2026-03-02 00:00 UTC, in 58 days, when the token expires",
            "what to do: open the dashboard of app `main` (1000000000000001) and follow its alerts until the app is live again; then run `metatoken refresh`",
        ]
    );
    world.at(day(3));
    world.run(&["refresh"]).code(77);
    assert_eq!(hook.said(), [""; 0]);
    world.graph.with(|graph| graph.app_mut(APP).unwrap().disabled = false);
    world.at(day(4));
    world.run(&["refresh"]).code(0);
    assert_eq!(hook.said(), ["RECOVERED: one and 4 more: recovered, was: app main is disabled"]);
}

#[test]
fn a_dead_parent_and_its_pages_are_one_message() {
    let (mut world, hook) = well(&format!("pages = \"all\"\n{CHAT}"));
    world.graph.with(|graph| {
        graph.add_page(PageFixture::new("2000000000000003", "Shop"));
        graph.list(ANNA, "2000000000000003", Listing::Listed);
    });
    world.run(&["refresh", "--force", "brand"]).code(0);
    kill(&world);
    for hour in [49, 50, 74] {
        world.at(day(0) + TimeDelta::hours(hour));
        world.run(&["refresh", "--quiet"]).code(77);
    }
    let dead = DEAD.replace("brand:", "brand and 3 more:");
    assert_eq!(hook.said(), [dead]);
    logs_in_again(&world);
    world.run(&["refresh"]).code(0);
    assert_eq!(hook.said(), ["RECOVERED: brand: recovered, was: password changed"]);
}

#[test]
fn many_causes_at_once_are_few_messages() {
    let token = |n: u8| format!("[token.late-{n:02}]\ntype = \"user\"\n");
    let late: String = (0..15).map(token).collect();
    let (world, hook) = World::new().told_through(&format!("{late}{CHAT}"));
    world.run(&["refresh"]).code(77).stderr("");
    let said = hook.said();
    assert_eq!(said.len(), 10, "{said:#?}");
    assert_eq!(
        said[0],
        "UNKNOWN: late-00: no access token yet; operator: metatoken refresh late-00"
    );
    assert_eq!(
        said[9],
        "UNKNOWN: late-09 and 5 more: 6 more causes, the first: no access token yet; operator: metatoken check"
    );
    // All fifteen were told.
    world.run(&["refresh", "--quiet"]).stderr("");
    assert_eq!(hook.said(), [""; 0]);
}

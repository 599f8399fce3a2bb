//! A way to people that is broken: a warning, which keeps nobody from anything.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{CHAT, DEAD, dead, logs_in_again, well};
use crate::common::{BRAND, Reply, World, day};

const MAIL: &str = "[[notify]]\nname = \"pager\"\nwebhook = \"[HOOK]/pager\"\n";

const CANNOT: &str = "notifications to `chat` fail since 2026-01-02 00:00 UTC, now: HTTP 500 of `127.0.0.1`: overloaded";

#[test]
fn a_server_that_fails_is_tried_twice_and_told_of_everywhere() {
    let (mut world, hook) = dead(CHAT);
    hook.reply("/chat", Reply::Status(500, "overloaded"));
    let ran = world.run(&["refresh", "--json"]).code(77).stderr("");
    assert_eq!(hook.lines(), ["POST /chat"; 2]);
    let system = ran.json()["system"].clone();
    assert_eq!(system[0]["code"], "notification_failed");
    assert_eq!(system[0]["severity"], "warning");
    assert_eq!(system[0]["message"], CANNOT);
    assert_eq!(system.as_array().unwrap().len(), 1);
    assert_eq!(world.last_run(), (true, Some(77)));
    let check = world.run(&["check", "--system"]).code(1);
    assert!(check.stdout.contains(CANNOT), "{}", check.stdout);
    history(&world);

    // The next run tells it.
    world.at(day(2));
    hook.reply("/chat", Reply::Status(200, "ok"));
    let ran = world.run(&["refresh", "--json"]).code(77).stderr("");
    assert_eq!(ran.json()["system"], json!([]));
    assert_eq!(hook.said(), [DEAD]);
    world.run(&["check", "--system"]).code(0);
    world.run(&["refresh"]).code(77);
    assert_eq!(hook.said(), [""; 0]);
}

fn history(world: &crate::common::World) {
    let events = world.run(&["history", "--json"]).code(0).json();
    let failed = events["events"].as_array().unwrap().last().unwrap();
    assert_eq!(failed["event"], "notification_failed");
    assert_eq!(failed["label"], json!(null));
    assert_eq!(failed["target"], "chat");
    assert_eq!(failed["success"], json!(null));
    assert_eq!(failed["problem"]["message"], "HTTP 500 of `127.0.0.1`: overloaded");
    assert_eq!(events["summary"]["attempts"], 0);
    let table = world.run(&["history", "--failed"]).code(0).stdout;
    let row = table.lines().find(|line| line.contains("notification failed")).unwrap();
    let cells: Vec<&str> = row.split("  ").map(str::trim).filter(|it| !it.is_empty()).collect();
    assert_eq!(
        cells,
        [
            "2026-01-02 00:00",
            "-",
            "notification failed",
            "manual",
            "chat: HTTP 500 of `127.0.0.1`: overloaded",
        ]
    );
    let csv = world.run(&["history", "--format", "csv"]).code(0).stdout;
    assert_eq!(
        csv.lines().last(),
        Some("2026-01-02T00:00:00Z,2,,notification_failed,manual,,,,,,unknown,chat,false,false")
    );
    let of_brand = world.run(&["history", "brand", "--json"]).code(0).json();
    let events = of_brand["events"].as_array().unwrap();
    assert!(events.iter().all(|event| event["label"] == "brand"), "{of_brand:#}");
}

#[test]
fn a_server_that_refuses_is_not_asked_again() {
    for (status, why) in
        [(404, "the webhook is gone: HTTP 404"), (400, "HTTP 400"), (301, "HTTP 301")]
    {
        let (world, hook) = dead(CHAT);
        hook.reply("/chat", Reply::Status(status, "no"));
        let ran = world.run(&["refresh"]).code(77);
        assert_eq!(hook.lines(), ["POST /chat"], "{status}");
        let told = format!("notifications to `chat` fail since 2026-01-02 00:00 UTC, now: {why}");
        assert!(ran.stdout.contains(&told), "{}", ran.stdout);
    }
}

/// Takes eleven seconds: two tries of five, and one between them.
#[test]
fn a_message_that_is_refused_by_itself_holds_back_no_other() {
    let missing = |n: u8| format!("[token.late-{n}]\ntype = \"user\"\n");
    let config = format!("{BRAND}{}{CHAT}", (1..=4).map(missing).collect::<String>());
    let (world, hook) = World::new().told_through(&config);
    hook.reply("late-1", Reply::Status(400, "too rude"));
    world.run(&["refresh"]).code(77).stderr("");
    assert_eq!(hook.lines().len(), 5);
    let ran = world.run(&["refresh", "--json"]).code(77).stderr("");
    let refused = hook.said();
    assert_eq!(
        refused,
        ["UNKNOWN: late-1: no access token yet; operator: metatoken refresh late-1"]
    );
    assert_eq!(ran.json()["system"][0]["code"], "notification_failed");
    // A channel through which nothing gets is left alone after two.
    let (world, hook) = World::new().told_through(&config);
    hook.reply("/chat", Reply::Status(404, "no_service"));
    world.run(&["refresh"]).code(77).stderr("");
    assert_eq!(hook.lines().len(), 2);
}

#[test]
fn a_server_that_is_silent_costs_eleven_seconds_and_keeps_nobody_else_waiting() {
    let (world, hook) = dead(&format!("{CHAT}{MAIL}"));
    hook.reply("/chat", Reply::Silence);
    let began = Instant::now();
    let child = world.spawn(&["refresh"]);
    crate::common::until("the other is told", || {
        hook.everything().iter().any(|it| it.line == "POST /pager")
    });
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    let ran = world.finish(child).code(77);
    let took = began.elapsed().as_secs_f64();
    // A third try would take five more.
    assert!((11.0..16.0).contains(&took), "{took}");
    assert!(ran.stdout.contains("now: no answer from `127.0.0.1` within 5s"), "{}", ran.stdout);
    let to_chat = hook.everything().iter().filter(|it| it.line == "POST /chat").count();
    assert_eq!(to_chat, 2);
}

#[test]
fn the_others_hear_of_it_and_of_its_end() {
    let (mut world, hook) = dead(&format!("{CHAT}{MAIL}"));
    hook.reply("/chat", Reply::HangUp);
    world.run(&["refresh"]).code(77);
    let said = |hook: &crate::common::Hook| -> Vec<String> {
        let heard = hook.heard().into_iter().filter(|it| it.line == "POST /pager");
        heard.map(|it| it.text().lines().next().unwrap().to_owned()).collect()
    };
    let [first, second] = said(&hook).try_into().unwrap();
    assert_eq!(first, DEAD);
    assert!(second.starts_with("WARNING: notifications to chat fail since 2026-01-02"), "{second}");
    world.at(day(2));
    world.run(&["refresh"]).code(77);
    assert_eq!(said(&hook), [""; 0]);
    hook.reply("/chat", Reply::Status(200, "ok"));
    world.run(&["refresh"]).code(77);
    let [third] = said(&hook).try_into().unwrap();
    assert!(third.starts_with("RECOVERED: recovered, was: notifications to chat fail"), "{third}");
}

#[test]
fn a_channel_that_has_nothing_left_to_say_says_that_it_works_again() {
    let (mut world, hook) = dead(CHAT);
    hook.reply("/chat", Reply::Status(500, "overloaded"));
    world.run(&["refresh"]).code(77);
    logs_in_again(&world);
    world.at(day(2));
    world.run(&["refresh"]).code(0);
    world.run(&["check"]).code(1);
    hook.reply("/chat", Reply::Status(200, "ok"));
    hook.lines();
    world.run(&["check", "--notify"]).code(0);
    let [said] = hook.said().try_into().unwrap();
    assert!(
        said.starts_with("RECOVERED: recovered, was: notifications to chat fail since"),
        "{said}"
    );
    world.run(&["check"]).code(0);
    world.run(&["refresh"]).code(0);
    assert_eq!(hook.lines(), [""; 0]);
    // One that does not want to hear of that has missed nothing.
    let (world, hook) = dead(&format!("{CHAT}events = [\"critical\"]\n"));
    hook.reply("/chat", Reply::Status(500, "overloaded"));
    world.run(&["refresh"]).code(77);
    logs_in_again(&world);
    hook.lines();
    world.run(&["refresh"]).code(0);
    assert_eq!(hook.lines(), [""; 0]);
    world.run(&["check"]).code(0);
}

#[test]
fn a_failure_that_lasts_is_one_event() {
    let (mut world, hook) = dead(CHAT);
    hook.reply("/chat", Reply::Status(500, "overloaded"));
    for today in 1..4 {
        world.at(day(today));
        let log = world.run(&["refresh", "-v"]).code(77).stderr;
        let line = "warning: chat: HTTP 500 of `127.0.0.1`: overloaded\n";
        assert_eq!(log.matches(line).count(), 1, "{log}");
    }
    hook.reply("/chat", Reply::Status(503, "still"));
    world.run(&["refresh", "--quiet"]).code(77);
    let count: i64 = world
        .sql()
        .query_row("SELECT count(*) FROM event WHERE kind = 'notification_failed'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(count, 2);
}

#[test]
fn a_run_that_is_well_stays_silent_and_well() {
    let (mut world, hook) = well(&format!("auto_refresh = false\n{CHAT}"));
    hook.reply("/chat", Reply::Status(500, "overloaded"));
    world.at(day(47));
    world.run(&["refresh", "--quiet"]).code(0).silent();
    assert_eq!(hook.lines(), ["POST /chat"; 2]);
}

//! What a target did not get stays pending, is said, and is settled without asking Meta.

use std::fs;

use chrono::TimeDelta;
use serde_json::json;

use super::{APP_INI, ONE, TWO, WEB_ENV, delivered, due, env, held, ini, pending, reasons, states};
use crate::common::{BRAND, World, day};

/// A world on day 45 whose renewed string could not be brought to `app`.
fn broken() -> World {
    let mut world = delivered(&format!("{APP_INI}{WEB_ENV}"));
    world.lives_until(35);
    world.at(day(45));
    fs::rename(world.path("app.ini"), world.path("away")).unwrap();
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME    EXPIRES     REASON
brand  refreshed  2026-04-16  expires in 15 days (renewal window: 20 days)
       delivered to web

warning: `brand`: not delivered to `app`, just now: [DIR]/app.ini: the file is missing; correct `file` in the config, or set `create = true`
  hint: run `metatoken deliver brand`, which tries again and says what to fix

1 token: 1 refreshed
").stderr("").code(73);
    assert_eq!(world.exchanges(), 1);
    world.calls();
    world
}

fn mend(world: &World) {
    fs::rename(world.path("away"), world.path("app.ini")).unwrap();
}

#[test]
fn a_broken_target_is_73_and_the_others_get_it() {
    let world = broken();
    assert_eq!(held(&world, "web/.env"), env(TWO));
    assert_eq!(world.in_use("brand"), TWO);
    let ran = world.run(&["refresh", "--json"]).code(73);
    assert_eq!(
        (pending(&ran), states(&ran.result("brand"))),
        (1, vec!["app failed".into(), "web in_sync".into()])
    );
    assert_eq!(world.calls(), [""; 0]);
    world.run(&["refresh", "--quiet"]).code(73).stderr("");
}

#[test]
fn the_next_run_settles_it_without_asking_meta() {
    let world = broken();
    mend(&world);
    let ran = world.run(&["refresh", "--json"]).code(0).stderr("");
    assert_eq!(
        (pending(&ran), states(&ran.result("brand"))),
        (0, vec!["app in_sync".into(), "web in_sync".into()])
    );
    assert_eq!(held(&world, "app.ini"), ini(TWO));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.run(&["check"]).code(0);
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn deliver_settles_it_too() {
    let world = broken();
    world.run(&["deliver"]).stdout("
TOKEN  STATE    SINCE                 TARGET
brand  failed   2026-02-15 00:00 UTC  app
brand  in sync  2026-02-15 00:00 UTC  web

warning: `brand`: not delivered to `app`, just now: [DIR]/app.ini: the file is missing; correct `file` in the config, or set `create = true`
  hint: run `metatoken deliver brand`, which tries again and says what to fix

2 targets: 1 in sync, 1 failed
").stderr("").code(73);
    mend(&world);
    world
        .run(&["deliver", "brand"])
        .stdout(
            "
TOKEN  STATE    SINCE                 TARGET
brand  in sync  2026-02-15 00:00 UTC  app
brand  in sync  2026-02-15 00:00 UTC  web

2 targets: 2 in sync
",
        )
        .stderr("")
        .code(0);
    assert_eq!(held(&world, "app.ini"), ini(TWO));
    world.run(&["deliver", "--quiet"]).silent().code(0);
    let json = world.run(&["deliver", "--json"]).code(0).json();
    assert_eq!((&json["summary"]["total"], &json["summary"]["not_due"]), (&json!(1), &json!(1)));
    assert_eq!(json["summary"]["pending"], 0);
    assert_eq!(states(&json["results"][0]), ["app in_sync", "web in_sync"]);
    assert_eq!(world.calls(), [""; 0]);
    world.run(&["deliver", "nobody"]).code(64);
}

/// Programs read of `deliver` what they read of `refresh`.
#[test]
fn its_json_has_the_shape_of_a_run() {
    let world = broken();
    let ran = world.run(&["deliver", "--json"]).code(73);
    let run = world.run(&["refresh", "--json"]).code(73).json();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect();
    let (found, expected): (Vec<String>, Vec<String>) = (keys(&ran.json()), keys(&run));
    assert_eq!(found, expected);
    let of_one = |json: &serde_json::Value| -> Vec<String> { keys(&json["results"][0]) };
    assert_eq!(of_one(&ran.json()), of_one(&run));
    let told = |result: serde_json::Value| (result["outcome"].clone(), result["reason"].clone());
    let failed = (json!("failed"), json!("not delivered to `app`"));
    assert_eq!(told(ran.result("brand")), failed);
    assert_eq!(ran.json()["summary"]["pending"], 1);
    mend(&world);
    let ran = world.run(&["deliver", "--json"]).code(0);
    assert_eq!(told(ran.result("brand")), (json!("delivered"), json!("to `app`")));
    let summary = &ran.json()["summary"];
    assert_eq!((&summary["delivered"], &summary["pending"]), (&json!(1), &json!(0)));
}

#[test]
fn it_is_a_warning_at_once_and_critical_after_a_day() {
    let mut world = broken();
    world.run(&["check"]).verdict("
METATOKEN WARNING - brand: works, not delivered to app, just now: [DIR]/app.ini…; operator: metatoken deliver brand
WARNING: `brand`: works, not delivered to `app`, just now: [DIR]/app.ini: the file is missing; correct `file` in the config, or set `create = true`
  run `metatoken deliver brand`, which tries again and says what to fix. Proof: `metatoken check brand`
").stderr("").code(1);
    world.at(day(45) + TimeDelta::hours(23));
    world.run(&["refresh", "--quiet"]).code(73);
    world.run(&["check"]).code(1);
    world.at(day(46));
    world.run(&["check"]).verdict("
METATOKEN CRITICAL - brand: works, not delivered to app, since 2026-02-15 00:00 UTC, 24 hours…; operator: metatoken deliver brand
CRITICAL: `brand`: works, not delivered to `app`, since 2026-02-15 00:00 UTC, 24 hours ago: [DIR]/app.ini: the file is missing; correct `file` in the config, or set `create = true`
  run `metatoken deliver brand`, which tries again and says what to fix. Proof: `metatoken check brand`
").stderr("").code(2);
    let token = world.run(&["status", "--json"]).code(0).token("brand");
    assert_eq!(states(&token), ["app failed", "web in_sync"]);
    assert_eq!(reasons(&token), ["critical delivery_failed"]);
    assert_eq!(
        token["deliveries"][0]["error"].as_str().unwrap().split("app.ini").nth(1).unwrap(),
        ": the file is missing; correct `file` in the config, or set `create = true`"
    );
}

#[test]
fn a_file_that_is_lost_after_its_delivery_is_pending_and_in_the_end_critical() {
    let mut world = delivered(APP_INI);
    fs::remove_file(world.path("app.ini")).unwrap();
    assert_eq!(states(&world.run(&["status", "--json"]).token("brand")), ["app pending"]);
    for hours in 1..=26 {
        world.at(day(0) + TimeDelta::hours(hours));
        let ran = world.run(&["refresh", "--json"]).code(73);
        assert_eq!((pending(&ran), states(&ran.result("brand"))), (1, vec!["app failed".into()]));
        world.run(&["check"]).code(if hours < 25 { 1 } else { 2 });
    }
    world.write("app.ini", "[facebook]\ntoken =\n");
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "app.ini"), format!("[facebook]\ntoken = {ONE}\n"));
    world.run(&["check"]).code(0);
}

#[test]
fn a_target_that_is_new_in_the_config_waits_for_the_access_token() {
    let world = delivered(APP_INI);
    world.reconfigure(&format!("{BRAND}\n{APP_INI}{WEB_ENV}"));
    assert_eq!(states(&world.offline("brand")), ["app in_sync", "web unknown"]);
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "web/.env"), env(ONE));
    assert_eq!(states(&world.offline("brand")), ["app in_sync", "web in_sync"]);
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn a_value_that_was_emptied_or_set_back_is_brought_again() {
    let world = due(APP_INI);
    world.run(&["refresh", "--quiet"]).silent().code(0);
    let ini = |value: &str| format!("[facebook]\ntoken = {value}").trim_end().to_owned();
    for value in ["", ONE] {
        world.write("app.ini", ini(value));
        let token = world.run(&["status", "--json"]).token("brand");
        assert_eq!(states(&token), ["app pending"], "{value}");
        assert_eq!(held(&world, "app.ini"), ini(value), "who looks changes nothing");
        world.calls();
        world.run(&["refresh", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "app.ini"), ini(TWO));
        assert_eq!(world.calls(), [""; 0]);
    }
}

#[test]
fn the_history_has_both_and_does_not_repeat_itself() {
    let world = broken();
    for _ in 0..3 {
        world.run(&["refresh", "--quiet"]).code(73);
    }
    mend(&world);
    world.run(&["refresh", "--quiet"]).code(0);
    let events: Vec<String> = world.events("brand").into_iter().map(|(event, _)| event).collect();
    assert_eq!(
        events,
        [
            "adopted",
            "delivered",
            "delivered",
            "refreshed",
            "delivery_failed",
            "delivered",
            "delivered"
        ]
    );
    let json = world.run(&["history", "--json"]).code(0).json();
    let failed = &json["events"][4];
    assert_eq!((&failed["event"], &failed["generation"]), (&"delivery_failed".into(), &2.into()));
    assert!(
        failed["problem"]["message"].as_str().unwrap().contains("app.ini: the file is missing")
    );
    assert_eq!(json["summary"]["attempts"], 1, "a delivery is no attempt at Meta");
}

#[test]
fn a_hundred_targets_of_which_one_is_broken() {
    let targets = (0..100).map(|n| {
        format!("[[token.brand.deliver]]\nname = \"t{n}\"\nfile = \"many/{n}.env\"\nkey = \"T\"\n")
    });
    let mut world = super::world(&targets.collect::<String>());
    for n in 0..100 {
        world.write(&format!("many/{n}.env"), "T=\n");
    }
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.at(day(45));
    world.write("many/37.env", "T='unfinished\n");
    let ran = world.run(&["refresh", "--json"]).code(73);
    assert_eq!(pending(&ran), 1);
    for n in 0..100 {
        let expected = if n == 37 { "T='unfinished\n".to_owned() } else { format!("T={TWO}\n") };
        assert_eq!(held(&world, &format!("many/{n}.env")), expected);
    }
    let failed = &ran.result("brand")["deliveries"][37];
    assert_eq!(failed["state"], "failed");
    assert!(failed["error"].as_str().unwrap().contains("many/37.env"), "{failed:#}");
    world.write("many/37.env", "T=\n");
    world.calls();
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "many/37.env"), format!("T={TWO}\n"));
    assert_eq!(world.calls(), [""; 0]);
}

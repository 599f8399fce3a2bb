//! `history`: every generation and attempt, with the success rate.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, Rule, TokenFixture};
use metatoken::token::Expiry;

use crate::common::{ANNA, APP, ROBOT, World, day};

const CONFIG: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }

[token.shop]
type = "user"
access_token = { env = "SHOP" }
"#;

/// A world in which one token was renewed at the second try and the other died.
fn eventful() -> World {
    let mut world = World::new()
        .config(CONFIG)
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
        .token("SHOP", TokenFixture::user(APP, ANNA).named("shop"));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.at(day(39));
    world.run(&["refresh", "--quiet", "--scheduled"]).exit(Exit::Ok).silent();
    world.at(day(40));
    world.graph.with(|graph| graph.invalidate("EAAFAKEShop1", Invalidation::Revoked));
    world.graph.misbehave(
        Rule::on("/oauth/access_token").about("EAAFAKEBrand1"),
        FaultInjection::Status(500),
    );
    world.run(&["refresh", "--json", "--scheduled"]).exit(Exit::PersonNeeded).stderr("");
    world.graph.behave();
    world.at(day(40) + TimeDelta::hours(1));
    world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).stderr("");
    world
}

#[test]
fn before_the_first_run_there_is_none() {
    let world = World::new().config(CONFIG);
    world
        .run(&["history"])
        .stdout(
            "
no attempts yet
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["history", "--json"])
        .stdout(
            r#"
{
  "version": 1,
  "summary": {
    "attempts": 0,
    "succeeded": 0,
    "failed": 0,
    "success_rate": null,
    "by_trigger": {
      "scheduled": {
        "attempts": 0,
        "succeeded": 0,
        "failed": 0,
        "success_rate": null
      },
      "manual": {
        "attempts": 0,
        "succeeded": 0,
        "failed": 0,
        "success_rate": null
      }
    },
    "by_event": {
      "exchanged": 0,
      "refreshed": 0,
      "derived": 0,
      "not_extended": 0,
      "refresh_failed": 0
    }
  },
  "events": []
}
"#,
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["history", "--format", "csv"])
        .stdout(
            "
at,run,label,event,trigger,success,old_expires_at,new_expires_at,generation,fingerprint,problem,target,old_never_expires,new_never_expires
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn everything_that_happened_is_told_oldest_first() {
    let world = eventful();
    world
        .run(&["history"])
        .stdout(
            "
AT (UTC)          TOKEN  EVENT           TRIGGER    DETAIL
2026-01-01 00:00  brand  adopted         manual     expires 2026-03-02
2026-01-01 00:00  shop   adopted         manual     expires 2026-03-02
2026-02-10 00:00  brand  refresh failed  scheduled  graph unavailable (1)
2026-02-10 00:00  shop   refresh failed  scheduled  revoked (190/466)
2026-02-10 00:00  shop   invalid         scheduled  revoked (190/466)
2026-02-10 01:00  brand  refreshed       manual     expires 2026-04-11 (was 2026-03-02)

3 attempts: 1 succeeded, 2 failed (33.3%)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["history", "--format", "csv"]).stdout("
at,run,label,event,trigger,success,old_expires_at,new_expires_at,generation,fingerprint,problem,target,old_never_expires,new_never_expires
2026-01-01T00:00:00Z,1,brand,adopted,manual,,,2026-03-02T00:00:00Z,1,fingerprint1,,,false,false
2026-01-01T00:00:00Z,1,shop,adopted,manual,,,2026-03-02T00:00:00Z,1,fingerprint2,,,false,false
2026-02-10T00:00:00Z,3,brand,refresh_failed,scheduled,false,2026-03-02T00:00:00Z,,,,graph_unavailable,,false,false
2026-02-10T00:00:00Z,3,shop,refresh_failed,scheduled,false,2026-03-02T00:00:00Z,,,,revoked,,false,false
2026-02-10T00:00:00Z,3,shop,invalid,scheduled,,2026-03-02T00:00:00Z,2026-03-02T00:00:00Z,1,fingerprint2,revoked,,false,false
2026-02-10T01:00:00Z,4,brand,refreshed,manual,true,2026-03-02T00:00:00Z,2026-04-11T01:00:00Z,2,fingerprint3,,,false,false
").stderr("").exit(Exit::Ok);
}

#[test]
fn programs_get_the_events_and_the_rate() {
    let world = eventful();
    world
        .run(&["history", "brand", "--json"])
        .stdout(
            r#"
{
  "version": 1,
  "summary": {
    "attempts": 2,
    "succeeded": 1,
    "failed": 1,
    "success_rate": 0.5,
    "by_trigger": {
      "scheduled": {
        "attempts": 1,
        "succeeded": 0,
        "failed": 1,
        "success_rate": 0.0
      },
      "manual": {
        "attempts": 1,
        "succeeded": 1,
        "failed": 0,
        "success_rate": 1.0
      }
    },
    "by_event": {
      "exchanged": 0,
      "refreshed": 1,
      "derived": 0,
      "not_extended": 0,
      "refresh_failed": 1
    }
  },
  "events": [
    {
      "at": "2026-01-01T00:00:00Z",
      "run": 1,
      "label": "brand",
      "event": "adopted",
      "trigger": "manual",
      "success": null,
      "old_expires_at": null,
      "new_expires_at": "2026-03-02T00:00:00Z",
      "old_never_expires": false,
      "new_never_expires": false,
      "generation": 1,
      "fingerprint": "fingerprint1",
      "problem": null,
      "target": null,
      "renamed_from": null
    },
    {
      "at": "2026-02-10T00:00:00Z",
      "run": 3,
      "label": "brand",
      "event": "refresh_failed",
      "trigger": "scheduled",
      "success": false,
      "old_expires_at": "2026-03-02T00:00:00Z",
      "new_expires_at": null,
      "old_never_expires": false,
      "new_never_expires": false,
      "generation": null,
      "fingerprint": null,
      "problem": {
        "kind": "graph_unavailable",
        "action": "retry",
        "code": 1,
        "subcode": null,
        "message": "An unknown error occurred",
        "fbtrace_id": "AFake60f5753ec7efa76432",
        "remedy": null
      },
      "target": null,
      "renamed_from": null
    },
    {
      "at": "2026-02-10T01:00:00Z",
      "run": 4,
      "label": "brand",
      "event": "refreshed",
      "trigger": "manual",
      "success": true,
      "old_expires_at": "2026-03-02T00:00:00Z",
      "new_expires_at": "2026-04-11T01:00:00Z",
      "old_never_expires": false,
      "new_never_expires": false,
      "generation": 2,
      "fingerprint": "fingerprint3",
      "problem": null,
      "target": null,
      "renamed_from": null
    }
  ]
}
"#,
        )
        .stderr("")
        .exit(Exit::Ok);
}

/// A spreadsheet takes text that begins with `=` for a formula; what never expires was left empty like
/// what is unknown; where a delivery went was not told.
#[test]
fn a_spreadsheet_gets_targets_as_text_and_never_apart_from_unknown() {
    let robot = "[token.robot]\ntype = \"system-user\"\naccess_token = { env = \"ROBOT\" }\n\
                 [[token.robot.deliver]]\nfile = \"robot.env\"\nkey = \"TOKEN\"\ncreate = true\n\
                 [[token.robot.deliver]]\nname = \"=1+1\"\nfile = \"second.env\"\nkey = \"TOKEN\"\ncreate = true\n";
    let spec = TokenFixture::system_user(APP, ROBOT).named("robot").ending(Expiry::Never);
    let world = World::new().config(robot).token("ROBOT", spec);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.run(&["history", "--format", "csv"]).stdout("
at,run,label,event,trigger,success,old_expires_at,new_expires_at,generation,fingerprint,problem,target,old_never_expires,new_never_expires
2026-01-01T00:00:00Z,1,robot,adopted,manual,,,,1,fingerprint1,,,false,true
2026-01-01T00:00:00Z,1,robot,delivered,manual,,,,1,fingerprint1,,[DIR]/robot.env#TOKEN,false,false
2026-01-01T00:00:00Z,1,robot,delivered,manual,,,,1,fingerprint1,,'=1+1,false,false
").stderr("").exit(Exit::Ok);
    let events = world.run(&["history", "--json"]).exit(Exit::Ok).json()["events"].clone();
    assert_eq!(events[0]["old_never_expires"], false);
    assert_eq!(events[0]["new_never_expires"], true);
    assert_eq!(events[0]["new_expires_at"], serde_json::Value::Null);
}

#[test]
fn what_is_shown_can_be_narrowed_and_the_rate_counts_the_period() {
    let world = eventful();
    world
        .run(&["history", "--failed"])
        .stdout(
            "
AT (UTC)          TOKEN  EVENT           TRIGGER    DETAIL
2026-02-10 00:00  brand  refresh failed  scheduled  graph unavailable (1)
2026-02-10 00:00  shop   refresh failed  scheduled  revoked (190/466)
2026-02-10 00:00  shop   invalid         scheduled  revoked (190/466)

3 attempts: 1 succeeded, 2 failed (33.3%)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["history", "--limit", "1"])
        .stdout(
            "
AT (UTC)          TOKEN  EVENT      TRIGGER  DETAIL
2026-02-10 01:00  brand  refreshed  manual   expires 2026-04-11 (was 2026-03-02)

3 attempts: 1 succeeded, 2 failed (33.3%)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["history", "--limit", "0"])
        .stdout(
            "
3 attempts: 1 succeeded, 2 failed (33.3%)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["history", "--summary"])
        .stdout(
            "
3 attempts: 1 succeeded, 2 failed (33.3%)

EVENT           RESULT     COUNT
refreshed       succeeded  1
refresh failed  failed     2

TRIGGER    ATTEMPTS  SUCCEEDED  FAILED  RATE
scheduled  2         0          2       0%
manual     1         1          0       100%
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["history", "--summary", "--since", "30m"])
        .stdout(
            "
1 attempt: 1 succeeded, 0 failed (100%)

EVENT      RESULT     COUNT
refreshed  succeeded  1

TRIGGER    ATTEMPTS  SUCCEEDED  FAILED  RATE
scheduled  0         0          0       -
manual     1         1          0       100%
",
        )
        .stderr("")
        .exit(Exit::Ok);
    for since in ["2026-02-10T00:30:00Z", "31m"] {
        let ran = world.run(&["history", "--since", since, "--json"]).exit(Exit::Ok);
        let events = ran.json()["events"].as_array().unwrap().clone();
        let events: Vec<&str> =
            events.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["refreshed"], "{since}");
        assert_eq!(ran.json()["summary"]["success_rate"], 1.0);
    }
    let ran = world.run(&["history", "--since", "2026-02-01", "s*", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.json()["summary"]["attempts"], 1);
}

#[test]
fn some_kinds_of_events_can_be_picked() {
    let world = eventful();
    for (typed, expected) in [
        (&["--event", "invalid"][..], vec!["invalid"]),
        (&["--event", "refresh failed", "--event", "refreshed"], vec!["refresh_failed"; 2]),
        (&["--event", "refresh-failed", "shop"], vec!["refresh_failed"]),
        (&["--event", "invalid", "--since", "30m"], vec![]),
        (&["--event", "adopted", "--limit", "1"], vec!["adopted"]),
        (&["--event", "adopted", "--failed"], vec![]),
        (&["--event", "key_rotated"], vec![]),
    ] {
        let ran = world.run(&[&["history", "--json"][..], typed].concat()).stderr("").code(0);
        let events = ran.json()["events"].as_array().unwrap().clone();
        let mut found: Vec<String> =
            events.iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect();
        if typed.len() == 4 && typed[2] == "--event" {
            assert_eq!(found.pop().as_deref(), Some("refreshed"));
        }
        assert_eq!(found, expected, "{typed:?}");
        // What is shown is narrowed, and the rate counts the period.
        let attempts = if typed.contains(&"--since") { 1 } else { 3 };
        let attempts = if typed.contains(&"shop") { 1 } else { attempts };
        assert_eq!(ran.json()["summary"]["attempts"], attempts, "{typed:?}");
    }
    world
        .run(&["history", "--event", "deliverd"])
        .stdout("")
        .stderr(
            "
error: unknown event `deliverd`
hint: did you mean `delivered`?
hint: the events are `adopted`, `adoption_refused`, `exchanged`, `refreshed`, `derived`, `not_extended`, `refresh_failed`, `invalid`, `verified`, `delivered`, `delivery_failed`, `notification_failed`, `retired`, `renamed`, `purged`, `minted`, `mint_lost`, `revoked`, `forgotten`, `imported`, `logged_in`, `probe_failed`, `key_rotated`, `rolled_back` and `promoted`
",
        )
        .exit(Exit::Usage);
}

#[test]
fn the_runs_are_listed() {
    let world = World::new().config(CONFIG);
    world.run(&["history", "--runs"]).stdout("no runs\n").stderr("").code(0);
    for command in ["refresh", "deliver"] {
        world.run(&[command, "nobody"]).stdout("").exit(Exit::Usage);
    }
    assert!(!world.path("metatoken.db").exists());
    let world = eventful();
    // What is mistyped ends a run before it begins: a timer whose line is wrong has not run.
    for typed in [
        &["refresh", "nobody"][..],
        &["exchange", "--stored", "nobody"],
        &["deliver", "nobody"],
        &["mint", "nobody"],
        &["rollback", "nobody"],
    ] {
        world.run(typed).stdout("").exit(Exit::Usage);
    }
    world
        .run(&["history", "--runs"])
        .stdout(
            "
RUN  STARTED (UTC)     COMMAND  TRIGGER    DURATION   EXIT CODE
1    2026-01-01 00:00  refresh  manual     0 seconds  0
2    2026-02-09 00:00  refresh  scheduled  0 seconds  0
3    2026-02-10 00:00  refresh  scheduled  0 seconds  77
4    2026-02-10 01:00  refresh  manual     0 seconds  77
",
        )
        .stderr("")
        .code(0);
    world
        .run(&["history", "--runs", "--limit", "1", "--json"])
        .stdout(
            r#"
{
  "version": 1,
  "runs": [
    {
      "run": 4,
      "command": "refresh",
      "trigger": "manual",
      "started_at": "2026-02-10T01:00:00Z",
      "finished_at": "2026-02-10T01:00:00Z",
      "exit_code": 77
    }
  ]
}
"#,
        )
        .stderr("")
        .code(0);
    world
        .run(&["history", "--runs", "--failed", "--since", "40d", "--format", "csv"])
        .stdout(
            "
run,command,trigger,started_at,finished_at,exit_code
3,refresh,scheduled,2026-02-10T00:00:00Z,2026-02-10T00:00:00Z,77
4,refresh,manual,2026-02-10T01:00:00Z,2026-02-10T01:00:00Z,77
",
        )
        .stderr("")
        .code(0);
    for typed in [
        &["history", "--runs", "brand"][..],
        &["history", "--runs", "--event", "adopted"],
        &["history", "--runs", "--summary"],
        &["history", "--summary", "--event", "adopted"],
    ] {
        let ran = world.run(typed).stdout("").exit(Exit::Usage);
        assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
    }
}

#[test]
fn what_cannot_narrow_it_is_answered() {
    let world = eventful();
    world
        .run(&["history", "--since", "yesterday"])
        .stdout("")
        .stderr(
            "
error: `yesterday` is not a valid time
hint: write `30d` or `2026-01-01`
",
        )
        .exit(Exit::Usage);
    world
        .run(&["history", "nobody"])
        .stdout("")
        .stderr(
            "
error: nobody: matches no token
hint: the labels are `brand` and `shop`
",
        )
        .exit(Exit::Usage);
    world
        .run(&["history", "--format", "nagios"])
        .stdout("")
        .stderr(
            "
error: invalid value 'nagios' for '--format <FORMAT>'
  [possible values: table, json, csv]

For more information, try '--help'.
",
        )
        .exit(Exit::Usage);
}

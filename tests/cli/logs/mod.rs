//! What is said beside the data: the log in both its forms, complaints and notes as JSON, and the
//! priorities that the journal reads.

mod journal;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, Rule, TokenFixture};
use serde_json::{Map, Value};

use crate::common::{ANNA, APP, BRAND, Ran, World, day};

/// What `help logs` prints.
const TOPIC: &str = include_str!("../../../src/help/logs.md");

/// Every key that a line may have, and what its values are, by `help logs`.
fn promised() -> BTreeMap<&'static str, &'static str> {
    let mut keys = BTreeMap::new();
    for row in TOPIC.lines().filter_map(|line| line.strip_prefix("| `")) {
        let mut cells = row.split('|').map(str::trim);
        let (names, kind) = (cells.next().unwrap(), cells.next().unwrap());
        keys.extend(names.split("`, `").map(|name| (name.trim_end_matches('`'), kind)));
    }
    assert!(keys.len() > 10, "{keys:?}");
    keys
}

/// The lines of a log as objects, each of them what `help logs` promises.
#[track_caller]
fn lines(log: &str) -> Vec<Map<String, Value>> {
    let promised = promised();
    let line = |text: &str| {
        let Value::Object(line) = serde_json::from_str(text)
            .unwrap_or_else(|error| panic!("{error}: {text:?} in\n{log}"))
        else {
            panic!("no object: {text}")
        };
        for (key, value) in &line {
            let kind = match value {
                Value::String(_) => "text",
                Value::Number(_) => "number",
                Value::Array(_) => "list of texts",
                _ => "nothing that a line may hold",
            };
            assert_eq!(promised.get(key.as_str()), Some(&kind), "`{key}` in {text}");
        }
        for always in ["at", "level", "event", "message"] {
            assert!(line.contains_key(always), "no `{always}` in {text}");
        }
        let level = line["level"].as_str().unwrap();
        assert!(matches!(level, "error" | "warning" | "info" | "debug"), "{text}");
        line
    };
    log.lines().map(line).collect()
}

/// The lines of one event.
#[track_caller]
fn of_event(log: &str, event: &str) -> Vec<Map<String, Value>> {
    lines(log).into_iter().filter(|line| line["event"] == event).collect()
}

/// What chance decides, taken out.
fn masked(log: &str) -> String {
    let mut masked = String::new();
    let mut rest = log;
    while let Some((before, after)) = rest.split_once("_ms\":") {
        masked.push_str(before);
        masked.push_str("_ms\":N");
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    masked + rest
}

/// Runs the binary in a sandbox of this world's.
fn rehearse(world: &World, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metatoken"));
    command
        .env_clear()
        .arg(format!("--sandbox={}", world.path("rehearsal").display()))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    world.finish(command.spawn().unwrap())
}

/// A world in which `brand` is due, to be delivered to a file and to a program that fails.
fn due() -> World {
    let targets = "
[[token.brand.deliver]]
file = \"app.env\"
key = \"TOKEN\"
create = true

[[token.brand.deliver]]
name = \"bell\"
command = [\"/bin/sh\", \"-c\", \"exit 3\"]
";
    let mut world = World::new()
        .config(&format!("{BRAND}{targets}"))
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    world.run(&["refresh"]).stderr("").exit(Exit::NotDelivered);
    world.at(day(45));
    world
}

#[test]
fn the_json_of_a_run_is_the_same_for_ever() {
    for _ in 0..2 {
        let world = World::new();
        let ran = rehearse(&world, &["refresh", "newcomer", "shop", "-v", "--log-format", "json"]);
        let log = masked(&ran.stderr);
        let expected = r#"
{"at":"2026-01-01T00:00:00Z","level":"info","event":"started","message":"`refresh` begins","command":"refresh"}
{"at":"2026-01-01T00:00:00Z","level":"info","event":"decided","label":"newcomer","message":"renew: short-lived, expires 2026-01-01 01:00 UTC, in 60 minutes"}
{"at":"2026-01-01T00:00:00Z","level":"info","event":"exchanged","label":"newcomer","message":"exchanged: short-lived, expires 2026-01-01 01:00 UTC, in 60 minutes","duration_ms":N}
{"at":"2026-01-01T00:00:00Z","level":"info","event":"decided","label":"shop","message":"rest: due 2026-01-26 00:00 UTC, in 25 days"}
{"at":"2026-01-01T00:00:00Z","level":"info","event":"adopted","label":"shop","message":"adopted: found in `SHOP_TOKEN` in `[DIR]/rehearsal/healthy/app.env`","duration_ms":N}
{"at":"2026-01-01T00:00:00Z","level":"info","event":"decided","label":"shop-page","message":"derive: no access token yet"}
{"at":"2026-01-01T00:00:00Z","level":"info","event":"derived","label":"shop-page","message":"derived: no access token yet","duration_ms":N}
{"at":"2026-01-01T00:00:00Z","level":"info","event":"finished","message":"`refresh` exited with 0","command":"refresh","exit_code":0,"duration_ms":N}
"#;
        assert_eq!(log, expected.trim_start(), "\n{log}");
    }
}

#[test]
fn every_line_is_what_the_readme_promises() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for scenario in ["healthy", "troubles", "outage", "throttled"] {
        let world = World::new();
        for arguments in [
            &["refresh", "-n"][..],
            &["refresh"],
            &["refresh", "--now", "+40d"],
            &["status", "--live"],
            &["check", "--live"],
            &["deliver"],
            &["exchange", "--stored"],
            &["history"],
            &["refresh", "nobody"],
            &["history", "--since", "yesterday"],
            &["config", "check"],
            &["status", "--format", "csv"],
            &["status", "--no-such-option"],
            &["no-such-command"],
        ] {
            let all =
                [&["--scenario", scenario], arguments, &["-vv", "--log-format", "json"]].concat();
            let ran = rehearse(&world, &all);
            for line in lines(&ran.stderr) {
                for key in line.keys() {
                    *seen.entry(key.clone()).or_default() += 1;
                }
            }
        }
    }
    // These are met below; what else is promised is really there.
    let elsewhere = ["target", "causes"];
    let missing = |key: &&str| !seen.contains_key(*key) && !elsewhere.contains(key);
    let unseen: Vec<_> = promised().into_keys().filter(missing).collect();
    assert!(unseen.is_empty(), "promised and never seen: {unseen:?}");
}

#[test]
fn what_meta_said_is_there_in_numbers() {
    let world = World::new();
    let ran = rehearse(&world, &["--scenario", "troubles", "refresh", "--log-format", "json"]);
    // The topic wraps the line at 80 columns: between two keys, or at a space of the message.
    let (_, example) = TOPIC.split_once("\n    {").unwrap();
    let (example, _) = example.split_once("\n\n").unwrap();
    let example = format!("{{{}\n", example.replace(",\n     ", ",").replace("\n     ", " "));
    assert!(masked(&ran.stderr).contains(&masked(&example)), "`help logs` has another line");
    let invalid = of_event(&ran.stderr, "invalid");
    for (label, problem, code, subcode, trace) in [
        ("blocked", "checkpoint", 190, Some(490), false),
        ("no-longer-listed", "object_not_found", 100, Some(33), true),
        ("wrong-secret", "bad_app_credentials", 190, None, true),
    ] {
        let line = invalid.iter().find(|line| line["label"] == label).unwrap();
        assert_eq!(line["level"], "error", "{label}");
        assert_eq!(line["problem"], problem, "{label}");
        assert_eq!(line["code"], code, "{label}");
        assert_eq!(line.get("subcode").and_then(Value::as_i64), subcode, "{label}");
        let traced = line.get("fbtrace_id").and_then(Value::as_str);
        assert_eq!(traced.is_some_and(|id| id.starts_with("AFake")), trace, "{label}");
    }
    // What needs a person although nothing failed is told once as well.
    let standing = of_event(&ran.stderr, "standing");
    let of = |label: &str| {
        let its = standing.iter().filter(|line| line["label"] == label);
        its.map(|line| line["problem"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("data-access"), ["data_access_expiring"]);
    assert_eq!(of("expired"), Vec::<String>::new());
}

#[test]
fn a_log_is_as_talkative_as_was_asked_for() {
    let world = due();
    world.graph.misbehave(Rule::on("/oauth/access_token"), FaultInjection::Throttled);
    let levels = |arguments: &[&str]| {
        let ran = world.run(&[&["refresh", "--force", "brand"], arguments].concat());
        let mut levels: Vec<String> = lines(&ran.stderr)
            .iter()
            .map(|line| line["level"].as_str().unwrap().to_owned())
            .collect();
        levels.sort_unstable();
        levels.dedup();
        levels
    };
    assert_eq!(levels(&["--log-format", "json"]), ["warning"]);
    assert_eq!(levels(&["--log-format", "json", "-v"]), ["info", "warning"]);
    assert_eq!(levels(&["--log-format", "json", "-vv"]), ["debug", "info", "warning"]);
    assert_eq!(levels(&["--log-format", "json", "--quiet"]), Vec::<String>::new());
    assert_eq!(levels(&[]), Vec::<String>::new());
}

#[test]
fn a_call_that_is_made_again_says_why() {
    let world = due();
    world.graph.misbehave(Rule::on("/debug_token").once(), FaultInjection::Status(503));
    let ran = world.run(&["refresh", "-vv", "--log-format", "json"]);
    let retried = of_event(&ran.stderr, "retried");
    let [retried] = &retried[..] else { panic!("{retried:#?}\n{}", ran.stderr) };
    assert_eq!(retried["level"], "debug");
    assert_eq!(retried["label"], "brand");
    assert_eq!(retried["app"], "main");
    assert_eq!(retried["endpoint"], "inspect");
    assert_eq!(retried["attempt"], 1);
    assert_eq!(retried["problem"], "graph_unavailable");
    assert!(retried["pause_ms"].is_u64());
    let attempts: Vec<_> = of_event(&ran.stderr, "called")
        .iter()
        .filter(|line| line["endpoint"] == "inspect")
        .map(|line| (line["attempt"].clone(), line.get("status").cloned()))
        .collect();
    assert!(attempts.contains(&(1.into(), Some(503.into()))), "{attempts:?}");
    assert!(attempts.contains(&(2.into(), Some(200.into()))), "{attempts:?}");
    // A call has a path and no query.
    for line in of_event(&ran.stderr, "called") {
        assert!(!line["path"].as_str().unwrap().contains('?'), "{line:?}");
        assert!(line["duration_ms"].is_u64(), "{line:?}");
    }
}

#[test]
fn a_throttled_app_is_named() {
    let world = due();
    world.graph.misbehave(Rule::any(), FaultInjection::Throttled);
    let ran = world.run(&["refresh", "--log-format", "json"]);
    let throttled = of_event(&ran.stderr, "throttled");
    let [throttled] = &throttled[..] else { panic!("{}", ran.stderr) };
    assert_eq!(throttled["level"], "warning");
    assert_eq!(throttled["app"], "main");
    assert_eq!(throttled["code"], 4);
    assert!(throttled.contains_key("fbtrace_id"));
}

#[test]
fn deliveries_name_their_target() {
    let world = due();
    let told = |log: &str| {
        let about = |line: &Map<String, Value>| line.contains_key("target");
        let lines: Vec<_> = lines(log).into_iter().filter(about).collect();
        assert!(lines.iter().all(|line| line["label"] == "brand"), "{lines:#?}");
        assert!(lines.iter().all(|line| line["duration_ms"].is_u64()), "{lines:#?}");
        let told = |line: &Map<String, Value>| {
            ["level", "event", "message"].map(|key| line[key].as_str().unwrap().to_owned())
        };
        lines.iter().map(told).collect::<Vec<_>>()
    };
    let rehearsal = world.run(&["refresh", "-n", "-v", "--log-format", "json"]);
    assert_eq!(
        told(&rehearsal.stderr),
        [["info", "would_deliver", "would be delivered to `bell`"]]
    );
    let ran = world.run(&["refresh", "-v", "--log-format", "json"]).exit(Exit::NotDelivered);
    assert_eq!(
        told(&ran.stderr),
        [
            ["info", "delivered", "delivered to `[DIR]/app.env#TOKEN`"],
            ["warning", "delivery_failed", "not delivered to `bell`: `/bin/sh` exited with 3"],
        ]
    );
    world.write("app.env", "TOKEN=EAAFAKEofsomebody\n");
    let ran = world.run(&["deliver", "--log-format", "json"]);
    let drifted =
        "not delivered to `[DIR]/app.env#TOKEN`: it holds a value that this token never had";
    assert_eq!(told(&ran.stderr)[0], ["warning", "drifted", drifted]);
}

#[test]
fn complaints_and_notes_are_lines_too() {
    let world = due();
    let only = |ran: &Ran| {
        let lines = lines(&ran.stderr);
        let [line] = &lines[..] else { panic!("{}", ran.stderr) };
        line.clone()
    };
    let ran = world.run(&["refresh", "nobody", "--json", "--log-format", "json"]);
    let line = only(&ran.exit(Exit::Usage));
    assert_eq!(line["level"], "error");
    assert_eq!(line["event"], "error");
    assert_eq!(line["subject"], "nobody");
    assert_eq!(line["message"], "matches no token");
    assert_eq!(line["problem"], "no_such_label");
    assert_eq!(line["exit_code"], 64);
    assert_eq!(line["hints"], serde_json::json!(["the labels are `brand`"]));

    let line = only(&world.run(&["--log-format=json", "refersh"]).stdout("").exit(Exit::Usage));
    assert_eq!(line["problem"], "usage");
    let line = only(&world.run(&["status", "--format", "csv", "--log-format", "json"]));
    assert_eq!(line["problem"], "usage");
    let unknown = world.run(&["check", "nobody", "--log-format", "json"]).code(3);
    assert!(unknown.stdout.starts_with("METATOKEN UNKNOWN - "), "{}", unknown.stdout);
    assert_eq!(only(&unknown)["exit_code"], 3);

    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    let line = only(&world.run(&["status", "--live", "--log-format", "json"]).exit(Exit::Ok));
    assert_eq!((&line["level"], &line["event"]), (&"info".into(), &"note".into()));
    assert!(line["message"].as_str().unwrap().starts_with("Graph gave no verdict"), "{line:?}");

    world.reconfigure(&format!("[store]\nkey = {{ env = \"NO_KEY\" }}\n{BRAND}"));
    let line = only(&world.run(&["refresh", "--log-format", "json"]).exit(Exit::Storage));
    assert_eq!(line["problem"], "key_unreadable");
    assert!(line["causes"][0].as_str().unwrap().contains("NO_KEY"), "{line:?}");
}

#[test]
fn an_exchange_that_fails_says_so_in_numbers() {
    let world = World::with_brand("");
    let string = world.mint(TokenFixture::user(APP, ANNA).named("pasted"));
    world.graph.with(|graph| graph.invalidate(&string, Invalidation::PasswordChanged));
    let ran = world.run_with_input(&["exchange", "brand", "--log-format", "json"], &string);
    let lines = lines(&ran.stderr);
    let events: Vec<_> = lines.iter().map(|line| &line["event"]).collect();
    assert_eq!(events, ["failed", "error"], "{}", ran.stderr);
    assert_eq!(lines[0]["label"], "brand");
    assert_eq!((&lines[0]["code"], &lines[0]["subcode"]), (&190.into(), &460.into()));
}

#[test]
fn a_config_that_is_wrong_is_one_line_however_many_its_mistakes() {
    let world = World::new();
    world.write("metatoken.toml", "[app.main]\nidd = 1\n[token.x]\ntyp = \"user\"\n");
    let ran = world.run(&["refresh", "--log-format", "json"]).stdout("").exit(Exit::Config);
    let lines = lines(&ran.stderr);
    assert_eq!(lines.len(), 1, "{}", ran.stderr);
    assert_eq!(lines[0]["exit_code"], 78);
}

#[test]
fn text_has_a_time_only_where_nobody_else_gives_one() {
    let world = due();
    let ran = world.run(&["refresh", "-vv"]);
    for line in ran.stderr.lines() {
        assert!(line.starts_with("2026-02-15T00:00:00Z "), "{line}");
    }
    let call = ran.stderr.lines().find(|line| line.contains("call `grant`: answered")).unwrap();
    let facts = "debug: brand: call `grant`: answered [path=/v26.0/oauth/access_token attempt=1 status=200 ";
    assert!(call.contains(facts), "{call}");
    let (journal, _) = world.as_service(&["refresh", "-vv", "--force", "brand"]);
    assert!(journal.contains("<6>info: brand: renew: "), "{journal}");
    assert!(!journal.contains("2026-02-15T"), "{journal}");
}

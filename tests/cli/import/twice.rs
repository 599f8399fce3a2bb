//! The same import again: after a renewal, after a kill, beside other labels.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::token::Expiry;

use super::{AFTERWARDS, AGAIN, csv_of, declared, names, user};
use crate::common::{World, day, is_long};

#[test]
fn twice_is_the_same_as_once() {
    let mut world = World::new();
    // The last one is exchanged, and what it was exchanged for is known again.
    let short = world.mint(user("cleo").ending(Expiry::At(day(0) + TimeDelta::hours(1))));
    world.write("tokens.csv", format!("{}cleo,user,{short}\n", csv_of(&world, &["anna", "ben"])));
    world.run(&["import", "tokens.csv", "--quiet"]).stderr("").code(0);
    let expected = "
TOKEN  OUTCOME   EXPIRES     REASON
anna   verified  2026-03-02  imported before
ben    verified  2026-03-02  imported before
cleo   verified  2026-03-02  imported before

3 tokens: 3 verified
";
    let history = world.run(&["history", "--json"]).code(0).json();
    world.calls();
    world.run(&["import", "tokens.csv"]).stdout(expected).stderr(AFTERWARDS).code(0);
    assert_eq!(world.calls(), Vec::<String>::new());
    assert_eq!(world.run(&["history", "--json"]).code(0).json(), history);
    // Once they were renewed the old ones do not come back.
    world.at(day(45));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    let renewed = world.in_use("anna");
    world.run(&["import", "tokens.csv", "--quiet"]).silent().code(0);
    assert_eq!(world.in_use("anna"), renewed);
}

#[test]
fn another_access_token_replaces_none_that_works() {
    let world = World::new();
    world.write("tokens.csv", csv_of(&world, &["anna"]));
    world.run(&["import", "tokens.csv", "--quiet"]).stderr("").code(0);
    world.write("other.csv", csv_of(&world, &["anna"]));
    let expected = "other.csv:2: `anna` has another access token that works: to replace it, run `metatoken exchange anna`\n";
    world
        .run(&["import", "other.csv"])
        .stdout("\nno tokens\n")
        .stderr(&format!("{expected}{AGAIN}"))
        .exit(Exit::InputRefused);
    // One of another label.
    let text = std::fs::read_to_string(world.path("tokens.csv")).unwrap();
    world.write("renamed.csv", text.replace("anna,", "ben,"));
    world
        .run(&["import", "renamed.csv"])
        .stdout("\nno tokens\n")
        .stderr(&format!("renamed.csv:2: that is the access token of `anna`\n{AGAIN}"))
        .exit(Exit::InputRefused);
    assert_eq!(names(&world), ["anna.toml"]);
}

#[test]
fn a_kill_is_finished_by_the_same_import() {
    for (place, expected) in [
        ("prepared", "imported"),
        ("declared", "imported"),
        ("before-seal", "imported"),
        ("sealed", "imported"),
        ("promoted", "verified"),
        ("before-request", "imported"),
        ("granted", ""),
    ] {
        let world = World::new();
        world.reconfigure("[http]\nconcurrency = 1\n");
        let is_short = matches!(place, "before-request" | "granted");
        let text = if is_short {
            let short = user("anna").ending(Expiry::At(day(0) + TimeDelta::hours(1)));
            format!(
                "label,type,access_token,issued_at\nanna,user,{},2026-01-01\n",
                world.mint(short)
            )
        } else {
            csv_of(&world, &["anna"])
        };
        world.write("tokens.csv", text);
        world.killed_at(place, &["import", "tokens.csv"], "");
        let ran = world.run(&["import", "tokens.csv", "--json"]);
        if !expected.is_empty() {
            assert_eq!(ran.result("anna")["outcome"], expected, "{place}");
        }
        // Once more there is nothing new, also where it was exchanged.
        let again = world.run(&["import", "tokens.csv", "--json"]).exit(Exit::Ok);
        assert_eq!(again.result("anna")["outcome"], "verified", "{place}");
        assert_eq!(again.result("anna")["reason"], "imported before", "{place}");
        assert_eq!(names(&world), ["anna.toml"], "{place}");
        world.run(&["check"]).verdict("\nMETATOKEN OK - 1 token, all well\n").code(0);
    }
}

/// Rows to import: one in eight cannot be taken, one in eight lives for an hour and is exchanged.
fn many_of(world: &World, count: usize) -> (String, Vec<String>) {
    let (mut text, mut labels) = (String::from("label,type,access_token\n"), Vec::new());
    for n in 0..count {
        let label = format!("t{n:04}");
        let hour = Expiry::At(day(0) + TimeDelta::hours(1));
        let spec = user(&label);
        let access_token = match n % 8 {
            5 => "\"EAA bad\"".to_owned(),
            6 => world.mint(spec.ending(hour)),
            _ => world.mint(spec),
        };
        writeln!(text, "{label},user,{access_token}").unwrap();
        if n % 8 != 5 {
            labels.push(label);
        }
    }
    (text, labels)
}

/// Types the import to its end, and looks whether every row that can be taken was taken, once.
fn is_finished(world: &World, labels: &[String], killed: &str) {
    let ran = world.run(&["import", "rows.csv", "--json"]).exit(Exit::InputRefused);
    let outcomes = ran.outcomes();
    let is_in = |outcome: &String| outcome == "imported" || outcome == "verified";
    assert!(outcomes.values().all(is_in), "{killed}: {outcomes:?}");
    assert_eq!(outcomes.into_keys().collect::<Vec<_>>(), labels, "{killed}");
    let files: Vec<String> = labels.iter().map(|label| format!("{label}.toml")).collect();
    assert_eq!(names(world), files, "{killed}");
    // Each has one access token, which works, and one event that brought it.
    let status = world.run(&["status", "--live", "--json"]).code(0).json();
    let tokens = status["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), labels.len(), "{killed}");
    for token in tokens {
        assert_eq!(token["state"], "valid", "{killed}: {token}");
        // What was granted before a kill may be granted again.
        let number = token["label"].as_str().unwrap()[1..].parse::<usize>().unwrap();
        assert!(token["generation"] == 1 || number % 8 == 6, "{killed}: {token}");
    }
    let limit = (labels.len() * 4).to_string();
    let history = world.run(&["history", "--json", "--limit", &limit]).code(0).json();
    let mut brought: Vec<&str> = history["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["event"] == "adopted" || event["event"] == "exchanged")
        .map(|event| event["label"].as_str().unwrap())
        .collect();
    brought.sort_unstable();
    assert_eq!(brought, labels, "{killed}");
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.run(&["import", "rows.csv", "--json"]).exit(Exit::InputRefused);
}

#[test]
fn many_rows_are_killed_half_way_and_finished_by_the_same_import() {
    for killed in [
        &["prepared:3"][..],
        &["declared:5"],
        &["before-seal:2", "before-seal:4"],
        &["sealed:3"],
        &["promoted:2", "promoted:2", "declared:1"],
        &["before-request:2"],
        &["granted:1", "granted:2"],
    ] {
        let world = World::new();
        world.reconfigure("[http]\nconcurrency = 4\n");
        let (text, labels) = many_of(&world, 16);
        world.write("rows.csv", text);
        for place in killed {
            world.killed_at(place, &["import", "rows.csv"], "");
        }
        is_finished(&world, &labels, &killed.join(", "));
    }
}

/// The same by the clock: whatever it is doing then.
#[test]
fn many_rows_are_killed_at_any_moment() {
    let (count, kills) = if is_long() { (1_500, 12) } else { (40, 3) };
    let world = World::new();
    world.reconfigure("[http]\nconcurrency = 16\n");
    let (text, labels) = many_of(&world, count);
    world.write("rows.csv", text);
    let mut calls = 0;
    for kill in 1..=kills {
        let mut child = world.spawn(&["import", "rows.csv"]);
        // A new row is asked about, sealed and asked about again, so that calls measure the work.
        let wanted = calls + count / kills;
        let began = Instant::now();
        while world.graph.requests().len() < wanted
            && began.elapsed() < Duration::from_secs(20)
            && child.try_wait().unwrap().is_none()
        {
            std::thread::sleep(Duration::from_millis(2));
        }
        calls = world.graph.requests().len();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(world.run(&["status", "--offline"]).code.is_some_and(|code| code != 74), "{kill}");
    }
    is_finished(&world, &labels, "by the clock");
}

#[test]
fn a_label_of_the_config_gets_its_first_access_token() {
    let world = World::new().config("[token.anna]\ntype = \"user\"\n[[token.anna.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\ncreate = true\n");
    world.write("app.env", "");
    world.write("tokens.csv", csv_of(&world, &["anna"]));
    world
        .run(&["import", "tokens.csv"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
anna   imported  2026-03-02  long-lived already
       delivered to [DIR]/app.env#TOKEN

1 token: 1 imported
",
        )
        .stderr(AFTERWARDS)
        .code(0);
    assert!(names(&world).is_empty());
    let delivered = std::fs::read_to_string(world.path("app.env")).unwrap();
    assert!(delivered.contains(&world.in_use("anna")), "{delivered}");
}

#[test]
fn the_past_comes_along_once_and_counts_in_no_rate() {
    let world = World::new();
    let token = world.mint(user("anna"));
    world.write(
        "tokens.csv",
        format!(
            "label,type,access_token,kind,created,expires_at,error\nanna,user,{token},,2025-11-01T00:00:00Z,,\nanna,,,refreshed,2025-11-20 10:00:00+00,2026-01-19 10:00:00+00,\nanna,,,refreshed,2025-12-01,,Error validating access token: EAAsecretsecretsecretsecretsecretsecret has expired\nanna,,,moved,2025-12-02,,\nanna,,,refreshed,2026-12-02,,\nben,,,refreshed,2025-12-02,,\nanna,,,refreshed,,,\n"
        ),
    );
    let refused = "
tokens.csv:5: unknown kind `moved`: one of imported, adopted, exchanged, refreshed, derived, not_extended, refresh_failed, invalid
tokens.csv:6: it happened at 2026-12-02 00:00, which has not come yet
tokens.csv:7: `ben` is not a token of this import or of the config
tokens.csv:8: no `created`: when it happened is not said
";
    world
        .run(&["import", "tokens.csv"])
        .stderr(&format!("{refused}{AGAIN}{AFTERWARDS}"))
        .exit(Exit::InputRefused);
    let again = world.run(&["import", "tokens.csv", "--quiet"]);
    let _ = again.stdout("").stderr(refused).exit(Exit::InputRefused);
    world
        .run(&["history"])
        .stdout(
            "
AT (UTC)          TOKEN  EVENT           TRIGGER   DETAIL
2025-11-01 00:00  anna   imported        imported  -
2025-11-20 10:00  anna   refreshed       imported  expires 2026-01-19
2025-12-01 00:00  anna   refresh failed  imported  Error validating access token: [redacted] has expired
2026-01-01 00:00  anna   adopted         manual    expires 2026-03-02

no attempts yet
",
        )
        .code(0);
    world.run(&["history", "--summary"]).stdout("\nno attempts yet\n").code(0);
}

#[test]
fn files_of_others_in_the_folder_are_left_alone() {
    let world = World::new();
    world.write("tokens.csv", csv_of(&world, &["anna", "ben", "cara"]));
    world.write("tokens.d/anna.toml", "[token.other]\ntype = \"user\"\n");
    world.write("tokens.d/broken.toml", "[token.ben]\ntype = \"usr\"\n");
    world
        .run(&["import", "tokens.csv"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
cara   imported  2026-03-02  long-lived already; declared in `tokens.d/cara.toml`

1 token: 1 imported
",
        )
        .stderr(&format!(
            "
tokens.csv:2: `[DIR]/tokens.d/anna.toml` is there already, and does not declare `anna`
tokens.csv:3: `ben` is declared in a file that is left out: tokens.d/broken.toml:2:8: unknown type `usr`
{AGAIN}{AFTERWARDS}"
        ))
        .exit(Exit::Config);
    assert_eq!(declared(&world, "anna"), "[token.other]\ntype = \"user\"\n");
}

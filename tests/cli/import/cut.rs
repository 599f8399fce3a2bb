//! An import that was cut short: what says so, and what finishes it.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{OldString, Rule};
use metatoken::token::Expiry;

use super::{AFTERWARDS, declared, user};
use crate::common::brand::answer;
use crate::common::{World, day};

/// Two rows: what `anna` has lives for an hour and is exchanged, what `ben` has is long-lived.
fn two_rows() -> World {
    let world = World::new();
    world.reconfigure("[http]\nconcurrency = 1\n");
    let short = world.mint(user("anna").ending(Expiry::At(day(0) + TimeDelta::hours(1))));
    let ben = world.mint(user("ben"));
    world.write(
        "tokens.csv",
        format!("label,type,access_token\nanna,user,{short}\nben,user,{ben}\n"),
    );
    world
}

#[test]
fn before_a_label_is_declared_the_same_import_is_the_next_step() {
    let world = two_rows();
    world.killed_at("prepared", &["import", "tokens.csv"], "");
    world
        .run(&["check"])
        .stdout("METATOKEN UNKNOWN - the config declares no tokens\n")
        .stderr("error: the config declares no tokens\nhint: run `metatoken import [DIR]/tokens.csv` again, which finishes what it began\n")
        .code(3);
    let fix = "\nwarning: [token.LABEL]: the config declares no tokens: nothing is kept alive; run `metatoken import [DIR]/tokens.csv` again, which finishes what it began\n";
    let ran = world.run(&["config", "check"]).code(0);
    assert!(ran.stdout.contains(fix), "{}", ran.stdout);
    world.run(&["import", "tokens.csv", "-q"]).stdout("").code(0);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 2 tokens, all well\n").code(0);
}

#[test]
fn a_declared_label_without_an_access_token_names_the_same_import() {
    let world = two_rows();
    world.killed_at("declared", &["import", "tokens.csv"], "");
    let again = "run `metatoken import [DIR]/tokens.csv` again, which finishes what it began";
    world
        .run(&["status", "--offline"])
        .stdout(&format!(
            "
1 token: 1 unknown                                          2026-01-01 00:00 UTC

TOKEN  TYPE  STATE            EXPIRES  DATA ACCESS  CHECKED  NEXT
anna   user  no access token  -        -            never    -

unknown: `anna`: no access token yet, its import has not finished
  hint: {again}. Without that file run `metatoken exchange anna` and paste an access token
"
        ))
        .stderr("")
        .code(0);
    world
        .run(&["token", "anna"])
        .stdout("")
        .stderr(&format!(
            "error: anna: no access token yet, its import has not finished\nhint: {again}. Without that file run `metatoken exchange anna` and paste an access token\n"
        ))
        .exit(Exit::Failed);
    world
        .run(&["refresh"])
        .stdout(&format!(
            "
TOKEN  OUTCOME  EXPIRES  REASON
anna   invalid  -        its import was cut short and brought no access token

critical: `anna`: never worked, its import was cut short and brought no access token
  hint: {again}. Without that file run `metatoken exchange anna` and paste an access token

1 token: 1 invalid
"
        ))
        .stderr("")
        .exit(Exit::PersonNeeded);
    world
        .run(&["import", "tokens.csv"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
anna   imported  2026-03-02  it was short-lived: expires 2026-01-01 01:00 UTC, in 60 minutes; exchanged
ben    imported  2026-03-02  long-lived already; declared in `tokens.d/ben.toml`

2 tokens: 2 imported
",
        )
        .stderr(AFTERWARDS)
        .code(0);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 2 tokens, all well\n").code(0);
}

#[test]
fn every_option_is_in_the_command_that_finishes_it() {
    for (typed, named) in [
        (
            &[
                "import",
                "my tokens.json",
                "--map",
                "accessToken=access_token",
                "--map",
                "name=label",
            ][..],
            "metatoken import '[DIR]/my tokens.json' --map accessToken=access_token --map name=label",
        ),
        (
            &["import", ".env", "--from", "env", "--map", "FB=anna"],
            "metatoken import [DIR]/.env --from env --map FB=anna",
        ),
        (&["import", "-"], "metatoken import -"),
    ] {
        let world = World::new();
        let value = world.mint(user("anna"));
        let json =
            format!("{{\"name\": \"anna\", \"type\": \"user\", \"accessToken\": \"{value}\"}}\n");
        world.write("my tokens.json", json);
        world.write(".env", format!("FB={value}\n"));
        let csv = format!("label,type,access_token\nanna,user,{value}\n");
        world.killed_at("declared", typed, &csv);
        let told = world.run(&["check", "--json"]).json();
        assert_eq!(told["tokens"][0]["reasons"][0]["command"], named, "{typed:?}");
        let _ = world.run_with_input(typed, &csv).code(0);
        world.run(&["check"]).verdict("\nMETATOKEN OK - 1 token, all well\n").code(0);
    }
}

#[test]
fn once_the_import_has_refused_the_row_it_is_not_named_again() {
    let world = two_rows();
    world.killed_at("declared", &["import", "tokens.csv"], "");
    let text = std::fs::read_to_string(world.path("tokens.csv")).unwrap();
    world.write("tokens.csv", text.replace("anna,user,EAA", "anna,user,EAAx"));
    world
        .run(&["import", "tokens.csv", "-q"])
        .stdout("")
        .stderr("tokens.csv:2: its access token was rejected: Meta does not know this value\n")
        .exit(Exit::InputRefused);
    let told = world.run(&["check", "anna", "--json"]).json();
    assert_eq!(told["tokens"][0]["reasons"][0]["command"], "metatoken refresh anna");
    assert_ne!(declared(&world, "anna"), "");
}

#[test]
fn what_was_sealed_is_taken_and_not_asked_for_again() {
    // With a Graph that ends what was exchanged, and after the hour in which that lives.
    for (fate, hours) in [(OldString::Lives, 0), (OldString::Dies, 0), (OldString::Lives, 2)] {
        let mut world = two_rows();
        world.graph.with(|graph| graph.set_old_string(fate));
        world.killed_at("sealed", &["import", "tokens.csv"], "");
        world.at(day(0) + TimeDelta::hours(hours));
        world.calls();
        world
            .run(&["import", "tokens.csv"])
            .stdout(
                "
TOKEN  OUTCOME   EXPIRES     REASON
anna   imported  2026-03-02  sealed by an earlier run, which was cut short; exchanged
ben    imported  2026-03-02  long-lived already; declared in `tokens.d/ben.toml`

2 tokens: 2 imported
",
            )
            .stderr(AFTERWARDS)
            .code(0);
        let mut calls = world.calls();
        calls.sort();
        let inspected = ["Anna", "Anna", "Ben", "Ben"].map(|name| format!("debug_token {name}"));
        assert_eq!(calls, inspected, "{fate:?}, {hours}");
        let events = [("exchanged".to_owned(), String::new())];
        assert_eq!(world.events("anna"), events, "{fate:?}, {hours}");
        assert_eq!(world.in_use("anna"), "EAAFAKEAnna2");
        let again = world.run(&["import", "tokens.csv", "--json"]).code(0);
        assert_eq!(again.result("anna")["reason"], "imported before");
    }
}

#[test]
fn a_timers_run_takes_what_was_sealed_and_the_same_import_the_rest() {
    let world = two_rows();
    world.graph.with(|graph| graph.set_old_string(OldString::Dies));
    world.killed_at("sealed", &["import", "tokens.csv"], "");
    let ran = world.run(&["refresh", "--json"]).code(0);
    assert_eq!(ran.result("anna")["outcome"], "exchanged");
    world
        .run(&["import", "tokens.csv"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
ben    imported  2026-03-02  long-lived already; declared in `tokens.d/ben.toml`
anna   verified  2026-03-02  imported before

2 tokens: 1 verified, 1 imported
",
        )
        .stderr(AFTERWARDS)
        .code(0);
    assert_eq!(world.exchanges(), 1);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 2 tokens, all well\n").code(0);
}

#[test]
fn another_file_brings_another_access_token_after_a_kill() {
    let world = two_rows();
    world.killed_at("sealed", &["import", "tokens.csv"], "");
    let other = world.mint(user("other"));
    world.write("other.csv", format!("label,type,access_token\nanna,user,{other}\n"));
    let _ = world.run(&["import", "other.csv", "-q"]).stdout("").code(0);
    assert_eq!(world.in_use("anna"), other);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 1 token, all well\n").code(0);
}

/// What is said of the exchange whose answer a kill has lost.
const LOST: &str =
    "an exchange that began 2026-01-01 00:00 UTC was cut short; what Meta answered is lost";

#[test]
fn what_was_lost_before_its_seal_is_named_and_asked_for_again() {
    for place in ["granted", "before-seal"] {
        for between in [false, true] {
            let world = two_rows();
            world.killed_at(place, &["import", "tokens.csv"], "");
            let mut expected = format!("warning: anna: {LOST}\n{AFTERWARDS}");
            if between {
                // The timer's run says it then, and names the import.
                let ran = world.run(&["refresh"]).exit(Exit::PersonNeeded);
                let said = format!(
                    "\ncritical: `anna`: never worked, {LOST}\n  hint: run `metatoken import [DIR]/tokens.csv` again, which finishes what it began. "
                );
                assert!(ran.stdout.contains(&said), "{}", ran.stdout);
                AFTERWARDS.clone_into(&mut expected);
            }
            world
                .run(&["import", "tokens.csv"])
                .stdout(
                    "
TOKEN  OUTCOME   EXPIRES     REASON
anna   imported  2026-03-02  it was short-lived: expires 2026-01-01 01:00 UTC, in 60 minutes; exchanged
ben    imported  2026-03-02  long-lived already; declared in `tokens.d/ben.toml`

2 tokens: 2 imported
",
                )
                .stderr(&expected)
                .code(0);
            let events = world.events("anna");
            let kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
            assert_eq!(kinds, ["refresh_failed", "exchanged"], "{place}, {between}");
            assert_eq!(events[0].1, LOST, "{place}, {between}");
            world.run(&["refresh", "-q"]).silent().code(0);
        }
    }
}

#[test]
fn what_was_lost_with_the_access_token_in_the_file_is_blamed_for_its_death() {
    let world = two_rows();
    world.graph.with(|graph| graph.set_old_string(OldString::Dies));
    world.killed_at("granted", &["import", "tokens.csv"], "");
    let ran = world.run(&["import", "tokens.csv", "-q"]).exit(Exit::InputRefused);
    let why = "the answer to an exchange sent 2026-01-01 00:00 UTC was lost, which may be why";
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines[0], format!("warning: anna: {LOST}"));
    let refused = format!("tokens.csv:2: its access token was rejected: logged out, {why}");
    assert_eq!(lines[1], refused);
    // The other row went in.
    assert_eq!(world.in_use("ben"), "EAAFAKEBen1");
}

#[test]
fn a_row_that_meta_does_not_answer_about_is_left_to_the_same_import() {
    let world = two_rows();
    world.reconfigure("[http]\nconcurrency = 1\nattempts = 1\n");
    world.killed_at("declared", &["import", "tokens.csv"], "");
    world.graph.misbehave(Rule::on("/debug_token"), answer(500, "{}"));
    let _ = world.run(&["import", "tokens.csv", "-q"]).exit(Exit::Unavailable);
    world.graph.behave();
    let told = world.run(&["check", "anna", "--json"]).json();
    let named = "metatoken import [DIR]/tokens.csv";
    assert_eq!(told["tokens"][0]["reasons"][0]["command"], named);
    world.run(&["import", "tokens.csv", "-q"]).stdout("").code(0);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 2 tokens, all well\n").code(0);
}

#[test]
fn a_label_of_the_config_is_delivered_by_whichever_finishes_it() {
    for between in [false, true] {
        let world = World::new().config(
            "[token.anna]\ntype = \"user\"\n[[token.anna.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\n",
        );
        world.write("app.env", "TOKEN=\n");
        let short = world.mint(user("anna").ending(Expiry::At(day(0) + TimeDelta::hours(1))));
        world.write("tokens.csv", format!("label,type,access_token\nanna,user,{short}\n"));
        world.killed_at("sealed", &["import", "tokens.csv"], "");
        if between {
            world.run(&["refresh", "-q"]).silent().code(0);
        }
        world.run(&["import", "tokens.csv", "-q"]).stdout("").code(0);
        let delivered = std::fs::read_to_string(world.path("app.env")).unwrap();
        assert_eq!(delivered, "TOKEN=EAAFAKEAnna2\n", "{between}");
        assert_eq!(world.exchanges(), 1, "{between}");
    }
}

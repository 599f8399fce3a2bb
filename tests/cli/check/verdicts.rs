//! One verdict from what is stored, and each cause with its line.

use std::process::Stdio;
use std::time::{Duration, Instant};

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, Rule};

use super::{CONFIG, kept, user};
use crate::common::{World, day, ends};

#[test]
fn ok_when_all_is_well() {
    let mut world = kept();
    world.run(&["check"]).verdict("\nMETATOKEN OK - 2 tokens, all well\n").stderr("").code(0);
    // It asks nobody and needs no secret.
    world.set("APP_SECRET", "");
    world.run(&["check"]).verdict("\nMETATOKEN OK - 2 tokens, all well\n").stderr("").code(0);
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn warning_when_the_timer_has_stopped() {
    let mut world = kept();
    world.at(day(2));
    world.run(&["check"]).verdict("
METATOKEN WARNING - no run since 2026-01-01 00:00 UTC, 2 days ago; operator: metatoken refresh
WARNING: no run since 2026-01-01 00:00 UTC, 2 days ago
  run `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check --system`
").stderr("").code(1);
    world.at(day(4));
    world.run(&["check"]).verdict("
METATOKEN CRITICAL - brand and 1 more: no run since 2026-01-01 00:00 UTC, 4 days ago; operator: metatoken refresh
CRITICAL: `brand` and `shop`: no run since 2026-01-01 00:00 UTC, 4 days ago
  run `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check brand`
").stderr("").code(2);
}

#[test]
fn critical_when_a_token_is_dead_and_each_cause_has_its_line() {
    let mut world = kept();
    world.at(day(1));
    world.graph.with(|graph| {
        graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged);
        graph.invalidate("EAAFAKEShop1", Invalidation::Revoked);
    });
    world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).stderr("");
    world.run(&["check"]).verdict("
METATOKEN CRITICAL - brand: down, password changed; anna@client.example logs in: metatoken login brand (and 1 more)
CRITICAL: `brand`: down, password changed
  anna@client.example logs in to the app again: run `metatoken login brand`. Proof: `metatoken check brand`. Meta: \"The session has been invalidated because the user changed their password or Facebook has…\" (190/460)
CRITICAL: `shop`: down, revoked
  the person behind the token logs in to the app again: run `metatoken login shop`. Proof: `metatoken check shop`. Meta: \"The session was invalidated explicitly using an API call\" (190/466)
").stderr("").code(2);
    world.run(&["check", "shop"]).verdict("
METATOKEN CRITICAL - shop: down, revoked; its owner logs in: metatoken login shop
CRITICAL: `shop`: down, revoked
  the person behind the token logs in to the app again: run `metatoken login shop`. Proof: `metatoken check shop`. Meta: \"The session was invalidated explicitly using an API call\" (190/466)
").stderr("").code(2);
    let first = world.run(&["check"]).code(2).stdout;
    let (verdict, _) = first.split_once(" | ").unwrap();
    assert!(verdict.chars().count() < 200);
}

#[test]
fn unknown_without_a_verdict() {
    let world = World::new().config(CONFIG);
    world.run(&["check"]).verdict("
METATOKEN UNKNOWN - brand: no access token yet; operator: metatoken refresh brand (and 1 more)
UNKNOWN: `brand`: no access token yet
  run `metatoken refresh brand`. Without an `access_token` in the config run `metatoken exchange brand` and paste one. Proof: `metatoken check brand`
UNKNOWN: `shop`: no access token yet
  run `metatoken refresh shop`. Without an `access_token` in the config run `metatoken exchange shop` and paste one. Proof: `metatoken check shop`
").stderr("").code(3);
    world
        .run(&["check", "nobody"])
        .verdict(
            "
METATOKEN UNKNOWN - nobody: matches no token
",
        )
        .stderr(
            "
error: nobody: matches no token
hint: the labels are `brand` and `shop`
",
        )
        .code(3);
    let mut command = std::process::Command::new(world.command(&[]).get_program());
    command.env_clear().args(["--config", "some.toml", "check", "--nonsense"]);
    let typo = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    world
        .finish(typo)
        .verdict(
            "
METATOKEN UNKNOWN - unexpected argument '--nonsense' found
",
        )
        .stderr(
            "
error: unexpected argument '--nonsense' found

  tip: to pass '--nonsense' as a value, use '-- --nonsense'

Usage: metatoken check [OPTIONS] [LABEL]...

For more information, try '--help'.
",
        )
        .code(3);
    world
        .run(&["check", "--format", "csv"])
        .verdict("\nMETATOKEN UNKNOWN - invalid value 'csv' for '--format <FORMAT>' [possible values: nagios, json, prometheus, github, http]\n")
        .stderr(
            "
error: invalid value 'csv' for '--format <FORMAT>'
  [possible values: nagios, json, prometheus, github, http]

For more information, try '--help'.
",
        )
        .code(3);
    world.reconfigure("[token.brand]\ntype = \"user\"\nsecret = \"x\"\n");
    world
        .run(&["check"])
        .verdict(
            "
METATOKEN UNKNOWN - [DIR]/metatoken.toml:12:1: unknown key secret; operator: metatoken config check
",
        )
        .stderr(
            r#"
error: [DIR]/metatoken.toml: 1 mistake
  metatoken.toml:12:1: unknown key `secret`
   12 | secret = "…"
      | ^^^^^^ it belongs in `[app.NAME]`
"#,
        )
        .code(3);
    world.reconfigure("[token.brand]\ntype = \"usr\"\nsecret = \"x\"\n[token.b]\n");
    let ran = world.run(&["check"]).code(3);
    assert_eq!(
        ran.stdout,
        "METATOKEN UNKNOWN - [DIR]/metatoken.toml:11:8: unknown type usr; operator: metatoken config check \
         (and 2 more)\n"
    );
    world.reconfigure("");
    world
        .run(&["check"])
        .verdict(
            "
METATOKEN UNKNOWN - the config declares no tokens
",
        )
        .stderr(
            "
error: the config declares no tokens
hint: run `metatoken add LABEL --type TYPE`
",
        )
        .code(3);
}

#[test]
fn the_worst_wins() {
    let mut world = World::new()
        .config(CONFIG)
        .token("BRAND", user("brand"))
        .token("SHOP", user("shop").ending(ends(9)));
    world.run(&["refresh", "brand", "--quiet"]).exit(Exit::Ok).silent();
    // One without a verdict and one that is well.
    world.run(&["check"]).verdict("
METATOKEN UNKNOWN - shop: no access token yet; operator: metatoken refresh shop
UNKNOWN: `shop`: no access token yet
  run `metatoken refresh shop`. Without an `access_token` in the config run `metatoken exchange shop` and paste one. Proof: `metatoken check shop`
").stderr("").code(3);
    let config = CONFIG.replace("\"SHOP\" }", "\"SHOP\" }\nauto_refresh = false");
    world.reconfigure(&config);
    world.run(&["refresh", "--json"]).exit(Exit::Ok).stderr("");
    world.run(&["check"]).verdict("
METATOKEN WARNING - shop: works, expires in 9 days, auto_refresh is off; its owner logs in: metatoken login shop
WARNING: `shop`: works, expires in 9 days (2026-01-10 00:00 UTC), `auto_refresh` is off
  the person behind the token logs in to the app again: run `metatoken login shop`. Proof: `metatoken check shop`
").stderr("").code(1);
    world.at(day(3));
    world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).stderr("");
    world.run(&["check"]).verdict("
METATOKEN CRITICAL - shop: works, expires in 6 days, auto_refresh is off; its owner logs in: metatoken login shop
CRITICAL: `shop`: works, expires in 6 days (2026-01-10 00:00 UTC), `auto_refresh` is off
  the person behind the token logs in to the app again: run `metatoken login shop`. Proof: `metatoken check shop`
").stderr("").code(2);
}

#[test]
fn programs_get_the_same_verdict() {
    let world = kept();
    let json = world.run(&["check", "--json"]).code(0).json();
    let fields: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["version", "health", "exit_code", "summary", "tokens", "system", "runs"]);
    assert_eq!(json["health"], "ok");
    assert_eq!(json["exit_code"], 0);
    let status = world.run(&["status", "--offline", "--json"]).exit(Exit::Ok).json();
    assert_eq!(json["tokens"], status["tokens"]);
    world
        .run(&["check", "nobody", "--json"])
        .stdout(
            r#"
{
  "version": 1,
  "error": {
    "code": "no_such_label",
    "exit_code": 3,
    "subject": "nobody",
    "message": "matches no token",
    "causes": [],
    "hints": [
      "the labels are `brand` and `shop`"
    ]
  }
}
"#,
        )
        .stderr(
            "
error: nobody: matches no token
hint: the labels are `brand` and `shop`
",
        )
        .code(3);
}

#[test]
fn live_asks_and_tells_what_it_learns() {
    let world = kept();
    world.graph.with(|graph| graph.invalidate("EAAFAKEShop1", Invalidation::Revoked));
    world.run(&["check", "--live"]).verdict("
METATOKEN CRITICAL - shop: down, revoked; its owner logs in: metatoken login shop
CRITICAL: `shop`: down, revoked
  the person behind the token logs in to the app again: run `metatoken login shop`. Proof: `metatoken check shop`. Meta: \"The session was invalidated explicitly using an API call\" (190/466)
").stderr("").code(2);
    assert_eq!(world.calls().len(), 2);
}

#[test]
fn live_ends_in_time_however_slow_graph_is() {
    let world = kept();
    world.graph.misbehave(Rule::any(), FaultInjection::Slow(Duration::from_millis(200)));
    let began = Instant::now();
    let ran =
        world.run(&["check", "--live"]).verdict("\nMETATOKEN OK - 2 tokens, all well\n").code(0);
    let said = "Graph gave no verdict, so what is stored is shown: `brand` and `shop`: no answer from \
         `127.0.0.1` within";
    assert!(ran.stderr.starts_with(said), "{}", ran.stderr);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

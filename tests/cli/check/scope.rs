//! Half a verdict, for whoever answers for half: the tokens' owners, or the machine's. And none in
//! quiet times.

use std::fs;

use metatoken::exit::Exit;
use metatoken::sandbox::Invalidation;

use super::{kept, user};
use crate::common::{BRAND, World, day, ends};

/// A world in which `shop` is about to end, which is its owner's trouble, and `brand` did not
/// reach its file, which is the machine's.
fn both_halves() -> World {
    let world = World::new()
        .config(&format!(
            "{BRAND}\n[[token.brand.deliver]]\nname = \"app\"\nfile = \"app.env\"\nkey = \"TOKEN\"\n\
             [token.shop]\ntype = \"user\"\naccess_token = {{ env = \"SHOP\" }}\nauto_refresh = false\n"
        ))
        .token("BRAND", user("brand"))
        .token("SHOP", user("shop").ending(ends(10)));
    world.run(&["refresh", "--json"]).code(73);
    world
}

#[test]
fn each_half_is_judged_by_itself() {
    let mut world = both_halves();
    world.run(&["check"]).verdict("
METATOKEN WARNING - brand: works, not delivered to app, just now…; operator: metatoken deliver brand (and 1 more)
WARNING: `brand`: works, not delivered to `app`, just now: [DIR]/app.env: the file is missing; correct `file` in the config, or set `create = true`
  run `metatoken deliver brand`, which tries again and says what to fix. Proof: `metatoken check brand`
WARNING: `shop`: works, expires in 10 days (2026-01-11 00:00 UTC), `auto_refresh` is off
  the person behind the token logs in to the app again: run `metatoken login shop`. Proof: `metatoken check shop`
").stderr("").code(1);
    world
        .run(&["check", "--tokens"])
        .verdict(
            "
METATOKEN WARNING - shop: works, expires in 10 days, auto_refresh is off; its owner logs in: metatoken login shop
WARNING: `shop`: works, expires in 10 days (2026-01-11 00:00 UTC), `auto_refresh` is off
  the person behind the token logs in to the app again: run `metatoken login shop`. Proof: `metatoken check shop`
",
        )
        .stderr("")
        .code(1);
    world
        .run(&["check", "--system"])
        .verdict(
            "
METATOKEN WARNING - brand: works, not delivered to app, just now: [DIR]/app.env…; operator: metatoken deliver brand
WARNING: `brand`: works, not delivered to `app`, just now: [DIR]/app.env: the file is missing; correct `file` in the config, or set `create = true`
  run `metatoken deliver brand`, which tries again and says what to fix. Proof: `metatoken check brand`
",
        )
        .stderr("")
        .code(1);
    // A timer that stopped is no fault of a token's, until nobody knows any more what it is worth.
    world.at(day(2));
    world
        .run(&["check", "brand", "--tokens"])
        .verdict(
            "
METATOKEN OK - 1 token, all well
",
        )
        .code(0);
    world
        .run(&["check", "brand", "--system"])
        .verdict(
            "
METATOKEN CRITICAL - brand: works, not delivered to app, since 2026-01-01 00:00…; operator: metatoken deliver brand (and 1 more)
CRITICAL: `brand`: works, not delivered to `app`, since 2026-01-01 00:00 UTC, 2 days ago: [DIR]/app.env: the file is missing; correct `file` in the config, or set `create = true`
  run `metatoken deliver brand`, which tries again and says what to fix. Proof: `metatoken check brand`
WARNING: no run since 2026-01-01 00:00 UTC, 2 days ago
  run `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check --system`
",
        )
        .code(2);
}

#[test]
fn when_all_is_well_each_half_says_so() {
    let world = kept();
    world
        .run(&["check", "--tokens"])
        .verdict(
            "
METATOKEN OK - 2 tokens, all well
",
        )
        .stderr("")
        .code(0);
    world
        .run(&["check", "--system"])
        .verdict(
            "
METATOKEN OK - the last run finished 2026-01-01 00:00 UTC
",
        )
        .stderr("")
        .code(0);
    let young = World::new().config(BRAND);
    young
        .run(&["check", "--system"])
        .verdict(
            "
METATOKEN OK - the machinery is well
",
        )
        .stderr("")
        .code(0);
    // The machinery is none of its half, also where each token's file is left out.
    young.reconfigure("");
    young.write("tokens.d/brand.toml", "[token.brand]\ntype = \"usr\"\n");
    young.run(&["check", "--tokens"]).verdict("METATOKEN OK - no tokens\n").stderr("").code(0);
}

#[test]
fn a_dead_token_is_no_fault_of_the_machine() {
    let mut world = kept();
    world.graph.with(|graph| graph.invalidate("EAAFAKEShop1", Invalidation::Revoked));
    world.at(day(1));
    world.run(&["refresh", "--quiet"]).exit(Exit::PersonNeeded);
    world.run(&["check", "--tokens"]).code(2);
    world.run(&["check", "--system"]).code(0);
}

#[test]
fn programs_get_half_too() {
    let world = both_halves();
    let all = world.run(&["check", "--json"]).code(1).json();
    let tokens = world.run(&["check", "--tokens", "--json"]).code(1).json();
    let system = world.run(&["check", "--system", "--json"]).code(1).json();
    let codes = |reasons: &serde_json::Value| -> Vec<String> {
        let reasons = reasons.as_array().unwrap();
        reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
    };
    let of = |json: &serde_json::Value, label: usize| codes(&json["tokens"][label]["reasons"]);
    assert_eq!(
        (of(&all, 0), of(&all, 1)),
        (vec!["delivery_failed".into()], vec!["expiring".into()])
    );
    assert_eq!((of(&tokens, 0), of(&tokens, 1)), (vec![], vec!["expiring".into()]));
    assert_eq!(tokens["tokens"][0]["health"], "ok");
    assert_eq!((codes(&tokens["system"]), &tokens["runs"]["finished_at"]), (vec![], &().into()));
    assert_eq!(system["tokens"], serde_json::json!([]));
    assert_eq!(codes(&system["system"]), ["delivery_failed"]);
    assert_eq!(system["runs"]["exit_code"], 73);
}

#[test]
fn two_halves_at_once_are_a_mistake() {
    let world = kept();
    world
        .run(&["check", "--tokens", "--system"])
        .verdict(
            "
METATOKEN UNKNOWN - the argument '--tokens' cannot be used with '--system'
",
        )
        .code(3);
}

#[test]
fn quiet_prints_a_verdict_only_if_somebody_has_to_read_it() {
    let mut world = kept();
    for format in ["nagios", "github"] {
        world.run(&["check", "--quiet", "--format", format]).silent().code(0);
    }
    // A document that is empty is none, as for every other command.
    for format in ["json", "prometheus"] {
        let loud = world.run(&["check", "--format", format]).code(0).stdout;
        world.run(&["check", "--quiet", "--format", format]).stdout(&loud).code(0);
    }
    world.run(&["check", "--quiet", "nobody"]).code(3);
    world.at(day(2));
    let loud = world.run(&["check"]).code(1);
    world.run(&["check", "--quiet"]).stdout(&loud.stdout).stderr("").code(1);
    fs::remove_file(world.path("metatoken.toml")).unwrap();
    let ran = world.run(&["check", "--quiet"]).code(3);
    assert!(ran.stdout.starts_with("METATOKEN UNKNOWN - "), "{}", ran.stdout);
}

//! Graph's versions: an end is announced sixty days ahead, and a version that answers in another's
//! place is noticed.

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;
use serde_json::json;

use crate::common::{ANNA, APP, World, day};

/// Another name for the app of every world, so that its version can be pinned.
fn pinned(version: &str) -> World {
    World::new()
        .config(&format!(
            r#"
[app.pinned]
id = "{APP}"
secret = {{ env = "APP_SECRET" }}
graph_version = "{version}"

[token.brand]
type = "user"
app = "pinned"
access_token = {{ env = "BRAND" }}

[token.shop]
type = "user"
app = "pinned"
access_token = {{ env = "SHOP" }}
"#
        ))
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
        .token("SHOP", TokenFixture::user(APP, ANNA).named("shop"))
}

#[test]
fn the_end_of_a_pinned_version_is_announced_with_the_newer_one() {
    // v19.0 ends on 2026-05-21, which is day 140.
    let mut world = pinned("v19.0");
    for (at, code) in [(79, 0), (80, 1)] {
        world.at(day(at));
        let brand = world.mint(TokenFixture::user(APP, ANNA).named("brand"));
        let shop = world.mint(TokenFixture::user(APP, ANNA).named("shop"));
        world.set("BRAND", &brand);
        world.set("SHOP", &shop);
        world.run(&["refresh", "--json"]).exit(Exit::Ok).stderr("");
        let system = world.run(&["check", "--json"]).code(code).json()["system"].clone();
        assert_eq!(system.as_array().unwrap().len(), usize::from(code), "day {at}: {system:#}");
    }
    world.run(&["check"]).verdict(r#"
METATOKEN WARNING - brand and 1 more: app pinned asks for Graph v19.0, which expires…; operator: metatoken config check
WARNING: `brand` and `shop`: app `pinned` asks for Graph v19.0, which expires 2026-05-21 00:00 UTC, in 60 days
  set `graph_version = "v26.0"` in `[app.pinned]`, or leave it out; then run `metatoken config check`. Proof: `metatoken check brand`
"#).stderr("").code(1);
    world.run(&["status"]).stdout(r#"
2 tokens: 2 ok                                              2026-03-22 00:00 UTC

TOKEN  TYPE  STATE  EXPIRES     DATA ACCESS  CHECKED   NEXT
brand  user  works  2026-05-21  2026-06-20   just now  renew 2026-05-01
shop   user  works  2026-05-21  2026-06-20   just now  renew 2026-05-01

warning: `brand` and `shop`: app `pinned` asks for Graph v19.0, which expires 2026-05-21 00:00 UTC, in 60 days
  hint: set `graph_version = "v26.0"` in `[app.pinned]`, or leave it out; then run `metatoken config check`
"#).stderr("").exit(Exit::Ok);
    world.run(&["refresh"]).stdout(r#"
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-05-21  due 2026-05-01 00:00 UTC, in 40 days
shop   not due  2026-05-21  due 2026-05-01 00:00 UTC, in 40 days

warning: `brand` and `shop`: app `pinned` asks for Graph v19.0, which expires 2026-05-21 00:00 UTC, in 60 days
  hint: set `graph_version = "v26.0"` in `[app.pinned]`, or leave it out; then run `metatoken config check`

2 tokens: 2 not due
"#).stderr("").exit(Exit::Ok);
    let system = world.run(&["refresh", "--json"]).exit(Exit::Ok).json()["system"].clone();
    assert_eq!(
        system,
        json!([{
            "code": "graph_version_ends",
            "severity": "warning",
            "message": "app `pinned` asks for Graph v19.0, which expires 2026-05-21 00:00 UTC, in 60 days",
            "remedy": "set `graph_version = \"v26.0\"` in `[app.pinned]`, or leave it out; then run `metatoken config check`",
            "labels": ["brand", "shop"],
            "state": null,
            "brief": "operator",
            "command": "metatoken config check",
            "meta": null,
        }])
    );
}

#[test]
fn a_version_that_has_ended_is_said_once_though_another_answers() {
    let world = pinned("v18.0");
    world
        .run(&["refresh"])
        .stdout(
            r#"
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  found in the environment variable `BRAND`
shop   adopted  2026-03-02  found in the environment variable `SHOP`

warning: `brand` and `shop`: app `pinned` asks for Graph v18.0, which has expired
  hint: set `graph_version = "v26.0"` in `[app.pinned]`, or leave it out; then run `metatoken config check`

2 tokens: 2 adopted
"#,
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["check"]).verdict(r#"
METATOKEN WARNING - brand and 1 more: app pinned asks for Graph v18.0, which has expired; operator: metatoken config check
WARNING: `brand` and `shop`: app `pinned` asks for Graph v18.0, which has expired
  set `graph_version = "v26.0"` in `[app.pinned]`, or leave it out; then run `metatoken config check`. Proof: `metatoken check brand`
"#).stderr("").code(1);
}

#[test]
fn a_version_that_answers_in_another_ones_place_is_noticed() {
    let world = pinned("v25.0");
    world.graph.with(|graph| {
        graph.app_mut(APP).unwrap().answers_as = Some("v24.0".to_owned());
    });
    let json = world.run(&["refresh", "--json"]).exit(Exit::Ok).json();
    assert_eq!(
        json["system"],
        json!([{
            "code": "graph_version_fallback",
            "severity": "warning",
            "message": "app `pinned` asks for Graph v25.0, and v24.0 answers",
            "remedy": "set `graph_version = \"v26.0\"` in `[app.pinned]`, or leave it out; then run `metatoken config check`",
            "labels": ["brand", "shop"],
            "state": null,
            "brief": "operator",
            "command": "metatoken config check",
            "meta": null,
        }])
    );
    world
        .run(&["status", "--live"])
        .stdout(
            r#"
2 tokens: 2 ok                                              2026-01-01 00:00 UTC

TOKEN  TYPE  STATE  EXPIRES     DATA ACCESS  CHECKED   NEXT
brand  user  works  2026-03-02  2026-04-01   just now  renew 2026-02-10
shop   user  works  2026-03-02  2026-04-01   just now  renew 2026-02-10

warning: `brand` and `shop`: app `pinned` asks for Graph v25.0, and v24.0 answers
  hint: set `graph_version = "v26.0"` in `[app.pinned]`, or leave it out; then run `metatoken config check`
"#,
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["check", "--live"]).verdict(r#"
METATOKEN WARNING - brand and 1 more: app pinned asks for Graph v25.0, and v24.0 answers; operator: metatoken config check
WARNING: `brand` and `shop`: app `pinned` asks for Graph v25.0, and v24.0 answers
  set `graph_version = "v26.0"` in `[app.pinned]`, or leave it out; then run `metatoken config check`. Proof: `metatoken check brand`
"#).stderr("").code(1);
}

//! `deliver --restore`: the file as it was before the last delivery.

use metatoken::sandbox::{Invalidation, TokenFixture};
use serde_json::json;

use super::{
    APP_INI, ONE, TWO, WEB_ENV, delivered, due, env, held, ini, left_behind, reasons, states,
};
use crate::common::{ANNA, APP, BAKERY, World, day, ends};

#[test]
fn it_brings_the_file_back_and_holds_until_force() {
    let mut world = due(&format!("{APP_INI}{WEB_ENV}"));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.write("web/.env", format!("# mine since\n{}", env(TWO)));
    world.calls();
    world
        .run(&["deliver", "--restore", "brand"])
        .stdout("")
        .stderr(
            "
`app` holds again what it held before the last delivery
`web` holds again what it held before the last delivery
hint: `metatoken deliver --force brand` brings the current access token again
",
        )
        .code(0);
    assert_eq!(held(&world, "app.ini"), ini(ONE));
    assert_eq!(held(&world, "web/.env"), env(ONE));
    assert_eq!(left_behind(&world), [""; 0]);
    for n in [45, 46] {
        world.at(day(n));
        world.run(&["refresh", "--quiet"]).code(0);
        world.run(&["deliver", "--quiet"]).code(0);
        assert_eq!(held(&world, "app.ini"), ini(ONE));
        assert_eq!(reasons(&world.offline("brand")), ["warning drifted", "warning drifted"]);
    }
    world.run(&["deliver", "--force", "brand", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "app.ini"), ini(TWO));
    assert_eq!(states(&world.offline("brand")), ["app in_sync", "web in_sync"]);
    assert_eq!(world.exchanges(), 1);
}

#[test]
fn a_value_that_was_empty_stays_empty() {
    let world = delivered(WEB_ENV);
    let ran = world.run(&["deliver", "--restore", "brand", "--json"]).stderr("").code(0);
    let result = ran.result("brand");
    assert_eq!(
        (&result["outcome"], &ran.json()["summary"]["restored"]),
        (&json!("restored"), &json!(1))
    );
    assert_eq!(result["reason"], "what `web` held before the last delivery");
    assert_eq!(states(&result), ["web drifted"]);
    assert_eq!(held(&world, "web/.env"), env(""));
    world.run(&["refresh", "--quiet"]).code(0);
    assert_eq!(held(&world, "web/.env"), env(""));
    world.run(&["deliver", "--force", "brand", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "web/.env"), env(ONE));
}

#[test]
fn without_anything_to_restore_it_says_so() {
    let world = delivered("");
    world
        .run(&["deliver", "--restore", "brand"])
        .stdout("")
        .stderr(
            "
error: brand: no file of it was replaced by a delivery that is remembered
hint: old contents are kept for 30d
",
        )
        .code(65);
    world.run(&["deliver", "--restore", "nobody"]).code(64);
}

#[test]
fn a_second_time_takes_the_first_one_back() {
    let world = due(APP_INI);
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.write("app.ini", ini("typed-by-hand"));
    for value in [ONE, "typed-by-hand", ONE] {
        world.run(&["deliver", "--restore", "brand", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "app.ini"), ini(value));
    }
}

#[test]
fn a_file_that_cannot_be_restored_does_not_keep_the_others() {
    let world = due(&format!("{APP_INI}{WEB_ENV}"));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    std::fs::remove_file(world.path("app.ini")).unwrap();
    world
        .run(&["deliver", "--restore", "brand"])
        .stdout("")
        .stderr(
            "
`web` holds again what it held before the last delivery
hint: `metatoken deliver --force brand` brings the current access token again
error: [DIR]/app.ini: the file is missing
hint: make an empty file with the rights that its application needs
",
        )
        .code(73);
    assert_eq!(held(&world, "web/.env"), env(ONE));
    assert_eq!(world.last_run(), (true, Some(73)));
    let error = &world.run(&["deliver", "--restore", "brand", "--json"]).code(73).json()["error"];
    assert_eq!(error["code"], "not_restored");
}

/// What an application held before metatoken came: refused by Graph, worse, or no token at all. The
/// runs after a restore are about a healthy token.
#[test]
fn the_runs_after_it_report_drift_and_nothing_else() {
    let garbage = "EAAthisisnotanaccesstokenofmetas";
    let dead = |graph: &World| {
        let it = graph.mint(TokenFixture::user(APP, ANNA).named("beforemetatokencame"));
        graph.graph.with(|graph| graph.invalidate(&it, Invalidation::PasswordChanged));
        it
    };
    let worse = |graph: &World| {
        graph.mint(TokenFixture::user(APP, ANNA).named("beforemetatokencame").ending(ends(20)))
    };
    let made: [&dyn Fn(&World) -> String; 3] = [&|_| garbage.to_owned(), &dead, &worse];
    for make in made {
        let world = super::world(APP_INI);
        let before = make(&world);
        world.write("app.ini", ini(&before));
        world.run(&["refresh", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "app.ini"), ini(ONE));
        world.run(&["deliver", "--restore", "brand", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "app.ini"), ini(&before));
        world.calls();
        for _ in 0..2 {
            world.run(&["refresh"]).stdout(DRIFTED).stderr("").code(0);
            assert_eq!(world.calls(), [""; 0], "it was examined when it was replaced");
            assert_eq!(held(&world, "app.ini"), ini(&before));
        }
        assert_eq!(reasons(&world.offline("brand")), ["warning drifted"]);
        world.run(&["deliver", "--force", "brand", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "app.ini"), ini(ONE));
    }
}

const DRIFTED: &str = "
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  due 2026-02-10 00:00 UTC, in 40 days

warning: `brand`: `app` holds another value, just now, and is left untouched
  hint: run `metatoken deliver --force brand` to overwrite it

1 token: 1 not due
";

/// What a person pastes into a file that was delivered before, and Graph refuses.
#[test]
fn what_graph_refuses_in_a_target_asks_for_no_login() {
    let world = delivered(APP_INI);
    let other = TokenFixture::page(APP, ANNA, BAKERY).named("another");
    for value in ["EAAthisisnotanaccesstokenofmetas", &world.mint(other)] {
        world.write("app.ini", ini(value));
        for _ in 0..2 {
            world.run(&["refresh"]).stdout(DRIFTED).stderr("").code(0);
        }
        assert_eq!(world.events("brand").len(), 2, "adopted, delivered");
    }
}

/// A person puts the earlier one back because the new one does not work.
#[test]
fn an_earlier_one_that_works_is_adopted_when_the_current_one_is_dead() {
    let mut world = due(&format!("{APP_INI}{WEB_ENV}"));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(world.in_use("brand"), TWO);
    world.run(&["deliver", "--restore", "brand", "--quiet"]).silent().code(0);
    world.run(&["refresh", "--quiet"]).code(0);
    assert_eq!(world.in_use("brand"), TWO, "not while the current one works");
    world.graph.with(|graph| graph.invalidate(TWO, Invalidation::Revoked));
    world.at(day(46));
    let _ = world.run(&["refresh", "brand", "--quiet"]);
    let _ = world.run(&["refresh", "brand", "--quiet"]);
    assert_eq!(held(&world, "app.ini"), ini(&world.in_use("brand")));
    assert_ne!(world.in_use("brand"), TWO);
}

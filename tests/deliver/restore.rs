//! `deliver --restore`: the file as it was before the last delivery.

use super::{
    APP_INI, ONE, TWO, WEB_ENV, delivered, due, env, held, ini, left_behind, reasons, states,
};
use crate::common::day;

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
hint: `metatoken deliver --force brand` brings the string in use again
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
    world.run(&["deliver", "--restore", "brand", "--quiet"]).silent().code(0);
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
hint: `metatoken deliver --force brand` brings the string in use again
error: [DIR]/app.ini: there is no such file
hint: make an empty file with the rights that its application needs
",
        )
        .code(73);
    assert_eq!(held(&world, "web/.env"), env(ONE));
    assert_eq!(world.last_run(), (true, Some(73)));
    let error = &world.run(&["deliver", "--restore", "brand", "--json"]).code(73).json()["error"];
    assert_eq!(error["code"], "not_restored");
}

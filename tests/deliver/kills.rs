//! A kill at every step of a delivery: the file is either old or new, and the next run does the
//! rest.

use super::{ONE, TWO, WEB_ENV, delivered, env, held, ini, left_behind, script, states};
use crate::common::{BRAND, World, day};

const APP_IN_PLACE: &str = "[[token.brand.deliver]]\nname = \"app\"\nfile = \"app.ini\"\nkey = \"facebook.token\"\nwrite = \"in-place\"\n";

/// What the first file holds when the process was killed there.
const STEPS: [(&str, &str); 5] = [
    ("promoted", ONE),
    ("temp-written", ONE),
    ("temp-synced", ONE),
    ("renamed", TWO),
    ("settled", TWO),
];

/// A world on day 40, when the token is due, with two files and a program that counts its runs.
fn three(first: &str) -> World {
    let mut world = delivered("");
    let text = format!("cat >> {0}\necho >> {0}\n", world.path("runs").display());
    let hook =
        format!("[[token.brand.deliver]]\nname = \"hook\"\n{}", script(&world, "hook.sh", &text));
    world.lives_until(30);
    world.at(day(39));
    world.reconfigure(&format!("{BRAND}\n{first}{WEB_ENV}{hook}"));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "app.ini"), ini(ONE));
    world.at(day(40));
    world.calls();
    world
}

#[track_caller]
fn settled_by_the_next_run(world: &World, place: &str) {
    assert_eq!(world.exchanges(), 1, "{place}");
    world.calls();
    let result = world.run(&["refresh", "--json"]).code(0).stderr("").result("brand");
    assert_eq!(states(&result), ["app in_sync", "web in_sync", "hook in_sync"], "{place}");
    assert_eq!(held(world, "app.ini"), ini(TWO), "{place}");
    assert_eq!(held(world, "web/.env"), env(TWO), "{place}");
    assert_eq!(held(world, "runs"), format!("{ONE}\n{TWO}\n"), "{place}");
    assert_eq!(left_behind(world), [""; 0], "{place}");
    assert_eq!(world.calls(), [""; 0], "{place}");
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.run(&["check"]).code(0);
}

#[test]
fn a_kill_at_any_step_leaves_the_old_or_the_new_and_the_rest_is_done_by_the_next_run() {
    for (place, first) in STEPS {
        let world = three(super::APP_INI);
        world.killed_at(place, &["refresh"], "");
        assert_eq!(held(&world, "app.ini"), ini(first), "{place}");
        assert_eq!(held(&world, "web/.env"), env(ONE), "{place}");
        assert_eq!(world.in_use("brand"), TWO, "{place}");
        assert_eq!(world.run(&["check"]).code, Some(1), "{place}: a pending delivery is reported");
        settled_by_the_next_run(&world, place);
    }
}

#[test]
fn deliver_does_the_rest_as_well() {
    for (place, _) in STEPS {
        let world = three(super::APP_INI);
        world.killed_at(place, &["refresh"], "");
        world.calls();
        world.run(&["deliver", "--quiet"]).silent().code(0);
        assert_eq!(world.calls(), [""; 0], "{place}");
        assert_eq!(held(&world, "web/.env"), env(TWO), "{place}");
        settled_by_the_next_run(&world, place);
    }
}

#[test]
fn a_kill_while_a_file_is_written_in_place_is_mended_by_the_next_run() {
    // Both strings are as long, so that what was written is whole.
    let world = three(APP_IN_PLACE);
    world.killed_at("overwritten", &["refresh"], "");
    assert_eq!(held(&world, "app.ini"), ini(TWO));
    settled_by_the_next_run(&world, "overwritten");
}

#[test]
fn a_kill_again_and_again_comes_to_an_end_all_the_same() {
    let world = three(super::APP_INI);
    world.killed_at("promoted", &["refresh"], "");
    for place in ["temp-written", "temp-synced", "renamed", "temp-synced", "settled"] {
        world.killed_at(place, &["deliver"], "");
        let app = held(&world, "app.ini");
        assert!([ini(ONE), ini(TWO)].contains(&app), "{place}: {app}");
    }
    settled_by_the_next_run(&world, "at last");
}

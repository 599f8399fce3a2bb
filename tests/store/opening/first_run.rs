//! A kill at any step of the very first run: no store or a whole one, and the next run makes it.

use std::fs;

use super::{lost, nothing_is_left_over};
use crate::common::{BRAND, Nobody, World, can_be_another_user};

const STEPS: [&str; 8] = [
    "store-begun",
    "key-written",
    "key-named",
    "key-made",
    "store-opened",
    "store-filled",
    "store-written",
    "store-named",
];

fn world(store: &str) -> World {
    let world = World::new().config(&format!("{store}{BRAND}")).token("BRAND", lost::brand());
    world.write("given.key", "07".repeat(32));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(world.path("given.key"), mode).unwrap();
    world
}

#[test]
fn it_is_no_life_and_no_wedge() {
    let given = "[store]\nkey = { file = \"given.key\" }\n";
    for (store, steps) in
        [("", &STEPS[..]), (given, &["store-begun", "store-filled", "store-named"])]
    {
        for step in steps {
            let world = world(store);
            // Twice, so that what the first left is in the way of the second.
            world.killed_at(step, &["refresh"], "");
            if *step != "store-named" && !step.starts_with("key-") {
                world.killed_at(step, &["refresh"], "");
            }
            let is_made = world.path("metatoken.db").exists();
            assert_eq!(is_made, *step == "store-named", "{step}");
            let verdict = world.run(&["check"]).code(3);
            assert!(verdict.stdout.contains("brand"), "{step}: {}", verdict.stdout);
            world.run(&["status", "--offline"]).code(0);
            world.run(&["refresh", "-n"]).code(0);
            world.run(&["refresh"]).code(0);
            assert_eq!(world.in_use("brand"), "EAAFAKEBrand1", "{step}");
            nothing_is_left_over(&world);
            world.run(&["check"]).code(0);

            // From now on it has lived.
            for ending in ["", "-wal", "-shm"] {
                fs::remove_file(world.path(&format!("metatoken.db{ending}"))).unwrap();
            }
            world.run(&["refresh"]).code(74);
        }
    }
}

#[test]
fn a_store_that_was_made_before_the_kill_is_used() {
    let world = world("");
    world.killed_at("store-named", &["refresh"], "");
    let key = fs::read(world.path("metatoken.key")).unwrap();
    world.run(&["refresh"]).code(0);
    assert_eq!(fs::read(world.path("metatoken.key")).unwrap(), key);
    let ours = world.sql().query_row("PRAGMA application_id", [], |row| row.get::<_, i64>(0));
    assert_eq!(ours, Ok(0x4d54_4b4e));
}

#[test]
fn another_user_sees_no_store_or_a_whole_one() {
    if !can_be_another_user() {
        return;
    }
    let world = world("");
    let somebody = Nobody::new();
    for (name, mode) in [(".", 0o755), ("metatoken.toml", 0o644)] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(world.path(name), mode).unwrap();
    }
    world.killed_at("store-opened", &["refresh"], "");
    let before = world.snapshot();
    somebody.run(&world, &["history"]).code(74);
    assert!(world.snapshot() == before);
    world.run(&["refresh"]).code(0);
}

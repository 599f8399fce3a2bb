//! `check` by somebody who owns nothing: without key, secrets, lock or a right to write.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::user;
use crate::common::{BRAND, Nobody, World, can_be_another_user, day, until};

const FORMS: [&[&str]; 7] = [
    &["check"],
    &["check", "--json"],
    &["check", "--format", "prometheus"],
    &["check", "--format", "github"],
    &["check", "--tokens"],
    &["check", "--system"],
    &["check", "--perfdata", "all", "brand"],
];

/// A world with a delivered token.
fn world() -> World {
    let target = "[[token.brand.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\n";
    let world = World::new().config(&format!("{BRAND}\n{target}")).token("BRAND", user("brand"));
    world.write("app.env", "TOKEN=\n");
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world
}

/// Everything in the folder and the folder itself: when it was last changed, and how long it is.
fn listing(world: &World) -> BTreeMap<PathBuf, (SystemTime, u64)> {
    let entries = fs::read_dir(world.path(".")).unwrap().map(|entry| entry.unwrap().path());
    entries
        .chain([world.path(".")])
        .map(|path| {
            let about = fs::metadata(&path).unwrap();
            (path, (about.modified().unwrap(), about.len()))
        })
        .collect()
}

#[test]
fn it_gets_the_owners_verdict_and_changes_nothing() {
    if !can_be_another_user() {
        return;
    }
    let world = world();
    let somebody = Nobody::let_in(&world);
    let expected = FORMS.map(|form| world.run(form).code(0).stdout);
    let before = listing(&world);
    for (form, expected) in FORMS.iter().zip(&expected) {
        let ran = somebody.run_without_secrets(&world, form).stderr("").code(0);
        assert_eq!(&ran.stdout, expected, "{form:?}");
    }
    assert_eq!(listing(&world), before);
}

#[test]
fn it_waits_for_no_run() {
    if !can_be_another_user() {
        return;
    }
    let mut world = world();
    let somebody = Nobody::let_in(&world);
    world.at(day(1));
    world.graph.latency(Duration::from_secs(20));
    let before = world.graph.connections();
    let mut run = world.spawn(&["refresh"]);
    until("the run asks Graph", || world.graph.connections() > before);
    let began = Instant::now();
    for form in FORMS {
        somebody.run_without_secrets(&world, form).stderr("").code(0);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "nobody waited for the run");
    run.kill().unwrap();
    assert_eq!(world.finish(run).signal, Some(9));
}

#[test]
fn who_cannot_write_the_store_gets_the_verdict_and_a_warning() {
    if !can_be_another_user() {
        return;
    }
    let world = world();
    let somebody = Nobody::let_in(&world);
    let said = somebody.run_without_secrets(&world, &["check", "--notify"]).stderr("").code(1);
    let warning = "notifications cannot be sent: [DIR]/metatoken.db.lock: the lock cannot be taken";
    assert!(said.stdout.contains(warning), "{}", said.stdout);
    assert!(said.stdout.contains("tokens=1;;;0 ok=1 "), "{}", said.stdout);
}

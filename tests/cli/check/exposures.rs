//! Secrets that lie open: to every user of the machine, not to a group that somebody chose.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use metatoken::exit::Exit;

use super::user;
use crate::common::{BRAND, World};

/// A world whose token is in a file too, all of it for its owner alone.
fn closed() -> World {
    let target = "[[token.brand.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\n";
    let world = World::new().config(&format!("{BRAND}\n{target}")).token("BRAND", user("brand"));
    world.write("app.env", "TOKEN=\n");
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world
}

fn set(world: &World, name: &str, mode: u32) {
    fs::set_permissions(world.path(name), Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_every_user_can_read_is_told() {
    for (file, what) in [
        ("metatoken.key", "the store key"),
        ("metatoken.db", "the store"),
        ("app.env", "the target"),
    ] {
        let world = closed();
        set(&world, ".", 0o755);
        set(&world, file, 0o644);
        let told = format!("{what} `[DIR]/{file}` can be read by every user of this machine");
        let command = format!("chmod o-r [DIR]/{file}");
        let ran = world.run(&["check"]);
        let (first, rest) = ran.stdout.split_once('\n').unwrap();
        let begins = format!("METATOKEN WARNING - {what} [DIR]/{file} can be read");
        assert!(first.starts_with(&begins), "{first}");
        assert!(first.contains(&format!("; operator: {command} | ")), "{first}");
        assert_eq!(rest, format!("WARNING: {told}\n  run `{command}`\n"));
        let _ = ran.stderr("").code(1);
        world.run(&["check", "--system"]).code(1);
        world.run(&["check", "--tokens"]).code(0);
    }
}

#[test]
fn what_the_group_can_read_or_nobody_can_reach_is_not() {
    for file in ["metatoken.key", "metatoken.db", "app.env"] {
        for (folder, mode) in [(0o755, 0o640), (0o700, 0o644), (0o750, 0o644)] {
            let world = closed();
            set(&world, ".", folder);
            set(&world, file, mode);
            world
                .run(&["check"])
                .verdict("\nMETATOKEN OK - 1 token, all well\n")
                .stderr("")
                .code(0);
        }
    }
}

#[test]
fn the_remedy_is_one() {
    let world = closed();
    set(&world, ".", 0o755);
    for file in ["metatoken.key", "metatoken.db", "app.env"] {
        set(&world, file, 0o644);
    }
    let ran = world.run(&["check"]).code(1);
    let hints = ran.stdout.lines().filter(|line| line.starts_with("  "));
    let remedies = hints.map(|line| line.split('`').nth(1).unwrap());
    let lines: Vec<String> = remedies.map(str::to_owned).collect();
    assert_eq!(lines.len(), 3);
    for line in lines {
        let typed = line.replace("[DIR]", world.path("").to_str().unwrap().trim_end_matches('/'));
        let ran = std::process::Command::new("sh").args(["-c", &typed]).status().unwrap();
        assert!(ran.success(), "{typed}");
    }
    world.run(&["check"]).code(0);
}

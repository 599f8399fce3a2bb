//! The metrics file: for everybody to read, whole at every moment, and its failure is told.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use metatoken::policy::cut;

use super::{CONFIG, kept, several};
use crate::common::{World, day, mode};

/// Runs `check` under a umask that is for secrets.
fn check_under_umask(world: &World, arguments: &[&str]) -> Option<i32> {
    let inner = world.command(&[&["check"], arguments].concat());
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 077; exec \"$0\" \"$@\""]).arg(inner.get_program());
    shell.args(inner.get_args()).env_clear();
    shell.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(world.path(".")).output().unwrap().status.code()
}

fn files_in(world: &World, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(world.path(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn it_holds_the_metrics_and_everybody_may_read_it() {
    let mut world = kept();
    fs::create_dir(world.path("exporter")).unwrap();
    let file = world.path("exporter/metatoken.prom");
    let arguments = ["--textfile", file.to_str().unwrap()];
    // What was there is replaced, though it was longer and nobody else could read it.
    let longer = format!("# HELP metatoken_x {}\n", "x".repeat(100_000));
    world.write("exporter/metatoken.prom", longer);
    for n in 0..2 {
        world.at(day(n));
        world.run(&["refresh", "--quiet"]).silent().code(0);
        assert_eq!(check_under_umask(&world, &arguments), Some(0));
        let metrics = world.run(&["check", "--format", "prometheus"]).code(0).stdout;
        assert_eq!(fs::read_to_string(&file).unwrap(), metrics, "day {n}");
        assert_eq!(mode(&file), 0o644);
        assert_eq!(files_in(&world, "exporter"), ["metatoken.prom"]);
    }
    let plain = world.run(&["check"]).code(0).stdout;
    let beside = world.run(&["check", arguments[0], arguments[1]]).code(0).stdout;
    assert_eq!(beside, plain, "it is written besides");
}

#[test]
fn it_may_stand_beside_the_caller() {
    let world = kept();
    world.run(&["check", "--textfile", "metatoken.prom"]).code(0);
    let metrics = world.run(&["check", "--format", "prometheus"]).code(0).stdout;
    assert_eq!(fs::read_to_string(world.path("metatoken.prom")).unwrap(), metrics);
}

#[test]
fn a_folder_that_is_not_there_is_a_warning() {
    let mut world = kept();
    let arguments = ["check", "--textfile", "none/metatoken.prom"];
    world.run(&arguments).verdict("
METATOKEN WARNING - the metrics file none/metatoken.prom cannot be…; operator: metatoken check --textfile none/metatoken.prom
WARNING: the metrics file `none/metatoken.prom` cannot be written: its folder is not there
  `mkdir -p none`; then run `metatoken check --textfile none/metatoken.prom`. Proof: `metatoken check --system`
").stderr("").code(1);
    let json = world.run(&[&arguments[..], &["--json"]].concat()).code(1).json();
    assert_eq!(json["system"][0]["code"], "textfile_failed");
    // It takes nothing from what is worse.
    world.at(day(4));
    world
        .run(&arguments)
        .verdict(
            "
METATOKEN CRITICAL - brand and 1 more: no run since 2026-01-01 00:00 UTC, 4 days ago; operator: metatoken refresh (and 1 more)
CRITICAL: `brand` and `shop`: no run since 2026-01-01 00:00 UTC, 4 days ago
  run `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check brand`
WARNING: the metrics file `none/metatoken.prom` cannot be written: its folder is not there
  `mkdir -p none`; then run `metatoken check --textfile none/metatoken.prom`. Proof: `metatoken check --system`
",
        )
        .stderr("")
        .code(2);
}

#[test]
fn whoever_tells_people_writes_the_one_that_runs_write() {
    let world = kept();
    let told = world.path("told");
    let tables = format!(
        "{CONFIG}\n[alerts]\ntextfile = \"none/metatoken.prom\"\n\
         [[notify]]\ncommand = [\"sh\", \"-c\", \"head -n 1 >> '{}'\"]\n",
        told.display()
    );
    world.reconfigure(&tables);
    for _ in 0..2 {
        let _ = world.run(&["refresh", "--quiet"]).silent().code(0);
        let _ = world.run(&["check", "--notify", "--quiet"]).code(1);
    }
    let said = fs::read_to_string(&told).unwrap();
    assert_eq!(said.lines().count(), 1, "one failure is told once: {said}");
    fs::create_dir(world.path("none")).unwrap();
    world.run(&["check", "--notify", "--quiet"]).silent().code(0);
    let said = fs::read_to_string(&told).unwrap();
    assert!(said.lines().nth(1).unwrap().starts_with("RECOVERED"), "{said}");
    assert_eq!(files_in(&world, "none"), ["metatoken.prom"]);
}

#[test]
fn what_is_no_metrics_file_is_not_replaced() {
    let world = kept();
    world.write("app.env", "TOKEN=\n");
    let pipe = Command::new("mkfifo").arg(world.path("pipe")).status().unwrap();
    assert!(pipe.success());
    for name in ["metatoken.key", "metatoken.db", "metatoken.toml", "app.env", "pipe"] {
        let before = fs::symlink_metadata(world.path(name)).unwrap();
        let line =
            format!("the metrics file {name} cannot be written: something else has its name");
        let command = format!("metatoken check --textfile {name}");
        let room = 110 - format!("; operator: {command}").chars().count();
        world
            .run(&["check", "--textfile", name])
            .verdict(&format!(
                "
METATOKEN WARNING - {}; operator: {command}
WARNING: the metrics file `{name}` cannot be written: something else has its name
  name another file, or move that one away; then run `{command}`. Proof: `metatoken check --system`
",
                cut(&line, room)
            ))
            .code(1);
        let after = fs::symlink_metadata(world.path(name)).unwrap();
        assert_eq!((after.ino(), after.len()), (before.ino(), before.len()), "{name}");
    }
    // An empty one may have been made for us.
    world.write("metatoken.prom", "");
    world.run(&["check", "--textfile", "metatoken.prom"]).code(0);
}

#[test]
fn what_was_there_stays_where_nothing_can_be_written() {
    let world = several(1);
    fs::create_dir(world.path("metatoken.prom")).unwrap();
    world.run(&["check", "--textfile", "metatoken.prom"]).code(1);
    assert_eq!(files_in(&world, "metatoken.prom"), [""; 0]);
    assert!(files_in(&world, ".").iter().all(|name| !name.contains(".prom.")), "nothing is left");
}

//! Programs that outlive a run which was killed: the next run sees them and starts no second one.

use std::fs;

use rustix::process::Signal;

use super::{ONE, TWO, held, pending, script, states};
use crate::common::skip;
use crate::common::{BRAND, World, day, signal, until};

/// A program that writes down what it got, and runs until it is told to end.
const PATIENT: &str = "cat >> FOLDER/got
echo $$ > FOLDER/pid
echo begun >> FOLDER/runs
while [ -d FOLDER ] && [ ! -e FOLDER/end ]; do sleep 0.02; done
";

/// A world in which `brand` is delivered to this program; `FOLDER` stands for the world's folder.
fn world(text: &str) -> World {
    let world = super::world("");
    let text = text.replace("FOLDER", world.path(".").to_str().unwrap());
    let command = script(&world, "hook.sh", &text);
    world.reconfigure(&format!("{BRAND}\n[[token.brand.deliver]]\nname = \"hook\"\n{command}"));
    world
}

/// Kills a run while the program runs that it has started, and returns the program's number.
#[track_caller]
fn killed_while_it_runs(world: &World, arguments: &[&str]) -> u32 {
    let child = world.spawn(arguments);
    until("the program runs", || {
        fs::read_to_string(world.path("runs")).is_ok_and(|runs| !runs.is_empty())
    });
    signal(&child, Signal::KILL);
    assert_eq!(world.finish(child).signal, Some(9));
    held(world, "pid").trim().parse().unwrap()
}

fn is_running(pid: u32) -> bool {
    // One that nobody has reaped yet is a zombie.
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}

fn has_proc() -> bool {
    let found = fs::exists("/proc/self/stat").unwrap_or(false);
    if !found {
        skip("deliver: programs that outlive a run", "there is no /proc");
    }
    found
}

#[test]
fn the_next_run_says_so_and_starts_no_second_one() {
    if !has_proc() {
        return;
    }
    let mut world = world(PATIENT);
    let pid = killed_while_it_runs(&world, &["refresh"]);
    assert!(is_running(pid));
    let why = format!(
        "`/bin/sh` is still running since 2026-01-01 00:00 UTC as process {pid}, started by an earlier run; no second one was started"
    );
    let remedy = format!("wait until it has exited, or kill it: `kill -- -{pid}`");
    world
        .run(&["deliver", "--test"])
        .stdout(&format!("brand -> hook: would fail: {why}\n  hint: {remedy}\n"))
        .stderr("")
        .code(73);
    world.run(&["refresh", "-n"]).code(73);
    for _ in 0..2 {
        world
            .run(&["refresh"])
            .stdout(&format!(
                "
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  due 2026-02-10 00:00 UTC, in 40 days

warning: `brand`: not delivered to `hook`, just now: {why}; {remedy}
  hint: run `metatoken deliver brand`, which tries again and says what to fix

1 token: 1 not due
"
            ))
            .stderr("")
            .code(73);
    }
    assert_eq!(held(&world, "runs"), "begun\n");
    // A newer access token waits as well.
    world.at(day(45));
    let ran = world.run(&["refresh", "--json"]).code(73);
    assert_eq!((ran.result("brand")["outcome"].as_str(), pending(&ran)), (Some("refreshed"), 1));
    assert_eq!(held(&world, "runs"), "begun\n");
    world.write("end", "");
    until("it has ended", || !is_running(pid));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "got"), format!("{ONE}{TWO}"));
    assert_eq!(states(&world.offline("brand")), ["hook in_sync"]);
}

#[test]
fn the_remedy_ends_it() {
    if !has_proc() {
        return;
    }
    let world = world(PATIENT);
    let pid = killed_while_it_runs(&world, &["refresh"]);
    world.run(&["deliver"]).code(73);
    let kill = format!("kill -- -{pid}");
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    until("it has ended", || !is_running(pid));
    world.write("end", "");
    world.run(&["deliver", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "runs"), "begun\nbegun\n");
}

/// The program itself has ended; what it left in its group is ended by the remedy.
#[test]
fn what_it_has_started_is_seen_as_well() {
    if !has_proc() {
        return;
    }
    let world = world(
        "cat >> FOLDER/got
sh -c 'echo $$ > FOLDER/pid; exec sleep 60' > /dev/null 2>&1 &
while [ ! -e FOLDER/pid ]; do sleep 0.02; done
echo $$ > FOLDER/leader
while [ ! -e FOLDER/end ]; do sleep 0.02; done
",
    );
    let child = world.spawn(&["refresh"]);
    until("the program runs", || fs::exists(world.path("leader")).unwrap());
    signal(&child, Signal::KILL);
    assert_eq!(world.finish(child).signal, Some(9));
    let number = |name: &str| held(&world, name).trim().parse::<u32>().unwrap();
    let (leader, left) = (number("leader"), number("pid"));
    world.write("end", "");
    until("the program has ended", || !is_running(leader));
    let why = format!(
        "`/bin/sh` has exited, but process {left} that it left is still running since 2026-01-01 00:00 UTC, started by an earlier run; no second one was started"
    );
    let kill = format!("kill -- -{leader}");
    world
        .run(&["deliver", "--test"])
        .stdout(&format!(
            "brand -> hook: would fail: {why}\n  hint: wait until it has exited, or kill it: `{kill}`\n"
        ))
        .stderr("")
        .code(73);
    world.run(&["refresh", "--quiet"]).code(73);
    assert_eq!(held(&world, "got"), ONE);
    // A process of the program's number that was started otherwise is another's.
    world.sql().execute("UPDATE hook SET start_ticks = start_ticks + 1000000", []).unwrap();
    world.run(&["deliver", "--test"]).code(0);
    world.sql().execute("UPDATE hook SET start_ticks = start_ticks - 1000000", []).unwrap();
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    until("what it left has ended", || !is_running(left));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "got"), format!("{ONE}{ONE}"));
}

#[test]
fn another_process_of_its_number_is_no_program_of_ours() {
    if !has_proc() {
        return;
    }
    let is_known = fs::exists("/proc/sys/kernel/random/boot_id").unwrap_or(false);
    for (otherwise, differs) in [
        ("start_ticks = start_ticks + 1", true),
        ("boot = 'another'", is_known),
        // A unit may not see which boot it is.
        ("boot = ''", false),
    ] {
        let world = world(PATIENT);
        let pid = killed_while_it_runs(&world, &["refresh"]);
        world.sql().execute(&format!("UPDATE hook SET {otherwise}"), []).unwrap();
        world.run(&["deliver", "--test"]).code(if differs { 0 } else { 73 });
        world.write("end", "");
        if differs {
            world.run(&["deliver", "--quiet"]).silent().code(0);
            assert_eq!(held(&world, "runs"), "begun\nbegun\n", "{otherwise}");
        }
        until("it has ended", || !is_running(pid));
    }
}

#[test]
fn the_same_command_waits_for_every_token_and_others_do_not() {
    if !has_proc() {
        return;
    }
    let world = world(PATIENT);
    let folder = world.path(".").display().to_string();
    let patient = format!("command = [\"/bin/sh\", \"{}\"]\n", world.path("hook.sh").display());
    let other = script(&world, "other.sh", &format!("cat > {folder}/other\n"));
    let token = |label: &str| {
        format!("[token.{label}]\ntype = \"user\"\naccess_token = {{ env = \"BRAND\" }}\n")
    };
    let pid = killed_while_it_runs(&world, &["refresh"]);
    // The label is another now, and so is the target; the command is the same.
    world.reconfigure(&format!(
        "{}was = \"brand\"\n[[token.shop.deliver]]\nname = \"reload\"\n{patient}[[token.shop.deliver]]\nname = \"other\"\n{other}",
        token("shop")
    ));
    let result = world.run(&["refresh", "--json"]).code(73).result("shop");
    assert_eq!(states(&result), ["reload failed", "other in_sync"]);
    assert_eq!((held(&world, "runs").as_str(), held(&world, "other").as_str()), ("begun\n", ONE));
    // The target is the same, and its command another.
    world.reconfigure(&format!(
        "{}was = \"brand\"\n[[token.shop.deliver]]\nname = \"hook\"\n{other}",
        token("shop")
    ));
    fs::remove_file(world.path("other")).unwrap();
    world.run(&["deliver", "--test"]).code(73);
    assert!(!world.path("other").exists());
    world.write("end", "");
    until("it has ended", || !is_running(pid));
}

#[test]
fn one_that_was_started_in_the_moment_of_the_kill_gets_nothing() {
    let world = world("cat > FOLDER/got\n[ -s FOLDER/got ] || exit 0\necho did >> FOLDER/runs\n");
    world.killed_at("hook-noted", &["refresh"], "");
    until("it has read", || world.path("got").exists());
    let mut last = None;
    until("it has ended and the next run delivers", || {
        let code = world.run(&["deliver"]).code;
        last = code;
        code == Some(0)
    });
    assert_eq!(last, Some(0));
    assert_eq!((held(&world, "got").as_str(), held(&world, "runs").as_str()), (ONE, "did\n"));
}

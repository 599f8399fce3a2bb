//! `deliver --test` and `refresh --dry-run`: they say what would happen, and change nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::json;

use super::{APP_INI, ONE, WEB_ENV, delivered, due, held, ini, states, world};
use crate::common::skip;
use crate::common::{BRAND, Ran, Snapshot, World};

const RELOAD: &str = "[[token.brand.deliver]]\nname = \"reload\"\ncommand = [\"/bin/true\"]\n";
const NOBODY_THERE: &str =
    "[[token.brand.deliver]]\nname = \"reload\"\ncommand = [\"/bin/nobody-there\"]\n";

/// Bytes, modes and times of all files.
fn picture(world: &World) -> (Snapshot, BTreeMap<PathBuf, SystemTime>) {
    let times = world.bytes_on_disk().into_iter().filter_map(|(path, _)| {
        // Readers of the store share this one; it is memory and no file.
        let shared = path.ends_with("metatoken.db-shm");
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        (!shared).then_some((path, written))
    });
    let times = times.collect();
    let mut files = world.snapshot();
    files.retain(|path, _| !path.ends_with("metatoken.db-shm"));
    (files, times)
}

#[track_caller]
fn changes_nothing(world: &World, arguments: &[&str]) -> Ran {
    let before = picture(world);
    let ran = world.run(arguments);
    assert!(picture(world) == before, "{arguments:?} changed something");
    ran
}

#[test]
fn a_test_shows_what_would_change_without_the_values() {
    let world = world(&format!("{APP_INI}{WEB_ENV}{RELOAD}"));
    changes_nothing(&world, &["deliver", "--test"])
        .stdout(
            "
brand -> app: would change
  - token = [redacted] ; see the manual
  + token = [redacted] ; see the manual
brand -> web: would change
  - FB_TOKEN=[redacted]
  + FB_TOKEN=[redacted]
brand -> reload: would be run
",
        )
        .stderr("")
        .code(0);
    assert_eq!(world.calls(), [""; 0]);
    assert!(!world.path("metatoken.db").exists());
}

#[test]
fn a_test_of_what_is_delivered_still_looks_at_folders_and_programs() {
    let world = delivered(&format!("{APP_INI}{RELOAD}"));
    changes_nothing(&world, &["deliver", "--test"])
        .stdout(
            "
brand -> app: has the current access token already
brand -> reload: would be run
",
        )
        .stderr("")
        .code(0);
    if !rustix::process::geteuid().is_root() {
        return skip("deliver --test: files of several names", "only root can give a file away");
    }
    fs::hard_link(world.path("app.ini"), world.path("other.ini")).unwrap();
    std::os::unix::fs::chown(world.path("app.ini"), Some(65534), Some(65534)).unwrap();
    changes_nothing(&world, &["deliver", "--test"]).stdout("
brand -> app: would fail: [DIR]/app.ini: not replaced: the file has 2 names (hard links), and the others would keep the old content; not written in place: user 65534 owns it and may have linked it from elsewhere, so root does not write into it
  hint: run metatoken as user 65534, or give the file a single name: `cp -p [DIR]/app.ini [DIR]/app.ini.new && mv [DIR]/app.ini.new [DIR]/app.ini`
brand -> reload: would be run
").stderr("").code(73);
    let json = changes_nothing(&world, &["deliver", "--test", "--json"]).code(73).json();
    let result = &json["results"][0];
    assert_eq!((&json["dry_run"], &json["summary"]["failed"]), (&json!(true), &json!(1)));
    assert_eq!((&result["outcome"], &result["generation"]), (&json!("failed"), &json!(1)));
    assert_eq!(result["reason"], "would not be delivered to `app`");
    let planned = result["deliveries"].as_array().unwrap().iter().map(|it| it["would"].clone());
    assert_eq!(planned.collect::<Vec<_>>(), ["fail", "run"]);
}

#[test]
fn a_test_shows_nothing_of_the_rest_of_a_line() {
    let world =
        world("[[token.brand.deliver]]\nname = \"app\"\nfile = \"app.json\"\nkey = \"fb\"\n");
    world.write("app.json", r#"{"password":"hunter2","fb":"todo","other":"hunter3"}"#);
    changes_nothing(&world, &["deliver", "--test"])
        .stdout(
            r#"
brand -> app: would change
  - "fb":[redacted]
  + "fb":[redacted]
"#,
        )
        .stderr("")
        .code(0);
}

#[test]
fn a_test_says_what_would_be_left_alone() {
    let world = delivered(APP_INI);
    world.write("app.ini", ini("YOUR-KEY-HERE"));
    changes_nothing(&world, &["deliver", "--test"])
        .stdout(
            "
brand -> app: holds another value, and would be left untouched
",
        )
        .stderr("")
        .code(0);
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn a_dry_run_ends_as_the_real_run_would() {
    for (targets, break_it, code) in [
        (format!("{APP_INI}{WEB_ENV}{RELOAD}"), false, 0),
        (format!("{APP_INI}{WEB_ENV}{RELOAD}"), true, 73),
        (format!("{APP_INI}{NOBODY_THERE}"), false, 73),
    ] {
        let what = format!("{targets} {break_it}");
        // Before the first run; when nothing is due; when a renewal is.
        for world in [world(&targets), delivered_or_not(&targets), due_or_not(&targets)] {
            if break_it {
                fs::remove_file(world.path("app.ini")).unwrap();
            }
            let test = changes_nothing(&world, &["deliver", "--test"]);
            assert_eq!(test.code, Some(code), "{what}: {}{}", test.stdout, test.stderr);
            let dry = changes_nothing(&world, &["refresh", "--dry-run"]);
            assert_eq!(dry.code, Some(code), "{what}: {}{}", dry.stdout, dry.stderr);
            let real = world.run(&["refresh"]);
            assert_eq!(real.code, Some(code), "{what}: {}{}", real.stdout, real.stderr);
        }
    }
}

fn delivered_or_not(targets: &str) -> World {
    let world = world(targets);
    let _ = world.run(&["refresh"]);
    world
}

fn due_or_not(targets: &str) -> World {
    let mut world = delivered_or_not(targets);
    world.at(crate::common::day(45));
    world
}

#[test]
fn a_dry_run_speaks_of_targets_as_they_would_stand() {
    let world = due(&format!("{APP_INI}{WEB_ENV}{RELOAD}"));
    let result = changes_nothing(&world, &["refresh", "-n", "--json"]).code(0).result("brand");
    assert_eq!(states(&result), ["app in_sync", "web in_sync", "reload in_sync"]);
    assert_eq!(result["would_deliver"][0]["file"], "[DIR]/app.ini");
    assert_eq!(result["would_deliver"][2]["command"][0], "/bin/true");
    changes_nothing(&world, &["refresh", "-n"])
        .stdout(
            "
TOKEN  OUTCOME        EXPIRES  REASON
brand  would refresh  unknown  expires in 15 days (renewal window: 20 days)
       would be delivered to app ([DIR]/app.ini)
       would be delivered to web ([DIR]/web/.env)
       would be delivered to reload (runs `/bin/true`)

1 token: 1 would refresh (dry run: nothing was changed, and whether Meta would renew is not known)
",
        )
        .stderr("")
        .code(0);
    // What has drifted would be left alone, and the program waits for it.
    world.write("web/.env", "FB_TOKEN=of-another-program\n");
    let result = changes_nothing(&world, &["refresh", "-n", "--json"]).code(73).result("brand");
    assert_eq!(result["would_deliver"].as_array().unwrap().len(), 1);
    let _ = world.run(&["refresh"]).code(73);
    let world = super::world(&format!("{APP_INI}{RELOAD}"));
    changes_nothing(&world, &["refresh", "-n"])
        .stdout(
            "
TOKEN  OUTCOME      EXPIRES     REASON
brand  would adopt  2026-03-02  found in the environment variable `BRAND`
       would be delivered to app ([DIR]/app.ini)
       would be delivered to reload (runs `/bin/true`)

1 token: 1 would adopt (dry run: nothing was changed)
",
        )
        .stderr("")
        .code(0);
}

/// Rehearses a delivery, and then makes it: both end alike.
#[track_caller]
fn rehearsed(world: &World, arguments: &[&str], code: u8) -> Ran {
    let dry = changes_nothing(world, &[arguments, &["-n"]].concat()).code(code);
    let _ = world.run(arguments).code(code);
    dry
}

#[test]
fn a_dry_run_of_a_delivery_names_files_and_programs_and_ends_as_the_real_one() {
    let world = delivered(APP_INI);
    let targets = format!("{APP_INI}{WEB_ENV}{RELOAD}");
    world.reconfigure(&format!("{BRAND}\n{targets}"));
    let json = changes_nothing(&world, &["deliver", "--dry-run", "--json"]).code(0).json();
    assert_eq!(json["dry_run"], true);
    let planned = &json["results"][0]["would_deliver"];
    assert_eq!(planned[0]["file"], "[DIR]/web/.env");
    assert_eq!(planned[1]["command"][0], "/bin/true");
    rehearsed(&world, &["deliver"], 0)
        .stdout(
            "
TOKEN  STATE               SINCE                 TARGET
brand  in sync             2026-01-01 00:00 UTC  app
brand  would be delivered  -                     web ([DIR]/web/.env)
brand  would be delivered  -                     reload (runs `/bin/true`)

3 targets: 2 would be delivered, 1 in sync (dry run: nothing was changed)
",
        )
        .stderr("");
    assert!(held(&world, "web/.env").contains(ONE));

    // What drifted is left alone, unless that is asked for.
    world.write("app.ini", ini("YOUR-KEY-HERE"));
    let left = rehearsed(&world, &["deliver"], 0);
    assert!(
        left.stdout.ends_with("3 targets: 2 in sync, 1 drifted (dry run: nothing was changed)\n")
    );
    let forced = rehearsed(&world, &["deliver", "--force", "brand"], 0);
    let line = "brand  would be delivered  -                     app ([DIR]/app.ini)\n";
    assert!(forced.stdout.contains(line), "{}", forced.stdout);
    assert!(held(&world, "app.ini").contains(ONE));

    // Putting back is rehearsed too.
    rehearsed(&world, &["deliver", "--restore", "brand"], 0).stdout("").stderr(
        "
`app` would hold again what it held before the last delivery
`web` would hold again what it held before the last delivery
",
    );
    assert!(held(&world, "app.ini").contains("YOUR-KEY-HERE"));
    fs::remove_file(world.path("app.ini")).unwrap();
    rehearsed(&world, &["deliver", "--restore", "brand"], 73);

    // It fails where the real one does.
    world.reconfigure(&format!("{BRAND}\n{APP_INI}{NOBODY_THERE}"));
    rehearsed(&world, &["deliver"], 73);
    // Before the first run there is nothing to deliver.
    let new = super::world(&targets);
    let dry = changes_nothing(&new, &["deliver", "-n"]);
    assert_eq!(dry.code, new.run(&["deliver"]).code, "{}", dry.stdout);
}

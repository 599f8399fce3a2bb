//! Programs: what they get, what they must not get, and what becomes of their failure.

use std::fs;
use std::time::{Duration, Instant};

use super::{APP_INI, ONE, TWO, held, ini, pending, script, states};
use crate::common::{ANNA, APP, BRAND, Ran, World, day, until};
use metatoken::sandbox::TokenFixture;

/// A world in which `brand` is delivered to this script, below these targets; `NAME` stands for
/// the world's folder.
fn world(above: &str, text: &str) -> World {
    let world = super::world("");
    let text = text.replace("FOLDER", world.path(".").to_str().unwrap());
    let command = script(&world, "hook.sh", &text);
    let target = format!("[[token.brand.deliver]]\nname = \"hook\"\n{command}timeout = \"1s\"\n");
    world.reconfigure(&format!("{BRAND}\n{above}{target}"));
    world
}

#[test]
fn it_gets_the_string_and_nothing_else_on_standard_input() {
    let mut world = world("", "cat > FOLDER/got\npwd > FOLDER/where\n");
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "got"), ONE);
    assert_eq!(held(&world, "where"), "/\n");
    world.at(day(45));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "got"), TWO);
}

#[test]
fn its_environment_is_ours_without_what_leads_to_a_secret() {
    let mut world = world("", "env > FOLDER/got\n")
        .with("PATH", "/usr/bin:/bin")
        .with("LANG", "C.UTF-8")
        .with("METATOKEN_LABEL", "from outside")
        .with("METATOKEN_NOISE", "from outside")
        .with("CREDENTIALS_DIRECTORY", "/run/credentials");
    let variables = |world: &World| {
        let text = held(world, "got");
        // A shell adds its own.
        let own = ["PWD", "OLDPWD", "SHLVL", "_"];
        let mut lines: Vec<String> = text
            .lines()
            .filter(|line| !own.contains(&line.split('=').next().unwrap()))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    let fingerprint = |world: &World| {
        let output = world.command(&["status", "--offline", "--json"]).output().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        json["tokens"][0]["fingerprint"].as_str().unwrap().to_owned()
    };
    for (at, event, generation, ends) in
        [(0, "adopted", 1, "2026-03-02T00:00:00Z"), (45, "refreshed", 2, "2026-04-16T00:00:00Z")]
    {
        world.at(day(at));
        world.run(&["refresh", "--quiet"]).silent().code(0);
        let fingerprint = fingerprint(&world);
        let expected = [
            // Named by no SECRET of this config.
            "INSTA_SECRET=fakesecretoftheinstagramapp".to_owned(),
            "LANG=C.UTF-8".to_owned(),
            format!("METATOKEN_EVENT={event}"),
            format!("METATOKEN_EXPIRES_AT={ends}"),
            format!("METATOKEN_FINGERPRINT={fingerprint}"),
            format!("METATOKEN_GENERATION={generation}"),
            "METATOKEN_LABEL=brand".to_owned(),
            "METATOKEN_LABELS=brand".to_owned(),
            "METATOKEN_TYPE=user".to_owned(),
            "PATH=/usr/bin:/bin".to_owned(),
            "THREADS_SECRET=fakesecretofthethreadsapp".to_owned(),
        ];
        assert_eq!(variables(&world), expected);
    }
}

#[test]
fn its_failure_is_a_failed_delivery_with_its_last_words_and_no_secret() {
    let world =
        world("", "read -r string\necho starting\necho \"refused: $string is bad\" >&2\nexit 3\n");
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  found in the environment variable `BRAND`

warning: `brand`: not delivered to `hook`, just now: `/bin/sh` exited with 3: refused: [redacted] is bad
  hint: run `metatoken deliver brand`, which tries again and says what to fix

1 token: 1 adopted
").stderr("").code(73);
    assert_eq!(states(&world.offline("brand")), ["hook failed"]);
    let (event, why) = world.events("brand").pop().unwrap();
    assert_eq!(
        (event.as_str(), why.as_str()),
        ("delivery_failed", "`/bin/sh` exited with 3: refused: [redacted] is bad")
    );
    let text = "cat > /dev/null\n";
    world.write("hook.sh", text);
    world.calls();
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn one_that_is_done_is_not_run_again() {
    let mut world = world("", "echo run >> FOLDER/runs\n");
    for _ in 0..2 {
        world.run(&["refresh", "--quiet"]).silent().code(0);
        world.run(&["deliver", "--quiet"]).silent().code(0);
        world.run(&["refresh", "-n"]).code(0);
        world.run(&["deliver", "--test"]).code(0);
        world.run(&["status"]).code(0);
    }
    assert_eq!(held(&world, "runs"), "run\n");
    world.at(day(45));
    world.run(&["refresh", "-n"]).code(0);
    assert_eq!(held(&world, "runs"), "run\n");
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "runs"), "run\nrun\n");
}

#[test]
fn one_that_runs_on_is_ended_with_all_that_it_started() {
    let world = world("", "sleep 300 &\necho $! > FOLDER/child\nsleep 300\n");
    let began = Instant::now();
    let result = world.run(&["refresh", "--json"]).code(73).result("brand");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(
        result["deliveries"][0]["error"],
        "`/bin/sh` did not end within 1s; give it a longer `timeout`, or make it faster"
    );
    let child: u32 = held(&world, "child").trim().parse().unwrap();
    // A dead one that nobody has reaped yet is a zombie.
    until("the child is gone", || {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
}

#[test]
fn one_that_is_missing_names_itself() {
    let world = super::world("[[token.brand.deliver]]\ncommand = [\"/bin/nobody-there\"]\n");
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  found in the environment variable `BRAND`

warning: `brand`: not delivered to `/bin/nobody-there`, just now: `/bin/nobody-there` is not there; correct `command` in the config
  hint: run `metatoken deliver brand`, which tries again and says what to fix

1 token: 1 adopted
").stderr("").code(73);
    let world = super::world("[[token.brand.deliver]]\ncommand = [\"nobody-there\"]\n")
        .with("PATH", "/usr/bin:/bin");
    let result = world.run(&["refresh", "--json"]).code(73).result("brand");
    assert_eq!(
        result["deliveries"][0]["error"],
        "`nobody-there` is not found in `/usr/bin`, `/bin`; write its whole path, or extend `PATH`; correct `command` in the config"
    );
}

#[test]
fn it_waits_for_the_files_above_it() {
    let world = world(APP_INI, "cat FOLDER/app.ini >> FOLDER/seen\n");
    fs::rename(world.path("app.ini"), world.path("away")).unwrap();
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  found in the environment variable `BRAND`

warning: `brand`: not delivered to `app`, just now: [DIR]/app.ini: the file is missing; correct `file` in the config, or set `create = true`
  hint: run `metatoken deliver brand`, which tries again and says what to fix

1 token: 1 adopted
").stderr("").code(73);
    assert!(!world.path("seen").exists());
    let told = world.run(&["status", "--offline", "--json"]).json();
    let codes: Vec<_> =
        told["tokens"][0]["reasons"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
    assert_eq!(codes, ["delivery_failed", "delivery_pending"]);
    fs::rename(world.path("away"), world.path("app.ini")).unwrap();
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "seen"), ini(ONE));
}

#[test]
fn it_does_not_wait_for_the_files_below_it_nor_they_for_it() {
    let world = super::world("");
    let command = script(&world, "hook.sh", "exit 1\n");
    let broken = "[[token.brand.deliver]]\nname = \"gone\"\nfile = \"gone.ini\"\nkey = \"a.b\"\n";
    let target = format!("[[token.brand.deliver]]\nname = \"hook\"\n{command}");
    world.reconfigure(&format!("{BRAND}\n{target}{APP_INI}{broken}"));
    let result = world.run(&["refresh", "--json"]).code(73).result("brand");
    assert_eq!(states(&result), ["hook failed", "app in_sync", "gone failed"]);
    assert_eq!(held(&world, "app.ini"), ini(ONE));
}

/// A world with two tokens that are delivered to the same program.
fn shared() -> World {
    let world = World::new()
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
        .token("SHOP", TokenFixture::user(APP, ANNA).named("shop"));
    let text = "echo \"$METATOKEN_LABELS\" >> FOLDER/runs\necho \"$METATOKEN_LABEL\" >> FOLDER/runs\ncat >> FOLDER/runs\n";
    let command =
        script(&world, "hook.sh", &text.replace("FOLDER", world.path(".").to_str().unwrap()));
    let token = |label: &str, variable: &str| {
        format!(
            "[token.{label}]\ntype = \"user\"\naccess_token = {{ env = \"{variable}\" }}\n
[[token.{label}.deliver]]\nname = \"own\"\nfile = \"{label}\"\ncreate = true\n
[[token.{label}.deliver]]\nname = \"hook\"\n{command}"
        )
    };
    world.reconfigure(&format!("{}{}", token("shop", "SHOP"), token("brand", "BRAND")));
    world
}

#[test]
fn programs_alike_are_run_once_for_all_their_tokens() {
    let world = shared();
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "runs"), "brand shop\nbrand\nEAAFAKEBrand1\nEAAFAKEShop1");
    world.run(&["deliver", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "runs").lines().count(), 4);
}

#[test]
fn a_token_whose_files_are_not_there_yet_does_not_hold_up_the_other() {
    let mut world = shared();
    fs::create_dir(world.path("shop")).unwrap();
    let ran: Ran = world.run(&["refresh", "--json"]).code(73);
    assert_eq!(pending(&ran), 2);
    assert_eq!(states(&ran.result("shop")), ["own failed", "hook pending"]);
    assert_eq!(states(&ran.result("brand")), ["own in_sync", "hook in_sync"]);
    assert_eq!(held(&world, "runs"), "brand\nbrand\nEAAFAKEBrand1");
    fs::remove_dir(world.path("shop")).unwrap();
    world.at(day(1));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "runs"), "brand\nbrand\nEAAFAKEBrand1shop\nshop\nEAAFAKEShop1");
}

#[test]
fn their_failure_is_each_tokens() {
    let world = shared();
    world.write("hook.sh", "exit 9\n");
    let ran = world.run(&["refresh", "--json"]).code(73);
    for label in ["brand", "shop"] {
        assert_eq!(states(&ran.result(label)), ["own in_sync", "hook failed"]);
        assert_eq!(ran.result(label)["deliveries"][1]["error"], "`/bin/sh` exited with 9");
    }
}

//! Causes that stand in the machine: the timer, the clock, files and their modes, channels, the store's
//! rows, deliveries that are not made. `check` names what to do; once it is done it says no more.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};

use chrono::TimeDelta;
use metatoken::sandbox::{FaultInjection, Rule, TokenFixture};
use metatoken::token::Time;

use super::{Done, Told, causes, shell};
use crate::common::{ANNA, APP, BAKERY, BRAND, CREATOR, INSTA_APP, World, day, ends, skip};

/// All cases.
pub(super) const CASES: [fn() -> Vec<Done>; 11] = [
    of_the_timer,
    of_a_run_that_could_not_begin,
    of_the_clock,
    of_modes,
    of_a_channel,
    of_damaged_rows,
    of_deliveries,
    of_what_no_run_has_done,
    of_a_window,
    of_a_version,
    of_a_first_access_token,
];

/// The cause with that code, whatever it weighs, of a token or of the system.
fn standing(world: &World, code: &str) -> Option<Told> {
    let ran = world.run(&["check", "--json"]);
    let check = ran.json();
    assert!(check["tokens"].is_array(), "{}", ran.stdout);
    let tokens = check["tokens"].as_array().unwrap().iter().flat_map(|it| all(&it["reasons"]));
    let tokens: Vec<Told> = tokens.collect();
    all(&check["system"]).chain(tokens).find(|told| told.code == code)
}

fn all(reasons: &serde_json::Value) -> impl Iterator<Item = Told> {
    reasons.as_array().unwrap().iter().map(Told::of).collect::<Vec<_>>().into_iter()
}

/// Types the remedy of the cause with that code, which must stand, once `prepare` has done what it says
/// beside its command; then the cause must be over.
fn ended(world: &mut World, code: &str, prepare: impl FnOnce(&mut World)) -> Done {
    let told = standing(world, code)
        .unwrap_or_else(|| panic!("{code} does not stand: {}", world.run(&["check"]).stdout));
    prepare(world);
    let folder = world.path("").display().to_string();
    let line = told.command.replace("[DIR]", folder.trim_end_matches('/'));
    let words: Vec<&str> = line.split(' ').collect();
    match words[0] {
        "metatoken" if words[1] == "exchange" => {
            let pasted = world.mint(TokenFixture::user(APP, ANNA).named("pasted"));
            let _ = world.run_with_input(&words[1..], &pasted).code(0);
        }
        "metatoken" if words[1] == "login" => drop(world.logs_in(&words[1..]).code(0)),
        "metatoken" => drop(world.run(&words[1..])),
        // The machine that tests run on keeps its clock: `prepare` set that of the world.
        "" | "timedatectl" => {}
        _ => assert!(shell(&line), "{line}"),
    }
    let after = standing(world, code);
    assert_eq!(after, None, "{told:?}: {}", world.run(&["check"]).stdout);
    Done(told.remedy)
}

fn user(name: &str) -> TokenFixture {
    TokenFixture::user(APP, ANNA).named(name)
}

fn chmod(world: &World, name: &str, mode: u32) {
    fs::set_permissions(world.path(name), Permissions::from_mode(mode)).unwrap();
}

/// Damages the store as no run does.
fn damage(world: &World, sql: &str) {
    let loose = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
    world.sql().execute_batch(&format!("{loose}{sql}")).unwrap();
}

fn of_the_timer() -> Vec<Done> {
    let mut world = World::with_brand("");
    world.at(day(5));
    let stopped = ended(&mut world, "no_recent_run", |_| {});
    let narrow = "refresh_within = \"36h\"\n[alerts]\nrun_every = \"1d\"\n";
    let mut world = World::with_brand("");
    world.reconfigure(&format!("{BRAND}{narrow}"));
    let narrow = ended(&mut world, "window_too_narrow", |world| {
        world.reconfigure(&format!(
            "{BRAND}refresh_within = \"5d\"\n[alerts]\nrun_every = \"1d\"\n"
        ));
    });
    vec![stopped, narrow]
}

fn of_a_run_that_could_not_begin() -> Vec<Done> {
    let mut world = World::with_brand("");
    let key = fs::read(world.path("metatoken.key")).unwrap();
    fs::remove_file(world.path("metatoken.key")).unwrap();
    let _ = world.run(&["refresh", "--scheduled"]).code(74);
    let of_the_key = ended(&mut world, "scheduled_run_failed", |world| {
        world.write("metatoken.key", key);
        chmod(world, "metatoken.key", 0o600);
    });
    let mut world = World::with_brand("");
    world.reconfigure("[token.brand]\ntype = \"usr\"\n");
    let _ = world.run(&["refresh", "--scheduled"]).code(78);
    world.reconfigure(BRAND);
    vec![of_the_key, ended(&mut world, "scheduled_run_failed", |_| {})]
}

fn of_the_clock() -> Vec<Done> {
    let mut world = World::with_brand("");
    world.our_clock_at(day(0) + TimeDelta::hours(3));
    let _ = world.run(&["refresh", "brand"]);
    vec![ended(&mut world, "clock_skew", |world| {
        world.our_clock_at(day(0) + TimeDelta::minutes(1));
        let _ = world.run(&["refresh", "brand"]);
    })]
}

fn of_modes() -> Vec<Done> {
    let mut done = Vec::new();
    for (name, mode, code) in [
        ("metatoken.key", 0o604, "readable_by_others"),
        ("metatoken.db", 0o604, "readable_by_others"),
        ("secret", 0o644, "readable_by_others"),
        ("secret", 0o620, "writable_by_others"),
        ("metatoken.db", 0o662, "writable_by_others"),
    ] {
        let world = World::new().config(&BRAND.replace("env = \"BRAND\"", "file = \"secret\""));
        world.write("secret", world.mint(user("brand")));
        chmod(&world, "secret", 0o600);
        let mut world = world;
        let _ = world.run(&["refresh", "--quiet"]).silent().code(0);
        chmod(&world, ".", 0o755);
        chmod(&world, name, mode);
        done.push(ended(&mut world, code, |_| {}));
    }
    if !rustix::process::geteuid().is_root() {
        skip("the remedy for another user's program", "only root can give files away");
        return done;
    }
    let mut world = World::with_brand("");
    let hook = world.path("hook.sh").display().to_string();
    // By a process of its own: a file that this one has open to write cannot be started.
    assert!(shell(&format!("printf '#!/bin/sh\\nexit 0\\n' > {hook}; chmod 755 {hook}")));
    world.reconfigure(&format!("{BRAND}[[token.brand.deliver]]\ncommand = [\"{hook}\"]\n"));
    let _ = world.run(&["refresh", "--quiet"]).silent().code(0);
    chown(&hook, Some(65533), None).unwrap();
    done.push(ended(&mut world, "writable_by_others", |_| {}));
    done
}

fn of_a_channel() -> Vec<Done> {
    let channel =
        |program: &str| format!("{BRAND}[[notify]]\nname = \"ops\"\ncommand = [\"{program}\"]\n");
    let mut world = World::with_brand("");
    world.reconfigure(&channel("/bin/false"));
    world.at(day(2));
    let _ = world.run(&["check", "--notify"]);
    vec![ended(&mut world, "notification_failed", |world| world.reconfigure(&channel("/bin/true")))]
}

/// What became of an access token decides who can bring it back.
fn of_damaged_rows() -> Vec<Done> {
    let page =
        format!("[token.page]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"{BAKERY}\"\n");
    let app = "[token.app]\ntype = \"app\"\n";
    let world = || {
        let world = World::new().config(&format!("{BRAND}{page}{app}"));
        let world =
            world.token("BRAND", user("brand").scopes(["public_profile", "pages_show_list"]));
        let _ = world.run(&["refresh", "--quiet"]).silent().code(0);
        world
    };
    let lost = |label: &str| {
        format!(
            "UPDATE generation SET fingerprint = x'00' WHERE state = 'current'
             AND token = (SELECT id FROM token WHERE label = '{label}');"
        )
    };
    let mut done = Vec::new();
    for label in ["brand", "page", "app"] {
        let mut world = world();
        damage(&world, &lost(label));
        done.push(ended(&mut world, "damaged", |_| {}));
    }
    // Both at once: the Page's remedy is its parent's first.
    let mut both = world();
    damage(&both, &format!("{}{}", lost("brand"), lost("page")));
    let told = causes(&both.run(&["check", "--json"]).token("page")["reasons"]).next().unwrap();
    done.push(ended(&mut both, "damaged", |world| {
        let pasted = world.mint(user("pasted").scopes(["public_profile", "pages_show_list"]));
        let _ = world.run_with_input(&["exchange", "brand"], &pasted);
        let _ = world.run(&told.words());
    }));
    done.push(Done(told.remedy));
    let mut attempts = world();
    damage(&attempts, "UPDATE token SET consecutive_failures = -1 WHERE label = 'brand';");
    done.push(ended(&mut attempts, "damaged", |_| {}));
    done
}

const APP_ENV: &str =
    "[[token.brand.deliver]]\nname = \"app\"\nfile = \"app.env\"\nkey = \"TOKEN\"\n";

fn of_deliveries() -> Vec<Done> {
    let with_target = |target: &str| {
        let world = World::new().config(&format!("{BRAND}{target}")).token("BRAND", user("brand"));
        world.write("app.env", "TOKEN=\n");
        world
    };
    let mut done = Vec::new();
    // A release build has no fail points.
    #[cfg(debug_assertions)]
    for point in ["promoted", "overwrite-noted"] {
        let mut world = with_target(&format!("{APP_ENV}write = \"in-place\"\n"));
        world.killed_at(point, &["refresh"], "");
        let code = if standing(&world, "delivery_pending").is_some() {
            "delivery_pending"
        } else {
            "delivery_failed"
        };
        done.push(ended(&mut world, code, |_| {}));
        assert_eq!(
            fs::read_to_string(world.path("app.env")).unwrap(),
            format!("TOKEN={}\n", world.in_use("brand"))
        );
    }
    let lost = with_target(APP_ENV);
    let _ = lost.run(&["refresh", "--quiet"]).silent().code(0);
    fs::remove_file(lost.path("app.env")).unwrap();
    let ran = lost.run(&["deliver", "--restore", "brand"]).code(73);
    lost.write("app.env", "");
    let _ = lost.run(&["deliver", "--restore", "brand"]).code(0);
    assert_eq!(fs::read_to_string(lost.path("app.env")).unwrap(), "TOKEN=\n", "{}", ran.stderr);
    done.push(Done(ran.stderr));
    let mut drifted = with_target(APP_ENV);
    let _ = drifted.run(&["refresh", "--quiet"]).silent().code(0);
    drifted.write("app.env", "TOKEN=hunter2\n");
    let _ = drifted.run(&["refresh"]);
    done.push(ended(&mut drifted, "drifted", |_| {}));
    let mut waits = with_target(&format!(
        "{APP_ENV}[[token.brand.deliver]]\nname = \"hook\"\ncommand = [\"/bin/true\"]\n"
    ));
    fs::remove_file(waits.path("app.env")).unwrap();
    let _ = waits.run(&["refresh"]).code(73);
    done.push(ended(&mut waits, "delivery_pending", |world| world.write("app.env", "TOKEN=\n")));
    done
}

/// A token that no run has looked at in time.
fn of_what_no_run_has_done() -> Vec<Done> {
    let at = |now: Time| {
        let mut world = World::with_brand("");
        world.at(now);
        world
    };
    let mut done = vec![
        ended(&mut at(day(5)), "unchecked", |_| {}),
        ended(&mut at(day(52)), "expiring", |_| {}),
    ];
    // A run about another token leaves it.
    let shop = "[token.shop]\ntype = \"user\"\naccess_token = { env = \"SHOP\" }\n";
    let mut late = World::new()
        .config(&format!("{BRAND}{shop}"))
        .token("BRAND", user("brand"))
        .token("SHOP", user("shop"));
    let _ = late.run(&["refresh", "--quiet"]).silent().code(0);
    late.at(day(45));
    let _ = late.run(&["refresh", "shop"]);
    done.push(ended(&mut late, "refresh_overdue", |_| {}));
    let insta = "[app.insta]\nkind = \"instagram\"\nid = \"1000000000000011\"\n\
                 secret = { env = \"INSTA_SECRET\" }\n\
                 [token.it]\ntype = \"instagram\"\napp = \"insta\"\nauto_refresh = false\n\
                 access_token = { env = \"IT\" }\n";
    let long = TokenFixture::instagram(INSTA_APP, CREATOR).aged(TimeDelta::days(2));
    let mut hidden = World::new().config(insta).token("IT", long);
    let _ = hidden.run(&["refresh"]);
    done.push(ended(&mut hidden, "expiry_unknown", |_| {}));
    let page =
        format!("[token.page]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"{BAKERY}\"\n");
    let scopes = ["public_profile", "pages_show_list"];
    let mut dead =
        World::new().config(&format!("{BRAND}{page}")).token("BRAND", user("brand").scopes(scopes));
    let _ = dead.run(&["refresh", "--quiet"]).silent().code(0);
    let old = dead.in_use("page");
    dead.graph.with(|graph| graph.invalidate(&old, metatoken::sandbox::Invalidation::Expired));
    dead.at(day(2));
    dead.graph.misbehave(Rule::on("/accounts"), FaultInjection::Status(500));
    dead.graph.misbehave(Rule::on(BAKERY), FaultInjection::Status(500));
    let _ = dead.run(&["refresh"]);
    dead.graph.behave();
    let stands = super::codes(&dead, "page");
    let code = stands.first().unwrap_or_else(|| panic!("nothing stands")).clone();
    done.push(ended(&mut dead, &code, |_| {}));
    done
}

/// A window that is wider than the token's life.
fn of_a_window() -> Vec<Done> {
    let mut world = World::new()
        .config(BRAND)
        .token("BRAND", user("brand").aged(TimeDelta::days(1)).ending(ends(10)));
    let _ = world.run(&["refresh"]);
    let Some(told) = standing(&world, "window_clipped") else {
        // A renewal in the same run gave it sixty days.
        world = World::new()
            .config(&format!("{BRAND}refresh_within = \"70d\"\n"))
            .token("BRAND", user("brand"));
        let _ = world.run(&["refresh"]);
        let told = standing(&world, "window_clipped").expect("a window of seventy days is clipped");
        return vec![narrowed(&mut world, &told)];
    };
    vec![narrowed(&mut world, &told)]
}

/// An app that asks for a version of Graph that ends soon.
fn of_a_version() -> Vec<Done> {
    let mut world = World::new();
    world.at(day(100));
    let value = world.mint(user("brand"));
    world.set("BRAND", &value);
    let pin = |world: &World, line: &str| {
        world.reconfigure(BRAND);
        let config = fs::read_to_string(world.path("metatoken.toml")).unwrap();
        world.write(
            "metatoken.toml",
            config.replace("[app.main]\n", &format!("[app.main]\n{line}")),
        );
        chmod(world, "metatoken.toml", 0o600);
    };
    pin(&world, "graph_version = \"v19.0\"\n");
    let _ = world.run(&["refresh", "--quiet"]).code(0);
    let told = standing(&world, "graph_version_ends").expect("v19.0 ends on day 140");
    let setting = told.remedy.split('`').nth(1).unwrap().to_owned();
    vec![ended(&mut world, "graph_version_ends", |world| pin(world, &format!("{setting}\n")))]
}

fn narrowed(world: &mut World, told: &Told) -> Done {
    let (_, rest) = told.remedy.split_once("` to ").unwrap_or_else(|| panic!("{told:?}"));
    let span = rest.split(' ').next().unwrap().to_owned();
    ended(world, "window_clipped", |world| {
        world.reconfigure(&format!("{BRAND}refresh_within = \"{span}\"\n"));
    })
}

/// A token without an access token, for each way in which it gets one.
fn of_a_first_access_token() -> Vec<Done> {
    let page =
        format!("[token.page]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"{BAKERY}\"\n");
    let scopes = ["public_profile", "pages_show_list"];
    let fresh =
        |config: &str| World::new().config(config).token("BRAND", user("brand").scopes(scopes));
    let mut done = vec![
        ended(&mut fresh(BRAND), "missing", |_| {}),
        ended(&mut fresh("[token.app]\ntype = \"app\"\n"), "missing", |_| {}),
        ended(&mut fresh(&format!("{BRAND}{page}")), "missing", |_| {}),
    ];
    let mut pasted = fresh("[token.brand]\ntype = \"user\"\n");
    let unset = Done(pasted.run(&["refresh"]).code(77).stdout);
    done.push(ended(&mut pasted, "missing", |world| {
        let value = world.mint(user("pasted"));
        let _ = world.run_with_input(&["exchange", "brand"], &value).code(0);
    }));
    done.push(unset);
    let mut silent = fresh(&format!("[http]\nattempts = 1\n{BRAND}"));
    silent.graph.misbehave(Rule::any(), FaultInjection::Status(500));
    let _ = silent.run(&["refresh"]);
    silent.graph.behave();
    let code = standing(&silent, "unverified").map_or("graph_unavailable", |_| "unverified");
    done.push(ended(&mut silent, code, |world| world.at(day(1))));
    done
}

//! The string that somebody pasted at three in the morning.

use metatoken::sandbox::{FaultInjection, Invalidation, Rule, TokenFixture};

use super::{APP_INI, ONE, TWO, WEB_ENV, delivered, due, env, held, ini, reasons, states};
use crate::common::{ANNA, APP, BRAND, ROBOT, World, day, ends};

/// A string of the same person's that ends on day `n`.
fn pasted(world: &World, n: i64) -> String {
    let string = world.mint(TokenFixture::user(APP, ANNA).named("pasted").ending(ends(n)));
    world.write("app.ini", ini(&string));
    string
}

#[test]
fn a_better_one_is_adopted_and_brought_to_the_others() {
    let mut world = delivered(&format!("{APP_INI}{WEB_ENV}"));
    world.at(day(1));
    let string = pasted(&world, 61);
    assert_eq!(
        states(&world.run(&["status", "--json"]).token("brand")),
        ["app drifted", "web in_sync"]
    );
    let result = world.run(&["refresh", "--json"]).code(0).stderr("").result("brand");
    assert_eq!(result["outcome"], "adopted");
    assert_eq!(result["new_expires_at"], "2026-03-03T00:00:00Z");
    assert_eq!(states(&result), ["app in_sync", "web in_sync"]);
    assert_eq!(world.in_use("brand"), string);
    assert_eq!(held(&world, "app.ini"), ini(&string));
    assert_eq!(held(&world, "web/.env"), env(&string));
}

#[test]
fn one_that_replaces_a_dead_string_is_adopted() {
    let mut world = delivered(&format!("{APP_INI}{WEB_ENV}"));
    world.at(day(2));
    world.graph.with(|graph| graph.invalidate(ONE, Invalidation::PasswordChanged));
    world.run(&["refresh", "--quiet"]).code(77);
    let string = pasted(&world, 30);
    let _ = world.run(&["refresh"]).code(0);
    assert_eq!(held(&world, "web/.env"), env(&string));
    assert_eq!(held(&world, "app.ini"), ini(&string));
}

#[test]
fn a_worse_one_is_left_alone_until_it_is_forced() {
    let mut world = delivered(&format!("{APP_INI}{WEB_ENV}"));
    world.at(day(1));
    let string = pasted(&world, 30);
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days

warning: `brand`: `app` holds another value, just now, and is left untouched
  hint: run `metatoken deliver --force brand` to overwrite it

1 token: 1 not due
",
        )
        .stderr("")
        .code(0);
    assert_eq!(held(&world, "app.ini"), ini(&string));
    assert_eq!(world.in_use("brand"), ONE);
    // It was examined once; from now on it is only told.
    world.calls();
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days

warning: `brand`: `app` holds another value, just now, and is left untouched
  hint: run `metatoken deliver --force brand` to overwrite it

1 token: 1 not due
",
        )
        .stderr("")
        .code(0);
    world
        .run(&["deliver"])
        .stdout(
            "
TOKEN  STATE    SINCE                 TARGET
brand  drifted  2026-01-02 00:00 UTC  app
brand  in sync  2026-01-01 00:00 UTC  web

warning: `brand`: `app` holds another value, just now, and is left untouched
  hint: run `metatoken deliver --force brand` to overwrite it

2 targets: 1 in sync, 1 drifted
",
        )
        .stderr("")
        .code(0);
    world.run(&["check"]).verdict("
METATOKEN WARNING - brand: works, app holds another value, just now, and is left…; operator: metatoken deliver --force brand
WARNING: `brand`: works, `app` holds another value, just now, and is left untouched
  run `metatoken deliver --force brand` to overwrite it. Proof: `metatoken check brand`
").stderr("").code(1);
    assert_eq!(world.calls(), [""; 0]);
    assert_eq!(reasons(&world.offline("brand")), ["warning drifted"]);
    assert_eq!(states(&world.offline("brand")), ["app drifted", "web in_sync"]);

    world.run(&["deliver", "--force"]).code(64).stdout("");
    world
        .run(&["deliver", "--force", "brand"])
        .stdout(
            "
TOKEN  STATE    SINCE                 TARGET
brand  in sync  2026-01-02 00:00 UTC  app
brand  in sync  2026-01-01 00:00 UTC  web

2 targets: 2 in sync
",
        )
        .stderr("")
        .code(0);
    assert_eq!(held(&world, "app.ini"), ini(ONE));
    world.run(&["check"]).code(0);
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn a_renewal_leaves_it_alone_too() {
    let mut world = due(&format!("{APP_INI}{WEB_ENV}"));
    world.at(day(39));
    let string = pasted(&world, 50);
    world.run(&["refresh", "--quiet"]).code(0);
    world.at(day(45));
    let result = world.run(&["refresh", "--json"]).code(73).result("brand");
    assert_eq!(result["outcome"], "refreshed");
    assert_eq!(held(&world, "app.ini"), ini(&string));
    assert_eq!(held(&world, "web/.env"), env(TWO));
    world.at(day(47));
    world.run(&["refresh", "--quiet"]).code(73);
    assert_eq!(reasons(&world.offline("brand")), ["warning drifted"]);
}

#[test]
fn text_that_is_no_token_is_left_alone() {
    for text in ["YOUR-KEY-HERE", "the token goes here", "12345", "hunter2", "${TOKEN}"] {
        let world = delivered(APP_INI);
        world.write("app.ini", ini(text));
        assert_eq!(
            states(&world.run(&["status", "--json"]).token("brand")),
            ["app drifted"],
            "{text}"
        );
        world.calls();
        for _ in 0..2 {
            world.run(&["refresh", "--quiet"]).code(0);
            assert_eq!(world.calls(), [""; 0], "{text}");
        }
        assert_eq!(held(&world, "app.ini"), ini(text));
        assert_eq!(reasons(&world.offline("brand")), ["warning drifted"], "{text}");
    }
}

#[test]
fn another_tokens_string_is_left_alone_and_not_examined() {
    let world = delivered(APP_INI);
    let other = world.mint(TokenFixture::user(APP, ANNA).named("other").ending(ends(90)));
    world.reconfigure(
        &format!(
            "{}\n[token.other]\ntype = \"user\"\naccess_token = \"{other}\"\n{APP_INI}",
            crate::common::BRAND
        )
        .replace("[[token.brand", "\n[[token.brand"),
    );
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.write("app.ini", ini(&other));
    world.calls();
    world.run(&["refresh", "--quiet"]).code(0);
    assert_eq!(world.calls(), [""; 0]);
    assert_eq!(held(&world, "app.ini"), ini(&other));
    assert_eq!(reasons(&world.offline("brand")), ["warning drifted"]);
}

#[test]
fn who_puts_the_string_in_use_back_has_mended_it() {
    let world = delivered(APP_INI);
    world.write("app.ini", ini("YOUR-KEY-HERE"));
    world.run(&["refresh", "--quiet"]).code(0);
    world.write("app.ini", ini(ONE));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(states(&world.offline("brand")), ["app in_sync"]);
    world.run(&["check"]).code(0);
}

#[test]
fn one_that_graph_cannot_be_asked_about_is_left_until_it_can() {
    let mut world = delivered(&format!("{APP_INI}{WEB_ENV}"));
    world.at(day(1));
    let string = pasted(&world, 61);
    world.graph.misbehave(Rule::any(), FaultInjection::Status(500));
    world.run(&["refresh", "--quiet"]).code(69);
    world.run(&["deliver", "--quiet"]).code(0);
    assert_eq!(held(&world, "app.ini"), ini(&string));
    let token = world.run(&["status", "--json"]).token("brand");
    assert_eq!(states(&token), ["app drifted", "web in_sync"]);
    world.graph.behave();
    let result = world.run(&["refresh", "--json"]).code(0).result("brand");
    assert_eq!(states(&result), ["app in_sync", "web in_sync"]);
    assert_eq!(held(&world, "app.ini"), ini(&string));
    assert_eq!(held(&world, "web/.env"), env(&string));
}

/// A key that is missing is not overwritten by `--force` either, so it is not named then.
#[test]
fn a_drifted_file_that_was_emptied_names_a_remedy_that_works() {
    for (emptied, why, remedy) in [
        (Some(""), "no key `facebook.token`", "or set `create = true`"),
        (None, "the file is missing", "or set `create = true`"),
    ] {
        let mut world = delivered(APP_INI);
        world.at(day(1));
        world.write("app.ini", ini("by-hand"));
        world.run(&["deliver", "--quiet"]).code(0);
        assert_eq!(states(&world.offline("brand")), ["app drifted"]);
        match emptied {
            Some(text) => world.write("app.ini", text),
            None => std::fs::remove_file(world.path("app.ini")).unwrap(),
        }
        for command in [&["deliver"] as &[_], &["refresh"], &["deliver", "--force", "brand"]] {
            let ran = world.run(&[command, &["--json"]].concat()).code(73);
            let error = ran.result("brand")["deliveries"][0]["error"].as_str().unwrap().to_owned();
            assert!(error.contains(why) && error.contains(remedy), "{command:?}: {error}");
            assert!(!world.run(command).code(73).stdout.contains("--force"), "{command:?}");
        }
        world.reconfigure(&format!("{BRAND}\n{APP_INI}create = true\n"));
        let drifted = world.run(&["deliver"]).code(73).stdout;
        assert!(drifted.contains("run `metatoken deliver --force brand`"), "{drifted}");
        world.run(&["deliver", "--force", "brand", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "app.ini"), format!("[facebook]\ntoken = {ONE}\n"));
    }
}

/// The current one is found dead after what the file holds was refused beside it: it is looked at
/// again before a person is called, in the same run.
#[test]
fn a_worse_one_is_adopted_in_the_run_that_finds_the_current_one_dead() {
    for seen_before in [true, false] {
        for command in [&["refresh", "--quiet"][..], &["refresh", "brand", "--quiet"]] {
            let mut world = delivered(&format!("{APP_INI}{WEB_ENV}"));
            world.at(day(1));
            let mut string = String::new();
            if seen_before {
                string = pasted(&world, 30);
                world.run(&["refresh", "--quiet"]).code(0);
            }
            world.at(day(3));
            if !seen_before {
                string = pasted(&world, 30);
            }
            world.graph.with(|graph| graph.invalidate(ONE, Invalidation::PasswordChanged));
            world.calls();
            let _ = world.run(command).code(0);
            assert_eq!(world.in_use("brand"), string, "{seen_before} {command:?}");
            assert_eq!(held(&world, "app.ini"), ini(&string));
            assert_eq!(held(&world, "web/.env"), env(&string));
            let asked = world.calls();
            let about = asked.iter().filter(|call| call.contains("Pasted")).count();
            assert_eq!(about, 1, "{asked:?}");
            world.run(&["check"]).code(0);
        }
    }
}

/// Of what the config and the file hold the better one takes the place of the dead one, at once.
#[test]
fn the_better_of_file_and_config_replaces_one_that_is_found_dead() {
    for (in_config, in_file) in [(40, 30), (30, 40)] {
        let mut world = delivered(&format!("{APP_INI}{WEB_ENV}"));
        world.at(day(1));
        let configured =
            world.mint(TokenFixture::user(APP, ANNA).named("other").ending(ends(in_config)));
        let mut world = world.with("BRAND", &configured);
        let string = pasted(&world, in_file);
        world.run(&["refresh", "--quiet"]).code(65);
        world.at(day(3));
        world.graph.with(|graph| graph.invalidate(ONE, Invalidation::PasswordChanged));
        // What a person pasted into the file stays there, also where it is not the better one.
        let (best, code) = if in_file > in_config { (&string, 0) } else { (&configured, 73) };
        let result = world.run(&["refresh", "--json"]).code(code).result("brand");
        assert_eq!(result["outcome"], "adopted");
        assert_eq!(&world.in_use("brand"), best);
        assert_eq!(held(&world, "app.ini"), ini(&string));
        assert_eq!(held(&world, "web/.env"), env(best));
        let adopted = world.events("brand").into_iter().filter(|(it, _)| it == "adopted").count();
        assert_eq!(adopted, 2, "the first one, and one now");
    }
}

/// What is no good stays where it is, and a person is called.
#[test]
fn one_that_is_dead_too_or_anothers_is_left_where_it_is() {
    for is_dead in [true, false] {
        let mut world = delivered(APP_INI);
        world.at(day(3));
        let spec =
            if is_dead { TokenFixture::user(APP, ANNA) } else { TokenFixture::user(APP, ROBOT) };
        let string = world.mint(spec.named("pasted").ending(ends(30)));
        world.write("app.ini", ini(&string));
        world.graph.with(|graph| {
            graph.invalidate(ONE, Invalidation::PasswordChanged);
            if is_dead {
                graph.invalidate(&string, Invalidation::Revoked);
            }
        });
        let _ = world.run(&["refresh"]).code(77);
        assert_eq!(held(&world, "app.ini"), ini(&string));
        assert_eq!(world.in_use("brand"), ONE);
        let _ = world.run(&["refresh"]).code(77);
    }
}
